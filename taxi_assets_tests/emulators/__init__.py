"""Google Cloud Storage, BigQuery, S3, Azure Blob Storage and PostgreSQL, on this machine.

Belongs here: installing the stand-ins (``install``), starting and stopping them (one module each,
on ``server``), handing them to tests (``fixtures``) and to a command (``__main__``). Does not:
tests of the lake or the warehouse.

    python -m taxi_assets_tests.emulators.install            # each into an environment of its own
    python -m taxi_assets_tests.emulators gcs bigquery -- python   # a command beside them
"""
