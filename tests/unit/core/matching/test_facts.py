"""Derived facts that ask what was before: each by the events that it needs, and by those that must not give it."""

from __future__ import annotations

from typing import Any

import pytest

from monitor.core.matching.facts import DERIVED, EventFacts
from monitor.core.matching.last_values import MOST_VALUES, TABLES, LastValues, things_key
from monitor.core.model.catalogue import Catalogue, Hours, Service
from monitor.core.model.events import DAY, HOUR, MINUTE, Event, Instant, Kind, to_text
from monitor.core.model.retention_policy import RETENTION
from monitor.core.resolving.names import GUESSED
from tests.support.streams import MACHINE, START, make_event

HOURS = Hours("UTC", 8 * 60, 18 * 60, frozenset(range(1, 8)))
CATALOGUE = Catalogue({"db": Service("db", hours=HOURS)}, automation=frozenset({"scaler"}))


def fact(name: str, event: Event, *before: Event, drafts: dict[str, list[tuple[int, str]]] | None = None) -> object:
    last_values = LastValues()
    last_values.drafts = drafts or {}
    for earlier in before:
        last_values.record(earlier)
    last_values.record(event)
    return EventFacts(CATALOGUE, last_values, event).get(name)


@pytest.mark.parametrize(
    ("labels", "is_routine"),
    [
        ({}, False),
        ({"planned": "true"}, True),
        ({"planned": "no"}, False),
        ({"rolling": "1"}, True),
        ({"trigger": "cron"}, True),
        ({"scheduled": "false", "trigger": "cron"}, False),
        ({"reason": "freeze"}, True),
        ({"reason": "Release train"}, True),
        ({"reason": "daily-peak"}, True),
        ({"reason": "superseded"}, True),
        ({"reason": "regression"}, False),
        ({"reason": "the freeze is over and it still fails"}, False),
    ],
)
def test_work_that_is_no_answer_to_anything(labels: dict[str, str], is_routine: bool) -> None:
    assert fact("routine", make_event("change.scaled", 5, labels=labels)) is is_routine


def deployed(minute: float, version: str, **more: Any) -> Event:
    labels = {"version": version, **more.pop("labels", {})}
    return make_event("change.deployed", minute, labels=labels, **more)


def configured(minute: float, revision: str | None = None, kind: str = "change.configured", **more: Any) -> Event:
    labels = {} if revision is None else {"revision": revision}
    return make_event(kind, minute, subject="pool", labels={**labels, **more.pop("labels", {})}, **more)


def measured(minute: float, value: float, bound: str | None = "max", **more: Any) -> Event:
    return make_event("alert.fired", minute, subject="disk", value=value, bound=bound, **more)


def test_a_version_that_ran_before_is_a_rollback_unless_a_timetable_brought_it() -> None:
    ran = deployed(0, "1"), deployed(10, "2")
    assert fact("rollback", deployed(20, "1"), *ran) is True
    assert fact("rollback", deployed(20, "3"), *ran) is False
    assert fact("rollback", deployed(20, "2", actor=MACHINE), *ran) is False, "what runs is deployed again"
    assert fact("rollback", deployed(20, "1", labels={"trigger": "schedule"}), *ran) is False
    assert fact("rollback", deployed(20, "1", labels={"scheduled": "true"}), *ran) is False
    assert fact("rollback", deployed(20, "1", labels={"scheduled": "false"}), *ran) is True
    assert fact("rollback", deployed(20, "1", environment="staging"), *ran) is False
    assert fact("rollback", make_event("change.rolled_back", 20)) is True


def test_a_deployment_of_a_merge_that_reverts_another_is_a_rollback() -> None:
    def merged(minute: float, version: str, **labels: str) -> Event:
        return make_event("change.merged", minute, labels={"version": version, **labels})

    ran = deployed(0, "1"), deployed(10, "2")
    undone = merged(15, "3", reverts="2")
    assert fact("rollback", deployed(20, "3"), *ran, undone) is True
    assert fact("rollback", deployed(20, "v3", labels={"commit": "3"}), *ran, undone) is True
    assert fact("rollback", deployed(20, "4"), *ran, undone) is False, "what came with it is no reversal"
    assert fact("rollback", deployed(20, "3"), *ran, merged(15, "3")) is False
    assert fact("rollback", deployed(12, "3"), *ran, undone) is False, "it was merged later"
    assert fact("rollback", deployed(40, "3"), *ran, undone, deployed(20, "3")) is False, "it runs already"
    assert fact("rollback", deployed(20, "3", labels={"trigger": "schedule"}), *ran, undone) is False


def test_what_belongs_to_an_incident_has_its_service() -> None:
    def told(kind: Kind, minute: float, service: str | None = None, source: str = "pagerduty/acme") -> Event:
        return Event(f"{kind}{minute}", source, Instant(START + round(minute * MINUTE)), kind, service, subject="Q1")

    known = LastValues()
    for event in (told("alert.fired", 0, "payments"), told("alert.fired", 0, "disk", "alertmanager")):
        known.record(event)
    placed = known.placed(told("responder.paged", 8))
    assert (placed.service, placed.resolved_from) == ("payments", {"service": "incident Q1"})
    assert known.placed(told("note.added", 8)).service == "payments"
    assert known.placed(told("note.added", 8, "cart")).service == "cart"
    assert known.placed(told("note.added", 8, source="jira")).service is None
    assert known.placed(told("note.added", 8, source="alertmanager")).service is None
    assert known.placed(told("note.added", -1)).service is None, "nothing was told yet"
    assert known.placed(told("impact.started", 8)).service is None, "harm without a service concerns everyone"


def test_a_guess_from_words_gives_way_to_the_incident() -> None:
    known = LastValues()
    at = Instant(START)
    known.record(Event("a", "pagerduty/acme", at, "alert.fired", "payments", subject="Q1"))
    guess = {"service": f"{GUESSED}: the title names it"}

    def note(subject: str, told: Kind = "note.added", **said: str) -> Event:
        labels = {"note": "n"} if said else {}
        return Event(
            "n", "pagerduty/acme", at, told, "cart", subject=subject, labels=labels, resolved_from={**guess, **said}
        )

    assert known.placed(note("Q1")).service == "payments"
    assert known.placed(note("Q2")).service == "cart", "of that incident nothing is known"
    assert known.placed(note("Q1", "change.scaled", kind="a note says that it was done")).service == "payments"
    assert known.placed(note("Q1", "change.scaled")).service == "cart", "a tool told it, and not a note"
    assert known.placed(note("Q1", "impact.started", impact="slo")).service == "cart", (
        "an alert tells of its own service"
    )


def test_what_is_put_back() -> None:
    ran = configured(0, "a"), configured(10, "b")
    assert fact("put_back", configured(20, "a"), *ran) is True
    assert fact("put_back", configured(20, "c"), *ran) is False
    assert fact("put_back", configured(20, "b"), *ran) is False
    assert fact("put_back", configured(20), *ran) is None
    assert fact("put_back", configured(5, "a"), *ran) is False
    assert fact("put_back", configured(20, labels={"reverts": "abc"})) is True
    assert fact("put_back", configured(20, kind="change.restored")) is True
    assert fact("put_back", make_event("alert.fired", 20, labels={"reverts": "abc"})) is None


def test_what_was_deleted_and_made_again_as_it_was_is_put_back() -> None:
    gone = configured(10, kind="change.deleted")
    assert fact("put_back", configured(20, "a"), configured(0, "a"), gone) is True
    assert fact("put_back", configured(20, "b"), configured(0, "a"), gone) is False
    assert fact("put_back", configured(20, "b"), gone) is None
    assert fact("put_back", configured(20, kind="change.deleted"), configured(0, kind="change.deleted"), gone) is False
    made = configured(15, "a")
    assert fact("put_back", configured(20, kind="change.deleted"), gone, made) is True


def test_a_value_is_put_back_too() -> None:
    values = [make_event("change.configured", n, f"v{n}", subject="pool", value=v) for n, v in ((0, 10.0), (5, 90.0))]
    assert fact("put_back", make_event("change.configured", 9, subject="pool", value=10.0), *values) is True


@pytest.mark.parametrize(
    ("bound", "then", "now", "expected"),
    [
        ("max", 90.0, 95.0, "worse"),
        ("max", 95.0, 90.0, "better"),
        ("max", 90.0, 90.0, "same"),
        ("min", 3.0, 2.0, "worse"),
        ("min", 2.0, 3.0, "better"),
        (None, 90.0, 95.0, None),
    ],
)
def test_the_trend_is_told_by_the_side_of_the_danger(
    bound: str | None, then: float, now: float, expected: str | None
) -> None:
    assert fact("trend", measured(20, now, bound), measured(0, then, bound)) == expected


def test_the_trend_without_a_bound_or_toward_what_is_expected_needs_the_limit() -> None:
    assert fact("trend", measured(20, 95, None, limit=100.0), measured(0, 90, None)) == "worse"
    assert fact("trend", measured(20, 40, "expected", limit=30.0), measured(0, 31, "expected")) == "worse"
    assert fact("trend", measured(20, 25, "expected", limit=30.0), measured(0, 40, "expected")) == "better"
    assert fact("trend", measured(20, 25, "expected"), measured(0, 40, "expected")) is None


def test_the_trend_is_against_the_latest_of_the_same_thing() -> None:
    now = measured(20, 80)
    assert fact("trend", now, measured(0, 70), measured(10, 90)) == "better"
    assert fact("trend", now, measured(0, 70), measured(30, 90)) == "worse", "what comes later does not count"
    assert fact("trend", now, measured(0, 70, environment="staging")) is None
    assert fact("trend", now, measured(0, 70, unit="pods")) is None
    assert fact("trend", now, make_event("alert.resolved", 0, subject="disk", value=10.0)) is None
    assert fact("trend", now) is None


def rotated(minute: float, days: float, previous: float | None = None, **more: Any) -> Event:
    before = None if previous is None else Instant(START + int(previous * DAY))
    expires = Instant(START + int(minute * MINUTE + days * DAY))
    return make_event("change.rotated", minute, subject="ca", expires_at=expires, previous_expires_at=before, **more)


def expiring(minute: float, days: float, **labels: str) -> Event:
    return make_event("alert.fired", minute, subject="ca", expires_at=Instant(START + int(days * DAY)), labels=labels)


def test_the_share_of_a_lifetime_that_is_left() -> None:
    day = 24 * 60
    assert fact("lifetime_left", expiring(9 * day, 10, not_before=str(to_text(START)))) == pytest.approx(0.1)
    assert fact("lifetime_left", expiring(9 * day, 10), rotated(0, 10)) == pytest.approx(0.1)
    assert fact("lifetime_left", expiring(9 * day, 10)) is None
    assert fact("lifetime_left", expiring(9 * day, 10, issued_at="long ago")) is None
    assert fact("lifetime_left", expiring(9 * day, 12), rotated(0, 10)) is None, "another certificate"
    assert fact("lifetime_left", rotated(9 * day, 10), rotated(0, 10)) == pytest.approx(0.1)
    assert fact("lifetime_left", rotated(9 * day, 20, previous=10)) == pytest.approx(1 / 20)
    assert fact("lifetime_left", rotated(9 * day, 20)) is None
    assert fact("lifetime_left", rotated(14 * day, 10, previous=10)) == pytest.approx(-0.4), "it was over"


def test_the_next_opening_and_the_repeats() -> None:
    event = make_event("alert.fired", 0, subject="disk")
    assert fact("opens_at", event) == to_opening(START)
    assert fact("opens_at", make_event("alert.fired", 0, service="api")) is None
    known = [(START - 181 * DAY, "a"), (START - 180 * DAY, "b"), (START - HOUR, "c"), (START, "d")]
    assert fact("repeats", event, drafts={things_key("db", "disk"): known}) == 2
    assert fact("repeats", event) == 0
    assert fact("repeats", make_event("alert.fired", 0)) is None


def to_opening(at: int) -> int:
    morning = at - at % DAY + 8 * HOUR
    return morning if morning > at else morning + DAY


def test_only_what_some_rule_asks_for_is_recorded() -> None:
    last_values = LastValues()
    assert {"alert.fired", "change.deployed", "change.rotated"} <= last_values.kinds
    last_values.want(["rollback", "share"])
    of_every_pack = TABLES["incident"].kinds
    assert last_values.kinds == {"change.deployed", "change.rolled_back", "change.merged"} | of_every_pack
    assert last_values.record(make_event("change.configured", 0, subject="pool", labels={"revision": "a"})) == []
    assert last_values.record(deployed(0, "1")) == ["version:db|production"]
    assert last_values.record(deployed(0, "1")) == []


def test_every_fact_that_needs_a_table_is_one_that_there_is() -> None:
    assert {fact for table in TABLES.values() for fact in table.facts} <= DERIVED.keys()


def test_last_values_are_bounded_by_count_and_by_age() -> None:
    last_values = LastValues()
    for minute in range(2 * MOST_VALUES):
        last_values.record(deployed(minute, str(minute)))
    (entries,) = last_values.tables["version"].values()
    assert len(entries) == MOST_VALUES
    assert entries[-1][1] == str(2 * MOST_VALUES - 1)
    assert last_values.forget_before(START + RETENTION.last_value) == []
    assert last_values.forget_before(START + RETENTION.last_value + HOUR) == ["version:db|production"]
    assert last_values.tables["version"] == {}


def test_what_else_tools_tell_of_an_incident_is_its_own() -> None:
    def told(kind: Kind, minute: float, service: str | None = None, **labels: str) -> Event:
        at = Instant(START + round(minute * MINUTE))
        return Event(f"{kind}{minute}", "pagerduty/acme", at, kind, service, subject="Q1", labels=labels)

    known = LastValues()
    known.record(told("incident.opened", 0, "payments"))
    assert known.placed(told("change.ran", 8)).service == "payments", "an action that was run from it"
    update = known.placed(told("impact.started", 8, evidence="status_post"))
    assert (update.service, update.began_at) == ("payments", START), "no earlier than the incident"
    ended = known.placed(told("alert.resolved", 9, "payments"))
    assert ended.kind == "incident.closed", "a person had opened it"
    assert LastValues().placed(told("alert.resolved", 9, "payments")).kind == "alert.resolved"


def test_a_certificate_that_ends_as_it_begins_has_no_share_of_a_lifetime() -> None:
    ends = Instant(START + 10 * DAY)
    assert fact("lifetime_left", expiring(0, 10, not_before=str(to_text(ends)))) is None
    assert fact("lifetime_left", expiring(0, 10, not_before=str(to_text(Instant(ends - DAY))))) == pytest.approx(10.0)


def test_without_a_service_only_what_names_its_thing_is_recorded() -> None:
    nameless = make_event("change.deployed", 1, service=None, labels={"version": "1"})
    named = make_event("change.deployed", 1, service=None, subject="importer", labels={"version": "1"})
    assert LastValues().record(nameless) == []
    assert LastValues().record(named) == ["version:|production|importer"]


def test_an_update_that_says_its_own_beginning_keeps_it() -> None:
    known = LastValues()
    known.record(make_event("incident.opened", 0, subject="Q1", source="pagerduty/acme", service="payments"))
    said: dict[str, Any] = {
        "service": None,
        "subject": "Q1",
        "source": "pagerduty/acme",
        "labels": {"evidence": "status_post"},
    }
    began = Instant(START + MINUTE)
    assert known.placed(make_event("impact.started", 8, began_at=began, **said)).began_at == began
    assert known.placed(make_event("impact.started", 8, **said)).began_at == START
    assert known.placed(make_event("change.ran", 8, service=None, subject="Q1", source=said["source"])).began_at is None


def test_a_last_value_is_forgotten_the_moment_after_its_time_and_others_stay() -> None:
    last_values = LastValues()
    last_values.record(deployed(0, "1"))
    last_values.record(deployed(60, "1", service="api"))
    last_values.record(deployed(120, "2", service="api"))
    ends = START + RETENTION.last_value
    assert last_values.forget_before(ends) == []
    assert last_values.forget_before(ends + 1) == ["version:db|production"]
    assert last_values.forget_before(ends + 2 * HOUR) == []
    assert last_values.forget_before(ends + 2 * HOUR + 1) == ["version:api|production"]
