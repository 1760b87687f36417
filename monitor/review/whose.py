"""Whose queue somebody looks at: a team's, their own teams', or everybody's; the address says it, a cookie keeps it.

Narrows a query within what the person may see. Knows people and teams, and no record.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import cast
from urllib.parse import quote, unquote

from fastapi import Request
from starlette.responses import Response

from monitor.ports import Query
from monitor.review.auth import Person
from monitor.review.permissions import Gate

MINE = "mine"
EVERYBODY = "*"
LONGEST = 255
_YEAR_SECONDS = 365 * 24 * 3600


class Whose:
    """What is kept is a cookie for each person, so that no store holds who looks at what."""

    def __init__(self, gate: Gate, teams: Callable[[], frozenset[str]]) -> None:
        """`teams`: the owners that the catalogue knows."""
        self._gate = gate
        self._teams = teams

    def kept(self, request: Request) -> str:
        """What the person chose last; without a choice their own teams, where they have some beside all others."""
        person = _person(request)
        kept = unquote(request.cookies.get(_cookie(person), ""))
        if kept == EVERYBODY or kept in self._offered(person):
            return kept
        grants = person.grants
        return MINE if grants.everywhere is not None and grants.teams else EVERYBODY

    def choices(self, request: Request) -> list[tuple[str, str]]:
        """What may be chosen, with its words; nothing where there is no choice."""
        person = _person(request)
        offered = self._offered(person)
        words = [(each, "My teams" if each == MINE else each) for each in offered]
        return [(EVERYBODY, "All teams"), *words] if offered else []

    def keep(self, request: Request, answer: Response, whose: str) -> None:
        """Have the browser remember it for this person."""
        answer.set_cookie(
            _cookie(_person(request)),
            quote(whose, safe=""),
            max_age=_YEAR_SECONDS,
            httponly=True,
            samesite="lax",
            secure=request.url.scheme == "https",
        )

    def see(self, request: Request, query: Query, whose: str | None = None) -> Query:
        """The query for what the person may see and looks at; None: what is kept."""
        grants = _person(request).grants
        query = self._gate.within(grants, query)
        whose = self.kept(request) if whose is None else whose
        if whose == EVERYBODY:
            return query
        return self._gate.of_teams(query, frozenset(grants.teams) if whose == MINE else frozenset({whose}))

    def _offered(self, person: Person) -> list[str]:
        own = person.grants.teams
        known = self._teams() if person.grants.everywhere is not None else self._teams() & set(own)
        return [*([MINE] if own else []), *sorted(known)]


def _person(request: Request) -> Person:
    return cast(Person, request.state.person)


def _cookie(person: Person) -> str:
    return f"nearmiss_team_{hashlib.sha256(person.known_as.encode()).hexdigest()[:8]}"
