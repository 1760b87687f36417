"""From a judged episode to the record's facts: title, margin, evidence, explanation, confidence and rank.

States facts only and blames nobody: people appear by the part they played.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import msgspec

from monitor.core.deciding.headline import say_number
from monitor.core.matching.facts import share
from monitor.core.matching.last_values import things_key
from monitor.core.model.durations import say_duration
from monitor.core.model.events import SECOND, SEVERITIES, Event, Instant, to_text
from monitor.core.model.near_miss import Cited, Draft, Margin, Role
from monitor.core.model.reasons import Missing
from monitor.core.model.rule import Rule
from monitor.core.resolving.names import GUESSED
from monitor.core.state.candidates import Candidate

CONFIDENCE: dict[str, float] = {
    Missing.NO_FEED: 0.6,
    Missing.FEED_GAP: 0.7,
    Missing.TRUNCATED: 0.7,
    Missing.NO_RESOLVE: 0.8,
    Missing.SAFE_ASSUMED: 0.9,
    Missing.ALERT_CANCELLED: 0.7,
    Missing.NAME_GUESSED: 0.9,
    Missing.DEPENDENCIES_UNKNOWN: 0.8,
    Missing.NO_PATH_TO_USERS: 0.7,
    Missing.SERVICE_UNKNOWN: 0.7,
    Missing.ENVIRONMENT_UNKNOWN: 0.9,
    Missing.SIBLING_ONLY: 0.6,
    Missing.IMPACT_UNSTATED: 0.8,
    Missing.TIME_MARKED: 0.8,
    Missing.EVICTED: 0.6,
    Missing.EVIDENCE_CAPPED: 1.0,
}
"""By how much each missing piece lowers the confidence. Proposals; only their order matters to the queue."""
GENERIC_CONFIDENCE = 0.8
MOST_CONTEXT = 20


def margin_of(rule: Rule, hazards: Sequence[Event], count: int, action: Event, first_sign_at: int) -> Margin | None:
    """How close it came, as the rule measures it; None where the events do not tell."""
    if rule.margin.measure == "headroom":
        return _headroom(hazards)
    if rule.margin.measure == "deadline":
        return _deadline(hazards, action)
    if rule.margin.measure == "count":
        times = "once" if count == 1 else f"{count} times"
        return Margin("count", count, "times", f"seen {times} before action")
    elapsed = action.time - first_sign_at
    if rule.intervention.itself and not elapsed:
        return None
    return Margin("elapsed", elapsed / SECOND, "seconds", f"{say_duration(elapsed)} from first sign to action")


def _headroom(hazards: Sequence[Event]) -> Margin | None:
    """The worst measurement: "2 of 6 pods" for a count, "2 of 6 pods left" for a floor, "97% used" for a share."""
    measured = [event for event in hazards if share(event) is not None]
    if not measured:
        return None
    worst = max(measured, key=lambda event: (share(event) or 0.0, event.time))
    assert worst.value is not None  # else it has no share
    assert worst.limit is not None  # else it has no share
    unit = worst.unit or ""
    text = f"{say_number(worst.value)} of {say_number(worst.limit)} {unit}".rstrip()
    if worst.limit == 100 and unit in ("percent", "%"):
        text = f"{say_number(worst.value)}%" + ("" if worst.bound == "min" else " used")
    return Margin("headroom", worst.value, unit, text + (" left" if worst.bound == "min" else ""), worst.limit)


def _deadline(hazards: Sequence[Event], action: Event) -> Margin | None:
    named = [event.expires_at for event in hazards if event.expires_at is not None]
    deadline = action.previous_expires_at if action.previous_expires_at is not None else min(named, default=None)
    if deadline is None:
        return None
    left = deadline - action.time
    text = f"{say_duration(left)} before the deadline" if left >= 0 else f"{say_duration(left)} after the deadline"
    return Margin("deadline", left / SECOND, "seconds", text)


def draft_id(key: str, anchor: Event) -> str:
    """A hash of the correlation key and the anchor hazard, as they stood when the draft opened."""
    meaning = f"{key}\x1f{anchor.source}\x1f{anchor.id}"
    return "nm_" + hashlib.blake2b(meaning.encode(), digest_size=10).hexdigest()


def recurrence_key(rule: Rule, service: str | None) -> str:
    return f"{rule.name}|{service}"


def subject_keys(draft: Draft) -> list[str]:
    """Under which a later event finds the draft: once for each subject of its hazards and interventions."""
    cited = (known.event for known in draft.evidence if known.role in ("hazard", "intervention"))
    return sorted({things_key(event.service, event.subject) for event in cited if event.subject is not None})


def cite(events: Sequence[Event], role: Role) -> list[Cited]:
    return [Cited(role, event) for event in events]


class Gathered(msgspec.Struct, frozen=True):
    """The evidence of an episode: distinct events of each part in time order, and how many more there were."""

    cited: tuple[Cited, ...]
    omitted: dict[str, int]


def gather(candidates: Sequence[Candidate], context: Sequence[Event], recoveries: Sequence[Event]) -> Gathered:
    """All parts of all candidates once each; an event that plays two parts is cited in the stronger one."""
    taken: set[tuple[str, str]] = set()
    cited: list[Cited] = []
    omitted: dict[str, int] = {}
    actions = _distinct([event for candidate in candidates for event in candidate.interventions.events], taken)
    hazards = _distinct([event for candidate in candidates for event in candidate.hazards.events], taken)
    parts: tuple[tuple[Role, list[Event], int], ...] = (
        ("hazard", hazards, sum(candidate.hazards.omitted for candidate in candidates)),
        ("intervention", actions, sum(candidate.interventions.omitted for candidate in candidates)),
        ("recovery", _distinct(recoveries, taken), 0),
        ("context", _distinct(context, taken), 0),
    )
    for role, events, extra in parts:
        kept = events if len(events) <= MOST_CONTEXT else [*events[: MOST_CONTEXT // 2], *events[-MOST_CONTEXT // 2 :]]
        cited += cite(kept, role)
        if extra + len(events) - len(kept):
            omitted[role] = extra + len(events) - len(kept)
    return Gathered(tuple(cited), omitted)


def _distinct(events: Sequence[Event], taken: set[tuple[str, str]]) -> list[Event]:
    found = []
    for event in sorted(events, key=lambda event: (event.time, event.source, event.id)):
        if (event.source, event.id) not in taken:
            taken.add((event.source, event.id))
            found.append(event)
    return found


def doubts_of(events: Sequence[Event]) -> list[str]:
    """What the cited events leave open by themselves."""
    open_ = {
        Missing.ENVIRONMENT_UNKNOWN: any(event.environment is None for event in events),
        Missing.TIME_MARKED: any(event.marks for event in events),
        Missing.NAME_GUESSED: any(event.resolved_from.get("service", "").startswith(GUESSED) for event in events),
    }
    return [str(name) for name, is_open in open_.items() if is_open]


def confidence_of(missing: Sequence[str], generic: bool) -> float:
    """1.0 where everything could be checked; each missing piece lowers it."""
    result = GENERIC_CONFIDENCE if generic else 1.0
    for name in missing:
        result *= CONFIDENCE[name]
    return round(result, 2)


EVEN_ODDS = 0.5
"""What the rank takes where nothing was weighed, and at least for an exposure: its rule asks regardless of the odds."""


def rank_of(
    hazards: Sequence[Event],
    repeats: int,
    confidence: float,
    generic: bool,
    probability: float | None = None,
    *,
    exposure: bool = False,
) -> float:
    """What to judge first: severity, closeness to the limit, repeats; less where rescue or evidence is doubtful."""
    severity = max(
        (len(SEVERITIES) - SEVERITIES.index(event.severity) for event in hazards if event.severity), default=2
    )
    closeness = max((min(share(event) or 0.0, 2.0) for event in hazards), default=0.0)
    chance = EVEN_ODDS if probability is None else max(probability, EVEN_ODDS if exposure else 0.0)
    return round((severity + closeness + 1.5 * min(repeats, 3) + (0 if generic else 1)) * confidence * chance, 3)


def explain_candidate(rule: Rule, candidate: Candidate, notes: Sequence[str]) -> list[str]:
    """Why this rule matched, in lines a person reads; event identities in brackets."""
    hazard, action = candidate.hazards.earliest, candidate.interventions.earliest
    seen_on, seen_at = hazard.service or candidate.service, to_text(hazard.time - hazard.time % SECOND)
    lines = [
        f"{rule.name}: hazard {hazard.kind} on {seen_on} at {seen_at}"
        f" [{hazard.source} {hazard.id}]"
        + (f" and {candidate.hazards.count - 1} more" if candidate.hazards.count > 1 else ""),
        f"{rule.name}: intervention {action.kind} on {action.service} {say_duration(action.time - hazard.time)} later"
        f" [{action.source} {action.id}]"
        + (f" and {candidate.interventions.count - 1} more" if candidate.interventions.count > 1 else ""),
    ]
    return lines + [f"{rule.name}: {note}" for note in notes]


def instant(at: int | None) -> Instant | None:
    return None if at is None else Instant(at)
