"""Whoever is asked may mean harm: what it answers takes no memory and no time, whoever of us asks."""

from __future__ import annotations

import gzip
import tracemalloc
from collections.abc import Awaitable, Callable

import pytest

from monitor.asking import Caller, QueryFailed, Web
from monitor.chat.slack_api import SlackApi, SlackFailed
from monitor.core.model.events import Instant
from monitor.core.model.reasons import FeedFailure
from monitor.review.sign_in.oidc import Oidc, Provider, ProviderAway
from tests.support.hostile import answer, hostile

MIB = 1 << 20
Asks = Callable[[str], Awaitable[object]]


async def a_tool(address: str) -> None:
    async with Web() as web:
        await web.get(address, {}, Caller())


async def a_message(address: str) -> None:
    async with SlackApi("xoxb-1", address) as api:
        await api.call("chat.postMessage")


async def a_sign_in(address: str) -> None:
    await Provider(Oidc(address, "nearmiss", "a secret", "http://localhost")).begin("/", Instant(0))


async def a_calendar(address: str) -> None:
    """As a calendar is read, which is never without TLS."""
    async with Web(15.0, 4 * MIB) as web:
        await web.get(address, {}, Caller())


ALL = [a_tool, a_message, a_sign_in, a_calendar]
FAILURES = (QueryFailed, SlackFailed, ProviderAway)


@pytest.mark.parametrize("asks", ALL)
async def test_a_bomb_is_not_unpacked(asks: Asks) -> None:
    bomb = gzip.compress(gzip.compress(bytes(64 * MIB), 9), 9)
    async with hostile() as answers:
        answers.pieces = lambda: answer(bomb, b"content-encoding: gzip, gzip")
        tracemalloc.start()
        try:
            with pytest.raises(FAILURES):
                await asks(answers.address)
            assert tracemalloc.get_traced_memory()[1] < 16 * MIB
        finally:
            tracemalloc.stop()
        assert b"accept-encoding: identity" in answers.asked[0]


@pytest.mark.parametrize("asks", ALL)
async def test_an_answer_without_an_end_is_cut_off(asks: Asks) -> None:
    head = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n"
    async with hostile() as answers:
        answers.pieces = lambda: [head, *([b"10000\r\n" + bytes(65536) + b"\r\n"] * 200)]
        with pytest.raises(FAILURES):
            await asks(answers.address)


async def test_a_trickle_is_given_up_and_no_cookie_is_kept() -> None:
    async with hostile() as answers, Web(0.2, MIB) as web:
        answers.pieces = lambda: answer(b"{}", b"set-cookie: a=b; Path=/", b"connection: close")
        assert await web.get(f"{answers.address}/?token=x", {}, Caller()) == (200, b"{}")
        answers.pieces = lambda: [b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n "]
        with pytest.raises(QueryFailed) as caught:
            await web.send(answers.address, b"x", {})
        assert caught.value.reason is FeedFailure.TIMEOUT
        assert answers.asked[0].startswith(b"GET /?token=x ")
        assert b"cookie" not in answers.asked[1]
