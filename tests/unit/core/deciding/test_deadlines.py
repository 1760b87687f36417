"""Hazards that speak of a deadline: how long they wait, and from when on they could have harmed anybody."""

from __future__ import annotations

from typing import Any

import pytest

from monitor.core.model.conditions import All, AnyOf, Compare, Condition, Not, needs
from monitor.core.model.decisions import Ignore, Open
from monitor.core.model.events import DAY, MINUTE, Event, Instant
from monitor.core.model.reasons import NotOpened
from monitor.core.model.rule import DEADLINE_FIELDS, Intervention, Rule, Step
from tests.support.streams import PERSON, START, acted_rule, clear_feed, final, make_event, new_engine, run, saved

SOON = Compare("derived.time_left", "below", (float(100 * DAY),))
NAMED = Compare("expires_at", "present", (True,))
OTHER = Compare("severity", "one_of", ("high",))
ROTATED = Step(frozenset({"change.rotated"}))
DAY_MINUTES = 24 * 60


def notice_rule(**changes: Any) -> Rule:
    fields: dict[str, Any] = {
        "name": "notice",
        "hazard": Step(frozenset({"note.added"}), SOON),
        "intervention": Intervention(ROTATED, 90 * DAY, "same"),
        "generic": False,
    }
    return acted_rule(**{**fields, **changes})


def notice(day: float = 0, deadline: float = 60) -> Event:
    at = Instant(START + int(deadline * DAY))
    return make_event("note.added", day * DAY_MINUTES, "notice", subject="ca", expires_at=at)


def rotated(day: float) -> Event:
    return make_event("change.rotated", day * DAY_MINUTES, "new", subject="ca", actor=PERSON)


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        (None, False),
        (OTHER, False),
        (SOON, True),
        (NAMED, True),
        (Compare("expires_at", "present", (False,)), False),
        (Not(Compare("expires_at", "present", (False,))), True),
        (Not(SOON), False),
        (All((OTHER, NAMED)), True),
        (AnyOf((OTHER, NAMED)), False),
        (AnyOf((SOON, All((OTHER, NAMED)))), True),
        (AnyOf(()), False),
    ],
)
def test_whether_a_condition_needs_a_deadline(condition: Condition | None, expected: bool) -> None:
    assert needs(condition, DEADLINE_FIELDS) is expected


def test_only_what_speaks_of_a_deadline_waits_for_months() -> None:
    assert notice_rule().longest_window == 90 * DAY
    with pytest.raises(ValueError, match="at most 14 days"):
        notice_rule(hazard=Step(frozenset({"note.added"}), OTHER))
    with pytest.raises(ValueError, match="window"):
        notice_rule(intervention=Intervention(ROTATED, 91 * DAY, "same"))


def test_a_notice_of_two_months_ago_meets_the_renewal() -> None:
    """Trouble on the way is none of it; the renewal's own window is what was looked at."""
    outage = [
        make_event("impact.started", 50 * DAY_MINUTES, service="shop"),
        make_event("impact.ended", 50 * DAY_MINUTES + 60, service="shop"),
    ]
    feed = clear_feed("shop", 59 * DAY_MINUTES, 61 * DAY_MINUTES)
    stream = sorted([notice(), *outage, rotated(59.5), *feed], key=lambda event: (event.time, event.source, event.id))
    (opened,) = [decision for decision in run(new_engine([notice_rule()]), stream) if isinstance(decision, Open)]
    assert opened.draft.verdict == "none"
    assert opened.draft.first_sign_at == START
    assert opened.draft.window_from == START + int(59.5 * DAY) - 5 * MINUTE


def test_what_was_already_over_harms_from_the_first_sign() -> None:
    stream = [notice(0, -1), make_event("impact.started", 60, service="shop"), rotated(1)]
    decided = run(new_engine([notice_rule()]), stream)
    assert [decision.reason for decision in decided if isinstance(decision, Ignore)] == [NotOpened.IMPACT_SEEN]


def test_harm_after_the_renewal_still_counts() -> None:
    stream = [notice(), rotated(50), make_event("impact.started", 50 * DAY_MINUTES + 5, service="shop")]
    decided = run(new_engine([notice_rule()]), stream)
    assert [decision.reason for decision in decided if isinstance(decision, Ignore)] == [NotOpened.IMPACT_SEEN]


@pytest.mark.parametrize("order", [1, -1])
def test_an_action_that_ends_a_long_wait_and_a_short_one_gives_one_draft(order: int) -> None:
    alert = make_event("alert.fired", 59 * DAY_MINUTES, "alert", subject="tls", severity="high")
    acted = acted_rule(intervention=Intervention(ROTATED, DAY))
    rules = [notice_rule(), acted][::order]
    stream = [notice(), alert, rotated(59.5)]
    (line,) = final(run(new_engine(rules), stream)).values()
    assert line["rules"] == ["notice", "acted"]


def test_it_waits_through_a_stop_and_expires_at_the_end_of_its_window() -> None:
    engine = new_engine([notice_rule()])
    engine.step([notice(), *(make_event("alert.resolved", day * DAY_MINUTES, f"r{day}") for day in range(1, 50))])
    resumed = new_engine([notice_rule()], cells=saved({}, engine))
    decided = resumed.tick(Instant(START + 89 * DAY))
    assert [decision for decision in decided if isinstance(decision, Ignore)] == []
    (expired,) = [d for d in resumed.tick(Instant(START + 91 * DAY)) if isinstance(d, Ignore)]
    assert (expired.reason, expired.evidence[0].id) == (NotOpened.NO_INTERVENTION, "notice")
