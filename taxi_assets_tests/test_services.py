"""Error rules of a service: which rule applies, its texts, and that every service covers all."""

from __future__ import annotations

import pytest

from taxi_assets.errors import (
    AuditFailed,
    Misconfigured,
    ObjectMissing,
    StoreUnavailable,
    TaxiAssetsError,
)
from taxi_assets.lake.azure_errors import AZURE
from taxi_assets.lake.gcs_errors import GCS
from taxi_assets.lake.s3_errors import S3
from taxi_assets.services import ErrorDetails, Rule, Service, http_codes, named_errors, transient
from taxi_assets.warehouse.bigquery_errors import BIGQUERY
from taxi_assets.warehouse.duckdb_errors import DUCKDB
from taxi_assets.warehouse.postgres_errors import POSTGRES


class Rejected(Exception):
    """The exception of the tests' client."""


class Slow(Rejected):
    """A class that has a rule."""


def read(error: Exception) -> ErrorDetails:
    message, *codes = error.args
    return ErrorDetails(message, set(codes))


DEPOT = Service(
    "Depot",
    (Rejected,),
    read,
    (
        transient("BUSY", Slow),
        Rule({404}, "Create {bucket}.", pattern=r"no such bucket: \w+"),
        Rule({404}, "Store it again.", ObjectMissing),
        Rule(set(), "Check {bucket}.", AuditFailed),
    ),
)


def named(error: Exception) -> TaxiAssetsError:
    with (
        pytest.raises(TaxiAssetsError) as raised,
        named_errors(DEPOT, "Storing trips 2024-01", bucket="the depot"),
    ):
        raise error
    return raised.value


@pytest.mark.parametrize(
    ("error", "kind", "remedy"),
    [
        (Rejected("no", "BUSY"), StoreUnavailable, "Try later."),
        (Rejected("no", *http_codes(503)), StoreUnavailable, "Try later."),
        (Slow("no", 404), StoreUnavailable, "Try later."),
        (Rejected("no such bucket: x", 404), Misconfigured, "Create the depot."),
        (Rejected("/no such bucket: x/trips", 404), ObjectMissing, "Store it again."),
        (Rejected("no such bucket: x", 400), AuditFailed, "Check the depot."),
        (Rejected("BUSY"), AuditFailed, "Check the depot."),
    ],
)
def test_the_first_rule_that_matches_code_and_whole_message_applies(
    error: Exception, kind: type[TaxiAssetsError], remedy: str
) -> None:
    result = named(error)
    assert type(result) is kind
    assert result.happened == f"Storing trips 2024-01 failed (Depot: {error.args[0]})."
    assert result.remedy == remedy
    assert result.__cause__ is error


def test_a_service_s_message_is_not_a_format_string() -> None:
    assert "{bucket} {0} {" in named(Rejected("{bucket} {0} {")).happened


@pytest.mark.parametrize("error", [ZeroDivisionError(), AuditFailed("Rows are missing.")])
def test_other_errors_are_not_translated(error: Exception) -> None:
    with pytest.raises(type(error)) as raised, named_errors(DEPOT, "Storing"):
        raise error
    assert raised.value is error


@pytest.mark.parametrize(
    ("service", "facts"),
    [
        (S3, {"uri": "s3://lake/x", "bucket": "lake"}),
        (GCS, {"uri": "gs://lake/x", "bucket": "lake"}),
        (AZURE, {"uri": "az://lake/x", "bucket": "lake"}),
        (BIGQUERY, {}),
        (POSTGRES, {}),
        (DUCKDB, {}),
    ],
    ids=lambda value: value.name if isinstance(value, Service) else "",
)
def test_a_service_has_a_rule_for_everything_and_all_facts_for_its_texts(
    service: Service, facts: dict[str, str]
) -> None:
    unknown = service.error(ErrorDetails("unknown"), "Storing", **facts)
    assert unknown.happened == f"Storing failed ({service.name}: unknown)."
    for rule in service.rules:
        only = Service(service.name, service.raises, service.read, (Rule(set(), rule.remedy),))
        assert only.error(ErrorDetails("no"), "Storing", **facts).remedy


def test_a_service_s_message_is_one_bounded_line_without_control_characters() -> None:
    happened = named(Rejected("first\n  second \x1b[31m" + "x" * 5000)).happened
    assert happened.startswith("Storing trips 2024-01 failed (Depot: first second \\x1b[31mxxx")
    assert happened.endswith("x…).")
    assert len(happened) < 700
