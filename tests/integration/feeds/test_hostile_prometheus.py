"""A Prometheus that means harm: what it answers takes no memory, no time, and no connection elsewhere."""

from __future__ import annotations

import gzip
import tracemalloc

import pytest

from monitor.asking import QueryFailed, Web
from monitor.core.model.events import MINUTE
from monitor.core.model.reasons import FeedFailure
from monitor.feeds.prometheus import Prometheus
from monitor.feeds.queries import PulledFeed
from monitor.feeds.states import FeedName, Limits
from tests.support.hostile import answer, hostile

START = 1_800_000_000_000_000 // MINUTE * MINUTE
MIB = 1 << 20
GOOD = b'{"status":"success","data":{"resultType":"matrix","result":[]}}'


async def ask(prometheus: Prometheus, address: str) -> list[dict[str, float]]:
    name = FeedName("checkout", "blackbox", "synthetic")
    feed = PulledFeed(name, address, "QUERY", MINUTE, Limits(30, 8, has_counts=True, has_requests=False), {})
    return await prometheus.steps(feed, START, START + MINUTE)


async def failure(made: list[bytes], seconds: float = 20.0) -> FeedFailure:
    async with hostile() as answers, Web(seconds=seconds) as web:
        answers.pieces = lambda: made
        with pytest.raises(QueryFailed) as caught:
            await ask(Prometheus(web), answers.address)
        assert len(answers.asked) == 1
    return caught.value.reason


@pytest.mark.parametrize("encoding", [b"gzip", b"gzip, gzip", b"br", b"deflate,gzip,gzip"])
async def test_what_it_packs_is_not_unpacked(encoding: bytes) -> None:
    bomb = gzip.compress(gzip.compress(bytes(64 * MIB), 9), 9)
    tracemalloc.start()
    try:
        assert await failure(answer(bomb, b"content-encoding: " + encoding)) is FeedFailure.UNREADABLE
        assert tracemalloc.get_traced_memory()[1] < 8 * MIB
    finally:
        tracemalloc.stop()


async def test_an_answer_without_an_end_is_cut_off() -> None:
    endless = [
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n",
        *([b"10000\r\n" + bytes(65536) + b"\r\n"] * 200),
    ]
    assert await failure(endless) is FeedFailure.TOO_LARGE


async def test_headers_without_an_end_are_cut_off() -> None:
    assert await failure([b"HTTP/1.1 200 OK\r\n", *[b"x: " + b"y" * 65536] * 200]) is FeedFailure.UNREACHABLE


async def test_an_answer_that_trickles_is_given_up() -> None:
    begun = b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n "
    assert await failure([begun], seconds=0.2) is FeedFailure.TIMEOUT


@pytest.mark.parametrize("status", [b"301 Moved", b"302 Found", b"307 Temporary", b"308 Permanent"])
async def test_it_cannot_send_us_elsewhere(status: bytes) -> None:
    async with hostile() as elsewhere:
        elsewhere.pieces = lambda: answer(GOOD)
        to = b"location: " + elsewhere.address.encode()
        assert await failure(answer(b"", to, status=status)) is FeedFailure.REFUSED
        assert elsewhere.asked == []


@pytest.mark.parametrize(
    "body",
    [
        GOOD.replace(b"[]", b'[{"values":[[1e400,"1"]]}]'),
        GOOD.replace(b"[]", b'[{"values":[[-1e308,"1"]]}]'),
        GOOD.replace(b"[]", b'[{"values":[[1800000060,"1e"]]}]'),
        GOOD.replace(b"[]", b'[{"values":[[1800000060,"' + b"x" * MIB + b'"]]}]'),
        GOOD.replace(b"[]", b"[" + b"{}," * 1000 + b"{}]"),
        GOOD.replace(b"[]", b"[" * 100_000),
        b"\xff\xfe",
    ],
    ids=["inf", "far", "no number", "long", "many", "deep", "bytes"],
)
async def test_what_it_says_ends_in_a_reason_or_in_numbers(body: bytes) -> None:
    async with hostile() as answers, Web() as web:
        answers.pieces = lambda: answer(body)
        said = await outcome(Prometheus(web), answers.address)
    assert said == [{}] or (str(said).startswith("unreadable: ") and len(said) < 1000)


async def outcome(prometheus: Prometheus, address: str) -> list[dict[str, float]] | str:
    try:
        return await ask(prometheus, address)
    except QueryFailed as failed:
        return str(failed)


async def test_its_cookies_are_not_kept() -> None:
    async with hostile() as answers, Web() as web:
        answers.pieces = lambda: answer(GOOD, b"set-cookie: a=" + b"b" * 2000, b"connection: close")
        for _ in range(2):
            assert await ask(Prometheus(web), answers.address) == [{}]
        assert not any(b"cookie" in head.lower() for head in answers.asked)
