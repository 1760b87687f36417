"""What people can do with a near miss: list, look, begin a review, decide, comment, reopen, read the trail.

Knows the ports and the legal moves; knows nothing of HTTP, pages or accounts. People arrive here as a role.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping

import msgspec

from monitor.core.model.events import DAY, SECOND, Actor, Event, Instant
from monitor.core.model.near_miss import DECIDED, Dismissal, IllegalMove, Mode, Move, State, move
from monitor.core.model.risk import Handling
from monitor.ops.logs import get_logger
from monitor.ports import (
    Answers,
    Audit,
    Clock,
    Decide,
    JournalWriter,
    NearMisses,
    Page,
    Query,
    Record,
    VersionConflict,
)
from monitor.review.budget import ReviewBudget
from monitor.review.emptiness import Emptiness, emptiness
from monitor.review.metrics import ReviewMetrics
from monitor.review.watching import WatchedCandidates

LONGEST_TEXT = 10_000
"""Characters that one answer, note or comment may have."""

ACCEPTED_RISK_FOR = 90 * DAY
"""So long a known, accepted risk stays out of the queue."""
MOST_SIMILAR = 30
"""Records of one service among which similar ones are looked for."""

IMPACT_SOURCE = "nearmiss/review"
REASONS: frozenset[str] = frozenset(Dismissal)
PEOPLE_MOVES: frozenset[Move] = frozenset({Move.START_REVIEW, Move.ACCEPT, Move.DISMISS, Move.REOPEN})

_log = get_logger("review")


class FieldProblem(msgspec.Struct, frozen=True):
    """What is wrong with one field: its path as the caller wrote it, and what was expected.

    `on_page`: the same for people, where `message` names values of the API.
    """

    field: str
    message: str
    on_page: str = ""

    @property
    def sentence(self) -> str:
        """The problem as a sentence for people."""
        said = self.on_page or self.message.rstrip(".")
        return f"{said[:1].upper()}{said[1:]}" + ("" if said.endswith((".", "?")) else ".")


class Invalid(Exception):
    """What a person sent cannot be carried out; nothing was changed. All problems at once."""

    def __init__(self, *problems: FieldProblem) -> None:
        super().__init__("; ".join(f"{problem.field}: {problem.message}" for problem in problems))
        self.problems = problems


class NotPossible(IllegalMove):
    """The record is in a state that does not allow the move; carries the record as it is now."""

    def __init__(self, record: Record, move: Move) -> None:
        super().__init__(record.state, move)
        self.record = record


class Decision(msgspec.Struct, frozen=True):
    """What a person wants done with a record, as it came in. `expected_version` is the version they looked at."""

    move: Move
    reason: str | None = None
    note: str | None = None
    answers: Answers | None = None
    expected_version: int | None = None


class Review:
    """The use cases. Every method may raise `monitor.ports.Unavailable`."""

    def __init__(
        self,
        near_misses: NearMisses,
        journal: JournalWriter,
        clock: Clock,
        metrics: ReviewMetrics,
        budget: ReviewBudget | None = None,
    ) -> None:
        self._near_misses = near_misses
        self.budget = budget or ReviewBudget(near_misses)
        self._journal = journal
        self._clock = clock
        self._metrics = metrics

    def now(self) -> Instant:
        return self._clock.now()

    async def page(self, query: Query, after: str | None, limit: int) -> Page:
        """One page of records. Raises Invalid when `after` is not a cursor that this service gave out."""
        try:
            return await self._near_misses.page(query, after, limit)
        except ValueError as error:
            raise Invalid(FieldProblem("after", "is not a cursor; send `next` of the previous page")) from error

    async def show(self, record_id: str) -> Record:
        """Raises NotFound."""
        return await self._near_misses.get(record_id)

    async def tallies(self) -> Mapping[tuple[State, Mode], int]:
        """How many records are in each state and mode, counted as far as `COUNTED`."""
        return await self._near_misses.tallies()

    async def emptiness(self, watched: WatchedCandidates) -> Emptiness:
        """Why there is nothing to review; where nothing is `watched`, the engines of this process may know more."""
        tallies = await self._near_misses.tallies()
        waiting = len(watched.candidates) or self._metrics.episodes_waiting()
        return emptiness(tallies, waiting, self._metrics.events_received.total(), watched.next_at)

    async def similar(self, record: Record, see: Callable[[Query], Query]) -> list[Record]:
        """Other records of the same service, those of the same rule first; at most six.

        `see` restricts a query to what the reader may see: who may see one record of a service need not see the others.
        """
        if record.draft.service is None:
            return []
        page = await self._near_misses.page(see(Query(services=(record.draft.service,))), None, MOST_SIMILAR)
        others = [other for other in page.records if other.draft.id != record.draft.id]
        rules = set(record.draft.rules)
        return sorted(others, key=lambda other: not rules & set(other.draft.rules))[:6]

    async def returning(self) -> tuple[int, int, int]:
        """How many drafts are snoozed, how many decided records come back later, and how many are due."""
        return await self._near_misses.returning(self._clock.now())

    async def audit(self, record_id: str) -> list[Audit]:
        """The trail, oldest first. Raises NotFound."""
        await self._near_misses.get(record_id)
        return await self._near_misses.audit(record_id)

    async def comment(self, record_id: str, text: str, by: str) -> None:
        """Raises NotFound, Invalid."""
        text = text.strip()
        if not text:
            raise Invalid(FieldProblem("text", "is empty"))
        problem = _too_long("text", text)
        if problem is not None:
            raise Invalid(problem)
        await self._near_misses.get(record_id)
        await self._near_misses.comment(record_id, by, text, self._clock.now())

    async def decide(self, record_id: str, decision: Decision, by: str) -> Record:
        """Carry a decision out. Raises NotFound, Invalid, NotPossible, VersionConflict; nothing is overwritten."""
        record = await self._near_misses.get(record_id)
        hit = users_hit(decision)
        try:
            _check_current(record, decision)
            check(record, decision)
            decided = await self._near_misses.decide(self._order(record_id, decision, by))
        except (IllegalMove, VersionConflict) as error:
            now = await self._near_misses.get(record_id)
            if hit:
                await self._report_again(now)
            if isinstance(error, VersionConflict):
                raise
            raise NotPossible(now, decision.move) from error
        self._count(record, decided, decision)
        _log.info("near_miss_decided", record=record_id, decision=str(decision.move), reason=decision.reason, by=by)
        if hit:
            await self._report_impact(record, decided)
        return decided

    def _order(self, record_id: str, decision: Decision, by: str) -> Decide:
        return Decide(
            record_id=record_id,
            move=decision.move,
            by=by,
            at=self._clock.now(),
            expected_version=decision.expected_version,
            reason=decision.reason if decision.move is Move.DISMISS else None,
            note=decision.note or None,
            answers=decision.answers,
            handling=Handling(returns_at=_expires(decision, self._clock.now())),
        )

    async def _report_impact(self, before: Record, decided: Record) -> None:
        """Once for a record. A report that is known although nobody made it was forged, and must not stand for it."""
        events = impact_events(decided, self._clock.now())
        if all((await self._journal.append(events)).fresh) or await self._was_reported(before, decided):
            return
        _log.error("impact_report_forged", record=decided.draft.id, event_id=events[-1].id)
        mark = f"-{decided.version}"
        await self._journal.append([msgspec.structs.replace(event, id=event.id + mark) for event in events])

    async def _was_reported(self, before: Record, decided: Record) -> bool:
        """Whether somebody had said that users were hit before this decision, which the trail has too."""
        trail = await self._near_misses.audit(before.draft.id)
        said = sum(line.reason == Dismissal.HAD_USER_IMPACT for line in trail)
        return before.answers.users_hit is True or said > (decided.reason == Dismissal.HAD_USER_IMPACT)

    async def _report_again(self, record: Record) -> None:
        """Make up for an impact report that was lost after its decision had been kept.

        The decision and the journal are two stores. Where the second was away, the person tries again and is told that
        the record is decided already; the report, which has one identity for ever, is written then.
        """
        if record.reason == Dismissal.HAD_USER_IMPACT or record.answers.users_hit:
            await self._journal.append(impact_events(record, self._clock.now()))

    def _count(self, before: Record, after: Record, decision: Decision) -> None:
        self._metrics.decisions.inc(decision.move, decision.reason)
        if after.state in DECIDED and before.decided_at is None:
            since = before.created_at if before.created_at is not None else before.draft.opened_at
            self._metrics.review_latency.observe(max(0, self._clock.now() - since) / SECOND)


def _expires(decision: Decision, now: Instant) -> Instant | None:
    """A risk that is accepted is accepted for a while."""
    accepted = decision.move is Move.DISMISS and decision.reason == Dismissal.SAME_AS_KNOWN_ACCEPTED_RISK
    return Instant(now + ACCEPTED_RISK_FOR) if accepted else None


def users_hit(decision: Decision) -> bool:
    """Whether the person says that users were hit."""
    if decision.move is Move.DISMISS and decision.reason == Dismissal.HAD_USER_IMPACT:
        return True
    return decision.answers is not None and decision.answers.users_hit is True


def impact_events(record: Record, at: Instant) -> tuple[Event, Event]:
    """The impact that a reviewer reports, from the first sign to safe: one for a record, however often it is said.

    Its end comes first. Impact without an end counts for a day, and would take back drafts that it never touched
    between the two events.
    """
    draft = record.draft
    mark = hashlib.sha256(draft.id.encode()).hexdigest()[:24]
    started = Event(
        id=f"users-hit-{mark}",
        source=IMPACT_SOURCE,
        time=draft.first_sign_at,
        kind="impact.started",
        service=draft.service,
        environment=draft.environment,
        subject=draft.id,
        title="Reviewer: users were hit",
        actor=Actor(kind="human"),
        labels={"evidence": "reviewer", "record": draft.id},
        began_at=draft.first_sign_at,
        received_at=at,
    )
    ended = msgspec.structs.replace(started, id=f"users-hit-{mark}-end", time=draft.safe_at, kind="impact.ended")
    return ended, started


def check(record: Record, decision: Decision) -> None:
    """Whether the decision says what it must. Raises Invalid with everything that is missing."""
    problems = list(_lengths(decision))
    if decision.move not in PEOPLE_MOVES:
        problems.append(
            FieldProblem("decision", "expected accept, dismiss, start_review or reopen", "Choose accept or dismiss.")
        )
    if decision.move is Move.ACCEPT:
        problems += _check_accept(record, decision)
    if decision.move is Move.DISMISS:
        problems += _check_dismiss(decision)
    if problems:
        raise Invalid(*problems)


def _check_accept(record: Record, decision: Decision) -> list[FieldProblem]:
    answers = decision.answers or record.answers
    problems = []
    if not answers.why_near_miss.strip():
        problems.append(FieldProblem("answers.why_near_miss", "say in one sentence why this was a near miss"))
    if answers.users_hit is True:
        problems.append(
            FieldProblem(
                "answers.users_hit",
                "users were hit, so this is an incident: dismiss it with had_user_impact",
                "Users were hit, so it is an incident: dismiss it as “Users were hit”.",
            )
        )
    if answers.users_hit is None and record.draft.verdict == "unknown":
        problems.append(FieldProblem("answers.users_hit", "impact is unverified: say whether users were hit"))
    return problems


_CHOOSE_REASON = "Choose a reason."


def _check_dismiss(decision: Decision) -> list[FieldProblem]:
    if not decision.reason:
        return [FieldProblem("reason", "choose why it is not a near miss: " + ", ".join(Dismissal), _CHOOSE_REASON)]
    if decision.reason not in REASONS:
        return [FieldProblem("reason", f"{decision.reason!r} is not one of " + ", ".join(Dismissal), _CHOOSE_REASON)]
    answered_no = decision.answers is not None and decision.answers.users_hit is False
    if decision.reason == Dismissal.HAD_USER_IMPACT and answered_no:
        return [FieldProblem("answers.users_hit", "reason and answer contradict each other about users")]
    return []


def _lengths(decision: Decision) -> list[FieldProblem]:
    texts = {"note": decision.note or ""}
    if decision.answers is not None:
        for name in ("why_near_miss", "what_saved_it", "what_next_time"):
            texts[f"answers.{name}"] = getattr(decision.answers, name)
    found = (_too_long(field, text) for field, text in texts.items())
    return [problem for problem in found if problem is not None]


def _too_long(field: str, text: str) -> FieldProblem | None:
    if len(text) <= LONGEST_TEXT:
        return None
    return FieldProblem(field, f"has {len(text)} characters; at most {LONGEST_TEXT} are kept")


def _check_current(record: Record, decision: Decision) -> None:
    """Somebody else's move is told before anything is said about the form: it makes the form moot."""
    if decision.expected_version is not None and decision.expected_version != record.version:
        raise VersionConflict(record)
    if decision.move in PEOPLE_MOVES:
        move(record.state, decision.move)
