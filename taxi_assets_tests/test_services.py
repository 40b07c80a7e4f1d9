"""A service's table: which rule decides, what its texts hold, and that no table has a gap."""

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
from taxi_assets.services import Rule, Said, Service, http_codes, named_errors, transient
from taxi_assets.warehouse.bigquery_errors import BIGQUERY
from taxi_assets.warehouse.duckdb_errors import DUCKDB
from taxi_assets.warehouse.postgres_errors import POSTGRES


class Refused(Exception):
    """What the client of these tests raises."""


class Slow(Refused):
    """A class that its table has a rule for."""


def read(error: Exception) -> Said:
    message, *codes = error.args
    return Said(message, set(codes))


DEPOT = Service(
    "Depot",
    (Refused,),
    read,
    (
        transient("BUSY", Slow),
        Rule({404}, "Make {place}.", words=r"no such place: \w+"),
        Rule({404}, "Bring it again.", ObjectMissing),
        Rule(set(), "Ask at {place}.", AuditFailed),
    ),
)


def named(error: Exception) -> TaxiAssetsError:
    with (
        pytest.raises(TaxiAssetsError) as raised,
        named_errors(DEPOT, "Storing trips 2024-01", place="the depot"),
    ):
        raise error
    return raised.value


@pytest.mark.parametrize(
    ("error", "kind", "remedy"),
    [
        (Refused("no", "BUSY"), StoreUnavailable, "Try later."),
        (Refused("no", *http_codes(503)), StoreUnavailable, "Try later."),
        (Slow("no", 404), StoreUnavailable, "Try later."),
        (Refused("no such place: x", 404), Misconfigured, "Make the depot."),
        (Refused("/no such place: x/trips", 404), ObjectMissing, "Bring it again."),
        (Refused("no such place: x", 400), AuditFailed, "Ask at the depot."),
        (Refused("BUSY"), AuditFailed, "Ask at the depot."),
    ],
)
def test_the_first_rule_for_code_and_whole_message_decides(
    error: Exception, kind: type[TaxiAssetsError], remedy: str
) -> None:
    result = named(error)
    assert type(result) is kind
    assert result.happened == f"Storing trips 2024-01 failed (Depot: {error.args[0]})."
    assert result.remedy == remedy
    assert result.__cause__ is error


def test_what_a_service_says_is_text_and_no_template() -> None:
    assert "{place} {0} {" in named(Refused("{place} {0} {")).happened


@pytest.mark.parametrize("error", [ZeroDivisionError(), AuditFailed("Rows are missing.")])
def test_other_errors_pass_as_they_are(error: Exception) -> None:
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
def test_a_table_has_an_answer_to_everything_and_all_facts_for_it(
    service: Service, facts: dict[str, str]
) -> None:
    unheard = service.error(Said("unheard of"), "Storing", **facts)
    assert unheard.happened == f"Storing failed ({service.name}: unheard of)."
    for rule in service.rules:
        only = Service(service.name, service.raises, service.read, (Rule(set(), rule.remedy),))
        assert only.error(Said("no"), "Storing", **facts).remedy
