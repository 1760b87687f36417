"""The words that people read: states, verdicts, reasons, kinds, actors, times and durations in plain language.

Knows no HTML. People appear by role, never by name, and nothing here says whose fault something was.
"""

from __future__ import annotations

from monitor.core.model.events import DAY, HOUR, MINUTE, SECOND, Actor, Event, to_datetime
from monitor.core.model.near_miss import Dismissal, Family, State, Verdict
from monitor.core.model.reasons import Missing, Withdrawn

VERDICTS: dict[Verdict, str] = {
    "none": "Users spared",
    "unknown": "Impact unverified",
    "users": "Users were hit",
}

VERDICT_SENTENCES: dict[Verdict, str] = {
    "none": "Every feed that could have seen harm kept reporting through the window, and all of them were clear.",
    "unknown": "Nothing says that users were hit, and nothing looked closely enough to rule it out. Ask a person.",
    "users": "There is evidence that users were hit: this is an incident, not a near miss.",
}

STATES: dict[State, str] = {
    State.DRAFT: "Draft",
    State.IN_REVIEW: "In review",
    State.ACCEPTED: "Accepted",
    State.DISMISSED: "Dismissed",
    State.MERGED: "Merged",
    State.WITHDRAWN: "Withdrawn",
    State.REOPENED: "Reopened",
}

FAMILIES: dict[Family, str] = {
    "thats_weird": "That’s weird",
    "oops": "Slip caught",
    "mind_the_gap": "Gap bridged",
    "margin": "Thin margin",
    "automation": "Automation saved it",
}

DISMISSALS: dict[Dismissal, tuple[str, str]] = {
    Dismissal.PLANNED_WORK: ("Planned work", "It was announced or intended."),
    Dismissal.TEST_OR_DRILL: ("Test or drill", "An exercise, a load test or a chaos experiment."),
    Dismissal.FALSE_ALARM: ("False alarm", "The hazard was not real."),
    Dismissal.ROUTINE_HYGIENE: ("Routine", "Ample margin, an ordinary step of a runbook."),
    Dismissal.SELF_CLEARED_NO_INTERVENTION: ("Cleared by itself", "Nobody and nothing had to act."),
    Dismissal.INTERVENTION_UNRELATED: ("Action unrelated", "The action had nothing to do with the recovery."),
    Dismissal.DUPLICATE: ("Duplicate", "Another record already tells this."),
    Dismissal.SAME_AS_KNOWN_ACCEPTED_RISK: ("Known, accepted risk", "The risk is known and was accepted for now."),
    Dismissal.NON_PRODUCTION: ("Not production", "It happened where no users are."),
    Dismissal.RULE_TOO_SENSITIVE: ("Rule too sensitive", "The rule should not have fired on this."),
    Dismissal.BAD_DATA: ("Bad data", "Clock skew, a missing resolve, a wrong service map."),
    Dismissal.NOT_ENOUGH_INFORMATION: ("Cannot tell", "There is not enough here to judge."),
    Dismissal.RESTRICTED: ("Restricted", "Belongs to HR, legal or security; handled elsewhere, not lost."),
    Dismissal.HAD_USER_IMPACT: (
        "Users were hit",
        "It is an incident. Other drafts that it touches are taken back too.",
    ),
}

MISSING: dict[Missing, str] = {
    Missing.NO_FEED: "No feed that can see this kind of harm watches a user-facing service here.",
    Missing.FEED_GAP: "A feed was silent for longer than it may be.",
    Missing.TRUNCATED: "The stream ended before the window did, so its last part was not looked at.",
    Missing.NO_RESOLVE: "The alert never reported a recovery; that it became safe is assumed.",
    Missing.SAFE_ASSUMED: "No alert recovered and no incident was closed; that the action made it safe is assumed.",
    Missing.ALERT_CANCELLED: "The alert was closed without a recovery, which proves nothing about safety.",
    Missing.SERVICE_UNKNOWN: "The service catalogue does not know one of the services.",
    Missing.ENVIRONMENT_UNKNOWN: "One of the events does not say in which environment it happened.",
    Missing.SIBLING_ONLY: "The action was on a sibling service, not on this one or a neighbour.",
    Missing.IMPACT_UNSTATED: "The incident record does not say whether users were hit.",
    Missing.TIME_MARKED: "One of the events carries an odd time.",
    Missing.EVIDENCE_CAPPED: "There is more evidence than is kept; the rest is counted only.",
}

WITHDRAWALS: dict[Withdrawn, str] = {
    Withdrawn.IMPACT_IN_WINDOW: "users were hit within the window",
    Withdrawn.IMPACT_AFTERWARDS: "users were hit within a day afterwards",
    Withdrawn.IMPACT_TIED: "users were hit later by the same subject, change or incident",
    Withdrawn.IMPACT_IN_CHAIN: "users were hit by what followed the fix",
    Withdrawn.PLANNED_WORK: "the work was announced",
    Withdrawn.NO_LONGER_MATCHES: "late evidence took away what the rule needs",
}

ACTIONS: dict[str, str] = {
    "open": "opened the draft",
    "amend": "amended the draft with later evidence",
    "withdraw": "withdrew the draft",
    "contradict": "found evidence of impact after the decision",
    "uncontradict": "found that the evidence of impact no longer holds",
    "merge": "merged it into another record",
    "start_review": "began to review",
    "accept": "accepted it as a near miss",
    "dismiss": "dismissed it",
    "reopen": "reopened it",
    "comment": "commented",
}

KINDS: dict[str, str] = {
    "alert.fired": "Alert fired",
    "alert.acknowledged": "Alert acknowledged",
    "alert.unacknowledged": "Acknowledgement expired",
    "alert.escalated": "Alert escalated",
    "alert.silenced": "Alert silenced",
    "alert.resolved": "Alert resolved",
    "alert.cancelled": "Alert closed without recovery",
    "note.added": "Note",
    "change.deployed": "Deployed",
    "change.rolled_back": "Rolled back",
    "change.configured": "Configuration changed",
    "change.flag_set": "Flag set",
    "change.scaled": "Scaled",
    "change.restarted": "Restarted",
    "change.failed_over": "Failed over",
    "change.deleted": "Deleted",
    "change.restored": "Restored",
    "change.rotated": "Rotated",
    "change.ran": "Operation ran",
    "change.merged": "Merged",
    "change.started": "Change began",
    "change.failed": "Change failed",
    "change.held": "Change held",
    "change.blocked": "Change refused by a guard",
    "incident.opened": "Incident opened",
    "incident.updated": "Incident updated",
    "incident.closed": "Incident closed",
    "responder.paged": "Someone was paged",
    "responder.joined": "Someone joined",
    "impact.started": "Users affected",
    "impact.ended": "Users no longer affected",
    "impact.clear": "Looked, and saw no impact",
    "maintenance.started": "Maintenance began",
    "maintenance.ended": "Maintenance ended",
}

ROLES: dict[str, str] = {
    "hazard": "Hazard",
    "intervention": "Intervention",
    "recovery": "Recovery",
    "impact": "Impact",
    "context": "Context",
    "maintenance": "Maintenance",
}

_DISMISSAL_NAMES: frozenset[str] = frozenset(Dismissal)
_WITHDRAWAL_NAMES: frozenset[str] = frozenset(Withdrawn)

PERSONAL_LABELS: frozenset[str] = frozenset(
    {"user", "username", "user_name", "login", "email", "mail", "author", "assignee", "owner", "by", "name", "person"}
    | {"acknowledged_by", "resolved_by", "created_by", "committer", "reviewer", "responder", "sender", "actor"}
)
"""Labels that usually hold a person's name; they are not shown."""


def actor(who: Actor | None) -> str:
    """Who acted, by role. An actor that the source does not describe is left open rather than guessed."""
    if who is None or who.kind == "unknown":
        return "someone or something"
    if who.kind == "automation":
        return "automation"
    if who.on_call is None:
        return "a person"
    return "someone on call" if who.on_call else "a person off rotation"


def kind(event: Event) -> str:
    return KINDS[event.kind]


def missing(name: str) -> str:
    """A missing-evidence name in a sentence; `name:detail` keeps its detail. An unknown name is shown as it is."""
    code, _, detail = name.partition(":")
    try:
        sentence = MISSING[Missing(code)]
    except ValueError:
        return name.replace("_", " ")
    return f"{sentence} ({detail.strip()})" if detail else sentence


def reason(name: str | None) -> str:
    """A dismissal or withdrawal reason in words; empty for None."""
    if name is None:
        return ""
    if name in _DISMISSAL_NAMES:
        return DISMISSALS[Dismissal(name)][0].lower()
    if name in _WITHDRAWAL_NAMES:
        return WITHDRAWALS[Withdrawn(name)]
    return name.replace("_", " ")


def duration(microseconds: int) -> str:
    """A span in its two largest units: "41 s", "14 min", "2 h 5 min", "4 d 3 h". The sign is dropped."""
    left = abs(microseconds)
    if left < SECOND:
        return "under 1 s"
    parts = []
    for unit, size in (("d", DAY), ("h", HOUR), ("min", MINUTE), ("s", SECOND)):
        count, left = divmod(left, size)
        if count:
            parts.append(f"{count} {unit}")
        if len(parts) == 2 or (parts and not count):
            break
    if len(parts) == 2 and parts[0].endswith("min"):
        minutes = int(parts[0].split()[0])
        return parts[0] if minutes >= 10 else " ".join(parts)
    return " ".join(parts)


def age(at: int, now: int) -> str:
    """How long ago: "just now", "12 min ago", "3 h ago", "5 d ago"; a moment ahead is "in 5 min"."""
    ahead = at > now
    span = abs(now - at)
    if span < MINUTE:
        return "just now"
    for unit, size in (("d", DAY), ("h", HOUR), ("min", MINUTE)):
        if span >= size:
            text = f"{span // size} {unit}"
            return f"in {text}" if ahead else f"{text} ago"
    raise AssertionError("a minute or more has a unit")


def moment(at: int) -> str:
    """A time for people, in UTC: "4 Aug 2020, 13:30"."""
    when = to_datetime(at)
    return f"{when.day} {when:%b} {when.year}, {when:%H:%M}"


def clock(at: int, *, seconds: bool = False) -> str:
    """The time of day in UTC."""
    return f"{to_datetime(at):%H:%M:%S}" if seconds else f"{to_datetime(at):%H:%M}"


def day(at: int) -> str:
    when = to_datetime(at)
    return f"{when.day} {when:%b %Y}"
