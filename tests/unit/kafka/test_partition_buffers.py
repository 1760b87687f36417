"""Partitions become one stream: each in its own order, none lost, none ahead of one that is behind."""

from __future__ import annotations

from collections import Counter
from typing import NamedTuple

from hypothesis import given
from hypothesis import strategies as st

from monitor.core.model.events import Event, Instant
from monitor.kafka.messages import RecordContent
from monitor.kafka.partition_buffers import PartitionBuffer, merge


def buffer(key: str, *times: int, end: int | None = None) -> PartitionBuffer:
    """A partition from offset 0 whose entries carry one event each; `end` beyond them: more is on the broker."""
    made = PartitionBuffer(key, "events", position=0, first=0, end=len(times) if end is None else end)
    made.fetched = len(times)
    made.entries.extend(
        RecordContent(offset, at, (Event(id=f"{key}-{offset}", source="s", time=Instant(at), kind="note.added"),))
        for offset, at in enumerate(times)
    )
    return made


class Undecoded(NamedTuple):
    """A record as it was fetched."""

    topic: str = "a"
    partition: int = 0
    offset: int = 0
    timestamp: int = 0
    value: bytes | None = b"{}"
    headers: tuple[tuple[str, bytes | None], ...] = ()


def times(taken: list[tuple[PartitionBuffer, RecordContent]]) -> list[int]:
    return [entry.at for _, entry in taken]


def test_the_earliest_event_comes_first() -> None:
    assert times(merge([buffer("a", 1, 4), buffer("b", 2, 3)], 10)) == [1, 2, 3, 4]


def test_a_lane_keeps_its_own_order() -> None:
    assert times(merge([buffer("a", 5, 1), buffer("b", 3)], 10)) == [3, 5, 1]


def test_nothing_passes_a_lane_that_is_behind() -> None:
    waiting = buffer("b", end=3)

    assert merge([buffer("a", 1), waiting], 10) == []


def test_merging_stops_where_a_lane_runs_dry_before_its_end() -> None:
    first, second = buffer("a", 1, end=2), buffer("b", 0, 5)

    assert times(merge([first, second], 10)) == [0, 1]
    assert (first.handed, second.handed) == (1, 1)


def test_a_drained_lane_stands_behind_gaps() -> None:
    gap = buffer("a", 1)
    gap.fetched = gap.end = 7

    merge([gap], 10)

    assert gap.handed == 7


def test_a_lane_whose_records_are_not_decoded_yet_is_behind_and_is_asked_for_no_more() -> None:
    waiting, other = buffer("a", 5), buffer("b", 1)
    fetched = RecordContent(0, 0)
    waiting.entries.clear()
    waiting.fetched_records.append(Undecoded())

    assert merge([waiting, other], 10) == []
    assert (waiting.is_behind, waiting.is_drained, waiting.lacks, waiting.handed) == (True, False, False, 0)

    waiting.fetched_records.clear()
    waiting.entries.append(fetched)
    assert [entry for _, entry in merge([waiting], 10)] == [fetched]
    assert (waiting.is_drained, waiting.handed) == (True, 1)


def test_an_entry_with_more_events_than_the_limit_is_taken_whole() -> None:
    event = Event(id="e", source="s", time=Instant(0), kind="note.added")
    big = buffer("a")
    big.entries.extend([RecordContent(0, 0, (event,) * 5), RecordContent(1, 0, (event,))])
    big.fetched = big.end = 2

    assert [entry.offset for _, entry in merge([big], 3)] == [0]
    assert [entry.offset for _, entry in merge([big], 3)] == [1]


@given(
    st.lists(st.lists(st.integers(0, 50), max_size=12), min_size=1, max_size=4),
    st.integers(1, 9),
)
def test_everything_comes_once_and_in_its_lanes_order(partitions: list[list[int]], limit: int) -> None:
    buffers = [buffer(str(number), *each) for number, each in enumerate(partitions)]
    taken: list[tuple[PartitionBuffer, RecordContent]] = []
    while any(each.entries for each in buffers):
        step = merge(buffers, limit)
        assert 0 < len(step) <= limit
        taken += step

    for each, given_times in zip(buffers, partitions, strict=True):
        own = [entry for owner, entry in taken if owner is each]
        assert [entry.offset for entry in own] == list(range(len(given_times)))
        assert each.handed == len(given_times)
    assert Counter(times(taken)) == Counter(at for each in partitions for at in each)


@given(st.lists(st.lists(st.integers(0, 50), max_size=12).map(sorted), min_size=1, max_size=4), st.integers(1, 9))
def test_lanes_in_order_give_a_stream_in_order(partitions: list[list[int]], limit: int) -> None:
    buffers = [buffer(str(number), *each) for number, each in enumerate(partitions)]
    merged: list[int] = []
    while any(each.entries for each in buffers):
        merged += times(merge(buffers, limit))

    assert merged == sorted(merged)
