"""How long events are kept: what nothing can ask for is forgotten, and what a step counts is not."""

from __future__ import annotations

import msgspec
import pytest

from monitor.core.model.decisions import Ignore, Open
from monitor.core.model.events import DAY, HOUR, MINUTE, Event, Instant
from monitor.core.model.reasons import NotOpened
from monitor.core.model.rule import Clause, Pair, Point, Rule, Step
from tests.support.streams import PERSON, START, acted_rule, make_event, new_engine

DAYS = 24 * 60
"""A day in minutes."""


def counting(at_least: int) -> Rule:
    """`acted_rule` where so many restarts must have come in the ten days before."""
    step = Clause("restarted", Step(frozenset({"change.restarted"})), Point("hazard", -10 * DAY), Point("hazard"))
    return msgspec.structs.replace(acted_rule(), clauses=(msgspec.structs.replace(step, at_least=at_least),))


def restarts(count: int) -> list[Event]:
    return [make_event("change.restarted", 30 * number, f"restart-{number}") for number in range(count)]


def story(day: int) -> list[Event]:
    at = day * DAYS
    return [
        make_event("alert.fired", at, "alert", subject="full", severity="high"),
        make_event("change.scaled", at + 10, "grow", actor=PERSON),
        make_event("alert.resolved", at + 20, "fine", subject="full"),
        make_event("note.added", at + 600, "later", service="mail"),
    ]


@pytest.mark.parametrize("count", [3, 12, 40])
def test_a_step_sees_as_many_as_it_counts_however_long_ago(count: int) -> None:
    engine = new_engine([counting(count)])
    decided = engine.step([*restarts(count), *story(8)]) + engine.end()
    assert [type(decision) for decision in decided if isinstance(decision, Open)] == [Open]


def test_of_what_no_step_counts_the_newest_few_stay() -> None:
    engine = new_engine([counting(1)])
    engine.step([*restarts(40), make_event("note.added", 3 * DAYS, "later", service="mail")])
    kept = engine.state.memory.between(("db",), ("change.restarted",), START, START + 4 * DAY)
    assert [event.time for event in kept] == [START + 30 * number * MINUTE for number in range(28, 40)]


def test_what_a_step_wants_every_one_of_stays() -> None:
    """An absence by subject holds only if it does, however much else was restarted since."""
    once = Clause(
        "restarted",
        Step(frozenset({"change.restarted"})),
        Point("hazard", -10 * DAY),
        Point("hazard", -2 * DAY),
        pairs=(Pair("subject", "subject"),),
        at_least=0,
        at_most=0,
    )
    same = make_event("change.restarted", 1, "same", subject="full")
    stream = [same, *restarts(40)[1:], *story(8)]
    reasons = {}
    for every in (False, True):
        engine = new_engine(
            [msgspec.structs.replace(acted_rule(), clauses=(msgspec.structs.replace(once, every=every),))]
        )
        decided = engine.step(stream) + engine.end()
        reasons[every] = [each.reason if isinstance(each, Ignore) else type(each) for each in decided]
    assert reasons == {False: [Open], True: [NotOpened.ABSENCE_VIOLATED]}


def test_what_follows_a_hazard_is_forgotten_early_where_none_stands() -> None:
    after = Clause("quiet", Step(frozenset({"change.restarted"})), Point("hazard"), Point("safe", DAY), at_least=0)
    engine = new_engine([msgspec.structs.replace(acted_rule(), clauses=(after,))])
    engine.step([*restarts(4), make_event("note.added", DAYS, "later", service="mail")])
    assert list(engine.state.memory.between(("db",), ("change.restarted",), START, Instant(START + 12 * HOUR))) == []
