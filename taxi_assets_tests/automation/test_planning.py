"""Which months are polled and requested in every state of TLC, the records and the cursor."""

from __future__ import annotations

import ast
from collections.abc import Collection
from datetime import UTC, datetime
from pathlib import Path

import pytest

from taxi_assets.automation import planning
from taxi_assets.automation.cursor import Cursor
from taxi_assets.automation.planning import Loaded, Plan, Records, months_to_poll, plan
from taxi_assets.automation.polling import Answers
from taxi_assets.datasets import DATASETS, Month, months_between
from taxi_assets.datasets.origin import Origin
from taxi_assets.tlc import Published

GREEN = DATASETS["green"]
LAST = Month(2024, 12)
MONTHS = tuple(months_between(GREEN.first_month, LAST))
YEAR = tuple(months_between(Month(2024, 1), LAST))
JAN, FEB, NOV = Month(2024, 1), Month(2024, 2), Month(2024, 11)
A, B = '"a"', '"b"'


class World:
    """TLC's site, the loaded months and the sensor's cursor, between ticks.

    Initially the ``published`` months are loaded in the published version, except ``missing``.
    """

    def __init__(
        self,
        published: Collection[Month] = YEAR,
        *,
        missing: Collection[Month] = (),
        reissued: Collection[Month] = (),
        without_etag: Collection[Month] = (),
        withdrawn: Collection[Month] = (),
        halfway: Collection[Month] = (),
        outdated: Collection[Month] = (),
        in_run: Collection[Month] = (),
        silent: Collection[Month] = (),
        backfill: str | None = None,
        refusal: str | None = None,
        split: Collection[Month] = (),
    ) -> None:
        self.site: dict[Month, str | None] = dict.fromkeys(published, A)
        self.loaded = {month: Loaded("r0", A) for month in published if month not in missing}
        self.site |= dict.fromkeys(reissued, B) | dict.fromkeys(without_etag, None)
        self.loaded |= {month: Loaded("r0", None) for month in halfway}
        self.loaded |= {month: Loaded("r0", None, outdated=True) for month in outdated}
        for month in withdrawn:
            del self.site[month]
        self.in_run, self.silent = set(in_run), silent
        self.backfill, self.refusal = backfill, refusal
        self.split = dict.fromkeys(split, "green_trips: b, green_rejects: a")
        self.cursor = Cursor()
        self.polled: list[Month] = []
        self.runs = 0

    def tick(self) -> Plan:
        """One tick; the cursor is stored and read again, as between real ticks."""
        in_run = frozenset(self.in_run)
        records = Records(dict(self.loaded), in_run, self.backfill, dict(self.split))
        poll = months_to_poll(MONTHS, records, self.cursor)
        self.polled = list(poll.months)
        answered = [month for month in poll.months if month not in self.silent]
        answers = Answers(
            published={month: file(self.site[month]) for month in answered if month in self.site},
            absent=tuple(month for month in answered if month not in self.site),
            unanswered=tuple(month for month in poll.months if month in self.silent),
            refusal=self.refusal,
        )
        planned = plan(GREEN, records, self.cursor, poll, answers)
        self.cursor = Cursor.read(planned.cursor.write(), "green", MONTHS)
        return planned

    def requested(self) -> list[Month]:
        """Run one tick; the months that it requests."""
        return [each.month for each in self.tick().requests]

    def load(self, month: Month) -> None:
        """A run loads the published version."""
        self.runs += 1
        self.loaded[month] = Loaded(f"r{self.runs}", self.site[month] or "")


def file(etag: str | None, size: int = 20) -> Published:
    modified = datetime(2024, 5, 1, tzinfo=UTC)
    return Published("http://tlc/file", size, etag, modified, origin=Origin.TLC)


def test_a_split_month_is_polled_first_and_requested_until_it_is_loaded_whole() -> None:
    world = World(MONTHS, split=[MONTHS[3]])
    assert world.requested() == [MONTHS[3]]
    assert world.polled[0] == MONTHS[3]
    assert world.requested() == [], "requested already"
    world.split[MONTHS[3]] = "green_trips: b, green_rejects: load begun and not finished"
    assert world.requested() == [MONTHS[3]], "split in another way since"
    world.load(MONTHS[3])
    assert world.requested() == [MONTHS[3]], "loaded again and still split"
    world.load(MONTHS[3])
    world.split.clear()
    assert world.requested() == []


def test_planning_imports_nothing_of_dagster() -> None:
    tree = ast.parse(Path(planning.__file__).read_text())
    names = [node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)]
    names += [x.name for node in ast.walk(tree) if isinstance(node, ast.Import) for x in node.names]
    assert not [name for name in names if name.startswith("dagster")]


@pytest.mark.parametrize(
    ("world", "requested"),
    [
        pytest.param(World(), [], id="no change"),
        pytest.param(World(missing=[LAST]), [LAST], id="a new month"),
        pytest.param(World(missing=[LAST, NOV]), [LAST, NOV], id="two new months at once"),
        pytest.param(World(missing=[FEB]), [FEB], id="a gap"),
        pytest.param(World(reissued=[JAN, LAST]), [LAST, JAN], id="two reissues"),
        pytest.param(World(missing=[LAST], reissued=[FEB]), [LAST, FEB], id="new and reissued"),
        pytest.param(World(withdrawn=[FEB]), [], id="a withdrawn month"),
        pytest.param(World(without_etag=[FEB]), [], id="loaded, and now without an ETag"),
        pytest.param(World(missing=[FEB], without_etag=[FEB]), [FEB], id="new without an ETag"),
        pytest.param(World(halfway=[FEB]), [FEB], id="downloaded and not loaded"),
        pytest.param(World(outdated=[FEB], reissued=[FEB]), [], id="loaded by an earlier release"),
        pytest.param(World(reissued=[FEB], in_run=[FEB]), [], id="a reissue in a run"),
        pytest.param(World(missing=[LAST], in_run=[LAST]), [], id="a new month in a run"),
        pytest.param(World(missing=[LAST], backfill="abc"), [], id="a backfill"),
        pytest.param(World(split=[FEB]), [FEB], id="a month of two versions in the warehouse"),
        pytest.param(World(split=[FEB], in_run=[FEB]), [], id="such a month in a run"),
        pytest.param(World(missing=[LAST], refusal="No."), [], id="a refusal"),
        pytest.param(World(missing=[LAST], silent=[LAST]), [], id="no answer"),
        pytest.param(World(MONTHS, missing=MONTHS), [LAST], id="an empty home"),
        pytest.param(World(YEAR[:3], missing=YEAR), [YEAR[2]], id="an empty home, early in a year"),
        pytest.param(World(MONTHS, missing=MONTHS[:-1]), [], id="months before the earliest"),
    ],
)
def test_a_version_neither_loaded_nor_requested_is_requested_once(
    world: World, requested: list[Month]
) -> None:
    assert world.requested() == requested
    assert world.requested() == []


def test_each_change_is_a_run_of_its_own_even_if_a_version_is_published_again() -> None:
    world, keys = World(missing=[LAST]), []
    for etag in (A, B, A, B):
        world.site[LAST] = etag
        keys += [each.run_key for each in world.tick().requests]
        world.load(LAST)
        assert world.requested() == []
    assert keys == [
        "green:2024-12:a:first",
        "green:2024-12:b:r1",
        "green:2024-12:a:r2",
        "green:2024-12:b:r3",
    ]


def test_the_run_key_of_a_file_without_an_etag_has_its_time_and_size() -> None:
    [request] = World(missing=[LAST], without_etag=[LAST]).tick().requests
    assert request.run_key == "green:2024-12:2024-05-01T00:00:00+00:00, 20 bytes:first"


def test_a_month_that_failed_is_requested_again_once_it_is_reissued() -> None:
    world = World(missing=[LAST])
    assert world.requested() == [LAST]
    for _ in range(3):
        planned = world.tick()
        assert planned.requests == ()
        assert (
            "Requested but not loaded: green 2024-12. See the latest run and re-execute it."
            in planned.reasons
        )
    world.site[LAST] = B
    assert world.requested() == [LAST]
    assert world.requested() == []


def test_a_requested_month_in_a_run_is_not_reported_as_failed() -> None:
    world = World(missing=[LAST])
    assert world.requested() == [LAST]
    world.in_run.add(LAST)
    reasons = world.tick().reasons
    assert "In a run: green 2024-12." in reasons
    assert not [reason for reason in reasons if "but not loaded" in reason]


def test_a_reissue_during_a_run_is_requested_after_it() -> None:
    world = World(reissued=[FEB])
    assert world.requested() == [FEB]
    world.in_run.add(FEB)
    world.load(FEB)  # the run has loaded B and is still in its checks
    world.site[FEB] = A
    planned = world.tick()
    assert planned.requests == ()
    assert "In a run: green 2024-02." in planned.reasons
    world.in_run.clear()
    assert [each.run_key for each in world.tick().requests] == ["green:2024-02:a:r1"]


def test_a_month_loaded_in_another_version_than_requested_is_not_reported_as_failed() -> None:
    world = World(missing=[LAST])
    assert world.requested() == [LAST]
    world.site[LAST] = B  # before the run downloads it
    world.load(LAST)
    planned = world.tick()
    assert planned.requests == ()
    assert not [reason for reason in planned.reasons if "but not loaded" in reason]
    assert planned.cursor.requested == {}


def test_a_failed_reissue_that_tlc_withdraws_is_no_longer_reported() -> None:
    world = World(reissued=[FEB])
    assert world.requested() == [FEB]
    world.site[FEB] = A
    planned = world.tick()
    assert planned.requests == ()
    assert not [reason for reason in planned.reasons if "but not loaded" in reason]


def test_after_a_withdrawn_reissue_that_was_downloaded_the_old_version_is_requested() -> None:
    world = World(reissued=[FEB])
    assert world.requested() == [FEB]
    world.loaded[FEB] = Loaded("r0", None)  # its run failed after the download
    assert world.requested() == []
    world.site[FEB] = A
    assert world.requested() == [FEB]


def test_a_tick_requests_24_runs_and_the_following_ticks_the_rest() -> None:
    world = World(MONTHS, missing=MONTHS[1:])
    ticks = [world.requested() for _ in range(6)]
    assert max(map(len, ticks)) == 24
    found = [month for tick in ticks for month in tick]
    assert found == list(MONTHS[:0:-1]), "a tick begins where the one before stopped"


def test_an_empty_home_whose_only_month_fails_polls_only_that_month() -> None:
    world = World(MONTHS, missing=MONTHS)
    assert world.requested() == [LAST]
    assert world.requested() == []
    assert world.polled == [LAST]


def test_every_tick_polls_the_newest_twelve_and_all_older_months_are_polled_in_turn() -> None:
    world = World(MONTHS)
    older: list[Month] = []
    for _ in range(3):
        world.tick()
        assert world.polled[:12] == list(MONTHS[:-13:-1])
        assert len(world.polled) <= 12 + 48
        older += world.polled[12:]
    assert older == list(MONTHS[-13::-1])
    world.tick()
    assert world.polled[12] == MONTHS[-13], "the pass starts again"


def test_the_pass_over_older_months_continues_past_a_month_in_a_run() -> None:
    world = World(MONTHS)
    world.tick()
    assert world.cursor.position is not None
    world.in_run.add(world.cursor.position)
    expected = world.cursor.position.plus(-1)
    world.tick()
    assert world.polled[12] == expected


def test_a_refusal_does_not_advance_the_pass_over_older_months() -> None:
    world = World(MONTHS, refusal="TLC refuses this machine.")
    assert world.tick() == Plan((), Cursor(), ("TLC refuses this machine.",))
    world.tick()
    assert world.polled[12] == MONTHS[-13]


def test_a_lost_cursor_costs_one_tick_of_run_keys_already_launched() -> None:
    world = World(missing=[LAST, NOV])
    first = world.tick().requests
    world.cursor = Cursor.read("{broken", "green", MONTHS)
    assert world.tick().requests == first
    assert world.requested() == []


@pytest.mark.parametrize(
    ("world", "reasons"),
    [
        (
            World(MONTHS),
            [
                "Polled green 2020-01 to 2024-12: none newly published or reissued.",
            ],
        ),
        (
            World(YEAR[:11], withdrawn=[FEB]),
            [
                "Polled green 2024-01 to 2024-12: none newly published or reissued.",
                "TLC has not published green 2024-12 (403).",
                "TLC no longer publishes green 2024-02 (403).",
                "Months before 2024-01 are not loaded automatically: start a backfill of green to "
                "load them.",
            ],
        ),
        (
            World(silent=[NOV, LAST]),
            [
                "Polled green 2024-01 to 2024-10: none newly published or reissued.",
                "TLC did not answer for green 2024-11, 2024-12.",
                "Months before 2024-01 are not loaded automatically: start a backfill of green to "
                "load them.",
            ],
        ),
        (
            World(outdated=YEAR[:3], in_run=YEAR[3:]),
            [
                "In a run: green 2024-04 to 2024-12.",
                "Loaded by an earlier release and not reloaded automatically: green 2024-01 to "
                "2024-03. Run python -m taxi_assets upgrade.",
                "Months before 2024-01 are not loaded automatically: start a backfill of green to "
                "load them.",
            ],
        ),
        (World(missing=[LAST], backfill="abc"), ["Backfill abc of green is in progress."]),
        (World(missing=[LAST], refusal="TLC refuses."), ["TLC refuses."]),
        (
            World([], silent=MONTHS),
            ["TLC did not answer for green 2020-01 to 2024-12."],
        ),
    ],
)
def test_a_tick_without_a_request_says_why(world: World, reasons: list[str]) -> None:
    assert list(world.tick().reasons) == reasons
