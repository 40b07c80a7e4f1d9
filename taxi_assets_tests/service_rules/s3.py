"""Rules of Amazon S3."""

from __future__ import annotations

from taxi_assets_tests.service_rules import Mutation, ServiceRule

__all__ = ["RULES"]

RULES: tuple[ServiceRule, ...] = (
    ServiceRule(
        rule=(
            "A put, a copy and the request that completes a multipart upload are refused if their "
            "`If-None-Match: *` or `If-Match` does not hold; the other requests of a multipart "
            "upload take neither."
        ),
        source="https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-writes.html",
        stand_in="taxi_assets_tests/lake/test_store_contract.py:ConcurrentWrite",
        mutation=Mutation(
            file="taxi_assets/lake/s3.py",
            old='return {"IfNoneMatch": "*"} if expected is None else {"IfMatch": expected}',
            new="return {}",
            test="taxi_assets_tests/lake/test_store_contract.py::"
            "test_exactly_one_of_two_concurrent_writers_succeeds",
        ),
    ),
)
