"""What an event costs, counted in function calls and bytes of state, never in seconds."""

from __future__ import annotations

import gc
import sys
from collections.abc import Callable, Iterable
from types import FrameType

import pytest

from monitor.core.deciding.engine import Engine
from monitor.core.deciding.impact import impact_spans
from monitor.core.deciding.reach import reach_of
from monitor.core.model.conditions import All, Compare
from monitor.core.model.decisions import Decision, Ignore, Open
from monitor.core.model.events import HOUR, Event
from monitor.core.model.reasons import NotOpened
from monitor.core.model.rule import Clause, Intervention, Point, Rule, Step
from monitor.core.state.memory import Memory
from monitor.lab.ledger import Ledger
from monitor.packs.language.regex import make_regex
from tests.support.streams import HUMAN_ACTIONS, PERSON, acted_rule, make_event, shop


def calls(act: Callable[[], object]) -> int:
    """How many Python functions run while something is done."""
    count = 0

    def on_call(frame: FrameType, kind: str, argument: object) -> None:
        nonlocal count
        if kind == "call":
            count += 1

    before = sys.getprofile()
    gc.disable()  # others hook into the collector, and what runs then is none of ours
    sys.setprofile(on_call)
    try:
        act()
    finally:
        sys.setprofile(before)
        gc.enable()
    return count


def rule_for(team: int) -> Rule:
    """A rule that wants the alerts of one team only."""
    wants = All((Compare("labels.team", "equals", (f"team-{team}",)), Compare("title", "matches", ("slow|down",))))
    return acted_rule(
        name=f"team-{team}",
        hazard=Step(frozenset({"alert.fired"}), wants),
        intervention=Intervention(
            Step(HUMAN_ACTIONS, Compare("labels.team", "equals", (f"team-{team}",))), 4 * HOUR, "related"
        ),
    )


def busy(count: int) -> Iterable[Event]:
    for n in range(count):
        kind = ("alert.fired", "alert.resolved", "change.deployed", "note.added")[n % 4]
        yield make_event(kind, n, f"n{n}", subject=f"s{n % 7}", title="api is slow", labels={"team": "none"})


def test_rules_that_do_not_want_an_event_cost_nothing() -> None:
    stream = list(busy(2_000))
    few = Engine([rule_for(n) for n in range(10)], shop(), make_regex)
    many = Engine([rule_for(n) for n in range(200)], shop(), make_regex)
    for engine in (few, many):
        engine.step(stream[:100])  # what is worked out once, and then known
    assert calls(lambda: many.step(stream[100:])) == calls(lambda: few.step(stream[100:]))


def storm(first: int, count: int) -> list[Event]:
    """One unending episode: the same alerts fire again and again, and a person acts all the time."""
    found = []
    for n in range(first, first + count):
        minute = n / 4
        found.append(make_event("alert.fired", minute, f"a{n}", subject=f"s{n % 5}", severity="high"))
        found.append(make_event("change.configured", minute + 0.1, f"c{n}", actor=PERSON, subject="knob"))
    return found


def test_an_event_costs_no_more_in_a_large_episode_than_in_a_small_one() -> None:
    engine = Engine([acted_rule()], shop(), make_regex)
    engine.step(storm(0, 1_500))
    early = calls(lambda: engine.step(storm(1_500, 300)))
    engine.step(storm(1_800, 12_000))
    late = calls(lambda: engine.step(storm(13_800, 300)))
    assert late <= early * 1.3


def test_what_an_episode_keeps_is_bounded_and_the_rest_is_counted() -> None:
    engine = Engine([acted_rule()], shop(), make_regex)
    ledger = Ledger()
    ledger.record(engine.step(storm(0, 3_000)))
    ledger.record(engine.end())
    (entry,) = ledger.standing()
    assert len(entry.draft.evidence) <= 80
    assert "evidence_capped" in entry.draft.missing_evidence
    assert entry.draft.omitted["hazard"] > 2_500
    assert entry.draft.evidence[0].event.id == "a0"


def test_state_written_for_a_batch_is_bounded_by_the_batch() -> None:
    """Not by how much is remembered: a small batch after a long stream writes little."""
    engine = Engine([acted_rule()], shop(), make_regex)
    engine.step(list(busy(8_000)))
    engine.take_changes()
    engine.step([make_event("alert.fired", 8_001, "one", subject="s1", severity="high")])
    written = engine.take_changes()
    assert sum(len(value or b"") for value in written.values()) < 4_000


def crowded(count: int) -> Engine:
    """So many alerts, each of its own key, and so many actions: nobody was paged in between, so that none is taken."""
    page = Step(frozenset({"responder.paged"}))
    paged = Clause("paged", page, Point("hazard"), Point("intervention"), at_least=1)
    engine = Engine([acted_rule(clauses=(paged,), correlate=("subject",))], shop(), make_regex)
    alerts = [make_event("alert.fired", n / 10, f"a{n}", subject=f"s{n}", severity="high") for n in range(count)]
    actions = [make_event("change.configured", 30 + n / 10, f"c{n}", actor=PERSON) for n in range(count)]
    engine.step([*alerts, *actions, make_event("note.added", 120, "now")])
    return engine


def test_what_a_late_event_costs_is_bounded() -> None:
    """The pairs of all that lies around it are not: whoever sends could keep the engine busy for ever."""
    few, many = crowded(40), crowded(120)
    late = [make_event("responder.paged", 110, "late", actor=PERSON)]
    some = calls(lambda: few.step(late))
    said: list[Decision] = []
    assert calls(lambda: said.extend(many.step(late))) < 8 * some
    refused = [each for each in said if isinstance(each, Ignore)]
    assert [(each.reason, each.evidence) for each in refused] == [(NotOpened.TOO_MANY_OPEN, (late[0].event_id,))]


def with_drafts(kind: str, strangers: int) -> Engine:
    """Some drafts that stand, and what strangers said of impact on as many names that nobody knows."""
    engine = Engine([acted_rule()], shop(), make_regex)
    events: list[Event] = []
    for n in range(8):
        events.append(make_event("alert.fired", 300 * n, f"a{n}", subject=f"s{n}", severity="high"))
        events.append(make_event("change.configured", 300 * n + 1, f"c{n}", actor=PERSON, subject=f"knob{n}"))
    said = engine.step([*events, make_event("note.added", 6_000, "now")])
    assert sum(isinstance(each, Open) for each in said) > 1
    engine.step(
        [make_event(kind, 6_000 + n / 100, f"x{n}", service=f"stranger-{n}", subject=f"x{n}") for n in range(strangers)]
    )
    return engine


@pytest.mark.parametrize("kind", ["incident.opened", "impact.started", "impact.ended"])
def test_what_is_said_of_an_unknown_name_costs_no_more_where_much_was_said_of_others(kind: str) -> None:
    """Each draft that stands is held against it; not each draft against all that was ever said of anything."""
    few, many = with_drafts(kind, 30), with_drafts(kind, 300)
    said = [make_event(kind, 6_003.1, "one", service="stranger", subject="one")]
    some = calls(lambda: few.step(said))
    assert calls(lambda: many.step(said)) < 1.2 * some


def test_starts_and_ends_that_do_not_belong_together_are_not_tried_with_each_other() -> None:
    def cost(count: int) -> int:
        memory, catalogue = Memory(), shop()
        for n in range(count):
            memory.add(make_event("impact.started", n, f"s{n}", service="api", subject=f"s{n}"), 0)
            memory.add(make_event("impact.ended", 500 + n, f"e{n}", service="api", subject=f"e{n}"), 0)
        reach = reach_of({"api"}, catalogue)
        now = make_event("note.added", 2_000, "now").time
        return calls(lambda: impact_spans(memory, catalogue, reach, now))

    assert cost(200) < 6 * cost(40)
