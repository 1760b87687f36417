"""Which candidates tell of one real event: they form an episode, and episodes that share evidence are merged.

Decides nothing about impact.
"""

from __future__ import annotations

from monitor.core.matching.matcher import Matcher
from monitor.core.model.catalogue import Catalogue
from monitor.core.model.decisions import Decision, Merge
from monitor.core.model.events import Event, Instant
from monitor.core.model.verdict_policy import POLICY
from monitor.core.state.candidates import Candidate
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

    def evidence_added(self, candidate: Candidate, event: Event) -> None:
        """A candidate took one more event: its episode cites it."""
        episode = self._state.episodes[candidate.episode]
        known = len(episode.services)
        episode.cite(event)
        if len(episode.services) != known:
            self._state.register(episode)
        episode.first_sign_at = min(episode.first_sign_at, candidate.first_sign_at)
        self.changed(episode, sooner=event.kind != "alert.fired" or event.time < self._state.now)

    def join(self, candidate: Candidate) -> None:
        """One real event, one episode: join those that share evidence or, overlapping, a subject."""
        matching = [episode for episode in self._nearby(candidate) if self._belongs(candidate, episode)]
        if matching:
            matching.sort(key=Episode.seniority)
            episode = matching[0]
            for other in matching[1:]:
                self.merge(other, episode)
        else:
            episode = Episode(id=candidate.id, services=[candidate.service], first_sign_at=candidate.first_sign_at)
            self._state.add_episode(episode)
        candidate.episode = episode.id
        episode.candidates.append(candidate.id)
        episode.candidates.sort()
        for event in (*candidate.hazards.events, *candidate.interventions.events):
            episode.cite(event)
        self._state.register(episode)
        episode.first_sign_at = min(episode.first_sign_at, candidate.first_sign_at)
        self.changed(episode)

    def _nearby(self, candidate: Candidate) -> list[Episode]:
        services = set(self._catalogue.neighbours(candidate.service))
        for event in candidate.interventions.events:
            if event.service is not None:
                services |= self._catalogue.neighbours(event.service)
        return [episode for episode in self._state.episodes_citing(frozenset(services)) if not episode.closed]

    def _belongs(self, candidate: Candidate, episode: Episode) -> bool:
        if candidate.first_sign_at > episode.first_sign_at + POLICY.longest_episode and not self._waited_long(episode):
            return False
        evidence = {reference_of(event) for event in (*candidate.hazards.events, *candidate.interventions.events)}
        if evidence.intersection(episode.cited):
            return True
        overlap = episode.safe_at is None or candidate.first_sign_at <= episode.safe_at
        return overlap and bool(candidate.subjects().intersection(episode.subjects))

    def _waited_long(self, episode: Episode) -> bool:
        """A notice of long ago does not make an episode long: it begins when someone acts on it."""
        known = (self._state.candidates.get(name) for name in episode.candidates)
        rules = [rule_named(candidate.rule, self._matcher.rules) for candidate in known if candidate is not None]
        return not episode.outcome and any(rule.has_deadline for rule in rules)

    def merge(self, younger: Episode, elder: Episode) -> None:
        """Two episodes are one real event: the elder goes on with everything."""
        for candidate_id in younger.candidates:
            self._state.candidates[candidate_id].episode = elder.id
            self._state.touch_candidate(self._state.candidates[candidate_id])
        elder.candidates = sorted({*elder.candidates, *younger.candidates})
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
