"""The JSON API under /api/v1: reads what was sent, calls the use cases, and writes records as the published fields."""

from __future__ import annotations

import json
from typing import Annotated, Any, Literal, cast

import msgspec
from fastapi import APIRouter, Path, Request
from fastapi import Query as QueryParameter
from starlette.responses import JSONResponse

from monitor.core.model.events import SECOND, Event, Instant, to_text
from monitor.core.model.near_miss import Family, FeedReport, Mode, Move, State, public_line
from monitor.core.model.risk import Handling, propose_barrier
from monitor.core.state.still_open import left_open
from monitor.decode.canonical import encode
from monitor.ports import Answers, Audit, Query, Record
from monitor.review.auth import Person
from monitor.review.budget import ReviewBudget
from monitor.review.permissions import Gate
from monitor.review.schemas import (
    AuditLine,
    AuditTrail,
    CommentIn,
    DecisionIn,
    NearMissDetail,
    NearMissPage,
    ProblemOut,
)
from monitor.review.service import Decision, Review
from monitor.review.wording import names_person

PREFIX = "/api/v1"

TAGS: list[dict[str, str]] = [
    {"name": "near misses", "description": "Drafts and decided records."},
    {"name": "review", "description": "Decide them. Every move is audited under the caller's role."},
    {"name": "exports", "description": "Records on their way out."},
    {"name": "operation", "description": "Rules and catalogue in force."},
]

DESCRIPTION = """
Near misses: something was going wrong, someone or something intervened, and users noticed nothing.

* **Times** are RFC 3339 in UTC.
* **Errors** are problem details (RFC 9457, `application/problem+json`): 404 no such record, 409 someone else's move
  or a move that the state does not allow (with the record as it is now under `current`), 422 with every wrong field,
  503 with `Retry-After` while the store is away.
* **Paging** is by key: send the `next` of a page as `after`. A record is neither skipped nor repeated when others come
  or go meanwhile.
* **People** appear by role, never by name.
"""

RecordId = Annotated[str, Path(max_length=255, description="The id of a near miss.")]
PROBLEM: dict[str, Any] = {"model": ProblemOut, "content": {"application/problem+json": {}}}
GUARDED: dict[int | str, dict[str, Any]] = {
    400: {**PROBLEM, "description": "The request cannot be read."},
    401: {**PROBLEM, "description": "Accounts are configured, and no good credentials came."},
    403: {**PROBLEM, "description": "A browser sent it from a page of another site."},
    408: {**PROBLEM, "description": "The body did not arrive in time."},
    413: {**PROBLEM, "description": "The body is too large."},
    421: {**PROBLEM, "description": "Without accounts: not addressed to this machine."},
    429: {**PROBLEM, "description": "Too many wrong logins or unknown ids; see Retry-After."},
}
"""What every route may answer."""
COMMON: dict[int | str, dict[str, Any]] = {
    **GUARDED,
    422: {**PROBLEM, "description": "Missing or wrong input."},
    503: {**PROBLEM, "description": "The database is unavailable; see Retry-After."},
}
NOT_FOUND: dict[int | str, dict[str, Any]] = {404: {**PROBLEM, "description": "No such near miss."}}
CONFLICT: dict[int | str, dict[str, Any]] = {
    409: {**PROBLEM, "description": "The state does not allow it, or someone else decided first."}
}


Sort = Literal["", "newest", "oldest"]
"""What page and API take as an order; empty is by rank."""


def build_router(review: Review, gate: Gate) -> APIRouter:
    """The routes. The caller's role is taken from `request.state.person`."""
    router = APIRouter(prefix=PREFIX)

    @router.get(
        "/near-misses",
        tags=["near misses"],
        summary="List near misses",
        responses={200: {"model": NearMissPage}, **COMMON},
    )
    async def list_near_misses(
        request: Request,
        state: Annotated[list[State] | None, QueryParameter(description="Only these states; may be repeated.")] = None,
        service: Annotated[list[str] | None, QueryParameter(description="Only these services.")] = None,
        rule: Annotated[list[str] | None, QueryParameter(description="Only records of these rules.")] = None,
        family: Annotated[list[Family] | None, QueryParameter(description="Only these families.")] = None,
        mode: Annotated[list[Mode] | None, QueryParameter(description="`live`, `digest` or both.")] = None,
        text: Annotated[str | None, QueryParameter(description="Words in the title.", max_length=200)] = None,
        folded: Annotated[
            bool | None,
            QueryParameter(description="Only drafts beyond the budget of their team and week, or only the others."),
        ] = None,
        sort: Annotated[
            Sort, QueryParameter(description="`newest` or `oldest` first, by when they opened; empty: by rank.")
        ] = "",
        limit: Annotated[int, QueryParameter(ge=1, le=200, description="Records on a page.")] = 50,
        after: Annotated[str | None, QueryParameter(description="`next` of the previous page.")] = None,
    ) -> JSONResponse:
        """By rank, then newest first, or as `sort` says. Without filters all records, also those decided."""
        query = Query(
            states=tuple(state or ()),
            services=tuple(service or ()),
            rules=tuple(rule or ()),
            families=tuple(family or ()),
            modes=tuple(mode or ()),
            text=text or None,
            order=sort or "rank",
        )
        query = gate.within(person_of(request).grants, query)
        beyond = await review.budget.folded()
        page = await review.page(fold(query, beyond, folded, review.budget), after or None, limit)
        return JSONResponse({"items": [item(record, beyond) for record in page.records], "next": page.next})

    @router.get(
        "/near-misses/{record_id}",
        tags=["near misses"],
        summary="One near miss, whole",
        responses={200: {"model": NearMissDetail}, **NOT_FOUND, **COMMON},
    )
    async def show_near_miss(record_id: RecordId) -> JSONResponse:
        """With the cited events, the coverage behind the verdict, why it matched, and what people wrote."""
        record = await review.show(record_id)
        return JSONResponse(detail(record, await review.budget.folded()))

    @router.post(
        "/near-misses/{record_id}/decision",
        tags=["review"],
        summary="Decide",
        responses={200: {"model": NearMissDetail}, **NOT_FOUND, **CONFLICT, **COMMON},
    )
    async def decide(record_id: RecordId, body: DecisionIn, request: Request) -> JSONResponse:
        """Accept, dismiss with a reason, begin to review, or reopen. Nothing of someone else's move is overwritten."""
        decided = await review.decide(record_id, _decision(body), person_of(request).role)
        return JSONResponse(detail(decided, await review.budget.folded()))

    @router.post(
        "/near-misses/{record_id}/comments",
        tags=["review"],
        summary="Comment",
        status_code=201,
        responses={201: {"model": AuditTrail}, **NOT_FOUND, **COMMON},
    )
    async def comment(record_id: RecordId, body: CommentIn, request: Request) -> JSONResponse:
        """Adds to the trail; answers with the trail."""
        await review.comment(record_id, body.text, person_of(request).role)
        return JSONResponse(trail(await review.audit(record_id)), 201)

    @router.get(
        "/near-misses/{record_id}/audit",
        tags=["near misses"],
        summary="The audit trail",
        responses={200: {"model": AuditTrail}, **NOT_FOUND, **COMMON},
    )
    async def audit(record_id: RecordId) -> JSONResponse:
        """Who moved the record when, by role, and what was said."""
        return JSONResponse(trail(await review.audit(record_id)))

    return router


def person_of(request: Request) -> Person:
    """Who the guard let in."""
    return cast(Person, request.state.person)


def _decision(body: DecisionIn) -> Decision:
    answers = body.answers
    return Decision(
        move=Move(body.decision),
        reason=None if body.reason is None else str(body.reason),
        note=body.note,
        answers=None if answers is None else Answers(**answers.model_dump()),
        expected_version=body.expected_version,
    )


def fold(query: Query, beyond: frozenset[str], folded: bool | None, budget: ReviewBudget) -> Query:
    """The query for the folded drafts alone, for all others, or (None) as it is.

    What waits and is not folded says the same as `beyond`; a store names whichever is shorter.
    """
    if folded is None:
        return query
    if folded:
        return msgspec.structs.replace(query, only=beyond, only_in_order=budget.in_order)
    return msgspec.structs.replace(query, without=beyond, drafts=budget.shown)


def item(record: Record, beyond: frozenset[str]) -> dict[str, object]:
    """The published line of a draft, what people made of it, and whether it is `beyond` the reviewer budget."""
    return {
        **public_line(record.draft, record.state, record.reason),
        "version": record.version,
        "folded": record.draft.id in beyond,
        "contradicted": record.contradicted,
        "decided_at": to_text(record.decided_at),
        "decided_by": record.decided_by,
        **_handling(record.handling),
    }


def _handling(handling: Handling) -> dict[str, object]:
    risk = handling.risk
    return {
        "risk": None if risk is None else {"outcome": risk.outcome, "barrier": risk.barrier, "index": risk.index},
        "returns_at": None if handling.returns_at is None else to_text(Instant(handling.returns_at)),
        "open_condition": handling.open_condition,
        "watches": None if handling.open_until is None else handling.open_until.key,
        "handed_to": handling.team,
        "share": str(handling.share),
    }


def detail(record: Record, beyond: frozenset[str]) -> dict[str, object]:
    draft = record.draft
    here = f"{PREFIX}/near-misses/{draft.id}"
    proposal = propose_barrier(draft)
    return {
        **item(record, beyond),
        "rule_versions": dict(draft.rule_versions),
        "recurrence_key": draft.recurrence_key,
        "window_from": to_text(draft.window_from),
        "window_to": to_text(draft.window_to),
        "hold_seconds": draft.hold / SECOND,
        "timeline": [{"role": each.role, **canonical(each.event)} for each in record.evidence],
        "late_impact": [canonical(event) for event in record.impact_evidence],
        "coverage": [_feed(report) for report in draft.coverage],
        "explanation": list(draft.explanation),
        "questions": list(draft.questions),
        "answers": {
            "why_near_miss": record.answers.why_near_miss,
            "what_saved_it": record.answers.what_saved_it,
            "what_next_time": record.answers.what_next_time,
            "users_hit": record.answers.users_hit,
        },
        "left_open": [
            {"key": each.key, "words": each.words} for each in left_open(cited.event for cited in record.evidence)
        ],
        "proposed_barrier": None if proposal is None else {"barrier": proposal.barrier, "because": proposal.because},
        "merged_into": record.merged_into,
        "links": {
            "self": here,
            "decision": f"{here}/decision",
            "settle": f"{here}/settle",
            "comments": f"{here}/comments",
            "audit": f"{here}/audit",
            "page": f"/near-misses/{draft.id}",
        },
    }


def canonical(event: Event) -> dict[str, Any]:
    """An event in the canonical format, without the id of a person and labels that name one."""
    found: dict[str, Any] = json.loads(encode(event))
    actor = found.get("actor")
    if isinstance(actor, dict) and actor.get("kind") != "automation":
        actor.pop("id", None)
    if "labels" in found:
        found["labels"] = {name: value for name, value in found["labels"].items() if not names_person(name)}
    return found


def _feed(report: FeedReport) -> dict[str, object]:
    return {
        "source": report.source,
        "service": report.service,
        "evidence": report.evidence,
        "reports": report.reports,
        "first_at": to_text(report.first_at),
        "last_at": to_text(report.last_at),
        "longest_gap_seconds": None if report.longest_gap is None else report.longest_gap / SECOND,
        "freshness_seconds": None if report.freshness is None else report.freshness / SECOND,
        "clear": report.clear,
        "detail": report.detail,
    }


def trail(lines: list[Audit]) -> dict[str, object]:
    return {"items": [audit_line(line) for line in lines]}


def audit_line(line: Audit) -> dict[str, Any]:
    return AuditLine(
        at=cast(str, to_text(line.at)),
        by=line.by,
        action=line.action,
        before=line.before,
        after=line.after,
        reason=line.reason,
        note=line.note,
    ).model_dump(mode="json")
