"""Rules of Azure Blob Storage."""

from __future__ import annotations

from taxi_assets_tests.service_rules import Mutation, ServiceRule

__all__ = ["RULES"]

_CONTRACT = "taxi_assets_tests/lake/test_store_contract.py"
_TESTS = "taxi_assets_tests/lake/test_azure_errors.py"
_LIMITS = "taxi_assets_tests/lake/test_limits.py"
_FAULTS = "taxi_assets_tests/lake/test_store_faults.py"
_CODES = "taxi_assets_tests/lake/test_error_codes.py"
_REST = "https://learn.microsoft.com/rest/api/storageservices"
_NAMING = f"{_REST}/naming-and-referencing-containers--blobs--and-metadata"

RULES: tuple[ServiceRule, ...] = (
    ServiceRule(
        rule=(
            "A blob that exists is replaced unless the request that creates it, Put Blob or Put "
            "Block List, has a condition; a block takes none."
        ),
        source=f"{_REST}/specifying-conditional-headers-for-blob-service-operations",
        stand_in=f"{_CONTRACT}:ConcurrentWrite",
        mutation=Mutation(
            file="taxi_assets/lake/azure.py",
            old="overwrite=expected is not None,",
            new="overwrite=True,",
            test=f"{_CONTRACT}::test_exactly_one_of_two_concurrent_writers_succeeds[azure-new]",
        ),
    ),
    ServiceRule(
        rule=(
            "The version of a copy's source is named by `x-ms-source-if-match`; `If-Match` and "
            "`If-None-Match` are of the copy."
        ),
        source=f"{_REST}/copy-blob",
        stand_in=f"{_TESTS}:test_a_copy_has_preconditions_on_both_versions",
        mutation=Mutation(
            file="taxi_assets/lake/azure.py",
            old='**(_if(expected) or {"match_condition": MatchConditions.IfMissing}),',
            new="**_if(expected),",
            test=f"{_TESTS}::test_a_copy_has_preconditions_on_both_versions",
        ),
    ),
    ServiceRule(
        rule="A copy may be pending when the request returns, and fail later.",
        source=f"{_REST}/copy-blob",
        stand_in=f"{_TESTS}:test_a_copy_is_awaited_while_azure_answers",
        mutation=Mutation(
            file="taxi_assets/lake/azure.py",
            old='.copy.status == "pending":',
            new='.copy.status == "":',
            test=f"{_TESTS}::test_a_copy_is_awaited_while_azure_answers",
        ),
    ),
    ServiceRule(
        rule=(
            "Writers of one blob share its uncommitted blocks: a commit removes those that it does "
            "not list, and the other writer's commit is refused (`InvalidBlockList`)."
        ),
        source=f"{_REST}/put-block-list",
        stand_in=f"{_TESTS}:test_blocks_that_others_removed_are_a_concurrent_write",
        mutation=Mutation(
            file="taxi_assets/lake/azure_errors.py",
            old='upload_ended("InvalidBlockList", "InvalidBlobOrBlock"),',
            new="",
            test=f"{_TESTS}::test_blocks_that_others_removed_are_a_concurrent_write",
        ),
    ),
    ServiceRule(
        rule=(
            "The ids of a blob's blocks have one length, and a blob has at most 50,000 committed "
            "blocks."
        ),
        source=f"{_REST}/put-block",
        stand_in=f"{_CODES}:BlockCountExceedsLimit",
        mutation=None,
        reason="the client makes the ids, random and of one length; 50,000 of 8 MiB are 390 GiB.",
    ),
    ServiceRule(
        rule="A block with an MD5 is refused with 400 `Md5Mismatch` if its content has another.",
        source=f"{_REST}/put-block",
        stand_in=f"{_TESTS}:test_a_checksum_that_azure_returns_wrongly_is_transient",
        mutation=Mutation(
            file="taxi_assets/lake/azure.py",
            old="validate_content=True,",
            new="validate_content=False,",
            test=f"{_TESTS}::test_a_checksum_that_azure_returns_wrongly_is_transient",
        ),
    ),
    ServiceRule(
        rule=(
            "Names of metadata are C# identifiers and lose their case; values are those of HTTP "
            "headers."
        ),
        source=_NAMING,
        stand_in=f"{_CONTRACT}:test_an_attribute_may_have_any_text",
        mutation=Mutation(
            file="taxi_assets/lake/objects.py",
            old='return {"facts": json.dumps(facts)}',
            new="return dict(facts)",
            test=f"{_CONTRACT}::test_an_attribute_may_have_any_text[azure]",
        ),
    ),
    ServiceRule(
        rule="The names and values of a blob's metadata have at most 8 KiB together.",
        source=f"{_REST}/setting-and-retrieving-properties-and-metadata-for-blob-resources",
        stand_in=f"{_LIMITS}:test_metadata_over_the_limit_is_not_sent",
        mutation=Mutation(
            file="taxi_assets/lake/azure.py",
            old="metadata_limit = 8 << 10",
            new="metadata_limit = 8 << 20",
            test=f"{_LIMITS}::test_metadata_over_the_limit_is_not_sent",
        ),
    ),
    ServiceRule(
        rule="A blob's name has 1 to 1,024 characters.",
        source=_NAMING,
        stand_in=f"{_LIMITS}:test_a_name_that_no_object_can_have_is_refused",
        mutation=Mutation(
            file="taxi_assets/lake/bucket.py",
            old="        check_name(name, self.uri(key))\n",
            new="",
            test=f"{_LIMITS}::test_a_name_that_no_object_can_have_is_refused",
        ),
    ),
    ServiceRule(
        rule="A blob's name has at most 254 segments.",
        source=_NAMING,
        stand_in=f"{_CODES}:InvalidResourceName",
        mutation=None,
        reason="a key has at most six, and a prefix of 248 is nobody's; Azure refuses more.",
    ),
    ServiceRule(
        rule="A request over a limit is answered with 429 or 503; `Retry-After` says until when.",
        source="https://learn.microsoft.com/azure/storage/common/scalability-targets-resource-provider",
        stand_in=f"{_FAULTS}:test_a_wish_of_the_server_that_ends_too_late_is_reported_at_once",
        mutation=Mutation(
            file="taxi_assets/lake/azure.py",
            old="if not attempts.again(wish):",
            new="if not attempts.again():",
            test=f"{_FAULTS}::test_a_wish_of_the_server_that_ends_too_late_is_reported_at_once",
        ),
    ),
    ServiceRule(
        rule="A 412 may be of a lease that another program holds (`LeaseIdMissing`).",
        source=f"{_REST}/blob-service-error-codes",
        stand_in=f"{_CODES}:AZURE_CODES",
        mutation=Mutation(
            file="taxi_assets/lake/azure_errors.py",
            old="locked(*_PROTECTED, *_LEASES),",
            new="locked(*_PROTECTED),",
            test=f"{_CODES}::test_a_code_of_azure",
        ),
    ),
)
