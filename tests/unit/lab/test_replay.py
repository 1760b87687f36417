"""Replay gives what the events say, whatever the lines around them are."""

from __future__ import annotations

import io
from collections.abc import Sequence

import msgspec

from monitor.core.deciding.engine import Engine
from monitor.core.model.events import HOUR, Event, Instant
from monitor.core.model.reasons import Mark
from monitor.decode.canonical import decode_line, encode
from monitor.decode.streams import arrival_order
from monitor.lab.ledger import Ledger
from monitor.lab.replay import FUTURE_TOLERANCE, Source, Summary, admitted, merged, replay
from monitor.ops.lines import ReadLimits, Unread, blocks
from monitor.packs.language.regex import make_regex
from tests.unit.lab.stories import shipped, shop, story


class Notes:
    """An observer that remembers."""

    def __init__(self) -> None:
        self.unreadable: list[tuple[str, int, str]] = []
        self.consumed: dict[str, int] = {}

    def unread(self, name: str, unread: Unread) -> None:
        self.unreadable.append((name, unread.number, str(unread.reason)))

    def progress(self, name: str, consumed: int, events: int) -> None:
        self.consumed[name] = consumed


def text(events: Sequence[Event]) -> bytes:
    return b"".join(encode(event) + b"\n" for event in events)


def play(*files: bytes, block: int = 4096) -> tuple[Ledger, Summary, Notes]:
    notes = Notes()
    limits = ReadLimits(line=2000, block=block)
    sources = [Source(f"file{number}", blocks(io.BytesIO(data), limits)) for number, data in enumerate(files)]
    ledger, summary = replay(Engine(shipped(), shop(), make_regex), sources, notes)
    return ledger, summary, notes


def drafts(ledger: Ledger) -> list[dict[str, object]]:
    return [entry.line() for entry in ledger.entries()]


ORDERED = arrival_order(story())
WHOLE = text(ORDERED)


def test_a_near_miss_comes_out_with_its_evidence() -> None:
    ledger, summary, notes = play(WHOLE)
    (draft,) = drafts(ledger)
    evidence = draft["evidence"]
    assert isinstance(evidence, dict)
    assert {"source": "tools", "id": "slow"} in evidence["hazard"]
    assert {"source": "tools", "id": "back"} in evidence["intervention"]
    assert draft["verdict"] == "none"
    assert (summary.events, summary.unread, notes.consumed) == (len(ORDERED), {}, {"file0": len(WHOLE)})


def test_the_size_of_blocks_never_shows() -> None:
    assert drafts(play(WHOLE, block=100)[0]) == drafts(play(WHOLE)[0])


def test_unreadable_lines_are_named_and_do_no_harm() -> None:
    broken = b"{oops\n\n   \r\n" + WHOLE + b"x" * 3000 + b"\n" + b'{"id": 1}\n'
    ledger, summary, notes = play(broken)
    last = 3 + len(ORDERED)
    assert notes.unreadable == [
        ("file0", 1, "not_json"),
        ("file0", last + 1, "too_large"),
        ("file0", last + 2, "missing_field"),
    ]
    assert summary.unread == {"not_json": 1, "too_large": 1, "missing_field": 1}
    assert not summary.nothing_readable
    assert drafts(ledger) == drafts(play(WHOLE)[0])


def test_envelopes_and_arrays_of_events_are_read_too() -> None:
    envelopes = b""
    for event in ORDERED:
        data = msgspec.json.decode(encode(event))
        outside = {name: data.pop(name) for name in ("id", "source", "time")}
        kind = data.pop("kind")
        envelope = {"specversion": "1.0", "type": f"nearmiss.{kind}", **outside, "data": data}
        envelopes += msgspec.json.encode(envelope) + b"\n"
    other = envelopes.splitlines()[0].replace(b"nearmiss.", b"com.example.")
    ledger, summary, _ = play(envelopes + other)
    assert drafts(ledger) == drafts(play(WHOLE)[0])
    assert summary.left_out == {"unknown_type": 1}
    array = b"[" + b",".join(encode(event) for event in ORDERED[-5:]) + b"]"
    assert play(text(ORDERED[:-5]) + array)[1].events == len(ORDERED)


def test_nothing_readable_is_told_apart_from_nothing_there() -> None:
    assert play(b"what?\n")[1].nothing_readable
    assert not play(b"")[1].nothing_readable


def test_files_are_merged_by_arrival() -> None:
    """A file a tool: each alone tells nothing, and one after the other they would be days late."""
    probes = [event for event in ORDERED if event.kind == "impact.clear"]
    others = [event for event in ORDERED if event.kind != "impact.clear"]
    together = drafts(play(text(probes), text(others))[0])
    assert together == drafts(play(text(others), text(probes))[0]) == drafts(play(WHOLE)[0])


def test_each_of_several_streams_keeps_its_own_order() -> None:
    def at(event_id: str, hour: int) -> Event:
        return Event(event_id, "s", Instant(hour * HOUR), "note.added")

    streams = [iter([[at("a", 3), at("b", 1)], [at("c", 4)]]), iter([[at("x", 2)], [at("y", 5)]])]
    assert [event.id for batch in merged(streams) for event in batch] == ["x", "a", "b", "c", "y"]


def test_a_time_from_the_future_is_capped_where_the_receipt_is_known() -> None:
    received = Instant(10 * HOUR)
    early = Event("e", "s", Instant(99 * HOUR), "note.added", received_at=received)
    capped = admitted(early)
    assert (capped.time, capped.marks) == (received + FUTURE_TOLERANCE, (str(Mark.TIME_IN_FUTURE),))
    unknown = Event("e", "s", Instant(99 * HOUR), "note.added")
    assert admitted(unknown) is unknown
    assert admitted(decode_line(encode(capped))) == capped
