"""The platform as a person meets it: Dagster's own pages in a real browser."""
