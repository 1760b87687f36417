"""Events that are written together, as one cell of the state, with what was derived for some of them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import msgspec

from monitor.core.matching.facts import DerivedFacts
from monitor.core.model.events import Event
from monitor.core.model.packing import unpack

NewEvent = tuple[int, Event, DerivedFacts | None]
"""(until when it is kept, what happened, its derived facts)."""


class Chunk(msgspec.Struct, omit_defaults=True):
    """Events written together; forgotten together when the last of them is past its horizon.

    `derived`: the derived facts of some of them, each with the places of those events.
    """

    until: int
    events: list[Event]
    derived: list[tuple[DerivedFacts, list[int]]] = msgspec.field(default_factory=list, name="told")


def grouped_by_facts(facts: Sequence[NewEvent]) -> list[tuple[DerivedFacts, list[int]]]:
    """Most events that come together have equal facts, which are written once."""
    found: dict[tuple[tuple[str, object], ...], tuple[DerivedFacts, list[int]]] = {}
    for place, (_, _, derived) in enumerate(facts):
        if derived:
            found.setdefault(tuple(sorted(derived.items())), (derived, []))[1].append(place)
    return list(found.values())


def in_turn(chunks: list[tuple[int, bytes]]) -> Iterator[tuple[int, Chunk]]:
    """By their numbers, each read when its turn comes and let go then: all at once would take the memory twice."""
    chunks.sort(key=lambda item: item[0], reverse=True)
    while chunks:
        number, value = chunks.pop()
        yield number, unpack(value, Chunk)
