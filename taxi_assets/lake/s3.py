"""The lake on Amazon S3 or a compatible store. Its error rules are in ``s3_errors``."""

from __future__ import annotations

import base64
import math
import shutil
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import boto3
import botocore.exceptions as boto
from botocore.config import Config
from botocore.model import OperationModel
from typing_extensions import override

from taxi_assets.lake.bucket import PART_SIZE, PARTS_AT_ONCE, BucketStore, Found
from taxi_assets.lake.objects import from_header, to_header
from taxi_assets.lake.s3_errors import S3
from taxi_assets.lake.store import CHUNK, NewObject
from taxi_assets.retry_policy import (
    CONNECT_SECONDS,
    SILENCE_SECONDS,
    Attempts,
    retry_after_seconds,
)

__all__ = ["S3Store"]

_ATTEMPTS = "taxi_assets.attempts"
_FORGOTTEN = timedelta(days=1)  # no run takes that long for a file


class S3Store(BucketStore):
    """Objects in the bucket of ``s3://bucket/prefix``; a version is an ETag.

    Credentials, region and endpoint are configured as for all AWS tools: ``AWS_*``, a profile, or
    the machine's role. S3 verifies each part's SHA-256 before the object appears. Preconditions
    are ``If-Match`` and ``If-None-Match`` on the request that creates the object, which Amazon S3
    enforces for puts, multipart uploads and copies. An ETag identifies content, so a concurrent
    write of identical content is not detected, which is harmless. A compatible store that ignores
    these headers (moto: ``If-Match`` on multipart uploads, and all of them on copies) only has the
    check before the write.
    """

    service = S3
    metadata_limit = 2 << 10

    def __init__(self, url: str) -> None:
        super().__init__(url)
        with self._named_errors("Opening", url):
            # A new configuration and session: both keep what they first read from the environment.
            config = Config(
                connect_timeout=CONNECT_SECONDS,
                read_timeout=SILENCE_SECONDS,
                retries={"mode": "standard", "total_max_attempts": 1},
            )
            self._client: Any = boto3.Session().client("s3", config=config)
        self._client.meta.events.register("before-call.s3", _begin_attempts)
        self._client.meta.events.register("needs-retry.s3", _next_attempt)

    @override
    def _describe(self, name: str) -> Found:
        # A missing bucket looks like a missing object: a response to HEAD has no body.
        head = self._client.head_object(Bucket=self.bucket_name, Key=name)
        return Found(head["ContentLength"], head["ETag"], from_header(head["Metadata"]))

    @override
    def _upload(self, new: NewObject, name: str, expected: str | None) -> str:
        if new.path.stat().st_size > PART_SIZE:
            return self._upload_parts(new, name, expected)
        with new.path.open("rb") as file:
            answer = self._client.put_object(
                Bucket=self.bucket_name,
                Key=name,
                Body=file,
                Metadata=self._accepted(to_header(new.described()), name),
                ChecksumSHA256=base64.b64encode(bytes.fromhex(new.sha256)).decode(),
                **_if(expected),
            )
        return str(answer["ETag"])

    def _upload_parts(self, new: NewObject, name: str, expected: str | None) -> str:
        self._abort_forgotten(name)
        target = {"Bucket": self.bucket_name, "Key": name}
        begun = self._client.create_multipart_upload(
            **target,
            Metadata=self._accepted(to_header(new.described()), name),
            ChecksumAlgorithm="SHA256",
        )
        upload = {**target, "UploadId": begun["UploadId"]}
        try:
            numbers = range(1, 1 + math.ceil(new.path.stat().st_size / PART_SIZE))
            with ThreadPoolExecutor(PARTS_AT_ONCE) as pool:
                parts = list(pool.map(partial(self._upload_part, upload, new.path), numbers))
            answer = self._client.complete_multipart_upload(
                **upload, MultipartUpload={"Parts": parts}, **_if(expected)
            )
        except (boto.HTTPClientError, boto.ConnectionError):  # the abort would not be answered
            raise
        except BaseException:  # an incomplete upload is invisible but billed
            with suppress(boto.ClientError, boto.BotoCoreError):
                self._client.abort_multipart_upload(**upload)
            raise
        return str(answer["ETag"])

    def _abort_forgotten(self, name: str) -> None:
        """Abort unfinished uploads of ``name`` that no running writer can still be busy with.

        An account that may not list or abort them, and a store that cannot, leave them to the
        bucket's lifecycle rule; any other error is met again by the upload itself.
        """
        with suppress(boto.ClientError):
            listed = self._client.list_multipart_uploads(Bucket=self.bucket_name, Prefix=name)
            for upload in listed.get("Uploads", []):
                if upload["Key"] == name and upload["Initiated"] < datetime.now(UTC) - _FORGOTTEN:
                    self._client.abort_multipart_upload(
                        Bucket=self.bucket_name, Key=name, UploadId=upload["UploadId"]
                    )

    def _upload_part(self, upload: dict[str, str], path: Path, number: int) -> dict[str, Any]:
        with path.open("rb") as file:
            file.seek((number - 1) * PART_SIZE)
            content = file.read(PART_SIZE)
        answer = self._client.upload_part(
            **upload, PartNumber=number, Body=content, ChecksumAlgorithm="SHA256"
        )
        return {"PartNumber": number, **{name: answer[name] for name in ("ETag", "ChecksumSHA256")}}

    @override
    def _duplicate(
        self,
        source: str,
        version: str,
        name: str,
        expected: str | None,
        facts: Mapping[str, str],
    ) -> str:
        answer = self._client.copy_object(
            Bucket=self.bucket_name,
            Key=name,
            CopySource={"Bucket": self.bucket_name, "Key": source},
            CopySourceIfMatch=version,
            MetadataDirective="REPLACE",
            Metadata=self._accepted(to_header(facts), name),
            **_if(expected),
        )
        return str(answer["CopyObjectResult"]["ETag"])

    @override
    def _download(self, name: str, version: str, path: Path) -> None:
        attempts = Attempts()
        with path.open("wb") as file:
            while True:
                span = {"Range": f"bytes={file.tell()}-"} if file.tell() else {}
                try:
                    answer = self._client.get_object(
                        Bucket=self.bucket_name, Key=name, IfMatch=version, **span
                    )
                    # closing(), as the body's ``with`` has a stream that ignores a lost connection
                    with closing(answer["Body"]) as body:
                        shutil.copyfileobj(body, file, CHUNK)
                except boto.FlexibleChecksumError:  # of the whole content
                    raise
                except S3.raises as error:
                    if not (S3.is_transient(error) and attempts.again(_retry_after(error))):
                        raise
                else:
                    return

    @override
    def _names(self, prefix: str) -> Iterator[str]:
        pages = self._client.get_paginator("list_objects_v2").paginate(
            Bucket=self.bucket_name, Prefix=prefix
        )
        for page in pages:
            for entry in page.get("Contents", []):
                yield str(entry["Key"])

    @override
    def _remove(self, name: str) -> None:
        self._client.delete_object(Bucket=self.bucket_name, Key=name)


def _begin_attempts(context: dict[str, Any], **_: object) -> None:
    context[_ATTEMPTS] = Attempts()


def _next_attempt(
    response: tuple[Any, dict[str, Any]] | None,
    caught_exception: Exception | None,
    operation: OperationModel,
    request_dict: dict[str, Any],
    **_: object,
) -> float | None:
    """The seconds until the client sends a failed request again; ``None``: it does not.

    https://docs.aws.amazon.com/boto3/latest/guide/events.html: the client's own retries are
    handlers of this event too.
    """
    if operation.name == "GetObject":  # ``_download`` also sends it again when its body was cut
        return None
    error = caught_exception
    if response is not None:
        answer, parsed = response
        error = boto.ClientError(parsed, operation.name) if "Error" in parsed else None
        error = error or _cut(answer, operation)
    if error is None or not S3.is_transient(error):
        return None
    attempts: Attempts = request_dict["context"][_ATTEMPTS]
    if attempts.again(_retry_after(error)):
        return 0.0
    if isinstance(error, boto.IncompleteReadError) and caught_exception is None:
        raise error  # the client would return the answer
    return None


def _retry_after(error: Exception) -> float | None:
    answer = error.response if isinstance(error, boto.ClientError) else {}
    headers = answer.get("ResponseMetadata", {}).get("HTTPHeaders", {})
    return retry_after_seconds(headers.get("retry-after"))


def _cut(answer: Any, operation: OperationModel) -> boto.IncompleteReadError | None:
    """The error for an answer whose connection was lost before its end.

    The client takes it for a complete one: a list without keys, a copy without an ETag.
    """
    promised = answer.headers.get("Content-Length")
    if promised is None or operation.has_streaming_output or operation.http["method"] == "HEAD":
        return None
    size = len(answer.content)
    if size == int(promised):
        return None
    return boto.IncompleteReadError(actual_bytes=size, expected_bytes=promised)


def _if(expected: str | None) -> dict[str, str]:
    return {"IfNoneMatch": "*"} if expected is None else {"IfMatch": expected}
