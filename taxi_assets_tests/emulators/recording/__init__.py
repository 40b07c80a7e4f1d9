"""A recorder in front of an emulator: each request is checked against the service's own model.

``discovery`` checks requests to Google against the discovery documents, ``s3_model`` those to S3
against botocore's model; ``recorder`` is the proxy, a program of its own, so that clients in any
process are recorded; ``record`` starts it and reads what it found. Azure's packages have generated
code only and no model, so Azure's requests are not checked.
"""
