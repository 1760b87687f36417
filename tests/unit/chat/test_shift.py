"""The shift report says what the events say: what stands, what ends, what was muted, what cleared unseen."""

from __future__ import annotations

from typing import Any

from monitor.chat.bulletin import Bulletin
from monitor.chat.shift import Shift, ShiftFacts, aftermath, digest, weather
from monitor.chat.teams import Team
from monitor.core.model.catalogue import Catalogue, Feed, Service
from monitor.core.model.events import DAY, HOUR, MINUTE, Actor, Event, Instant
from monitor.core.model.near_miss import Cited, State
from monitor.ports import Record
from tests.support.records import BASE, draft, event

NOW = Instant(BASE + 12 * HOUR)
NIGHT = Shift(Instant(NOW + 15 * MINUTE), Instant(NOW + 15 * HOUR))
LAST = Shift(Instant(NOW - 10 * HOUR), Instant(NOW - HOUR))
CATALOGUE = Catalogue(
    services={
        "payments-db": Service("payments-db", owner="payments"),
        "checkout": Service("checkout", owner="payments", user_facing=True),
        "pay": Service("pay", owner="payments", user_facing=True),
        "cart": Service("cart", owner="payments", user_facing=True),
        "search": Service("search", owner="finders", user_facing=True),
    },
    feeds=(Feed("checkout", freshness=2 * HOUR), Feed("cart")),
)


def told(id: str, kind: str, hours: float, **fields: Any) -> Event:
    """`hours` from now."""
    return event(id, kind, hours * 60, base=NOW, **fields)


def facts(*events: Event, records: tuple[Record, ...] = (), team: str = "payments") -> ShiftFacts:
    ordered = sorted(events, key=lambda each: (each.time, each.id))
    return ShiftFacts(Team(team), CATALOGUE, ordered, records, "https://n.example")


def lines(bulletin: Bulletin, title: str) -> list[str]:
    (section,) = [each for each in bulletin.sections if each.title == title]
    return [line.text for line in section.lines]


def test_an_alert_stands_until_it_ends_and_is_named_once() -> None:
    report = weather(
        facts(
            told("a1", "alert.fired", -3, subject="disk", title="Disk is 91 % full"),
            told("a2", "alert.fired", -1, subject="disk", title="Disk is 97 % full"),
            told("b1", "alert.fired", -3, subject="lag", title="Lag"),
            told("b2", "alert.resolved", -2, subject="lag", title="Lag"),
            told("c1", "alert.fired", -3, subject="other", title="Other", service="search"),
        ),
        NIGHT,
        NOW,
    )
    assert lines(report, "Still firing") == ["payments-db: Disk is 91 % full, for 3 h"]


def test_what_is_below_its_limit_is_one_failure_from_trouble() -> None:
    report = weather(
        facts(
            told("a", "alert.fired", -1, subject="r", title="1 of 2 replicas", value=1.0, limit=2.0, bound="min"),
            told("b", "alert.fired", -1, subject="d", title="91 % full", value=91.0, limit=100.0, bound="max"),
        ),
        NIGHT,
        NOW,
    )
    assert lines(report, "One failure from trouble") == ["payments-db: 1 of 2 replicas, for 1 h"]
    assert lines(report, "Still firing") == ["payments-db: 91 % full, for 1 h"]


def test_silences_and_deadlines_count_where_they_end_in_the_shift() -> None:
    ends = {"expires_at": Instant(NOW + 4 * HOUR)}
    title = "Silences and deadlines that end in this shift"
    report = weather(
        facts(
            told("s1", "alert.silenced", -1, subject="disk", title="silenced: disk", **ends),
            told("s2", "alert.silenced", -1, subject="lag", title="silenced: lag", expires_at=Instant(NOW + DAY)),
            told("t1", "alert.fired", -1, subject="tls", title="TLS of pay", **ends),
            told("t2", "change.rotated", -0.5, subject="tls", title="Renewed"),
            told("u1", "alert.fired", -1, subject="cert", title="Certificate", **ends),
            told("u2", "alert.fired", -0.5, subject="cert", title="Certificate", expires_at=Instant(NOW + 2 * DAY)),
            told("v1", "alert.fired", -1, subject="job", title="Job must end", **ends),
        ),
        NIGHT,
        NOW,
    )
    assert lines(report, title) == [
        "18:40 silence ends: payments-db: silenced: disk",
        "18:40 deadline: payments-db: Job must end",
    ]


def test_maintenance_that_runs_is_named_and_what_ended_is_not() -> None:
    report = weather(
        facts(
            told("m1", "maintenance.started", -2, subject="m1", title="Move", expires_at=Instant(NOW + HOUR)),
            told("m2", "maintenance.started", -2, subject="m2", title="Over"),
            told("m3", "maintenance.ended", -1, subject="m2", title="Over"),
            told("m4", "maintenance.started", -2, subject="m4", title="Late", expires_at=Instant(NOW - HOUR)),
        ),
        NIGHT,
        NOW,
    )
    assert lines(report, "Maintenance") == ["payments-db: Move, until Mon 15:40"]


def test_a_service_without_fresh_word_of_a_feed_cannot_be_judged() -> None:
    report = weather(
        facts(
            told("c", "impact.clear", -1.5, service="checkout"),
            told("k", "impact.clear", -1.5, service="cart"),
        ),
        NIGHT,
        NOW,
    )
    assert lines(report, "Cannot be judged tonight") == [
        "cart: its feed has been silent for 1 h 30 min",
        "pay: no feed watches it",
    ]


def record(id: str, state: State = State.DRAFT, **fields: Any) -> Record:
    return Record(draft(id, **fields), state, 1)


def test_repeats_of_a_fortnight_are_named() -> None:
    old = Instant(NOW - 15 * DAY)
    records = (
        record("nm-1", repeat_of=("nm-0",), opened_at=NOW),
        record("nm-2", repeat_of=("nm-0",), opened_at=old),
        record("nm-3", State.WITHDRAWN, repeat_of=("nm-0",), opened_at=NOW),
        record("nm-4", opened_at=NOW),
    )
    report = weather(facts(records=records), NIGHT, NOW)
    assert lines(report, "Repeats of the last 14 days") == [
        "The disk of payments-db was 18 minutes from full (2 times now)"
    ]


def test_after_a_shift_what_was_muted_and_what_cleared_unseen() -> None:
    report = aftermath(
        facts(
            told("s", "alert.silenced", -11, subject="disk", expires_at=Instant(NOW)),
            told("d1", "alert.fired", -8, subject="disk", title="Disk full", severity="critical"),
            told("d2", "alert.resolved", -7.5, subject="disk"),
            told("w", "alert.silenced", -11, subject="low", expires_at=Instant(NOW)),
            told("w1", "alert.fired", -8, subject="low", title="Low", severity="warning"),
            told("x", "alert.silenced", -11, subject="gone", expires_at=Instant(NOW - 9 * HOUR)),
            told("x1", "alert.fired", -8, subject="gone", title="Paged", severity="critical"),
            told("x2", "alert.acknowledged", -7.9, subject="gone"),
            told("x3", "alert.resolved", -7, subject="gone"),
            told("l1", "alert.fired", -6, subject="lag", title="Lag", severity="high"),
            told("l2", "alert.resolved", -5.5, subject="lag"),
            told("o1", "alert.fired", -12, subject="old", title="Before the shift"),
            told("o2", "alert.resolved", -9, subject="old"),
        ),
        LAST,
    )
    assert lines(report, "Muted alerts that would have paged") == ["payments-db: Disk full, gone after 30 min"]
    assert lines(report, "Cleared before anybody looked") == ["payments-db: Lag, gone after 30 min"]


def test_saves_by_automation_and_drafts_to_judge() -> None:
    robot = Cited("intervention", told("c", "change.restarted", -5, actor=Actor(kind="automation")))
    person = Cited("intervention", told("c", "change.restarted", -5, actor=Actor(kind="human")))
    within = {"intervened_at": Instant(NOW - 5 * HOUR)}
    records = (
        record("nm-1", State.ACCEPTED, title="Saved", evidence=(robot,), **within),
        record("nm-2", State.ACCEPTED, title="By hand", evidence=(person,), **within),
        record("nm-3", title="Before", evidence=(robot,), intervened_at=Instant(NOW - 20 * HOUR)),
        record("nm-4", title="Quiet", evidence=(person,), mode="digest"),
        record("nm-5", title="Theirs", service="search", services=("search",)),
    )
    report = aftermath(facts(records=records), LAST)
    assert lines(report, "Automation saved it") == ["Saved"]
    assert lines(report, "Drafts to judge") == ["Before"]
    everything = aftermath(facts(records=records, team="*"), LAST)
    assert lines(everything, "Drafts to judge") == ["Before", "Theirs"]


def test_a_digest_has_what_waits_and_what_was_accepted() -> None:
    records = (
        record("nm-1", title="Waits", opened_at=Instant(NOW - 9 * DAY)),
        record("nm-2", title="Quiet", mode="digest", opened_at=NOW),
        record("nm-3", State.ACCEPTED, title="New", opened_at=NOW),
        record("nm-4", State.ACCEPTED, title="Old", opened_at=Instant(NOW - 9 * DAY)),
    )
    report = digest(facts(records=records), Instant(NOW - DAY), NOW, "Near misses")
    assert report.title == "Near misses, Monday 2 February"
    assert lines(report, "To judge") == ["Waits"]
    assert lines(report, "In the digest") == ["Quiet"]
    assert lines(report, "Accepted as near misses") == ["New"]


def test_a_quiet_night_says_so_in_every_section() -> None:
    for report in (weather(facts(), NIGHT, NOW), aftermath(facts(), LAST)):
        for section in report.sections:
            assert section.lines or section.none
