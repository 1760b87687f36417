"""The engine's state as plain cells, written and read.

A cell is a small piece of state under a name; only cells that changed are written, so that what is written per batch
is proportional to what the batch changed. Events are appended in chunks; an old chunk is written again once much of it
is evicted.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping

import msgspec

from monitor.core.matching.last_values import TABLES
from monitor.core.model.events import EventId
from monitor.core.model.packing import pack, unpack
from monitor.core.model.watermark import Timeline
from monitor.core.state.candidates import Candidate
from monitor.core.state.chunks import Chunk, in_turn, keys_by_kind, sorted_out
from monitor.core.state.engine_state import EngineState
from monitor.core.state.episodes import Episode, PastDraft
from monitor.core.state.feeds import FeedKey
from monitor.core.state.hazard_outcomes import OutcomeSoFar
from monitor.core.state.sharing import Sharing
from monitor.core.weighing.observed import CELL_KINDS

STATE_VERSION = 1
LongestTtl = Callable[[str, int], int]
"""The longest TTL of an event by kind and mask (microseconds)."""

Restored = tuple[EngineState, dict[EventId, int]]
"""The state, and until when each of its events is stored."""


class Meta(msgspec.Struct):
    version: int
    timeline: Timeline
    chunks: int
    evicted_at: int = msgspec.field(name="swept_at")
    expired_until: int
    held: int = 0
    grown: int = 0


class StateError(Exception):
    """The saved state cannot be used: it was written by another version of the program."""


def _joined(*parts: str | None) -> str:
    """Several texts as one cell key; what the tools call their things may hold any character."""
    return msgspec.json.encode(parts).decode()


def _parted(key: str) -> list[str | None]:
    return msgspec.json.decode(key, type=list[str | None])


def take_changes(state: EngineState, longest_ttl: LongestTtl) -> dict[str, bytes | None]:
    """The cells that changed since the last call; None deletes one. `longest_ttl`: of a kind with a mask."""
    cells: dict[str, bytes | None] = {}
    for name in state.dirty:
        kind, _, key = name.partition(":")
        cells[name] = _cell(state, kind, key)
    state.dirty.clear()
    for feed, slot in state.feeds.dirty:
        cells[_feed_name(feed, slot)] = _feed_cell(state, feed, slot)
    state.feeds.clear_dirty()
    for hazard_key in state.pending_hazards.outcomes.dirty:
        outcome = state.pending_hazards.outcomes.cell(hazard_key)
        cells["noted:" + _joined(*hazard_key)] = None if outcome is None else pack(outcome)
    state.pending_hazards.outcomes.dirty.clear()
    for name in state.observed.dirty:
        kind, _, key = name.partition(":")
        cells[name] = state.observed.cell(kind, key)
    state.observed.dirty.clear()
    cells.update({f"cut:{unit}": state.cuts.cell(unit) for unit in state.cuts.dirty})
    state.cuts.dirty.clear()
    _take_events(state, cells, longest_ttl)
    times = (state.evicted_at, state.expired_until)
    cells["meta:"] = pack(Meta(STATE_VERSION, state.timeline, state.log.chunks, *times, state.held, state.grown))
    return cells


def _cell(state: EngineState, kind: str, key: str) -> bytes | None:
    value: object = None
    if kind == "instance":
        value = state.candidates.get(key)
    elif kind == "episode":
        value = state.episodes.get(key)
    elif kind in TABLES:
        value = state.last_values.tables[kind].get(key)
    elif kind == "recurrence":
        value = state.recurrences.get(key)
    elif kind == "past":
        value = state.past_drafts.get(key)
    return None if value is None else pack(value)


def _feed_cell(state: EngineState, feed: FeedKey, slot: int | None) -> bytes | None:
    if slot is None:
        return pack(state.feeds.spans(feed)) if state.feeds.knows(feed) else None
    times = state.feeds.slot(feed, slot)
    return None if times is None else pack(times.tolist())


def _take_events(state: EngineState, cells: dict[str, bytes | None], longest_ttl: LongestTtl) -> None:
    rewriting = state.log.rewriting
    if rewriting.is_under_way:
        unwritten = {event.event_id for event, _, _ in state.new_facts}
        state.new_facts += [each for each in rewriting.next_part() if each[0].event_id not in unwritten]
        cells.update(dict.fromkeys(state.log.facts.forget(rewriting.take_done())))
    for chunk in sorted_out(state.new_facts, longest_ttl, state.is_known):
        state.log.facts.note(state.log.chunks, chunk)
        cells[f"facts:{state.log.chunks}"] = pack(chunk)
        state.log.chunks += 1
    state.new_facts = []
    fresh = [entry[4] for entry in state.awaiting_watermark if entry[3] >= state.unwritten_from]
    if fresh:
        newest = int(max(event.time for event in fresh))
        state.log.pending[state.log.chunks] = newest
        cells[f"pending:{state.log.chunks}"] = pack(Chunk(newest, fresh))
        state.log.chunks += 1
    state.unwritten_from = state.arrivals
    oldest = min((entry[0] for entry in state.awaiting_watermark), default=None)
    for number, newest in list(state.log.pending.items()):
        if oldest is None or newest < oldest:
            del state.log.pending[number]
            cells[f"pending:{number}"] = None


def restore(cells: Mapping[str, bytes], aside: Collection[object] = ()) -> Restored:
    """State from its cells, without the events `aside`. Raises StateError where another version wrote them."""
    try:
        meta = unpack(cells["meta:"], Meta)
    except (KeyError, msgspec.DecodeError) as error:
        raise StateError(f"the saved engine state has no readable header: {error}") from error
    if meta.version != STATE_VERSION:
        raise StateError(
            f"the saved engine state has version {meta.version}, this program reads {STATE_VERSION}; "
            "run the version of the program that wrote it"
        )
    state = EngineState(meta.timeline)
    state.log.chunks, state.evicted_at, state.expired_until = meta.chunks, meta.evicted_at, meta.expired_until
    state.held, state.grown = meta.held, meta.grown
    kinds = keys_by_kind(cells)
    for key in kinds.pop("cut", ()):
        state.cuts.restore(key, cells[f"cut:{key}"])
    written_until: dict[EventId, int] = {}
    for number, chunk in in_turn(cells, "facts", kinds.pop("facts", ())):
        state.log.facts.note(number, chunk)
        derived = {place: facts for facts, places in chunk.derived for place in places}
        for place, event in enumerate(chunk.events):
            if (aside and event.event_id in aside) or state.cuts.drops(event) or chunk.is_over(place, meta.evicted_at):
                continue
            # An event that was written again has more derived facts.
            if not state.memory.restore(event, derived.get(place)) and place in derived:
                state.memory.set_facts(event, derived[place])
            written_until[event.event_id] = max(chunk.until, written_until.get(event.event_id, 0))
    sharing = Sharing(state.memory, state.observed, state.candidates, state.episodes)
    _restore_pending(state, in_turn(cells, "pending", kinds.pop("pending", ())), aside)
    # Events came first: what shares them makes room at once then, and its place in memory is used again.
    for kind, key in ((kind, key) for kind, keys in kinds.items() for key in keys):
        _restore_cell(state, kind, key, cells[f"{kind}:{key}"])
        sharing.restored(kind, key)
    return state, written_until


def _restore_cell(state: EngineState, kind: str, key: str, value: bytes) -> None:
    if kind == "instance":
        state.add_candidate(unpack(value, Candidate))
    elif kind == "episode":
        state.add_episode(episode := unpack(value, Episode))
        if episode.wake_at is not None:
            state.set_timer(episode.wake_at, "wake", episode.id)
        if episode.closes_at is not None:
            state.set_timer(episode.closes_at, "close", episode.id)
    elif kind in TABLES:
        state.last_values.tables[kind][key] = unpack(value, TABLES[kind].type)
    elif kind == "recurrence":
        state.recurrences[key] = unpack(value, list[tuple[int, str]])
    elif kind == "past":
        state.past_drafts[key] = unpack(value, PastDraft)
    elif kind == "noted":
        rule, source, event_id = _parted(key)
        hazard = (rule or "", source or "", event_id or "")
        state.pending_hazards.outcomes.restore(hazard, unpack(value, OutcomeSoFar))
    elif kind in CELL_KINDS:
        state.observed.restore(kind, key, value)
    elif kind == "feed":
        _restore_feed(state, key, value)
    else:
        raise StateError(f"the saved engine state has a cell of unknown kind {kind!r}")
    state.dirty.clear()


def _restore_feed(state: EngineState, key: str, value: bytes) -> None:
    service, source, evidence, slot = _parted(key)
    feed = FeedKey(service or "", source or "", evidence)
    if slot:
        for at in unpack(value, list[int]):
            state.feeds.add_time(feed, at)
    else:
        state.feeds.restore_spans(feed, unpack(value, list[tuple[int, int]]))
    state.feeds.clear_dirty()


def _restore_pending(state: EngineState, chunks: Iterable[tuple[int, Chunk]], aside: Collection[object]) -> None:
    """Events that were processed before the snapshot are in the chunk still; the watermark tells them apart."""
    for number, chunk in chunks:
        state.log.pending[number] = chunk.until
        for event in chunk.events:
            if event.time >= state.timeline.watermark and not (aside and event.event_id in aside):
                state.awaiting_watermark.append((event.time, event.source, event.id, state.arrivals, event))
                state.arrivals += 1
    state.unwritten_from = state.arrivals


def _feed_name(feed: FeedKey, slot: int | None) -> str:
    return "feed:" + _joined(feed.service, feed.source, feed.evidence, None if slot is None else str(slot))
