"""Rules of Amazon S3."""

from __future__ import annotations

from taxi_assets_tests.service_rules import Mutation, ServiceRule

__all__ = ["RULES"]

_CONTRACT = "taxi_assets_tests/lake/test_store_contract.py"
_TESTS = "taxi_assets_tests/lake/test_s3_errors.py"
_CONDITIONS = "taxi_assets_tests/emulators/recording/preconditions.py"
_LIMITS = "taxi_assets_tests/lake/test_limits.py"
_CODES = "taxi_assets_tests/lake/test_error_codes.py"
_GUIDE = "https://docs.aws.amazon.com/AmazonS3/latest/userguide"
_API = "https://docs.aws.amazon.com/AmazonS3/latest/API"

RULES: tuple[ServiceRule, ...] = (
    ServiceRule(
        rule=(
            "A put, a copy and the request that completes a multipart upload are refused if their "
            "`If-None-Match: *` or `If-Match` does not hold; the other requests of a multipart "
            "upload take neither."
        ),
        source=f"{_GUIDE}/conditional-writes.html",
        stand_in=f"{_CONDITIONS}:S3Preconditions",
        mutation=Mutation(
            file="taxi_assets/lake/s3.py",
            old='return {"IfNoneMatch": "*"} if expected is None else {"IfMatch": expected}',
            new="return {}",
            test=f"{_CONTRACT}::test_exactly_one_of_two_concurrent_writers_succeeds",
        ),
    ),
    ServiceRule(
        rule=(
            "The version of a copy's source is named by `x-amz-copy-source-if-match`; `If-Match` "
            "and `If-None-Match` are of the copy."
        ),
        source=f"{_API}/API_CopyObject.html",
        stand_in=f"{_CONDITIONS}:x-amz-copy-source-if-match",
        mutation=Mutation(
            file="taxi_assets/lake/s3.py",
            old="CopySourceIfMatch=version,",
            new="",
            test=f"{_TESTS}::test_a_copy_has_preconditions_on_both_versions",
        ),
    ),
    ServiceRule(
        rule="A copy has its source's metadata unless its metadata directive is `REPLACE`.",
        source=f"{_API}/API_CopyObject.html",
        stand_in=f"{_CONTRACT}:test_a_copy_has_the_attributes_that_are_given",
        mutation=Mutation(
            file="taxi_assets/lake/s3.py",
            old='MetadataDirective="REPLACE",',
            new="",
            test=f"{_CONTRACT}::test_a_copy_has_the_attributes_that_are_given",
        ),
    ),
    ServiceRule(
        rule="A copy by one request is of at most 5 GB.",
        source=f"{_API}/API_CopyObject.html",
        stand_in=f"{_CODES}:InvalidRequest",
        mutation=None,
        reason=(
            "cleaned months are copied, and the largest has less than 1 GB; S3 refuses a larger "
            "one with `InvalidRequest`."
        ),
    ),
    ServiceRule(
        rule="A multipart upload has at most 10,000 parts of 5 MiB and more; the last may be less.",
        source=f"{_GUIDE}/qfacts.html",
        stand_in=f"{_CONTRACT}:test_an_object_is_stored_in_many_parts",
        mutation=Mutation(
            file="taxi_assets/lake/bucket.py",
            old="PART_SIZE = 8 << 20",
            new="PART_SIZE = 4 << 20",
            test=f"{_CONTRACT}::test_an_object_is_stored_in_many_parts[s3]",
        ),
    ),
    ServiceRule(
        rule=(
            "An upload that was completed or aborted is not found (`NoSuchUpload`), also by the "
            "request that completed it, if that is sent again."
        ),
        source=f"{_API}/API_CompleteMultipartUpload.html",
        stand_in=f"{_TESTS}:test_an_upload_whose_last_answer_was_lost_is_this_run_s_own",
        mutation=Mutation(
            file="taxi_assets/lake/s3_errors.py",
            old='upload_ended("NoSuchUpload", "InvalidPart", "InvalidPartOrder"),',
            new="",
            test=f"{_TESTS}::test_an_upload_whose_last_answer_was_lost_is_this_run_s_own",
        ),
    ),
    ServiceRule(
        rule="The parts of an upload are billed until it is completed or aborted.",
        source=f"{_GUIDE}/mpuoverview.html",
        stand_in=f"{_TESTS}:test_forgotten_uploads_of_the_same_key_are_aborted",
        mutation=Mutation(
            file="taxi_assets/lake/s3.py",
            old="        self._abort_forgotten(name)\n",
            new="",
            test=f"{_TESTS}::test_forgotten_uploads_of_the_same_key_are_aborted",
        ),
    ),
    ServiceRule(
        rule="The names and values of an object's user metadata have at most 2 KB together.",
        source=f"{_GUIDE}/UsingMetadata.html",
        stand_in=f"{_LIMITS}:test_metadata_over_the_limit_is_not_sent",
        mutation=Mutation(
            file="taxi_assets/lake/s3.py",
            old="metadata_limit = 2 << 10",
            new="metadata_limit = 8 << 10",
            test=f"{_LIMITS}::test_metadata_over_the_limit_is_not_sent",
        ),
    ),
    ServiceRule(
        rule="A key has at most 1,024 bytes of UTF-8.",
        source=f"{_GUIDE}/object-keys.html",
        stand_in=f"{_LIMITS}:test_a_name_that_no_object_can_have_is_refused",
        mutation=Mutation(
            file="taxi_assets/lake/objects.py",
            old="_LONGEST_NAME = 1024",
            new="_LONGEST_NAME = 1025",
            test=f"{_LIMITS}::test_a_name_that_no_object_can_have_is_refused",
        ),
    ),
    ServiceRule(
        rule=(
            "An ETag is not always a digest of the content: not after a multipart upload, nor with "
            "encryption by KMS."
        ),
        source=f"{_API}/API_Object.html",
        stand_in=f"{_CONTRACT}:content_of",
        mutation=None,
        reason="an ETag is only compared with another; content is verified by the writer's sha256.",
    ),
    ServiceRule(
        rule="Conflicting operations are answered with 409 `OperationAborted`, to try again.",
        source=f"{_API}/ErrorResponses.html",
        stand_in=f"{_CODES}:S3_CODES",
        mutation=Mutation(
            file="taxi_assets/lake/s3_errors.py",
            old=', "OperationAborted"',
            new="",
            test=f"{_CODES}::test_a_code_of_s3",
        ),
    ),
    ServiceRule(
        rule="A 403 may be of the clock of the machine (`RequestTimeTooSkewed`).",
        source=f"{_API}/ErrorResponses.html",
        stand_in=f"{_CODES}:S3_CODES",
        mutation=Mutation(
            file="taxi_assets/lake/s3_errors.py",
            old='clock_wrong("RequestTimeTooSkewed", "RequestExpired"),',
            new="",
            test=f"{_CODES}::test_a_code_of_s3",
        ),
    ),
)
