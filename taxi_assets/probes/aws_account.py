"""The account of the AWS credentials."""

from __future__ import annotations

from typing import Final
from urllib.parse import urlsplit

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from taxi_assets.addresses import shown
from taxi_assets.lake.s3_errors import S3
from taxi_assets.services import named_errors

__all__ = ["account"]

_QUICKLY: Final = Config(connect_timeout=5, read_timeout=5, retries={"total_max_attempts": 1})


def account() -> str:
    """The user or role by STS, and where the credentials are from; only that without STS.

    Another store's credentials are never sent to Amazon.
    """
    with named_errors(S3, "Reading the AWS settings"):
        session = boto3.Session()
        endpoint = session.client("s3").meta.endpoint_url
        found = session.get_credentials()
        source = f"by credentials from {found.method}" if found else "without credentials"
        if not (urlsplit(endpoint).hostname or "").endswith(".amazonaws.com"):
            return f"unknown at {shown(endpoint)}, {source}"
        sts = session.client("sts", config=_QUICKLY)
    try:
        return f"{sts.get_caller_identity()['Arn']}, {source}"
    except (ClientError, BotoCoreError) as error:  # the lake's probes say what is wrong with them
        return f"unknown ({type(error).__name__}: sts:GetCallerIdentity), {source}"
