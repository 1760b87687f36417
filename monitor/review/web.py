"""Puts the review together: one FastAPI app with the JSON API under /api/v1 and the pages under /."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping
from contextlib import asynccontextmanager
from typing import Protocol

from fastapi import Depends, FastAPI
from starlette.responses import Response
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

from monitor.core.model.catalogue import Catalogue
from monitor.core.model.feed_views import FeedsView
from monitor.ops.arrivals import SourceBook
from monitor.ops.sampling import Sampler
from monitor.ops.throttle import Throttle
from monitor.ports import ActivePack, Clock, JournalWriter, NearMisses
from monitor.ports.chat import EventHistory
from monitor.ports.queue import Awaiting
from monitor.review import api, problems
from monitor.review.auth import Auth
from monitor.review.budget import ReviewBudget
from monitor.review.bulk import Bulk
from monitor.review.bulk_page import build_bulk_page
from monitor.review.citing import Citing
from monitor.review.citing_page import build_citing_forms, build_citing_router
from monitor.review.closing import Closing
from monitor.review.draft_page import DraftPages, build_draft_pages
from monitor.review.exports.routes import Exports, build_export_api, build_export_page
from monitor.review.feeds_page import build_feeds_page
from monitor.review.guard import LOGINS_AT_ONCE, SECONDS_A_LOGIN, Guard, MonotonicClock
from monitor.review.hints import HINTS
from monitor.review.learning_page import build_learning_page
from monitor.review.live import Live
from monitor.review.metrics import ReviewMetrics
from monitor.review.pack_api import build_pack_router
from monitor.review.pages import build_pages
from monitor.review.permissions import Gate
from monitor.review.rendering import STATIC, Pages
from monitor.review.report_api import build_report_router
from monitor.review.report_follow import build_follow_router
from monitor.review.report_page import build_report_page
from monitor.review.reports import Reports
from monitor.review.service import Review
from monitor.review.settling import Settling
from monitor.review.settling_api import build_settling_forms, build_settling_router
from monitor.review.setup import Setup
from monitor.review.setup_page import build_setup_page
from monitor.review.sign_in.people import SignIn
from monitor.review.sign_in.routes import build_access_api, build_account_pages, build_sign_in_pages
from monitor.review.sources import Known, build_sources
from monitor.review.views import Views
from monitor.review.watching import Watching
from monitor.review.whose import Whose


class ReviewClock(Clock, MonotonicClock, Protocol):
    """The present, and a clock for durations."""


class _Static(StaticFiles):
    """Static files that a browser may keep: their addresses change with their content."""

    async def get_response(self, path: str, scope: Scope) -> Response:
        response = await super().get_response(path, scope)
        if response.status_code == 200:
            response.headers["cache-control"] = "public, max-age=31536000, immutable"
        return response


def build_app(
    near_misses: NearMisses,
    journal: JournalWriter,
    clock: ReviewClock,
    metrics: ReviewMetrics,
    auth: Auth | None = None,
    *,
    sign_in: SignIn | None = None,
    budget: ReviewBudget | None = None,
    version: str = "0",
    active_pack: Callable[[], ActivePack] | None = None,
    services: Callable[[], Iterable[str]] = tuple,
    past: EventHistory | None = None,
    sources: SourceBook | None = None,
    known: Known = lambda: (Catalogue(), (), ()),
    setup: Callable[[], Setup] | None = None,
    feeds: Callable[[], Awaitable[FeedsView]] | None = None,
    awaiting: Awaiting | None = None,
    hints: Mapping[str, str] = HINTS,
) -> FastAPI:
    """The app. Others may include their routers (intake, health, metrics); the guard stands before all of them.

    `sign_in` has the ways in besides the accounts; `auth` alone stands for accounts without sessions and tokens.
    `active_pack` tells the rules and the catalogue in force, for the API and the foot of the pages; `services` are the
    names that the form for reports offers. `sources` is what arrived, for the page that says whether it is working,
    against the catalogue, the rules and the configured sources that are `known`; `setup` is the catalogue with what
    arrived in 30 days. `feeds` tells what the pulled feeds saw, `awaiting` which candidates may yet become drafts.
    `hints` is what to write instead of phrases that blame.

    Call `app.state.live.close()` when the stop begins, before the server waits for its open requests: the streams of
    open pages would otherwise keep it waiting.
    """
    live = Live(near_misses, clock)

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        yield
        live.close()

    app = FastAPI(
        title="nearmiss",
        version=version,
        description=api.DESCRIPTION,
        openapi_url=f"{api.PREFIX}/openapi.json",
        openapi_tags=api.TAGS,
        # The bundled viewers load scripts from elsewhere, which these pages never do.
        docs_url=None,
        redoc_url=None,
        lifespan=lifespan,
    )
    review = Review(near_misses, journal, clock, metrics, budget)
    app.state.live = live
    app.state.review = review
    if past is not None:
        app.state.closing = Closing(near_misses, past, review.budget, clock, metrics)
    ways = sign_in or SignIn(auth or Auth(), clock)
    app.add_middleware(Guard, sign_in=ways, clock=clock)
    catalogue = budget.catalogue if budget is not None else Catalogue
    pages = Pages(active_pack, catalogue, hints)
    app.state.pages = pages
    gate = Gate(near_misses, catalogue)
    app.state.gate = gate
    teams = budget.teams if budget is not None else frozenset
    whose = Whose(gate, teams)
    views = Views(review, whose)
    reports = Reports(journal, clock, metrics)
    told = setup or Setup
    settling = Settling(near_misses, clock, metrics, teams)
    citing = None if past is None else Citing(near_misses, past, clock, metrics)
    drafts = DraftPages(review, pages, settling, views, gate, citing)
    exports = Exports(review, catalogue, gate)
    routers = [
        api.build_router(review, gate),
        build_report_router(reports),
        build_report_page(reports, pages, services),
        build_pages(review, live, pages, whose, views, Watching(awaiting, clock), told),
        build_bulk_page(review, Bulk(review, settling), views, pages, gate),
        build_setup_page(review, pages, told),
        build_learning_page(review, pages, catalogue),
        build_export_api(review, exports),
        build_export_page(review, exports, pages),
        build_settling_router(review, settling, gate),
        build_settling_forms(review, settling, drafts, gate),
        build_draft_pages(review, drafts, views),
    ]
    if citing is not None:
        # Before the pages of a draft, one of which takes any last part of an address.
        routers[:0] = [build_citing_router(review, citing), build_citing_forms(review, citing, drafts)]
    if past is not None:
        routers.append(build_follow_router(past, near_misses, clock, catalogue))
    if sources is not None:
        routers.append(build_sources(sources, clock, pages, known))
    if feeds is not None:
        routers.append(build_feeds_page(feeds, pages, catalogue))
    if active_pack is not None:
        routers.append(build_pack_router(active_pack))
    if ways.access is not None:
        routers += [build_account_pages(ways, pages, clock), build_access_api(ways, clock)]
        throttle = Throttle(clock, LOGINS_AT_ONCE, SECONDS_A_LOGIN)
        app.include_router(build_sign_in_pages(ways, pages, clock, throttle, Sampler(clock)))
    for router in routers:
        app.include_router(router, dependencies=[Depends(gate)])
    app.mount("/static", _Static(directory=STATIC), name="static")
    problems.install(app, pages.render_problem)
    return app
