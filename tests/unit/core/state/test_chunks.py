"""Events that are written together: which lie in one chunk, until when each is kept, and what a restart reads again."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from monitor.core.model.events import DAY, Event, Instant
from monitor.core.model.packing import pack, unpack
from monitor.core.model.retention_policy import RETENTION
from monitor.core.model.watermark import Timeline
from monitor.core.state.cells import restore, take_changes
from monitor.core.state.chunks import Chunk, sorted_out
from monitor.core.state.engine_state import EngineState
from tests.support.streams import PERSON, make_event

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
