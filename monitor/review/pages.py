"""The pages for people: the queue and the draft, as HTML that works without scripts and better with htmx.

Reads forms, calls the use cases, and chooses a template; the words come from `words`, the picture from `timeline`.
"""

from __future__ import annotations

from typing import Annotated, Literal
from urllib.parse import urlencode

import msgspec
from fastapi import APIRouter, Form, Query, Request
from starlette.responses import HTMLResponse, RedirectResponse, Response, StreamingResponse

from monitor.core.near_miss import DECIDED, UNDECIDED, IllegalMove, Mode, Move, State
from monitor.ports import Answers, Record, VersionConflict
from monitor.ports import Query as Wanted
from monitor.review import problems
from monitor.review.api import person_of
from monitor.review.live import Live
from monitor.review.rendering import Pages
from monitor.review.service import Decision, FieldProblem, Invalid, Review
from monitor.review.timeline import entries, picture

Show = Literal["review", "digest", "accepted", "dismissed", "withdrawn", "all"]

PAGE_SIZE = 25
MOST_DIGEST = 200

_OPEN = tuple(sorted(UNDECIDED))
_VIEWS: dict[Show, tuple[tuple[State, ...], tuple[Mode, ...]]] = {
    "review": (_OPEN, ("live",)),
    "digest": (_OPEN, ("digest",)),
    "accepted": ((State.ACCEPTED,), ()),
    "dismissed": ((State.DISMISSED,), ()),
    "withdrawn": ((State.WITHDRAWN,), ()),
    "all": ((), ()),
}
_LABELS: dict[Show, str] = {
    "review": "To review",
    "digest": "Digest",
    "accepted": "Accepted",
    "dismissed": "Dismissed",
    "withdrawn": "Withdrawn",
    "all": "All",
}


class Tab(msgspec.Struct, frozen=True):
    name: Show
    label: str
    count: str
    href: str
    is_current: bool


class DecisionForm(msgspec.Struct, frozen=True):
    """A decision as a form sends it: everything is text, and nothing filled in is an empty one."""

    decision: str
    reason: str
    note: str
    answers: Answers
    expected_version: str

    def as_decision(self) -> Decision:
        """Raises Invalid."""
        try:
            version = int(self.expected_version) if self.expected_version else None
            return Decision(
                move=Move(self.decision),
                reason=self.reason or None,
                note=self.note.strip() or None,
                answers=self.answers if self.decision in (Move.ACCEPT, Move.DISMISS) else None,
                expected_version=version,
            )
        except ValueError as error:
            raise Invalid(FieldProblem("decision", f"cannot be read: {error}")) from error


class Errors(dict[str, str]):
    """What is wrong by field; a field that is right has an empty message."""

    def __missing__(self, field: str) -> str:
        return ""


def build_pages(review: Review, live: Live, pages: Pages) -> APIRouter:
    router = APIRouter(include_in_schema=False, default_response_class=HTMLResponse)

    @router.get("/")
    async def queue(
        request: Request,
        show: Show = "review",
        service: Annotated[str, Query(max_length=200)] = "",
        rule: Annotated[str, Query(max_length=200)] = "",
        text: Annotated[str, Query(max_length=200)] = "",
        after: Annotated[str, Query(max_length=2000)] = "",
    ) -> Response:
        states, modes = _VIEWS[show]
        filters = {"service": service.strip(), "rule": rule.strip(), "text": text.strip()}
        wanted = Wanted(
            states=states,
            services=(filters["service"],) if filters["service"] else (),
            rules=(filters["rule"],) if filters["rule"] else (),
            modes=modes,
            text=filters["text"] or None,
        )
        page = await review.page(wanted, after or None, PAGE_SIZE)
        return pages.render(
            request,
            "queue.html",
            {
                "page": page,
                "show": show,
                "filters": filters,
                "filtered": any(filters.values()),
                "tabs": await _tabs(review, show),
                "more": _link(show, filters, page.next) if page.next else None,
                "first_page": not after,
                "clear": _link(show, {}, None),
                "now": review.now(),
            },
        )

    @router.get("/events")
    async def events() -> Response:
        headers = {"cache-control": "no-store", "x-accel-buffering": "no"}
        return StreamingResponse(live.stream(), headers=headers, media_type="text/event-stream")

    @router.get("/near-misses/{record_id}")
    async def draft(request: Request, record_id: str, done: str = "") -> Response:
        return await _draft_page(request, await review.show(record_id), done=done)

    @router.get("/near-misses/{record_id}/panel/{decision}")
    async def panel(request: Request, record_id: str, decision: Literal["accept", "dismiss"]) -> Response:
        record = await review.show(record_id)
        return pages.render(request, f"_panel_{decision}.html", {"record": record, "form": None, "errors": Errors()})

    @router.post("/near-misses/{record_id}/decision")
    async def decide(
        request: Request,
        record_id: str,
        decision: Annotated[str, Form()],
        reason: Annotated[str, Form()] = "",
        note: Annotated[str, Form()] = "",
        why_near_miss: Annotated[str, Form()] = "",
        what_saved_it: Annotated[str, Form()] = "",
        what_next_time: Annotated[str, Form()] = "",
        users_hit: Annotated[Literal["yes", "no", ""], Form()] = "",
        expected_version: Annotated[str, Form()] = "",
    ) -> Response:
        answers = Answers(
            why_near_miss.strip(),
            what_saved_it.strip(),
            what_next_time.strip(),
            {"yes": True, "no": False}.get(users_hit),
        )
        form = DecisionForm(decision, reason, note, answers, expected_version)
        in_row = "hx-request" in request.headers
        try:
            decided = await review.decide(record_id, form.as_decision(), person_of(request).role)
        except Invalid as error:
            return await _invalid(request, record_id, form, error, in_row)
        except (VersionConflict, IllegalMove) as error:
            record = await review.show(record_id)
            problem = problems.to_problem(error)
            if in_row:
                return _row(request, record, 409, problem.detail)
            return await _draft_page(request, record, status=409, notice=problem.detail)
        if in_row:
            return _row(request, decided, 200, None)
        return RedirectResponse(f"/near-misses/{record_id}?done={form.decision}", 303)

    @router.post("/near-misses/{record_id}/comments")
    async def comment(request: Request, record_id: str, text: Annotated[str, Form()] = "") -> Response:
        try:
            await review.comment(record_id, text, person_of(request).role)
        except Invalid as error:
            record = await review.show(record_id)
            return await _draft_page(request, record, status=422, errors=Errors(text=error.problems[0].message))
        return RedirectResponse(f"/near-misses/{record_id}#trail", 303)

    def _row(request: Request, record: Record, status: int, notice: str | None) -> Response:
        context = {"record": record, "notice": notice, "now": review.now(), "in_place": True}
        return pages.render(request, "_row.html", context, status)

    async def _invalid(request: Request, record_id: str, form: DecisionForm, error: Invalid, in_row: bool) -> Response:
        errors = Errors((problem.field.removeprefix("answers."), problem.message) for problem in error.problems)
        record = await review.show(record_id)
        if not in_row or form.decision not in (Move.ACCEPT, Move.DISMISS):
            return await _draft_page(request, record, status=422, form=form, errors=errors)
        context = {"record": record, "form": form, "errors": errors}
        answer = pages.render(request, f"_panel_{form.decision}.html", context, 422)
        answer.headers["hx-retarget"] = f"#panel-{record.draft.id}"
        answer.headers["hx-reswap"] = "innerHTML"
        return answer

    async def _draft_page(
        request: Request,
        record: Record,
        *,
        status: int = 200,
        done: str = "",
        notice: str | None = None,
        form: DecisionForm | None = None,
        errors: Errors | None = None,
    ) -> Response:
        context = {
            "record": record,
            "draft": record.draft,
            "entries": entries(record),
            "picture": picture(record),
            "trail": await review.audit(record.draft.id),
            "undecided": record.state in UNDECIDED,
            "decided": record.state in DECIDED,
            "following": await _following(review, record) if done in ("accept", "dismiss") else None,
            "done": done,
            "notice": notice,
            "form": form,
            "errors": errors or Errors(),
            "now": review.now(),
        }
        return pages.render(request, "draft.html", context, status)

    return router


async def _following(review: Review, record: Record) -> Record | None:
    """The draft to judge next."""
    states, modes = _VIEWS["review"]
    page = await review.page(Wanted(states=states, modes=modes), None, 2)
    return next((other for other in page.records if other.draft.id != record.draft.id), None)


async def _tabs(review: Review, current: Show) -> list[Tab]:
    counts = await review.counts()
    digest = await review.page(Wanted(states=_OPEN, modes=("digest",)), None, MOST_DIGEST)
    in_digest = len(digest.records)
    undecided = sum(counts.get(state, 0) for state in UNDECIDED)
    numbers: dict[Show, str] = {
        "review": str(undecided - in_digest) if digest.next is None else f"under {undecided - in_digest}",
        "digest": str(in_digest) if digest.next is None else f"{in_digest}+",
        "accepted": str(counts.get(State.ACCEPTED, 0)),
        "dismissed": str(counts.get(State.DISMISSED, 0)),
        "withdrawn": str(counts.get(State.WITHDRAWN, 0)),
        "all": str(sum(counts.values())),
    }
    return [Tab(name, label, numbers[name], _link(name, {}, None), name == current) for name, label in _LABELS.items()]


def _link(show: Show, filters: dict[str, str], after: str | None) -> str:
    given = {"show": show if show != "review" else "", **filters, "after": after or ""}
    query = urlencode({name: value for name, value in given.items() if value})
    return f"/?{query}" if query else "/"
