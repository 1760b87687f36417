"""The draft page and its forms: reads what a person filled in, calls the use cases, and shows what came of it.

The same forms serve the queue's rows, where htmx swaps a part of the page, and plain browsers, which are redirected.
"""

from __future__ import annotations

from functools import partial
from typing import Annotated, Literal
from urllib.parse import quote

import msgspec
from fastapi import APIRouter, Depends, Form, Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from monitor.core.model.near_miss import UNDECIDED, IllegalMove, Move
from monitor.ports import Answers, Record, VersionConflict
from monitor.review.api import person_of
from monitor.review.citing import Citing
from monitor.review.form_errors import Errors, errors_of
from monitor.review.mentions import Mentions, mentions
from monitor.review.pages import following, neighbour
from monitor.review.permissions import Gate
from monitor.review.problems import to_problem
from monitor.review.rendering import Pages
from monitor.review.service import Decision, FieldProblem, Invalid, Review
from monitor.review.settling import Given, Settling
from monitor.review.timeline import NARROW, ZOOMS, entries, picture, zoomed
from monitor.review.views import Views

COMMENT = "comment"
"""A comment's action in the trail."""


def in_row(request: Request) -> bool:
    """Whether a part of the queue is to be answered, which htmx puts in place, and no whole page."""
    return "hx-request" in request.headers


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
            move = Move(self.decision)
            version = int(self.expected_version) if self.expected_version else None
        except ValueError as error:
            raise Invalid(FieldProblem("decision", f"cannot be read: {error}", "Choose accept or dismiss.")) from error
        return Decision(
            move=move,
            reason=self.reason or None,
            note=self.note.strip() or None,
            # Dismissing says nothing about the three fields: what was written before stays.
            answers=self.answers if move is Move.ACCEPT else None,
            expected_version=version,
        )


async def decision_form(
    decision: Annotated[str, Form()] = "",
    reason: Annotated[str, Form()] = "",
    listed: Annotated[str, Form()] = "",
    note: Annotated[str, Form()] = "",
    why_near_miss: Annotated[str, Form()] = "",
    what_saved_it: Annotated[str, Form()] = "",
    what_next_time: Annotated[str, Form()] = "",
    users_hit: Annotated[str, Form()] = "",
    expected_version: Annotated[str, Form()] = "",
) -> DecisionForm:
    hit = {"yes": True, "no": False}.get(users_hit)
    answers = Answers(why_near_miss.strip(), what_saved_it.strip(), what_next_time.strip(), hit)
    # A phone shows the reasons as one list; the buttons and circles of wide screens are hidden there, and send nothing.
    return DecisionForm(decision, reason or listed, note, answers, expected_version)


class DraftPages:
    """Renders one record: as its page, or as its row in the queue."""

    def __init__(
        self, review: Review, pages: Pages, settling: Settling, views: Views, gate: Gate, citing: Citing | None = None
    ) -> None:
        """`citing` None: the past is not at hand, and no evidence can be added."""
        self._citing = citing
        self._review = review
        self._views = views
        self._settling = settling
        self._gate = gate
        self._pages = pages

    async def page(
        self,
        request: Request,
        record: Record,
        *,
        status: int = 200,
        done: str = "",
        notice: str | None = None,
        form: DecisionForm | None = None,
        errors: Errors | None = None,
        comment: str = "",
        given: Given | None = None,
        looks_around: bool = False,
        zoom: int = 1,
    ) -> Response:
        trail = await self._review.audit(record.draft.id)
        teams = self._settling.teams()
        commented = [line.note or "" for line in trail if line.action == COMMENT]
        context = {
            "record": record,
            "draft": record.draft,
            "called": self._called(record, commented[-1] if commented else ""),
            "hearing": [team for team in teams if self._gate.may_hear(team, record)],
            "entries": entries(record),
            "may_cite": self._citing is not None,
            "looks_around": looks_around,
            "around": await self._citing.around(record) if looks_around and self._citing is not None else (),
            "pictures": {"wide": picture(record, zoomed(zoom)), "narrow": picture(record, NARROW)},
            "zoom": zoom,
            "zooms": ZOOMS,
            "trail": trail,
            "undecided": record.state in UNDECIDED,
            "following": await following(self._review, record, await self._views.to_review(request))
            if done in (Move.ACCEPT, Move.DISMISS)
            else None,
            "done": done,
            "notice": notice,
            "form": form,
            "errors": errors or Errors(),
            "comment": comment,
            "given": given,
            "teams": teams,
            "similar": await self._review.similar(record, partial(self._views.visible, request)),
            "now": self._review.now(),
        }
        return self._pages.render(request, "draft.html", context, status)

    def _called(self, record: Record, text: str) -> Mentions:
        return mentions(text, self._settling.teams(), partial(self._gate.may_hear, record=record))

    def commented(self, request: Request, record: Record, text: str) -> Response:
        """Its row after a comment, with whom the comment called."""
        return self.row(request, record, said=f"The comment is added. {self._called(record, text).sentence}".strip())

    def row(
        self,
        request: Request,
        record: Record,
        status: int = 200,
        notice: str | None = None,
        form: DecisionForm | None = None,
        said: str | None = None,
    ) -> Response:
        """`said`: what was done to a record that goes on waiting."""
        context = {
            "record": record,
            "notice": notice,
            "form": form,
            "said": said,
            "now": self._review.now(),
            "in_place": True,
        }
        return self._pages.render(request, "_row.html", context, status)

    async def panel(self, request: Request, record: Record, what: str) -> Response:
        """A form that opens in the record's row."""
        context = {"record": record, "form": None, "errors": Errors(), **(await self._for_panel(request, record, what))}
        return self._pages.render(request, f"_panel_{what}.html", context)

    async def panel_again(
        self, request: Request, record: Record, what: str, status: int, errors: Errors, **filled: object
    ) -> Response:
        """The form that was refused, with what was filled in, in its row."""
        context = {"record": record, "errors": errors, **(await self._for_panel(request, record, what)), **filled}
        answer = self._pages.render(request, f"_panel_{what}.html", context, status)
        answer.headers["hx-retarget"] = f"#panel-{record.draft.id}"
        answer.headers["hx-reswap"] = "innerHTML"
        return answer

    async def _for_panel(self, request: Request, record: Record, what: str) -> dict[str, object]:
        if what != "merge":
            return {}
        return {"similar": await self._review.similar(record, partial(self._views.visible, request))}

    async def decide(self, request: Request, record_id: str, form: DecisionForm) -> Response:
        in_place = in_row(request)
        try:
            decided = await self._review.decide(record_id, form.as_decision(), person_of(request).role)
        except Invalid as error:
            return await self._refused(request, record_id, form, error, in_place)
        except (VersionConflict, IllegalMove) as error:
            record = await self._review.show(record_id)
            said = to_problem(error).detail
            if in_place and record.state in UNDECIDED and form.decision in (Move.ACCEPT, Move.DISMISS):
                # What was typed stays; sending it again is a decision about the record as it is now.
                again = msgspec.structs.replace(form, expected_version=str(record.version))
                return await self.panel_again(request, record, again.decision, 409, Errors(decision=said), form=again)
            if in_place:
                return self.row(request, record, 409, said, form)
            return await self.page(request, record, status=409, notice=said, form=form)
        if in_place:
            return self.row(request, decided)
        return RedirectResponse(f"/near-misses/{record_id}?done={form.decision}", 303)

    async def _refused(
        self, request: Request, record_id: str, form: DecisionForm, error: Invalid, in_place: bool
    ) -> Response:
        errors = errors_of(error.problems)
        record = await self._review.show(record_id)
        if not in_place or form.decision not in (Move.ACCEPT, Move.DISMISS):
            return await self.page(request, record, status=422, form=form, errors=errors)
        return await self.panel_again(request, record, form.decision, 422, errors, form=form)


def build_draft_pages(review: Review, drafts: DraftPages, views: Views) -> APIRouter:
    router = APIRouter(prefix="/near-misses", include_in_schema=False, default_response_class=HTMLResponse)

    @router.get("/{record_id}")
    async def draft(
        request: Request, record_id: str, done: str = "", around: bool = False, zoom: Literal["1", "2", "4"] = "1"
    ) -> Response:
        looks_around = around or done in ("add", "leave_out")
        record = await review.show(record_id)
        return await drafts.page(request, record, done=done, looks_around=looks_around, zoom=int(zoom))

    @router.get("/{record_id}/step/{direction}")
    async def step(request: Request, record_id: str, direction: Literal["next", "previous"]) -> Response:
        there = await neighbour(review, record_id, 1 if direction == "next" else -1, await views.to_review(request))
        return RedirectResponse("/" if there is None else f"/near-misses/{quote(there.draft.id)}", 303)

    @router.get("/{record_id}/panel/{decision}")
    async def panel(
        request: Request, record_id: str, decision: Literal["accept", "dismiss", "merge", "comment"]
    ) -> Response:
        return await drafts.panel(request, await review.show(record_id), decision)

    @router.post("/{record_id}/decision")
    async def decide(
        request: Request, record_id: str, form: Annotated[DecisionForm, Depends(decision_form)]
    ) -> Response:
        return await drafts.decide(request, record_id, form)

    @router.post("/{record_id}/comments")
    async def comment(request: Request, record_id: str, text: Annotated[str, Form()] = "") -> Response:
        try:
            await review.comment(record_id, text, person_of(request).role)
        except Invalid as error:
            record = await review.show(record_id)
            errors = errors_of(error.problems)
            if in_row(request):
                return await drafts.panel_again(request, record, "comment", 422, errors, typed=text)
            return await drafts.page(request, record, status=422, errors=errors, comment=text)
        if in_row(request):
            return drafts.commented(request, await review.show(record_id), text)
        return RedirectResponse(f"/near-misses/{record_id}?done=comment#trail", 303)

    @router.get("/{record_id}/{form}")
    async def form_reloaded(record_id: str, form: Literal["decision", "comments"]) -> Response:
        """The address of a form that was refused, entered again."""
        return RedirectResponse(f"/near-misses/{quote(record_id)}#{'decide' if form == 'decision' else 'trail'}", 303)

    return router
