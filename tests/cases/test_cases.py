"""The labelled cases of the folder named by NEARMISS_CASES: none may break the engine, and changes that mean nothing
may change nothing. How well the rules do is printed, not judged here."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from random import Random

import msgspec
import pytest

from monitor.cli.case_files import find_case_files, load_case
from monitor.core.engine import Engine
from monitor.core.events import DAY, SECOND, Event, Instant
from monitor.decode.streams import arrival_order
from monitor.lab.cases import Case
from monitor.lab.evaluate import figures, run_case
from monitor.lab.ledger import Entry, Ledger
from monitor.packs.loader import load_rules
from monitor.packs.regex import make_regex
from monitor.packs.shipped import shipped_rules

FOLDER = os.environ.get("NEARMISS_CASES")
if not FOLDER:
    pytest.skip("set NEARMISS_CASES to a folder of labelled cases to try the rules on them", allow_module_level=True)

RULES = load_rules(shipped_rules()).rules
PATHS = find_case_files(Path(FOLDER))
SHIFT = 156 * 7 * DAY
"""About three years, in whole weeks, so that days of the week stay what they are."""


@pytest.fixture(params=PATHS, ids=lambda path: path.stem)
def case(request: pytest.FixtureRequest) -> Case:
    loaded = load_case(request.param)
    assert loaded.case is not None, [str(problem) for problem in loaded.problems]
    return loaded.case


def final(case: Case, events: Sequence[Event]) -> list[Entry]:
    engine = Engine(RULES, case.catalogue, make_regex)
    ledger = Ledger()
    ledger.record(engine.step(events))
    ledger.record(engine.end())
    return ledger.entries()


def lines(entries: Sequence[Entry]) -> list[dict[str, object]]:
    return [entry.line() for entry in entries]


def test_the_cases_run_and_their_figures_are_printed(capsys: pytest.CaptureFixture[str]) -> None:
    assert PATHS, f"no case files in {FOLDER}"
    cases = [loaded.case for loaded in map(load_case, PATHS) if loaded.case is not None]
    outcomes = [run_case(case, RULES, make_regex) for case in cases]
    wrong = [outcome.judged.id for outcome in outcomes if not outcome.judged.ok]
    with capsys.disabled():
        print(f"\n{len(outcomes)} cases: {figures(outcomes)}; not ok: {', '.join(wrong) or 'none'}")  # noqa: T201


def test_copies_change_nothing(case: Case) -> None:
    ordered = arrival_order(case.events)
    copied = [copy for event in ordered for copy in (event, event)]
    assert lines(final(case, copied)) == lines(final(case, ordered))


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_disorder_within_the_lateness_changes_nothing(case: Case, seed: int) -> None:
    ordered = arrival_order(case.events)
    random = Random(seed)
    late = {event.event_id: random.randrange(59 * SECOND) for event in ordered}
    disordered = sorted(ordered, key=lambda event: event.time + late[event.event_id])
    assert lines(final(case, disordered)) == lines(final(case, ordered))


def test_without_feeds_nothing_is_known_to_have_spared_users(case: Case) -> None:
    unfed = [event for event in arrival_order(case.events) if event.kind != "impact.clear"]
    assert not [entry.draft.id for entry in final(case, unfed) if entry.draft.verdict == "none"]


def test_the_same_story_years_later_comes_to_the_same(case: Case) -> None:
    ordered = arrival_order(case.events)
    later = [shifted(event, SHIFT) for event in ordered]
    assert [without_times(entry) for entry in final(case, later)] == [
        without_times(entry) for entry in final(case, ordered)
    ]


def shifted(event: Event, by: int) -> Event:
    fields = ("time", "expires_at", "previous_expires_at", "began_at", "covers_from", "received_at")
    moved = {name: Instant(at + by) for name in fields if (at := getattr(event, name)) is not None}
    return msgspec.structs.replace(event, **moved)


def without_times(entry: Entry) -> dict[str, object]:
    """The published fields; times count from the first sign, and the id, which may depend on them, is left out."""
    draft = entry.draft
    relative = {
        name: at - draft.first_sign_at
        for name in ("intervened_at", "safe_at", "opened_at", "noticed_at")
        if (at := getattr(draft, name)) is not None
    }
    left_out = {"id", "merged_into", "repeat_of", "chain", "first_sign_at", *relative}
    return {**{name: value for name, value in entry.line().items() if name not in left_out}, **relative}
