"""The lake: object stores (local folder, GCS, S3, Azure), object keys and the lake's IO manager."""
