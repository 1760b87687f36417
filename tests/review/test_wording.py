"""The words: every constant has some, spans and ages read as people say them."""

from __future__ import annotations

import typing
from typing import Any

import pytest

from monitor.core.model.events import DAY, HOUR, KINDS, MINUTE, Actor
from monitor.core.model.near_miss import Dismissal, Family, Role, State, Verdict
from monitor.core.model.reasons import Missing, Withdrawn
from monitor.review import wording as words
from tests.support import records


def test_nothing_is_without_words() -> None:
    assert set(words.VERDICTS) == set(words.VERDICT_SENTENCES) == set(typing.get_args(Verdict))
    assert set(words.STATES) == set(State)
    assert set(words.FAMILIES) == set(typing.get_args(Family))
    assert set(words.DISMISSALS) == set(Dismissal)
    assert set(words.MISSING) == set(Missing)
    assert set(words.WITHDRAWALS) == set(Withdrawn)
    assert set(words.KINDS) == KINDS
    assert set(words.ROLES) == set(typing.get_args(Role))


@pytest.mark.parametrize(
    ("ago", "said"),
    [
        (0, "just now"),
        (12 * MINUTE, "12 min ago"),
        (3 * HOUR, "3 h ago"),
        (50 * HOUR, "2 d ago"),
        (-MINUTE, "in 1 min"),
    ],
)
def test_ages(ago: int, said: str) -> None:
    assert words.age(1000 * DAY, 1000 * DAY + ago) == said


@pytest.mark.parametrize(
    ("who", "said"),
    [
        (None, "someone or something"),
        (Actor("ada", "human", True), "someone on call"),
        (Actor("ada", "human", False), "a person off rotation"),
        (Actor("ada", "human"), "a person"),
        (Actor("bot", "automation"), "automation"),
    ],
)
def test_people_are_roles(who: Actor | None, said: str) -> None:
    assert words.actor(who) == said


def test_missing_evidence_keeps_its_detail() -> None:
    assert words.missing("no_feed:checkout") == words.MISSING[Missing.NO_FEED] + " (checkout)"
    assert words.missing("something_newer") == "something newer"


def test_reasons_of_people_and_of_the_machine() -> None:
    assert words.reason("planned_work") == "planned work"
    assert words.reason(Withdrawn.IMPACT_TIED) == "users were hit later by the same subject, change or incident"
    assert words.reason("something_newer") == "something newer"
    assert words.reason(None) == ""


@pytest.mark.parametrize(
    ("measured", "said"),
    [
        ({"value": 96, "limit": 100, "unit": "percent"}, "96%"),
        ({"value": 58.5, "unit": "percent"}, "58.5%"),
        ({"value": 2, "limit": 3, "unit": "replicas"}, "2 of 3 replicas"),
        ({"value": 910, "limit": 800, "unit": "milliseconds"}, "910 milliseconds, limit 800"),
        ({"value": 4100, "unit": "messages"}, "4100 messages"),
        ({"value": 3, "limit": 4}, "3 of 4"),
        ({}, ""),
    ],
)
def test_what_a_tool_measured_is_said_as_people_say_it(measured: dict[str, Any], said: str) -> None:
    assert words.measured(records.event("a", "alert.fired", 0, **measured)) == said
