"""A tool that answers what no tool answers costs its own events and nothing else."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
import pytest

from monitor.asking import Caller, Lines
from monitor.core.model.events import MINUTE, SECOND, Event
from monitor.core.model.reasons import FeedFailure
from monitor.decode import registry
from monitor.decode.jsontext import INLINE
from monitor.ports import Appended
from monitor.pullers import pull
from monitor.pullers.pull import PAUSE_SECONDS, Pulls
from monitor.pullers.target import Target
from tests.support.virtual_time import run_in_virtual_time
from tests.unit.pullers.test_pulls import ALERTMANAGER, GRAFANA, NOON, Site, silence

CLUSTER = Target("kubernetes", "http://cluster", "kubernetes", MINUTE, what="api/v1/events")


class Endless(Site):
    """Says at each page that another follows; a list, a watch that ends at once, or a place that is gone."""

    def __init__(self, status: int = 200, more: bool = True) -> None:
        super().__init__()
        self._status, self._more = status, more
        self.stop = asyncio.Event()

    async def get(self, url: str, query: Mapping[str, str], caller: Caller) -> tuple[int, bytes]:
        self._look(url, query, caller)
        metadata = {"resourceVersion": "1", "continue": f"page {len(self.asked)}" if self._more else ""}
        status = self._status if "continue" in query else 200
        return status, json.dumps({"kind": "EventList", "items": [], "metadata": metadata}).encode()

    async def lines(self, url: str, query: Mapping[str, str], caller: Caller, seconds: float) -> Lines:
        self._look(url, query, caller)
        line = {"type": "MODIFIED", "object": {"metadata": {"resourceVersion": str(len(self.asked))}}}
        return Lines(self._status, json.dumps(line).encode() + b"\n", has_ended=True)

    def _look(self, *asked: Any) -> None:
        self.asked.append(asked)
        if asyncio.get_running_loop().time() >= 60:
            self.stop.set()


@pytest.mark.parametrize("site", [Endless(), Endless(more=False), Endless(410), Endless(410, more=False)])
def test_who_always_has_more_is_not_asked_without_a_pause(site: Endless) -> None:
    pulls = Pulls([CLUSTER], {None: site}, site, site, site, site.clock, site.metrics, MINUTE)  # type: ignore[arg-type]
    run_in_virtual_time(asyncio.wait_for(pulls.run(site.stop), 600))
    assert 1 < len(site.asked) <= 60 / PAUSE_SECONDS + 2


class Odd(Site):
    """A Grafana that raises what nothing expects, and an Alertmanager that is well."""

    def __init__(self) -> None:
        super().__init__()
        self.stop, self.silences = asyncio.Event(), [silence(NOON - MINUTE, NOON + MINUTE)]

    async def get(self, url: str, query: Mapping[str, str], caller: Caller) -> tuple[int, bytes]:
        if url.endswith("/annotations"):
            raise ZeroDivisionError
        if asyncio.get_running_loop().time() >= 600:
            self.stop.set()
        return await super().get(url, query, caller)


def test_one_that_fails_in_an_unknown_way_ends_no_other() -> None:
    site = Odd()
    pulls = Pulls([GRAFANA, ALERTMANAGER], {None: site}, site, site, site, site.clock, site.metrics, MINUTE)  # type: ignore[arg-type]
    run_in_virtual_time(asyncio.wait_for(pulls.run(site.stop), 6_000))
    assert len(site.asked) == 2 * (600 * SECOND // ALERTMANAGER.every + 1)
    failures = site.metrics.registry.get_sample_value("nearmiss_part_failures_total", {"part": "pulls"})
    assert failures is not None
    assert failures > 1


class Deep(Site):
    async def get(self, url: str, query: Mapping[str, str], caller: Caller) -> tuple[int, bytes]:
        deep = b"[" * 100_000
        return 200, b'{"kind":"EventList","items":' + deep if url.startswith(CLUSTER.url) else deep


async def test_what_is_too_deep_is_no_answer() -> None:
    site = Deep()
    for target in (GRAFANA, CLUSTER, ALERTMANAGER):
        assert not await site.pulls().pull(target)
    assert list(site.cursors) == [ALERTMANAGER.key]
    assert [reject.reason for reject in site.rejects] == ["too_large"]
    failed = site.metrics.registry.get_sample_value("nearmiss_pull_failures_total", {"reason": FeedFailure.UNREADABLE})
    assert failed == 2


async def test_a_large_answer_is_read_beside_everything_else_and_appended_in_parts(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    site, threads, parts = Site(), list[bool](), list[int]()
    ours, append = threading.current_thread(), site.append

    def watched(*args: Any) -> Any:
        threads.append(threading.current_thread() is ours)
        return registry.decode(*args)

    async def counted(events: Sequence[Event]) -> Appended:
        parts.append(len(events))
        return await append(events)

    monkeypatch.setattr(pull, "decode", watched)
    site.append = counted  # type: ignore[method-assign]
    site.silences = [silence(NOON - MINUTE, NOON + MINUTE, id=f"s{number}") for number in range(2_500)]
    assert len(msgspec.json.encode(site.silences)) > INLINE
    await site.pulls().pull(ALERTMANAGER)
    assert (threads, parts) == ([False], [1000, 1000, 500])
    assert len(site.events) == 2_500


async def test_large_answers_are_read_one_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """Threads that read at once would each keep the others, and the event loop, from the interpreter."""
    site, at_work, most = Site(), list[int](), list[int]()

    def watched(*args: Any) -> Any:
        at_work.append(1)
        most.append(len(at_work))
        try:
            return registry.decode(*args)
        finally:
            at_work.pop()

    monkeypatch.setattr(pull, "decode", watched)
    site.silences = [silence(NOON - MINUTE, NOON + MINUTE, id=f"s{number}") for number in range(2_500)]
    pulls = site.pulls()
    targets = [msgspec.structs.replace(ALERTMANAGER, source=f"alertmanager-api/{name}") for name in "abcd"]
    await asyncio.gather(*(pulls.pull(target) for target in targets))
    assert most == [1, 1, 1, 1]
