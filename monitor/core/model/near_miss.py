"""The near-miss record: what the machine fills in, its states and its legal moves in one table."""

from __future__ import annotations

from enum import StrEnum
from typing import Literal

import msgspec

from monitor.core.model.events import Event, Instant, to_text

SCHEMA_VERSION = 1

Verdict = Literal["none", "users", "unknown"]
Family = Literal["thats_weird", "oops", "mind_the_gap", "margin", "automation"]
RecordKind = Literal["near_miss", "lucky_escape", "noticed_not_acted", "exposure"]
Mode = Literal["live", "shadow", "digest"]
Role = Literal["hazard", "intervention", "recovery", "impact", "context", "maintenance"]


class Margin(msgspec.Struct, frozen=True, gc=False):
    """How close it came: `value` of `limit` in `unit`, and the words for the title ("2 of 6 pods left")."""

    measure: str
    value: float
    unit: str
    text: str
    limit: float | None = None


class Cited(msgspec.Struct, frozen=True):
    """One piece of evidence: the event as it came, and the part that it plays."""

    role: Role
    event: Event


class FeedReport(msgspec.Struct, frozen=True):
    """What one feed said over the window: the coverage behind "no impact"."""

    source: str
    service: str
    evidence: str | None
    reports: int
    first_at: Instant | None
    last_at: Instant | None
    longest_gap: int | None
    freshness: int | None
    clear: bool
    detail: str


class Reason(msgspec.Struct, frozen=True):
    """One piece of evidence: the feature, what it added to the log-odds of a rescue, and the sentence that says why."""

    feature: str
    weight: float
    text: str


class Draft(msgspec.Struct, frozen=True):
    """A near-miss record as the engine states it: facts only. Times are `Instant`s, durations microseconds."""

    id: str
    rules: tuple[str, ...]
    rule_versions: dict[str, str]
    family: Family
    kind: RecordKind
    mode: Mode
    service: str | None
    services: tuple[str, ...]
    environment: str | None
    title: str
    verdict: Verdict
    confidence: float
    missing_evidence: tuple[str, ...]
    first_sign_at: Instant
    noticed_at: Instant | None
    intervened_at: Instant
    safe_at: Instant
    opened_at: Instant
    window_from: Instant
    window_to: Instant
    hold: int
    margin: Margin | None
    evidence: tuple[Cited, ...]
    omitted: dict[str, int]
    coverage: tuple[FeedReport, ...]
    unfed_services: tuple[str, ...]
    explanation: tuple[str, ...]
    questions: tuple[str, ...]
    recurrence_key: str
    repeat_of: tuple[str, ...] = ()
    chain: tuple[str, ...] = ()
    rank: float = 0.0
    schema_version: int = SCHEMA_VERSION
    probability: float | None = None
    """How likely it is that the act averted harm; None where nothing was weighed."""
    reasons: tuple[Reason, ...] = ()
    told_from: Instant | None = None
    told_to: Instant | None = None
    """From which sign to which act the story goes that title and margin tell; None in records of an older version.

    A draft of several stories begins with the earliest of their signs.
    """


class State(StrEnum):
    DRAFT = "draft"
    IN_REVIEW = "in_review"
    ACCEPTED = "accepted"
    DISMISSED = "dismissed"
    MERGED = "merged"
    WITHDRAWN = "withdrawn"
    REOPENED = "reopened"


class Move(StrEnum):
    START_REVIEW = "start_review"
    ACCEPT = "accept"
    DISMISS = "dismiss"
    REOPEN = "reopen"
    MERGE = "merge"
    WITHDRAW = "withdraw"
    SPLIT = "split"
    ASSESS = "assess"
    SNOOZE = "snooze"
    WAKE = "wake"
    HAND_OVER = "hand_over"
    SHARE = "share"
    KEEP_OPEN = "keep_open"
    ADD_EVIDENCE = "add_evidence"
    LEAVE_OUT = "leave_out"


UNDECIDED: frozenset[State] = frozenset({State.DRAFT, State.IN_REVIEW, State.REOPENED})
DECIDED: frozenset[State] = frozenset({State.ACCEPTED, State.DISMISSED})

MOVES: dict[tuple[State, Move], State] = {
    **{(state, Move.START_REVIEW): State.IN_REVIEW for state in (State.DRAFT, State.REOPENED)},
    **{(state, Move.ACCEPT): State.ACCEPTED for state in UNDECIDED},
    **{(state, Move.DISMISS): State.DISMISSED for state in UNDECIDED},
    **{(state, Move.MERGE): State.MERGED for state in UNDECIDED},
    **{(state, Move.WITHDRAW): State.WITHDRAWN for state in UNDECIDED},
    **{(state, Move.REOPEN): State.REOPENED for state in (State.ACCEPTED, State.DISMISSED, State.WITHDRAWN)},
    (State.MERGED, Move.SPLIT): State.REOPENED,
    # These settle something besides the state.
    **{
        (state, each): state
        for state in UNDECIDED | {State.ACCEPTED}
        for each in (Move.ASSESS, Move.HAND_OVER, Move.SHARE, Move.ADD_EVIDENCE, Move.LEAVE_OUT)
    },
    **{(state, each): state for state in UNDECIDED for each in (Move.SNOOZE, Move.WAKE)},
    (State.ACCEPTED, Move.KEEP_OPEN): State.ACCEPTED,
}


class IllegalMove(Exception):
    """The record is in a state that does not allow this move."""

    def __init__(self, state: State, move: Move) -> None:
        allowed = ", ".join(sorted(m for (s, m) in MOVES if s == state)) or "nothing: this state is final"
        super().__init__(f"a record that is {state} cannot {move.replace('_', ' ')}; allowed: {allowed}")
        self.state = state
        self.move = move


def move(state: State, by: Move) -> State:
    """The state after a move. Raises IllegalMove."""
    try:
        return MOVES[state, by]
    except KeyError:
        raise IllegalMove(state, by) from None


class ReportKind(StrEnum):
    """What a person reports unasked; the label `report` of the event that is made of it."""

    NEAR_MISS = "near_miss"  # it nearly went wrong
    NOTICED_NOT_ACTED = "noticed_not_acted"  # something odd was seen, held to be plausible, and left as it was


class Dismissal(StrEnum):
    """The closed list of reasons with which a person dismisses a draft (free text goes beside it)."""

    HAD_USER_IMPACT = "had_user_impact"
    PLANNED_WORK = "planned_work"
    TEST_OR_DRILL = "test_or_drill"
    FALSE_ALARM = "false_alarm"
    ROUTINE_HYGIENE = "routine_hygiene"
    SELF_CLEARED_NO_INTERVENTION = "self_cleared_no_intervention"
    INTERVENTION_UNRELATED = "intervention_unrelated"
    DUPLICATE = "duplicate"
    SAME_AS_KNOWN_ACCEPTED_RISK = "same_as_known_accepted_risk"
    NON_PRODUCTION = "non_production"
    RULE_TOO_SENSITIVE = "rule_too_sensitive"
    BAD_DATA = "bad_data"
    NOT_ENOUGH_INFORMATION = "not_enough_information"
    RESTRICTED = "restricted"


EVIDENCE_ROLES: tuple[Role, ...] = ("hazard", "intervention", "impact", "context")


def public_line(draft: Draft, state: State = State.DRAFT, reason: str | None = None) -> dict[str, object]:
    """The record's published fields, the same in `nearmiss replay` and in the API. Times are RFC 3339 in UTC.

    Recovery and maintenance events are published among the context.
    """
    evidence: dict[str, list[dict[str, str]]] = {role: [] for role in EVIDENCE_ROLES}
    for cited in draft.evidence:
        role = cited.role if cited.role in evidence else "context"
        evidence[role].append({"source": cited.event.source, "id": cited.event.id})
    line: dict[str, object] = {
        "id": draft.id,
        "rules": list(draft.rules),
        "family": draft.family,
        "kind": draft.kind,
        "mode": draft.mode,
        "service": draft.service,
        "services": list(draft.services),
        "environment": draft.environment,
        "title": draft.title,
        "state": str(state),
        "verdict": draft.verdict,
        "confidence": draft.confidence,
        "probability": draft.probability,
        "reasons": [msgspec.to_builtins(reason) for reason in draft.reasons],
        "first_sign_at": to_text(draft.first_sign_at),
        "noticed_at": to_text(draft.noticed_at),
        "intervened_at": to_text(draft.intervened_at),
        "safe_at": to_text(draft.safe_at),
        "opened_at": to_text(draft.opened_at),
        "margin": msgspec.to_builtins(draft.margin),
        "evidence": evidence,
        "omitted": dict(draft.omitted),
        "missing_evidence": list(draft.missing_evidence),
        "unfed_services": list(draft.unfed_services),
        "repeat_of": list(draft.repeat_of),
        "chain": list(draft.chain),
    }
    if reason is not None:
        line["reason"] = reason
    return line
