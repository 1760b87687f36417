"""When an episode was safe, since when users could be harmed, and how long its window is."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import msgspec

from monitor.core.deciding.impact import IncidentView
from monitor.core.model.events import Event
from monitor.core.model.reasons import Missing
from monitor.core.model.rule import Rule
from monitor.core.model.verdict_policy import POLICY
from monitor.core.state.alerts import Track
from monitor.core.state.candidates import Candidate
from monitor.core.state.episodes import Episode


def danger_since(candidates: Sequence[Candidate], rules: Sequence[Rule] = ()) -> int | None:
    """Since when the danger existed, where a hazard says so with `began_at`: an exposed key, a report afterwards.

    With the rules of the candidates, exposures are left out: their harm shows in the evidence that the rule names, and
    an outage long before the exposed key was found is unrelated.
    """
    exposures = {rule.name for rule in rules if rule.kind == "exposure"}
    named = [
        int(event.began_at)
        for candidate in candidates
        if candidate.rule not in exposures
        for event in candidate.hazards.events
        if event.began_at is not None and event.began_at < event.time
    ]
    return min(named, default=None)


def harmless_for(candidates: Sequence[Candidate], rules: Sequence[Rule]) -> int:
    """How long after the first sign nobody could be harmed (microseconds): a deadline harms when it comes.

    Until someone acts, too, since a renewal can fail; where any candidate speaks of no deadline it is zero.
    """
    starts = []
    for candidate, rule in zip(candidates, rules, strict=True):
        named = [event.expires_at for event in candidate.hazards.events if event.expires_at is not None]
        ends = [*named, candidate.interventions.earliest.time] if rule.has_deadline and named else []
        starts.append(max(min(ends, default=candidate.first_sign_at), candidate.first_sign_at))
    return min(starts) - min(candidate.first_sign_at for candidate in candidates)


def is_report(event: Event) -> bool:
    """A person says that it was a near miss, or that it was noticed and left as it was."""
    return event.kind == "note.added" and event.labels.get("report") in ("near_miss", "noticed_not_acted")


class Safe(msgspec.Struct, frozen=True):
    """When the episode was safe, and what had to be assumed for it."""

    at: int
    missing: tuple[str, ...]


def latest_safe(action_times: Sequence[int]) -> int:
    """The last moment that can count as safe: a later recovery is not due to these actions."""
    return min(action_times[-1] + POLICY.reopen_within, action_times[0] + POLICY.longest_episode)


def find_safe(episode: Episode, candidates: Sequence[Candidate], settle: int, closings: Iterable[IncidentView]) -> Safe:
    """Safe in the order: every alert recovered after the action; the incident closed; the action plus settle time.

    The last is assumed. What was not seen lowers the confidence, it does not forbid; a cancelled alert is no recovery.
    What comes later than `latest_safe` counts as not seen, so that an alert that goes on and on ends nowhere else.
    """
    times = sorted(event.time for candidate in candidates for event in candidate.interventions.events)
    first_action, last_action, limit = times[0], times[-1], latest_safe(times)
    recoveries: list[int] = []
    unrecovered: list[Track] = []
    for tracks in (*(candidate.tracks for candidate in candidates), episode.others):
        for track in tracks.values():
            recovered_at = track.recovered_at
            if recovered_at is None or recovered_at > limit:
                unrecovered.append(track)
            elif recovered_at >= first_action:
                recoveries.append(recovered_at)
    missing = []
    if any(track.was_cancelled for track in unrecovered):
        missing.append(str(Missing.ALERT_CANCELLED))
    if not all(track.was_cancelled for track in unrecovered):
        missing.append(str(Missing.NO_RESOLVE))
    if recoveries and not missing:
        return Safe(max(recoveries), ())
    closed = [
        view.closed_at for view in closings if view.closed_at is not None and first_action <= view.closed_at <= limit
    ]
    still_firing = [min(track.last_fired_at, limit) for track in unrecovered if track.last_fired_at]
    latest = max([last_action, *still_firing])
    if closed and max(closed) >= latest:
        return Safe(max([*closed, *recoveries]), tuple(missing))
    # No event says that it was over. Where that is because an alert never recovered, it is named already.
    settled = min(latest + settle, max(limit, last_action + settle))
    return Safe(max([settled, *recoveries]), tuple(missing or [str(Missing.SAFE_ASSUMED)]))


def window_end(episode: Episode, safe_at: int, rules: Sequence[Rule], candidates: Sequence[Candidate]) -> int:
    """Safe plus the longest hold, through the deadline where a rule holds to it, and past every step's own window."""
    holds = zip(candidates, rules, strict=True)
    end = safe_at + max(rule.impact.hold if known.hold is None else known.hold for known, rule in holds)
    by_name = {rule.name: rule for rule in rules}
    for candidate in candidates:
        rule = by_name[candidate.rule]
        for event in (*candidate.hazards.events, *candidate.interventions.events):
            field = rule.impact.hold_through
            if field == "expires_at" and event.kind == "change.rotated":
                field = "previous_expires_at"  # the other one is the deadline of what is new
            deadline = getattr(event, field) if field else None
            if deadline is not None and deadline > safe_at:
                end = max(end, min(deadline + POLICY.deadline_slack, safe_at + POLICY.longest_episode))
        for clause in rule.clauses:
            if clause.until.anchor == "safe":
                end = max(end, safe_at + clause.until.offset)
            elif clause.until.anchor == "step":
                end = max(end, safe_at + rule.span(clause)[1])
            elif clause.until.anchor in ("intervention", "last_intervention"):
                end = max(end, candidate.interventions.latest.time + clause.until.offset)
    return end
