"""The page on which several drafts are judged at once: what would be done to which, what was done, and its undo."""

from __future__ import annotations

from functools import partial
from typing import Annotated

from fastapi import APIRouter, Form, Query, Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from monitor.core.model.near_miss import Dismissal
from monitor.review.api import person_of
from monitor.review.bulk import MOST, REASONS, UNDO, Bulk, BulkItem, BulkOrder, read_deed, read_items
from monitor.review.form_errors import Errors, errors_of
from monitor.review.permissions import Access, Gate
from monitor.review.rendering import Pages
from monitor.review.service import Invalid, Review
from monitor.review.views import Filters, Show, Views, link
from monitor.review.whose import EVERYBODY, LONGEST

Texts = Annotated[list[str], Query(max_length=MOST + 1)]


def build_bulk_page(review: Review, bulk: Bulk, views: Views, pages: Pages, gate: Gate) -> APIRouter:
    router = APIRouter(include_in_schema=False, default_response_class=HTMLResponse)

    def may(request: Request) -> partial[bool]:
        return partial(gate.may, person_of(request).grants, Access.REVIEWER)

    @router.get("/bulk")
    async def preview(
        request: Request,
        id: Texts = [],  # noqa: B006 - read only
        by: str = "",
        show: Show = "review",
        service: Annotated[str, Query(max_length=200)] = "",
        rule: Annotated[str, Query(max_length=200)] = "",
        text: Annotated[str, Query(max_length=200)] = "",
        team: Annotated[str, Query(max_length=LONGEST)] = EVERYBODY,
    ) -> Response:
        """The drafts that were chosen, or with `by=view` all of a view of the queue."""
        filters = Filters(service, rule, text, team)
        if not id and by != "view":
            return RedirectResponse(link(show, filters), 303)
        chosen = () if by == "view" else tuple(id)
        listing = await views.listing(request, "all" if chosen else show, Filters(team=team) if chosen else filters)
        found = await bulk.preview(listing.query, chosen, may(request))
        context = {
            "records": found.records,
            "left_out": found.decided,
            "more": found.more,
            "most": MOST,
            "errors": Errors(),
            "given": None,
            "reasons": REASONS,
            "back": link(show, filters),
            "now": review.now(),
        }
        return pages.render(request, "bulk.html", context)

    @router.post("/bulk")
    async def apply(
        request: Request,
        do: Annotated[str, Form()] = "",
        item: Annotated[list[str], Form()] = [],  # noqa: B006 - read only
        reason: Annotated[str, Form()] = "",
        note: Annotated[str, Form()] = "",
        days: Annotated[str, Form()] = "",
    ) -> Response:
        try:
            order = BulkOrder(read_deed(do), read_items(item), reason, note.strip(), days)
            done = await bulk.apply(order, person_of(request).role, may(request))
        except Invalid as error:
            return await refused(request, item, errors_of(error.problems), {"reason": reason, "note": note})
        changed = [each.record for each in done if not each.problem]
        context = {
            "do": order.do,
            "reason": Dismissal(order.reason) if order.do == "dismiss" else None,
            "changed": changed,
            "failed": [each for each in done if each.problem],
            "undo": UNDO.get(order.do),
            "items": [BulkItem(each.draft.id, each.version) for each in changed],
        }
        return pages.render(request, "bulk_done.html", context)

    async def refused(request: Request, items: list[str], errors: Errors, given: dict[str, str]) -> Response:
        """The same drafts again, as they are now, with what was wrong."""
        names = [each.partition(":")[2] for each in items][:MOST]
        listing = await views.listing(request, "all", Filters())
        found = await bulk.preview(listing.query, names, may(request)) if names else None
        context = {
            "records": found.records if found else (),
            "left_out": found.decided if found else (),
            "more": False,
            "most": MOST,
            "errors": errors,
            "given": given,
            "reasons": REASONS,
            "back": "/",
            "now": review.now(),
        }
        return pages.render(request, "bulk.html", context, 422)

    return router
