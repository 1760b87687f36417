"""Events that are written together, as one cell of the state, with what was derived for some of them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

import msgspec

from monitor.core.matching.facts import DerivedFacts
from monitor.core.model.events import Event
from monitor.core.model.packing import unpack
from monitor.core.model.retention_policy import RETENTION
from monitor.core.state.cuts import EVIDENCE_KINDS
from monitor.core.state.event_series import EventSeries

MOST_TERMS = 2
"""Events that are kept for one `RETENTION.long`, for two and for longer have chunks of their own."""
MOST_TOGETHER = 1_000
"""Events in a chunk: it is read whole, and its bytes and its events take memory side by side then."""
MOST_GONE = 0.5
"""So many evicted events, for each that is remembered, may remain in old chunks until these are written again."""
NewEvent = tuple[int, Event, DerivedFacts | None]
"""(until when it is kept, what happened, its derived facts)."""


class Chunk(msgspec.Struct, omit_defaults=True):
    """Events written together; forgotten together when the last of them is past its horizon.

    `derived`: the derived facts of some of them, each with the places of those events. `ends`: until when each event is
    kept at most, in the order of the events; empty where an older version wrote them.
    """

    until: int
    events: list[Event]
    derived: list[tuple[DerivedFacts, list[int]]] = msgspec.field(default_factory=list, name="told")
    loose: bool = False
    """Only of services that the catalogue did not know: evicted whole when the byte budget cuts those."""
    ends: list[int] = []

    def is_over(self, place: int, watermark: int) -> bool:
        """Whether an event was evicted by then: a chunk is read again until its last event is."""
        return bool(self.ends) and self.ends[place] < watermark


class Written(NamedTuple):
    """A chunk that is written: until when it is kept, its newest event, its events, and whether it is a loose one."""

    until: int
    newest: int
    events: int
    loose: bool


class FactChunks:
    """Which chunks of remembered events are written, by number."""

    def __init__(self) -> None:
        self.written: dict[int, Written] = {}

    def note(self, number: int, chunk: Chunk) -> None:
        newest = max(event.time for event in chunk.events)
        self.written[number] = Written(chunk.until, newest, len(chunk.events), chunk.loose)

    def expire(self, watermark: int) -> list[str]:
        """Forget those whose events are all past their TTL; the cells."""
        return self._forget([number for number, chunk in self.written.items() if chunk.until < watermark])

    def cut(self, until: int) -> list[str]:
        """Forget the loose ones of which nothing is younger; the cells."""
        gone = [number for number, chunk in self.written.items() if chunk.loose and chunk.newest < until]
        return self._forget(gone)

    def to_write_again(self, before: int, remembered: int) -> list[int]:
        """Those that end before a moment, where so much of them is evicted that it pays to rewrite the rest.

        What is written again is paid for by what was evicted since.
        """
        old = [number for number, chunk in self.written.items() if chunk.newest < before]
        held = sum(self.written[number].events for number in old)
        return old if held - remembered > remembered * MOST_GONE else []

    def forget(self, numbers: list[int]) -> list[str]:
        """They are of no use any more; the cells."""
        return self._forget([number for number in numbers if number in self.written])

    def _forget(self, numbers: list[int]) -> list[str]:
        for number in numbers:
            del self.written[number]
        return [f"facts:{number}" for number in numbers]


class Rewriting:
    """Old chunks of which most is evicted: what is remembered of them is written again, a part with each commit.

    All at once would take the memory of it once more.
    """

    def __init__(self) -> None:
        self._chunks: list[int] = []
        self._series: list[EventSeries] = []
        self._before = 0

    @property
    def is_under_way(self) -> bool:
        return bool(self._chunks)

    def begin(self, chunks: list[int], series: list[EventSeries], before: int) -> None:
        self._chunks, self._series, self._before = chunks, series, before

    def next_part(self) -> list[tuple[Event, int, DerivedFacts | None]]:
        """Events to be written now; those that came since the beginning are in younger chunks."""
        found: list[tuple[Event, int, DerivedFacts | None]] = []
        while self._series and len(found) < MOST_TOGETHER:
            found += self._series.pop().before(self._before)
        return found

    def take_done(self) -> list[int]:
        """The chunks, once all that is remembered of them was written again."""
        if self._series:
            return []
        done, self._chunks = self._chunks, []
        return done


class ChunkLog:
    """Which chunks are written: how many so far, those of remembered events, the newest event of each that waits."""

    def __init__(self) -> None:
        self.chunks = 0
        self.facts = FactChunks()
        self.rewriting = Rewriting()
        self.pending: dict[int, int] = {}


def sorted_out(
    facts: Iterable[tuple[Event, int, DerivedFacts | None]],
    longest_ttl: Callable[[str, int], int],
    is_known: Callable[[str], bool] | None,
) -> Iterator[Chunk]:
    """New events as chunks. Those that are kept for long have their own, so that the many are evicted with theirs.

    `is_known`: whether the catalogue has a service; None where nothing is ever cut.
    """
    kept: dict[tuple[bool, int], list[NewEvent]] = {}
    for event, mask, derived in facts:
        keep = longest_ttl(event.kind, mask)
        loose = is_known is not None and event.kind not in EVIDENCE_KINDS and not is_known(event.service or "")
        term = min((keep - 1) // RETENTION.long, MOST_TERMS)
        kept.setdefault((loose, term), []).append((event.time + keep, event, derived))
    for (loose, _), found in sorted(kept.items()):
        for start in range(0, len(found), MOST_TOGETHER):
            new = found[start : start + MOST_TOGETHER]
            ends = [at for at, _, _ in new]
            yield Chunk(max(ends), [event for _, event, _ in new], grouped_by_facts(new), loose, ends)


def grouped_by_facts(facts: Sequence[NewEvent]) -> list[tuple[DerivedFacts, list[int]]]:
    """Most events that come together have equal facts, which are written once."""
    found: dict[tuple[tuple[str, object], ...], tuple[DerivedFacts, list[int]]] = {}
    for place, (_, _, derived) in enumerate(facts):
        if derived:
            found.setdefault(tuple(sorted(derived.items())), (derived, []))[1].append(place)
    return list(found.values())


def keys_by_kind(names: Iterable[str]) -> dict[str, list[str]]:
    """The keys of cells by their kind, in the order of the names; the header is left out."""
    found: dict[str, list[str]] = {}
    for name in names:
        kind, _, key = name.partition(":")
        if kind != "meta":
            found.setdefault(kind, []).append(key)
    return found


def in_turn(cells: Mapping[str, bytes], kind: str, keys: Iterable[str]) -> Iterator[tuple[int, Chunk]]:
    """By their numbers, each read in its turn and then released: all at once would take the memory twice."""
    for number in sorted(map(int, keys)):
        yield number, unpack(cells[f"{kind}:{number}"], Chunk)
