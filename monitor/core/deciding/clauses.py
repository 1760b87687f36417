"""The windows and counts of a rule's further steps: when each is, and why its count fails or holds; a hazard's key."""

from __future__ import annotations

from monitor.core.matching.matcher import CompiledRule
from monitor.core.model.conditions import NO_FACTS
from monitor.core.model.events import Event
from monitor.core.model.reasons import NotOpened
from monitor.core.model.rule import Clause, Point
from monitor.core.state.candidates import Candidate, correlation_key
from monitor.core.state.episodes import reference_of


def point(moment: Point, candidate: Candidate, action: Event, safe_at: int) -> int:
    """A clause's moment in event time (microseconds)."""
    if moment.anchor == "hazard":
        return candidate.first_sign_at + moment.offset
    if moment.anchor == "last_hazard":
        before = [event.time for event in candidate.hazards.events if event.time <= action.time]
        return max(before, default=candidate.first_sign_at) + moment.offset
    if moment.anchor == "last_intervention":
        return max([action.time, *(event.time for event in candidate.interventions.events)]) + moment.offset
    return (action.time if moment.anchor == "intervention" else safe_at) + moment.offset


def clause_unmet(clause: Clause, count: int) -> tuple[NotOpened, str] | None:
    """Why a count of a further step fails; None where it does not."""
    if count < clause.at_least:
        return NotOpened.CONDITION_NOT_MET, f"step {clause.name}: {count} seen, at least {clause.at_least} required"
    if clause.at_most is not None and count > clause.at_most:
        return NotOpened.ABSENCE_VIOLATED, f"step {clause.name}: {count} seen, at most {clause.at_most} allowed"
    return None


def say_met(clause: Clause, count: int) -> str:
    """What was seen of a further step that holds, for a reviewer: no “running”, as required."""
    words = clause.name.replace("-", " ").replace("_", " ")
    if clause.at_most == 0:
        return f"no “{words}”, as required"
    seen = f"{count} × “{words}”"
    if clause.at_least == 0 and clause.at_most is None:
        return f"{seen}, not required"
    least = f", at least {clause.at_least} required" if clause.at_least else ""
    most = "" if clause.at_most is None else f", at most {clause.at_most} allowed"
    return f"{seen}{least}{most}"


def key_of(compiled: CompiledRule, hazard: Event) -> str:
    """The hazard's correlation key; where a value is missing it is alone, since a missing key equals no other."""
    return correlation_key([get(hazard, NO_FACTS) for get in compiled.correlate]) or reference_of(hazard)
