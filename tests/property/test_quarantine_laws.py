"""What the engine fails at is put aside, and everything else comes out as if that had never arrived."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from monitor.app.metrics import Metrics
from monitor.core.deciding import engine as engine_module
from monitor.core.deciding.correlator import Correlator
from monitor.core.deciding.engine import Engine
from monitor.core.deciding.hazard_expiry import HazardExpiry
from monitor.core.deciding.judge import Judge
from monitor.core.deciding.withdrawals import Withdrawals
from monitor.core.matching.last_values import LastValues
from monitor.core.matching.matcher import Matcher
from monitor.core.model.decisions import Decision
from monitor.core.model.events import DAY, MINUTE, Event, Instant
from monitor.core.state.cells import LongestTtl, take_changes
from monitor.core.state.engine_state import EngineState
from monitor.core.state.feeds import Feeds
from monitor.core.state.hazard_outcomes import HazardOutcomes
from monitor.core.state.memory import Memory
from monitor.core.state.pending_hazards import PendingHazards
from monitor.ops.clock import ManualClock
from monitor.pipeline.lease import LeaseSettings
from monitor.pipeline.loop import EngineLoop, LoopSettings
from monitor.ports import WHOLE, Batch, Commit, Positions, Reject, Saved
from tests.support.streams import PERSON, START, clear_feed, final, make_event, new_engine, streams

AT_WORK: list[tuple[type, str]] = [
    (Matcher, "match"),
    (Memory, "add"),
    (PendingHazards, "add"),
    (HazardOutcomes, "pop"),
    (PendingHazards, "clear_alert"),
    (Correlator, "hazards"),
    (Correlator, "interventions"),
    (Correlator, "alert"),
    (Withdrawals, "impact_arrived"),
    (Feeds, "add"),
    (LastValues, "record"),
]
"""Where an event is worked on: before, amid and after what it changes."""


class Kept:
    """A journal and a store in memory, read in batches of one size; the service stops once the clock has gone on."""

    def __init__(self, events: Sequence[Event], size: int, clock: ManualClock, stop: asyncio.Event) -> None:
        self._events, self._size, self._clock, self._stop = tuple(events), size, clock, stop
        self._cells: dict[str, bytes] = {}
        self._positions: dict[str, int] = {}
        self._epoch = 0
        self._days = 12
        self.decisions: list[Decision] = []
        self.rejects: dict[str | None, Reject] = {}

    async def read(self, positions: Positions, limit: int) -> Batch:
        start = positions.get("j", 0)
        end = min(start + min(limit, self._size), len(self._events))
        return Batch(self._events[start:end], {"j": end}, at_head=end == len(self._events))

    async def wait(self, timeout: float) -> None:
        self._clock.advance(2 * MINUTE if self._days == 12 else DAY)
        self._days -= 1
        if not self._days:
            self._stop.set()

    async def acquire(self, owner: str, part: str = WHOLE, scopes: Sequence[str] = (), lease: int = 0) -> Saved:
        self._epoch += 1
        return Saved(dict(self._cells), dict(self._positions), self._epoch)

    async def commit(self, commit: Commit) -> int:
        assert commit.epoch == self._epoch
        for name, value in commit.cells.items():
            if value is None:
                self._cells.pop(name, None)
            else:
                self._cells[name] = value
        self._positions |= commit.positions
        self.decisions += commit.decisions
        for reject in commit.rejects:
            self.rejects.setdefault(reject.origin, reject)
        return 0

    async def heartbeat(self, part: str, epoch: int) -> None: ...

    async def release(self, part: str, epoch: int) -> None: ...


def served(events: Sequence[Event], size: int, commit_events: int) -> tuple[dict[str, dict[str, object]], list[Reject]]:
    """The drafts that the service has of a stream in the end, and what it put aside."""

    async def go() -> tuple[dict[str, dict[str, object]], list[Reject]]:
        clock, stop = ManualClock(Instant(START + 4 * DAY)), asyncio.Event()
        kept = Kept(events, size, clock, stop)
        lease = LeaseSettings(first_retry=0.001, longest_retry=0.002, standby=0.01)
        how = LoopSettings(gather_seconds=0, commit_events=commit_events, commit_seconds=1000, lease=lease)

        def make(saved: Saved) -> Engine:
            return new_engine(cells=saved.cells, aside=saved.aside)

        await EngineLoop(kept, kept, make, clock, Metrics(), how, owner="law").run(stop)
        return final(kept.decisions), list(kept.rejects.values())

    return asyncio.run(go())


def failing_at(
    monkeypatch: pytest.MonkeyPatch, place: tuple[type, str], poison: Callable[[Any], bool], *, before: bool
) -> None:
    owner, name = place
    real = getattr(owner, name)

    def fails(*arguments: Any, **named: Any) -> Any:
        hit = any(map(poison, arguments))
        if hit and before:
            raise KeyError("injected")
        done = real(*arguments, **named)
        if hit:
            raise KeyError("injected")
        return done

    monkeypatch.setattr(owner, name, fails)


@given(
    streams(40),
    st.integers(0, 39),
    st.sampled_from(AT_WORK),
    st.booleans(),
    st.sampled_from([1, 3, 50]),
    st.sampled_from([1, 7, 1000]),
)
@settings(max_examples=150, suppress_health_check=[HealthCheck.too_slow])
def test_a_failure_at_any_event_leaves_the_drafts_of_all_others(
    stream: list[Event], place: int, work: tuple[type, str], before: bool, size: int, commit_events: int
) -> None:
    stream = sorted({event.event_id: event for event in stream}.values(), key=lambda event: (event.time, event.id))
    if not stream:
        return
    poison = stream[place % len(stream)]
    with pytest.MonkeyPatch.context() as monkeypatch:
        failing_at(
            monkeypatch, work, lambda found: isinstance(found, Event) and found.event_id == poison.event_id,
            before=before,
        )  # fmt: skip
        drafts, rejects = served(stream, size, commit_events)
    others = [event for event in stream if event is not poison or not rejects]
    assert drafts == served(others, size, commit_events)[0]
    assert [reject.source for reject in rejects] in ([], [poison.source])


def in_time(*events: Event) -> list[Event]:
    return sorted(events, key=lambda event: event.time)


STORY = in_time(
    make_event("alert.fired", 0, "a1", subject="fp", severity="high"),
    make_event("change.rolled_back", 10, "c1", actor=PERSON),
    make_event("alert.resolved", 20, "r1", subject="fp", severity="high"),
    make_event("alert.fired", 600, "a2", subject="fq", severity="high", service="side"),
    make_event("change.rolled_back", 610, "c2", actor=PERSON, service="side"),
    *clear_feed("shop", -30, 3000),
)


def test_what_is_put_aside_says_what_where_and_why(monkeypatch: pytest.MonkeyPatch) -> None:
    failing_at(monkeypatch, (Memory, "add"), lambda found: getattr(found, "id", "") == "c1", before=False)
    drafts, (reject,) = served(STORY, 1000, 1000)
    assert drafts == served([event for event in STORY if event.id != "c1"], 1000, 1000)[0] != {}
    assert reject.reason == "quarantined"
    assert reject.detail.startswith("event test c1: KeyError: 'injected'\nTraceback")
    assert b'"id":"c1"' in reject.body


def test_an_episode_that_cannot_be_judged_is_put_aside_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    whole, _ = served(STORY, 1000, 1000)
    assert len(whole) == 2
    failing_at(monkeypatch, (Judge, "wake"), lambda found: "db" in getattr(found, "services", ()), before=False)
    drafts, rejects = served(STORY, 1000, 1000)
    assert [draft["service"] for draft in drafts.values()] == ["side"]
    assert [b'"a1"' in reject.body for reject in rejects] == [True]


def test_a_sweep_that_fails_is_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    whole, _ = served(STORY, 1000, 1000)
    failing_at(monkeypatch, (EngineState, "evict_expired"), lambda found: isinstance(found, EngineState), before=False)
    drafts, rejects = served(STORY, 1000, 1000)
    assert drafts == whole
    assert [reject.source for reject in rejects] == ["nearmiss/engine"]


def test_what_fails_in_writing_the_state_is_found_one_by_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing was at work then: the events are taken and committed alone until one of them fails."""
    real = take_changes

    def fails(state: EngineState, longest_ttl: LongestTtl) -> dict[str, bytes | None]:
        if any(event.id == "c1" for event, *_ in state.new_facts) or any(
            e[4].id == "c1" for e in state.awaiting_watermark
        ):
            raise UnicodeEncodeError("utf-8", "\ud800", 0, 1, "injected")
        return real(state, longest_ttl)

    monkeypatch.setattr(engine_module, "take_changes", fails)
    drafts, rejects = served(STORY, 1000, 1000)
    assert [reject.detail.partition(":")[0] for reject in rejects] == ["event test c1"]
    assert [draft["service"] for draft in drafts.values()] == ["side"]


def test_a_failing_expiry_blames_the_hazard(monkeypatch: pytest.MonkeyPatch) -> None:
    failing_at(monkeypatch, (HazardExpiry, "_expired"), lambda found: getattr(found, "id", "") == "a3", before=True)
    lonely = make_event("alert.fired", 50, "a3", subject="fx", severity="high", service="api")
    drafts, rejects = served(in_time(*STORY, lonely), 1000, 1)
    assert [reject.detail.partition(":")[0] for reject in rejects] == ["event test a3"]
    assert drafts == served(STORY, 1000, 1)[0]
