"""The words that people read: states, verdicts, reasons, kinds, actors, times and durations in plain language.

Knows no HTML. People appear by role, never by name, and nothing here says whose fault something was.
"""

from __future__ import annotations

from monitor.core.model.events import DAY, HOUR, MINUTE, Actor, Event, to_datetime
from monitor.core.model.near_miss import Dismissal, Family, State, Verdict
from monitor.core.model.reasons import Missing, Withdrawn
from monitor.core.model.risk import Barrier, Outcome, Share

VERDICTS: dict[Verdict, str] = {
    "none": "Users spared",
    "unknown": "Impact unverified",
    "users": "Users were hit",
}

VERDICT_SENTENCES: dict[Verdict, str] = {
    "none": "Every feed that could see harm reported throughout the window, and all were clear.",
    "unknown": "No sign of user impact, but not fully watched. Ask someone who knows.",
    "users": "Users were hit: this is an incident, not a near miss.",
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
    Dismissal.PLANNED_WORK: ("Planned work", "Announced or intended."),
    Dismissal.TEST_OR_DRILL: ("Test or drill", "An exercise, a load test or a chaos experiment."),
    Dismissal.FALSE_ALARM: ("False alarm", "The hazard was not real."),
    Dismissal.ROUTINE_HYGIENE: ("Routine", "Ample margin, a routine runbook step."),
    Dismissal.SELF_CLEARED_NO_INTERVENTION: ("Cleared by itself", "No action was needed."),
    Dismissal.INTERVENTION_UNRELATED: ("Action unrelated", "The action did not cause the recovery."),
    Dismissal.DUPLICATE: ("Duplicate", "Another record covers this."),
    Dismissal.SAME_AS_KNOWN_ACCEPTED_RISK: ("Known, accepted risk", "The risk is known and accepted for now."),
    Dismissal.NON_PRODUCTION: ("Not production", "It happened in an environment without users."),
    Dismissal.RULE_TOO_SENSITIVE: ("Rule too sensitive", "The rule should not have fired on this."),
    Dismissal.BAD_DATA: ("Bad data", "Clock skew, a missing resolve, a wrong service map."),
    Dismissal.NOT_ENOUGH_INFORMATION: ("Cannot tell", "Not enough information to decide."),
    Dismissal.RESTRICTED: ("Restricted", "For HR, legal or security; handled elsewhere."),
    Dismissal.HAD_USER_IMPACT: (
        "Users were hit",
        "It is an incident. Other drafts with the same impact are withdrawn too.",
    ),
}

OUTCOMES: dict[Outcome, tuple[str, str]] = {
    Outcome.LASTING_HARM: ("Lasting harm", "Data, money or people; not undone by a restart."),
    Outcome.OUTAGE: ("Down for most users", "A core service fails for most who need it."),
    Outcome.DEGRADED: ("Some users affected", "Slow or failing for some, or for a short time."),
    Outcome.INTERNAL: ("Only our own work", "No user would have noticed."),
}

BARRIERS: dict[Barrier, tuple[str, str]] = {
    Barrier.AUTOMATION: ("Automation", "A guard that was built for this."),
    Barrier.ON_CALL: ("Someone on call", "A person whose task it was, led there by a signal."),
    Barrier.BY_ACCIDENT: ("Someone by accident", "A person who happened to look, or was not on call."),
    Barrier.LUCK: ("Luck", "Nothing was left; it happened to go well."),
}

SHARES: dict[Share, str] = {
    Share.TEAM: "The team",
    Share.ORGANISATION: "The organisation",
    Share.PUBLIC: "The public",
}

MISSING: dict[Missing, str] = {
    Missing.NO_FEED: "No feed that can see this harm watches the user-facing services.",
    Missing.FEED_GAP: "A feed was silent for too long.",
    Missing.TRUNCATED: "The stream ended before the window, so its last part was not watched.",
    Missing.NO_RESOLVE: "The alert never reported a recovery; when it was safe is an assumption.",
    Missing.SAFE_ASSUMED: "No alert recovered and no incident was closed: it is taken to be safe since the action.",
    Missing.ALERT_CANCELLED: "The alert was closed without a recovery.",
    Missing.NAME_GUESSED: "The service of some evidence is a guess from its name.",
    Missing.DEPENDENCIES_UNKNOWN: "The catalogue does not say which services depend on which.",
    Missing.NO_PATH_TO_USERS: "Nothing that users see depends on the service, as far as the catalogue tells.",
    Missing.SERVICE_UNKNOWN: "A service is missing in the catalogue.",
    Missing.ENVIRONMENT_UNKNOWN: "An event does not name its environment.",
    Missing.SIBLING_ONLY: "The action was on a sibling service, not on this one or a neighbour.",
    Missing.IMPACT_UNSTATED: "The incident record does not say whether users were hit.",
    Missing.TIME_MARKED: "An event has an odd time.",
    Missing.EVICTED: "The engine's memory was full, and some events of the window were evicted.",
    Missing.EVIDENCE_CAPPED: "More evidence than is stored; the rest is only counted.",
}

MISSING_IN_SHORT: dict[Missing, str] = {
    Missing.NO_FEED: "no feed watches users",
    Missing.FEED_GAP: "a feed was silent",
    Missing.TRUNCATED: "the stream ended early",
    Missing.NO_RESOLVE: "no recovery was reported",
    Missing.SAFE_ASSUMED: "no recovery was seen",
    Missing.ALERT_CANCELLED: "closed without a recovery",
    Missing.NAME_GUESSED: "a service name is a guess",
    Missing.DEPENDENCIES_UNKNOWN: "no dependencies are known",
    Missing.NO_PATH_TO_USERS: "nothing users see depends on it",
    Missing.SERVICE_UNKNOWN: "a service is not in the catalogue",
    Missing.ENVIRONMENT_UNKNOWN: "an environment is not named",
    Missing.SIBLING_ONLY: "the action was on a sibling",
    Missing.IMPACT_UNSTATED: "the record does not state impact",
    Missing.TIME_MARKED: "an event has an odd time",
    Missing.EVICTED: "memory was full",
    Missing.EVIDENCE_CAPPED: "not all evidence is stored",
}
"""For a row of the queue."""

WITHDRAWALS: dict[Withdrawn, str] = {
    Withdrawn.IMPACT_IN_WINDOW: "users were hit within the window",
    Withdrawn.IMPACT_AFTERWARDS: "users were hit within a day after",
    Withdrawn.IMPACT_TIED: "users were hit later by the same subject, change or incident",
    Withdrawn.IMPACT_IN_CHAIN: "the fix led to user impact",
    Withdrawn.PLANNED_WORK: "the work was announced",
    Withdrawn.NO_LONGER_MATCHES: "late evidence broke the match",
}

ACTIONS: dict[str, str] = {
    "open": "opened the draft",
    "amend": "amended the draft with later evidence",
    "withdraw": "withdrew the draft",
    "contradict": "found evidence of impact after the decision",
    "uncontradict": "cleared the evidence of impact",
    "merge": "merged it into another record",
    "start_review": "started the review",
    "accept": "accepted it as a near miss",
    "dismiss": "dismissed it",
    "reopen": "reopened it",
    "comment": "commented",
    "split": "took it out of the other record again",
    "assess": "assessed the risk",
    "snooze": "snoozed it",
    "wake": "brought it back at once",
    "hand_over": "handed it over",
    "share": "changed who may see it",
    "keep_open": "settled what is still open",
    "add_evidence": "added evidence",
    "leave_out": "left evidence out",
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
    "change.blocked": "Change blocked by a guardrail",
    "incident.opened": "Incident opened",
    "incident.updated": "Incident updated",
    "incident.closed": "Incident closed",
    "responder.paged": "Someone was paged",
    "responder.joined": "Someone joined",
    "impact.started": "Users affected",
    "impact.ended": "Users no longer affected",
    "impact.clear": "Checked: no impact",
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

_PERSONAL: frozenset[str] = frozenset(
    {"user", "username", "user_name", "login", "email", "mail", "author", "assignee", "owner", "by", "name", "person"}
    | {"acknowledged_by", "resolved_by", "created_by", "committer", "reviewer", "responder", "sender", "actor"}
)
_PERSONAL_ENDS = ("user", "username", "login", "email", "mail", "author", "assignee", "owner", "person", "reviewer")


def names_person(label: str) -> bool:
    """Whether a label usually holds a person's name: it is neither shown on pages nor told by the API."""
    name = label.lower().replace("-", "_").replace(".", "_")
    return name in _PERSONAL or name.rpartition("_")[2] in _PERSONAL_ENDS


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


def measured(event: Event) -> str:
    """What a tool measured, as one says it: "96%", "2 of 3 replicas", "910 milliseconds, limit 800"."""
    value, limit, unit = event.value, event.limit, event.unit or ""
    if value is None:
        return ""
    if unit in ("percent", "%") and limit in (None, 100):
        return f"{value:g}%"
    named = f" {unit}" if unit else ""
    if limit is None:
        return f"{value:g}{named}"
    return f"{value:g} of {limit:g}{named}" if value <= limit else f"{value:g}{named}, limit {limit:g}"


def missing(name: str) -> str:
    """A missing-evidence name in a sentence; `name:detail` keeps its detail. An unknown name is shown as it is."""
    code, _, detail = name.partition(":")
    try:
        sentence = MISSING[Missing(code)]
    except ValueError:
        return name.replace("_", " ")
    return f"{sentence} ({detail.strip()})" if detail else sentence


def missing_in_short(name: str) -> str:
    """A missing-evidence name in a few words, without its detail."""
    code = name.partition(":")[0]
    known = set(map(str, Missing))
    return MISSING_IN_SHORT[Missing(code)] if code in known else code.replace("_", " ")


def reason(name: str | None) -> str:
    """A dismissal or withdrawal reason in words; empty for None."""
    if name is None:
        return ""
    if name in _DISMISSAL_NAMES:
        return DISMISSALS[Dismissal(name)][0].lower()
    if name in _WITHDRAWAL_NAMES:
        return WITHDRAWALS[Withdrawn(name)]
    return name.replace("_", " ")


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
