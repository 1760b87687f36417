"""A cluster is listed once and then watched: nothing twice, nothing lost, no haste where the server sends us away."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pytest

from monitor.asking import Caller, Lines
from monitor.core.model.events import DAY, HOUR, MINUTE, Event, Instant, to_text
from monitor.pullers.kubernetes import PAGE
from monitor.pullers.pull import Pulls
from monitor.pullers.target import Target
from tests.support.fake_kubernetes import FakeKubernetes
from tests.unit.pullers.test_pulls import NOON, Site

EVENTS = Target("kubernetes", "https://api", "kubernetes/eu", what="api/v1/events")


class Cluster(Site):
    """A site whose tool is a Kubernetes API."""

    def __init__(self, api: FakeKubernetes | None = None) -> None:
        super().__init__()
        self.api = api or FakeKubernetes()
        self.hangs_up = False
        self.made_up: tuple[int, bytes] | None = None

    async def get(self, url: str, query: Mapping[str, str], caller: Caller) -> tuple[int, bytes]:
        if self.failure is not None:
            raise self.failure
        return self.made_up or self.api.list(query)

    async def lines(self, url: str, query: Mapping[str, str], caller: Caller, seconds: float) -> Lines:
        assert seconds == EVENTS.every / 1_000_000
        status, body = self.made_up or self.api.watch(query)
        return Lines(status, body, status != 200 or self.hangs_up)

    def place(self) -> str:
        return str(json.loads(self.cursors[EVENTS.key])["place"])


def scaled(number: int, time: int, **more: Any) -> dict[str, Any]:
    return {
        "kind": "Event",
        "metadata": {"uid": f"u{number:05}", "name": f"shop.{number}"},
        "involvedObject": {"kind": "Deployment", "namespace": "web", "name": "shop"},
        "reason": "ScalingReplicaSet",
        "message": f"Scaled up replica set shop-6f6b679f8f to {number}",
        "lastTimestamp": to_text(Instant(time)),
        "count": 1,
    } | more


async def drain(pulls: Pulls, turns: int = 20) -> int:
    """Pull until there is nothing more at once; how often."""
    for turn in range(1, turns + 1):
        if not await pulls.pull(EVENTS):
            return turn
    raise AssertionError(f"still more after {turns} turns")


def ids(events: list[Event]) -> list[str]:
    return [str(event.id) for event in events]


async def test_after_the_list_the_watch_goes_on_from_its_version() -> None:
    site = Cluster()
    site.api.put("ADDED", scaled(1, NOON - MINUTE))
    site.hangs_up = True
    pulls = site.pulls()
    assert await pulls.pull(EVENTS)
    assert (ids(site.events), site.place()) == (["u00001:1"], "watch 1")
    site.api.put("ADDED", scaled(2, NOON))
    site.api.put("MODIFIED", scaled(2, NOON, count=2))
    site.api.put("DELETED", scaled(1, NOON - MINUTE))
    assert await pulls.pull(EVENTS)
    assert (ids(site.events), site.place()) == (["u00001:1", "u00002:1", "u00002:2"], "watch 4")
    assert site.api.asked[-1] == {
        "watch": "1",
        "resourceVersion": "1",
        "allowWatchBookmarks": "true",
        "timeoutSeconds": "120",
    }
    assert {(event.source, event.service) for event in site.events} == {("kubernetes/eu", "shop")}


async def test_a_bookmark_moves_the_place_where_nothing_happens() -> None:
    site = Cluster()
    pulls = site.pulls()
    await pulls.pull(EVENTS)
    site.api.version = 40
    assert await pulls.pull(EVENTS), "it was held open: it is watched again at once"
    assert (site.place(), site.events) == ("watch 40", [])


async def test_a_long_list_is_read_page_by_page_and_goes_on_after_a_restart() -> None:
    site = Cluster()
    site.hangs_up = True
    site.api.bookmarks = False
    for number in range(2 * PAGE + 5):
        site.api.put("ADDED", scaled(number, NOON - MINUTE))
    assert await site.pulls().pull(EVENTS)
    assert (len(site.events), site.place()) == (PAGE, f"list {PAGE}-{2 * PAGE + 5}")
    assert await drain(site.pulls()) == 3
    assert len(set(ids(site.events))) == len(site.events) == 2 * PAGE + 5


async def test_what_was_there_before_we_came_is_left_out() -> None:
    site = Cluster()
    site.api.put("ADDED", scaled(1, NOON - DAY))
    site.api.put("ADDED", scaled(2, NOON - HOUR))
    await site.pulls().pull(EVENTS)
    assert ids(site.events) == ["u00002:1"]


@pytest.mark.parametrize("in_line", [False, True])
async def test_a_place_that_is_gone_is_listed_anew_without_haste(in_line: bool) -> None:
    site = Cluster()
    site.api.answers_gone_in_line = in_line
    site.api.put("ADDED", scaled(1, NOON - MINUTE))
    pulls = site.pulls()
    await pulls.pull(EVENTS)
    site.clock.advance(2 * HOUR)
    site.api.put("ADDED", scaled(2, NOON + HOUR))
    site.api.compact()
    assert not await pulls.pull(EVENTS), "it waits before it lists: a server may send us away again and again"
    assert site.place() == ""
    assert await pulls.pull(EVENTS)
    assert ids(site.events) == ["u00001:1", "u00002:1"]


async def test_a_page_that_is_gone_begins_the_list_anew() -> None:
    site = Cluster()
    for number in range(PAGE + 1):
        site.api.put("ADDED", scaled(number, NOON - MINUTE))
    pulls = site.pulls()
    await pulls.pull(EVENTS)
    site.api.compact()
    assert not await pulls.pull(EVENTS)
    await pulls.pull(EVENTS)
    await pulls.pull(EVENTS)
    assert len(set(ids(site.events))) == len(site.events) == PAGE + 1


async def test_a_server_that_hangs_up_at_once_is_not_asked_in_a_hurry() -> None:
    site = Cluster()
    pulls = site.pulls()
    await pulls.pull(EVENTS)
    site.hangs_up = True
    site.api.bookmarks = False
    assert not await pulls.pull(EVENTS)


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        ((401, b"{}"), "denied"),
        ((403, b"{}"), "denied"),
        ((500, b"etcd is away"), "refused"),
        ((200, b"<html>"), "unreadable"),
        ((200, b'{"type":"ERROR","object":{"code":500,"message":"etcd is away"}}'), "refused"),
    ],
)
async def test_a_failure_has_a_name_and_moves_nothing(answer: tuple[int, bytes], reason: str) -> None:
    site = Cluster()
    pulls = site.pulls()
    await pulls.pull(EVENTS)
    before, site.made_up = dict(site.cursors), answer
    assert not await pulls.pull(EVENTS)
    assert site.cursors == before
    assert site.metrics.registry.get_sample_value("nearmiss_pull_failures_total", {"reason": reason}) == 1
    assert [word.word for word in site.metrics.arrivals.take()[1] if word.what == "failed"] == [reason]


async def test_an_answer_that_is_no_list_moves_nothing() -> None:
    site = Cluster()
    site.made_up = (200, b"[]")
    assert not await site.pulls().pull(EVENTS)
    assert site.cursors == {}
    site.made_up = None
    site.api.put("ADDED", scaled(1, NOON))
    await site.pulls().pull(EVENTS)
    assert ids(site.events) == ["u00001:1"]
