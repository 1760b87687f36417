"""Laws of decoding: events survive the wire, and nothing that arrives can crash a decoder."""

from __future__ import annotations

import json
import re
from typing import Any

import msgspec
from hypothesis import example, given
from hypothesis import strategies as st

from monitor.core.model.events import EARLIEST_AT, KINDS, SECOND, Actor, Event, Instant, to_datetime, to_text
from monitor.core.model.reasons import Rejected
from monitor.decode.canonical import Unreadable, decode_line, decode_lines, decode_value, encode
from monitor.decode.jsontext import load
from monitor.decode.normalise import normalise
from monitor.decode.outcome import NoEvent
from monitor.decode.reading import Delivery
from monitor.decode.registry import SOURCES, decode, decode_plain, tool_of
from monitor.decode.times import instant_hook, read_time

LATEST_AT = 253_402_300_799 * SECOND  # the year 9999
TEXT = st.text(st.characters(exclude_characters="\0", codec="utf-8"), max_size=40)
SAID = IDENTIFIER = TEXT.filter(bool)
INSTANTS = st.integers(EARLIEST_AT, LATEST_AT).map(Instant)
NUMBERS = st.floats(min_value=-(2.0**53), max_value=2.0**53, exclude_min=True, exclude_max=True)

ACTORS = st.builds(
    Actor,
    id=st.none() | SAID,
    kind=st.sampled_from(["human", "automation", "unknown"]),
    on_call=st.none() | st.booleans(),
)
EVENTS = st.builds(
    Event,
    id=IDENTIFIER,
    source=IDENTIFIER,
    time=INSTANTS,
    kind=st.sampled_from(sorted(KINDS)),
    service=st.none() | SAID,
    environment=st.none() | SAID,
    subject=st.none() | SAID,
    severity=st.none() | st.sampled_from(["critical", "high", "warning", "info"]),
    title=st.none() | SAID,
    actor=st.none() | ACTORS,
    labels=st.dictionaries(TEXT, SAID, max_size=4),
    value=st.none() | NUMBERS,
    limit=st.none() | NUMBERS,
    unit=st.none() | SAID,
    bound=st.none() | st.sampled_from(["max", "min", "expected"]),
    expires_at=st.none() | INSTANTS,
    previous_expires_at=st.none() | INSTANTS,
    began_at=st.none() | INSTANTS,
    covers_from=st.none() | INSTANTS,
    received_at=st.none() | INSTANTS,
    url=st.none() | SAID,
    marks=st.lists(SAID, max_size=3, unique=True).map(tuple),
)

JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=20)
    | st.sampled_from(["2026-03-10T12:00:00Z", "0001-01-01T00:00:00Z", "2026-03-10T12:00:00", "null", "firing"]),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=12), inner, max_size=4),
    max_leaves=12,
)


@given(EVENTS)
def test_an_event_survives_the_wire(event: Event) -> None:
    assert decode_line(encode(event)) == event


@given(EVENTS)
def test_the_fast_and_the_slow_way_agree(event: Event) -> None:
    assert decode_value(load(encode(event))) == event


@given(st.binary(max_size=200))
@example(b'{"id":"\xed\xa0\x80"}')
@example(b'{"value":1e999,"id":"\\udead"}')
def test_any_bytes_are_an_event_or_unreadable(line: bytes) -> None:
    try:
        event = decode_line(line)
    except Unreadable:
        return
    assert decode_line(encode(event)) == event


IRREGULAR = st.sampled_from(
    [
        b"",
        b"{}",
        b"[]",
        b" {}",
        b'{"id":"a","source":"b","time":"2026-03-10T12:00:00Z","kind":"note.added","value":1e17}',
        b'{"id":"a","source":"b","time":"2026-03-10T12:00:00Z","kind":"note.added","team":"x"}',
        b'{"id":"a","source":"b","time":"2026-03-10T12:00:00Z","kind":"note.added","labels":{',
        rb'{"id":"a","source":"b","time":"2026-03-10T12:00:00Z","kind":"note.added","title":"\u0000"}',
        b'{"id":"a","source":"b","time":"2026-03-10T12:00:00Z","kind":"note.added"}' * 2,
    ]
)


@given(
    st.lists(
        EVENTS.map(encode) | IRREGULAR | st.binary(max_size=20).map(lambda raw: raw.replace(b"\n", b"")), max_size=5
    )
)
@example([b'{"id":"a","source":"b","time":"2026-03-10T12:00:00Z","kind":"note.added"}' * 2, b""])
def test_many_lines_at_once_are_the_same_lines_or_none(lines: list[bytes]) -> None:
    together = decode_lines(lines)
    assert together is None or together == [decode_line(line) for line in lines]


@given(st.lists(EVENTS.map(encode), min_size=1, max_size=4))
def test_regular_lines_are_read_at_once(lines: list[bytes]) -> None:
    assert decode_lines(lines) == [decode_line(line) for line in lines]


FIELDS = st.sampled_from([*Event.__struct_fields__, "team"])


@given(
    st.fixed_dictionaries(
        {
            "id": st.text(min_size=1, max_size=300) | st.integers(),
            "source": st.just("s"),
            "time": st.just("2026-03-10T12:00:00Z"),
            "kind": st.just("note.added"),
        }
    ),
    st.dictionaries(FIELDS, JSON, max_size=5),
)
def test_any_fields_give_an_event_that_survives_the_wire_or_a_reason(
    base: dict[str, Any], more: dict[str, Any]
) -> None:
    try:
        event = decode_line(json.dumps(base | more).encode("utf-8", "surrogatepass"))
    except Unreadable:
        return
    assert decode_line(encode(event)) == event


# The names that the decoders look for: random JSON made of them gets further in than random names would.
NAMES = st.sampled_from(
    re.findall(
        r"\w+",
        """
        action agent alerts annotations attributes body comment component component_update components content context
        created_at creator data data_base64 dedup_key deployment deployment_status display_at endsAt environment event
        event_action event_type fingerprint generatorURL head_commit id impact incident incident_updates involvedObject
        issue items kind labels log_entries merged message messages metadata name new_status object occurred_at
        old_status payload pull_request pushed_at reason ref release repository sender service severity source
        specversion startsAt state status subject time timestamp title type value
        """,
    )
)
VALUES = st.sampled_from(
    [
        *("firing", "resolved", "incident.triggered", "incident.responder.replied", "incident.trigger", "trigger"),
        *("dev.cdevents.incident.detected.0.1.0", "nearmiss.alert.fired", "1.0", "success", "created", "published"),
        *("2026-03-10T12:00:00Z", "0001-01-01T00:00:00Z", "2026-03-10T12:00:00", "null", "", "Killing", "Pulled"),
    ]
)
VENDOR_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | VALUES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=6),
    max_leaves=16,
)
HEADERS = st.dictionaries(
    st.sampled_from(["x-github-event", "ce-type", "ce-id", "ce-source", "ce-specversion", "content-type"]),
    st.sampled_from(["push", "deployment", "release", "1.0", "nearmiss.note.added", "a", "application/json"]),
    max_size=4,
)


@given(st.sampled_from(sorted(SOURCES)), VENDOR_JSON, HEADERS, st.none() | INSTANTS)
def test_no_body_crashes_a_decoder(
    source: str, body: Any, headers: dict[str, str], received_at: Instant | None
) -> None:
    outcome = decode(source, json.dumps(body).encode(), headers, received_at)
    assert Rejected.DECODER_FAILED not in {refusal.reason for refusal in outcome.refusals}, outcome
    for event in outcome.events:
        assert decode_line(encode(event)) == event


@given(st.sampled_from(sorted(SOURCES)), st.dictionaries(NAMES, VENDOR_JSON, max_size=4), HEADERS)
def test_no_piece_crashes_a_decoder(vendor: str, piece: dict[str, Any], headers: dict[str, str]) -> None:
    delivery = Delivery(vendor, headers, Instant(0))
    try:
        tool = tool_of(vendor)
        assert tool is not None
        whole = tool.split(piece, delivery) if tool.is_mapping else [piece]
        read = [tool.read((each, each) if vendor == "alertmanager" else each, delivery) for each in whole]
        events = [event for each in read for event in each]
    except (Unreadable, NoEvent):
        events = []
    assert all(decode_line(encode(event)) == event for event in events)


@given(st.sampled_from(sorted(SOURCES)), st.binary(max_size=100))
def test_no_bytes_crash_a_decoder(source: str, body: bytes) -> None:
    outcome = decode(source, body)
    assert Rejected.DECODER_FAILED not in {refusal.reason for refusal in outcome.refusals}


@given(EVENTS, INSTANTS, st.integers(0, 10**12))
def test_no_event_is_later_than_its_receipt_allows(event: Event, received_at: Instant, tolerance: int) -> None:
    found = normalise(event, received_at, tolerance)
    assert found.time <= max(received_at + tolerance, EARLIEST_AT)
    assert found.received_at is not None
    assert found.received_at <= received_at
    assert normalise(found, received_at, tolerance) == found
    assert found.stated_time in (None, event.time)
    back = {"time": event.time, "received_at": event.received_at, "marks": event.marks, "stated_time": None}
    assert msgspec.structs.replace(found, **back) == event


@given(EVENTS)
def test_the_short_way_gives_what_the_careful_one_gives(event: Event) -> None:
    body = encode(event)
    found = decode_plain("events", body, {})
    assert found is None or decode("events", body).events == (found,)
    if b'"specversion"' not in body and b'"context"' not in body:
        assert found is not None


@given(st.binary(max_size=200) | st.from_regex(rb"\{.{0,40}\}", fullmatch=True))
@example(b'{"specversion":"1.0"}')
@example(b"{}\n{}")
def test_the_short_way_leaves_the_rest_to_the_careful_one(body: bytes) -> None:
    found = decode_plain("events", body, {})
    assert found is None or decode("events", body).events == (found,)


CLOCK_TEXTS = st.from_regex(
    r"\d{4}-?(\d\d-?\d\d|W\d\d-?\d)[Tt ]\d\d(:?\d\d(:?\d\d([.,]\d{1,9})?)?)?"
    r"(Z|z|[+-]\d\d(:?\d\d(:?\d\d(\.\d{1,6})?)?)?)?",
    fullmatch=True,
)


@given(CLOCK_TEXTS)
@example("2026-W10-2T12:00:00Z")
@example("2026-03-10T12:00:00+01:00:30")
@example("2026-03-10T12:00:00+010030")
@example("2026-03-10T12Z")
@example("2026-03-10T1200Z")
@example("2026-03-10T12:00:00+01")
def test_the_quick_reading_of_a_time_takes_nothing_that_the_careful_one_refuses(said: str) -> None:
    try:
        quick = instant_hook(Instant, said)
    except (ValueError, TypeError, LookupError, OverflowError):
        return
    assert read_time(said, "time")[0] == quick


@given(INSTANTS)
@example(Instant(-1))
@example(Instant(-SECOND))
def test_times_are_written_as_the_standard_library_writes_them(instant: Instant) -> None:
    assert to_text(instant) == to_datetime(instant).isoformat().replace("+00:00", "Z")
