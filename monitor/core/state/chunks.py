"""Events that are written together, as one cell of the state, with what was derived for some of them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

import msgspec

from monitor.core.matching.facts import DerivedFacts
from monitor.core.model.events import Event
from monitor.core.model.packing import unpack
from monitor.core.model.retention_policy import RETENTION
from monitor.core.state.cuts import EVIDENCE_KINDS

MOST_TERMS = 2
"""Events that are kept for one `RETENTION.long`, for two and for longer lie in chunks of their own."""
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


class FactChunks:
    """Which chunks of remembered events are written: `until` when, and the newest event of the loose ones."""

    def __init__(self) -> None:
        self.until: dict[int, int] = {}
        self.loose: dict[int, int] = {}

    def note(self, number: int, chunk: Chunk) -> None:
        self.until[number] = chunk.until
        if chunk.loose:
            self.loose[number] = max(event.time for event in chunk.events)

    def expire(self, watermark: int) -> list[str]:
        """Forget those whose events are all past their TTL; the cells."""
        return self._forget([number for number, until in self.until.items() if until < watermark])

    def cut(self, until: int) -> list[str]:
        """Forget the loose ones of which nothing is younger; the cells."""
        return self._forget([number for number, newest in self.loose.items() if newest < until])

    def _forget(self, numbers: list[int]) -> list[str]:
        for number in numbers:
            del self.until[number]
            self.loose.pop(number, None)
        return [f"facts:{number}" for number in numbers]


class ChunkLog:
    """Which chunks are written: how many so far, those of remembered events, the newest event of each that waits."""

    def __init__(self) -> None:
        self.chunks = 0
        self.facts = FactChunks()
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
    for (loose, _), new in sorted(kept.items()):
        until = max(at for at, _, _ in new)
        ends = [at for at, _, _ in new]
        yield Chunk(until, [event for _, event, _ in new], grouped_by_facts(new), loose, ends)


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
    """By their numbers, each read when its turn comes and let go then: all at once would take the memory twice."""
    for number in sorted(map(int, keys)):
        yield number, unpack(cells[f"{kind}:{number}"], Chunk)
