"""The queue page: which records it shows, whose, its tabs and paging; and the stream that says when to look again."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Annotated, Literal
from urllib.parse import urlencode

import msgspec
from fastapi import APIRouter, Query, Request
from starlette.exceptions import HTTPException
from starlette.responses import HTMLResponse, RedirectResponse, Response, StreamingResponse

from monitor.core.model.near_miss import UNDECIDED, Mode, State
from monitor.ports import Query as Wanted
from monitor.ports import Record
from monitor.queue_ports import COUNTED, MODES
from monitor.review.api import fold
from monitor.review.live import Live
from monitor.review.rendering import Pages
from monitor.review.service import Review
from monitor.review.setup import Setup
from monitor.review.watching import Watching
from monitor.review.whose import EVERYBODY, LONGEST, MINE, Whose

View = Literal["review", "watching", "folded", "digest", "later", "accepted", "dismissed", "withdrawn", "all"]
Show = Literal["review", "folded", "digest", "later", "accepted", "dismissed", "withdrawn", "all"]

See = Callable[[Wanted], Wanted]
"""Restricts a query to what a person may see."""

PAGE_SIZE = 25
MOST_STEPPED = 200
"""Drafts of the queue among which the draft page steps to the next."""

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


def build_pages(
    review: Review,
    live: Live,
    pages: Pages,
    whose: Whose,
    watching: Watching,
    setup: Callable[[], Setup] = Setup,
) -> APIRouter:
    router = APIRouter(include_in_schema=False, default_response_class=HTMLResponse)

    @router.get("/")
    async def queue(
        request: Request,
        show: Show = "review",
        service: Annotated[str, Query(max_length=200)] = "",
        rule: Annotated[str, Query(max_length=200)] = "",
        text: Annotated[str, Query(max_length=200)] = "",
        after: Annotated[str, Query(max_length=2000)] = "",
        team: Annotated[str, Query(max_length=LONGEST)] = "",
    ) -> Response:
        states, modes = _VIEWS[show]
        filters = {"service": service.strip(), "rule": rule.strip(), "text": text.strip()}
        kept = whose.kept(request)
        if not team and kept != EVERYBODY:
            # The address says what is shown, so that it can be handed to somebody else.
            return RedirectResponse(_link(show, {**filters, "team": kept}, after), 303)
        team = team or EVERYBODY
        wanted = Wanted(
            states=states,
            services=(filters["service"],) if filters["service"] else (),
            rules=(filters["rule"],) if filters["rule"] else (),
            modes=modes,
            text=filters["text"] or None,
            due_at=review.now() if show == "review" else None,
            asleep_at=review.now() if show == "later" else None,
        )
        wanted = whose.see(request, wanted, team)
        beyond = await review.budget.folded()
        narrow = wanted.teams if wanted.within is not None else None
        folded = len(beyond) if narrow is None else review.budget.folded_of(narrow)
        filtered = any(filters.values())
        if show == "folded" or (show == "review" and not filtered):
            wanted = fold(wanted, beyond, show == "folded", review.budget.shown)
        page = await review.page(wanted, after or None, PAGE_SIZE)
        watched = await watching.look(wanted)
        context = {
            "page": page,
            "emptiness": None if page.records else await review.emptiness(watched),
            "learning_until": setup().learning_until(review.now()),
            "gaps": () if page.records else setup().gaps,
            "folded": beyond,
            "folded_here": folded,
            "a_week": review.budget.a_week,
            "unfold": _link("folded", {"team": team}, None),
            "whose": team,
            "whose_words": _words(team),
            "teams": whose.choices(request),
            "show": show,
            "filters": filters,
            "filtered": filtered,
            "tabs": await _tabs(review, show, folded, team, watched.count, is_narrow=narrow is not None),
            "more": _link(show, {**filters, "team": team}, page.next) if page.next else None,
            "first_page": not after,
            "clear": _link(show, {"team": team}, None),
            "everywhere": _link("all", {**filters, "team": team}, None) if show != "all" else None,
            "origin": str(request.base_url).rstrip("/"),
            "now": review.now(),
        }
        answer = pages.render(request, "queue.html", context)
        if team != kept:
            whose.keep(request, answer, team)
        return answer

    @router.get("/watching")
    async def still_watched(request: Request, team: Annotated[str, Query(max_length=LONGEST)] = "") -> Response:
        team = team or whose.kept(request)
        within = whose.see(request, Wanted(), team)
        watched = await watching.look(within)
        narrow = within.teams if within.within is not None else None
        beyond = await review.budget.folded()
        folded = len(beyond) if narrow is None else review.budget.folded_of(narrow)
        tabs = await _tabs(review, "watching", folded, team, watched.count, is_narrow=narrow is not None)
        context = {"candidates": watched.candidates, "tabs": tabs, "whose_words": _words(team), "now": review.now()}
        return pages.render(request, "watching.html", context)

    @router.get("/events")
    async def events() -> Response:
        if live.is_full:
            raise HTTPException(503, "Too many open pages; this one does not update itself")
        headers = {"cache-control": "no-store", "x-accel-buffering": "no"}
        return StreamingResponse(live.stream(), headers=headers, media_type="text/event-stream")

    return router


async def following(review: Review, record: Record, see: See) -> Record | None:
    """The draft to judge after this one."""
    states, modes = _VIEWS["review"]
    wanted = await _unfolded(review, see(Wanted(states=states, modes=modes, due_at=review.now())))
    page = await review.page(wanted, None, 2)
    return next((other for other in page.records if other.draft.id != record.draft.id), None)


async def neighbour(review: Review, record_id: str, step: int, see: See) -> Record | None:
    """The draft before or after this one in the queue; the first where this one is not in it."""
    states, modes = _VIEWS["review"]
    wanted = await _unfolded(review, see(Wanted(states=states, modes=modes, due_at=review.now())))
    listed = (await review.page(wanted, None, MOST_STEPPED)).records
    here = next((place for place, other in enumerate(listed) if other.draft.id == record_id), None)
    there = 0 if here is None else here + step
    return listed[there] if 0 <= there < len(listed) else None


async def _unfolded(review: Review, wanted: Wanted) -> Wanted:
    beyond = await review.budget.folded()
    return fold(wanted, beyond, folded=False, shown=review.budget.shown)


def _words(team: str) -> str:
    return {MINE: "your teams", EVERYBODY: ""}.get(team, team)


async def _tabs(review: Review, current: View, folded: int, team: str, watched: str, *, is_narrow: bool) -> list[Tab]:
    """The views with their counts, which are those of all teams. Without folded drafts these need no tab."""
    numbers: dict[View, str] = {"folded": str(folded)} if is_narrow else await _numbers(review, folded)
    numbers["watching"] = watched
    return [
        Tab(name, label, numbers.get(name, ""), _link(name, {"team": team}, None), name == current)
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


def _link(show: View, filters: dict[str, str], after: str | None) -> str:
    path = "/watching" if show == "watching" else "/"
    given = {"show": "" if show in ("review", "watching") else show, **filters, "after": after or ""}
    if given.get("team") == EVERYBODY:
        del given["team"]
    query = urlencode({name: value for name, value in given.items() if value})
    return f"{path}?{query}" if query else path
