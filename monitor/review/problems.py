"""Errors as RFC 9457 problem details: which exception gives which status, and what the reader can do about it.

The one place where the errors of core, ports and use cases meet HTTP.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import msgspec
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import Response

from monitor.core.model.events import to_text
from monitor.ports import NotFound, Record, Unavailable, VersionConflict
from monitor.review import wording as words
from monitor.review.guard import LARGEST_BODY, OPEN_PREFIXES, SECURITY_HEADERS, TooLarge
from monitor.review.sentences import not_possible
from monitor.review.service import Invalid, NotPossible

RETRY_AFTER_SECONDS = 5
MOST_ERRORS = 20
"""Located problems that an answer describes; the others are counted."""
_LONGEST_NAME = 80
MEDIA_TYPE = "application/problem+json"

Render = Callable[[Request, "Problem"], Awaitable[Response]]


class Problem(msgspec.Struct, frozen=True, omit_defaults=True):
    """One problem. `errors` are located problems of what was sent, `current` the record as it is now."""

    type: str
    title: str
    status: int
    detail: str
    errors: tuple[dict[str, str], ...] = ()
    current: dict[str, object] | None = None

    def response(self) -> Response:
        headers = {"retry-after": str(RETRY_AFTER_SECONDS)} if self.status == 503 else None
        return Response(msgspec.json.encode(self), self.status, headers, MEDIA_TYPE)


def current_state(record: Record) -> dict[str, object]:
    """What a person must know about somebody else's move."""
    return {
        "id": record.draft.id,
        "state": str(record.state),
        "version": record.version,
        "reason": record.reason,
        "decided_at": to_text(record.decided_at),
        "decided_by": record.decided_by,
    }


def conflict_sentence(record: Record) -> str:
    """What happened meanwhile, in one sentence, by role."""
    if record.decided_at is not None and record.decided_by is not None:
        reason = f" ({words.reason(record.reason)})" if record.reason else ""
        return (
            f"{record.decided_by.capitalize()} {words.STATES[record.state].lower()} it{reason} "
            f"on {words.moment(record.decided_at)} UTC. Nothing was overwritten."
        )
    return (
        f"The record changed while you looked at it: it is now {words.STATES[record.state].lower()}, "
        f"version {record.version}. Nothing was overwritten."
    )


def to_problem(error: Exception) -> Problem:
    """The problem that an error stands for. Raises the error itself when it is none of ours."""
    if isinstance(error, NotFound):
        return Problem("/problems/not-found", "No such near miss", 404, "There is no near miss with this id.")
    if isinstance(error, VersionConflict):
        now = error.record
        return Problem(
            "/problems/version-conflict", "Changed meanwhile", 409, conflict_sentence(now), current=current_state(now)
        )
    if isinstance(error, NotPossible):
        now = error.record
        detail = f"{conflict_sentence(now)} {not_possible(now.state, error.move)}"
        return Problem("/problems/illegal-move", "Not possible in this state", 409, detail, current=current_state(now))
    if isinstance(error, Invalid):
        errors = tuple({"field": problem.field, "message": problem.message} for problem in error.problems)
        return Problem("/problems/invalid", "Something is missing or wrong", 422, str(error), errors)
    if isinstance(error, RequestValidationError):
        found = error.errors()
        errors = tuple({"field": _path(each["loc"]), "message": str(each["msg"])} for each in found[:MOST_ERRORS])
        detail = "; ".join(f"{each['field']}: {each['message']}" for each in errors)
        if len(found) > MOST_ERRORS:
            detail += f"; and {len(found) - MOST_ERRORS:,} more"
        return Problem("/problems/invalid", "Something is missing or wrong", 422, detail, errors)
    if isinstance(error, Unavailable):
        return Problem(
            "/problems/unavailable",
            "Database unavailable",
            503,
            f"The database cannot serve now. Try the same again in {RETRY_AFTER_SECONDS} seconds; repeating is safe.",
        )
    if isinstance(error, TooLarge):
        return Problem("/problems/too-large", "Too large", 413, f"At most {LARGEST_BODY} bytes are read here.")
    if isinstance(error, HTTPException):
        return Problem("about:blank", str(error.detail), error.status_code, str(error.detail))
    raise error


def _path(location: tuple[Any, ...]) -> str:
    """`("body", "answers", "why")` as `answers.why`; a path of the body needs no prefix, a query parameter neither."""
    parts = [str(part)[:_LONGEST_NAME] for part in location if part not in ("body", "query", "path")]
    return ".".join(parts) or "body"


DEFECT = Problem(
    "/problems/defect",
    "Internal error",
    500,
    "A bug in nearmiss; the log has details. Nothing was changed unless it says so.",
)

HANDLED: tuple[type[Exception], ...] = (
    NotFound,
    VersionConflict,
    NotPossible,
    Invalid,
    RequestValidationError,
    Unavailable,
    TooLarge,
    HTTPException,
)


def install(app: FastAPI, render_page: Render) -> None:
    """Answer every error: as a page where people look, as problem+json everywhere else."""

    async def answer(request: Request, problem: Problem) -> Response:
        path = request.url.path
        if path.startswith(("/api/", *OPEN_PREFIXES)):
            return problem.response()
        return await render_page(request, problem)

    async def handle(request: Request, error: Exception) -> Response:
        return await answer(request, to_problem(error))

    async def handle_defect(request: Request, _error: Exception) -> Response:
        # Answered outside of the guard, which sets these headers everywhere else; the server logs the error.
        response = await answer(request, DEFECT)
        response.headers.update(dict(SECURITY_HEADERS))
        return response

    for kind in HANDLED:
        app.add_exception_handler(kind, handle)
    app.add_exception_handler(Exception, handle_defect)
