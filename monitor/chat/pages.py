"""The pages of what is told: the shift report, incidents that were foretold, and how each destination does."""

from __future__ import annotations

from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, Query, Request
from starlette.responses import HTMLResponse, PlainTextResponse, Response

from monitor.chat.bulletin import Bulletin, as_markdown
from monitor.chat.reporter import Reporter
from monitor.chat.teams import EVERYBODY
from monitor.chat_ports import Outbox
from monitor.review.rendering import Pages

TeamName = Annotated[str, Query(max_length=200)]


def build_chat_pages(reporter: Reporter, outbox: Outbox, pages: Pages) -> APIRouter:
    router = APIRouter(include_in_schema=False, default_response_class=HTMLResponse)

    async def bulletins(team: str) -> list[Bulletin]:
        return await reporter.around_now(reporter.team(team.strip() or EVERYBODY))

    @router.get("/shift")
    async def shift(request: Request, team: TeamName = "") -> Response:
        context = {
            "bulletins": await bulletins(team),
            "team": team.strip(),
            "teams": reporter.names(),
            "markdown": f"/shift.md?{urlencode({'team': team.strip()})}",
            "problem": reporter.calendars.problems.get(team.strip() or EVERYBODY),
        }
        return pages.render(request, "shift.html", context)

    @router.get("/shift.md")
    async def shift_markdown(team: TeamName = "") -> Response:
        text = "\n".join(as_markdown(bulletin) for bulletin in await bulletins(team))
        return PlainTextResponse(text, media_type="text/markdown; charset=utf-8")

    @router.get("/told")
    async def told(request: Request) -> Response:
        return pages.render(request, "told.html", {"told": await reporter.told(), "now": reporter.now()})

    @router.get("/chat")
    async def chat(request: Request) -> Response:
        lanes = await outbox.lanes()
        context = {"lanes": lanes, "teams": list(reporter.teams.by_name.values()), "now": reporter.now()}
        return pages.render(request, "chat.html", context)

    return router
