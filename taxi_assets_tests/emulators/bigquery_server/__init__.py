"""local-bigquery with patches, a separate program that ``emulators.bigquery`` starts.

Add a patch where local-bigquery differs from BigQuery in a way that matters to a test. It runs on
another Python without this project's packages, so import nothing from the rest of the project.
"""
