"""Rules of Google Cloud Storage."""

from __future__ import annotations

from taxi_assets_tests.service_rules import Mutation, ServiceRule

__all__ = ["RULES"]

_STUB = "taxi_assets_tests/lake/gcs_stub.py"
_TESTS = "taxi_assets_tests/lake/test_gcs_errors.py"
_LIMITS = "taxi_assets_tests/lake/test_limits.py"
_CONDITIONS = "taxi_assets_tests/emulators/recording/preconditions.py"
_CODES = "taxi_assets_tests/lake/test_error_codes.py"
_STATUS_CODES = "https://cloud.google.com/storage/docs/json_api/v1/status-codes"

RULES: tuple[ServiceRule, ...] = (
    ServiceRule(
        rule=(
            "An upload in one request and a resumable upload are refused with 412 if the "
            "`ifGenerationMatch` of their first request does not hold when the object would "
            "appear; 0 stands for no object."
        ),
        source="https://cloud.google.com/storage/docs/request-preconditions",
        stand_in=f"{_CONDITIONS}:_is_last_part",
        mutation=Mutation(
            file="taxi_assets/lake/gcs.py",
            old=(
                'content_type="application/octet-stream",\n'
                "                if_generation_match=int(expected or _NO_GENERATION),"
            ),
            new='content_type="application/octet-stream",',
            test=f"{_TESTS}::test_gcs_rejects_the_later_of_two_writers",
        ),
    ),
    ServiceRule(
        rule=(
            "A rewrite has a precondition for each side: `ifGenerationMatch` for the new object "
            "and `ifSourceGenerationMatch` for its source."
        ),
        source="https://cloud.google.com/storage/docs/json_api/v1/objects/rewrite",
        stand_in=f"{_CONDITIONS}:_REWRITE",
        mutation=Mutation(
            file="taxi_assets/lake/gcs.py",
            old="if_source_generation_match=int(version),",
            new="",
            test=f"{_TESTS}::test_gcs_rejects_a_copy_of_another_version_of_the_source",
        ),
    ),
    ServiceRule(
        rule="A rewrite may need several calls, each with the token of the one before.",
        source="https://cloud.google.com/storage/docs/json_api/v1/objects/rewrite",
        stand_in=f"{_STUB}:rewrite_calls",
        mutation=Mutation(
            file="taxi_assets/lake/gcs.py",
            old="if token is None:",
            new="if token is None or token:",
            test=f"{_TESTS}::test_a_copy_continues_until_it_is_complete",
        ),
    ),
    ServiceRule(
        rule=(
            "A request whose answer was lost may have been carried out: sent again, it is refused "
            "by the precondition that it fulfilled itself."
        ),
        source="https://cloud.google.com/storage/docs/retry-strategy",
        stand_in=f"{_STUB}:done",
        mutation=Mutation(
            file="taxi_assets/lake/bucket.py",
            old="or found.facts != facts",
            new="or found.facts",
            test=f"{_TESTS}::test_an_upload_whose_answer_was_lost_is_this_run_s_own",
        ),
    ),
    ServiceRule(
        rule=(
            "A session of a resumable upload that is gone answers 404 or 410: the upload has to "
            "begin again in a new one."
        ),
        source="https://cloud.google.com/storage/docs/resumable-uploads",
        stand_in=f"{_TESTS}:test_a_lost_session_is_begun_again",
        mutation=Mutation(
            file="taxi_assets/lake/gcs.py",
            old="if not (RESTART in GCS.details(error).codes and attempts.again()):",
            new="if error:",
            test=f"{_TESTS}::test_a_lost_session_is_begun_again",
        ),
    ),
    ServiceRule(
        rule="All parts of a resumable upload but the last are multiples of 256 KiB.",
        source="https://cloud.google.com/storage/docs/performing-resumable-uploads",
        stand_in=f"{_STUB}:Not a multiple of 256 KiB.",
        mutation=Mutation(
            file="taxi_assets/lake/bucket.py",
            old="PART_SIZE = 8 << 20",
            new="PART_SIZE = 8_000_000",
            test=f"{_TESTS}::test_a_large_file_is_uploaded_in_parts",
        ),
    ),
    ServiceRule(
        rule="An upload that sends a CRC32C is refused with 400 if the content has another.",
        source="https://cloud.google.com/storage/docs/data-validation",
        stand_in=f"{_STUB}:doesn't match calculated CRC32C",
        mutation=Mutation(
            file="taxi_assets/lake/gcs.py",
            old='                checksum="crc32c",\n',
            new="                checksum=None,\n",
            test=f"{_TESTS}::test_an_upload_sends_its_checksum",
        ),
    ),
    ServiceRule(
        rule="The names and values of an object's custom metadata have at most 8 KiB together.",
        source="https://cloud.google.com/storage/quotas#objects",
        stand_in=f"{_LIMITS}:test_metadata_over_the_limit_is_not_sent",
        mutation=Mutation(
            file="taxi_assets/lake/gcs.py",
            old="metadata_limit = 8 << 10",
            new="metadata_limit = 8 << 20",
            test=f"{_LIMITS}::test_metadata_over_the_limit_is_not_sent",
        ),
    ),
    ServiceRule(
        rule="A name has 1 to 1,024 bytes of UTF-8, and neither a carriage return nor a line feed.",
        source="https://cloud.google.com/storage/docs/objects#naming",
        stand_in=f"{_LIMITS}:test_a_name_that_no_object_can_have_is_refused",
        mutation=Mutation(
            file="taxi_assets/lake/objects.py",
            old=" or not name.isprintable()",
            new="",
            test=f"{_LIMITS}::test_a_name_that_no_object_can_have_is_refused",
        ),
    ),
    ServiceRule(
        rule="No name is `.` or `..`, and none begins with `.well-known/acme-challenge/`.",
        source="https://cloud.google.com/storage/docs/objects#naming",
        stand_in=f"{_LIMITS}:test_a_prefix_that_gcs_forbids_is_refused",
        mutation=Mutation(
            file="taxi_assets/addresses.py",
            old='not part or part.startswith(".") for part in prefix',
            new="not part for part in prefix",
            test=f"{_LIMITS}::test_a_prefix_that_gcs_forbids_is_refused",
        ),
    ),
    ServiceRule(
        rule="More than one write a second to the same name is answered with 429.",
        source="https://cloud.google.com/storage/quotas#objects",
        stand_in="taxi_assets_tests/lake/test_store_faults.py:each_fault",
        mutation=Mutation(
            file="taxi_assets/services.py",
            old='Rule({408, 429, "5xx", *codes}',
            new='Rule({408, "5xx", *codes}',
            test="taxi_assets_tests/lake/test_store_faults.py::test_one_fault_is_survived",
        ),
    ),
    ServiceRule(
        rule="A 403 may be of a rate or a quota (`rateLimitExceeded`, `quotaExceeded`).",
        source=_STATUS_CODES,
        stand_in=f"{_CODES}:GCS_CODES",
        mutation=Mutation(
            file="taxi_assets/lake/gcs_errors.py",
            old='transient("rateLimitExceeded", "userRateLimitExceeded"),',
            new="",
            test=f"{_CODES}::test_a_reason_of_gcs",
        ),
    ),
    ServiceRule(
        rule="A 412 may be of a policy of the organisation (`orgPolicyConstraintFailed`).",
        source=_STATUS_CODES,
        stand_in=f"{_CODES}:GCS_CODES",
        mutation=Mutation(
            file="taxi_assets/lake/gcs_errors.py",
            old='{"orgPolicyConstraintFailed"}',
            new='{"orgPolicy"}',
            test=f"{_CODES}::test_a_reason_of_gcs",
        ),
    ),
    ServiceRule(
        rule=(
            "Reads and listings after a write see it; a listing is in the order of UTF-8, which "
            "the package does not rely on."
        ),
        source="https://cloud.google.com/storage/docs/consistency",
        stand_in=f"{_TESTS}:test_keys_are_in_order_whatever_the_order_of_the_listing",
        mutation=Mutation(
            file="taxi_assets/lake/bucket.py",
            old="sorted(self._names(self._prefix + prefix))",
            new="list(self._names(self._prefix + prefix))",
            test=f"{_TESTS}::test_keys_are_in_order_whatever_the_order_of_the_listing",
        ),
    ),
)
