"""Everything that the engine remembers; its form as plain cells is in `cells.py`."""

from __future__ import annotations

import heapq
from collections.abc import Callable

from monitor.core.matching.facts import DerivedFacts
from monitor.core.matching.last_values import LastValues
from monitor.core.model.events import Event
from monitor.core.model.retention_policy import RETENTION
from monitor.core.model.watermark import BEGINNING, Timeline
from monitor.core.state.candidates import Candidate
from monitor.core.state.chunks import ChunkLog
from monitor.core.state.cuts import Cuts
from monitor.core.state.episodes import Episode, PastDraft
from monitor.core.state.event_series import TtlOf
from monitor.core.state.feeds import Feeds
from monitor.core.state.memory import Memory
from monitor.core.state.open_work import OpenWork, Timer
from monitor.core.state.pending_hazards import PendingHazards
from monitor.core.state.sizes import EPISODE, candidate_bytes
from monitor.core.weighing.observed import Observed


class EngineState(OpenWork):
    """What is remembered of a stream: events, what waits, candidates, episodes, and drafts of the past."""

    def __init__(self, timeline: Timeline) -> None:
        super().__init__()
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
        self.recurrences = self.last_values.drafts
        self.past_drafts: dict[str, PastDraft] = {}
        self.awaiting_watermark: list[tuple[int, str, str, int, Event]] = []
        self.arrivals = 0
        self.timers: list[Timer] = []
        self.evicted_at = BEGINNING
        # What changed since the last snapshot.
        self.new_facts: list[tuple[Event, int, DerivedFacts | None]] = []
        self.unwritten_from = 0
        self.log = ChunkLog()
        self.is_known: Callable[[str], bool] | None = None

    def add_candidate(self, candidate: Candidate) -> None:
        super().add_candidate(candidate)
        if self.is_known is not None:  # The second time for the draft that may come of it.
            self.grown += 2 * candidate_bytes(candidate) + EPISODE

    # -- drafts of the past ------------------------------------------------------------------------------------

    def keep_draft(self, episode: Episode) -> None:
        """The episode is over; impact may be reported later still."""
        if episode.draft is not None and not episode.withdrawn:
            services = list(episode.draft.services or episode.services)
            self.past_drafts[episode.draft.id] = PastDraft(services, episode.window_from, episode.window_to)
            self.dirty.add(f"past:{episode.draft.id}")

    def forget_draft(self, draft_id: str) -> None:
        del self.past_drafts[draft_id]
        self.dirty.add(f"past:{draft_id}")

    def repeats(self, key: str, before: int) -> list[str]:
        """Drafts of the same recurrence key that opened within 180 days before."""
        return [draft for at, draft in self.recurrences.get(key, ()) if before - RETENTION.repeat <= at < before]

    def remember_recurrence(self, key: str, at: int, draft_id: str) -> None:
        entries = [entry for entry in self.recurrences.get(key, []) if entry[0] >= at - RETENTION.repeat]
        if draft_id not in (known for _, known in entries):
            entries.append((at, draft_id))
        self.recurrences[key] = sorted(entries)[-50:]
        self.dirty.add(f"recurrence:{key}")

    def forget_recurrence(self, key: str) -> None:
        del self.recurrences[key]
        self.dirty.add(f"recurrence:{key}")

    # -- time, retention, sizes --------------------------------------------------------------------------------

    def advance_to(self, moment: int) -> None:
        """Event time has reached a moment; never backwards."""
        self.now = max(self.now, moment)

    def set_timer(self, at: int, kind: str, what: str) -> None:
        heapq.heappush(self.timers, (at, kind, what))

    def record_last_values(self, event: Event) -> None:
        self.dirty.update(self.last_values.record(event))

    def forget_last_value(self, table: str, key: str) -> None:
        del self.last_values.tables[table][key]
        self.dirty.add(f"{table}:{key}")

    def split_chunks_by(self, is_known: Callable[[str], bool]) -> None:
        """From now on events of services that the catalogue does not know are written apart."""
        self.is_known = is_known

    def drop_loose_chunks(self) -> None:
        self.dirty.update(self.log.facts.cut(self.cuts.others_until))

    def evict_expired(self, now: int, ttl_of: TtlOf, domain_of: Callable[[str], str]) -> None:
        """Forget what nothing can ask for any more; at fixed event times, so that it never depends on batches."""
        watermark = now - now % RETENTION.evict_every
        self.evicted_at = watermark
        self.memory.evict(watermark, ttl_of)
        self.feeds.forget_before(watermark - RETENTION.impact)
        self.observed.evict(watermark, domain_of)
        self.dirty.update(self.log.facts.expire(watermark))
        self._shed_old_chunks(watermark - RETENTION.event)
        self.cuts.forget_before(watermark - RETENTION.past_draft)
        self.dirty.update(self.last_values.forget_before(watermark))
        past = watermark - RETENTION.past_draft
        for draft_id in [known for known, draft in self.past_drafts.items() if draft.window_to < past]:
            self.forget_draft(draft_id)
        for key in [key for key, entries in self.recurrences.items() if entries[-1][0] < watermark - RETENTION.repeat]:
            self.forget_recurrence(key)

    def _shed_old_chunks(self, before: int) -> None:
        """A restart reads chunks whole, and needs as much memory as it reads, whatever of it was evicted."""
        if self.log.rewriting.is_under_way:
            return
        series = list(self.memory.series())
        remembered = sum(each.count_before(before) for each in series)
        if chunks := self.log.facts.to_write_again(before, remembered):
            self.log.rewriting.begin(chunks, series, before)

    def gauges(self) -> dict[str, float]:
        """Sizes for the metrics."""
        return {
            "open_instances": len(self.candidates) + len(self.pending_hazards),
            "open_episodes": sum(not episode.closed for episode in self.episodes.values()),
            "standing_drafts": sum(e.draft is not None and not e.withdrawn for e in self.episodes.values()),
            "pending_events": len(self.awaiting_watermark),
            "feeds": len(self.feeds),
            "state_bytes": self.held + self.grown,
        }

    def forget_changes(self) -> None:
        """For runs that save nothing."""
        self.dirty.clear()
        self.feeds.clear_dirty()
        self.pending_hazards.outcomes.dirty.clear()
        self.observed.dirty.clear()
        self.cuts.dirty.clear()
        self.new_facts.clear()
        self.unwritten_from = self.arrivals
