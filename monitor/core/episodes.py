"""An episode: the candidates that belong to one real event, when they were safe, and how long their window is.

One episode gives at most one draft.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Sequence

import msgspec

from monitor.core.alerts import Track, alert_key
from monitor.core.events import DAY, HOUR, MINUTE, Event
from monitor.core.impact import IncidentView
from monitor.core.instances import Instance
from monitor.core.near_miss import Draft
from monitor.core.reasons import Missing
from monitor.core.rule import Rule

BEFORE_FIRST_SIGN = 5 * MINUTE
REOPEN_WITHIN = 24 * HOUR
"""Alerts that fire again, and impact in the scope, within this after safe still belong to the episode."""
TIED_WITHIN = 7 * DAY
"""Impact tied to the same subject, change or incident within this after safe withdraws."""
LONGEST_EPISODE = 7 * DAY
CHAIN_WITHIN = HOUR
SIBLING_CLOSE = 15 * MINUTE
"""An action on a sibling counts only where the recovery followed this closely."""
KEPT_TRACKS = 64
KEPT_REFERENCES = 512


class Episode(msgspec.Struct):
    """What is known of one real event. Times in microseconds."""

    id: str
    services: list[str]
    instances: list[str] = []
    cited: list[str] = []
    subjects: list[str] = []
    others: dict[str, Track] = {}
    safe_at: int | None = None
    window_from: int = 0
    window_to: int = 0
    first_sign_at: int = 0
    action_times: list[int] = []
    draft: Draft | None = None
    withdrawn: bool = False
    outcome: str = ""
    wake_at: int | None = None
    closes_at: int | None = None
    closed: bool = False

    def cite(self, event: Event) -> None:
        """Remember an identity and a subject, boundedly, for finding what shares them."""
        reference = reference_of(event)
        if reference not in self.cited and len(self.cited) < KEPT_REFERENCES:
            self.cited.append(reference)
        if event.subject is not None and event.subject not in self.subjects and len(self.subjects) < KEPT_REFERENCES:
            self.subjects.append(event.subject)
        if event.service is not None and event.service not in self.services:
            self.services.append(event.service)

    def adopt_alerts(self, told: Iterable[Event], followed: Container[str], first_action: int) -> None:
        """Follow the alerts that fired on a cited service before it was cited, as if it had been since the first sign.

        `told`: what was told of alerts since then; `followed`: those that a candidate follows. An alert that had ended
        before anybody acted says nothing of what the action did.
        """
        found: dict[str, Track] = {}
        for event in told:
            key = alert_key(event)
            if key not in followed and key not in self.others:
                found.setdefault(key, Track()).observe(event)
        stood = [
            (track.first_fired_at, key)
            for key, track in found.items()
            if track.first_fired_at is not None and track.is_live(first_action)
        ]
        for _, key in sorted(stood)[: KEPT_TRACKS - len(self.others)]:
            self.others[key] = found[key]

    def observe_alert(self, key: str, event: Event) -> bool:
        """An alert on a cited service that no rule asked for: while the window is open, any says that all is not well.

        Afterwards only the episode's own alerts do, when they fire again. Whether it was such an alert.
        """
        if self.outcome and event.time > self.window_to:
            return False
        track = self.others.get(key)
        if track is None:
            if event.kind != "alert.fired":
                return False
            if len(self.others) >= KEPT_TRACKS:
                return False
            track = self.others[key] = Track()
        track.observe(event)
        return True


def danger_since(instances: Sequence[Instance], rules: Sequence[Rule] = ()) -> int | None:
    """Since when the danger stood, where a hazard tells it with `began_at`: a key that lay open, a report afterwards.

    With the rules of the instances, exposures are left out: their harm shows in the evidence that the rule names, and
    an outage long before the key was found to lie open is none of it.
    """
    exposures = {rule.name for rule in rules if rule.kind == "exposure"}
    told = [
        int(event.began_at)
        for instance in instances
        if instance.rule not in exposures
        for event in instance.hazards.events
        if event.began_at is not None and event.began_at < event.time
    ]
    return min(told, default=None)


def harmless_for(instances: Sequence[Instance], rules: Sequence[Rule]) -> int:
    """How long after the first sign nobody could be harmed (microseconds): a deadline harms when it comes.

    Until somebody acts, too, since a renewal can go wrong; where any candidate speaks of no deadline it is zero.
    """
    starts = []
    for instance, rule in zip(instances, rules, strict=True):
        told = [event.expires_at for event in instance.hazards.events if event.expires_at is not None]
        start = min([*told, instance.interventions.earliest.time]) if rule.has_deadline and told else 0
        starts.append(max(start, instance.first_sign_at))
    return min(starts) - min(instance.first_sign_at for instance in instances)


def is_report(event: Event) -> bool:
    """A person says that it was a near miss, or that it was noticed and left as it was."""
    return event.kind == "note.added" and event.labels.get("report") in ("near_miss", "noticed_not_acted")


def reference_of(event: Event) -> str:
    return f"{event.source}\x1f{event.id}"


class Safe(msgspec.Struct, frozen=True):
    """When the episode was safe, and what had to be assumed for it."""

    at: int
    missing: tuple[str, ...]


def find_safe(episode: Episode, instances: Sequence[Instance], settle: int, closings: Iterable[IncidentView]) -> Safe:
    """Safe in the order: every alert recovered after the action; the incident closed; the action plus settle time.

    The last is assumed. What was not seen lowers the confidence, it does not forbid; a cancelled alert is no recovery.
    """
    actions = [event for instance in instances for event in instance.interventions.events]
    first_action = min(event.time for event in actions)
    last_action = max(event.time for event in actions)
    recoveries: list[int] = []
    unrecovered: list[Track] = []
    for tracks in (*(instance.tracks for instance in instances), episode.others):
        for track in tracks.values():
            recovered_at = track.recovered_at
            if recovered_at is None:
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
    closed = [view.closed_at for view in closings if view.closed_at is not None and view.closed_at >= first_action]
    still_firing = [track.last_fired_at for track in unrecovered if track.last_fired_at]
    latest = max([last_action, *still_firing])
    if closed and max(closed) >= latest:
        return Safe(max([*closed, *recoveries]), tuple(missing))
    # Nothing told that it was over. Where that is because an alert never recovered, it is named already.
    return Safe(max([latest + settle, *recoveries]), tuple(missing or [str(Missing.SAFE_ASSUMED)]))


def window_end(episode: Episode, safe_at: int, rules: Sequence[Rule], instances: Sequence[Instance]) -> int:
    """Safe plus the longest hold, through the deadline where a rule holds to it, and past every step's own window."""
    end = safe_at + max(rule.impact.hold for rule in rules)
    by_name = {rule.name: rule for rule in rules}
    for instance in instances:
        rule = by_name[instance.rule]
        for event in (*instance.hazards.events, *instance.interventions.events):
            field = rule.impact.hold_through
            if field == "expires_at" and event.kind == "change.rotated":
                field = "previous_expires_at"  # the other one is the deadline of what is new
            deadline = getattr(event, field) if field else None
            if deadline is not None and deadline > safe_at:
                end = max(end, min(deadline + HOUR, safe_at + LONGEST_EPISODE))
        for clause in rule.clauses:
            if clause.until.anchor == "safe":
                end = max(end, safe_at + clause.until.offset)
            elif clause.until.anchor == "step":
                end = max(end, safe_at + rule.span(clause)[1])
            elif clause.until.anchor in ("intervention", "last_intervention"):
                end = max(end, instance.interventions.latest.time + clause.until.offset)
    return end
