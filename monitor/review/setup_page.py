"""The page on setup and coverage: what is missing, what is being learnt, blind rules, words that nobody explained."""

from __future__ import annotations

from collections.abc import Callable

from fastapi import APIRouter, Request
from starlette.responses import HTMLResponse, Response

from monitor.core.resolving.unmatched import Unmatched
from monitor.review.rendering import Pages
from monitor.review.service import Review
from monitor.review.setup import Setup

MOST_NAMES = 20
MOST_SOURCES = 12


def build_setup_page(review: Review, pages: Pages, setup: Callable[[], Setup]) -> APIRouter:
    router = APIRouter(include_in_schema=False, default_response_class=HTMLResponse)

    @router.get("/setup")
    async def show(request: Request) -> Response:
        told = setup()
        looked = told.looked
        words = None if looked is None else looked.arrived.unexplained
        listed: list[tuple[str, tuple[Unmatched, ...]]] = []
        if words is not None:
            listed = [
                ("Services", () if told.catalogue.is_empty else words.services),
                ("Environments", words.environments),
                ("Severities", words.severities),
                ("People", words.people),
            ]
        context = {
            "gaps": told.gaps,
            "learning_until": told.learning_until(review.now()),
            "looked": looked,
            "sources": [] if looked is None else list(looked.arrived.sources.items())[:MOST_SOURCES],
            "unexplained": [(what, names[:MOST_NAMES], max(0, len(names) - MOST_NAMES)) for what, names in listed],
        }
        return pages.render(request, "setup.html", context)

    return router
