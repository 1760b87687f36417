"""Turns one Kafka record into what the engine takes: events, rejects and what was ignored.

Pure: must not know connections, positions of other partitions or the clock.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from types import MappingProxyType
from typing import Protocol
from zlib import crc32

import msgspec

from monitor.core.model.events import EARLIEST_AT, Event, Instant
from monitor.core.model.reasons import Ignored, Rejected
from monitor.core.sharding.routing import EVERYWHERE, SHARDS, Route
from monitor.decode.canonical import with_receipt
from monitor.decode.normalise import normalise
from monitor.decode.outcome import DecodeOutcome, refused
from monitor.decode.reading import others_may_use
from monitor.decode.registry import decode, decode_plain
from monitor.ports import NOT_AT_HAND, Reject

_MICROSECONDS_PER_MILLISECOND = 1000
_EARLIEST_TIMESTAMP = 1_262_304_000_000
"""2010-01-01, in milliseconds."""
SHARDS_HEADER = "nearmiss-shards"
CLOCK_HEADER = "nearmiss-clock"
_EVERY_SHARD = "*"
_MOST_DIGITS = 20
"""Of a number in a header; Python refuses to read one of thousands of digits, with an error."""
_FRAME = b"\0"
_FRAME_LENGTH = 5
_NO_HEADERS: Mapping[str, str] = MappingProxyType({})
_NONE: Mapping[Ignored, int] = MappingProxyType({})
_EMPTY: Mapping[Ignored, int] = MappingProxyType({Ignored.EMPTY: 1})


class Message(Protocol):
    """One record as it lies in a topic. `timestamp` in milliseconds since the epoch; before 2010: there is none."""

    @property
    def topic(self) -> str: ...
    @property
    def partition(self) -> int: ...
    @property
    def offset(self) -> int: ...
    @property
    def timestamp(self) -> int: ...
    @property
    def value(self) -> bytes | None: ...
    @property
    def headers(self) -> Sequence[tuple[str, bytes | None]]: ...


class RecordContent(msgspec.Struct, frozen=True, gc=False):
    """What one record gave. `at` orders records of several partitions: the earliest event time in it.

    A record without events comes first, so that it never holds up the others.
    """

    offset: int
    at: int
    events: tuple[Event, ...] = ()
    bodies: tuple[bytes, ...] = ()
    """Each event's JSON as `Batch` has it."""
    rejects: tuple[Reject, ...] = ()
    ignored: Mapping[Ignored, int] = _NONE
    route: Route = ()
    """The shards that the writer wrote beside it; nothing where somebody else wrote it."""
    clock: Instant | None = None
    """A mark: everything up to this moment was written before it."""


def read_message(
    message: Message,
    source: str,
    now: Instant,
    tolerance: int,
    *,
    forward: bool = False,
    ours: bool = False,
    quick: bool = False,
) -> RecordContent:
    """Decode a record that the decoder `source` reads.

    `now` stands in where the record has no timestamp, and caps one from the future. `tolerance` in microseconds: how
    far an event's time may lie after its receipt. `forward`: rejects are for somebody else too. `ours`: this
    program writes into the topic, and may name itself as the source. `quick` as of `decode`. An empty record (a
    tombstone) is ignored, by name.
    """
    if not message.value:
        if (told := clock_of(message.headers)) is not None:
            # Nobody can know what will have been written by a time that is still to come.
            return RecordContent(offset=message.offset, at=EARLIEST_AT, clock=Instant(min(told, now + tolerance)))
        return RecordContent(offset=message.offset, at=EARLIEST_AT, ignored=_EMPTY)
    received_at = _received_at(message.timestamp, now)
    headers = _headers(message.headers)
    route = route_of(headers[SHARDS_HEADER]) if SHARDS_HEADER in headers else ()
    plain = decode_plain(source, message.value, headers)
    if plain is not None and (ours or others_may_use(plain.source)):
        event = normalise(plain, received_at, tolerance)
        body = NOT_AT_HAND
        if event is plain:
            body = message.value
        elif plain.received_at is None and event.time == plain.time:
            body = with_receipt(message.value, received_at)
        return RecordContent(offset=message.offset, at=event.time, events=(event,), bodies=(body,), route=route)
    outcome = _framed(message.value) or decode(
        source, message.value, headers, received_at, None if ours else others_may_use, quick=quick
    )
    events = tuple(normalise(event, received_at, tolerance) for event in outcome.events)
    coordinates = {
        "kafka-topic": message.topic,
        "kafka-partition": str(message.partition),
        "kafka-offset": str(message.offset),
    }
    return RecordContent(
        offset=message.offset,
        at=min((event.time for event in events), default=EARLIEST_AT),
        events=events,
        bodies=(NOT_AT_HAND,) * len(events),
        rejects=tuple(
            Reject(
                source=source,
                reason=refusal.reason,
                detail=outcome.detail,
                body=outcome.unread,
                received_at=received_at,
                headers={**headers, **coordinates},
                origin=_origin(message, outcome.unread),
                forward=forward,
            )
            for refusal in outcome.refusals[:1]
        ),
        ignored=outcome.ignored,
        route=route,
    )


def header_of(route: Route) -> str:
    """A route as the text of a header."""
    return _EVERY_SHARD if route == EVERYWHERE else ",".join(str(shard) for shard in route)


def clock_of(headers: Sequence[tuple[str, bytes | None]]) -> Instant | None:
    """The moment that a mark tells, in microseconds as decimal digits; None where it is no mark."""
    for name, value in headers:
        if name == CLOCK_HEADER and value and len(value) <= _MOST_DIGITS and value.isdigit():
            return Instant(value)
    return None


@lru_cache(maxsize=1024)
def route_of(header: str) -> Route:
    """The route that a header tells; nothing where it tells none that this program could have written."""
    if header == _EVERY_SHARD:
        return EVERYWHERE
    shards = header.split(",", SHARDS) if header else []
    if not all(shard.isascii() and shard.isdecimal() and len(shard) <= _MOST_DIGITS for shard in shards):
        return ()
    found = sorted({int(shard) for shard in shards})
    return tuple(found) if not found or found[-1] < SHARDS else ()


def _framed(value: bytes) -> DecodeOutcome | None:
    """A refusal where a schema registry's serializer wrote the body: a zero byte and the schema's number before it."""
    if len(value) < _FRAME_LENGTH or not value.startswith(_FRAME):
        return None
    number = int.from_bytes(value[1:_FRAME_LENGTH], "big")
    detail = (
        f"the body begins with the magic byte 0 and schema {number} of a schema registry; expected what the tool "
        "itself sends. Let the producer write plain JSON without a registry's serializer, or convert the topic into "
        "another one (Kafka Connect, ksqlDB) and read that"
    )
    return refused(Rejected.SCHEMA_FRAMED, detail, value)


def _origin(message: Message, body: bytes) -> str:
    """The same for each reading of the same bytes at the same place, another where a topic was created anew."""
    return f"{message.topic}/{message.partition}/{message.offset}/0/{crc32(body):08x}"


def _received_at(timestamp: int, now: Instant) -> Instant:
    """The record's own timestamp, so that reading it again gives the same event; producers may set it, also wrongly.

    One of before there was Kafka cannot be: a producer gave seconds, say. It would cap every time in 1970.
    """
    if timestamp < _EARLIEST_TIMESTAMP:
        return now
    at = timestamp * _MICROSECONDS_PER_MILLISECOND
    return Instant(at) if at < now else now


def _headers(headers: Sequence[tuple[str, bytes | None]]) -> Mapping[str, str]:
    """Lower-cased, the last of equal names wins, as Kafka's own clients have it.

    CloudEvents name an attribute `ce_type` in Kafka, as plain text, and `ce-type` in HTTP, percent-encoded; the
    decoders read the latter.
    """
    if not headers:
        return _NO_HEADERS
    found: dict[str, str] = {}
    for name, raw in headers:
        key, value = name.lower(), (raw or b"").decode("utf-8", errors="replace")
        if key.startswith("ce_"):
            key, value = "ce-" + key[len("ce_") :], value.replace("%", "%25")
        found[key] = value
    return found
