"""After a start or a reload: the rules in force look again at what is remembered."""

from __future__ import annotations

from collections.abc import Callable

from monitor.core.deciding.engine_parts import EngineParts
from monitor.core.matching.facts import DerivedFacts, is_drill
from monitor.core.model.decisions import Ignore
from monitor.core.model.events import Event, Instant
from monitor.core.model.faults import fault_of
from monitor.core.model.reasons import NotOpened
from monitor.core.state.alerts import RECOVERIES
from monitor.core.state.candidates import Candidate
from monitor.core.state.event_series import RememberedEvent, entry
from monitor.core.state.hazard_outcomes import ANY_RULE
from monitor.core.weighing.shapes import SHAPES


class IndexRebuild:
    """Rebuilds the indexes of a state; candidates whose rule is gone are named in `out`."""

    def __init__(self, parts: EngineParts) -> None:
        self._state, self._matcher, self._catalogue, self._retention = parts[:4]
        self._correlator, self._late_events, self._match, self._out = parts[4:]
        self._at_work_on: Event | None = None

    def run(self) -> list[RememberedEvent]:
        """Drop the candidates of rules that are gone or changed, and look at what is remembered again.

        Raises Fault, with the event that was at work.
        """
        self._at_work_on = None
        try:
            return self._look_at_all()
        except Exception as error:
            raise fault_of(self._at_work_on) from error

    def write_again(self, remembered: list[RememberedEvent], written_for: Callable[[RememberedEvent], int]) -> None:
        """Write events again that were written with a shorter TTL or with fewer derived facts."""
        state, most = self._state, self._retention.longest
        unwritten = {event.event_id for event, _, _ in state.new_facts}
        state.new_facts = [
            (kept.event, kept.mask, kept.derived)
            for kept in remembered
            if kept.is_news or kept.event.event_id in unwritten or most(kept.event.kind, kept.mask) > written_for(kept)
        ]

    def _look_at_all(self) -> list[RememberedEvent]:
        state, rules = self._state, self._matcher.rules
        dropped = [
            i
            for i in state.candidates.values()
            if i.rule not in SHAPES and (i.rule not in rules or rules[i.rule].rule.version != i.version)
        ]
        for candidate in dropped:
            episode = state.episodes[candidate.episode]
            episode.candidates.remove(candidate.id)
            state.touch_episode(episode)
            state.remove_candidate(candidate)
            for hazard in candidate.hazards.events:
                state.pending_hazards.outcomes.drop(candidate.rule, hazard)
        remembered = self._rebuild_pending()
        state.advance_to(state.timeline.watermark)
        for candidate in dropped:
            self._at_work_on = candidate.hazards.earliest
            if candidate.rule in rules:
                around = self._catalogue.around(candidate.service)
                self._late_events.retry(rules[candidate.rule], around, candidate.first_sign_at)
        for episode_id in sorted({candidate.episode for candidate in dropped}):
            self._say_gone(episode_id, [candidate for candidate in dropped if candidate.episode == episode_id])
        return remembered

    def _say_gone(self, episode_id: str, dropped: list[Candidate]) -> None:
        """Name the reason where no candidate is left of what no decision has been made about."""
        episode = self._state.episodes.get(episode_id)
        if episode is None or episode.candidates or episode.outcome or episode.closed:
            return
        ids = tuple(candidate.hazards.earliest.event_id for candidate in dropped)
        names = tuple(sorted({candidate.rule for candidate in dropped}))
        at = Instant(self._state.now)
        detail = "the rule was removed or changed before the window ended"
        self._out.append(Ignore(NotOpened.RULE_GONE, at, names, dropped[0].service, ids, detail))
        self._state.remove_episode(episode)

    def _match_again(self, event: Event, derived: DerivedFacts | None) -> tuple[int, DerivedFacts | None]:
        self._at_work_on = event
        return self._match(event, derived)

    def _rebuild_pending(self) -> list[RememberedEvent]:
        """Which hazards wait follows from the remembered events; only their outcomes so far are saved."""
        state = self._state
        state.pending_hazards.clear()
        known = []
        remembered = sorted(state.memory.remask(self._match_again), key=lambda kept: entry(kept.event))
        for event, mask, *_ in remembered:
            self._at_work_on = event
            if event.kind in RECOVERIES:
                state.pending_hazards.clear_alert(event)
            matched = self._matcher.matched(mask)
            self._correlator.acted(matched, event)
            if not matched.hazards or event.service is None or is_drill(event):
                continue
            if event.time + matched.longest >= state.expired_until:
                state.pending_hazards.restore(event, matched)
                known += [(name, event.source, event.id) for name in (ANY_RULE, *matched.hazard_names)]
        self._at_work_on = None
        state.pending_hazards.outcomes.drop_stale(known)
        state.memory.evict(state.evicted_at, self._retention.ttl_of(state))
        return remembered
