"""The same thing done to several drafts: first shown, then done one by one, each with its line in the trail; undone.

A draft that changed since it was shown is left alone and told. Knows no HTTP and no page.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Literal, get_args

import msgspec

from monitor.core.model.near_miss import UNDECIDED, Dismissal, IllegalMove, Move
from monitor.ports import NotFound, Query, Record, VersionConflict
from monitor.review.problems import to_problem
from monitor.review.service import Decision, FieldProblem, Invalid, Review
from monitor.review.settling import Given, Settling

MOST = 200
"""Drafts at once."""
Deed = Literal["dismiss", "snooze", "reopen", "wake"]
_DEEDS: dict[str, Deed] = {each: each for each in get_args(Deed)}
UNDO: dict[Deed, Deed] = {"dismiss": "reopen", "snooze": "wake"}
REASONS: tuple[Dismissal, ...] = tuple(each for each in Dismissal if each is not Dismissal.HAD_USER_IMPACT)
"""That users were hit is reported as impact of that one time: it needs a look of its own."""


class BulkItem(msgspec.Struct, frozen=True):
    """A draft as somebody saw it."""

    id: str
    version: int

    @property
    def text(self) -> str:
        return f"{self.version}:{self.id}"


class BulkOrder(msgspec.Struct, frozen=True):
    """What is to be done: `reason` and `note` of a dismissal, `days` of a snooze, as they came in."""

    do: Deed
    items: tuple[BulkItem, ...]
    reason: str = ""
    note: str = ""
    days: str = ""


class BulkOutcome(msgspec.Struct, frozen=True):
    """What became of one: the record as it is now, and why nothing was done where nothing was."""

    record: Record
    problem: str = ""


class BulkPreview(msgspec.Struct, frozen=True):
    """What would be done: to which, which are left out since they are decided, and whether there are more."""

    records: tuple[Record, ...]
    decided: tuple[Record, ...]
    more: bool = False


def read_items(texts: Sequence[str]) -> tuple[BulkItem, ...]:
    """Raises Invalid."""
    found = []
    for text in dict.fromkeys(texts):
        version, _, name = text.partition(":")
        if not (name and version.isascii() and version.isdigit() and len(version) < 10):
            raise Invalid(FieldProblem("item", "expected a version, a colon and an id", "Choose the drafts again."))
        found.append(BulkItem(name, int(version)))
    if not found:
        raise Invalid(FieldProblem("item", "choose at least one draft"))
    if len(found) > MOST:
        raise Invalid(FieldProblem("item", f"has {len(found)} drafts; at most {MOST} at once"))
    return tuple(found)


def read_deed(text: str) -> Deed:
    """Raises Invalid."""
    deed = _DEEDS.get(text)
    if deed is None:
        raise Invalid(FieldProblem("do", "expected one of " + ", ".join(_DEEDS), "Choose what to do with them."))
    return deed


class Bulk:
    """The use case. `may`: whether the caller may decide on a record; others do not exist for them."""

    def __init__(self, review: Review, settling: Settling) -> None:
        self._review = review
        self._settling = settling

    async def preview(self, query: Query, names: Sequence[str], may: Callable[[Record], bool]) -> BulkPreview:
        """Of the drafts with these ids, or without any of all that the query lists. Raises Unavailable."""
        if names:
            query = msgspec.structs.replace(query, only=frozenset(names))
        page = await self._review.page(query, None, MOST)
        seen = [record for record in page.records if may(record)]
        return BulkPreview(
            tuple(record for record in seen if record.state in UNDECIDED),
            tuple(record for record in seen if record.state not in UNDECIDED),
            page.next is not None,
        )

    async def apply(self, order: BulkOrder, by: str, may: Callable[[Record], bool]) -> list[BulkOutcome]:
        """One after the other: what fails stops none of the others. Raises Invalid where the order itself is wrong."""
        if order.do == "dismiss" and order.reason not in set(REASONS):
            raise Invalid(FieldProblem("reason", "choose why they are no near misses", "Choose a reason."))
        found = []
        for item in order.items:
            try:
                record = await self._review.show(item.id)
            except NotFound:
                continue
            if may(record):
                found.append(await self._one(order, item, record, by, may))
        return found

    async def _one(
        self, order: BulkOrder, item: BulkItem, record: Record, by: str, may: Callable[[Record], bool]
    ) -> BulkOutcome:
        try:
            if order.do in ("dismiss", "reopen"):
                reason = order.reason if order.do == "dismiss" else None
                decision = Decision(Move(order.do), reason, order.note or None, None, item.version)
                return BulkOutcome(await self._review.decide(item.id, decision, by))
            given = Given(order.do, days=order.days, expected_version=item.version)
            return BulkOutcome(await self._settling.settle(item.id, given, by, may))
        except (VersionConflict, IllegalMove) as error:
            return BulkOutcome(await self._review.show(item.id), to_problem(error).detail)
