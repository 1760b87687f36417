"""Who may do what, in one table: each route and the access that it needs, for everything or for the record's team.

Other routes need the highest access. Knows people and records, not how they prove who they are.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from enum import StrEnum

import msgspec
from fastapi import Request
from starlette.exceptions import HTTPException

from monitor.core.model.budget import team_of
from monitor.core.model.catalogue import Catalogue
from monitor.core.model.risk import Share
from monitor.ops.logs import get_logger
from monitor.ports import NearMisses, NotFound, Query, Record

_log = get_logger("review")


class Access(StrEnum):
    """What somebody may do; each may do what those before it may."""

    VIEWER = "viewer"
    REVIEWER = "reviewer"
    LEAD = "lead"
    ADMIN = "admin"

    @property
    def height(self) -> int:
        return _ORDER.index(self)


_ORDER = tuple(Access)


class Grants(msgspec.Struct, frozen=True):
    """What one person may do: `everywhere`, and with records of single `teams` (the owners in the catalogue)."""

    everywhere: Access | None = None
    teams: dict[str, Access] = {}

    @property
    def highest(self) -> Access | None:
        return _higher(self.everywhere, *self.teams.values())

    def with_record(self, teams: frozenset[str]) -> Access | None:
        """What is allowed with a record of these teams."""
        return _higher(self.everywhere, *(access for team, access in self.teams.items() if team in teams))

    def at_most(self, other: Grants) -> bool:
        """Whether nothing of this goes beyond the other: nobody gives what they do not have."""
        if not _covers(other.everywhere, self.everywhere):
            return False
        return all(_covers(_higher(other.everywhere, other.teams.get(team)), own) for team, own in self.teams.items())

    def bounded_by(self, other: Grants) -> Grants:
        """What of this the other has as well."""
        found = {
            team: _lower(self.with_record(frozenset({team})), other.with_record(frozenset({team})))
            for team in self.teams.keys() | other.teams.keys()
        }
        teams = {team: access for team, access in found.items() if access is not None}
        return Grants(_lower(self.everywhere, other.everywhere), teams)


EVERYTHING = Grants(Access.ADMIN)

ROUTES: Mapping[str, Access] = {
    "GET /": Access.VIEWER,
    "GET /watching": Access.VIEWER,
    "GET /bulk": Access.REVIEWER,
    "POST /bulk": Access.REVIEWER,
    "GET /events": Access.VIEWER,
    "GET /setup": Access.VIEWER,
    "GET /sources": Access.VIEWER,
    "GET /feeds": Access.VIEWER,
    "GET /shift": Access.VIEWER,
    "GET /shift.md": Access.VIEWER,
    "GET /told": Access.VIEWER,
    "GET /chat": Access.VIEWER,
    "GET /api/v1/sources": Access.VIEWER,
    "GET /report": Access.REVIEWER,
    "POST /report": Access.REVIEWER,
    "GET /account": Access.VIEWER,
    "POST /account/sessions/{session_id}/end": Access.VIEWER,
    "GET /near-misses/{record_id}": Access.VIEWER,
    "GET /near-misses/{record_id}/step/{direction}": Access.VIEWER,
    "GET /near-misses/{record_id}/learning": Access.VIEWER,
    "GET /near-misses/{record_id}/learning.ics": Access.VIEWER,
    "POST /near-misses/{record_id}/survey": Access.REVIEWER,
    "GET /near-misses/{record_id}/export": Access.VIEWER,
    "GET /near-misses/{record_id}/panel/{decision}": Access.REVIEWER,
    "POST /near-misses/{record_id}/decision": Access.REVIEWER,
    "POST /near-misses/{record_id}/comments": Access.REVIEWER,
    "POST /near-misses/{record_id}/settle": Access.REVIEWER,
    "GET /near-misses/{record_id}/settle": Access.VIEWER,
    "POST /near-misses/{record_id}/evidence": Access.REVIEWER,
    "GET /near-misses/{record_id}/evidence": Access.VIEWER,
    "GET /near-misses/{record_id}/{form}": Access.VIEWER,
    "GET /api/v1/near-misses": Access.VIEWER,
    "GET /api/v1/near-misses/{record_id}": Access.VIEWER,
    "GET /api/v1/near-misses/{record_id}/audit": Access.VIEWER,
    "GET /api/v1/near-misses/{record_id}/export": Access.VIEWER,
    "GET /api/v1/export.csv": Access.VIEWER,
    "GET /api/v1/pack": Access.VIEWER,
    "POST /api/v1/near-misses/{record_id}/decision": Access.REVIEWER,
    "POST /api/v1/near-misses/{record_id}/comments": Access.REVIEWER,
    "POST /api/v1/near-misses/{record_id}/settle": Access.REVIEWER,
    "GET /api/v1/near-misses/{record_id}/around": Access.VIEWER,
    "POST /api/v1/near-misses/{record_id}/evidence": Access.REVIEWER,
    "POST /api/v1/reports": Access.REVIEWER,
    "GET /api/v1/reports/around": Access.REVIEWER,
    "POST /api/v1/reports/follow": Access.VIEWER,
    "GET /api/v1/tokens": Access.ADMIN,
    "POST /api/v1/tokens": Access.ADMIN,
    "DELETE /api/v1/tokens/{token_id}": Access.ADMIN,
    "GET /api/v1/sessions": Access.ADMIN,
    "DELETE /api/v1/sessions/{session_id}": Access.ADMIN,
}
SHARING = Access.LEAD
"""What it takes to let a record be seen outside of the team."""


class Gate:
    """Asked before each route of the review. Raises HTTPException(403) and NotFound; refusals are logged."""

    def __init__(self, near_misses: NearMisses, catalogue: Callable[[], Catalogue]) -> None:
        self._near_misses = near_misses
        self._catalogue = catalogue

    async def __call__(self, request: Request) -> None:
        person = request.state.person
        route = f"{request.method.replace('HEAD', 'GET')} {request.scope['route'].path}"
        needed = ROUTES.get(route, Access.ADMIN)
        grants: Grants = person.grants
        if not _covers(grants.highest, needed):
            raise _refused(person.known_as, route, needed)
        record_id = request.path_params.get("record_id")
        if record_id is None or _covers(grants.everywhere, Access.ADMIN):
            return
        if grants.everywhere is not None and _covers(grants.everywhere, needed):
            return
        record = await self._near_misses.get(record_id)
        allowed = grants.with_record(self.teams_of(record))
        if allowed is None and record.handling.share is not Share.TEAM:
            allowed = Access.VIEWER
        if allowed is None:
            # Whether another team has such a record is its own business.
            _log.warning("access_refused", by=person.known_as, route=route, needed=str(needed), record=record_id)
            raise NotFound(record_id)
        if not _covers(allowed, needed):
            raise _refused(person.known_as, route, needed)

    def teams_of(self, record: Record) -> frozenset[str]:
        """The owners of its services, and the team that it was handed to."""
        return teams_of(record, self._catalogue())

    def may(self, grants: Grants, needed: Access, record: Record) -> bool:
        """Whether the person has this access to the record."""
        return may(grants, needed, record, self._catalogue())

    def within(self, grants: Grants, query: Query) -> Query:
        """The query, for what this person may see."""
        return query if grants.everywhere is not None else self.of_teams(query, frozenset(grants.teams))

    def of_teams(self, query: Query, teams: frozenset[str]) -> Query:
        """The query for the records of some teams; one that is restricted to teams already stays within those."""
        if query.within is not None:
            teams &= query.teams
        catalogue = self._catalogue()
        owned = {name for name, service in catalogue.services.items() if service.owner in teams}
        # A service that nobody owns is a team by its own name; one of that name with another owner is not.
        owned.update(team for team in teams if team_of(catalogue, team) == team)
        return msgspec.structs.replace(query, within=frozenset(owned), teams=teams)

    def may_hear(self, team: str, record: Record) -> bool:
        """Whether a team may be told of the record."""
        return may_hear(team, record, self._catalogue())

    def sees(self, grants: Grants, record: Record) -> bool:
        """Whether the record is there at all for somebody with these grants."""
        return grants.everywhere is not None or grants.with_record(self.teams_of(record)) is not None


def teams_of(record: Record, catalogue: Catalogue) -> frozenset[str]:
    """The owners of its services, and the team that it was handed to."""
    owners = {team_of(catalogue, name) for name in (record.draft.service, *record.draft.services)}
    return frozenset(owners | ({record.handling.team} if record.handling.team else set()))


def may_hear(team: str, record: Record, catalogue: Catalogue) -> bool:
    """Whether a team may be told of the record: it is one of its own, or was shared beyond its teams."""
    return record.handling.share is not Share.TEAM or team in teams_of(record, catalogue)


def may(grants: Grants, needed: Access, record: Record, catalogue: Catalogue) -> bool:
    """Whether the grants give this access to the record."""
    return _covers(grants.everywhere, needed) or _covers(grants.with_record(teams_of(record, catalogue)), needed)


def owns(grants: Grants, service: str | None, catalogue: Catalogue) -> bool:
    """Whether the person may see what is said of a service: one of their teams', or any where they see all."""
    return grants.everywhere is not None or team_of(catalogue, service) in grants.teams


def may_share(grants: Grants, teams: frozenset[str]) -> bool:
    return _covers(grants.with_record(teams), SHARING)


def _refused(name: str, route: str, needed: Access) -> HTTPException:
    _log.warning("access_refused", by=name, route=route, needed=str(needed))
    return HTTPException(403, f"This needs the access of a {needed}; ask an admin of nearmiss for it.")


def _higher(*several: Access | None) -> Access | None:
    known = [access for access in several if access is not None]
    return max(known, key=lambda access: access.height) if known else None


def _lower(one: Access | None, other: Access | None) -> Access | None:
    return None if one is None or other is None else min(one, other, key=lambda access: access.height)


def _covers(has: Access | None, needed: Access | None) -> bool:
    return needed is None or (has is not None and has.height >= needed.height)
