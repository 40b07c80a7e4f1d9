"""The Dagster assets: four per dataset from one factory, the taxi zones, and their checks.

The work itself is in ``tlc``, ``cleaning``, ``lake`` and ``warehouse``; ``automation`` starts runs.
https://docs.dagster.io/guides/build/assets/defining-assets
"""
