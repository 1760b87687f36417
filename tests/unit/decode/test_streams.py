"""Events as people write them: relative times, repetitions, and what cannot be used."""

from __future__ import annotations

import pytest

from monitor.core.model.events import DAY, HOUR, MINUTE, SECOND, to_text
from monitor.decode import streams
from monitor.decode.streams import BASE_AT, MOST_REPEATS, arrival_order, expand

FULL = {"id": "a", "source": "s", "time": "2026-01-01T00:00:00+01:00", "kind": "alert.fired", "service": "x"}


def test_absolute_events_go_through_the_canonical_decoder() -> None:
    expanded = expand([FULL, {**FULL, "id": "b", "shard": 7}])
    assert expanded.unusable == ()
    assert to_text(expanded.events[0].time) == "2025-12-31T23:00:00Z"
    assert expanded.events[1].labels == {"shard": "7"}


@pytest.mark.parametrize(
    ("time", "offset"),
    [("+0s", 0), ("-5m", -5 * MINUTE), ("+1h30m", HOUR + 30 * MINUTE), ("+14d", 14 * DAY), ("+250ms", SECOND // 4)],
)
def test_times_may_be_relative_to_a_base(time: str, offset: int) -> None:
    base, event = expand(
        [{"time": BASE_AT, "kind": "note.added"}, {"time": time, "kind": "note.added"}], BASE_AT
    ).events
    assert event.time - base.time == offset


def test_every_time_of_an_event_may_be_relative() -> None:
    fields = ("expires_at", "previous_expires_at", "began_at", "covers_from", "received_at")
    (event,) = expand([{"time": "+0s", "kind": "change.rotated", **dict.fromkeys(fields, "+1d")}], BASE_AT).events
    assert {getattr(event, field) - event.time for field in fields} == {DAY}


def test_with_a_base_identities_are_filled_in() -> None:
    events = expand(
        [{"time": "+0s", "kind": "note.added"}, {"id": "own", "time": "+1s", "kind": "note.added"}], BASE_AT
    ).events
    assert [(event.source, event.id) for event in events] == [("example", "e1"), ("example", "own")]


def test_a_repetition_includes_its_end() -> None:
    probe = {**FULL, "id": "f1", "kind": "impact.clear", "every": "10m", "until": "2026-01-01T00:30:00+01:00"}
    events = expand([probe]).events
    assert [event.id for event in events] == ["f1#0", "f1#1", "f1#2", "f1#3"]
    assert events[3].time - events[0].time == 30 * MINUTE


@pytest.mark.parametrize(
    ("written", "field", "said"),
    [
        ({**FULL, "time": "+5m"}, "time", "is relative"),
        ({**FULL, "every": "10m"}, "until", "until is None"),
        ({**FULL, "until": "2026-01-01T01:00:00Z"}, "every", "every is None"),
        ({**FULL, "every": "0m", "until": "2026-01-01T01:00:00Z"}, "every", "every is '0m'"),
        ({**FULL, "every": "-5m", "until": "2026-01-01T01:00:00Z"}, "every", "every is '-5m'"),
        ({**FULL, "every": "5m", "until": "2020-01-01T01:00:00Z"}, "until", "until is before time"),
        ({**FULL, "every": "5m", "until": "2026-01-01T01:00:00"}, "until", "has no offset"),
        ({**FULL, "every": "1ms", "until": "2027-01-01T01:00:00Z"}, "every", f"at most {MOST_REPEATS}"),
        ({**FULL, "every": "5m", "until": "soon"}, "until", "expected RFC 3339"),
        ({**FULL, "kind": "alert.silent"}, None, "unknown_kind"),
        ({**FULL, "time": "2026-01-01T00:00:00"}, None, "time_without_offset"),
        ({"id": "a"}, None, "missing_field"),
        ({**FULL, "labels": {1: {2}}}, None, "set has no place in an event"),
        ({**FULL, "time": "+999999999d"}, None, ""),
    ],
)
def test_what_cannot_be_used_is_named_and_the_rest_is_kept(
    written: dict[str, object], field: str | None, said: str
) -> None:
    base = BASE_AT if "999999999" in str(written.get("time")) else None
    expanded = expand([FULL, written, {**FULL, "id": "c"}], base)
    assert [event.id for event in expanded.events] == ["a", "c"]
    (unusable,) = expanded.unusable
    assert (unusable.index, unusable.field) == (1, field)
    assert said in unusable.detail


def test_the_order_of_arrival_is_that_of_receipt_else_of_event_time() -> None:
    written = [
        {**FULL, "id": "late", "time": "2026-01-01T00:00:00Z", "received_at": "2026-01-01T03:00:00Z"},
        {**FULL, "id": "second", "time": "2026-01-01T02:00:00Z"},
        {**FULL, "id": "first", "time": "2026-01-01T01:00:00Z"},
    ]
    assert [event.id for event in arrival_order(expand(written).events)] == ["first", "second", "late"]


def test_the_bound_on_events_is_on_those_of_the_whole_stream(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(streams, "MOST_EVENTS", 4)
    pair = {**FULL, "every": "10m", "until": "2026-01-01T00:10:00+01:00"}
    expanded = expand([{**pair, "id": "a"}, {**pair, "id": "b"}, {**FULL, "id": "c"}])
    assert [event.id for event in expanded.events] == ["a#0", "a#1", "b#0", "b#1"]
    assert [(one.index, one.detail) for one in expanded.unusable] == [(2, "more than 4 events in one stream")]
