"""The account of the AWS credentials."""

from __future__ import annotations

from typing import Final
from urllib.parse import urlsplit

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from botocore.parsers import ResponseParserError

from taxi_assets.lake.s3_errors import S3
from taxi_assets.services import named_errors

__all__ = ["account"]

_QUICKLY: Final = Config(connect_timeout=5, read_timeout=5, retries={"total_max_attempts": 1})


def account() -> str:
    """The user or role by STS, which a compatible store need not have."""
    with named_errors(S3, "Reading the AWS settings"):
        session = boto3.Session()
        endpoint = session.client("s3").meta.endpoint_url
        own = not (urlsplit(endpoint).hostname or "").endswith("amazonaws.com")
        # Never the real STS for another store's credentials.
        sts = session.client("sts", endpoint_url=endpoint if own else None, config=_QUICKLY)
    try:
        return f"{sts.get_caller_identity()['Arn']} at {endpoint}"
    except (ClientError, BotoCoreError, ResponseParserError) as error:
        return f"unknown ({type(error).__name__}: sts:GetCallerIdentity) at {endpoint}"
