"""The rules of the services: their page is current, and their mutations can be made and are caught.

``make test-mutations`` makes them all, ``make test-long`` a few.
"""

from __future__ import annotations

import random

import pytest

from taxi_assets_tests.service_rules import Mutation, ServiceRule
from taxi_assets_tests.service_rules.mutations import REPOSITORY, all_mutations, is_caught
from taxi_assets_tests.service_rules.page import SERVICES, page

_ALL = [pytest.param(each, id=each.old[:40]) for each in all_mutations()]
_RULES = [
    pytest.param(rule, id=f"{name} {rule.rule[:40]}")
    for name, rules in SERVICES.items()
    for rule in rules
]


def test_the_page_of_rules_is_the_rules() -> None:
    assert (REPOSITORY / "docs/service-rules.md").read_text() == page(), "run make docs"


@pytest.mark.parametrize("rule", _RULES)
def test_a_rule_names_its_source_its_stand_in_and_a_mutation(rule: ServiceRule) -> None:
    assert rule.source.startswith("https://")
    path, _, name = rule.stand_in.partition(":")
    assert name, f"{rule.stand_in} names no function or test"
    assert name.lstrip(":") in (REPOSITORY / path).read_text()
    assert (rule.mutation is None) == bool(rule.reason)


@pytest.mark.parametrize("mutation", _ALL)
def test_a_mutation_can_be_made_and_names_a_test(mutation: Mutation) -> None:
    assert (REPOSITORY / mutation.file).read_text().count(mutation.old) == 1
    path, *names = mutation.test.split("::")
    text = (REPOSITORY / path).read_text()
    assert all(name.partition("[")[0] in text for name in names)


@pytest.mark.long
def test_some_mutations_are_caught() -> None:
    everything = list(all_mutations())
    for mutation in random.Random(1).sample(everything, min(4, len(everything))):
        assert is_caught(mutation), f"{mutation.test} passes with {mutation.old!r} changed"
