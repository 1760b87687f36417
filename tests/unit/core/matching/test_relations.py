"""How a step's event relates to the hazard: equal fields, limits in time, lead time gone by, and services in reach."""

from __future__ import annotations

import math
from typing import Any

import pytest

from monitor.core.matching.relations import among, limit_holds, pair_holds, reach, relates, share_spent, spent_holds
from monitor.core.model.conditions import NO_FACTS
from monitor.core.model.events import HOUR, MINUTE, Event, Instant
from monitor.core.model.rule import Intervention, Limit, Pair, Spent, Step
from tests.support.streams import START, make_event, shop

ACTED = Step(frozenset({"change.scaled"}))


def hazard(**fields: Any) -> Event:
    return make_event("alert.fired", 0, "hazard", **fields)


def other(minutes: float = 10, **fields: Any) -> Event:
    return make_event("change.scaled", minutes, "other", **fields)


NOTE = make_event("note.added", 5)


def at(minutes: float) -> Instant:
    return Instant(START + int(minutes * MINUTE))


@pytest.mark.parametrize(
    ("pair", "mine", "theirs", "holds"),
    [
        (Pair("subject", "subject"), {"subject": "a"}, {"subject": "a"}, True),
        (Pair("subject", "subject"), {"subject": "a"}, {"subject": "b"}, False),
        (Pair("subject", "subject"), {}, {}, False),
        (Pair("subject", "subject"), {}, {"subject": "a"}, False),
        (Pair("subject", "title"), {"subject": "a"}, {"title": "a"}, True),
        (Pair("subject", "subject", also=("title",)), {"subject": "a", "title": "b"}, {"subject": "b"}, True),
        (Pair("subject", "subject", also=("title",)), {"subject": "a"}, {"subject": "b"}, False),
        (Pair("subject", "subject", equal=False), {"subject": "a"}, {"subject": "b"}, True),
        (Pair("subject", "subject", equal=False), {"subject": "a"}, {"subject": "a"}, False),
        (Pair("subject", "subject", equal=False), {}, {"subject": "b"}, False),
        (Pair("subject", "subject", equal=False), {"subject": "a"}, {}, False),
        (Pair("subject", "subject", False, ("title",)), {"subject": "a", "title": "b"}, {"subject": "c"}, True),
        (Pair("subject", "subject", False, ("title",)), {"subject": "a", "title": "b"}, {"subject": "b"}, False),
        (Pair("subject", "subject", False, ("title",)), {"subject": "a"}, {"subject": "c"}, False),
    ],
)
def test_a_pair_of_fields(pair: Pair, mine: dict[str, Any], theirs: dict[str, Any], holds: bool) -> None:
    """A field that is missing is equal to none, and other than none."""
    assert pair_holds(pair, hazard(**mine), other(**theirs)) is holds


def test_a_pair_may_be_held_against_the_action() -> None:
    step = Intervention(ACTED, HOUR, pairs=(Pair("subject", "subject", of="intervention"),))
    action = make_event("change.ran", 5, subject="b")
    assert relates(step, hazard(subject="a"), other(subject="b"), lambda event: NO_FACTS, action)
    assert not relates(
        step, hazard(subject="b"), other(subject="b"), lambda event: NO_FACTS, make_event("note.added", 5)
    )
    assert relates(step, hazard(subject="b"), other(subject="b"), lambda event: NO_FACTS)
    of_hazard = Intervention(ACTED, HOUR, pairs=(Pair("subject", "subject"),))
    assert relates(
        of_hazard, hazard(subject="b"), other(subject="b"), lambda event: NO_FACTS, make_event("note.added", 5)
    )


@pytest.mark.parametrize(("minutes", "before", "after"), [(29, True, False), (30, False, False), (31, False, True)])
def test_a_limit_lies_strictly_before_or_after(minutes: float, before: bool, after: bool) -> None:
    due = hazard(expires_at=at(30))
    assert limit_holds(Limit("expires_at"), due, other(minutes), lambda event: NO_FACTS) is before
    assert limit_holds(Limit("expires_at", before=False), due, other(minutes), lambda event: NO_FACTS) is after


def test_a_moment_that_the_hazard_does_not_name_is_no_limit_that_holds() -> None:
    for before in (True, False):
        assert not limit_holds(Limit("expires_at", before), hazard(), other(), lambda event: NO_FACTS)


@pytest.mark.parametrize(
    ("fields", "minutes", "share"),
    [
        ({"expires_at": at(100)}, 10, 0.1),
        ({"expires_at": at(100)}, 100, 1.0),
        ({"expires_at": at(100)}, 150, 1.5),
        ({"expires_at": at(0)}, 10, math.inf),
        ({"expires_at": at(-5)}, 10, math.inf),
        ({}, 10, None),
    ],
)
def test_how_much_of_the_lead_time_had_gone_by(fields: dict[str, Any], minutes: float, share: float | None) -> None:
    assert share_spent(hazard(**fields), other(minutes)) == share


@pytest.mark.parametrize(
    ("operator", "holds"),
    [
        ("above", (False, False, True)),
        ("at_least", (False, True, True)),
        ("below", (True, False, False)),
        ("at_most", (True, True, False)),
    ],
)
def test_a_share_of_the_lead_time(operator: str, holds: tuple[bool, ...]) -> None:
    """At four tenths, at one half and at six tenths."""
    spent = Spent(operator, 0.5)  # type: ignore[arg-type]
    due = hazard(expires_at=at(100))
    assert tuple(spent_holds(spent, due, other(minutes)) for minutes in (40, 50, 60)) == holds
    assert not spent_holds(spent, hazard(), other())


def test_everything_that_is_asked_for_has_to_hold() -> None:
    due = hazard(subject="a", expires_at=at(100))
    pairs, limits = (
        (Pair("subject", "subject"), Pair("service", "service")),
        (Limit("expires_at"), Limit("time", before=False)),
    )
    spent = (Spent("above", 0.1), Spent("below", 0.5))
    step = Intervention(ACTED, HOUR, pairs=pairs, limits=limits, spent=spent)

    def related(event: Event) -> bool:
        return relates(step, due, event, lambda _: NO_FACTS)

    assert related(other(20, subject="a"))
    assert not related(other(20, subject="b"))
    assert not related(other(20, subject="a", service="api"))
    assert not related(other(5, subject="a"))
    assert not related(other(60, subject="a"))
    limited = Intervention(ACTED, HOUR, limits=limits)
    assert not relates(limited, due, other(120), lambda _: NO_FACTS)
    assert not relates(limited, due, other(0), lambda _: NO_FACTS)
    assert relates(limited, due, other(99), lambda _: NO_FACTS)


def test_which_services_are_in_reach() -> None:
    known = shop()
    assert reach(known, "db", "any") is None
    assert reach(known, "db", "same") == frozenset({"db"})
    assert reach(known, "db", "related") == frozenset({"db", "api"})
    assert reach(known, "api", "siblings") == frozenset({"api", "db", "shop", "side"})


def test_which_of_them_an_index_has() -> None:
    index = {"db": 1, "api": 2, "mail": 3}
    assert among(frozenset({"db", "api", "who"}), index) == ["api", "db"]
    assert among(None, index) == ["api", "db", "mail"]
