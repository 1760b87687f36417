"""The views of the queue: what each lists and for whom, how many records it has, and its address.

Shared by the page and by what is done to several drafts at once. Knows no template.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal
from urllib.parse import urlencode

import msgspec
from fastapi import Request

from monitor.core.model.near_miss import UNDECIDED, Mode, State
from monitor.ports import Query
from monitor.ports.queue import COUNTED, MODES
from monitor.review.api import Sort, fold
from monitor.review.service import Review
from monitor.review.whose import EVERYBODY, Whose

View = Literal["review", "watching", "folded", "digest", "later", "accepted", "dismissed", "withdrawn", "all"]
Show = Literal["review", "folded", "digest", "later", "accepted", "dismissed", "withdrawn", "all"]

SORTS: tuple[tuple[Sort, str], ...] = (
    ("", "Highest rank first"),
    ("newest", "Newest first"),
    ("oldest", "Oldest first"),
)
"""What an address may say, with its words."""

_OPEN = tuple(sorted(UNDECIDED))
_VIEWS: dict[Show, tuple[tuple[State, ...], tuple[Mode, ...]]] = {
    "review": (_OPEN, ("live",)),
    "folded": (_OPEN, ("live",)),
    "digest": (_OPEN, ("digest",)),
    "later": ((), ()),
    "accepted": ((State.ACCEPTED,), ()),
    "dismissed": ((State.DISMISSED,), ()),
    "withdrawn": ((State.WITHDRAWN,), ()),
    "all": ((), ()),
}
_LABELS: dict[View, str] = {
    "review": "To review",
    "watching": "Watching",
    "folded": "Folded",
    "digest": "Digest",
    "later": "Later",
    "accepted": "Accepted",
    "dismissed": "Dismissed",
    "withdrawn": "Withdrawn",
    "all": "All",
}

_ONLY_WITH_ANY = ("watching", "folded", "later")


class Tab(msgspec.Struct, frozen=True):
    name: View
    label: str
    count: str
    href: str
    is_current: bool


class Filters(msgspec.Struct, frozen=True):
    """What an address says besides the view; an empty text restricts nothing."""

    service: str = ""
    rule: str = ""
    text: str = ""
    team: str = EVERYBODY
    sort: Sort = ""

    @property
    def narrows(self) -> bool:
        """Whether somebody looks for something: then folded drafts are found too."""
        return bool(self.service or self.rule or self.text)

    def of_team(self) -> Filters:
        """Whose it is, and nothing that is looked for."""
        return Filters(team=self.team, sort=self.sort)


class QueueListing(msgspec.Struct, frozen=True):
    """A view as a query, and the drafts that are folded: all of them, and how many are of those that are looked at."""

    query: Query
    beyond: frozenset[str]
    folded: int

    @property
    def is_narrow(self) -> bool:
        """Whether it is restricted to some teams."""
        return self.query.within is not None


class Views:
    """Makes queries of views. Every method may raise `monitor.ports.Unavailable`."""

    def __init__(self, review: Review, whose: Whose) -> None:
        self._review = review
        self._whose = whose

    async def listing(self, request: Request, show: Show, filters: Filters) -> QueueListing:
        states, modes = _VIEWS[show]
        now = self._review.now()
        wanted = Query(
            states=states,
            services=(filters.service,) if filters.service else (),
            rules=(filters.rule,) if filters.rule else (),
            modes=modes,
            text=filters.text or None,
            due_at=now if show == "review" else None,
            asleep_at=now if show == "later" else None,
            order=filters.sort or "rank",
        )
        wanted = self._whose.see(request, wanted, filters.team)
        budget = self._review.budget
        beyond = await budget.folded()
        if show == "folded" or (show == "review" and not filters.narrows):
            wanted = fold(wanted, beyond, show == "folded", budget)
        folded = len(beyond) if wanted.within is None else budget.folded_of(wanted.teams)
        return QueueListing(wanted, beyond, folded)

    def visible(self, request: Request, query: Query) -> Query:
        """The query for all that the person may see, whatever they look at."""
        return self._whose.see(request, query, EVERYBODY)

    async def to_review(self, request: Request) -> Query:
        """The drafts that the person is to judge, by what they look at."""
        return (await self.listing(request, "review", Filters(team=self._whose.kept(request)))).query


async def tabs_of(review: Review, current: View, listing: QueueListing, team: str, watched: str) -> list[Tab]:
    """The views with their counts, which are those of all teams. Without folded drafts these need no tab."""
    folded = str(listing.folded)
    numbers: dict[View, str] = {"folded": folded} if listing.is_narrow else await _numbers(review, listing.folded)
    numbers["watching"] = watched
    return [
        Tab(name, label, numbers.get(name, ""), link(name, Filters(team=team)), name == current)
        for name, label in _LABELS.items()
        if name not in _ONLY_WITH_ANY or numbers.get(name) != "0" or current == name
    ]


async def _numbers(review: Review, folded: int) -> dict[View, str]:
    """How many records each view has. Folded drafts are not among those to review."""
    tallies = await review.tallies()
    asleep, waiting, due = await review.returning()
    budget = review.budget
    if budget.a_week and tallies[State.DRAFT, "live"] > COUNTED:
        # The budget knows each draft that waits; only of those that are left the number is said.
        tallies = {**tallies, (State.DRAFT, "live"): budget.waiting}
        to_review = str(sum(tallies[state, "live"] for state in UNDECIDED) - folded - asleep + due)
    else:
        to_review = _counted([tallies[state, "live"] for state in UNDECIDED], less=folded + asleep - due)
    return {
        "review": to_review,
        "folded": str(folded),
        "digest": _counted(tallies[state, "digest"] for state in UNDECIDED),
        "later": str(asleep + waiting),
        "accepted": _counted(tallies[State.ACCEPTED, mode] for mode in MODES),
        "dismissed": _counted(tallies[State.DISMISSED, mode] for mode in MODES),
        "withdrawn": _counted(tallies[State.WITHDRAWN, mode] for mode in MODES),
        "all": _counted(tallies.values()),
    }


def _counted(tallies: Iterable[int], less: int = 0) -> str:
    """The sum of several tallies as a tab says it: `1,000+` where one of them was not counted to its end."""
    counted = list(tallies)
    return f"{COUNTED:,}+" if max(counted) > COUNTED else str(sum(counted) - less)


def link(show: View, filters: Filters, after: str | None = None) -> str:
    path = "/watching" if show == "watching" else "/"
    given = {
        "show": "" if show in ("review", "watching") else show,
        **msgspec.to_builtins(filters),
        "after": after or "",
    }
    if filters.team == EVERYBODY:
        del given["team"]
    query = urlencode({name: value for name, value in given.items() if value})
    return f"{path}?{query}" if query else path
