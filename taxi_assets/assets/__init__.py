"""The assets: four per dataset from one factory, the taxi zones, and their checks.

Belongs here: how a month passes through Dagster. Does not: what is done to it (``tlc``,
``cleaning``, ``lake``, ``warehouse``) or what starts it (``automation``).
"""
