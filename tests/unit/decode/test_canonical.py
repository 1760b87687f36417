"""The event format: what is read strictly, what leniently, and what is refused with which reason."""

from __future__ import annotations

import json
from typing import Any

import pytest

from monitor.core.model.events import Actor, Event, Instant, to_text
from monitor.core.model.reasons import Mark, Rejected
from monitor.decode.canonical import (
    MAX_EVENT_BYTES,
    Unreadable,
    decode_line,
    decode_lines,
    decode_value,
    encode,
    with_receipt,
)
from monitor.decode.lenient import MAX_LABELS, MAX_LABELS_TEXT, clip

BASE: dict[str, Any] = {"id": "e1", "source": "probe", "time": "2026-03-10T12:00:00Z", "kind": "alert.fired"}


def read(**changes: Any) -> Event:
    return decode_line(
        json.dumps({name: value for name, value in (BASE | changes).items() if value != "drop"}).encode()
    )


def refuse(line: bytes) -> Unreadable:
    with pytest.raises(Unreadable) as caught:
        decode_line(line)
    return caught.value


def refuse_with(**changes: Any) -> Unreadable:
    return refuse(json.dumps({name: value for name, value in (BASE | changes).items() if value != "drop"}).encode())


def test_every_field_is_read() -> None:
    event = read(
        service="checkout",
        environment="production",
        subject="fp",
        severity="high",
        title="late",
        actor={"id": "ann", "kind": "human", "on_call": False},
        labels={"region": "eu"},
        value=97,
        limit=100.0,
        unit="percent",
        bound="max",
        expires_at="2026-04-01T00:00:00+02:00",
        previous_expires_at="2026-03-01T00:00:00Z",
        began_at="2026-03-10T11:00:00Z",
        covers_from="2026-03-10T10:00:00Z",
        received_at="2026-03-10T12:00:01.5Z",
        url="https://example.org/1",
    )
    assert event.marks == ()
    assert event.actor == Actor("ann", "human", False)
    assert (event.value, event.limit) == (97.0, 100.0)
    assert to_text(event.expires_at) == "2026-03-31T22:00:00Z"
    assert to_text(event.received_at) == "2026-03-10T12:00:01.500000Z"
    assert decode_line(encode(event)) == event


def test_null_is_absent() -> None:
    assert read(service=None, labels=None, actor=None, value=None, expires_at=None, marks=None) == read()


def test_unknown_fields_become_labels_and_never_replace_one() -> None:
    event = read(team="pay", attempts=3, nested={"a": [1]}, flag=True, none=None, labels={"team": "own"})
    assert event.labels == {"team": "own", "attempts": "3", "nested": '{"a":[1]}', "flag": "true"}


@pytest.mark.parametrize(
    ("value", "text"), [(1, "1"), (1.0, "1"), (1.5, "1.5"), (True, "true"), (["a"], '["a"]'), ("x", "x")]
)
def test_label_values_become_text(value: Any, text: str) -> None:
    assert read(labels={"a": value}).labels == {"a": text}


@pytest.mark.parametrize(
    ("time", "text"),
    [
        ("2026-03-10T12:00:00Z", "2026-03-10T12:00:00Z"),
        ("2026-03-10t12:00:00z", "2026-03-10T12:00:00Z"),
        ("2026-03-10 12:00:00+00:00", "2026-03-10T12:00:00Z"),
        ("2026-03-10T12:00:00.123456789-0300", "2026-03-10T15:00:00.123456Z"),
        ("2026-03-10T12:00:00.5+05:30", "2026-03-10T06:30:00.500000Z"),
        ("2026-03-10T12:00Z", "2026-03-10T12:00:00Z"),
        ("2099-12-31T23:59:59-14:00", "2100-01-01T13:59:59Z"),
        ("1969-12-31T23:59:59.999999Z", "1969-12-31T23:59:59.999999Z"),
    ],
)
def test_times_with_an_offset(time: str, text: str) -> None:
    assert to_text(read(time=time).time) == text


OPTIONAL = sorted(set(Event.__struct_fields__) - {"id", "source", "time", "kind", "labels", "marks"})


@pytest.mark.parametrize("irregular", [{}, {"x": 1}], ids=["regular", "closer-look"])
@pytest.mark.parametrize("name", OPTIONAL)
def test_an_empty_text_is_an_absent_field(name: str, irregular: dict[str, int]) -> None:
    assert read(**{name: ""}, **irregular) == read(**irregular)


@pytest.mark.parametrize("irregular", [{}, {"x": 1}], ids=["regular", "closer-look"])
def test_an_empty_text_inside_a_field_is_absent(irregular: dict[str, int]) -> None:
    found = read(labels={"a": "", "b": "c"}, actor={"id": "", "kind": "human"}, marks=["", "odd"], **irregular)
    assert found == read(labels={"b": "c"}, actor={"kind": "human"}, marks=["odd"], **irregular)
    assert decode_lines([encode(found), encode(found)[:-1] + b',"service":""}']) == [found, found]


def test_an_unknown_field_without_a_text_leaves_no_label() -> None:
    assert read(team="").labels == {}


def test_a_leap_second_is_the_next_second_and_marked() -> None:
    event = read(time="2016-12-31T23:59:60.25Z")
    assert to_text(event.time) == "2017-01-01T00:00:00.250000Z"
    assert event.marks == (Mark.LEAP_SECOND,)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"id": "drop"}, Rejected.MISSING_FIELD),
        ({"source": None}, Rejected.MISSING_FIELD),
        ({"time": ""}, Rejected.MISSING_FIELD),
        ({"kind": "drop"}, Rejected.MISSING_FIELD),
        ({"id": ["x"]}, Rejected.BAD_FIELD),
        ({"id": True}, Rejected.BAD_FIELD),
        ({"kind": "alert.exploded"}, Rejected.UNKNOWN_KIND),
        ({"kind": 7}, Rejected.UNKNOWN_KIND),
        ({"time": "yesterday"}, Rejected.BAD_TIME),
        ({"time": 1_700_000_000}, Rejected.BAD_TIME),
        ({"time": "2026-02-30T00:00:00Z"}, Rejected.BAD_TIME),
        ({"time": "2026-03-10T12:00:61Z"}, Rejected.BAD_TIME),
        ({"time": "2026-03-10T12:00:00"}, Rejected.TIME_WITHOUT_OFFSET),
        ({"time": "2026-03-10"}, Rejected.TIME_WITHOUT_OFFSET),
        ({"expires_at": "2026-03-10T12:00:00"}, Rejected.TIME_WITHOUT_OFFSET),
        ({"time": "0001-01-01T00:00:00Z"}, Rejected.TIME_OUT_OF_RANGE),
        ({"time": "0000-01-01T00:00:00Z"}, Rejected.TIME_OUT_OF_RANGE),
        ({"time": "9999-12-31T23:59:59-12:00"}, Rejected.TIME_OUT_OF_RANGE),
        ({"began_at": "0001-01-01T00:00:00Z"}, Rejected.TIME_OUT_OF_RANGE),
        ({"title": "a\0b"}, Rejected.NUL_BYTE),
        ({"labels": {"a\0": "b"}}, Rejected.NUL_BYTE),
    ],
)
def test_what_cannot_be_accepted_names_its_reason_and_its_place(changes: dict[str, Any], reason: Rejected) -> None:
    error = refuse_with(**changes)
    assert error.reason == reason
    assert next(iter(changes)) in error.detail


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b"", Rejected.NOT_JSON),
        (b"{", Rejected.NOT_JSON),
        (b"{} {}", Rejected.NOT_JSON),
        (b'{"value": NaN}', Rejected.NOT_JSON),
        (b'{"a": 1e999, "b": NaN}', Rejected.NOT_JSON),
        (b"[]", Rejected.NOT_AN_EVENT),
        (b"null", Rejected.NOT_AN_EVENT),
        (b'"text"', Rejected.NOT_AN_EVENT),
        (b'{"id": "\xff"}', Rejected.NOT_UTF8),
        (b'{"id": "\0"}', Rejected.NUL_BYTE),
        (b'{"a":' * 100_000, Rejected.TOO_DEEP),
        (b"[" * 65 + b"]" * 65, Rejected.TOO_DEEP),
        (b" " * (MAX_EVENT_BYTES + 1), Rejected.TOO_LARGE),
    ],
)
def test_what_is_no_event_at_all(line: bytes, reason: Rejected) -> None:
    assert refuse(line).reason == reason


def test_brackets_inside_of_text_are_no_depth() -> None:
    assert read(title='[[[["\\' * 40).title == '[[[["\\' * 40


def test_a_byte_order_mark_is_no_error() -> None:
    assert decode_line(b"\xef\xbb\xbf" + json.dumps(BASE).encode()) == read()


@pytest.mark.parametrize(("more", "title"), [(b"", "cut \ufffd"), (b',"value":1e999', "cut \ufffd")])
def test_half_an_emoji_is_replaced(more: bytes, title: str) -> None:
    event = decode_line(json.dumps(BASE).encode()[:-1] + rb',"title":"cut \ud83d"' + more + b"}")
    assert event.title == title
    assert refuse(rb'{"title":"\ud83d}').reason == Rejected.NOT_JSON


def test_numbers_identify_exactly() -> None:
    assert read(id=12345678901234567890123).id == "12345678901234567890123"


@pytest.mark.parametrize("value", [2**53, -(2**60), 1e300])
def test_numbers_that_are_not_exact_are_marked(value: float) -> None:
    event = read(value=value)
    assert event.value == float(value)
    assert event.marks == (Mark.NUMBER_INEXACT,)
    assert decode_line(encode(event)) == event


def test_a_number_that_no_float_holds_is_kept_as_text() -> None:
    event = decode_line(json.dumps(BASE).encode()[:-1] + b', "limit": 1e999, "more": {"x": 1' + b"0" * 400 + b"}}")
    assert event.limit is None
    assert event.labels["limit"] == "1e999"
    assert event.marks == (Mark.NUMBER_INEXACT, Mark.FIELD_AS_LABEL)


@pytest.mark.parametrize(
    ("changes", "labels"),
    [
        ({"severity": "P1"}, {"severity": "P1"}),
        ({"bound": "sideways"}, {"bound": "sideways"}),
        ({"value": "many"}, {"value": "many"}),
        ({"value": True}, {"value": "true"}),
        ({"service": ["a"]}, {"service": '["a"]'}),
        ({"labels": "none"}, {"labels": "none"}),
        ({"actor": 5}, {"actor": "5"}),
        ({"actor": {"kind": "robot"}}, {"actor.kind": "robot"}),
        ({"actor": {"on_call": "yes"}}, {"actor.on_call": "yes"}),
        ({"actor": {"id": [1]}}, {"actor.id": "[1]"}),
        ({"marks": "odd"}, {"marks": "odd"}),
    ],
)
def test_a_field_of_the_wrong_sort_is_kept_as_a_label_and_marked(
    changes: dict[str, Any], labels: dict[str, str]
) -> None:
    event = read(**changes)
    assert event.labels == labels
    assert event.marks == (Mark.FIELD_AS_LABEL,)


def test_what_is_meant_is_understood() -> None:
    event = read(severity=" HIGH ", title=5, value="97", actor={"id": 5, "team": "pay"})
    assert (event.severity, event.title, event.value) == ("high", "5", 97.0)
    assert event.actor == Actor("5")
    assert event.labels == {"actor.team": "pay"}
    assert event.marks == ()
    assert read(actor="ann").actor == Actor("ann")


def test_long_text_is_cut_and_marked_and_a_long_identity_stays_one() -> None:
    event = read(title="é" * 5_000, id="x" * 300)
    assert event.title is not None
    assert len(event.title) == 4096
    assert len(event.id) == 255
    assert event.marks == (Mark.TEXT_TRUNCATED,)
    assert read(id="x" * 300).id == event.id
    assert read(id="x" * 301).id != event.id


def test_very_many_labels_are_bounded() -> None:
    event = read(labels={f"label-{n}": "x" for n in range(2_000)})
    assert len(event.labels) == MAX_LABELS == 128
    assert event.marks == (Mark.TEXT_TRUNCATED,)


def test_labels_are_bounded_together() -> None:
    """An event costs the engine some 20 KB of memory at most, whatever a stranger puts into it."""
    event = read(labels={f"{n:03}": "x" * 1_000 for n in range(100)})
    assert sum(len(name) + len(text) for name, text in event.labels.items()) <= MAX_LABELS_TEXT == 16_384
    assert len(event.labels) == 16
    assert event.marks == (Mark.TEXT_TRUNCATED,)


def test_whatever_is_accepted_can_be_read_again_after_it_was_written() -> None:
    much = BASE | {
        "labels": {f"{n:03}" + "\x01" * 4_000: "\x02" * 5_000 for n in range(100)},
        "title": "\x03" * 5_000,
        "marks": ["m" * 4_000, "n" * 4_000, "o" * 4_000],
    }
    event = decode_value(much)
    assert len(encode(event)) < MAX_EVENT_BYTES
    assert decode_line(encode(event)) == event
    assert Mark.TEXT_TRUNCATED in event.marks
    assert "o" * 4_000 not in event.marks


def test_an_event_says_its_time_in_utc() -> None:
    event = Event("a", "b", Instant(1_000_001), "note.added")
    assert json.loads(encode(event)) == {
        "id": "a",
        "source": "b",
        "time": "1970-01-01T00:00:01.000001Z",
        "kind": "note.added",
    }


@pytest.mark.parametrize(("body", "shown"), [(b"not json", "found 'not json'"), (b"x" * 41, f"found '{'x' * 40}'…")])
def test_what_was_found_ends_in_dots_only_where_it_was_cut(body: bytes, shown: str) -> None:
    with pytest.raises(Unreadable) as refused:
        decode_line(body)
    assert refused.value.detail.endswith(shown)


def test_a_line_gets_its_receipt_without_being_written_again() -> None:
    line = encode(read())
    assert with_receipt(line + b"\n", Instant(1_773_144_000_500_000)) == (
        line[:-1] + b',"received_at":"2026-03-10T12:00:00.500000Z"}'
    )
    assert decode_line(with_receipt(line, Instant(7_000))).received_at == 7_000


def test_a_text_is_cut_beyond_the_limit_and_not_at_it() -> None:
    assert [clip("x" * length, 5) for length in (4, 5, 6)] == ["xxxx", "xxxxx", "xxxx…"]
