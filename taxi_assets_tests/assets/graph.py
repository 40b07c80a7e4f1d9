"""The asset graph as text, one paragraph per asset, so that a change of it shows in a diff.

After an intended change, write the snapshot again and review its diff:

    python -m taxi_assets_tests.assets.graph
"""

from __future__ import annotations

import sys
from pathlib import Path

import dagster as dg

from taxi_assets.definitions import build_definitions
from taxi_assets.settings import Settings

SNAPSHOT = Path(__file__).with_name("asset_graph.txt")


def described() -> str:
    """The graph of a laptop's definitions."""
    definitions = build_definitions(Settings.from_env({}))
    graph = definitions.resolve_asset_graph()
    keys = sorted(graph.get_all_asset_keys(), key=lambda key: key.to_user_string())
    return "\n".join(_paragraph(graph.get(key), definitions) for key in keys)


def _paragraph(node: dg.AssetNode, definitions: dg.Definitions) -> str:
    partitions = node.partitions_def
    lines = {
        "from": sorted(key.to_user_string() for key in node.parent_keys),
        "group": [node.group_name],
        "partitions": [partitions.get_first_partition_key() + "…"] if partitions else [],
        "kinds": sorted(node.kinds),
        "pool": sorted(node.pools or ()),
        "stored by": _io_manager(node, definitions),
        "checks": _checks(node, definitions),
        "owners": sorted(node.owners),
    }
    details = [f"  {name}: {', '.join(values)}" for name, values in lines.items() if values]
    note = "" if node.is_executable else " (observed only)"
    return "\n".join([f"{node.key.to_user_string()}{note}", *details, ""])


def _io_manager(node: dg.AssetNode, definitions: dg.Definitions) -> list[str]:
    """The IO manager's resource; none for an asset that stores no value."""
    if not node.is_executable:
        return []
    key = definitions.get_assets_def(node.key).get_io_manager_key_for_asset_key(node.key)
    return [] if key == "io_manager" else [key]


def _checks(node: dg.AssetNode, definitions: dg.Definitions) -> list[str]:
    """Each check, with whether it blocks, is a step of its own and is unpartitioned."""
    graph = definitions.resolve_asset_graph()
    own = graph.get(node.key).check_keys if node.is_executable else set()
    made = definitions.get_assets_def(node.key).check_keys if node.is_executable else set()
    checks = []
    for key in sorted(own, key=lambda key: key.name):
        check = graph.get(key)
        marks = {
            "blocking": check.blocking,
            "a step": key not in made,
            "all months": check.partitions_def is None,
        }
        marked = ", ".join(mark for mark, holds in marks.items() if holds)
        checks.append(f"{key.name} ({marked})" if marked else key.name)
    return checks


if __name__ == "__main__":
    SNAPSHOT.write_text(described())
    sys.stdout.write(f"wrote {SNAPSHOT}\n")
