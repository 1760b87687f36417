"""Reports over the API: reads what was sent, calls the use case, and says which event came of it."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import JSONResponse

from monitor.core.model.events import Instant
from monitor.decode.outcome import Unreadable
from monitor.decode.times import read_time
from monitor.review.api import GUARDED, PREFIX, person_of
from monitor.review.reports import Report, Reports
from monitor.review.schemas import ProblemOut, ReportIn, ReportOut
from monitor.review.service import FieldProblem, Invalid

_PROBLEM: dict[str, Any] = {"model": ProblemOut, "content": {"application/problem+json": {}}}


def build_report_router(reports: Reports) -> APIRouter:
    router = APIRouter(prefix=PREFIX)

    @router.post(
        "/reports",
        tags=["review"],
        summary="Report a near miss",
        status_code=201,
        responses={
            200: {"model": ReportOut, "description": "Repeated token: the first report stays."},
            201: {"model": ReportOut},
            **GUARDED,
            422: {**_PROBLEM, "description": "Missing or wrong input."},
            503: {**_PROBLEM, "description": "The journal is unavailable; see Retry-After. Send the same again."},
        },
    )
    async def tell(body: ReportIn, request: Request) -> JSONResponse:
        """Tell what you saw. It becomes an event; a draft opens once the hold of its rule has passed."""
        report = Report(
            body.token,
            body.kind,
            body.service,
            body.story,
            instant_of(body.seen_at),
            body.hurt,
            body.environment,
            body.anonymous,
            tuple(body.attached),
        )
        event, fresh = await reports.tell(report, person_of(request).role)
        return JSONResponse({"source": event.source, "id": event.id, "duplicate": not fresh}, 201 if fresh else 200)

    return router


def instant_of(text: str) -> Instant:
    try:
        return read_time(text, "seen_at")[0]
    except Unreadable as error:
        raise Invalid(FieldProblem("seen_at", error.detail.removeprefix("seen_at: "))) from error
