"""Everything that the engine remembers, its indexes, and its form as plain cells.

A cell is a small piece of state under a name; only cells that changed are written, so that what is written per batch
is proportional to what the batch changed. Events are appended in chunks and never rewritten.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Collection, Iterable, Mapping

import msgspec

from monitor.core.matching.facts import DerivedFacts
from monitor.core.matching.last_values import TABLES, LastValues
from monitor.core.model.events import Event, EventId
from monitor.core.model.faults import Fault
from monitor.core.model.packing import pack, unpack
from monitor.core.model.retention_policy import RETENTION
from monitor.core.model.watermark import BEGINNING, Timeline
from monitor.core.state.candidates import Instance
from monitor.core.state.chunks import Chunk, FactChunks, in_turn, keys_by_kind, sorted_out
from monitor.core.state.cuts import Cuts
from monitor.core.state.episodes import Episode, PastDraft
from monitor.core.state.feeds import FeedKey, Feeds
from monitor.core.state.memory import Memory, TtlOf
from monitor.core.state.pending_hazards import OutcomeSoFar, PendingHazards
from monitor.core.state.sharing import Sharing
from monitor.core.state.sizes import EPISODE, instance_bytes
from monitor.core.weighing.observed import CELL_KINDS, Observed

STATE_VERSION = 1
LongestTtl = Callable[[str, int], int]
"""The longest TTL of an event by kind and mask (microseconds)."""

Timer = tuple[int, str, str]
"""(event time, "wake" | "close", id of the episode)."""


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


Restored = tuple["EngineState", dict[EventId, int]]
"""The state, and until when each of its events is stored."""


class EngineState:
    def __init__(self, timeline: Timeline) -> None:
        self.timeline = timeline
        self.memory = Memory()
        self.feeds = Feeds()
        self.last_values = LastValues()
        self.pending_hazards = PendingHazards()
        self.observed = Observed()
        self.expired_until = BEGINNING
        self.now = 0
        # Bytes as counted last, and a bound on what came since.
        self.held = self.grown = 0
        self.cuts = Cuts()
        self.instances: dict[str, Instance] = {}
        self.episodes: dict[str, Episode] = {}
        self.recurrences = self.last_values.drafts
        self.past_drafts: dict[str, PastDraft] = {}
        self.pending: list[tuple[int, str, str, int, Event]] = []
        self.arrivals = 0
        self.timers: list[Timer] = []
        self.evicted_at = BEGINNING
        # Indexes, derived from the above.
        self.by_key: dict[tuple[str, str], str] = {}
        self.open_by_rule: dict[str, dict[str, set[str]]] = {}
        self.open_by_service: dict[str, int] = {}
        self.by_alert: dict[str, set[str]] = {}
        self.citing: dict[str, set[str]] = {}
        self.active: dict[str, set[str]] = {}
        # What changed since the last snapshot.
        self.new_facts: list[tuple[Event, int, DerivedFacts | None]] = []
        self.unwritten_from = 0
        self._chunks = 0
        self._fact_chunks = FactChunks()
        self._is_known: Callable[[str], bool] | None = None
        self._pending_chunks: dict[int, int] = {}
        self._dirty: set[str] = set()

    # -- instances ---------------------------------------------------------------------------------------------

    def add_instance(self, instance: Instance) -> None:
        self.instances[instance.id] = instance
        if instance.is_newest:
            # Those that are restored come in any order, so that each knows whether another came after it.
            before = self.instances.get(self.by_key.get((instance.rule, instance.key), ""))
            if before is not None and before is not instance:
                before.is_newest = False
                self.touch_instance(before)
            self.by_key[instance.rule, instance.key] = instance.id
        self.open_by_rule.setdefault(instance.rule, {}).setdefault(instance.service, set()).add(instance.id)
        self.open_by_service[instance.service] = self.open_by_service.get(instance.service, 0) + 1
        for key in instance.tracks:
            self.by_alert.setdefault(key, set()).add(instance.id)
        self.touch_instance(instance)
        if self._is_known is not None:  # The second time for the draft that may come of it.
            self.grown += 2 * instance_bytes(instance) + EPISODE

    def track_alert(self, instance: Instance, key: str) -> None:
        self.by_alert.setdefault(key, set()).add(instance.id)

    def remove_instance(self, instance: Instance) -> None:
        del self.instances[instance.id]
        if self.by_key.get((instance.rule, instance.key)) == instance.id:
            del self.by_key[instance.rule, instance.key]
        by_service = self.open_by_rule[instance.rule]
        by_service[instance.service].discard(instance.id)
        if not by_service[instance.service]:
            del by_service[instance.service]
        self.open_by_service[instance.service] -= 1
        if not self.open_by_service[instance.service]:
            del self.open_by_service[instance.service]
        for key in instance.tracks:
            holders = self.by_alert.get(key)
            if holders is not None:
                holders.discard(instance.id)
                if not holders:
                    del self.by_alert[key]
        self.touch_instance(instance)

    def touch_instance(self, instance: Instance) -> None:
        self._dirty.add(f"instance:{instance.id}")

    # -- episodes ----------------------------------------------------------------------------------------------

    def add_episode(self, episode: Episode) -> None:
        self.episodes[episode.id] = episode
        self.register(episode)
        self.touch_episode(episode)

    def register(self, episode: Episode) -> None:
        """The episode may cite services that it did not cite before."""
        for service in episode.services:
            self.citing.setdefault(service, set()).add(episode.id)
            if not episode.closed:
                self.active.setdefault(service, set()).add(episode.id)

    def touch_episode(self, episode: Episode) -> None:
        self._dirty.add(f"episode:{episode.id}")

    def close_episode(self, episode: Episode) -> None:
        """It takes no more evidence; what it cites is remembered."""
        episode.closed = True
        _unregister(self.active, episode)
        self.touch_episode(episode)

    def remove_episode(self, episode: Episode) -> None:
        del self.episodes[episode.id]
        _unregister(self.citing, episode)
        _unregister(self.active, episode)
        self._dirty.add(f"episode:{episode.id}")

    def keep_draft(self, episode: Episode) -> None:
        """The episode is over; impact may be reported later still."""
        if episode.draft is not None and not episode.withdrawn:
            services = list(episode.draft.services or episode.services)
            self.past_drafts[episode.draft.id] = PastDraft(services, episode.window_from, episode.window_to)
            self._dirty.add(f"past:{episode.draft.id}")

    def forget_draft(self, draft_id: str) -> None:
        del self.past_drafts[draft_id]
        self._dirty.add(f"past:{draft_id}")

    def drop_episode(self, episode: Episode) -> None:
        """Forget an episode that cannot be judged, and its candidates."""
        for name in episode.instances:
            if (instance := self.instances.get(name)) is not None:
                self.remove_instance(instance)
        self.remove_episode(episode)

    def fault_of(self, timer: Timer | None) -> Fault:
        """Of a timer that failed; its events are the hazards of the episode."""
        name = None if timer is None else timer[2]
        episode = None if name is None else self.episodes.get(name)
        known = [] if episode is None else [self.instances.get(each) for each in episode.instances]
        return Fault(name, [event for each in known if each is not None for event in each.hazards.events])

    def episodes_citing(self, services: frozenset[str]) -> list[Episode]:
        """Episodes that cite one of these services, in the order of their ids."""
        found = set[str]().union(*[self.citing[service] for service in self.citing.keys() & services])
        return [self.episodes[episode_id] for episode_id in sorted(found)]

    def is_watched(self, service: str | None) -> bool:
        return service in self.active or service in self.open_by_service

    def advance_to(self, moment: int) -> None:
        """Event time has reached a moment; never backwards."""
        self.now = max(self.now, moment)

    # -- the rest ----------------------------------------------------------------------------------------------

    def set_timer(self, at: int, kind: str, what: str) -> None:
        heapq.heappush(self.timers, (at, kind, what))

    def record_last_values(self, event: Event) -> None:
        self._dirty.update(self.last_values.record(event))

    def repeats(self, key: str, before: int) -> list[str]:
        """Drafts of the same recurrence key that opened within 180 days before."""
        return [draft for at, draft in self.recurrences.get(key, ()) if before - RETENTION.repeat <= at < before]

    def remember_recurrence(self, key: str, at: int, draft_id: str) -> None:
        entries = [entry for entry in self.recurrences.get(key, []) if entry[0] >= at - RETENTION.repeat]
        if draft_id not in (known for _, known in entries):
            entries.append((at, draft_id))
        self.recurrences[key] = sorted(entries)[-50:]
        self._dirty.add(f"recurrence:{key}")

    def forget_recurrence(self, key: str) -> None:
        del self.recurrences[key]
        self._dirty.add(f"recurrence:{key}")

    def forget_last_value(self, table: str, key: str) -> None:
        del self.last_values.tables[table][key]
        self._dirty.add(f"{table}:{key}")

    def split_chunks_by(self, is_known: Callable[[str], bool]) -> None:
        """From now on events of services that the catalogue does not know are written apart."""
        self._is_known = is_known

    def drop_loose_chunks(self) -> None:
        self._dirty.update(self._fact_chunks.cut(self.cuts.others_until))

    def evict_expired(self, now: int, ttl_of: TtlOf, domain_of: Callable[[str], str]) -> None:
        """Forget what nothing can ask for any more; at fixed event times, so that it never depends on batches."""
        watermark = now - now % RETENTION.evict_every
        self.evicted_at = watermark
        self.memory.evict(watermark, ttl_of)
        self.feeds.forget_before(watermark - RETENTION.impact)
        self.observed.evict(watermark, domain_of)
        self._dirty.update(self._fact_chunks.expire(watermark))
        self.cuts.forget_before(watermark - RETENTION.past_draft)
        self._dirty.update(self.last_values.forget_before(watermark))
        past = watermark - RETENTION.past_draft
        for draft_id in [known for known, draft in self.past_drafts.items() if draft.window_to < past]:
            self.forget_draft(draft_id)
        for key in [key for key, entries in self.recurrences.items() if entries[-1][0] < watermark - RETENTION.repeat]:
            self.forget_recurrence(key)

    def gauges(self) -> dict[str, float]:
        """Sizes for the metrics."""
        return {
            "open_instances": len(self.instances) + len(self.pending_hazards),
            "open_episodes": sum(not episode.closed for episode in self.episodes.values()),
            "standing_drafts": sum(e.draft is not None and not e.withdrawn for e in self.episodes.values()),
            "pending_events": len(self.pending),
            "feeds": len(self.feeds),
            "state_bytes": self.held + self.grown,
        }

    # -- plain cells -------------------------------------------------------------------------------------------

    def take_changes(self, longest_ttl: LongestTtl) -> dict[str, bytes | None]:
        """The cells that changed since the last call; None deletes one. `longest_ttl`: of a kind with a mask."""
        cells: dict[str, bytes | None] = {}
        for name in self._dirty:
            kind, _, key = name.partition(":")
            cells[name] = self._cell(kind, key)
        self._dirty.clear()
        for feed, slot in self.feeds.dirty:
            cells[_feed_cell(feed, slot)] = self._feed_cell(feed, slot)
        self.feeds.clear_dirty()
        for hazard_key in self.pending_hazards.dirty:
            outcome = self.pending_hazards.cell(hazard_key)
            cells["noted:" + _joined(*hazard_key)] = None if outcome is None else pack(outcome)
        self.pending_hazards.dirty.clear()
        for name in self.observed.dirty:
            kind, _, key = name.partition(":")
            cells[name] = self.observed.cell(kind, key)
        self.observed.dirty.clear()
        cells.update({f"cut:{unit}": self.cuts.cell(unit) for unit in self.cuts.dirty})
        self.cuts.dirty.clear()
        self._take_events(cells, longest_ttl)
        times = (self.evicted_at, self.expired_until)
        cells["meta:"] = pack(Meta(STATE_VERSION, self.timeline, self._chunks, *times, self.held, self.grown))
        return cells

    def forget_changes(self) -> None:
        """For runs that save nothing."""
        self._dirty.clear()
        self.feeds.clear_dirty()
        self.pending_hazards.dirty.clear()
        self.observed.dirty.clear()
        self.cuts.dirty.clear()
        self.new_facts.clear()
        self.unwritten_from = self.arrivals

    def _cell(self, kind: str, key: str) -> bytes | None:
        value: object = None
        if kind == "instance":
            value = self.instances.get(key)
        elif kind == "episode":
            value = self.episodes.get(key)
        elif kind in TABLES:
            value = self.last_values.tables[kind].get(key)
        elif kind == "recurrence":
            value = self.recurrences.get(key)
        elif kind == "past":
            value = self.past_drafts.get(key)
        return None if value is None else pack(value)

    def _feed_cell(self, feed: FeedKey, slot: int | None) -> bytes | None:
        if slot is None:
            return pack(self.feeds.spans(feed)) if self.feeds.knows(feed) else None
        times = self.feeds.slot(feed, slot)
        return None if times is None else pack(times.tolist())

    def _take_events(self, cells: dict[str, bytes | None], longest_ttl: LongestTtl) -> None:
        for chunk in sorted_out(self.new_facts, longest_ttl, self._is_known):
            self._fact_chunks.note(self._chunks, chunk)
            cells[f"facts:{self._chunks}"] = pack(chunk)
            self._chunks += 1
        self.new_facts = []
        fresh = [entry[4] for entry in self.pending if entry[3] >= self.unwritten_from]
        if fresh:
            newest = int(max(event.time for event in fresh))
            self._pending_chunks[self._chunks] = newest
            cells[f"pending:{self._chunks}"] = pack(Chunk(newest, fresh))
            self._chunks += 1
        self.unwritten_from = self.arrivals
        oldest = min((entry[0] for entry in self.pending), default=None)
        for number, newest in list(self._pending_chunks.items()):
            if oldest is None or newest < oldest:
                del self._pending_chunks[number]
                cells[f"pending:{number}"] = None

    @classmethod
    def restore(cls, cells: Mapping[str, bytes], aside: Collection[object] = ()) -> Restored:
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
        state = cls(meta.timeline)
        state._chunks, state.evicted_at, state.expired_until = meta.chunks, meta.evicted_at, meta.expired_until
        state.held, state.grown = meta.held, meta.grown
        kinds = keys_by_kind(cells)
        for key in kinds.pop("cut", ()):
            state.cuts.restore(key, cells[f"cut:{key}"])
        written_until: dict[EventId, int] = {}
        for number, chunk in in_turn(cells, "facts", kinds.pop("facts", ())):
            state._fact_chunks.note(number, chunk)
            derived = {place: facts for facts, places in chunk.derived for place in places}
            for place, event in enumerate(chunk.events):
                if (aside and event.event_id in aside) or state.cuts.drops(event):
                    continue
                # An event that was written again has more derived facts.
                if not state.memory.restore(event, derived.get(place)) and place in derived:
                    state.memory.set_facts(event, derived[place])
                written_until[event.event_id] = max(chunk.until, written_until.get(event.event_id, 0))
        sharing = Sharing(state.memory, state.observed, state.instances, state.episodes)
        state._restore_pending(in_turn(cells, "pending", kinds.pop("pending", ())), aside)
        # Events came first: what shares them makes room at once then, and its place in memory is used again.
        for kind, key in ((kind, key) for kind, keys in kinds.items() for key in keys):
            state._restore_cell(kind, key, cells[f"{kind}:{key}"])
            sharing.restored(kind, key)
        return state, written_until

    def _restore_cell(self, kind: str, key: str, value: bytes) -> None:
        if kind == "instance":
            self.add_instance(unpack(value, Instance))
        elif kind == "episode":
            self.add_episode(episode := unpack(value, Episode))
            if episode.wake_at is not None:
                self.set_timer(episode.wake_at, "wake", episode.id)
            if episode.closes_at is not None:
                self.set_timer(episode.closes_at, "close", episode.id)
        elif kind in TABLES:
            self.last_values.tables[kind][key] = unpack(value, TABLES[kind].type)
        elif kind == "recurrence":
            self.recurrences[key] = unpack(value, list[tuple[int, str]])
        elif kind == "past":
            self.past_drafts[key] = unpack(value, PastDraft)
        elif kind == "noted":
            rule, source, event_id = _parted(key)
            hazard = (rule or "", source or "", event_id or "")
            self.pending_hazards.restore_outcome(hazard, unpack(value, OutcomeSoFar))
        elif kind in CELL_KINDS:
            self.observed.restore(kind, key, value)
        elif kind == "feed":
            self._restore_feed(key, value)
        else:
            raise StateError(f"the saved engine state has a cell of unknown kind {kind!r}")
        self._dirty.clear()

    def _restore_feed(self, key: str, value: bytes) -> None:
        service, source, evidence, slot = _parted(key)
        feed = FeedKey(service or "", source or "", evidence)
        if slot:
            for at in unpack(value, list[int]):
                self.feeds.add_time(feed, at)
        else:
            self.feeds.restore_spans(feed, unpack(value, list[tuple[int, int]]))
        self.feeds.clear_dirty()

    def _restore_pending(self, chunks: Iterable[tuple[int, Chunk]], aside: Collection[object]) -> None:
        """Events that were processed before the snapshot are in the chunk still; the watermark tells them apart."""
        for number, chunk in chunks:
            self._pending_chunks[number] = chunk.until
            for event in chunk.events:
                if event.time >= self.timeline.watermark and not (aside and event.event_id in aside):
                    self.pending.append((event.time, event.source, event.id, self.arrivals, event))
                    self.arrivals += 1
        self.unwritten_from = self.arrivals


def _unregister(index: dict[str, set[str]], episode: Episode) -> None:
    for service in episode.services:
        known = index.get(service)
        if known is not None:
            known.discard(episode.id)
            if not known:
                del index[service]


def _feed_cell(feed: FeedKey, slot: int | None) -> str:
    return "feed:" + _joined(feed.service, feed.source, feed.evidence, None if slot is None else str(slot))
