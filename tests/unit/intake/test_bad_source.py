"""A source that sends what cannot be used costs the others no turn of the loop, and what it sent has a name."""

from __future__ import annotations

import asyncio
import json
import math
import threading
from collections.abc import Awaitable, Generator, Iterator, Sequence
from typing import Any, Generic, TypeVar

import httpx
import pytest
from fastapi import FastAPI

from monitor.app.metrics import Metrics
from monitor.core.model.catalogue import Catalogue
from monitor.core.model.events import DAY, Event, EventId, Instant, to_text
from monitor.core.model.reasons import Rejected
from monitor.decode import mapped
from monitor.decode.jsontext import INLINE
from monitor.decode.mapped import QUICK_STEPS
from monitor.decode.registry import use_own
from monitor.decode.tool import Tool
from monitor.intake import flight
from monitor.intake.flight import Flight
from monitor.intake.receiver import Receiver
from monitor.intake.senders import IntakeAccess
from monitor.intake.webhooks import IntakeSettings, build_router
from monitor.ops.clock import ManualClock
from monitor.ops.source_report import source_report
from monitor.ports import Appended, Reject
from tests.unit.packs.mappings.mapped import mapping, tool_from

NOW = Instant(20_000 * DAY)
MOST_STEPS = 20 * QUICK_STEPS
TOO_MANY = 3 * (QUICK_STEPS + 1)
"""Of three mappings, on the loop."""
Result = TypeVar("Result")

MANY = "[" + ", ".join(["join('-', keys(@))"] * 20) + "]"
LABELS = ", ".join(f'{name}: "{MANY}"' for name in "abcde")
GROWN = "join('', items[*].join('', [a, a, a, a]))"


def named(name: str, events: str, rest: str = "") -> Tool:
    return tool_from(mapping(events, rest).replace("mapping: tool", f"mapping: {name}", 1))


TOOLS = (
    named("laborious", f"  - {{kind: alert.fired, labels: {{{LABELS}}}}}", "each: items"),
    named("growing", f'  - {{kind: alert.fired, title: "{GROWN}"}}'),
    named("silent", "  - {kind: alert.fired, when: {state: down}}"),
)
"""What one needs far too many steps for, what one makes of a text many times as long, and what none of this fits."""


class Kept:
    """A journal and what was refused, in memory."""

    def __init__(self) -> None:
        self.events: dict[EventId, Event] = {}
        self.rejects: list[Reject] = []

    async def append(self, events: Sequence[Event]) -> Appended:
        fresh = tuple(event.event_id not in self.events for event in events)
        self.events |= {event.event_id: event for event in events}
        return Appended(fresh)

    async def add(self, rejects: Sequence[Reject]) -> tuple[int, ...]:
        self.rejects += rejects
        return ()


class Turns(Generic[Result]):
    """How often what is awaited gave the loop to others before it was done."""

    def __init__(self, work: Awaitable[Result]) -> None:
        self._work = work
        self.count = 0

    def __await__(self) -> Generator[Any, Any, Result]:
        steps = self._work.__await__()
        sent: Any = None
        while True:
            try:
                given = steps.send(sent)
            except StopIteration as done:
                found: Result = done.value
                return found
            self.count += 1
            sent = yield given


class Site:
    """The way in with sources of all sorts; `steps` are those that mappings took where nothing else could go on."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.kept, self.metrics, self.flight = Kept(), Metrics(), Flight(64 << 20)
        self.at_work, self.go_on = threading.Event(), threading.Event()
        self.steps = 0
        # Fewer than in earnest, since each is counted here.
        monkeypatch.setattr(mapped, "MOST_STEPS", MOST_STEPS)
        # The others that need a thread wait for the one that is held, however long a busy machine takes.
        monkeypatch.setattr(flight, "QUEUE_SECONDS", math.inf)
        loop_thread, spend = threading.current_thread(), mapped.Budget.spend

        def watched(budget: mapped.Budget, steps: int = 1) -> None:
            if threading.current_thread() is loop_thread:
                self.steps += steps
                if self.steps > TOO_MANY:
                    self.at_work.set()
            else:
                self.at_work.set()
                self.go_on.wait()
            spend(budget, steps)

        monkeypatch.setattr(mapped.Budget, "spend", watched)
        clock = ManualClock(NOW)
        receiver = Receiver(self.kept, self.kept, clock, self.metrics, DAY, self.flight)  # type: ignore[arg-type]  # what is asked of it
        self.app = FastAPI()
        access = IntakeAccess({"zendesk/acme": ("the-secret",)})
        self.app.include_router(build_router(receiver, clock, IntakeSettings(access=access), self.flight))
        self.http = httpx.AsyncClient(transport=httpx.ASGITransport(self.app), base_url="http://localhost")

    async def good(self, number: int) -> int:
        """Send a good event; how many turns it took until it was durable."""
        body = {"id": f"g{number}", "source": "shop", "time": to_text(NOW), "kind": "note.added", "service": "checkout"}
        turns = Turns(self.http.post("/ingest/events", content=json.dumps(body).encode()))
        answer = await turns
        assert (answer.status_code, answer.json()["accepted"]) == (202, 1)
        return turns.count


@pytest.fixture
def site(monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    use_own(TOOLS)
    try:
        yield Site(monkeypatch)
    finally:
        use_own([])


LABORIOUS = json.dumps({"items": [{}] * (INLINE // 4 - 10)}).encode()
GROWING = json.dumps({"items": [{"a": "x" * 100}] * 100}).encode()
OLD = json.dumps({"messages": [{"event": "incident.trigger", "incident": {"id": "P1"}}]}).encode()
BAD: list[tuple[str, bytes, dict[str, str], int, str]] = [
    ("laborious", LABORIOUS, {}, 202, "mapping_overrun"),
    ("growing", GROWING, {}, 202, "mapping_overrun"),
    ("silent", b'{"state": "sideways"}', {}, 202, "unknown_type"),
    ("pagerduty", OLD, {}, 202, "not_an_event"),
    ("github", b'{"action": "created"}', {"x-github-event": "brand_new"}, 202, "unknown_type"),
    ("sentry", b" " * (6 << 20), {}, 413, "too_large"),
]


async def test_what_is_bad_takes_no_turn_from_what_is_good_and_has_its_name(site: Site) -> None:
    assert len(LABORIOUS) <= INLINE, "short enough to be read at once, were it not for the mapping"
    async with site.http, asyncio.TaskGroup() as sending:
        alone = [await site.good(number) for number in range(5)]
        bad = [
            sending.create_task(site.http.post(f"/ingest/{source}", content=body, headers=headers))
            for source, body, headers, _, _ in BAD
        ]
        await asyncio.to_thread(site.at_work.wait)
        beside = [await site.good(number) for number in range(5, 10)]
        assert not bad[0].done(), "its many steps are not done yet"
        site.go_on.set()
    assert beside == alone
    assert site.steps <= TOO_MANY
    assert [event.id for event in site.kept.events.values() if event.source == "shop"] == [f"g{n}" for n in range(10)]

    hours, words = site.metrics.arrivals.take()
    rows = {row.state.source: row for row in source_report(hours, words, Catalogue(), (), NOW).sources}
    assert set(dict(rows["shop"].kinds)) == {"note.added"}
    for (source, body, _, status, reason), sent in zip(BAD, bad, strict=True):
        answer = sent.result()
        assert answer.status_code == status, source
        assert [each.reason for each in rows[source].reasons] == [reason], source
        assert all(each.detail for each in rows[source].reasons), source
        kept = [each.body for each in site.kept.rejects if each.source == source]
        if reason in set(Rejected):
            assert [body.startswith(each) and each for each in kept] == kept, source
            assert len(kept) == 1, "nothing is lost: it can be read again once the mapping is right"


async def test_a_secret_that_does_not_fit_is_shown_with_its_source_and_no_account_that_was_made_up(site: Site) -> None:
    async with site.http:
        for account in ("acme", "made-up-1", "made-up-2"):
            answer = await site.http.post(f"/ingest/zendesk/{account}", content=b"{}")
            assert answer.status_code == 401
    hours, words = site.metrics.arrivals.take()
    report = source_report(hours, words, Catalogue(), (), NOW)
    rows = {row.state.source: [(each.reason, each.count) for each in row.reasons] for row in report.sources}
    assert rows == {"zendesk/acme": [("bad_signature", 1)], "zendesk": [("bad_signature", 2)]}


async def test_a_mapping_that_needs_some_steps_more_is_read_all_the_same(site: Site) -> None:
    site.go_on.set()
    count = QUICK_STEPS // 100
    body = json.dumps({"items": [{"n": number} for number in range(count)]}).encode()
    async with site.http:
        answer = await site.http.post("/ingest/laborious", content=body)
    assert (answer.json()["accepted"], answer.json()["rejected"]) == (count, [])
    assert site.at_work.is_set()
