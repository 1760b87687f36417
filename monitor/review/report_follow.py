"""Around a report: the events that its reporter may keep, and what became of it, by its token alone."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse

from monitor.core.model.budget import team_of
from monitor.core.model.catalogue import Catalogue
from monitor.core.model.events import DAY, HOUR, MINUTE, EventId, Instant, to_text
from monitor.ports import Clock, NearMisses, NotFound
from monitor.ports import Query as Wanted
from monitor.ports.chat import EventHistory
from monitor.review.api import GUARDED, PREFIX, person_of
from monitor.review.report_api import instant_of
from monitor.review.reports import LONGEST_NAME, MOST_ATTACHED, event_id_of
from monitor.review.schemas import AroundOut, FollowIn, FollowOut, ProblemOut
from monitor.review.service import IMPACT_SOURCE

BEFORE, AFTER = HOUR, 15 * MINUTE
_PROBLEM: dict[str, Any] = {"model": ProblemOut, "content": {"application/problem+json": {}}}
_COMMON: dict[int | str, dict[str, Any]] = {
    **GUARDED,
    422: {**_PROBLEM, "description": "Missing or wrong input."},
    503: {**_PROBLEM, "description": "The database is unavailable; see Retry-After."},
}


def build_follow_router(
    past: EventHistory, near_misses: NearMisses, clock: Clock, catalogue: Callable[[], Catalogue]
) -> APIRouter:
    router = APIRouter(prefix=PREFIX)

    @router.get(
        "/reports/around",
        tags=["review"],
        summary="Events around a report",
        responses={200: {"model": AroundOut}, **_COMMON},
    )
    async def around(
        request: Request,
        service: Annotated[str, Query(min_length=1, max_length=LONGEST_NAME)],
        seen_at: Annotated[str | None, Query(max_length=64, description="RFC 3339; default: now.")] = None,
    ) -> JSONResponse:
        """The newest of the hour before and the quarter of an hour after, to keep or drop; probes are left out."""
        grants = person_of(request).grants
        if grants.everywhere is None and team_of(catalogue(), service) not in grants.teams:
            raise HTTPException(403, "This service belongs to a team that you may not see.")
        moment = clock.now() if seen_at is None else instant_of(seen_at)
        found = [
            event
            async for event in past.events(Instant(moment - BEFORE), Instant(moment + AFTER), service)
            if event.kind != "impact.clear"
        ]
        items = [
            {
                "source": event.source,
                "id": event.id,
                "time": to_text(event.time),
                "kind": event.kind,
                "title": event.title,
            }
            for event in found[-MOST_ATTACHED:]
        ]
        return JSONResponse({"items": items})

    @router.post(
        "/reports/follow",
        tags=["review"],
        summary="What became of a report",
        responses={200: {"model": FollowOut}, 404: {**_PROBLEM, "description": "No such report."}, **_COMMON},
    )
    async def follow(body: FollowIn) -> JSONResponse:
        """By its token, which nobody else has."""
        event = await past.find(EventId(IMPACT_SOURCE, event_id_of(body.token)))
        if event is None:
            raise NotFound("report")
        wanted = Wanted(
            services=(event.service,) if event.service else (),
            opened_since=Instant((event.began_at or event.time) - DAY),
        )
        after: str | None = None
        while True:
            page = await near_misses.page(wanted, after, 100)
            for record in page.records:
                if any(cited.event.event_id == event.event_id for cited in record.draft.evidence):
                    said = {"state": str(record.state), "record": record.draft.id}
                    return JSONResponse({"reported_at": to_text(event.time), **said})
            if (after := page.next) is None:
                return JSONResponse({"reported_at": to_text(event.time), "state": "waiting", "record": None})

    return router
