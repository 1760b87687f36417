"""A record gives its events with a receipt that can be trusted, or a reject that says where it lies."""

from __future__ import annotations

import json
from typing import NamedTuple

import pytest

from monitor.core.model.events import EARLIEST_AT, HOUR, MINUTE, SECOND, Instant
from monitor.core.model.reasons import Ignored, Rejected
from monitor.decode.canonical import decode_line
from monitor.kafka.messages import RecordContent, read_message
from monitor.ports import NOT_AT_HAND

NOW = Instant(1_767_268_800 * SECOND)  # 2026-01-01T12:00:00Z
EVENT = {"id": "e", "source": "s", "time": "2026-01-01T11:59:00Z", "kind": "note.added"}


class Record(NamedTuple):
    """What a client hands over."""

    topic: str
    partition: int
    offset: int
    timestamp: int
    value: bytes | None
    headers: tuple[tuple[str, bytes | None], ...]


def read(
    value: bytes | None,
    timestamp: int = NOW // 1000,
    headers: tuple[tuple[str, bytes | None], ...] = (),
    source: str = "events",
) -> RecordContent:
    return read_message(Record("ops", 3, 17, timestamp, value, headers), source, NOW, 5 * MINUTE)


def body(**fields: object) -> bytes:
    return json.dumps(EVENT | fields).encode()


def test_the_entry_is_ordered_by_event_time() -> None:
    entry = read(body())

    assert (entry.offset, entry.at, len(entry.events)) == (17, NOW - MINUTE, 1)


@pytest.mark.parametrize("value", [None, b""])
def test_an_empty_record_is_ignored_by_name(value: bytes | None) -> None:
    assert read(value) == RecordContent(offset=17, at=EARLIEST_AT, ignored={Ignored.EMPTY: 1})


@pytest.mark.parametrize(
    ("timestamp", "received_at"),
    [
        pytest.param((NOW - HOUR) // 1000, NOW - HOUR, id="told"),
        pytest.param(-1, NOW, id="none"),
        pytest.param(0, NOW, id="zero"),
        pytest.param(NOW // 1_000_000, NOW, id="seconds-for-milliseconds"),
        pytest.param((NOW + HOUR) // 1000, NOW, id="from-the-future"),
    ],
)
def test_the_receipt_is_the_records_time(timestamp: int, received_at: int) -> None:
    [event] = read(body(time="2026-01-01T10:00:00Z"), timestamp).events

    assert event.received_at == received_at


def test_a_record_of_many_bad_pieces_is_one_reject() -> None:
    value = b"[" + b",".join([b"1"] * 20_000) + b"]"

    entry = read(value)

    assert [(reject.reason, reject.body) for reject in entry.rejects] == [("not_an_event", value)]
    assert entry.rejects[0].detail.startswith("20,000 pieces of the body")


def test_an_event_of_ours_is_taken_from_our_own_topic_only() -> None:
    value = body(source="nearmiss/review")

    assert [reject.reason for reject in read(value).rejects] == ["foreign_source"]
    assert [reject.reason for reject in read(b"[" + value + b"]").rejects] == ["foreign_source"]
    ours = read_message(Record("ops", 3, 17, 0, value, ()), "events", NOW, MINUTE, ours=True)
    assert [event.source for event in ours.events] == ["nearmiss/review"]


def test_a_reject_tells_where_the_record_lies() -> None:
    [reject] = read(b"{", headers=(("Trace", b"1"), ("Trace", b"\xff"), ("empty", None))).rejects

    assert reject.body == b"{"
    assert reject.headers == {
        "trace": "\N{REPLACEMENT CHARACTER}",
        "empty": "",
        "kafka-topic": "ops",
        "kafka-partition": "3",
        "kafka-offset": "17",
    }


def test_a_reject_never_holds_up_other_partitions() -> None:
    assert read(b"{").at == EARLIEST_AT


def test_cloudevents_attributes_may_lie_in_headers() -> None:
    headers = (
        ("ce_specversion", b"1.0"),
        ("ce_id", b"7%20a"),
        ("ce_source", b"/chat"),
        ("ce_type", b"nearmiss.note.added"),
        ("ce_time", b"2026-01-01T11:00:00Z"),
        ("content-type", b"application/json"),
    )

    [event] = read(b'{"service": "checkout"}', headers=headers, source="cloudevents").events

    assert (event.id, event.service, event.time) == ("7%20a", "checkout", NOW - HOUR)


def test_a_reject_has_the_same_origin_each_time_it_is_read() -> None:
    first, again, other = (read(value).rejects[0] for value in (b"{", b"{", b"["))

    assert first.origin == again.origin
    assert first.origin is not None
    assert first.origin.startswith("ops/3/17/0/")
    assert first.origin != other.origin


@pytest.mark.parametrize("value", [b"\0\0\0\0\x07{}", b"\0\0\0\1\0"])
def test_a_schema_registrys_envelope_has_a_reason_of_its_own(value: bytes) -> None:
    [reject] = read(value).rejects

    assert reject.reason == Rejected.SCHEMA_FRAMED
    assert reject.body == value


@pytest.mark.parametrize(
    ("value", "at_hand"),
    [
        pytest.param(body(), True, id="regular"),
        pytest.param(b" " + body(labels={"team": "a\u00e9"}) + b"\r\n", True, id="white-space"),
        pytest.param(body(received_at=None), True, id="null"),
        pytest.param(body(received_at="2026-01-01T13:59:30+02:00"), True, id="relayed"),
        pytest.param(body(received_at="2027-01-01T11:59:30Z"), False, id="received-in-the-future"),
        pytest.param(body(time="2026-01-02T11:59:00Z"), False, id="from-the-future"),
        pytest.param(body(extra="told"), False, id="irregular"),
    ],
)
def test_where_the_bytes_still_tell_the_event_they_come_along(value: bytes, at_hand: bool) -> None:
    entry = read(value)

    (told,) = entry.bodies
    assert [decode_line(told)] == list(entry.events) if at_hand else told == NOT_AT_HAND


def test_there_is_a_body_for_each_event() -> None:
    batch = b"[" + body() + b"," + body(id="f") + b"]"

    assert len(read(batch).bodies) == len(read(batch).events) == 2


@pytest.mark.parametrize("digits", ["9" * 5000, "1" * 21, "²", "-1", "1e3", " 1"])
def test_a_number_in_a_header_that_cannot_be_is_none(digits: str) -> None:
    told = (("nearmiss-shards", f"3,{digits}".encode()), ("nearmiss-clock", digits.encode()))
    assert read(body(), headers=told).route == ()
    assert read(None, headers=told).clock is None


def test_more_shards_than_there_are_are_none() -> None:
    assert read(body(), headers=(("nearmiss-shards", b"3,3,255"),)).route == (3, 255)
    assert read(body(), headers=(("nearmiss-shards", b"256"),)).route == ()
    assert read(body(), headers=(("nearmiss-shards", b"1," * 100_000 + b"x"),)).route == ()


def test_a_mark_cannot_move_time_beyond_the_present() -> None:
    assert read(None, headers=(("nearmiss-clock", str(NOW - HOUR).encode()),)).clock == NOW - HOUR
    assert read(None, headers=(("nearmiss-clock", b"9" * 18),)).clock == NOW + 5 * MINUTE
