"""How people add an event to a record's evidence or leave one out: forms of the draft page, and the API."""

from __future__ import annotations

from typing import Annotated, Literal
from urllib.parse import quote

from fastapi import APIRouter, Form, Request
from starlette.responses import JSONResponse, RedirectResponse, Response

from monitor.core.model.events import EventId
from monitor.core.model.near_miss import IllegalMove
from monitor.ports import Record, VersionConflict
from monitor.review.api import COMMON, CONFLICT, NOT_FOUND, PREFIX, RecordId, canonical, detail, person_of
from monitor.review.citing import Citing
from monitor.review.draft_page import DraftPages
from monitor.review.form_errors import errors_of
from monitor.review.problems import to_problem
from monitor.review.schemas import AroundEvidence, EvidenceIn, NearMissDetail
from monitor.review.service import Invalid, Review

Do = Literal["add", "leave_out"]


def build_citing_router(review: Review, citing: Citing) -> APIRouter:
    router = APIRouter(prefix=PREFIX)

    @router.get(
        "/near-misses/{record_id}/around",
        tags=["near misses"],
        summary="Events around it that are not cited",
        responses={200: {"model": AroundEvidence}, **NOT_FOUND, **COMMON},
    )
    async def around(record_id: RecordId) -> JSONResponse:
        """On its services, from an hour before the first sign until a quarter of an hour after safe."""
        found = await citing.around(await review.show(record_id))
        return JSONResponse({"items": [canonical(event) for event in found]})

    @router.post(
        "/near-misses/{record_id}/evidence",
        tags=["review"],
        summary="Add an event to the evidence, or leave one out",
        responses={200: {"model": NearMissDetail}, **NOT_FOUND, **CONFLICT, **COMMON},
    )
    async def settle(record_id: RecordId, body: EvidenceIn, request: Request) -> JSONResponse:
        """The machine's draft stays as it is; the timeline, pages and exports follow."""
        settled = await carry_out(citing, record_id, body.do, EventId(body.source, body.id), person_of(request).role)
        return JSONResponse(detail(settled, await review.budget.folded()))

    return router


def build_citing_forms(review: Review, citing: Citing, drafts: DraftPages) -> APIRouter:
    router = APIRouter(prefix="/near-misses", include_in_schema=False)

    @router.post("/{record_id}/evidence")
    async def settle(
        request: Request,
        record_id: str,
        do: Annotated[Do, Form()],
        source: Annotated[str, Form(max_length=1000)],
        event: Annotated[str, Form(max_length=1000)],
    ) -> Response:
        try:
            await carry_out(citing, record_id, do, EventId(source, event), person_of(request).role)
        except Invalid as error:
            return await drafts.page(
                request, await review.show(record_id), status=422, errors=errors_of(error.problems)
            )
        except (VersionConflict, IllegalMove) as error:
            return await drafts.page(request, await review.show(record_id), status=409, notice=to_problem(error).detail)
        return RedirectResponse(f"/near-misses/{quote(record_id)}?done={do}#evidence", 303)

    @router.get("/{record_id}/evidence")
    async def reloaded(record_id: str) -> Response:
        """The address of a form that was refused, entered again."""
        return RedirectResponse(f"/near-misses/{quote(record_id)}#evidence", 303)

    return router


async def carry_out(citing: Citing, record_id: str, do: Do, event: EventId, by: str) -> Record:
    if do == "add":
        return await citing.add(record_id, event, by)
    return await citing.leave_out(record_id, event, by)
