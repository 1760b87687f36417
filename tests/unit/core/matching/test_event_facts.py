"""What one event tells by itself: how close to its limit, how much time is left, who acted, and whether by plan."""

from __future__ import annotations

import math
from typing import Any

import msgspec
import pytest

from monitor.core.matching.facts import EventFacts, actor_kind, is_drill, is_scheduled, maintenance_scope, share
from monitor.core.matching.last_values import LastValues
from monitor.core.model.catalogue import Catalogue, Hours, Service
from monitor.core.model.events import HOUR, MINUTE, Actor, Event, Instant
from tests.support.streams import MACHINE, PERSON, START, make_event, shop
from tests.unit.core.matching.test_facts import fact


def told(**fields: Any) -> Event:
    return make_event("alert.fired", 0, "e", **fields)


@pytest.mark.parametrize(
    ("value", "limit", "bound", "used"),
    [
        (9, 10, "max", 0.9),
        (12, 10, "max", 1.2),
        (9, 10, None, 0.9),
        (2, 6, "min", 3.0),
        (0.5, 6, "min", 12.0),
        (0, 6, "min", math.inf),
        (-1, 6, "min", math.inf),
        (2, 0, "min", 0.0),
        (12, 10, "expected", 0.2),
        (8, 10, "expected", 0.2),
        (8, -10, "expected", 1.8),
        (8, 0, "expected", None),
        (8, 0, "max", None),
        (None, 10, "max", None),
        (8, None, "max", None),
    ],
)
def test_how_much_of_the_way_to_danger_is_used_up(
    value: float | None, limit: float | None, bound: str | None, used: float | None
) -> None:
    event = told(value=value, limit=limit, bound=bound)
    assert share(event) == (None if used is None else pytest.approx(used))
    assert fact("share", event) == share(event)


@pytest.mark.parametrize(
    ("value", "limit", "bound", "room"),
    [
        (9, 10, "max", 1),
        (9, 10, None, 1),
        (4, 3, "min", 1),
        (2, 3, "min", -1),
        (None, 3, "min", None),
        (2, None, None, None),
    ],
)
def test_how_much_room_is_left(value: float | None, limit: float | None, bound: str | None, room: float | None) -> None:
    assert fact("headroom", told(value=value, limit=limit, bound=bound)) == room


def test_how_much_time_is_left() -> None:
    event = told(expires_at=Instant(START + HOUR), previous_expires_at=Instant(START - MINUTE))
    assert (fact("time_left", event), fact("previous_time_left", event)) == (HOUR, -MINUTE)
    assert (fact("time_left", told()), fact("previous_time_left", told())) == (None, None)


@pytest.mark.parametrize(
    ("actor", "kind", "off"),
    [
        (None, "unknown", None),
        (PERSON, "human", None),
        (MACHINE, "automation", None),
        (Actor(id="p", kind="human", on_call=True), "human", False),
        (Actor(id="p", kind="human", on_call=False), "human", True),
        (Actor(kind="human", on_call=False), "human", True),
        (Actor(id="listed", kind="human", on_call=False), "automation", None),
        (Actor(kind="automation", on_call=False), "automation", None),
    ],
)
def test_who_acted_and_whether_off_rotation(actor: Actor | None, kind: str, off: bool | None) -> None:
    known = msgspec.structs.replace(shop(), automation=frozenset({"listed"}))
    facts = EventFacts(known, LastValues(), told(actor=actor))
    assert actor_kind(told(actor=actor), known) == kind == facts.get("actor")
    assert facts.get("off_rotation") is off


@pytest.mark.parametrize(
    ("labels", "drill"),
    [
        ({}, False),
        ({"drill": "true"}, True),
        ({"drill": "x"}, True),
        ({"drill": "False"}, False),
        ({"drill": ""}, False),
    ],
)
def test_an_exercise_says_so(labels: dict[str, str], drill: bool) -> None:
    assert is_drill(told(labels=labels)) is drill
    assert fact("drill", told(labels=labels)) is drill


@pytest.mark.parametrize(
    ("labels", "scheduled"),
    [
        ({}, False),
        ({"scheduled": "true"}, True),
        ({"scheduled": "No"}, False),
        ({"scheduled": "no", "trigger": "cron"}, False),
        ({"trigger": "Cron"}, True),
        ({"trigger": "push"}, False),
    ],
)
def test_what_a_timetable_brought_about(labels: dict[str, str], scheduled: bool) -> None:
    assert is_scheduled(told(labels=labels)) is scheduled


@pytest.mark.parametrize(
    ("fields", "scope"),
    [
        ({"labels": {"scope": "db, api,,"}}, {"db", "api"}),
        ({"labels": {"scope": ""}}, {"db"}),
        ({}, {"db"}),
        ({"service": None}, set()),
    ],
)
def test_what_announced_work_is_on(fields: dict[str, object], scope: set[str]) -> None:
    assert maintenance_scope(told(**fields)) == scope


@pytest.mark.parametrize(("hour", "off"), [(8, True), (9, False), (16, False), (17, True)])
def test_outside_of_the_hours_that_a_service_declares(hour: int, off: bool) -> None:
    """START is a Friday, at eight o'clock."""
    known = Catalogue({"db": Service("db", hours=Hours("UTC", 9 * 60, 17 * 60)), "api": Service("api")})
    for service, expected in (("db", off), ("api", None), ("who", None), (None, None)):
        event = make_event("alert.fired", (hour - 8) * 60, "e", service=service)
        assert EventFacts(known, LastValues(), event).get("off_hours") is expected


def flag(minutes: float, value: str | None, kind: str = "change.flag_set") -> Event:
    return make_event(kind, minutes, subject="cart", labels={} if value is None else {"value": value})


@pytest.mark.parametrize(
    ("before", "now", "back"),
    [
        ([], "on", None),
        (["on"], "off", True),
        (["ON"], "Off", True),
        (["off"], "on", True),
        (["on"], "on", False),
        (["blue"], "green", False),
        (["blue", "green"], "blue", True),
        (["blue", "green"], "green", False),
        (["blue", "green"], "red", False),
        (["blue", "red", "green"], "blue", False),
        (["blue", "red", "green"], "red", True),
    ],
)
def test_a_flag_goes_back_to_what_it_was(before: list[str], now: str, back: bool | None) -> None:
    events = [flag(n, value) for n, value in enumerate(before)]
    assert fact("flipped_back", flag(20, now), *events) is back


def test_what_sets_no_flag_flips_none_back() -> None:
    assert fact("flipped_back", flag(20, None), flag(0, "on")) is None
    assert fact("flipped_back", flag(20, "off", "change.configured"), flag(0, "on")) is None


def revision(minutes: float, value: str, kind: str = "change.configured", **fields: Any) -> Event:
    return make_event(kind, minutes, **{"subject": "pool", "labels": {"revision": value}, **fields})


def test_a_revision_comes_back_once_another_came_between() -> None:
    assert fact("put_back", revision(20, "r1"), revision(0, "r1"), revision(5, "r2")) is True
    assert fact("put_back", revision(20, "r1"), revision(0, "r1")) is False
    assert fact("put_back", revision(20, "r2"), revision(0, "r1"), revision(5, "r2")) is False
    assert fact("put_back", revision(20, "r1"), revision(0, "r1"), revision(5, "r3"), revision(6, "r2")) is True
    assert fact("put_back", revision(20, "r1", subject=None), revision(0, "r1"), revision(5, "r2")) is None
    assert fact("put_back", revision(20, "r1", kind="change.scaled"), revision(0, "r1"), revision(5, "r2")) is None


def deployed(minutes: float, version: str | None, kind: str = "change.deployed") -> Event:
    return make_event(kind, minutes, subject="web", labels={} if version is None else {"version": version})


def test_only_a_deployment_with_a_version_can_be_a_rollback_by_its_version() -> None:
    runs = deployed(0, "1"), deployed(5, "2")
    assert fact("rollback", deployed(20, "1"), *runs) is True
    assert fact("rollback", deployed(20, None), *runs) is None
    assert fact("rollback", deployed(20, "1", "change.started"), *runs) is None
    assert fact("rollback", deployed(20, "2"), *runs) is False
