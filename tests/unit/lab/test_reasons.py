"""Reasons are there for whoever asks, earlier or later, and never without bound."""

from __future__ import annotations

import pytest

from monitor.core.model.decisions import Ignore
from monitor.core.model.events import EventId, Instant
from monitor.core.model.reasons import NotOpened
from monitor.lab import reasons
from monitor.lab.reasons import Reasons


def ignored(event: str, reason: NotOpened, rule: str = "one", detail: str = "") -> Ignore:
    return Ignore(reason, Instant(0), (rule,), "api", (EventId("s", event),), detail)


def test_a_reason_is_told_whether_it_came_before_the_question_or_after() -> None:
    kept = Reasons()
    kept.note(ignored("early", NotOpened.NO_INTERVENTION))
    kept.want([EventId("s", "early"), EventId("s", "late")])
    kept.note(ignored("late", NotOpened.IMPACT_SEEN, detail="users were hit"))
    assert kept.about([EventId("s", "early")], ["one"]) == "one: no_intervention"
    assert kept.about([EventId("s", "late")], ["one"]) == "one: impact_seen: users were hit"


def test_the_reason_of_the_named_rule_and_the_most_telling_one_win() -> None:
    kept = Reasons()
    event = EventId("s", "e")
    kept.note(ignored("e", NotOpened.IMPACT_SEEN, rule="other"))
    kept.note(ignored("e", NotOpened.NO_INTERVENTION))
    kept.note(ignored("e", NotOpened.CONDITION_NOT_MET))
    kept.want([event])
    assert kept.about([event], ["one"]) == "one: condition_not_met"
    assert kept.about([event], ["third"]) == "other: impact_seen"
    assert kept.about([EventId("s", "nobody")], ["one"]) == ""


def test_the_oldest_are_forgotten_and_it_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reasons, "MOST_RECENT", 2)
    kept = Reasons()
    kept.want([EventId("s", "asked")])
    for event in ("asked", "first", "second", "third"):
        assert kept.is_complete
        kept.note(ignored(event, NotOpened.NO_INTERVENTION))
    assert not kept.is_complete
    kept.want([EventId("s", "first"), EventId("s", "third")])
    assert kept.about([EventId("s", "first")], ["one"]) == ""
    assert kept.about([EventId("s", "third")], ["one"]) != ""
    assert kept.about([EventId("s", "asked")], ["one"]) != ""
