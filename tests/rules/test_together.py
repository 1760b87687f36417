"""What the shipped rules do together: which of them names an episode, and what only several drafts can show."""

from __future__ import annotations

from typing import Any

from monitor.core.model.events import Event
from monitor.lab.ledger import Ledger
from tests.support.shipped import read_shipped
from tests.support.streams import PERSON, clear_feed, make_event, new_engine, run

DAY = 24 * 60
RULES = read_shipped()


def emptied(at: float) -> list[Event]:
    """A disk alert at minute `at`, taken by a person who empties the disk; recovered half an hour later."""
    about: dict[str, Any] = {"subject": "disk-0"}
    measured: dict[str, Any] = {"value": 96.0, "limit": 100.0, "unit": "percent", "bound": "max"}
    return [
        make_event("alert.fired", at, severity="high", title="disk nearly full", **about, **measured),
        make_event("alert.acknowledged", at + 4, actor=PERSON, **about),
        make_event("change.ran", at + 25, actor=PERSON, **about),
        make_event("alert.resolved", at + 30, **about),
    ]


def drafts_of(*stories: list[Event], days: int) -> list[tuple[str, ...]]:
    """The rules behind each standing draft, in order, while a probe saw users well throughout."""
    events = [event for story in stories for event in story]
    stream = sorted([*events, *clear_feed("shop", 0, days * DAY)], key=lambda e: (e.time, e.source, e.id))
    ledger = Ledger()
    ledger.record(run(new_engine(list(RULES)), stream))
    return [entry.draft.rules for entry in ledger.entries()]


def test_a_specific_rule_names_it_before_the_catch_all() -> None:
    (rules,) = drafts_of(emptied(60), days=2)
    assert rules == ("full-averted", "page-and-manual-fix")


def test_the_second_time_is_told_as_a_repeat() -> None:
    first, second = drafts_of(emptied(60), emptied(60 + 21 * DAY), days=24)
    assert "same-near-miss-again" not in first
    assert "same-near-miss-again" in second


def test_a_quiet_week_of_releases_opens_nothing() -> None:
    """Alerts that clear by themselves while others release, ramp flags and restart jobs next door."""
    events = []
    for day in range(7):
        at = day * DAY + 600.0
        events += [
            make_event("alert.fired", at, subject="latency", severity="high"),
            make_event("change.deployed", at + 6, service="api", actor=PERSON, labels={"version": f"{day}"}),
            make_event("change.flag_set", at + 7, service="api", actor=PERSON, labels={"flag": "f", "value": f"{day}"}),
            make_event("change.restarted", at + 8, service="api", subject="report", actor=PERSON),
            make_event("alert.resolved", at + 15, subject="latency"),
        ]
    assert drafts_of(events, days=9) == []
