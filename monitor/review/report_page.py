"""The page on which somebody reports a near miss: its form, what is wrong with it, and the thanks.

Reads what was filled in and calls the use case; works without scripts.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from difflib import get_close_matches
from typing import Annotated
from uuid import uuid4

import msgspec
from fastapi import APIRouter, Depends, Form, Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from monitor.core.model.events import Instant, to_datetime
from monitor.decode.outcome import Unreadable
from monitor.decode.times import read_time
from monitor.ports import Unavailable
from monitor.review.api import person_of
from monitor.review.form_errors import Errors, errors_of
from monitor.review.problems import to_problem
from monitor.review.rendering import Pages
from monitor.review.reports import Hurt, Report, Reports, check
from monitor.review.service import FieldProblem, Invalid

_MINUTES = "%Y-%m-%dT%H:%M"
MOST_OFFERED = 1_000
"""Services that the form offers; more would make the page heavy, and every name can be typed."""
_LONGEST_FIELD = 300
LONGEST_SHOWN = 60
"""Characters of an unknown name that its refusal repeats."""


class ReportForm(msgspec.Struct, frozen=True):
    """A report as the form sends it: everything is text, and nothing filled in is an empty one."""

    token: str
    kind: str = ""
    service: str = ""
    story: str = ""
    seen_at: str = ""
    hurt: str = ""
    insist: str = ""
    """The unknown name of a service that the person insists on."""
    anonymous: str = ""

    def as_report(self) -> Report:
        return Report(
            self.token,
            self.kind,
            self.service,
            self.story,
            _moment(self.seen_at),
            self.hurt,
            anonymous=bool(self.anonymous),
        )


async def report_form(
    token: Annotated[str, Form()] = "",
    kind: Annotated[str, Form()] = "",
    service: Annotated[str, Form()] = "",
    story: Annotated[str, Form()] = "",
    seen_at: Annotated[str, Form()] = "",
    hurt: Annotated[str, Form()] = "",
    insist: Annotated[str, Form()] = "",
    anonymous: Annotated[str, Form()] = "",
) -> ReportForm:
    # What is no text of a person is shown again only as far as any of it could be right.
    most = _LONGEST_FIELD
    return ReportForm(
        token[:most], kind[:most], service[:most], story, seen_at[:most], hurt[:most], insist[:most], anonymous[:1]
    )


def build_report_page(reports: Reports, pages: Pages, services: Callable[[], Iterable[str]]) -> APIRouter:
    """`services` are the names that the form offers; others may be typed."""
    router = APIRouter(prefix="/report", include_in_schema=False, default_response_class=HTMLResponse)

    def show(
        request: Request, form: ReportForm, errors: Errors, status: int = 200, notice: str | None = None
    ) -> Response:
        offered = [name for name, _ in zip(services(), range(MOST_OFFERED), strict=False)]
        context = {"form": form, "errors": errors, "notice": notice, "services": offered, "now": reports.now()}
        return pages.render(request, "report.html", context, status)

    @router.get("")
    async def blank(request: Request, done: str = "", service: str = "") -> Response:
        if done:
            return pages.render(request, "reported.html", {"done": done})
        now = to_datetime(reports.now()).strftime(_MINUTES)
        return show(request, ReportForm(uuid4().hex, service=service[:255], seen_at=now), Errors())

    @router.post("")
    async def tell(request: Request, form: Annotated[ReportForm, Depends(report_form)]) -> Response:
        try:
            report = form.as_report()
            problems = [*check(report, reports.now()), *unknown_service(form, services())]
            if problems:
                raise Invalid(*problems)
            await reports.tell(report, person_of(request).role)
        except Invalid as error:
            return show(request, form, errors_of(error.problems), 422)
        except Unavailable as error:
            # What was typed stays on the page, and sending it again is the same report.
            answer = show(request, form, Errors(), 503, to_problem(error).detail)
            answer.headers["retry-after"] = "5"
            return answer
        return RedirectResponse(f"/report?done={'hurt' if form.hurt == Hurt.YES else form.kind}", 303)

    return router


def unknown_service(form: ReportForm, known: Iterable[str]) -> list[FieldProblem]:
    """What a person typed against what the catalogue knows; a name that they insist on passes."""
    name = form.service.strip()
    names = {each.casefold(): each for each in known}
    if not name or not names or name.casefold() in names or form.insist.strip() == name:
        return []
    close = get_close_matches(name.casefold(), names, n=1)
    meant = f" Did you mean “{names[close[0]]}”?" if close else ""
    shown = name if len(name) <= LONGEST_SHOWN else f"{name[:LONGEST_SHOWN]}…"
    return [FieldProblem("service", f"No service is called “{shown}”.{meant}")]


def _moment(text: str) -> Instant | None:
    """The time that a browser's field for date and time sends, in UTC; None where it is none."""
    for said in (text, f"{text.strip()}Z"):
        try:
            return read_time(said, "seen_at")[0]
        except Unreadable:
            continue
    return None
