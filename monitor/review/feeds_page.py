"""The page that draws the last day of each pulled feed, and says which user-facing services nothing pulled watches."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from itertools import groupby

import msgspec
from fastapi import APIRouter, Request
from starlette.responses import HTMLResponse, Response

from monitor.core.model.catalogue import Catalogue
from monitor.core.model.durations import say_duration
from monitor.core.model.events import HOUR
from monitor.core.model.feed_views import FeedsView, FeedView
from monitor.review.api import person_of
from monitor.review.permissions import Grants, owns
from monitor.review.rendering import Pages

_HOURS = 24
BEHIND_AFTER = HOUR // 4
"""What is behind by more is said."""


class Run(msgspec.Struct, frozen=True):
    """Equal cells of a strip: which, from where, how many."""

    state: str
    at: int
    width: int


class Row(msgspec.Struct, frozen=True):
    """A feed with its strip, and that strip in words."""

    feed: FeedView
    runs: tuple[Run, ...]
    said: str


def row(feed: FeedView) -> Row:
    runs, at = [], 0
    for state, cells in groupby(feed.cells):
        width = len(list(cells))
        runs.append(Run(state, at, width))
        at += width
    cell = _HOURS * HOUR // max(1, len(feed.cells))
    counted = {state: feed.cells.count(state) * cell for state in ("clear", "hurt", "blind", "none")}
    words = {"none": "not looked at"}
    said = ", ".join(f"{words.get(state, state)} {say_duration(much)}" for state, much in counted.items() if much)
    return Row(feed, tuple(runs), said)


def for_person(view: FeedsView, grants: Grants, catalogue: Catalogue) -> FeedsView:
    """The feeds and the services of the teams that somebody may see; what a feed was refused with is theirs too."""
    return FeedsView(
        tuple(each for each in view.feeds if owns(grants, each.service, catalogue)),
        tuple(each for each in view.services if owns(grants, each.service, catalogue)),
    )


def build_feeds_page(
    read: Callable[[], Awaitable[FeedsView]], pages: Pages, catalogue: Callable[[], Catalogue]
) -> APIRouter:
    """`read` raises Unavailable where the store cannot be asked."""
    router = APIRouter(include_in_schema=False)

    @router.get("/feeds", response_class=HTMLResponse)
    async def show(request: Request) -> Response:
        grants = person_of(request).grants
        view = for_person(await read(), grants, catalogue())
        rows = [row(feed) for feed in view.feeds]
        context = {
            "rows": rows,
            "services": view.services,
            "behind_after": BEHIND_AFTER,
            "is_whole": grants.everywhere is not None,
        }
        return pages.render(request, "feeds.html", context)

    return router
