"""From events to candidates: hazards open instances, interventions make them candidates, candidates form episodes.

Sees events in event-time order (late ones when they come); decides nothing about impact.
"""

from __future__ import annotations

from collections.abc import Iterator

from monitor.core.alerts import ALERT_STATES, Track, alert_key
from monitor.core.catalogue import Catalogue
from monitor.core.conditions import read
from monitor.core.decisions import Decision, Ignore, Merge
from monitor.core.episodes import LONGEST_EPISODE, Episode, reference_of
from monitor.core.events import Event, EventId, Instant
from monitor.core.facts import is_drill
from monitor.core.instances import Evidence, Instance, correlation_key
from monitor.core.matching import CompiledRule, CompiledStep, Hit, Matcher
from monitor.core.near_miss import Draft
from monitor.core.reasons import NotOpened
from monitor.core.rule import LONGEST_WINDOW, Clause, Pair, Point, Reach
from monitor.core.state import State

OPEN_PER_SERVICE = 200
"""Instances that may be open on one service at once; further hazards are counted by name."""


def reach(catalogue: Catalogue, service: str, how: Reach) -> frozenset[str] | None:
    """The services that a step may be on, seen from the hazard's service; None means every one."""
    if how == "any":
        return None
    if how == "same":
        return frozenset({service})
    if how == "related":
        return catalogue.neighbours(service)
    return catalogue.neighbours(service) | catalogue.siblings(service)


def pairs_hold(pairs: tuple[Pair, ...], hazard: Event, other: Event) -> bool:
    """Fields that must equal (or differ from) the hazard's; a missing one never does."""
    for pair in pairs:
        mine, theirs = read(pair.hazard, hazard, {}), read(pair.theirs, other, {})
        if mine is None or theirs is None or (mine == theirs) is not pair.equal:
            return False
    return True


class Correlator:
    """Feeds events into instances and episodes of a state; what it decides on the way is appended to `out`."""

    def __init__(self, state: State, matcher: Matcher, catalogue: Catalogue, out: list[Decision]) -> None:
        self.state = state
        self.matcher = matcher
        self.catalogue = catalogue
        self.out = out
        self.now = 0

    # -- hazards -----------------------------------------------------------------------------------------------

    def hazard(self, hit: Hit, event: Event) -> Instance | None:
        """Open an instance, or join the one that is open under the same key. The new instance, if there is one."""
        compiled = hit.step.rule
        refusal = self._refuse_hazard(hit, event)
        if refusal is not None:
            self._ignore(refusal, (compiled.rule.name,), event.service, (event.event_id,), "")
            return None
        key = correlation_key([get(event, {}) for get in compiled.correlate]) or reference_of(event)
        known = self.state.instances.get(self.state.by_key.get((compiled.rule.name, key), ""))
        if known is not None:
            if not self._starts_anew(known, event):
                self._join(known, compiled, event)
                return None
            self._expire(known)
        return self._open(compiled, key, event)

    def _refuse_hazard(self, hit: Hit, event: Event) -> NotOpened | None:
        if event.service is None:
            return NotOpened.NO_SERVICE
        if hit.elsewhere:
            return NotOpened.NON_PRODUCTION
        if is_drill(event):
            return NotOpened.DRILL
        if self.state.open_by_service.get(event.service, 0) >= OPEN_PER_SERVICE:
            return NotOpened.TOO_MANY_OPEN
        return None

    def _starts_anew(self, known: Instance, event: Event) -> bool:
        """An alert that was over before anybody acted is another story when it fires again."""
        if known.episode:
            return False
        return event.time > known.expires_at or (bool(known.tracks) and not known.live_at(event.time))

    def _join(self, instance: Instance, compiled: CompiledRule, event: Event) -> None:
        instance.hazards.add(event)
        self._track(instance, event)
        limit = instance.first_sign_at + LONGEST_WINDOW
        instance.expires_at = min(max(instance.expires_at, event.time + compiled.rule.intervention.within), limit)
        self.state.touch_instance(instance)
        if instance.episode:
            self._evidence_added(instance, event)

    def _open(self, compiled: CompiledRule, key: str, event: Event) -> Instance:
        rule = compiled.rule
        assert event.service is not None
        instance = Instance(
            id="\x1f".join((rule.name, key, event.source, event.id)),
            rule=rule.name,
            version=rule.version,
            key=key,
            service=event.service,
            expires_at=event.time + rule.intervention.within,
            hazards=Evidence(first=[event]),
            interventions=Evidence(),
        )
        self._track(instance, event)
        self.state.add_instance(instance)
        self.state.set_timer(instance.expires_at, "expire", instance.id)
        return instance

    def _track(self, instance: Instance, event: Event) -> None:
        if event.kind == "alert.fired":
            key = alert_key(event)
            instance.tracks.setdefault(key, Track()).observe(event)
            self.state.track_alert(instance, key)

    def expire(self, instance: Instance) -> None:
        """The intervention's window is over; later firings may have prolonged it."""
        if instance.episode:
            return
        if instance.expires_at > self.now:
            self.state.set_timer(instance.expires_at, "expire", instance.id)
            return
        self._expire(instance)

    def _expire(self, instance: Instance) -> None:
        reason = NotOpened.NO_INTERVENTION
        detail = "nothing that this rule takes for an intervention happened within its window"
        if instance.cleared:
            reason, detail = NotOpened.CLEARED_BEFORE_ACTION, "every alert was over before anybody acted"
        elif instance.unmet:
            reason = NotOpened.ABSENCE_VIOLATED if instance.violated else NotOpened.CONDITION_NOT_MET
            detail = instance.unmet
        elif instance.unrelated:
            reason, detail = NotOpened.UNRELATED_INTERVENTION, "what was done had nothing to do with the hazard"
        ids = tuple(event.event_id for event in instance.hazards.events)
        self.state.remove_instance(instance)
        self._ignore(reason, (instance.rule,), instance.service, ids, detail)

    # -- interventions -----------------------------------------------------------------------------------------

    def intervention(self, step: CompiledStep, event: Event) -> None:
        """Offer an action to every open instance of its rule that it can reach."""
        open_here = self.state.open_by_rule.get(step.rule.rule.name)
        if not open_here or event.service is None:
            return
        services = reach(self.catalogue, event.service, step.rule.rule.intervention.reach)
        if services is None:
            reached = sorted(open_here)
        elif len(services) < len(open_here):
            reached = sorted(name for name in services if name in open_here)
        else:
            reached = sorted(name for name in open_here if name in services)
        for service in reached:
            for instance_id in sorted(open_here.get(service, ())):
                self.offer(self.state.instances[instance_id], step.rule, event)

    def offer(self, instance: Instance, compiled: CompiledRule, event: Event) -> None:
        """Take the action as this instance's intervention, or note why not."""
        rule = compiled.rule
        hazards = [hazard for hazard in instance.hazards.events if hazard.time <= event.time]
        if not hazards or event.time > instance.expires_at or event.event_id in {h.event_id for h in hazards}:
            return
        if not any(pairs_hold(rule.intervention.pairs, hazard, event) for hazard in hazards):
            instance.unrelated = True
        elif is_drill(event):
            self._ignore(NotOpened.DRILL, (rule.name,), event.service, (event.event_id,), "the action was an exercise")
        elif not instance.live_at(event.time):
            instance.cleared = True
        elif (unmet := self._unmet_before(instance, compiled, event)) is not None:
            instance.unmet, instance.violated = unmet
        else:
            instance.interventions.add(event)
            instance.sibling_only &= event.service not in self.catalogue.neighbours(instance.service)
            if instance.episode:
                self._evidence_added(instance, event)
            else:
                self._join_episode(instance)
        self.state.touch_instance(instance)

    def _unmet_before(self, instance: Instance, compiled: CompiledRule, event: Event) -> tuple[str, bool] | None:
        """The first further step whose window ended by now and that fails, in words, and whether it was too many."""
        for step in compiled.clauses:
            clause = step.clause
            assert clause is not None
            if clause.until.anchor == "safe" or point(clause.until, instance, event, 0) > event.time:
                continue
            count = sum(1 for _ in self.clause_events(step, instance, event, 0))
            if (unmet := clause_unmet(clause, count)) is not None:
                return unmet, clause.at_most is not None and count > clause.at_most
        return None

    def clause_events(self, step: CompiledStep, instance: Instance, action: Event, safe_at: int) -> Iterator[Event]:
        """The events that satisfy a further step of an instance."""
        clause = step.clause
        assert clause is not None
        start = point(clause.since, instance, action, safe_at)
        end = point(clause.until, instance, action, safe_at)
        services = reach(self.catalogue, instance.service, clause.reach)
        if services is None:
            services = frozenset(self.state.memory.services_with(*clause.step.kinds))
        hazard = instance.hazards.earliest
        for event in self.state.memory.between(sorted(services), sorted(clause.step.kinds), start, end):
            if self.matcher.satisfies(step, event, self.state.lineage) and pairs_hold(clause.pairs, hazard, event):
                yield event

    # -- alerts ------------------------------------------------------------------------------------------------

    def alert(self, event: Event) -> None:
        """Follow an alert's life in every instance that has it, and in the episodes that cite its service."""
        if event.kind not in ALERT_STATES or event.service is None:
            return
        key = alert_key(event)
        episodes: set[str] = set()
        for instance_id in sorted(self.state.by_alert.get(key, ())):
            instance = self.state.instances[instance_id]
            instance.tracks[key].observe(event)
            self.state.touch_instance(instance)
            episodes.add(instance.episode)
        for episode_id in sorted(self.state.citing.get(event.service, ())):
            episode = self.state.episodes[episode_id]
            if episode.closed or event.time < episode.first_sign_at:
                continue
            if episode_id not in episodes:
                episode.observe_alert(key, event)
            self.changed(episode)

    # -- episodes ----------------------------------------------------------------------------------------------

    def changed(self, episode: Episode) -> None:
        """Something about an episode changed: look at it again when its window may have ended."""
        self.state.touch_episode(episode)
        if episode.wake_at is None and not episode.closed:
            episode.wake_at = self.now
            self.state.set_timer(self.now, "wake", episode.id)

    def _evidence_added(self, instance: Instance, event: Event) -> None:
        episode = self.state.episodes[instance.episode]
        episode.cite(event)
        episode.first_sign_at = min(episode.first_sign_at, instance.first_sign_at)
        self.changed(episode)

    def _join_episode(self, instance: Instance) -> None:
        """One real event, one episode: join those that share evidence or, overlapping, a subject."""
        matching = [episode for episode in self._nearby(instance) if self._belongs(instance, episode)]
        if matching:
            matching.sort(key=_seniority)
            episode = matching[0]
            for other in matching[1:]:
                self._merge(other, episode)
        else:
            episode = Episode(
                id=instance.id, services=[instance.service], first_sign_at=instance.first_sign_at
            )
            self.state.add_episode(episode)
        instance.episode = episode.id
        episode.instances.append(instance.id)
        episode.instances.sort()
        for event in (*instance.hazards.events, *instance.interventions.events):
            episode.cite(event)
        episode.first_sign_at = min(episode.first_sign_at, instance.first_sign_at)
        self.changed(episode)

    def _nearby(self, instance: Instance) -> list[Episode]:
        services = set(self.catalogue.neighbours(instance.service))
        for event in instance.interventions.events:
            if event.service is not None:
                services |= self.catalogue.neighbours(event.service)
        return [episode for episode in self.state.episodes_citing(frozenset(services)) if not episode.closed]

    def _belongs(self, instance: Instance, episode: Episode) -> bool:
        if instance.first_sign_at > episode.first_sign_at + LONGEST_EPISODE:
            return False
        evidence = {reference_of(event) for event in (*instance.hazards.events, *instance.interventions.events)}
        if evidence.intersection(episode.cited):
            return True
        overlap = episode.safe_at is None or instance.first_sign_at <= episode.safe_at
        return overlap and bool(instance.subjects().intersection(episode.subjects))

    def _merge(self, younger: Episode, elder: Episode) -> None:
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
                self.out.append(Merge(gone.id, kept.id, Instant(self.now)))
        elif drafts:
            elder.draft = drafts[0]
        elder.withdrawn = elder.withdrawn or younger.withdrawn
        self.state.remove_episode(younger)
        self.changed(elder)

    def _ignore(
        self, reason: NotOpened, rules: tuple[str, ...], service: str | None, ids: tuple[EventId, ...], detail: str
    ) -> None:
        self.out.append(Ignore(reason, Instant(self.now), rules, service, ids, detail))


def point(moment: Point, instance: Instance, action: Event, safe_at: int) -> int:
    """A clause's moment in event time (microseconds)."""
    if moment.anchor == "hazard":
        return instance.first_sign_at + moment.offset
    if moment.anchor == "last_hazard":
        before = [event.time for event in instance.hazards.events if event.time <= action.time]
        return max(before, default=instance.first_sign_at) + moment.offset
    return (action.time if moment.anchor == "intervention" else safe_at) + moment.offset


def clause_unmet(clause: Clause, count: int) -> str | None:
    """Why a count of a further step fails, in words; None where it does not."""
    if count < clause.at_least:
        return f"step {clause.name}: {count} seen, at least {clause.at_least} needed"
    if clause.at_most is not None and count > clause.at_most:
        return f"step {clause.name}: {count} seen, at most {clause.at_most} allowed"
    return None


def _seniority(episode: Episode) -> tuple[int, int, str]:
    draft: Draft | None = episode.draft
    return (draft.opened_at if draft else 2**62, episode.first_sign_at, episode.id)
