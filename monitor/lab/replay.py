"""Streams files of canonical events through one engine to the end and keeps what became of the drafts.

Never reads a clock, and holds a block of lines at a time: how long the stream is does not matter.
"""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Sequence
from itertools import islice
from typing import Protocol

import msgspec

from monitor.core.model.decisions import Decision
from monitor.core.model.events import MINUTE, Event, Instant
from monitor.core.model.faults import Culprit
from monitor.decode.canonical import Unreadable, decode_line, decode_lines
from monitor.decode.normalise import normalise
from monitor.decode.registry import decode
from monitor.lab.ledger import Ledger
from monitor.ops.lines import Block, Unread

FUTURE_TOLERANCE = 5 * MINUTE
_MERGED_BATCH = 2000
_SHOWN = 200


class Steps(Protocol):
    """What replay needs of an engine."""

    def step(self, events: Sequence[Event], /) -> list[Decision]: ...

    def end(self) -> list[Decision]: ...

    def forget_changes(self) -> None:
        """Nothing is saved here; without this, what is to be saved would pile up."""
        ...


class Source(msgspec.Struct, frozen=True):
    """One stream by name. Its order is the order of arrival."""

    name: str
    blocks: Iterable[Block]


class Observer(Protocol):
    """Is told what happens on the way: for messages and a progress bar."""

    def unread(self, name: str, unread: Unread) -> None: ...

    def progress(self, name: str, consumed: int, events: int) -> None: ...


class Summary(msgspec.Struct, frozen=True):
    """What was read: events given to the engine, and by reason what could not be read or was left out by intention."""

    events: int
    unread: dict[str, int]
    left_out: dict[str, int] = {}

    @property
    def nothing_readable(self) -> bool:
        return self.events == 0 and bool(self.unread)


def replay(
    engine: Steps, sources: Sequence[Source], observer: Observer, aside: Collection[Culprit] = ()
) -> tuple[Ledger, Summary]:
    """Run the sources through the engine and end it, without the events `aside`. Raises Fault.

    Several sources are merged by arrival, each keeping its own order, as the tools that wrote them ran side by side.
    """
    ledger, reading = Ledger(), Reading(sources, observer)
    for batch in reading.batches():
        ledger.record(engine.step(without(batch, aside)))
        engine.forget_changes()
    ledger.record(engine.end())
    return ledger, reading.summary


def without(batch: Sequence[Event], aside: Collection[Culprit]) -> Sequence[Event]:
    """The events that are not put aside."""
    return [event for event in batch if event.event_id not in aside] if aside else batch


class Reading:
    """Several sources as one stream of batches, and a summary of what was read of them so far."""

    def __init__(self, sources: Sequence[Source], observer: Observer) -> None:
        self._sources = sources
        self._observer = observer
        self._unread, self._left_out = Counter[str](), Counter[str]()
        self._total = 0

    def batches(self) -> Iterator[list[Event]]:
        """Call it once; the sources are read as the batches are asked for."""
        streams = [_batches(source, self._unread, self._left_out, self._observer) for source in self._sources]
        for batch in streams[0] if len(streams) == 1 else merged(streams):
            yield batch
            self._total += len(batch)

    @property
    def summary(self) -> Summary:
        return Summary(self._total, dict(self._unread), dict(self._left_out))


def _batches(source: Source, unread: Counter[str], left_out: Counter[str], observer: Observer) -> Iterator[list[Event]]:
    """Events block by block. What is no canonical event may be an envelope or an array of events: the slow way."""
    name = source.name
    total = 0

    def refuse(found: Unread) -> None:
        unread[str(found.reason)] += 1
        observer.unread(name, found)

    for block in source.blocks:
        at_once = None if block.unread else decode_lines(block.lines)
        if at_once is not None:
            total += len(at_once)
            observer.progress(name, block.consumed, total)
            yield [event if event.received_at is None else admitted(event) for event in at_once]
            continue
        refused = {found.number: found for found in block.unread}
        events: list[Event] = []
        append = events.append
        for number, line in enumerate(block.lines, block.first):
            try:
                append(decode_line(line))
            except Unreadable as error:
                if not line.strip():
                    if number in refused:
                        refuse(refused[number])
                elif line.lstrip().startswith(b"[") or b'"specversion"' in line:
                    outcome = decode("events", line)
                    events.extend(outcome.events)
                    left_out.update({str(reason): count for reason, count in outcome.ignored.items()})
                    unread.update({str(reason): count for reason, count in outcome.refused.items()})
                    for refusal in outcome.refusals:
                        observer.unread(name, Unread(number, refusal.reason, refusal.detail, line[:_SHOWN]))
                else:
                    refuse(Unread(number, error.reason, error.detail, line[:_SHOWN]))
        total += len(events)
        observer.progress(name, block.consumed, total)
        yield [event if event.received_at is None else admitted(event) for event in events]


def events_of(source: Source, observer: Observer) -> list[Event]:
    """All events of one source, as replay would give them to the engine."""
    return [event for batch in _batches(source, Counter(), Counter(), observer) for event in batch]


def admitted(event: Event) -> Event:
    """The event as intake would have kept it: a time from the future is capped where its receipt is known."""
    received_at = event.received_at
    if received_at is None or event.time <= received_at:
        return event
    return normalise(event, received_at, FUTURE_TOLERANCE)


def arrived_at(event: Event) -> Instant:
    """When it came in, as far as the event tells: its receipt, else the time when it happened."""
    return event.time if event.received_at is None else event.received_at


def merged(streams: Sequence[Iterator[list[Event]]]) -> Iterator[list[Event]]:
    """Several streams as one, by arrival; an event that is out of order in its own stream stays where it is."""
    keyed = heapq.merge(*map(_rising, streams), key=_first)
    while batch := [event for _, event in islice(keyed, _MERGED_BATCH)]:
        yield batch


def _first(keyed: tuple[int, Event]) -> int:
    return keyed[0]


def _rising(batches: Iterator[list[Event]]) -> Iterator[tuple[int, Event]]:
    highest: int | None = None
    for batch in batches:
        for event in batch:
            arrived = arrived_at(event)
            highest = arrived if highest is None or arrived > highest else highest
            yield highest, event
