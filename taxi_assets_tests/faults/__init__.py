"""Faults on purpose, seeded: kills, races, polling readers, full disks, hostile servers and files.

    python -m taxi_assets_tests.faults --seed 1 --write docs/reliability.md

Each fault is followed by a check that does not use the code under test. ``result`` says what can be
found; to add a kind, write a module with a function that yields a ``Result`` for each fault, and
add it to ``kinds``.
"""
