"""The queue page: whose drafts it shows, its tabs and paging; and the stream that says when to look again."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated

import msgspec
from fastapi import APIRouter, Query, Request
from starlette.exceptions import HTTPException
from starlette.responses import HTMLResponse, RedirectResponse, Response, StreamingResponse

from monitor.ports import Query as Wanted
from monitor.ports import Record
from monitor.review.api import Sort
from monitor.review.live import Live
from monitor.review.rendering import Pages
from monitor.review.service import Review
from monitor.review.setup import Setup
from monitor.review.views import SORTS, Filters, Show, Views, link, tabs_of
from monitor.review.watching import Watching
from monitor.review.whose import EVERYBODY, LONGEST, MINE, Whose

PAGE_SIZE = 25
MOST_STEPPED = 200
"""Drafts of the queue among which the draft page steps to the next."""


def build_pages(
    review: Review,
    live: Live,
    pages: Pages,
    whose: Whose,
    views: Views,
    watching: Watching,
    setup: Callable[[], Setup] = Setup,
) -> APIRouter:
    router = APIRouter(include_in_schema=False, default_response_class=HTMLResponse)

    @router.get("/")
    async def queue(
        request: Request,
        show: Show = "review",
        service: Annotated[str, Query(max_length=200)] = "",
        rule: Annotated[str, Query(max_length=200)] = "",
        text: Annotated[str, Query(max_length=200)] = "",
        after: Annotated[str, Query(max_length=2000)] = "",
        team: Annotated[str, Query(max_length=LONGEST)] = "",
        sort: Sort = "",
    ) -> Response:
        filters = Filters(service.strip(), rule.strip(), text.strip(), team or EVERYBODY, sort)
        kept = whose.kept(request)
        if not team and kept != EVERYBODY:
            # The address says what is shown, so that it can be handed to somebody else.
            return RedirectResponse(link(show, msgspec.structs.replace(filters, team=kept), after), 303)
        listing = await views.listing(request, show, filters)
        page = await review.page(listing.query, after or None, PAGE_SIZE)
        watched = await watching.look(listing.query)
        context = {
            "page": page,
            "emptiness": None if page.records else await review.emptiness(watched),
            "learning_until": setup().learning_until(review.now()),
            "gaps": () if page.records else setup().gaps,
            "folded": listing.beyond,
            "folded_here": listing.folded,
            "a_week": review.budget.a_week,
            "unfold": link("folded", filters.of_team()),
            "whose": filters.team,
            "whose_words": _words(filters.team),
            "teams": whose.choices(request),
            "sorts": SORTS,
            "show": show,
            "filters": filters,
            "filtered": filters.narrows,
            "tabs": await tabs_of(review, show, listing, filters.team, watched.count),
            "more": link(show, filters, page.next) if page.next else None,
            "first_page": not after,
            "clear": link(show, filters.of_team()),
            "everywhere": link("all", filters) if show != "all" else None,
            "origin": str(request.base_url).rstrip("/"),
            "now": review.now(),
        }
        answer = pages.render(request, "queue.html", context)
        if filters.team != kept:
            whose.keep(request, answer, filters.team)
        return answer

    @router.get("/watching")
    async def still_watched(request: Request, team: Annotated[str, Query(max_length=LONGEST)] = "") -> Response:
        team = team or whose.kept(request)
        listing = await views.listing(request, "all", Filters(team=team))
        watched = await watching.look(listing.query)
        context = {
            "candidates": watched.candidates,
            "tabs": await tabs_of(review, "watching", listing, team, watched.count),
            "whose_words": _words(team),
            "now": review.now(),
        }
        return pages.render(request, "watching.html", context)

    @router.get("/events")
    async def events() -> Response:
        if live.is_full:
            raise HTTPException(503, "Too many open pages; this one does not update itself")
        headers = {"cache-control": "no-store", "x-accel-buffering": "no"}
        return StreamingResponse(live.stream(), headers=headers, media_type="text/event-stream")

    return router


async def following(review: Review, record: Record, to_review: Wanted) -> Record | None:
    """The draft to judge after this one."""
    page = await review.page(to_review, None, 2)
    return next((other for other in page.records if other.draft.id != record.draft.id), None)


async def neighbour(review: Review, record_id: str, step: int, to_review: Wanted) -> Record | None:
    """The draft before or after this one in the queue; the first where this one is not in it."""
    listed = (await review.page(to_review, None, MOST_STEPPED)).records
    here = next((place for place, other in enumerate(listed) if other.draft.id == record_id), None)
    there = 0 if here is None else here + step
    return listed[there] if 0 <= there < len(listed) else None


def _words(team: str) -> str:
    return {MINE: "your teams", EVERYBODY: ""}.get(team, team)
