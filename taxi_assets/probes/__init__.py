"""Probes of everything that is configured, before the first month: ``python -m taxi_assets check``.

Each writes under a name of its own and removes what it wrote.
"""
