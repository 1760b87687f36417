"""The routes by which people settle something besides a decision: one of the JSON API, one of the pages' forms."""

from __future__ import annotations

from functools import partial
from typing import Annotated
from urllib.parse import quote

import msgspec
from fastapi import APIRouter, Form, Request
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse, RedirectResponse, Response

from monitor.core.model.near_miss import UNDECIDED, IllegalMove, Move
from monitor.ports import Record, VersionConflict
from monitor.review.api import COMMON, CONFLICT, NOT_FOUND, PREFIX, RecordId, detail, person_of
from monitor.review.draft_page import DraftPages, in_row
from monitor.review.form_errors import Errors, errors_of
from monitor.review.permissions import SHARING, Gate, may_share
from monitor.review.problems import to_problem
from monitor.review.schemas import NearMissDetail, SettleIn
from monitor.review.service import Invalid, Review
from monitor.review.settling import Given, Settling


def build_settling_router(review: Review, settling: Settling, gate: Gate) -> APIRouter:
    router = APIRouter(prefix=PREFIX)

    @router.post(
        "/near-misses/{record_id}/settle",
        tags=["review"],
        summary="Settle risk, snooze, team, sharing, open condition, merge or split",
        responses={200: {"model": NearMissDetail}, **NOT_FOUND, **CONFLICT, **COMMON},
    )
    async def settle(record_id: RecordId, body: SettleIn, request: Request) -> JSONResponse:
        """Each `move` reads its own fields. Nothing of someone else's move is overwritten."""
        given = Given(**{**body.model_dump(), "days": "" if body.days is None else str(body.days)})
        await _check_sharing(review, gate, request, record_id, given)
        person = person_of(request)
        settled = await settling.settle(record_id, given, person.role, partial(gate.sees, person.grants))
        return JSONResponse(detail(settled, await review.budget.folded()))

    return router


def build_settling_forms(review: Review, settling: Settling, drafts: DraftPages, gate: Gate) -> APIRouter:
    router = APIRouter(prefix="/near-misses", include_in_schema=False)

    @router.post("/{record_id}/settle")
    async def settle(
        request: Request,
        record_id: str,
        move: Annotated[str, Form()] = "",
        outcome: Annotated[str, Form()] = "",
        barrier: Annotated[str, Form()] = "",
        days: Annotated[str, Form()] = "",
        team: Annotated[str, Form()] = "",
        share: Annotated[str, Form()] = "",
        condition: Annotated[str, Form()] = "",
        watch: Annotated[str, Form(max_length=1000)] = "",
        into: Annotated[str, Form()] = "",
        expected_version: Annotated[str, Form()] = "",
    ) -> Response:
        is_number = expected_version.isascii() and expected_version.isdigit() and len(expected_version) < 10
        version = int(expected_version) if is_number else None
        given = Given(move, outcome, barrier, days, team, share, condition, watch, into, version)
        await _check_sharing(review, gate, request, record_id, given)
        person = person_of(request)
        try:
            settled = await settling.settle(record_id, given, person.role, partial(gate.sees, person.grants))
        except Invalid as error:
            record = await review.show(record_id)
            errors = errors_of(error.problems)
            if in_row(request):
                return await _panel_or_row(request, drafts, record, given, 422, errors)
            return await drafts.page(request, record, status=422, errors=errors, given=given)
        except (VersionConflict, IllegalMove) as error:
            record = await review.show(record_id)
            said = to_problem(error).detail
            if in_row(request):
                return await _panel_or_row(request, drafts, record, given, 409, notice=said)
            return await drafts.page(request, record, status=409, notice=said, given=given)
        if in_row(request):
            return drafts.row(request, settled)
        # A draft that sleeps is out of the way: the next one is what to look at.
        done = f"/near-misses/{quote(record_id)}?done={quote(move)}"
        return RedirectResponse(f"/near-misses/{quote(record_id)}/step/next" if move == "snooze" else done, 303)

    @router.get("/{record_id}/settle")
    async def reloaded(record_id: str) -> Response:
        """The address of a form that was refused, entered again."""
        return RedirectResponse(f"/near-misses/{quote(record_id)}#risk", 303)

    return router


async def _panel_or_row(
    request: Request,
    drafts: DraftPages,
    record: Record,
    given: Given,
    status: int,
    errors: Errors | None = None,
    notice: str | None = None,
) -> Response:
    """What was typed stays, and sent again it is about the record as it is now; a row says what a key cannot do."""
    errors = errors or Errors()
    if given.move == Move.MERGE and record.state in UNDECIDED:
        again = msgspec.structs.replace(given, expected_version=record.version)
        return await drafts.panel_again(request, record, "merge", status, errors, given=again, notice=notice)
    return drafts.row(request, record, status, notice or " ".join(errors.values()))


async def _check_sharing(review: Review, gate: Gate, request: Request, record_id: str, given: Given) -> None:
    """To let a record be seen by others takes more than to review it. Raises HTTPException(403), NotFound."""
    if given.move != Move.SHARE:
        return
    teams = gate.teams_of(await review.show(record_id))
    if not may_share(person_of(request).grants, teams):
        raise HTTPException(403, f"To share a record needs the access of a {SHARING}.")
