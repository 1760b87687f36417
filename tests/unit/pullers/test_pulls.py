"""What is asked becomes events once, the cursor moves only behind them, and a downtime leaves no gap."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from monitor.app.metrics import Metrics
from monitor.asking import Caller, Lines, QueryFailed
from monitor.core.model.events import DAY, HOUR, MINUTE, Event, Instant, to_text
from monitor.core.model.reasons import FeedFailure
from monitor.ops.clock import ManualClock
from monitor.ports import Appended, Reject, Unavailable
from monitor.pullers.grafana import MOST
from monitor.pullers.pull import Pulls
from monitor.pullers.target import Target

NOON = Instant(20_000 * DAY + 12 * HOUR)
ALERTMANAGER = Target("alertmanager", "http://am/", "alertmanager-api/eu")
GRAFANA = Target("grafana", "http://grafana", "grafana-annotations", caller=Caller({"Authorization": "Bearer x"}))


class Site:
    """A tool, a journal and a store that fail when they are told to."""

    def __init__(self) -> None:
        self.clock, self.metrics = ManualClock(NOON), Metrics(sources=["alertmanager-api"])
        self.silences: list[dict[str, Any]] = []
        self.alerts: list[dict[str, Any]] = []
        self.notes: list[dict[str, Any]] = []
        self.asked: list[tuple[str, Mapping[str, str], Caller]] = []
        self.events: list[Event] = []
        self.rejects: list[Reject] = []
        self.cursors: dict[str, str] = {}
        self.failure: QueryFailed | None = None
        self.is_full = False

    async def get(self, url: str, query: Mapping[str, str], caller: Caller) -> tuple[int, bytes]:
        self.asked.append((url, query, caller))
        if self.failure is not None:
            raise self.failure
        if url.endswith("/annotations"):
            first, until = int(query["from"]), int(query["to"])
            found = [one for one in self.notes if first <= one["time"] <= until]
            return 200, json.dumps(found[-MOST:]).encode()
        return 200, json.dumps(self.silences if url.endswith("silences") else self.alerts).encode()

    async def lines(self, url: str, query: Mapping[str, str], caller: Caller, seconds: float) -> Lines:
        raise AssertionError(f"{url} is no stream")

    async def append(self, events: Sequence[Event]) -> Appended:
        if self.is_full:
            raise Unavailable("the disk is full")
        self.events += events
        return Appended((True,) * len(events))

    async def add(self, rejects: Sequence[Reject]) -> tuple[int, ...]:
        self.rejects += rejects
        return ()

    async def load(self, feed: str) -> str | None:
        return self.cursors.get(feed)

    async def save(self, feed: str, at: Instant, cursor: str) -> None:
        self.cursors[feed] = cursor

    def pulls(self) -> Pulls:
        return Pulls([], {None: self}, self, self, self, self.clock, self.metrics, MINUTE)  # type: ignore[arg-type]


def silence(began: int, ends: int, state: str = "active", **more: Any) -> dict[str, Any]:
    return {
        "id": "s1",
        "status": {"state": state},
        "startsAt": to_text(began),
        "endsAt": to_text(ends),
        "updatedAt": to_text(began),
        "createdBy": "dev-one",
        "comment": "noisy",
        "matchers": [{"name": "service", "value": "payments", "isRegex": False, "isEqual": True}],
    } | more


def muted(**status: list[str]) -> dict[str, Any]:
    return {
        "labels": {"alertname": "ErrorRate", "service": "payments"},
        "annotations": {},
        "startsAt": to_text(NOON - 20 * MINUTE),
        "endsAt": to_text(NOON + 3 * MINUTE),
        "updatedAt": to_text(NOON - MINUTE),
        "fingerprint": "9f2c0d3b51e07a44",
        "status": {"state": "suppressed", "silencedBy": [], "inhibitedBy": [], **status},
    }


async def test_a_silence_and_the_alert_that_it_mutes_come_once_with_who_why_and_until() -> None:
    site = Site()
    pulls = site.pulls()
    site.silences = [silence(NOON - HOUR, NOON + HOUR)]
    site.alerts = [muted(silencedBy=["s1"], inhibitedBy=["abc"])]
    assert not await pulls.pull(ALERTMANAGER)
    made, fired, by_person, by_alert = site.events
    assert [event.kind for event in site.events] == [
        "alert.silenced",
        "alert.fired",
        "alert.silenced",
        "alert.silenced",
    ]
    for event in (made, by_person):
        assert event.actor is not None
        assert (event.actor.id, event.labels["comment"], event.expires_at) == ("dev-one", "noisy", NOON + HOUR)
    assert (by_person.subject, by_person.service) == (fired.subject, "payments")
    assert (by_alert.labels["inhibited_by"], by_alert.expires_at) == ("abc", None)
    assert {event.source for event in site.events} == {"alertmanager-api/eu"}

    site.clock.advance(MINUTE)
    site.alerts = [muted(silencedBy=["s1"], inhibitedBy=["abc"]) | {"updatedAt": to_text(NOON)}]
    await site.pulls().pull(ALERTMANAGER)
    assert len(site.events) == 4
    assert [(url, parameters.get("active")) for url, parameters, _ in site.asked[:2]] == [
        ("http://am/api/v2/silences", None),
        ("http://am/api/v2/alerts", "false"),
    ]


@pytest.mark.parametrize("by_hand", [False, True])
async def test_a_silence_of_our_downtime_is_read_afterwards(by_hand: bool) -> None:
    site = Site()
    pulls = site.pulls()
    await pulls.pull(ALERTMANAGER)
    site.clock.advance(5 * HOUR)
    began, ended = NOON + HOUR, NOON + 2 * HOUR
    older = silence(NOON - 3 * HOUR, NOON - 2 * HOUR, "expired", id="s0")
    site.silences = [silence(began, ended, "expired", updatedAt=to_text(ended if by_hand else began)), older]
    await pulls.pull(ALERTMANAGER)
    (event,) = site.events
    assert (event.kind, event.time, event.expires_at) == ("alert.silenced", began, ended)
    await pulls.pull(ALERTMANAGER)
    assert len(site.events) == 1


async def test_nothing_moves_while_something_fails() -> None:
    site = Site()
    pulls = site.pulls()
    site.silences = [silence(NOON - HOUR, NOON + HOUR)]
    site.failure = QueryFailed(FeedFailure.DENIED, "http://am: answered 401")
    assert not await pulls.pull(ALERTMANAGER)
    site.failure, site.is_full = None, True
    assert not await pulls.pull(ALERTMANAGER)
    assert (site.events, site.cursors) == ([], {})
    site.is_full = False
    await pulls.pull(ALERTMANAGER)
    assert len(site.events) == 1
    assert site.metrics.registry.get_sample_value("nearmiss_pull_failures_total", {"reason": "denied"}) == 1
    (failed, *_) = (word for word in site.metrics.arrivals.take()[1] if word.what == "failed")
    assert (failed.source, failed.word) == ("alertmanager-api/eu", "denied")


async def test_what_is_none_and_what_cannot_be_read_have_reasons() -> None:
    site = Site()
    site.silences = [silence(NOON - HOUR, NOON + HOUR) | {"id": None}]
    await site.pulls().pull(ALERTMANAGER)
    assert [(reject.reason, reject.source) for reject in site.rejects] == [("missing_field", "alertmanager-api/eu")]
    site.silences = {"no": "array"}  # type: ignore[assignment]
    await site.pulls().pull(ALERTMANAGER)
    assert site.metrics.registry.get_sample_value("nearmiss_pull_failures_total", {"reason": "unreadable"}) == 1
    site.cursors[ALERTMANAGER.key] = "{"
    site.silences = []
    await site.pulls().pull(ALERTMANAGER)
    assert json.loads(site.cursors[ALERTMANAGER.key])["at"] == NOON


def note(number: int, at: int, **more: Any) -> dict[str, Any]:
    return {
        "id": number,
        "alertId": 0,
        "time": at // 1000,
        "text": "2.14",
        "tags": ["deploy"],
        "login": "dev-one",
    } | more


async def test_annotations_are_read_oldest_first_a_day_at_a_time() -> None:
    site = Site()
    pulls = site.pulls()
    await pulls.pull(GRAFANA)
    assert site.asked[-1][2].headers == {"Authorization": "Bearer x"}
    site.clock.advance(3 * DAY)
    site.notes = [note(number, NOON + number * DAY // 2) for number in range(6)]
    assert [await pulls.pull(GRAFANA) for _ in range(3)] == [True, True, False]
    assert [event.id for event in site.events] == ["0", "1", "2", "3", "4", "5"]
    assert {event.kind for event in site.events} == {"change.deployed"}


async def test_an_answer_that_is_full_is_asked_in_parts() -> None:
    site = Site()
    pulls = site.pulls()
    await pulls.pull(GRAFANA)
    site.clock.advance(HOUR)
    site.notes = [note(number, NOON + number * 1_000_000) for number in range(MOST + 500)]
    while await pulls.pull(GRAFANA):
        pass
    assert len(site.events) == MOST + 500


async def test_a_cursor_of_a_month_ago_starts_a_week_ago() -> None:
    site = Site()
    await site.pulls().pull(GRAFANA)
    site.clock.advance(30 * DAY)
    await site.pulls().pull(GRAFANA)
    assert int(site.asked[-1][1]["from"]) * 1000 == NOON + 23 * DAY - HOUR
