"""The law of an incremental backtest: the drafts are those of the whole run with the changed rule."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from monitor.core.deciding.engine import Engine, EngineSettings
from monitor.core.model.conditions import Compare
from monitor.core.model.events import DAY, HOUR, MINUTE, Event
from monitor.core.model.rule import Impact, Rule, Step
from monitor.core.weighing.weights import Weights
from monitor.lab.backtest_index import BacktestIndex, IndexUnusable, IndexWriter
from monitor.lab.changed_rules import ChangedRun, without_steps
from monitor.lab.ledger import Ledger
from monitor.packs.language.regex import make_regex
from monitor.packs.language.version import version_of
from monitor.packs.weights import shipped_weights
from tests.support.small_stories import small_stories
from tests.support.streams import PERSON, law_rules, make_event, shop


def versioned(rules: Sequence[Rule]) -> list[Rule]:
    return [msgspec.structs.replace(rule, version=version_of(rule)) for rule in rules]


def changed(rule: Rule, how: str) -> list[Rule]:
    """The rule as an author may leave it; none where it is deleted."""
    other: Callable[..., Rule] = lambda **fields: msgspec.structs.replace(rule, **fields)  # noqa: E731
    act = rule.intervention
    found: dict[str, Callable[[], list[Rule]]] = {
        "deleted": list,
        "titled": lambda: [other(title="another title")],
        "shown": lambda: [other(mode="shadow")],
        "longer": lambda: [other(impact=Impact(hold=rule.impact.hold + 3 * HOUR))],
        "hurried": lambda: [other(intervention=msgspec.structs.replace(act, within=act.within and 20 * MINUTE))],
        "patient": lambda: [other(intervention=msgspec.structs.replace(act, within=act.within and 3 * DAY))],
        "of anything": lambda: [other(hazard=Step(rule.hazard.kinds))],
        "of the mild": lambda: [other(hazard=Step(rule.hazard.kinds, Compare("severity", "equals", ("warning",))))],
        "without steps": lambda: [other(clauses=())],
    }
    return found[how]()


HOWS = ("deleted", "titled", "shown", "longer", "hurried", "patient", "of anything", "of the mild", "without steps")


def batches(stream: Sequence[Event], size: int) -> list[Sequence[Event]]:
    return [stream[start : start + size] for start in range(0, len(stream), size)]


def drafts_of(ledger: Ledger) -> list[Any]:
    """What a backtest tells of each draft."""
    return [
        (
            entry.draft.id,
            entry.draft.rules,
            entry.draft.mode,
            entry.draft.title,
            entry.draft.verdict,
            entry.draft.opened_at,
            entry.draft.first_sign_at,
            [cited.event.event_id for cited in entry.draft.evidence if cited.role in ("hazard", "intervention")],
            entry.state,
            entry.reason,
            entry.merged_into,
        )
        for entry in ledger.entries()
    ]


def whole(stream: Sequence[Event], rules: Sequence[Rule], size: int, weights: Weights | None) -> Ledger:
    engine, ledger = Engine(rules, shop(), make_regex, EngineSettings(weights=weights)), Ledger()
    for batch in batches(stream, size):
        ledger.record(engine.step(batch))
    ledger.record(engine.end())
    return ledger


def indexed(stream: Sequence[Event], rules: Sequence[Rule], size: int, weights: Weights | None, path: Path) -> None:
    engine, writer = (
        Engine(rules, shop(), make_regex, EngineSettings(weights=weights)),
        IndexWriter(path, "", rules, 5, 6),
    )
    for batch in batches(stream, size):
        writer.took(engine, len(batch), engine.step(batch))
    writer.before_end(engine)
    writer.end(engine, engine.end())


def again(
    stream: Sequence[Event],
    before: Sequence[Rule],
    after: Sequence[Rule],
    size: int,
    weights: Weights | None,
    weaken: Callable[[Rule], Rule] = without_steps,
) -> ChangedRun:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "index"
        indexed(stream, before, size, weights, path)
        run = ChangedRun(BacktestIndex(path, ""), after, shop(), make_regex, weights, weaken)
        for batch in batches(stream, size):
            run.step(batch)
        run.end()
    return run


@given(st.integers(0, 2**32), st.integers(1, 12), st.integers(0, 30), st.sampled_from(HOWS), st.booleans())
def test_a_changed_rule_gives_the_drafts_of_the_whole_run(
    seed: int, size: int, place: int, how: str, weighed: bool
) -> None:
    weights = shipped_weights() if weighed else None
    stream, before = small_stories(seed), versioned(law_rules())
    rule = before[place % len(before)]
    after = versioned([new for old in before for new in (changed(old, how) if old is rule else [old])])
    try:
        run = again(stream, before, after, size, weights)
    except IndexUnusable:
        return
    assert drafts_of(run.ledger) == drafts_of(whole(stream, after, size, weights))


def blind(rule: Rule) -> Rule:
    """A rule that never meets anything, as a marker that is wrong would have it."""
    nowhere = Step(frozenset({"alert.fired"}), Compare("severity", "equals", ("nobody says so",)))
    return msgspec.structs.replace(rule, hazard=nowhere, clauses=(), correlate=())


def test_a_marker_that_sees_no_meeting_is_found_out() -> None:
    """The law has teeth: without the meetings what a new rule opens is missing."""
    after = versioned(law_rules())
    for seed in range(60):
        stream = small_stories(seed)
        blind_run = again(stream, after[1:], after, 5, None, blind)
        if drafts_of(blind_run.ledger) != drafts_of(whole(stream, after, 5, None)):
            return
    raise AssertionError("no stream tells a blind marker from one that sees")


def week(number: int) -> list[Event]:
    """A person acts on an alert; one rule is made of flags, another of alerts."""
    at = number * 7 * 24 * 60.0
    return [
        make_event("alert.fired", at, f"fired{number}", severity="high", subject="s"),
        make_event("change.configured", at + 20, f"did{number}", actor=PERSON, subject="s"),
        make_event("alert.resolved", at + 30, f"over{number}", subject="s"),
        *(make_event("note.added", at + 60 * n, f"note{number}-{n}", service="mail") for n in range(1, 60)),
    ]


def test_a_rule_that_meets_nothing_replays_nothing() -> None:
    stream = [event for number in range(12) for event in week(number)]
    before = versioned(law_rules())
    after = versioned([msgspec.structs.replace(r, title="x") if r.name == "flag" else r for r in before])
    run = again(stream, before, after, 10, None)
    assert (run.replayed, set(run.changed)) == (0, {"flag"})
    assert len(drafts_of(run.ledger)) == 12


def flag_there_and_back(*, is_quiet: bool) -> list[Event]:
    """A flag goes on and off in the seventh of twelve weeks; unless it stays quiet the rule of flags refuses."""
    at = 6 * 7 * 24 * 60 + 100
    found = [
        make_event("change.flag_set", at + n, f"flag{n}", subject="f", labels={"value": v})
        for n, v in ((0, "on"), (10, "off"))
    ]
    if not is_quiet:
        found.append(make_event("alert.fired", at + 40, "loud", severity="warning", subject="f"))
    return sorted([*(event for number in range(12) for event in week(number)), *found], key=lambda event: event.time)


def test_only_the_days_around_a_meeting_are_replayed_where_no_draft_comes_of_it() -> None:
    stream, before = flag_there_and_back(is_quiet=False), versioned(law_rules())
    after = versioned([msgspec.structs.replace(r, title="x") if r.name == "flag" else r for r in before])
    run = again(stream, before, after, 10, None)
    assert 0 < run.replayed < len(stream) // 3
    assert drafts_of(run.ledger) == drafts_of(whole(stream, after, 10, None))


def test_nothing_is_replayed_before_the_first_meeting() -> None:
    stream, with_flags = flag_there_and_back(is_quiet=True), versioned(law_rules())
    without = [rule for rule in with_flags if rule.name != "flag"]
    for before, after, drafts in ((with_flags, without, 12), (without, with_flags, 13)):
        run = again(stream, before, after, 10, None)
        assert 0 < run.replayed < len(stream) * 2 // 3
        assert drafts_of(run.ledger) == drafts_of(whole(stream, after, 10, None))
        assert len(drafts_of(run.ledger)) == drafts
