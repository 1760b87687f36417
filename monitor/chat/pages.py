"""The pages of what is told: the shift report, incidents that were foretold, and how each destination does."""

from __future__ import annotations

from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, Query, Request
from starlette.exceptions import HTTPException
from starlette.responses import HTMLResponse, PlainTextResponse, Response

from monitor.chat.bulletin import Bulletin, as_markdown
from monitor.chat.reporter import Reporter
from monitor.chat.teams import EVERYBODY
from monitor.ports.chat import Outbox
from monitor.review.permissions import Grants
from monitor.review.rendering import Pages

TeamName = Annotated[str, Query(max_length=200)]


def build_chat_pages(reporter: Reporter, outbox: Outbox, pages: Pages) -> APIRouter:
    router = APIRouter(include_in_schema=False, default_response_class=HTMLResponse)

    def visible(request: Request) -> frozenset[str] | None:
        """The teams that this person may see; None: all."""
        person = request.scope.get("state", {}).get("person")
        grants: Grants = person.grants if person is not None else Grants()
        return None if grants.everywhere is not None else frozenset(grants.teams)

    def one_of(request: Request, team: str) -> str:
        """The team that is asked for, or the first that this person may see."""
        allowed, name = visible(request), team.strip()
        if allowed is None or name in allowed:
            return name
        if name or not allowed:
            raise HTTPException(403, "This team's reports are not yours to see; ask an admin of nearmiss for it.")
        return min(allowed)

    async def bulletins(request: Request, team: str) -> list[Bulletin]:
        return await reporter.around_now(reporter.team(team or EVERYBODY), str(request.base_url))

    @router.get("/shift")
    async def shift(request: Request, team: TeamName = "") -> Response:
        team, allowed = one_of(request, team), visible(request)
        context = {
            "bulletins": await bulletins(request, team),
            "team": team,
            "teams": [name for name in reporter.names() if allowed is None or name in allowed],
            "markdown": f"/shift.md?{urlencode({'team': team})}",
            "problem": reporter.calendars.problems.get(team or EVERYBODY),
        }
        return pages.render(request, "shift.html", context)

    @router.get("/shift.md")
    async def shift_markdown(request: Request, team: TeamName = "") -> Response:
        text = "\n".join(as_markdown(bulletin) for bulletin in await bulletins(request, one_of(request, team)))
        return PlainTextResponse(text, media_type="text/markdown; charset=utf-8")

    @router.get("/told")
    async def told(request: Request) -> Response:
        allowed = visible(request)
        found = [
            one for one in await reporter.told() if allowed is None or reporter.team_name(one[0].service) in allowed
        ]
        return pages.render(request, "told.html", {"told": found, "now": reporter.now()})

    @router.get("/chat")
    async def chat(request: Request) -> Response:
        if visible(request) is not None:
            raise HTTPException(403, "This needs access to every team; ask an admin of nearmiss for it.")
        lanes = await outbox.lanes()
        context = {"lanes": lanes, "teams": list(reporter.teams.by_name.values()), "now": reporter.now()}
        return pages.render(request, "chat.html", context)

    return router
