"""The routes of exports: one record in each format, several as CSV, and the page that shows what is taken out."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any, Literal

import msgspec
from fastapi import APIRouter, Query, Request
from starlette.exceptions import HTTPException
from starlette.responses import HTMLResponse, Response

from monitor.core.model.catalogue import Catalogue
from monitor.core.model.near_miss import State
from monitor.core.model.risk import Share
from monitor.ports import Query as Wanted
from monitor.ports import Record
from monitor.review.api import COMMON, NOT_FOUND, PREFIX, PROBLEM, RecordId, person_of
from monitor.review.exports.document import RecordDocument, Version, build_document, people_of, services_of
from monitor.review.exports.exchange import Undecided, build_case, to_text_file
from monitor.review.exports.markdown import to_markdown
from monitor.review.exports.redaction import Redactor
from monitor.review.exports.table import to_csv
from monitor.review.permissions import Gate
from monitor.review.rendering import Pages
from monitor.review.service import Review

MOST_ROWS = 10_000
_PAGE = 200

Format = Literal["json", "markdown", "case"]
Hide = Annotated[
    list[str] | None, Query(description="Services that the public version renames; may be repeated.", max_length=200)
]
_TYPES: dict[str, Any] = {
    "application/json": {"schema": {"$ref": "#/components/schemas/RecordDocument"}},
    "text/markdown": {"schema": {"type": "string"}},
    "application/yaml": {"schema": {"type": "string"}},
}


class Exports:
    """What the API and the page have in common. Raises HTTPException where the record may not go that far."""

    def __init__(self, review: Review, catalogue: Callable[[], Catalogue], gate: Gate) -> None:
        self._review = review
        self.gate = gate
        self._catalogue = catalogue

    async def document(self, record: Record, version: Version, redactor: Redactor) -> RecordDocument:
        return build_document(record, await self._review.audit(record.draft.id), version, redactor)

    def redactor(self, record: Record, hide: list[str] | None) -> Redactor:
        return Redactor(people_of(record, self._catalogue()), frozenset(hide or ()))

    def case(self, record: Record) -> str:
        try:
            return to_text_file(build_case(record, self._catalogue()))
        except Undecided as error:
            raise HTTPException(409, f"No case yet: {error}.") from error


def may_leave(record: Record) -> bool:
    """Whether the team lets it go beyond the organisation."""
    return record.handling.share is Share.PUBLIC


def _check_share(record: Record) -> None:
    if not may_leave(record):
        raise HTTPException(
            403, "The team has not shared this record with the public. Set “May be seen by” to the public first."
        )


def build_export_api(review: Review, exports: Exports) -> APIRouter:
    router = APIRouter(prefix=PREFIX, tags=["exports"])

    @router.get(
        "/near-misses/{record_id}/export",
        summary="One near miss as a document, Markdown or a case",
        response_class=Response,
        responses={
            200: {"model": RecordDocument, "content": _TYPES},
            **NOT_FOUND,
            **COMMON,
            403: {**PROBLEM, "description": "The team has not shared the record with the public."},
            409: {**PROBLEM, "description": "Nobody has decided the record yet, so that a case has no label."},
        },
    )
    async def export(
        record_id: RecordId,
        format: Annotated[Format, Query(description="`case` is what `nearmiss evaluate` reads.")] = "json",
        version: Annotated[
            Version, Query(description="`public` takes names, hosts, tokens and links out.")
        ] = "internal",
        hide: Hide = None,
    ) -> Response:
        """The public version and the case need the share level `public`."""
        record = await review.show(record_id)
        if version == "public" or format == "case":
            _check_share(record)
        if format == "case":
            return _download(exports.case(record), "application/yaml", f"{record.draft.id}.yaml")
        document = await exports.document(record, version, exports.redactor(record, hide))
        if format == "markdown":
            return _download(to_markdown(document), "text/markdown", f"{record.draft.id}.md")
        return Response(document.model_dump_json(), media_type="application/json")

    @router.get(
        "/export.csv",
        summary="Near misses as CSV",
        response_class=Response,
        responses={200: {"content": {"text/csv": {"schema": {"type": "string"}}}}, **COMMON},
    )
    async def table(
        request: Request,
        state: Annotated[list[State] | None, Query(description="Only these states; may be repeated.")] = None,
    ) -> Response:
        """At most 10,000 records, in the order of the queue. No cell is a formula."""
        wanted = exports.gate.within(person_of(request).grants, Wanted(states=tuple(state or ())))
        found: list[Record] = []
        after: str | None = None
        while len(found) < MOST_ROWS:
            page = await review.page(wanted, after, _PAGE)
            found += page.records
            after = page.next
            if after is None:
                break
        return _download(to_csv(found), "text/csv", "near-misses.csv")

    return router


def build_export_page(review: Review, exports: Exports, pages: Pages) -> APIRouter:
    router = APIRouter(include_in_schema=False, default_response_class=HTMLResponse)

    @router.get("/near-misses/{record_id}/export")
    async def export(request: Request, record_id: str, hide: Hide = None) -> Response:
        record = await review.show(record_id)
        redactor = exports.redactor(record, hide)
        public = await exports.document(record, "public", redactor)
        context = {
            "record": record,
            "draft": record.draft,
            "document": await exports.document(record, "internal", redactor),
            "public": public,
            "removed": [msgspec.structs.asdict(each) for each in redactor.removed],
            "services": services_of(record),
            "hide": hide or [],
            "may_leave": may_leave(record),
        }
        return pages.render(request, "export.html", context)

    return router


def _download(text: str, media_type: str, name: str) -> Response:
    safe = "".join(each if each.isascii() and (each.isalnum() or each in "-_.") else "-" for each in name)
    headers = {"content-disposition": f'attachment; filename="{safe}"'}
    return Response(text, media_type=media_type, headers=headers)
