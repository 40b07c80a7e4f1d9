"""The demo on emulators of Cloud Storage and BigQuery, run by ``make demo-gcp``.

python -m taxi_assets_tests.emulators gcs bigquery -- python -m taxi_assets_tests.emulators.demo
"""

from __future__ import annotations

import os
import sys
import tempfile

from google.cloud import bigquery, storage

from taxi_assets import gcp
from taxi_assets.cli import main
from taxi_assets.datasets import DATASETS

BUCKET, DATASET = "taxi-lake", "taxi"


def demo() -> int:
    project = gcp.project() or "local"
    storage.Client(project, gcp.credentials()).create_bucket(BUCKET)
    client = bigquery.Client(project, gcp.credentials())
    client.create_dataset(DATASET)
    with tempfile.TemporaryDirectory(prefix="taxi-demo-gcp-") as home:
        os.environ |= {
            "TAXI_HOME": home,
            "DAGSTER_HOME": "",
            "TAXI_LAKE_URL": f"gs://{BUCKET}/demo",
            "TAXI_WAREHOUSE_URL": f"bigquery://{project}/{DATASET}",
        }
        code = main(["demo"])
    print("\nRows in BigQuery:")
    for dataset in DATASETS:
        _print_counts(client, f"{project}.{DATASET}.{dataset}_trips")
    return code


def _print_counts(client: bigquery.Client, table: str) -> None:
    query = f"SELECT source_month, COUNT(*) AS n FROM `{table}` GROUP BY 1 ORDER BY 1"
    for row in client.query(query).result():
        print(f"  {table:<28} {row.source_month:%Y-%m} {row.n:>9,}")


if __name__ == "__main__":
    sys.exit(demo())
