"""The lake on Amazon S3 or a compatible store. Its error rules are in ``s3_errors``."""

from __future__ import annotations

import base64
import shutil
from collections.abc import Iterator, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

import boto3
from botocore.config import Config
from typing_extensions import override

from taxi_assets.lake.bucket import PART_SIZE, BucketStore, Found, from_header, to_header
from taxi_assets.lake.s3_errors import S3
from taxi_assets.lake.store import CHUNK, NewObject

__all__ = ["S3Store"]


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

    def __init__(self, url: str) -> None:
        super().__init__(url)
        with self._named_errors("Opening", url):
            # A new configuration and session: both keep what they first read from the environment.
            retries = Config(retries={"mode": "standard"})  # AWS_MAX_ATTEMPTS has their number
            self._client: Any = boto3.Session().client("s3", config=retries)

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
                Metadata=to_header(new.described()),
                ChecksumSHA256=base64.b64encode(bytes.fromhex(new.sha256)).decode(),
                **_if(expected),
            )
        return str(answer["ETag"])

    def _upload_parts(self, new: NewObject, name: str, expected: str | None) -> str:
        target = {"Bucket": self.bucket_name, "Key": name}
        begun = self._client.create_multipart_upload(
            **target, Metadata=to_header(new.described()), ChecksumAlgorithm="SHA256"
        )
        upload = {**target, "UploadId": begun["UploadId"]}
        try:
            parts = [
                {"PartNumber": number, **self._upload_part(upload, number, content)}
                for number, content in enumerate(_parts(new.path), start=1)
            ]
            answer = self._client.complete_multipart_upload(
                **upload, MultipartUpload={"Parts": parts}, **_if(expected)
            )
        except BaseException:  # an incomplete upload is invisible but billed
            self._client.abort_multipart_upload(**upload)
            raise
        return str(answer["ETag"])

    def _upload_part(self, upload: dict[str, str], number: int, content: bytes) -> dict[str, str]:
        answer = self._client.upload_part(
            **upload, PartNumber=number, Body=content, ChecksumAlgorithm="SHA256"
        )
        return {name: answer[name] for name in ("ETag", "ChecksumSHA256")}

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
            Metadata=to_header(facts),
            **_if(expected),
        )
        return str(answer["CopyObjectResult"]["ETag"])

    @override
    def _download(self, name: str, version: str, path: Path) -> None:
        answer = self._client.get_object(Bucket=self.bucket_name, Key=name, IfMatch=version)
        # closing(), because the body's ``with`` returns a stream that ignores a lost connection.
        with closing(answer["Body"]) as body, path.open("wb") as file:
            shutil.copyfileobj(body, file, CHUNK)

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


def _if(expected: str | None) -> dict[str, str]:
    return {"IfNoneMatch": "*"} if expected is None else {"IfMatch": expected}


def _parts(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while content := file.read(PART_SIZE):
            yield content
