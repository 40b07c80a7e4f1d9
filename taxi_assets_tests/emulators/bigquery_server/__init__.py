"""local-bigquery with corrections, as a program of its own.

Belongs here: what local-bigquery does otherwise than BigQuery and a test would notice. Does not:
anything of this project. It runs on another Python, with nothing of ours but this folder's
parents on the path; ``emulators.bigquery`` starts it.
"""
