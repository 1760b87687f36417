"""What is wrong with a form, field by field, in the order of the page: for the summary, the fields and the focus."""

from __future__ import annotations

from collections.abc import Iterable

from monitor.review.service import FieldProblem

_ORDER = (
    *("decision", "why_near_miss", "what_saved_it", "what_next_time", "users_hit", "reason", "note", "text"),
    *("outcome", "barrier", "days", "team", "into", "share", "condition"),
    *("token", "kind", "service", "story", "seen_at", "hurt", "environment"),
)
"""The fields of all forms as they follow each other on their pages."""


class Errors(dict[str, str]):
    """A sentence for each field that is wrong; a field that is right has an empty one."""

    def __missing__(self, field: str) -> str:
        return ""

    @property
    def first_wrong(self) -> str:
        """The field that gets the focus."""
        return next(iter(self), "")


def errors_of(problems: Iterable[FieldProblem]) -> Errors:
    """The first problem of each field, in words for people."""
    found: dict[str, str] = {}
    for problem in problems:
        found.setdefault(problem.field.removeprefix("answers."), problem.sentence)
    return Errors(sorted(found.items(), key=lambda each: _ORDER.index(each[0]) if each[0] in _ORDER else len(_ORDER)))
