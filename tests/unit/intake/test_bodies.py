"""A body is read within its bounds and unpacked within the same bounds, whatever is sent."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import AsyncIterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.core.model.reasons import Rejected
from monitor.intake.bodies import DRAINED, MOST_MEMBERS, Body, Unusable, read_body, readable
from monitor.intake.flight import BodyShare, Flight

LIMIT = 10_000


async def _pieces(data: bytes, size: int) -> AsyncIterator[bytes]:
    for start in range(0, len(data), size):
        yield data[start : start + size]


def _share() -> BodyShare:
    return BodyShare(Flight(0))


def _whole(data: bytes) -> Body:
    return Body(data, len(data))


def _refused(body: Body, encoding: str = "") -> Unusable:
    with pytest.raises(Unusable) as found:
        readable(body, encoding, LIMIT)
    return found.value


@given(data=st.binary(max_size=500), size=st.integers(1, 600), limit=st.integers(0, 600))
async def test_what_is_read_does_not_depend_on_how_it_was_cut(data: bytes, size: int, limit: int) -> None:
    body = await read_body(_pieces(data, size), limit, _share())
    assert body.data == data[:limit]
    assert body.size == len(data)
    assert body.whole == (len(data) <= limit)


async def test_a_sender_that_never_ends_is_not_heard_out() -> None:
    piece = bytes(1 << 20)
    sent = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal sent
        while True:
            sent += len(piece)
            yield piece

    body = await read_body(endless(), LIMIT, _share())
    assert len(body.data) == LIMIT
    assert DRAINED < sent <= DRAINED + len(piece)


def test_a_body_beyond_the_limit_is_too_large() -> None:
    refused = _refused(Body(b"x" * LIMIT, LIMIT + 1))
    assert refused.reason is Rejected.TOO_LARGE
    assert "10001 bytes" in refused.detail


@given(st.binary(max_size=2000))
def test_a_compressed_body_is_what_was_packed(data: bytes) -> None:
    assert readable(_whole(gzip.compress(data)), "gzip", LIMIT) == data
    assert readable(_whole(zlib.compress(data)), "Deflate", LIMIT) == data
    assert readable(_whole(data), "identity", LIMIT) == data


def test_gzip_members_one_after_another_are_one_body() -> None:
    assert readable(_whole(gzip.compress(b"one ") + gzip.compress(b"two")), "gzip", LIMIT) == b"one two"


def test_exactly_the_limit_is_taken() -> None:
    assert len(readable(_whole(gzip.compress(bytes(LIMIT))), "gzip", LIMIT)) == LIMIT


def test_a_bomb_is_too_large() -> None:
    assert _refused(_whole(gzip.compress(bytes(50_000_000))), "gzip").reason is Rejected.TOO_LARGE


def test_many_small_members_cannot_get_around_the_limit() -> None:
    assert _refused(_whole(gzip.compress(bytes(LIMIT // 2)) * 3), "gzip").reason is Rejected.TOO_LARGE


def test_the_members_of_a_body_are_bounded() -> None:
    empty = gzip.compress(b"")
    assert readable(_whole(empty * MOST_MEMBERS), "gzip", LIMIT) == b""
    refused = _refused(_whole(empty * (MOST_MEMBERS + 1)), "gzip")
    assert refused.reason is Rejected.BAD_COMPRESSION
    assert "more than 1024 members" in refused.detail


@pytest.mark.parametrize(
    ("data", "encoding"),
    [
        (b"not gzip at all", "gzip"),
        (gzip.compress(b"cut off")[:-4], "gzip"),
        (gzip.compress(b"tail") + b"garbage", "gzip"),
        (b"{}", "br"),
        (b"{}", "gzip, gzip"),
    ],
    ids=["no gzip", "cut off", "with a tail", "unknown", "twice"],
)
def test_what_cannot_be_unpacked_is_named(data: bytes, encoding: str) -> None:
    refused = _refused(_whole(data), encoding)
    assert refused.reason is Rejected.BAD_COMPRESSION
