"""The asset graph as text, one paragraph per asset: what a reviewer sees of a change to it.

After a change that is meant, refresh the committed text and read its diff:

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
        "months a run": [str(node.backfill_policy.max_partitions_per_run)]
        if node.backfill_policy
        else [],
        "kinds": sorted(node.kinds),
        "pool": sorted(node.pools or ()),
        "stored by": [],
        "checks": [],
        "owners": sorted(node.owners),
    }
    if node.is_executable:
        made = definitions.get_assets_def(node.key)
        lines["stored by"] = [str(made.get_io_manager_key_for_asset_key(node.key))]
        lines["checks"] = [
            f"{spec.name}{' (blocking)' if spec.blocking else ''}"
            for spec in sorted(made.check_specs, key=lambda spec: spec.name)
        ]
    told = [f"  {name}: {', '.join(values)}" for name, values in lines.items() if values]
    what = "" if node.is_executable else " (observed only)"
    return "\n".join([f"{node.key.to_user_string()}{what}", *told, ""])


if __name__ == "__main__":
    SNAPSHOT.write_text(described())
    sys.stdout.write(f"wrote {SNAPSHOT}\n")
