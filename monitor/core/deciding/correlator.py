"""From events to candidates: hazards wait, an intervention makes candidates of them, candidates form episodes.

Sees events in event-time order (late ones when they come); decides nothing about impact.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator

from monitor.core.deciding.catch import instance_of
from monitor.core.deciding.clauses import clause_unmet, key_of, point
from monitor.core.matching.facts import is_drill
from monitor.core.matching.matcher import CompiledRule, CompiledStep, MatchedSteps, Matcher
from monitor.core.matching.relations import among, reach, relates
from monitor.core.model.catalogue import Catalogue
from monitor.core.model.decisions import Decision, Ignore, Merge
from monitor.core.model.events import Event, EventId, Instant
from monitor.core.model.reasons import NotOpened
from monitor.core.model.rule import Point, Rule
from monitor.core.model.verdict_policy import POLICY
from monitor.core.state.alerts import ALERT_STATES, RECOVERIES, Track, alert_key
from monitor.core.state.candidates import Evidence, Instance
from monitor.core.state.engine_state import EngineState
from monitor.core.state.episodes import Episode, reference_of
from monitor.core.state.pending_hazards import CLEARED
from monitor.core.weighing.option import Caught
from monitor.core.weighing.shapes import rule_named


class Correlator:
    """Feeds events into instances and episodes of a state; what it decides on the way is appended to `out`."""

    def __init__(self, state: EngineState, matcher: Matcher, catalogue: Catalogue, out: list[Decision]) -> None:
        self.state = state
        self.matcher = matcher
        self.catalogue = catalogue
        self.out = out

    # -- hazards -----------------------------------------------------------------------------------------------

    def hazards(self, matched: MatchedSteps, event: Event) -> None:
        """Let the event wait as a hazard of every rule that takes it for one, or join candidates of the same key."""
        if matched.non_production:
            self._ignore(NotOpened.NON_PRODUCTION, matched.non_production, event.service, (event.event_id,), "")
        if not matched.hazards:
            return
        if event.service is None:
            self._ignore(NotOpened.NO_SERVICE, matched.hazard_names, None, (event.event_id,), "")
        elif is_drill(event):
            self._ignore(NotOpened.DRILL, matched.hazard_names, event.service, (event.event_id,), "")
        else:
            self.state.pending_hazards.add(event, matched)
            if event.time < self.state.now:
                self.recover(event)
            self.join(matched, event)

    def join(self, matched: MatchedSteps, event: Event) -> None:
        """A hazard joins the open candidates of its key."""
        for compiled in matched.hazards if event.service in self.state.open_by_service else matched.cross_service:
            open_here = self.state.open_by_rule.get(compiled.name)
            if open_here and (event.service in open_here or not compiled.by_service):
                self._join(compiled, event)

    def recover(self, event: Event) -> None:
        """A firing that came late may have recovered long since."""
        if event.kind == "alert.fired" and event.service is not None:
            key, services = alert_key(event), (event.service,)
            ends = self.state.memory.between(services, sorted(RECOVERIES), event.time, self.state.now)
            first = min((end for end in ends if alert_key(end) == key), key=lambda end: end.time, default=None)
            if first:
                self.state.pending_hazards.clear_alert(first)

    def _join(self, compiled: CompiledRule, event: Event) -> None:
        instance = self.state.instances.get(self.state.by_key.get((compiled.name, key_of(compiled, event)), ""))
        if instance is not None and not self._is_another_story(instance, event):
            self.state.pending_hazards.take(compiled.name, compiled.hazard.bit, event)
            instance.hazards.add(event)
            self._track(instance, event)
            instance.accepts_until = max(instance.accepts_until, event.time + compiled.within)
            self.state.touch_instance(instance)
            self._evidence_added(instance, event)

    def _is_another_story(self, instance: Instance, event: Event) -> bool:
        """Once its window has ended, an episode goes on with an alert that fires again, and with nothing else."""
        fires_again = event.kind == "alert.fired" and alert_key(event) in instance.tracks
        return not fires_again and self._is_over(instance, event)

    def _is_over(self, instance: Instance, event: Event) -> bool:
        episode = self.state.episodes[instance.episode]
        return bool(episode.outcome) and event.time > episode.window_to

    def evicted(self, event: Event, mask: int) -> None:
        """A hazard is one too many of its kind on its service: it can be followed no longer."""
        matched = self.matcher.matched(mask)
        waiting = self.state.pending_hazards
        rules = tuple(rule for rule in matched.hazard_names if not waiting.is_taken(rule, event))
        if rules and event.service is not None and not is_drill(event):
            for rule, bit in zip(matched.hazard_names, matched.bits, strict=True):
                waiting.take(rule, bit, event)
            detail = "too many hazards of this kind on this service"
            self._ignore(NotOpened.TOO_MANY_OPEN, rules, event.service, (event.event_id,), detail)

    def _track(self, instance: Instance, event: Event) -> None:
        if event.kind == "alert.fired":
            key = alert_key(event)
            instance.tracks.setdefault(key, Track()).observe(event)
            self.state.track_alert(instance, key)

    # -- interventions -----------------------------------------------------------------------------------------

    def interventions(self, matched: MatchedSteps, event: Event) -> None:
        """Offer an action to every candidate and to every waiting hazard that it can reach, rule by rule."""
        if event.service is None:
            return
        state, drill = self.state, is_drill(event)
        late = event.time < state.now  # It may have met hazards that wait no longer: the memory knows them.
        for step in matched.interventions:
            compiled = step.rule
            open_here = state.open_by_rule.get(compiled.name)
            pending = state.pending_hazards.by_rule.get(compiled.hazard.bit)
            if not open_here and not late and (pending is None or not pending.is_in_use):
                continue
            services = reach(self.catalogue, event.service, compiled.rule.intervention.reach)
            if pending is not None and pending.cleared and not drill:
                pending.act(among(services, pending.cleared), event.time)
            if open_here:
                for service in among(services, open_here):
                    for instance_id in sorted(open_here.get(service, ())):
                        self.add_action(state.instances[instance_id], compiled, event)
            if late:
                hazards = self.waiting(compiled, services, event.time - compiled.within, event.time)
                if hazards:
                    self.offer(compiled, hazards, event)
            elif pending is not None and pending.standing:
                for service in among(services, pending.standing):
                    hazards = pending.endable_at(service, event.time - compiled.within, event.time)
                    if hazards:
                        self.offer(compiled, hazards, event)

    def acted(self, matched: MatchedSteps, event: Event) -> None:
        """Record an earlier action for the alerts that are cleared by now."""
        if event.service is None or is_drill(event):
            return
        for step in matched.interventions:
            pending = self.state.pending_hazards.by_rule.get(step.rule.hazard.bit)
            if pending is not None and pending.cleared:
                services = reach(self.catalogue, event.service, step.rule.rule.intervention.reach)
                pending.act(among(services, pending.cleared), event.time)

    def waiting(self, compiled: CompiledRule, services: frozenset[str] | None, start: int, end: int) -> list[Event]:
        """The remembered hazards of a rule that no candidate took."""
        memory, hazard = self.state.memory, compiled.hazard
        names = memory.services() if services is None else sorted(services)
        found = (event for name in names for event in memory.matching(name, hazard.kinds, hazard.bit, start, end))
        return [event for event in found if self.is_free(compiled.name, event)]

    def is_free(self, rule: str, hazard: Event) -> bool:
        """Neither a candidate's nor an exercise, and of a service."""
        return (
            hazard.service is not None
            and not self.state.pending_hazards.is_taken(rule, hazard)
            and not is_drill(hazard)
        )

    def _is_cited(self, rule: str, hazard: Event) -> bool:
        """A hazard without an outcome may still be cited by an episode that has, or had, a candidate of the rule."""
        reference = reference_of(hazard)
        return any(
            reference in episode.cited and self._takes(episode, rule)
            for episode in map(self.state.episodes.__getitem__, self.state.citing.get(hazard.service or "", ()))
        )

    def _takes(self, episode: Episode, rule: str) -> bool:
        """Whether an episode has a candidate of this rule, or had one when it was closed."""
        if episode.closed:
            return True
        # In order, by the names of their rules: one story may have hundreds.
        place = bisect_left(episode.instances, start := f"{rule}\x1f")
        return place < len(episode.instances) and episode.instances[place].startswith(start)

    def offer(self, compiled: CompiledRule, hazards: list[Event], action: Event) -> int:
        """Group the hazards by key and take the action as the intervention of each group that it fits; how many."""
        groups: dict[str, list[Event]] = {}
        itself = compiled.rule.intervention.itself
        for hazard in hazards:
            # An event is the intervention of others, or, where the rule says so, only of itself.
            if (hazard.event_id == action.event_id) is itself:
                groups.setdefault(key_of(compiled, hazard), []).append(hazard)
        for key, group in sorted(groups.items()):
            refusal = self._candidate(compiled, key, group, action)
            if refusal is not None:
                for hazard in group:
                    self.state.pending_hazards.record(compiled.name, hazard, *refusal)
        return len(groups)

    def tried_enough(self, late: Event) -> None:
        """A late event was offered to as much as one may be."""
        detail = "it came late, among more hazards and actions than are tried again"
        self._ignore(NotOpened.TOO_MANY_OPEN, (), late.service, (late.event_id,), detail)

    def _candidate(
        self, compiled: CompiledRule, key: str, group: list[Event], action: Event
    ) -> tuple[NotOpened, str] | None:
        """Make a candidate of a group of hazards and an action, or say why not."""
        rule = compiled.rule
        if not any(relates(rule.intervention, hazard, action, self.matcher.facts_of) for hazard in group):
            return NotOpened.UNRELATED_INTERVENTION, "the action was unrelated to the hazard"
        if is_drill(action):
            self._ignore(NotOpened.DRILL, (rule.name,), action.service, (action.event_id,), "the action was a drill")
            return NotOpened.NO_INTERVENTION, "the only action was a drill"
        live = [hazard for hazard in group if self._was_live(hazard, action.time)]
        if not live:
            return NotOpened.CLEARED_BEFORE_ACTION, CLEARED
        live = [hazard for hazard in live if not self._is_cited(rule.name, hazard)]
        if not live:
            return None
        instance = self._build(rule, key, live, action)
        if (unmet := self._unmet_before(instance, compiled, action)) is not None:
            return unmet
        instance.interventions.add(action)
        instance.sibling_only = action.service not in self.catalogue.neighbours(instance.service)
        for hazard in live:
            self.state.pending_hazards.take(rule.name, compiled.hazard.bit, hazard)
        self.state.add_instance(instance)
        self._join_episode(instance)
        return None

    def _was_live(self, hazard: Event, moment: int) -> bool:
        """Whether an alert had not recovered or been cancelled before a moment; others stand until acted on."""
        if hazard.kind != "alert.fired" or hazard.service is None:
            return True
        key = alert_key(hazard)
        ends = self.state.memory.between((hazard.service,), ("alert.resolved", "alert.cancelled"), hazard.time, moment)
        return not any(alert_key(end) == key and end.time < moment for end in ends)

    def _build(self, rule: Rule, key: str, hazards: list[Event], action: Event) -> Instance:
        first = hazards[0]
        assert first.service is not None  # only hazards with a service wait or are free
        instance = Instance(
            id=f"{rule.name}\x1f{key}\x1f{first.source}\x1f{first.id}",
            rule=rule.name,
            version=rule.version,
            key=key,
            service=first.service,
            accepts_until=max(hazard.time for hazard in hazards) + rule.intervention.within,
            hazards=Evidence(),
            interventions=Evidence(),
        )
        for hazard in hazards:
            instance.hazards.add(hazard)
            if hazard.kind == "alert.fired":
                instance.tracks.setdefault(alert_key(hazard), Track())
        alerts = self.state.memory.between((first.service,), sorted(ALERT_STATES), first.time, self.state.now)
        for event in alerts:
            if (track := instance.tracks.get(alert_key(event))) is not None:
                track.observe(event)
        return instance

    def catch(self, caught: Caught) -> None:
        """Make a candidate of what the net caught; one that is known already keeps its evidence."""
        if caught.id in self.state.instances or self._was_acted_on(caught.act):
            return
        instance = instance_of(caught, self.catalogue)
        services = sorted({event.service for event in instance.hazards.events if event.service is not None})
        for event in self.state.memory.between(services, sorted(ALERT_STATES), instance.first_sign_at, self.state.now):
            if (track := instance.tracks.get(alert_key(event))) is not None:
                track.observe(event)
        self.state.add_instance(instance)
        self._join_episode(instance)

    def _was_acted_on(self, act: Event) -> bool:
        """Whether an episode that takes no more evidence cites the act: its story has been decided."""
        reference = reference_of(act)
        return any(
            reference in episode.cited
            for episode in self.state.episodes_citing(frozenset({act.service or ""}))
            if episode.closed
        )

    def add_action(self, instance: Instance, compiled: CompiledRule, event: Event) -> None:
        """A further action of a candidate, if it fits like the first."""
        act = compiled.rule.intervention
        hazards = [hazard for hazard in instance.hazards.events if hazard.time <= event.time]
        if (
            event.time <= instance.accepts_until
            and (event.event_id in {hazard.event_id for hazard in hazards}) is act.itself
            and any(relates(act, hazard, event, self.matcher.facts_of) for hazard in hazards)
            and not is_drill(event)
            and instance.live_at(event.time)
            and (instance.tracks or not self._is_over(instance, event))
            and self._unmet_before(instance, compiled, event) is None
        ):
            instance.interventions.add(event)
            instance.sibling_only &= event.service not in self.catalogue.neighbours(instance.service)
            self._evidence_added(instance, event)

    def _unmet_before(self, instance: Instance, compiled: CompiledRule, event: Event) -> tuple[NotOpened, str] | None:
        """The first further step whose window ended by now and that fails: the reason, and the words."""
        if instance.interventions:  # It was made already, and what is counted now stays counted.
            self.state.touch_instance(instance)
        for step in compiled.clauses:
            clause = step.clause
            assert clause is not None  # `clauses` are the further steps
            if clause.is_judged_last or point(clause.until, instance, event, 0) > event.time:
                continue
            count = sum(1 for _ in self.clause_events(step, instance, event, 0))
            if (unmet := clause_unmet(clause, count)) is not None:
                return unmet
            instance.counted[clause.name] = max(count, instance.counted.get(clause.name, 0))
        return None

    def clause_events(self, step: CompiledStep, instance: Instance, action: Event, safe_at: int) -> Iterator[Event]:
        """The events that satisfy a further step of an instance."""
        clause = step.clause
        assert clause is not None  # `clauses` are the further steps
        start = self._moment(clause.since, instance, action, safe_at)
        end = self._moment(clause.until, instance, action, safe_at)
        if start is None or end is None:
            return
        services = reach(self.catalogue, instance.service, clause.reach)
        if services is None:
            services = frozenset(self.state.memory.services_with(*clause.step.kinds))
        hazard, facts_of = instance.hazards.earliest, self.matcher.facts_of
        for service in sorted(services):
            found = self.state.memory.matching(service, step.kinds, step.bit, start, end)
            yield from (event for event in found if relates(clause, hazard, event, facts_of, action))

    def _moment(self, at: Point, instance: Instance, action: Event, safe_at: int) -> int | None:
        """A moment of a window; None where the step that it is measured from was not seen."""
        if at.anchor != "step":
            return point(at, instance, action, safe_at)
        named = self.matcher.rules[instance.rule].clauses
        (step,) = (one for one in named if one.clause is not None and one.clause.name == at.step)
        first = min((event.time for event in self.clause_events(step, instance, action, safe_at)), default=None)
        return None if first is None else first + at.offset

    # -- alerts ------------------------------------------------------------------------------------------------

    def alert(self, event: Event) -> None:
        """Follow an alert's life in every instance that has it, and in the episodes that cite its service."""
        assert event.service is not None  # `Engine._process` finds it among the active
        key = alert_key(event)
        episodes: set[str] = set()
        for instance_id in sorted(self.state.by_alert.get(key, ())):
            instance = self.state.instances[instance_id]
            instance.tracks[key].observe(event)
            self.state.touch_instance(instance)
            episodes.add(instance.episode)
        counted = self.catalogue.counts(event.environment) is not False
        for episode in [self.state.episodes[name] for name in sorted(self.state.active.get(event.service, ()))]:
            if event.time < episode.first_sign_at:
                continue
            is_cited = episode.id in episodes
            # What came late may be cited although the episode followed it before: then both have to hear of its end.
            is_followed = counted and (not is_cited or key in episode.others) and episode.observe_alert(key, event)
            if is_cited or is_followed:
                self.changed(episode, sooner=event.kind in RECOVERIES or event.time < self.state.now)

    # -- episodes ----------------------------------------------------------------------------------------------

    def changed(self, episode: Episode, *, sooner: bool = True) -> None:
        """Something about an episode changed: look again, now where its window may end `sooner` than it was to."""
        self.state.touch_episode(episode)
        if not episode.closed and (episode.wake_at is None or (sooner and episode.wake_at > self.state.now)):
            episode.wake_at = self.state.now
            self.state.set_timer(self.state.now, "wake", episode.id)

    def _evidence_added(self, instance: Instance, event: Event) -> None:
        episode = self.state.episodes[instance.episode]
        known = len(episode.services)
        episode.cite(event)
        if len(episode.services) != known:
            self.state.register(episode)
        episode.first_sign_at = min(episode.first_sign_at, instance.first_sign_at)
        self.changed(episode, sooner=event.kind != "alert.fired" or event.time < self.state.now)

    def _join_episode(self, instance: Instance) -> None:
        """One real event, one episode: join those that share evidence or, overlapping, a subject."""
        matching = [episode for episode in self._nearby(instance) if self._belongs(instance, episode)]
        if matching:
            matching.sort(key=Episode.seniority)
            episode = matching[0]
            for other in matching[1:]:
                self.merge(other, episode)
        else:
            episode = Episode(id=instance.id, services=[instance.service], first_sign_at=instance.first_sign_at)
            self.state.add_episode(episode)
        instance.episode = episode.id
        episode.instances.append(instance.id)
        episode.instances.sort()
        for event in (*instance.hazards.events, *instance.interventions.events):
            episode.cite(event)
        self.state.register(episode)
        episode.first_sign_at = min(episode.first_sign_at, instance.first_sign_at)
        self.changed(episode)

    def _nearby(self, instance: Instance) -> list[Episode]:
        services = set(self.catalogue.neighbours(instance.service))
        for event in instance.interventions.events:
            if event.service is not None:
                services |= self.catalogue.neighbours(event.service)
        return [episode for episode in self.state.episodes_citing(frozenset(services)) if not episode.closed]

    def _belongs(self, instance: Instance, episode: Episode) -> bool:
        if instance.first_sign_at > episode.first_sign_at + POLICY.longest_episode and not self._waited_long(episode):
            return False
        evidence = {reference_of(event) for event in (*instance.hazards.events, *instance.interventions.events)}
        if evidence.intersection(episode.cited):
            return True
        overlap = episode.safe_at is None or instance.first_sign_at <= episode.safe_at
        return overlap and bool(instance.subjects().intersection(episode.subjects))

    def _waited_long(self, episode: Episode) -> bool:
        """A notice of long ago does not make long what happens now, when somebody acts on it."""
        known = (self.state.instances.get(name) for name in episode.instances)
        rules = [rule_named(instance.rule, self.matcher.rules) for instance in known if instance is not None]
        return not episode.outcome and any(rule.has_deadline for rule in rules)

    def merge(self, younger: Episode, elder: Episode) -> None:
        """Two episodes are one real event: the elder goes on with everything."""
        for instance_id in younger.instances:
            self.state.instances[instance_id].episode = elder.id
            self.state.touch_instance(self.state.instances[instance_id])
        elder.instances = sorted({*elder.instances, *younger.instances})
        for reference in younger.cited:
            if reference not in elder.cited:
                elder.cited.append(reference)
        elder.subjects += [subject for subject in younger.subjects if subject not in elder.subjects]
        elder.services += [service for service in younger.services if service not in elder.services]
        for key, track in younger.others.items():
            elder.others.setdefault(key, track)
        elder.first_sign_at = min(elder.first_sign_at, younger.first_sign_at)
        drafts = [draft for draft in (elder.draft, younger.draft) if draft is not None]
        if len(drafts) == 2:
            kept, gone = sorted(drafts, key=lambda draft: (draft.opened_at, draft.id))
            elder.draft = kept
            if not younger.withdrawn and not elder.withdrawn:
                self.out.append(Merge(gone.id, kept.id, Instant(self.state.now)))
        elif drafts:
            elder.draft = drafts[0]
        elder.withdrawn = elder.withdrawn or younger.withdrawn
        self.state.register(elder)
        self.state.remove_episode(younger)
        self.changed(elder)

    def _ignore(
        self, reason: NotOpened, rules: tuple[str, ...], service: str | None, ids: tuple[EventId, ...], detail: str
    ) -> None:
        self.out.append(Ignore(reason, Instant(self.state.now), rules, service, ids, detail))
