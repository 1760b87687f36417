"""What people settle besides a decision: risk, snooze, team, sharing, what stays open, merge and split.

Reads what was sent and hands a legal move to the store; knows nothing of HTTP, pages or accounts.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum
from typing import TypeVar

import msgspec

from monitor.core.model.events import DAY, Instant
from monitor.core.model.near_miss import Move
from monitor.core.model.risk import Barrier, Handling, OpenUntil, Outcome, Risk, Share
from monitor.core.state.still_open import left_open
from monitor.ports import Clock, NearMisses, NotFound, Record, VersionConflict
from monitor.review.metrics import ReviewMetrics
from monitor.review.moving import Mover
from monitor.review.service import FieldProblem, Invalid

SETTLED_BY_PEOPLE: tuple[Move, ...] = (
    *(Move.ASSESS, Move.SNOOZE, Move.WAKE, Move.HAND_OVER, Move.SHARE, Move.KEEP_OPEN, Move.MERGE, Move.SPLIT),
)
LONGEST_DAYS = 365
LONGEST_CONDITION = 500
LONGEST_TEAM = 255

_Word = TypeVar("_Word", bound=StrEnum)


class Given(msgspec.Struct, frozen=True):
    """What a person sent, as text; each move reads its own fields.

    `days` counts from now; `condition` empty means that nothing is open any more; `watch` is the key of what the
    machine is to see closed; `into` is the other record's id.
    """

    move: str
    outcome: str = ""
    barrier: str = ""
    days: str = ""
    team: str = ""
    share: str = ""
    condition: str = ""
    watch: str = ""
    into: str = ""
    expected_version: int | None = None


class Settling:
    """The use case. Raises `monitor.ports.Unavailable` while the store is away."""

    def __init__(
        self,
        near_misses: NearMisses,
        clock: Clock,
        metrics: ReviewMetrics,
        teams: Callable[[], frozenset[str]] = frozenset,
    ) -> None:
        """`teams`: the owners that the catalogue knows; without any, every name is taken."""
        self._near_misses = near_misses
        self._clock = clock
        self._mover = Mover(near_misses, clock, metrics)
        self._teams = teams

    def teams(self) -> list[str]:
        return sorted(self._teams())

    async def settle(self, record_id: str, given: Given, by: str, sees: Callable[[Record], bool]) -> Record:
        """Raises NotFound, Invalid, NotPossible, VersionConflict; nothing of someone else's move is overwritten.

        `sees`: whether a record is there for this person; only into such a one can another be merged.
        """
        record = await self._near_misses.get(record_id)
        if given.move not in SETTLED_BY_PEOPLE:
            raise Invalid(FieldProblem("move", "expected " + ", ".join(SETTLED_BY_PEOPLE), "Choose what to settle."))
        what = Move(given.move)
        if given.expected_version is not None and given.expected_version != record.version:
            raise VersionConflict(record)
        self._mover.allow(record, what)
        watched = None
        if what is Move.KEEP_OPEN:
            given, watched = _to_watch(record, given, self._clock.now())
        handling = read(what, given, self._clock.now(), self._teams())
        if watched is not None:
            handling = msgspec.structs.replace(handling, open_until=watched)
        return await self._mover.make(
            record,
            what,
            by,
            handling=handling,
            note=_note(what, given),
            expected_version=given.expected_version,
            merged_into=await self._target(record, given, sees) if what is Move.MERGE else None,
        )

    async def _target(self, record: Record, given: Given, sees: Callable[[Record], bool]) -> str:
        """The record to merge into, by its id or the address of its page. Raises Invalid."""
        into = given.into.strip().rstrip("/").rpartition("/")[2].partition("?")[0]
        try:
            other = await self._near_misses.get(into)
            if not sees(other):
                raise NotFound(into)
        except NotFound:
            problem = FieldProblem("into", "there is no record with this id", "There is no such record.")
            raise Invalid(problem) from None
        if other.draft.id == record.draft.id:
            raise Invalid(FieldProblem("into", "is this record itself; name the other one"))
        if other.merged_into is not None or str(other.state) in ("merged", "withdrawn"):
            raise Invalid(FieldProblem("into", f"is {other.state}; name a record that stands"))
        return other.draft.id


def _to_watch(record: Record, given: Given, now: Instant) -> tuple[Given, OpenUntil | None]:
    """What is to be watched, in its own words where the person gave none. Raises Invalid."""
    current = record.handling
    is_watched = current.open_until is not None and current.returns_at is not None and current.returns_at > now
    if is_watched and not given.watch and not given.condition.strip():
        problem = "is watched: nearmiss closes it as soon as an event says so, or asks when it comes back"
        raise Invalid(FieldProblem("condition", problem, f"It {problem}."))
    if not given.watch:
        return given, None
    known = {each.key: each for each in left_open(cited.event for cited in record.evidence)}
    if given.watch not in known:
        raise Invalid(FieldProblem("watch", "expected one of " + ", ".join(known), "Choose what is still open."))
    watched = known[given.watch]
    words = given.condition.strip() or watched.words[:LONGEST_CONDITION]
    return msgspec.structs.replace(given, condition=words), watched


def read(what: Move, given: Given, now: Instant, teams: frozenset[str]) -> Handling:
    """The value that a move settles. Raises Invalid with everything that is wrong."""
    if what is Move.ASSESS:
        outcome, barrier = _word(Outcome, given.outcome), _word(Barrier, given.barrier)
        wrong = [] if outcome else [_choose("outcome", Outcome, "Choose what could have happened at worst.")]
        wrong += [] if barrier else [_choose("barrier", Barrier, "Choose what still stood between.")]
        if outcome is None or barrier is None:
            raise Invalid(*wrong)
        return Handling(risk=Risk(outcome, barrier))
    if what is Move.SNOOZE:
        return Handling(returns_at=now + _days(given.days) * DAY)
    if what is Move.HAND_OVER:
        return Handling(team=_team(given.team.strip(), teams))
    if what is Move.SHARE:
        share = _word(Share, given.share)
        if share is None:
            raise Invalid(_choose("share", Share, "Choose who may see it."))
        return Handling(share=share)
    if what is Move.KEEP_OPEN:
        condition = given.condition.strip()
        if len(condition) > LONGEST_CONDITION:
            raise Invalid(
                FieldProblem("condition", f"has {len(condition)} characters; at most {LONGEST_CONDITION} are kept")
            )
        return Handling(open_condition=condition, returns_at=now + _days(given.days) * DAY) if condition else Handling()
    return Handling()


def _team(team: str, teams: frozenset[str]) -> str:
    if not team:
        raise Invalid(FieldProblem("team", "name a team"))
    if len(team) > LONGEST_TEAM:
        raise Invalid(FieldProblem("team", f"has {len(team)} characters; at most {LONGEST_TEAM} are kept"))
    if teams and team not in teams:
        known = ", ".join(sorted(teams)[:10])
        raise Invalid(FieldProblem("team", f"the catalogue knows no team {team!r}; it knows {known}"))
    return team


def _days(text: str) -> int:
    days = int(text) if text.isascii() and text.isdigit() and len(text) < 5 else 0
    if not 1 <= days <= LONGEST_DAYS:
        raise Invalid(FieldProblem("days", f"expected a whole number from 1 to {LONGEST_DAYS}"))
    return days


def _word(words: type[_Word], text: str) -> _Word | None:
    return words(text) if text in set(words) else None


def _choose(field: str, words: type[StrEnum], on_page: str) -> FieldProblem:
    return FieldProblem(field, "expected one of " + ", ".join(words), on_page)


def _note(what: Move, given: Given) -> str | None:
    """What the trail says beside the move."""
    told = {
        Move.ASSESS: f"{given.outcome}, {given.barrier}",
        Move.SNOOZE: f"for {given.days} d",
        Move.HAND_OVER: given.team.strip(),
        Move.SHARE: given.share,
        Move.KEEP_OPEN: given.condition.strip() or "nothing is open any more",
        Move.MERGE: given.into.strip(),
    }
    return told.get(what)
