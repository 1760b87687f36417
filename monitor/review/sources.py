"""The page that says whether it is working, and the same for programs."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence

import msgspec
from fastapi import APIRouter, Request
from starlette.responses import HTMLResponse, Response

from monitor.core.model.catalogue import Catalogue
from monitor.core.model.events import SECOND, Instant, to_text
from monitor.core.model.rule import Rule
from monitor.ops.arrivals import SourceBook
from monitor.ops.source_report import WEEK, SourceReport, SourceRow, source_report
from monitor.ops.usual import WINDOW
from monitor.ports import Clock
from monitor.review.api import GUARDED, PREFIX, person_of
from monitor.review.permissions import Grants, owns
from monitor.review.rendering import Pages
from monitor.review.schemas import SourcesOut

Known = Callable[[], tuple[Catalogue, Sequence[Rule], Collection[str]]]


async def read_report(
    book: SourceBook, catalogue: Catalogue, rules: Sequence[Rule], expected: Collection[str], now: Instant
) -> SourceReport:
    """`expected`: sources that are configured. Raises Unavailable."""
    hours, words = await book.hours(Instant(now - WINDOW)), await book.words(Instant(now - WEEK))
    return source_report(hours, words, catalogue, rules, now, expected)


def for_person(report: SourceReport, grants: Grants, catalogue: Catalogue) -> SourceReport:
    """What somebody may see of it: services of their teams; texts of events, which name any service, only with all."""
    if grants.everywhere is not None:
        return report
    rows = tuple(
        msgspec.structs.replace(row, reasons=tuple(msgspec.structs.replace(each, detail="") for each in row.reasons))
        for row in report.sources
    )
    services = tuple(each for each in report.services if owns(grants, each.service, catalogue))
    return msgspec.structs.replace(report, sources=rows, services=services)


def as_json(report: SourceReport) -> dict[str, object]:
    """As `SourcesOut` has it."""
    return {
        "sources": [_source(row) for row in report.sources],
        "services": [{"service": each.service, "sources": each.sources, "why": each.why} for each in report.services],
        "silent_rules": report.silent_rules,
    }


def _source(row: SourceRow) -> dict[str, object]:
    state = row.state
    return {
        "source": state.source,
        "last_at": to_text(state.last_at),
        "last_day": state.last_day,
        "usual_day": state.usual_day,
        "lag_seconds": None if state.lag is None else state.lag / SECOND,
        "silent_seconds": None if state.silent is None else state.silent / SECOND,
        "kinds": dict(row.kinds),
        "reasons": [
            {"reason": each.reason, "count": each.count, "detail": each.detail, "understood": each.is_understood}
            for each in row.reasons
        ],
    }


def build_sources(book: SourceBook, clock: Clock, pages: Pages, known: Known) -> APIRouter:
    """`known` tells the catalogue and the rules in force, and the sources that are configured."""
    router = APIRouter()

    async def report_for(grants: Grants) -> SourceReport:
        catalogue, rules, expected = known()
        return for_person(await read_report(book, catalogue, rules, expected, clock.now()), grants, catalogue)

    @router.get("/sources", include_in_schema=False, response_class=HTMLResponse)
    async def show(request: Request) -> Response:
        grants = person_of(request).grants
        context = {"report": await report_for(grants), "is_whole": grants.everywhere is not None, "week": WEEK}
        return pages.render(request, "sources.html", context)

    @router.get(
        f"{PREFIX}/sources",
        tags=["operation"],
        summary="What arrives, from where, and what is missing",
        responses={200: {"model": SourcesOut}, **GUARDED},
    )
    async def tell(request: Request) -> Response:
        """Each source with its last delivery, its rate against its own usual, and what gave no event; each user-facing
        service with the sources that watch it; rules for which nothing arrives. Who may see single teams gets their
        services, and no details of what gave no event.
        """
        report = await report_for(person_of(request).grants)
        return Response(msgspec.json.encode(as_json(report)), media_type="application/json")

    return router
