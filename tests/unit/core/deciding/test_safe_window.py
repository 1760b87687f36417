"""When an episode is safe, and when it is judged: whose alerts count, and for how long."""

from __future__ import annotations

import pytest

from monitor.core.model.decisions import Amend, Open
from monitor.core.model.events import HOUR, MINUTE, Event, Instant
from monitor.core.model.near_miss import Draft
from monitor.core.model.reasons import Missing
from monitor.core.model.rule import Step
from tests.support.streams import PERSON, START, acted_rule, clear_feed, make_event, new_engine, run
from tests.unit.core.deciding.test_verdict import FULL, decide, story, the_draft


def other_alert(fired: float, ended: float | None = None, how: str = "resolved", **fields: object) -> list[Event]:
    """A grave alert that no rule asks for, on the service that the story is about."""
    fields = {"subject": "slow", "severity": "high", **fields}
    found = [make_event("alert.fired", fired, "other", **fields)]
    return found if ended is None else [*found, make_event(f"alert.{how}", ended, "other-over", **fields)]


@pytest.mark.parametrize("fired", [60, 65, 75], ids=["with the first sign", "before the action", "after the action"])
def test_it_is_safe_when_every_grave_alert_that_stood_around_the_action_has_recovered(fired: float) -> None:
    draft = the_draft(decide(*other_alert(fired, 110), rule=FULL))
    assert draft.safe_at == START + 110 * MINUTE
    assert [cited.event.id for cited in draft.evidence if cited.role == "recovery"] == ["fine", "other-over"]
    assert draft.confidence == the_draft(decide()).confidence


@pytest.mark.parametrize("fired", [65, 75])
def test_a_grave_alert_that_never_recovers_leaves_it_less_sure(fired: float) -> None:
    draft = the_draft(decide(*other_alert(fired), rule=FULL))
    assert draft.missing_evidence == (Missing.NO_RESOLVE,)
    assert draft.confidence < the_draft(decide()).confidence


@pytest.mark.parametrize(
    "other",
    [
        other_alert(40, 110),
        other_alert(40),
        other_alert(62, 68),
        other_alert(62, 68, "cancelled"),
        other_alert(65, 110, environment="staging"),
        other_alert(75, 110, environment="staging"),
        other_alert(65, 110, service="mail"),
        other_alert(75, 110, severity="warning"),
        other_alert(75, severity=None),
        other_alert(70 + 61, 180),
    ],
    ids=[
        "since before",
        "for ever",
        "over",
        "taken out",
        "in staging",
        "in staging, after it",
        "elsewhere",
        "a warning",
        "of unknown severity",
        "an hour after the action",
    ],
)
def test_other_peoples_alerts_change_nothing(other: list[Event]) -> None:
    draft, alone = the_draft(decide(*other, rule=FULL)), the_draft(decide(rule=FULL))
    assert draft == alone


def test_a_grave_alert_within_the_hour_after_the_action_counts() -> None:
    draft = the_draft(decide(*other_alert(70 + 60, 180), rule=FULL))
    assert draft.safe_at == START + 180 * MINUTE


def test_an_alert_that_goes_on_and_on_is_judged_a_day_after_the_last_action() -> None:
    """The action at minute 70; the same alert fires and recovers every hour for days, with impact on the fourth."""
    flaps = [
        make_event(kind, 60 * hour + minute, f"{kind}{hour}", subject="full", severity="high")
        for hour in range(2, 96)
        for kind, minute in (("alert.fired", 10), ("alert.resolved", 20))
    ]
    decided = decide(*flaps, feed=clear_feed("shop", 0, 5 * 24 * 60))
    (first,) = [decision.draft for decision in decided if isinstance(decision, Open)]
    last = [decision.draft for decision in decided if isinstance(decision, Open | Amend)][-1]
    day_after = START + 70 * MINUTE + 24 * HOUR
    assert first.opened_at <= day_after + 2 * HOUR
    assert last.safe_at <= day_after
    assert last.opened_at == first.opened_at


def test_a_draft_opened_when_its_window_had_ended() -> None:
    """The recovery brings the wake forward: without it, ten minutes to settle are assumed."""
    early = [
        make_event("alert.fired", 60, "alert", subject="full", severity="high"),
        make_event("change.scaled", 70, "grow", actor=PERSON),
        make_event("alert.resolved", 72, "fine", subject="full"),
    ]
    stream = sorted([*early, *clear_feed("shop", 0, 400)], key=lambda event: (event.time, event.source, event.id))
    engine = new_engine([acted_rule()])
    decided: list[object] = list(engine.step([event for event in stream if event.time <= START + 72 * MINUTE]))
    decided += engine.tick(Instant(START + 193 * MINUTE))
    draft = the_draft(decided)
    assert draft.safe_at == START + 72 * MINUTE
    assert draft.opened_at == draft.window_to == START + 192 * MINUTE


def test_a_draft_that_needed_a_late_event_opened_when_it_came() -> None:
    alert, *rest = story()
    stream = sorted([*rest, *clear_feed("shop", 0, 400)], key=lambda event: (event.time, event.source, event.id))
    engine = new_engine([acted_rule()])
    decided: list[object] = list(engine.step(stream))
    decided += engine.step([alert])
    decided += engine.end()
    draft = the_draft(decided)
    assert draft.window_to == START + 200 * MINUTE
    assert draft.opened_at >= START + 399 * MINUTE


def test_without_an_alert_or_an_incident_that_it_became_safe_is_assumed() -> None:
    rule = acted_rule(hazard=Step(frozenset({"change.deleted"})))
    gone = [
        make_event("change.deleted", 60, "gone", actor=PERSON),
        make_event("change.restored", 70, "b", actor=PERSON),
    ]
    opened = make_event("incident.opened", 62, "inc", subject="INC-1", labels={"impact": "none"})
    closed = make_event("incident.closed", 90, "over", subject="INC-1")

    def draft_of(*more: Event) -> Draft:
        stream = sorted([*gone, *more, *clear_feed("shop", 0, 600)], key=lambda e: (e.time, e.source, e.id))
        return the_draft(list(run(new_engine([rule]), stream)))

    assumed = draft_of()
    assert assumed.safe_at == START + 80 * MINUTE  # the action at 70 and ten minutes to settle
    assert assumed.missing_evidence == (Missing.SAFE_ASSUMED,)
    with_the_act = make_event("incident.closed", 70, "over", subject="INC-1")
    for told, safe in ((other_alert(65, 85), 85), ([opened, closed], 90), ([opened, with_the_act], 70)):
        draft = draft_of(*told)
        assert draft.safe_at == START + safe * MINUTE
        assert draft.missing_evidence == ()
        assert draft.confidence > assumed.confidence
    assert draft_of(*other_alert(65)).missing_evidence == (Missing.NO_RESOLVE,)
