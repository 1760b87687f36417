"""The page of a review to learn from a record, its calendar file, and the survey after it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated
from urllib.parse import quote

from fastapi import APIRouter, Form, Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from monitor.core.model.catalogue import Catalogue
from monitor.review.learning_review import (
    MINUTES,
    SURVEY,
    calendar_entry,
    invited,
    next_morning,
    questions,
    survey_note,
)
from monitor.review.rendering import Pages
from monitor.review.service import Review
from monitor.review.timeline import entries

PARTICIPANT = "participant"
"""By whom the trail says that a survey was answered: anybody who was there."""
Choice = Annotated[str, Form(pattern="^(yes|no|)$")]


def build_learning_page(review: Review, pages: Pages, catalogue: Callable[[], Catalogue]) -> APIRouter:
    router = APIRouter(prefix="/near-misses", include_in_schema=False, default_response_class=HTMLResponse)

    @router.get("/{record_id}/learning")
    async def plan(request: Request, record_id: str, done: str = "") -> Response:
        record = await review.show(record_id)
        context = {
            "record": record,
            "draft": record.draft,
            "invited": invited(record.draft, catalogue()),
            "questions": questions(record.draft),
            "entries": entries(record),
            "survey": SURVEY,
            "minutes": MINUTES,
            "at": next_morning(review.now()),
            "done": done,
        }
        return pages.render(request, "learning.html", context)

    @router.get("/{record_id}/learning.ics")
    async def calendar(request: Request, record_id: str) -> Response:
        record = await review.show(record_id)
        address = str(request.base_url.replace(path=f"/near-misses/{quote(record_id)}/learning"))
        now = review.now()
        text = calendar_entry(record.draft, next_morning(now), now, address)
        headers = {"content-disposition": 'attachment; filename="learning-review.ics"'}
        return Response(text, media_type="text/calendar; charset=utf-8", headers=headers)

    @router.post("/{record_id}/survey")
    async def survey(
        record_id: str, learned: Choice = "", heard: Choice = "", worth: Choice = "", text: Annotated[str, Form()] = ""
    ) -> Response:
        note = survey_note({"learned": learned, "heard": heard, "worth": worth}, text)
        if note:
            await review.comment(record_id, f"After the review: {note}", PARTICIPANT)
        return RedirectResponse(f"/near-misses/{quote(record_id)}/learning?done={'survey' if note else ''}", 303)

    return router
