"""An incident is foretold by near misses of the same subject, alert or barrier, for half a year, and by no other."""

from __future__ import annotations

from typing import Any

import pytest

from monitor.chat.told import AROUND, WITHIN, earlier, is_incident, told_bulletin
from monitor.core.model.events import DAY, MINUTE, Event, Instant
from monitor.core.model.near_miss import State
from monitor.ports import Record
from tests.support.records import BASE, draft, event

IMPACT_AT = Instant(BASE + 10 * DAY)


def now(id: str, kind: str, minutes: float = 0, **fields: Any) -> Event:
    return event(id, kind, minutes, base=IMPACT_AT, **fields)


def near_miss(id: str = "nm-1", **fields: Any) -> Record:
    return Record(draft(id, **fields), State.ACCEPTED, 1)


IMPACT = now("i1", "impact.started", service="payments-db", title="Payments fail")
DISK = now("a9", "alert.fired", -30, title="Disk of pg-7 is 99 % full", subject="disk-pg-7")


def by(*around: Event, impact: Event = IMPACT, record: Record | None = None) -> list[str]:
    found = earlier(impact, around, [record or near_miss()])
    return [each for one in found for each in one.by]


def test_the_same_thing() -> None:
    alert = now("a9", "alert.fired", -5, title="Something else", subject="disk-pg-3")
    assert by(alert) == ["subject"]
    impact = now("i1", "impact.started", service="other", subject="disk-pg-3")
    assert by(impact=impact) == ["subject"]


def test_the_same_alert_here_and_elsewhere() -> None:
    assert by(DISK) == ["key"]
    assert by(DISK, record=near_miss(service="orders-db", services=("orders-db",))) == ["pattern"]


def test_what_caught_it_then_was_tried_again() -> None:
    assert by(now("c9", "change.ran", -10)) == ["barrier"]
    assert by(now("c9", "change.scaled", -10)) == []


@pytest.mark.parametrize(
    "alert",
    [
        now("a9", "alert.fired", -AROUND / MINUTE - 1, title="Disk of pg-7 is 99 % full"),
        now("a9", "alert.fired", 1, title="Disk of pg-7 is 99 % full"),
        now("a9", "alert.fired", -30, title="Disk of pg-7 is 99 % full", service="search"),
        now("a9", "alert.resolved", -30, title="Disk of pg-7 is 99 % full"),
    ],
)
def test_what_is_long_before_or_after_or_elsewhere_is_no_sign(alert: Event) -> None:
    assert by(alert) == []


def test_a_near_miss_counts_for_half_a_year_and_not_when_it_is_the_incident_itself() -> None:
    edge = Instant(IMPACT_AT - WITHIN)
    assert by(DISK, record=near_miss(opened_at=edge)) == ["key"]
    assert by(DISK, record=near_miss(opened_at=Instant(edge - 1))) == []
    assert by(DISK, record=near_miss(safe_at=IMPACT_AT)) == []


def test_the_strongest_and_then_the_newest_is_first() -> None:
    records = [
        near_miss("old", opened_at=Instant(IMPACT_AT - 5 * DAY)),
        near_miss("new", opened_at=Instant(IMPACT_AT - DAY)),
        near_miss("weak", opened_at=Instant(IMPACT_AT - MINUTE), evidence=(draft().evidence[5],)),
    ]
    around = (now("a9", "alert.fired", -5, title="Disk of pg-3 is 12 % full", subject="x"), now("c9", "change.ran", -4))
    assert [each.record for each in earlier(IMPACT, around, records)] == ["new", "old", "weak"]
    assert [each.by for each in earlier(IMPACT, around, records)] == [("key", "barrier"), ("key", "barrier"), ("key",)]


def test_what_a_reviewer_says_of_a_draft_is_no_new_incident() -> None:
    assert is_incident(IMPACT)
    assert not is_incident(now("i2", "impact.started", labels={"record": "nm-1"}))
    assert not is_incident(now("i2", "impact.ended"))


def test_the_message_says_when_and_why_it_was_close() -> None:
    found = earlier(IMPACT, [DISK], [near_miss()])
    bulletin = told_bulletin(IMPACT, found, "https://n.example")
    assert bulletin.title == "It was close before – payments-db: Payments fail"
    (line,) = bulletin.sections[0].lines
    assert line.text == "The disk of payments-db was 18 minutes from full (9 d 22 h before; accepted; the same alert)"
    assert line.url == "https://n.example/near-misses/nm-1"
