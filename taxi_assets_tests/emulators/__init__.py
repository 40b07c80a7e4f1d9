"""Local emulators of Google Cloud Storage, BigQuery, S3, Azure Blob Storage, and PostgreSQL.

To add one, write a module with ``install()`` and ``running()``, as in ``s3``, and add it to
``install``, ``fixtures`` and ``__main__``. A recorder (``recording``) is in front of those whose
service has a published model, so that a request which the real service refuses fails its test.

    python -m taxi_assets_tests.emulators.install                  # each in its own environment
    python -m taxi_assets_tests.emulators gcs bigquery -- python   # run a command with them
"""
