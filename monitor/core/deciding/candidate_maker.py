"""Makes candidates of the hazards and actions that fit: what is pending, and what an action takes of it.

Decides nothing about impact.
"""

from __future__ import annotations

from bisect import bisect_left

from monitor.core.deciding.catch import candidate_of
from monitor.core.deciding.clauses import key_of
from monitor.core.deciding.engine_settings import Met
from monitor.core.deciding.episode_grouper import EpisodeGrouper
from monitor.core.deciding.further_steps import FurtherSteps
from monitor.core.matching.facts import is_drill
from monitor.core.matching.matcher import CompiledRule, Matcher
from monitor.core.matching.relations import relates
from monitor.core.model.catalogue import Catalogue
from monitor.core.model.decisions import Decision, Ignore
from monitor.core.model.events import Event, Instant
from monitor.core.model.reasons import NotOpened
from monitor.core.model.rule import Rule
from monitor.core.resolving.told_acts import is_told_by
from monitor.core.state.alerts import ALERT_STATES, Track, alert_key
from monitor.core.state.candidates import Candidate, CappedEvidence
from monitor.core.state.engine_state import EngineState
from monitor.core.state.episodes import Episode, reference_of
from monitor.core.state.hazard_outcomes import CLEARED
from monitor.core.weighing.option import Caught


def is_over(state: EngineState, candidate: Candidate, event: Event) -> bool:
    """Whether the window of a candidate's episode was judged, and the event came after it."""
    episode = state.episodes[candidate.episode]
    return bool(episode.outcome) and event.time > episode.window_to


class CandidateMaker:
    """Makes candidates of a state's hazards and of what the net caught; drills are named in `out`."""

    def __init__(
        self,
        state: EngineState,
        matcher: Matcher,
        catalogue: Catalogue,
        grouper: EpisodeGrouper,
        steps: FurtherSteps,
        out: list[Decision],
        met: Met | None = None,
    ) -> None:
        """`met`: called for each candidate that could be made; then none is made."""
        self._met = met
        self._state = state
        self._matcher = matcher
        self._catalogue = catalogue
        self._grouper = grouper
        self._steps = steps
        self._out = out

    def offer(self, compiled: CompiledRule, hazards: list[Event], action: Event) -> int:
        """Group the hazards by key and take the action as the intervention of each group that it fits; how many."""
        groups: dict[str, list[Event]] = {}
        itself = compiled.rule.intervention.itself
        for hazard in hazards:
            # An event is the intervention of others, or, where the rule says so, only of itself.
            if (hazard.event_id == action.event_id) is itself and not is_told_by(action, hazard):
                groups.setdefault(key_of(compiled, hazard), []).append(hazard)
        for key, group in sorted(groups.items()):
            refusal = self._candidate(compiled, key, group, action)
            if refusal is not None:
                for hazard in group:
                    self._state.pending_hazards.outcomes.record(compiled.name, hazard, *refusal)
        return len(groups)

    def add_action(self, candidate: Candidate, compiled: CompiledRule, event: Event) -> None:
        """A further action of a candidate, if it fits like the first."""
        act = compiled.rule.intervention
        hazards = [one for one in candidate.hazards.events if one.time <= event.time and not is_told_by(event, one)]
        if (
            event.time <= candidate.accepts_until
            and (event.event_id in {hazard.event_id for hazard in hazards}) is act.itself
            and any(relates(act, hazard, event, self._matcher.facts_of) for hazard in hazards)
            and not is_drill(event)
            and candidate.live_at(event.time)
            and (candidate.tracks or not is_over(self._state, candidate, event))
            and self._steps.unmet_before(candidate, compiled, event) is None
        ):
            candidate.interventions.add(event)
            candidate.sibling_only &= event.service not in self._catalogue.neighbours(candidate.service)
            self._grouper.evidence_added(candidate, event)

    def catch(self, caught: Caught) -> None:
        """Make a candidate of what the net caught; one that is known already keeps its evidence."""
        if caught.id in self._state.candidates or self._was_acted_on(caught.act):
            return
        candidate = candidate_of(caught, self._catalogue)
        services = sorted({event.service for event in candidate.hazards.events if event.service is not None})
        for event in self._state.memory.between(
            services, sorted(ALERT_STATES), candidate.first_sign_at, self._state.now
        ):
            if (track := candidate.tracks.get(alert_key(event))) is not None:
                track.observe(event)
        self._state.add_candidate(candidate)
        self._grouper.join(candidate)

    def is_free(self, rule: str, hazard: Event) -> bool:
        """Neither a candidate's nor an exercise, and of a service."""
        return (
            hazard.service is not None
            and not self._state.pending_hazards.outcomes.is_taken(rule, hazard)
            and not is_drill(hazard)
        )

    def waiting(self, compiled: CompiledRule, services: frozenset[str] | None, start: int, end: int) -> list[Event]:
        """The remembered hazards of a rule that no candidate took."""
        memory, hazard = self._state.memory, compiled.hazard
        names = memory.services() if services is None else sorted(services)
        found = (event for name in names for event in memory.matching(name, hazard.kinds, hazard.bit, start, end))
        return [event for event in found if self.is_free(compiled.name, event)]

    def _candidate(
        self, compiled: CompiledRule, key: str, group: list[Event], action: Event
    ) -> tuple[NotOpened, str] | None:
        """Make a candidate of a group of hazards and an action, or say why not."""
        rule = compiled.rule
        if not any(relates(rule.intervention, hazard, action, self._matcher.facts_of) for hazard in group):
            return NotOpened.UNRELATED_INTERVENTION, "the action was unrelated to the hazard"
        if is_drill(action):
            at, ids = Instant(self._state.now), (action.event_id,)
            self._out.append(Ignore(NotOpened.DRILL, at, (rule.name,), action.service, ids, "the action was a drill"))
            return NotOpened.NO_INTERVENTION, "the only action was a drill"
        live = [hazard for hazard in group if self._was_live(hazard, action.time)]
        if not live:
            return NotOpened.CLEARED_BEFORE_ACTION, CLEARED
        live = [hazard for hazard in live if not self._is_cited(rule.name, hazard)]
        if not live:
            return None
        candidate = self._build(rule, key, live, action)
        if (unmet := self._steps.unmet_before(candidate, compiled, action)) is not None:
            return unmet
        if self._met is not None:
            self._met(rule.name, Instant(self._state.now))
            return None
        candidate.interventions.add(action)
        candidate.sibling_only = action.service not in self._catalogue.neighbours(candidate.service)
        for hazard in live:
            self._state.pending_hazards.take(rule.name, compiled.hazard.bit, hazard)
        self._state.add_candidate(candidate)
        self._grouper.join(candidate)
        return None

    def _was_live(self, hazard: Event, moment: int) -> bool:
        """Whether an alert had not recovered or been cancelled before a moment; others stand until acted on."""
        if hazard.kind != "alert.fired" or hazard.service is None:
            return True
        key = alert_key(hazard)
        ends = self._state.memory.between((hazard.service,), ("alert.resolved", "alert.cancelled"), hazard.time, moment)
        return not any(alert_key(end) == key and end.time < moment for end in ends)

    def _build(self, rule: Rule, key: str, hazards: list[Event], action: Event) -> Candidate:
        first = hazards[0]
        assert first.service is not None  # only hazards with a service wait or are free
        candidate = Candidate(
            id=f"{rule.name}\x1f{key}\x1f{first.source}\x1f{first.id}",
            rule=rule.name,
            version=rule.version,
            key=key,
            service=first.service,
            accepts_until=max(hazard.time for hazard in hazards) + rule.intervention.within,
            hazards=CappedEvidence(),
            interventions=CappedEvidence(),
        )
        for hazard in hazards:
            candidate.hazards.add(hazard)
            if hazard.kind == "alert.fired":
                candidate.tracks.setdefault(alert_key(hazard), Track())
        alerts = self._state.memory.between((first.service,), sorted(ALERT_STATES), first.time, self._state.now)
        for event in alerts:
            if (track := candidate.tracks.get(alert_key(event))) is not None:
                track.observe(event)
        return candidate

    def _was_acted_on(self, act: Event) -> bool:
        """Whether an episode that takes no more evidence cites the act: its story has been decided."""
        reference = reference_of(act)
        return any(
            reference in episode.cited
            for episode in self._state.episodes_citing(frozenset({act.service or ""}))
            if episode.closed
        )

    def _is_cited(self, rule: str, hazard: Event) -> bool:
        """A hazard without an outcome may still be cited by an episode that has, or had, a candidate of the rule."""
        reference = reference_of(hazard)
        return any(
            reference in episode.cited and self._takes(episode, rule)
            for episode in map(self._state.episodes.__getitem__, self._state.citing.get(hazard.service or "", ()))
        )

    def _takes(self, episode: Episode, rule: str) -> bool:
        """Whether an episode has a candidate of this rule, or had one when it was closed."""
        if episode.closed:
            return True
        # In order, by the names of their rules: one story may have hundreds.
        place = bisect_left(episode.candidates, start := f"{rule}\x1f")
        return place < len(episode.candidates) and episode.candidates[place].startswith(start)
