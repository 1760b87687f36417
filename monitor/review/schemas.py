"""The shapes of the JSON API, with the words that its OpenAPI document shows. Shapes only: decides nothing."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator

from monitor.core.model.near_miss import Dismissal, State
from monitor.core.model.risk import Barrier, Outcome, Share
from monitor.review.reports import LONGEST_STORY
from monitor.review.service import LONGEST_TEXT


class Shape(BaseModel):
    model_config = ConfigDict(extra="forbid")

    @field_validator("*", mode="before")
    @classmethod
    def _without_half_characters(cls, value: Any) -> Any:
        """JSON can spell half of a surrogate pair, which no encoding can write: it becomes U+FFFD."""
        return _whole(value)


def _whole(value: Any) -> Any:
    if isinstance(value, str):
        return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    if isinstance(value, list):
        return [_whole(each) for each in value]
    if isinstance(value, dict):
        return {_whole(name): _whole(each) for name, each in value.items()}
    return value


class Reference(Shape):
    source: str = Field(description="What reported the event.")
    id: str = Field(description="Its id, unique within the source.")


class Evidence(Shape):
    hazard: list[Reference]
    intervention: list[Reference]
    impact: list[Reference]
    context: list[Reference] = Field(description="Everything else cited, such as recovery and maintenance.")


class Margin(Shape):
    measure: str = Field(description="What was measured: headroom, deadline, elapsed or count.")
    value: float
    unit: str
    text: str = Field(description="The margin in words, such as “2 of 6 pods left”.")
    limit: float | None = None


class ReasonOut(Shape):
    feature: str
    weight: float = Field(description="What it adds to the log-odds.")
    text: str


class RiskOut(Shape):
    outcome: Outcome = Field(description="The worst credible outcome.")
    barrier: Barrier = Field(description="What still stood between.")
    index: int = Field(description="1 to 2500.")


class LeftOpenOut(Shape):
    key: str
    words: str


class NearMissItem(Shape):
    """A near miss as it is listed: the same fields as a line of `nearmiss replay`, and what people made of it."""

    id: str
    rules: list[str] = Field(description="Every rule that matched; the first one names the record.")
    family: str
    kind: str
    mode: str = Field(description="`live` drafts wait for review; `digest` ones were saved by automation.")
    service: str | None
    services: list[str]
    environment: str | None
    title: str = Field(description="The headline.")
    state: State
    verdict: Literal["none", "users", "unknown"] = Field(
        description="Whether users were hit: `none` needs feeds that looked and were clear; `unknown` means unverified."
    )
    confidence: float = Field(description="0 to 1.")
    probability: float | None = Field(None, description="How likely it is a near miss, 0 to 1, as the rules weigh it.")
    reasons: list[ReasonOut] = Field(default=[], description="What speaks for it and against it, with its weight.")
    first_sign_at: str
    noticed_at: str | None
    intervened_at: str
    safe_at: str
    opened_at: str = Field(description="Event time at which the window ended and the draft opened.")
    margin: Margin | None
    evidence: Evidence
    omitted: dict[str, int] = Field(description="Evidence beyond the cap, counted by role.")
    missing_evidence: list[str] = Field(description="What could not be checked.")
    unfed_services: list[str] = Field(description="User-facing services that no feed watches.")
    repeat_of: list[str] = Field(description="Earlier records of the same recurrence key.")
    chain: list[str] = Field(description="Records that this one follows from or leads to.")
    reason: str | None = Field(None, description="Why it was dismissed or withdrawn.")
    version: int = Field(description="Send it back as `expected_version` when you decide.")
    folded: bool = Field(description="Whether it exceeds the budget of its team and week and is folded in the queue.")
    contradicted: str | None = Field(description="Set when impact was found after the decision.")
    decided_at: str | None
    decided_by: str | None = Field(description="The role that decided; never a name.")
    risk: RiskOut | None = Field(description="Null until a person has chosen; the queue is sorted by it first.")
    returns_at: str | None = Field(description="When it comes back into the queue.")
    open_condition: str | None = Field(description="What still holds of an accepted record.")
    watches: str | None = Field(description="The key of what nearmiss looks for to close it by itself.")
    handed_to: str | None = Field(description="The team that it was handed over to.")
    share: Share


class ProposalOut(Shape):
    barrier: Barrier
    because: str = Field(description="The fact that says so.")


class FeedReport(Shape):
    source: str
    service: str
    evidence: str | None = Field(description="What the feed can see, such as a synthetic check.")
    reports: int
    first_at: str | None
    last_at: str | None
    longest_gap_seconds: float | None
    freshness_seconds: float | None
    clear: bool = Field(description="Whether it reported clear through the whole window without too long a gap.")
    detail: str


class AnswersOut(Shape):
    why_near_miss: str
    what_saved_it: str
    what_next_time: str
    users_hit: bool | None


class Links(Shape):
    self: str
    decision: str
    settle: str
    comments: str
    audit: str
    page: str = Field(description="The same record for people.")


class NearMissDetail(NearMissItem):
    """A near miss whole: with the cited events, the coverage behind the verdict, and what people wrote."""

    rule_versions: dict[str, str]
    recurrence_key: str
    window_from: str
    window_to: str
    hold_seconds: float
    timeline: list[dict[str, Any]] = Field(
        description="The cited events in the canonical format, oldest first, each with its `role`. The ids of people "
        "and labels that usually name one are left out; what kind of actor it was stays."
    )
    late_impact: list[dict[str, Any]] = Field(description="Impact that was found after the draft had opened.")
    coverage: list[FeedReport]
    explanation: list[str]
    questions: list[str]
    answers: AnswersOut
    left_open: list[LeftOpenOut] = Field(description="What the evidence began and does not end; see `watch`.")
    proposed_barrier: ProposalOut | None = Field(description="What the facts say still stood between.")
    merged_into: str | None
    links: Links


class NearMissPage(Shape):
    items: list[NearMissItem]
    next: str | None = Field(description="Send it as `after` for the next page; null at the end.")


class AnswersIn(Shape):
    why_near_miss: str = Field("", description="Why was this a near miss and not an incident? Needed to accept.")
    what_saved_it: str = Field("", description="What saved it: which defence, which action, what luck.")
    what_next_time: str = Field("", description="What to keep, copy or change for next time.")
    users_hit: bool | None = Field(
        None,
        description=(
            "Were users hit? Required to accept if the verdict is `unknown`. `true` reports impact, which "
            "withdraws every draft it concerns."
        ),
    )


class DecisionIn(Shape):
    decision: Literal["accept", "dismiss", "start_review", "reopen"]
    reason: Dismissal | None = Field(None, description="Needed to dismiss.")
    note: str | None = Field(None, max_length=LONGEST_TEXT, description="Free text for the trail.")
    answers: AnswersIn | None = Field(None, description="Omitted answers stay.")
    expected_version: int | None = Field(
        None, description="The `version` you saw. If the record has changed, the answer is 409."
    )


class SettleIn(Shape):
    move: Literal["assess", "snooze", "wake", "hand_over", "share", "keep_open", "merge", "split"]
    outcome: str = Field("", description="`assess`: lasting_harm, outage, degraded or internal.")
    barrier: str = Field("", description="`assess`: automation, on_call, by_accident or luck.")
    days: int | None = Field(None, description="`snooze`, `keep_open`: when it comes back, 1 to 365.")
    team: str = Field("", description="`hand_over`: a team of the catalogue.")
    share: str = Field("", description="`share`: team, organisation or public.")
    condition: str = Field("", description="`keep_open`: what still holds; empty: nothing does any more.")
    watch: str = Field(
        "", max_length=1000, description="`keep_open`: the `key` of one of `left_open`, which nearmiss closes."
    )
    into: str = Field("", description="`merge`: the id of the record that covers it.")
    expected_version: int | None = Field(None, description="The `version` you saw; if it has changed, 409.")


class ReportIn(Shape):
    token: str = Field(
        description="Your own, 8 to 200 characters: the same when you repeat, a new one for a new report."
    )
    kind: Literal["near_miss", "noticed_not_acted"] = Field(
        description="`near_miss`: it nearly went wrong. `noticed_not_acted`: something odd was seen and left alone."
    )
    service: str = Field(description="The service that it was about.")
    story: str = Field(description=f"What you saw; a sentence is enough. At most {LONGEST_STORY} characters.")
    seen_at: str = Field(description="When you saw it, RFC 3339 with an offset; at most 30 days back.")
    hurt: Literal["no", "yes", "unknown"] = Field(
        description="Whether users were hit. `yes` reports impact, which withdraws every draft it concerns."
    )
    environment: str | None = Field(None, description="As the organisation calls it.")
    anonymous: bool = Field(False, description="Not even the role is stored; follow it up by its token.")
    attached: list[str] = Field(
        default_factory=list, description="Events around it to keep: source, a space, id. See `/reports/around`."
    )


class AroundItem(Shape):
    source: str
    id: str
    time: str
    kind: str
    title: str | None


class AroundOut(Shape):
    items: list[AroundItem]


class AroundEvidence(Shape):
    items: list[dict[str, Any]] = Field(description="Events in the canonical format, by time.")


class EvidenceIn(Shape):
    do: Literal["add", "leave_out"]
    source: str = Field(max_length=1000, description="What reported the event.")
    id: str = Field(max_length=1000, description="Its id, unique within the source.")


class FollowIn(Shape):
    token: str = Field(description="That of the report.")


class FollowOut(Shape):
    reported_at: str
    state: str = Field(description="`waiting` until a draft opens, then the state of the record.")
    record: str | None = Field(description="The id of the record that cites the report.")


class ReportOut(Shape):
    source: str
    id: str = Field(description="The resulting event, unique within the source.")
    duplicate: bool = Field(description="Whether this token had been sent before.")


class PackOut(Shape):
    """The rules and the catalogue in use."""

    rules_hash: str = Field(description="Of the content of the rules, as `nearmiss config check` prints it.")
    catalogue_hash: str = Field(description="Of the content of the catalogue, likewise.")
    rules: int = Field(description="How many rules.")
    services: int = Field(description="How many services the catalogue lists.")
    loaded_at: str = Field(description="When they were loaded.")
    failed_at: str | None = Field(description="When changed files were invalid; the last good ones stay.")
    problems: list[str] = Field(description="The first few problems.")


class ReasonSeen(Shape):
    reason: str
    count: int
    detail: str = Field(description="About the newest.")
    understood: bool = Field(description="False where it may be a gap of nearmiss, or of the sender.")


class SourceOut(Shape):
    source: str
    last_at: str | None = Field(description="When it delivered last.")
    last_day: int = Field(description="What it delivered in the last 24 hours.")
    usual_day: float | None = Field(description="The same in 24 hours before those; null while unknown.")
    lag_seconds: float | None = Field(
        description="Least lag of receipt behind event time; negative: its clock is ahead."
    )
    silent_seconds: float | None = Field(description="How long it has been silent, where that is longer than usual.")
    kinds: dict[str, int] = Field(description="Its events in seven days, by kind.")
    reasons: list[ReasonSeen] = Field(description="What gave no event in seven days.")


class WatchedOut(Shape):
    service: str
    sources: list[str] = Field(description="What told about impact on it since yesterday.")
    why: str = Field(description="Why nobody watches it; empty where someone does.")


class SourcesOut(Shape):
    """What arrives, from where, and what is missing."""

    sources: list[SourceOut]
    services: list[WatchedOut] = Field(description="The user-facing services of the catalogue.")
    silent_rules: list[str] = Field(description="Rules that wait for kinds of events that nothing sent in seven days.")


class CommentIn(Shape):
    text: str = Field(description=f"At most {LONGEST_TEXT} characters.")


class AuditLine(Shape):
    at: str
    by: str = Field(description="A role, or `machine`.")
    action: str
    before: State | None
    after: State | None
    reason: str | None
    note: str | None


class AuditTrail(Shape):
    items: list[AuditLine] = Field(description="Oldest first. The trail only grows.")


class FieldError(Shape):
    field: str
    message: str


class CurrentState(Shape):
    id: str
    state: State
    version: int
    reason: str | None
    decided_at: str | None
    decided_by: str | None


class ProblemOut(Shape):
    """A problem as RFC 9457 describes it."""

    type: str
    title: str
    status: int
    detail: str
    errors: list[FieldError] = Field(default=[], description="Problems, field by field.")
    current: CurrentState | None = Field(None, description="On 409: the record as it is now.")
