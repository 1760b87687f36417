"""The page on setup and coverage: what is missing, what is being learnt, blind rules, words that nobody explained."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from fastapi import APIRouter, Request
from starlette.responses import HTMLResponse, Response

from monitor.core.model.catalogue import Catalogue
from monitor.core.resolving.unmatched import Unmatched
from monitor.review.api import person_of
from monitor.review.permissions import Grants, owns
from monitor.review.rendering import Pages
from monitor.review.service import Review
from monitor.review.setup import Setup

MOST_NAMES = 20
MOST_SOURCES = 12
_OF_TEAMS = ("Services", "People")


def build_setup_page(review: Review, pages: Pages, setup: Callable[[], Setup]) -> APIRouter:
    router = APIRouter(include_in_schema=False, default_response_class=HTMLResponse)

    @router.get("/setup")
    async def show(request: Request) -> Response:
        told, grants = setup(), person_of(request).grants
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
            "unexplained": [(what, *_for_person(what, names, grants, told.catalogue)) for what, names in listed],
            "is_whole": grants.everywhere is not None,
        }
        return pages.render(request, "setup.html", context)

    return router


def _for_person(
    what: str, names: Sequence[Unmatched], grants: Grants, catalogue: Catalogue
) -> tuple[Sequence[Unmatched], int]:
    """The names that somebody may see, and how many more there are.

    Who may see single teams sees the names of services that resemble one of theirs, and of people none.
    """
    is_open = grants.everywhere is not None or what not in _OF_TEAMS
    seen = [one for one in names if is_open or _is_near(one, grants, catalogue)][:MOST_NAMES]
    return seen, len(names) - len(seen)


def _is_near(one: Unmatched, grants: Grants, catalogue: Catalogue) -> bool:
    return one.nearest in catalogue.services and owns(grants, one.nearest, catalogue)
