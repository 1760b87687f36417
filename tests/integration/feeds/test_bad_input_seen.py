"""What a bad Prometheus answers has a name on the page of sources, loses nothing, and holds up no other."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec
import pytest

from monitor.app.metrics import Metrics
from monitor.core.model.catalogue import Catalogue
from monitor.core.model.events import MINUTE, Instant
from monitor.feeds.pull import Puller
from monitor.feeds.tools import Tools
from monitor.ops.clock import ManualClock
from monitor.ops.source_report import source_report
from monitor.store.database import open_store
from tests.integration.feeds.test_prometheus import Answer, Fake, matrix, well
from tests.support.fake_prometheus import probe_feed

START = 1_800_000_000_000_000 // MINUTE * MINUTE
SLOW = (0, b"")
"""Stands for no answer."""


@contextmanager
def serving() -> Iterator[Fake]:
    with Fake() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield server
        finally:
            server.go_on.set()
            server.shutdown()
            thread.join()


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        pytest.param(SLOW, "timeout", id="slow"),
        pytest.param((422, b'{"status":"error","error":"too many samples"}'), "refused", id="422"),
        pytest.param(matrix({}, warnings=["a store is away"]), "partial", id="partial"),
        pytest.param((401, b"no org id"), "denied", id="no tenant"),
        pytest.param((403, b'{"status":"error","error":"another tenant"}'), "denied", id="another tenant"),
        pytest.param((401, b"token is expired"), "denied", id="expired token"),
        pytest.param((200, b" " * 3_000_000), "too_large", id="enormous"),
        pytest.param((200, b"<html>"), "unreadable", id="another program"),
    ],
)
async def test_a_bad_answer_is_on_the_page_of_sources_and_the_same_is_asked_again(
    answer: Answer, reason: str, tmp_path: Path
) -> None:
    clock, metrics = ManualClock(START), Metrics()
    with serving() as bad, serving() as good:

        def badly(_form: dict[str, str]) -> Answer:
            if answer is SLOW:
                bad.go_on.wait()
            return answer

        bad.answer = badly
        feeds = [probe_feed(name, at.address, source=name) for name, at in (("poor", bad), ("well", good))]
        async with open_store(f"sqlite:///{tmp_path / 'n.db'}") as store, Tools(seconds=0.5) as tools:
            puller = Puller(feeds, tools, store.journal, store.feed_cursors, clock, metrics, lambda _: None)
            await puller.round(feeds, asyncio.Event())
            hours, words = metrics.arrivals.take()
            report = source_report(hours, words, Catalogue(), (), Instant(START))
            rows = {row.state.source: row for row in report.sources}
            (said,) = rows["poor"].reasons
            assert (said.reason, said.is_understood) == (reason, False)
            assert said.detail.startswith(f"{reason}: ")
            assert rows["poor"].kinds == ()
            assert set(dict(rows["well"].kinds)) == {"impact.clear"}
            assert await store.feed_cursors.load(feeds[0].name.digest) is None, "nothing is passed over"
            first = bad.asked[0][0]["start"]

            bad.answer = well
            bad.go_on.set()
            while await puller.pull(feeds[0]):
                pass
            assert bad.asked[1][0]["start"] == first
            written = msgspec.json.decode((await store.feed_cursors.load(feeds[0].name.digest) or "").encode())
            assert written["at"] == START - feeds[0].settle // MINUTE * MINUTE - MINUTE
            assert metrics.registry.get_sample_value("nearmiss_feed_failures_total", {"reason": reason}) == 1


async def test_a_label_that_is_not_there_is_blind_for_want_of_data(tmp_path: Path) -> None:
    clock, metrics = ManualClock(START), Metrics()
    with serving() as server:
        server.answer = lambda _: matrix({})
        feed = probe_feed("checkout", server.address)
        async with open_store(f"sqlite:///{tmp_path / 'n.db'}") as store, Tools() as tools:
            puller = Puller([feed], tools, store.journal, store.feed_cursors, clock, metrics, lambda _: None)
            assert not await puller.pull(feed)
    assert metrics.registry.get_sample_value("nearmiss_feed_steps_total", {"state": "no_data"}) == 60
    assert metrics.arrivals.take()[1] == []
