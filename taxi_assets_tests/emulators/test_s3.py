from __future__ import annotations

import boto3
import pytest

from taxi_assets_tests.emulators.s3 import S3


def test_the_environment_configures_a_client(
    s3_emulator: S3, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in s3_emulator.environment.items():
        monkeypatch.setenv(name, value)
    client = boto3.client("s3")
    client.create_bucket(Bucket="s3-proof")
    client.put_object(Bucket="s3-proof", Key="trips/green", Body=b"trips")
    listed = client.list_objects_v2(Bucket="s3-proof", Prefix="trips/")
    assert [found["Key"] for found in listed["Contents"]] == ["trips/green"]
    assert client.get_object(Bucket="s3-proof", Key="trips/green")["Body"].read() == b"trips"
