"""Which candidates tell of one real event: they form an episode, and episodes that share evidence are merged.

Decides nothing about impact.
"""

from __future__ import annotations

from monitor.core.matching.matcher import Matcher
from monitor.core.model.catalogue import Catalogue
from monitor.core.model.decisions import Decision, Merge
from monitor.core.model.events import Event, Instant
from monitor.core.model.verdict_policy import POLICY
from monitor.core.state.candidates import Instance
from monitor.core.state.engine_state import EngineState
from monitor.core.state.episodes import Episode, reference_of
from monitor.core.weighing.shapes import rule_named


class EpisodeGrouper:
    """Forms and merges the episodes of a state; a merge of two drafts is appended to `out`."""

    def __init__(self, state: EngineState, matcher: Matcher, catalogue: Catalogue, out: list[Decision]) -> None:
        self._state = state
        self._matcher = matcher
        self._catalogue = catalogue
        self._out = out

    def changed(self, episode: Episode, *, sooner: bool = True) -> None:
        """Something about an episode changed: look again, now where its window may end `sooner` than it was to."""
        self._state.touch_episode(episode)
        if not episode.closed and (episode.wake_at is None or (sooner and episode.wake_at > self._state.now)):
            episode.wake_at = self._state.now
            self._state.set_timer(self._state.now, "wake", episode.id)

    def evidence_added(self, instance: Instance, event: Event) -> None:
        """A candidate took one more event: its episode cites it."""
        episode = self._state.episodes[instance.episode]
        known = len(episode.services)
        episode.cite(event)
        if len(episode.services) != known:
            self._state.register(episode)
        episode.first_sign_at = min(episode.first_sign_at, instance.first_sign_at)
        self.changed(episode, sooner=event.kind != "alert.fired" or event.time < self._state.now)

    def join(self, instance: Instance) -> None:
        """One real event, one episode: join those that share evidence or, overlapping, a subject."""
        matching = [episode for episode in self._nearby(instance) if self._belongs(instance, episode)]
        if matching:
            matching.sort(key=Episode.seniority)
            episode = matching[0]
            for other in matching[1:]:
                self.merge(other, episode)
        else:
            episode = Episode(id=instance.id, services=[instance.service], first_sign_at=instance.first_sign_at)
            self._state.add_episode(episode)
        instance.episode = episode.id
        episode.instances.append(instance.id)
        episode.instances.sort()
        for event in (*instance.hazards.events, *instance.interventions.events):
            episode.cite(event)
        self._state.register(episode)
        episode.first_sign_at = min(episode.first_sign_at, instance.first_sign_at)
        self.changed(episode)

    def _nearby(self, instance: Instance) -> list[Episode]:
        services = set(self._catalogue.neighbours(instance.service))
        for event in instance.interventions.events:
            if event.service is not None:
                services |= self._catalogue.neighbours(event.service)
        return [episode for episode in self._state.episodes_citing(frozenset(services)) if not episode.closed]

    def _belongs(self, instance: Instance, episode: Episode) -> bool:
        if instance.first_sign_at > episode.first_sign_at + POLICY.longest_episode and not self._waited_long(episode):
            return False
        evidence = {reference_of(event) for event in (*instance.hazards.events, *instance.interventions.events)}
        if evidence.intersection(episode.cited):
            return True
        overlap = episode.safe_at is None or instance.first_sign_at <= episode.safe_at
        return overlap and bool(instance.subjects().intersection(episode.subjects))

    def _waited_long(self, episode: Episode) -> bool:
        """A notice of long ago does not make an episode long: it begins when someone acts on it."""
        known = (self._state.instances.get(name) for name in episode.instances)
        rules = [rule_named(instance.rule, self._matcher.rules) for instance in known if instance is not None]
        return not episode.outcome and any(rule.has_deadline for rule in rules)

    def merge(self, younger: Episode, elder: Episode) -> None:
        """Two episodes are one real event: the elder goes on with everything."""
        for instance_id in younger.instances:
            self._state.instances[instance_id].episode = elder.id
            self._state.touch_instance(self._state.instances[instance_id])
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
                self._out.append(Merge(gone.id, kept.id, Instant(self._state.now)))
        elif drafts:
            elder.draft = drafts[0]
        elder.withdrawn = elder.withdrawn or younger.withdrawn
        self._state.register(elder)
        self._state.remove_episode(younger)
        self.changed(elder)
