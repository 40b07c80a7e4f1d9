"""The warehouse: DuckDB, BigQuery or PostgreSQL, its tables, and the warehouse's IO manager."""
