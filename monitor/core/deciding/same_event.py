"""Whether another draft covers the event of a draft that is to open: one real event, one draft."""

from __future__ import annotations

from monitor.core.deciding.impact import incidents
from monitor.core.model.catalogue import Catalogue
from monitor.core.model.events import MINUTE
from monitor.core.model.verdict_policy import POLICY
from monitor.core.state.engine_state import EngineState
from monitor.core.state.episodes import Episode

SAME_EVENT_WITHIN = 30 * MINUTE
"""Drafts of one service whose spans lie so close together are one event."""


def same_event(
    state: EngineState, catalogue: Catalogue, episode: Episode, now: int, *, weighed: bool
) -> Episode | None:
    """An earlier draft of the same event, or None. `weighed`: whether what overlaps on a service is one event."""
    if weighed and (found := _overlapping(state, episode)) is not None:
        return found
    return _same_record(state, catalogue, episode, now)


def _others(state: EngineState, episode: Episode, services: frozenset[str]) -> list[Episode]:
    return [
        other
        for other in state.episodes_citing(services)
        if other.id != episode.id and not other.closed and other.draft is not None and not other.withdrawn
    ]


def _overlapping(state: EngineState, episode: Episode) -> Episode | None:
    since, until = episode.first_sign_at, episode.safe_at or episode.window_to
    for other in _others(state, episode, frozenset(episode.services)):
        other_until = (other.safe_at or other.window_to) + SAME_EVENT_WITHIN
        overlaps = since <= other_until and other.first_sign_at <= until + SAME_EVENT_WITHIN
        if overlaps and abs(since - other.first_sign_at) <= POLICY.longest_episode:
            return other
    return None


def _same_record(state: EngineState, catalogue: Catalogue, episode: Episode, now: int) -> Episode | None:
    """Another draft that began on the service of the same incident record, while the team kept it open."""
    for view in incidents(state.memory, catalogue, sorted(episode.services), now):
        record = view.span.event
        since = view.span.start - SAME_EVENT_WITHIN
        until = min(view.span.end, view.span.start + POLICY.never_ends)
        if record.service is None or not since <= episode.first_sign_at <= until:
            continue
        for other in _others(state, episode, frozenset({record.service})):
            if since <= other.first_sign_at <= until:
                return other
    return None
