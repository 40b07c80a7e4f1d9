"""The lake: whole objects in a folder or a bucket, and the IO manager over them.

Belongs here: stores, keys, what a Parquet object becomes in an asset's hands. Does not: tables
(``warehouse``), what is done to a month (``cleaning``).
"""
