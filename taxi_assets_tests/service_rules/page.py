"""``docs/service-rules.md``, from the rules."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Final

from taxi_assets_tests.service_rules import ServiceRule, azure, bigquery, gcs, postgres, s3

__all__ = ["SERVICES", "page"]

SERVICES: Final[Mapping[str, Sequence[ServiceRule]]] = MappingProxyType(
    {
        "BigQuery": bigquery.RULES,
        "Google Cloud Storage": gcs.RULES,
        "Amazon S3": s3.RULES,
        "Azure Blob Storage": azure.RULES,
        "PostgreSQL": postgres.RULES,
    }
)

_HEAD: Final = """\
# Rules of the services

Written by `make docs` from `taxi_assets_tests/service_rules`. The requests to Google Cloud and S3
are checked in the tests against the services' published API descriptions. These are rules that the
descriptions lack: each with the page that states it, the part of the tests that enforces it, and
the change of the package that breaks it, with the test that then fails. `make test-mutations` makes
each change and runs its test.

The real services have not been reached from the tests: where a page is wrong, so is the stand-in.
`python -m taxi_assets check` asks the service itself.
"""


def page() -> str:
    """The page's text."""
    return "\n".join([_HEAD, *(line for name in SERVICES for line in _section(name))])


def _section(name: str) -> Iterator[str]:
    yield f"## {name}\n"
    for rule in SERVICES[name]:
        yield f"- {rule.rule} [Source]({rule.source}).\n  Enforced by `{rule.stand_in}`."
        if rule.mutation is None:
            yield f"  No mutation: {rule.reason}\n"
        else:
            broken = rule.mutation
            yield (
                f"  Mutation in `{broken.file}`: `{_line(broken.old)}` becomes "
                f"{f'`{_line(broken.new)}`' if broken.new.strip() else 'nothing'}; "
                f"`{broken.test}` fails.\n"
            )


def _line(code: str) -> str:
    return " ".join(code.split())
