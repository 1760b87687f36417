"""Events in event-time order: hazards wait or join a candidate, actions meet what waits, alerts are followed.

Sees late events when they come; decides nothing about impact.
"""

from __future__ import annotations

from monitor.core.deciding.candidate_maker import CandidateMaker, is_over
from monitor.core.deciding.clauses import key_of
from monitor.core.deciding.engine_settings import Met
from monitor.core.deciding.episode_grouper import EpisodeGrouper
from monitor.core.deciding.further_steps import FurtherSteps
from monitor.core.matching.facts import is_drill
from monitor.core.matching.matcher import CompiledRule, MatchedSteps, Matcher
from monitor.core.matching.relations import among, reach
from monitor.core.model.catalogue import Catalogue
from monitor.core.model.decisions import Decision, Ignore
from monitor.core.model.events import Event, EventId, Instant
from monitor.core.model.reasons import NotOpened
from monitor.core.state.alerts import RECOVERIES, Track, alert_key
from monitor.core.state.candidates import Candidate
from monitor.core.state.engine_state import EngineState


class Correlator:
    """Feeds events into the candidates and episodes of a state; what it decides on the way is appended to `out`."""

    def __init__(
        self,
        state: EngineState,
        matcher: Matcher,
        catalogue: Catalogue,
        out: list[Decision],
        met: Met | None = None,
    ) -> None:
        self._state = state
        self._matcher = matcher
        self._catalogue = catalogue
        self._out = out
        self.steps = FurtherSteps(state, matcher, catalogue)
        self.grouper = EpisodeGrouper(state, matcher, catalogue, out)
        self.maker = CandidateMaker(state, matcher, catalogue, self.grouper, self.steps, out, met)

    # -- hazards -----------------------------------------------------------------------------------------------

    def hazards(self, matched: MatchedSteps, event: Event) -> None:
        """Add the event as a pending hazard of each rule that matches it, or to candidates of the same key."""
        if matched.non_production:
            self._ignore(NotOpened.NON_PRODUCTION, matched.non_production, event.service, (event.event_id,), "")
        if not matched.hazards:
            return
        if event.service is None:
            self._ignore(NotOpened.NO_SERVICE, matched.hazard_names, None, (event.event_id,), "")
        elif is_drill(event):
            self._ignore(NotOpened.DRILL, matched.hazard_names, event.service, (event.event_id,), "")
        else:
            self._state.pending_hazards.add(event, matched)
            if event.time < self._state.now:
                self.recover(event)
            self.join(matched, event)

    def join(self, matched: MatchedSteps, event: Event) -> None:
        """A hazard joins the open candidates of its key."""
        for compiled in matched.hazards if event.service in self._state.open_by_service else matched.cross_service:
            open_here = self._state.open_by_rule.get(compiled.name)
            if open_here and (event.service in open_here or not compiled.by_service):
                self._join(compiled, event)

    def recover(self, event: Event) -> None:
        """A firing that came late may have recovered long since."""
        if event.kind == "alert.fired" and event.service is not None:
            key, services = alert_key(event), (event.service,)
            ends = self._state.memory.between(services, sorted(RECOVERIES), event.time, self._state.now)
            first = min((end for end in ends if alert_key(end) == key), key=lambda end: end.time, default=None)
            if first:
                self._state.pending_hazards.clear_alert(first)

    def _join(self, compiled: CompiledRule, event: Event) -> None:
        candidate = self._state.candidates.get(self._state.by_key.get((compiled.name, key_of(compiled, event)), ""))
        if candidate is not None and not self._is_another_story(candidate, event):
            self._state.pending_hazards.take(compiled.name, compiled.hazard.bit, event)
            candidate.hazards.add(event)
            self._track(candidate, event)
            candidate.accepts_until = max(candidate.accepts_until, event.time + compiled.within)
            self._state.touch_candidate(candidate)
            self.grouper.evidence_added(candidate, event)

    def _is_another_story(self, candidate: Candidate, event: Event) -> bool:
        """Once its window has ended, an episode goes on with an alert that fires again, and with nothing else."""
        fires_again = event.kind == "alert.fired" and alert_key(event) in candidate.tracks
        return not fires_again and is_over(self._state, candidate, event)

    def evicted(self, event: Event, mask: int) -> None:
        """A hazard is one too many of its kind on its service: it can be followed no longer."""
        matched = self._matcher.matched(mask)
        waiting = self._state.pending_hazards
        rules = tuple(rule for rule in matched.hazard_names if not waiting.outcomes.is_taken(rule, event))
        if rules and event.service is not None and not is_drill(event):
            for rule, bit in zip(matched.hazard_names, matched.bits, strict=True):
                waiting.take(rule, bit, event)
            detail = "too many hazards of this kind on this service"
            self._ignore(NotOpened.TOO_MANY_OPEN, rules, event.service, (event.event_id,), detail)

    def _track(self, candidate: Candidate, event: Event) -> None:
        if event.kind == "alert.fired":
            key = alert_key(event)
            candidate.tracks.setdefault(key, Track()).observe(event)
            self._state.track_alert(candidate, key)

    # -- actions and alerts ------------------------------------------------------------------------------------

    def interventions(self, matched: MatchedSteps, event: Event) -> None:
        """Offer an action to every candidate and to every waiting hazard that it can reach, rule by rule."""
        if event.service is None:
            return
        state, drill = self._state, is_drill(event)
        late = event.time < state.now  # It may have met hazards that wait no longer: the memory knows them.
        for step in matched.interventions:
            compiled = step.rule
            open_here = state.open_by_rule.get(compiled.name)
            pending = state.pending_hazards.by_rule.get(compiled.hazard.bit)
            if not open_here and not late and (pending is None or not pending.is_in_use):
                continue
            services = reach(self._catalogue, event.service, compiled.rule.intervention.reach)
            if pending is not None and pending.cleared and not drill:
                pending.act(among(services, pending.cleared), event.time)
            if open_here:
                for service in among(services, open_here):
                    for candidate_id in sorted(open_here.get(service, ())):
                        self.maker.add_action(state.candidates[candidate_id], compiled, event)
            if late:
                hazards = self.maker.waiting(compiled, services, event.time - compiled.within, event.time)
                if hazards:
                    self.maker.offer(compiled, hazards, event)
            elif pending is not None and pending.standing:
                for service in among(services, pending.standing):
                    hazards = pending.endable_at(service, event.time - compiled.within, event.time)
                    if hazards:
                        self.maker.offer(compiled, hazards, event)

    def acted(self, matched: MatchedSteps, event: Event) -> None:
        """Record an earlier action for the alerts that are cleared by now."""
        if event.service is None or is_drill(event):
            return
        for step in matched.interventions:
            pending = self._state.pending_hazards.by_rule.get(step.rule.hazard.bit)
            if pending is not None and pending.cleared:
                services = reach(self._catalogue, event.service, step.rule.rule.intervention.reach)
                pending.act(among(services, pending.cleared), event.time)

    def alert(self, event: Event) -> None:
        """Follow an alert's life in every candidate that has it, and in the episodes that cite its service."""
        assert event.service is not None  # `EventHandler.process` finds it among the active
        key = alert_key(event)
        episodes: set[str] = set()
        for candidate_id in sorted(self._state.by_alert.get(key, ())):
            candidate = self._state.candidates[candidate_id]
            candidate.tracks[key].observe(event)
            self._state.touch_candidate(candidate)
            episodes.add(candidate.episode)
        counted = self._catalogue.counts(event.environment) is not False
        for episode in [self._state.episodes[name] for name in sorted(self._state.active.get(event.service, ()))]:
            if event.time < episode.first_sign_at:
                continue
            is_cited = episode.id in episodes
            # What came late may be cited although the episode followed it before: then both have to hear of its end.
            is_followed = counted and (not is_cited or key in episode.others) and episode.observe_alert(key, event)
            if is_cited or is_followed:
                self.grouper.changed(episode, sooner=event.kind in RECOVERIES or event.time < self._state.now)

    def tried_enough(self, late: Event) -> None:
        """A late event was offered to as much as one may be."""
        detail = "it came late, among more hazards and actions than are tried again"
        self._ignore(NotOpened.TOO_MANY_OPEN, (), late.service, (late.event_id,), detail)

    def _ignore(
        self, reason: NotOpened, rules: tuple[str, ...], service: str | None, ids: tuple[EventId, ...], detail: str
    ) -> None:
        self._out.append(Ignore(reason, Instant(self._state.now), rules, service, ids, detail))
