"""What becomes of a draft when users were hit after all: impact withdraws it, and what it was a link of.

Impact that overlaps the window withdraws at any time; afterwards the longer it takes, the closer it must be tied.
"""

from __future__ import annotations

from collections.abc import Sequence

from monitor.core.deciding.draft_fields import cite
from monitor.core.deciding.episode_grouper import EpisodeGrouper
from monitor.core.deciding.impact import Span, counts_until, impact_spans, incident_spans
from monitor.core.deciding.long_after import contradictions
from monitor.core.deciding.reach import reach_of, sharing_users
from monitor.core.model.catalogue import Catalogue
from monitor.core.model.decisions import Decision, Withdraw
from monitor.core.model.events import Event, Instant
from monitor.core.model.reasons import Withdrawn
from monitor.core.model.verdict_policy import POLICY
from monitor.core.state.engine_state import EngineState
from monitor.core.state.episodes import Episode
from monitor.core.state.memory import EVERYONE


class Withdrawals:
    """Finds the impact of a state's episodes, and withdraws the drafts that it contradicts."""

    def __init__(self, state: EngineState, catalogue: Catalogue, grouper: EpisodeGrouper, out: list[Decision]) -> None:
        self._state = state
        self._catalogue = catalogue
        self._grouper = grouper
        self._out = out

    def impact_arrived(self, event: Event, now: int) -> None:
        """Impact evidence arrived: take back, or mark, every open draft that it contradicts."""
        if event.service is None or not self._catalogue.knows(event.service):
            concerned = list(self._state.episodes.values())
        else:
            is_record = event.kind.startswith("incident.")
            reached = self._catalogue.along(event.service) if is_record else self._catalogue.downward(event.service)
            unplaced = frozenset(name for name in self._state.citing if not self._catalogue.knows(name))
            beside = sharing_users(event.service, self._catalogue)
            concerned = self._state.episodes_citing(reached | beside | unplaced)
        for episode in sorted(concerned, key=lambda episode: episode.id):
            if episode.draft is not None and not episode.withdrawn:
                self._contradict(episode, event, now)
        self._out += contradictions(self._state, self._catalogue, event, now)
        if event.kind == "incident.closed" and event.service is not None:
            # A closing can be what makes an episode safe.
            for episode in self._state.episodes_citing(frozenset({event.service})):
                self._grouper.changed(episode)

    def _contradict(self, episode: Episode, event: Event, now: int) -> None:
        services = frozenset(episode.draft.services if episode.draft else episode.services)
        safe_at = episode.safe_at or episode.window_to
        # What others said was looked at when they said it: looked at again with each event, it would be a way to keep
        # the engine busy.
        only = event.service or EVERYONE
        found = self.impact(episode, services, safe_at, POLICY.tied_within, now, only)
        for span in sorted(found, key=lambda span: (span.start, span.event.source, span.event.id)):
            if span.overlaps(episode.window_from, episode.window_to):
                reason = Withdrawn.IMPACT_IN_WINDOW
            elif span.start <= counts_until(span, safe_at):
                reason = Withdrawn.IMPACT_AFTERWARDS
            elif self._tied(span.event, episode):
                reason = Withdrawn.IMPACT_TIED
            else:
                continue
            self.withdraw(episode, Withdrawn.PLANNED_WORK if span.planned else reason, [span.event], now)
            self.withdraw_chain(episode, [span.event], now)
            return

    def _tied(self, event: Event, episode: Episode) -> bool:
        """The same subject, change or incident."""
        references = {
            event.subject,
            *(event.labels.get(name) for name in ("change", "incident", "caused_by", "deployment")),
        }
        known = {*episode.subjects, *(reference.partition("\x1f")[2] for reference in episode.cited)}
        return any(reference is not None and reference in known for reference in references)

    def impact(
        self,
        episode: Episode,
        services: frozenset[str],
        safe_at: int,
        within: int,
        now: int,
        only: str | None = None,
    ) -> list[Span]:
        """Impact that overlaps the window or began `within` so long after safe, as far as known by `now`.

        `only`: what events on one service tell of it.
        """
        reach = reach_of(services, self._catalogue)
        spans = impact_spans(self._state.memory, self._catalogue, reach, now, only)
        spans += incident_spans(self._state.memory, self._catalogue, reach, now, only)
        last = max(episode.window_to, safe_at + within)
        # A report that nobody can place, made long before the first sign, is about something else.
        since = episode.first_sign_at - POLICY.unplaced_before
        # A check's recovery without a reported failure: it failed just before.
        over = safe_at + POLICY.lone_end_within
        return [
            span
            for span in spans
            if span.overlaps(episode.window_from, last)
            and not (span.unplaced and span.event.time < since)
            and not (span.lone and not episode.first_sign_at <= span.end <= over)
        ]

    def withdraw(self, episode: Episode, reason: Withdrawn, evidence: Sequence[Event], now: int) -> None:
        """Take back the draft of an episode, which has one."""
        assert episode.draft is not None  # only what was opened is withdrawn
        self._out.append(Withdraw(episode.draft.id, reason, Instant(now), tuple(cite(evidence, "impact"))))
        episode.withdrawn = True
        episode.outcome = str(reason)
        self._state.touch_episode(episode)

    def predecessors(self, episode: Episode) -> list[Episode]:
        """Episodes whose fix was followed within the hour by this one, on the same or a dependent service."""
        below = frozenset().union(*map(self._catalogue.downward, episode.services))
        first = episode.first_sign_at
        return [
            other
            for other in self._state.episodes_citing(below)
            if other.id != episode.id and any(0 < first - at <= POLICY.chain_within for at in other.action_times)
        ]

    def withdraw_chain(self, episode: Episode, evidence: Sequence[Event], now: int) -> None:
        """Take back the drafts that the episode followed from: the chain hurt users."""
        for other in self.predecessors(episode):
            if other.draft is not None and not other.withdrawn:
                self.withdraw(other, Withdrawn.IMPACT_IN_CHAIN, evidence, now)
