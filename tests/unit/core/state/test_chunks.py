"""Events that are written together: which lie in one chunk, until when each is kept, and what a restart reads again."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import islice
from typing import NamedTuple

import msgspec
import pytest

from monitor.core.deciding.engine import Engine
from monitor.core.matching.facts import DerivedFacts
from monitor.core.model.events import DAY, Event, Instant
from monitor.core.model.packing import pack, unpack
from monitor.core.model.retention_policy import RETENTION
from monitor.core.model.watermark import Timeline
from monitor.core.state.cells import restore, take_changes
from monitor.core.state.chunks import MOST_GONE, MOST_TOGETHER, Chunk, FactChunks, sorted_out
from monitor.core.state.engine_state import EngineState
from monitor.decode.canonical import decode_line
from monitor.lab.generator import STARTS_AT, StreamShape, generate, make_catalogue
from monitor.packs.language.regex import make_regex
from tests.support.shipped import read_shipped
from tests.support.streams import PERSON, make_event, saved

LONG = RETENTION.long


def told(name: str, at: float = 0) -> Event:
    return make_event("change.configured", at, name, actor=PERSON)


def chunks(ttls: Mapping[str, int]) -> list[list[str]]:
    """The names in each chunk of events that are kept for so long."""
    events = {name: told(name) for name in ttls}
    masks = dict(enumerate(ttls.values()))
    new = [(event, number, None) for number, event in enumerate(events.values())]
    return [[event.id for event in chunk.events] for chunk in sorted_out(new, lambda kind, mask: masks[mask], None)]


@pytest.mark.parametrize(
    ("ttls", "found"),
    [
        ({"a": DAY, "b": LONG}, [["a", "b"]]),
        ({"a": LONG, "b": LONG + 1}, [["a"], ["b"]]),
        ({"a": LONG + 1, "b": 2 * LONG}, [["a", "b"]]),
        ({"a": 2 * LONG, "b": 2 * LONG + 1}, [["a"], ["b"]]),
        ({"a": 2 * LONG + 1, "b": 90 * DAY}, [["a", "b"]]),
    ],
)
def test_what_is_kept_for_about_as_long_lies_together(ttls: Mapping[str, int], found: list[list[str]]) -> None:
    assert chunks(ttls) == found


def test_a_chunk_knows_until_when_each_event_is_kept() -> None:
    new = [(told("a", 0), 0, None), (told("b", 5), 0, None)]
    (chunk,) = sorted_out(new, lambda kind, mask: DAY, None)
    assert chunk.ends == [event.time + DAY for event in chunk.events]
    assert chunk.until == max(chunk.ends)
    assert [chunk.is_over(0, chunk.ends[0] + after) for after in (0, 1)] == [False, True]
    assert not unpack(pack(Chunk(chunk.until, chunk.events)), Chunk).is_over(0, 2**60)


@pytest.mark.parametrize(("after", "kept"), [(0, ["a", "b"]), (1, ["b"])])
def test_a_restart_reads_no_event_again_that_was_evicted(after: int, kept: list[str]) -> None:
    state, (old, young) = EngineState(Timeline()), (told("a", 0), told("b", 5))
    state.new_facts = [(old, 0, None), (young, 0, None)]
    state.evicted_at = Instant(old.time + DAY + after)
    cells = {name: cell for name, cell in take_changes(state, lambda kind, mask: DAY).items() if cell is not None}
    again, written = restore(cells)
    assert [event.id for event in (old, young) if again.memory.has(event)] == kept
    assert {event.id for event in (old, young) if event.event_id in written} == set(kept)


def written(*newest: int) -> FactChunks:
    """Chunks of a hundred events each, of which the newest is from that moment."""
    chunks = FactChunks()
    for number, at in enumerate(newest):
        event = msgspec.structs.replace(told("a"), time=Instant(at))
        chunks.note(number, Chunk(at + DAY, [event] * 100))
    return chunks


@pytest.mark.parametrize(("remembered", "old"), [(200, []), (134, []), (133, [0, 1]), (0, [0, 1])])
def test_old_chunks_are_written_again_once_a_third_of_them_is_evicted(remembered: int, old: list[int]) -> None:
    assert written(5, 9, 10).to_write_again(10, remembered) == old


def test_old_chunks_go_when_all_that_is_remembered_of_them_is_written_again_and_not_before() -> None:
    """In parts; and only what came before the moment, as what came later lies in younger chunks."""
    state, services = EngineState(Timeline()), 12
    for service in range(services):
        for at in range(100):
            state.memory.add(make_event("note.added", at, f"{service}-{at}", service=f"shop{service}"), 0)
    moment = make_event("note.added", 99).time
    state.log.facts = written(moment - 1, moment - 1, moment)
    state.log.rewriting.begin([0, 1], list(state.memory.series()), moment)
    parts = [take_changes(state, lambda kind, mask: DAY) for _ in range(3)]
    gone = [[name for name, cell in cells.items() if cell is None] for cells in parts]
    assert gone == [[], ["facts:0", "facts:1"], []]
    chunks = [[unpack(cell, Chunk) for name, cell in cells.items() if cell and name[:6] == "facts:"] for cells in parts]
    sizes = [[len(chunk.events) for chunk in each] for each in chunks]
    assert sizes == [[MOST_TOGETHER, 11 * 99 - MOST_TOGETHER], [99], []]


def test_no_chunk_holds_more_than_is_read_at_once() -> None:
    new = [(told(f"n{number}"), 0, None) for number in range(MOST_TOGETHER + 1)]
    sizes = [len(chunk.events) for chunk in sorted_out(new, lambda kind, mask: DAY, None)]
    assert sizes == [MOST_TOGETHER, 1]


class Read(NamedTuple):
    """Events that a restart reads, and those of them that the engine remembers."""

    all: int
    remembered: int


def read_again(cells: Mapping[str, bytes], engine: Engine) -> Read:
    chunks = [unpack(cell, Chunk) for name, cell in cells.items() if name.startswith("facts:")]
    events = [event for chunk in chunks for event in chunk.events]
    return Read(len(events), len({event.event_id for event in events if engine.state.memory.has(event)}))


def remembered_by(engine: Engine) -> list[tuple[Event, int, DerivedFacts | None]]:
    return sorted((each for series in engine.state.memory.series() for each in series.before(2**62)), key=str)


def test_over_days_a_restart_reads_no_more_than_what_ran_remembers() -> None:
    """What is read and dropped at once takes memory first, which the process does not give back."""
    shape = StreamShape(
        events=8_000, services=3, user_facing=1, rate=0.01, candidates=0.1, disorder=0.0, bytes_each=0, seed=1
    )
    rules, catalogue = read_shipped(), make_catalogue(shape)
    engine, cells = Engine(rules, catalogue, make_regex), dict[str, bytes]()
    lines = map(decode_line, generate(shape))
    while batch := list(islice(lines, 500)):
        engine.step(batch)
        saved(cells, engine)
    everything = remembered_by(engine)
    days = (max(event.time for event, _, _ in everything) - STARTS_AT) / DAY
    assert days > 8
    found = read_again(cells, engine)
    assert found.remembered == len(everything)
    a_day = 8_000 / days
    assert found.all <= (1 + MOST_GONE) * found.remembered + 2 * a_day
    again = Engine(rules, catalogue, make_regex, cells=cells)
    assert remembered_by(again) == everything


def test_what_a_cut_may_end_is_written_apart() -> None:
    """Events of services that the catalogue does not have, or of none; those of its own services go one by one."""
    new = [(make_event("change.configured", n, name, service=name), n, None) for n, name in enumerate(("db", "x"))]
    new.append((make_event("change.configured", 2, "nowhere", service=None), 2, None))
    found = sorted_out(new, lambda kind, mask: DAY, lambda service: service == "db")
    assert [([event.id for event in chunk.events], chunk.loose) for chunk in found] == [
        (["db"], False),
        (["x", "nowhere"], True),
    ]
