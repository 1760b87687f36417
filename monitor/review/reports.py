"""What a person tells without being asked: "this nearly went wrong", or "I noticed this and let it be".

Turns a report into events of the journal, once however often it is sent. Decides what a report must say; whether it
becomes a draft is the rules' business. Must not know how it was sent.
"""

from __future__ import annotations

import hashlib
from enum import StrEnum

import msgspec

from monitor.core.model.events import DAY, MINUTE, Actor, Event, Instant
from monitor.core.model.near_miss import ReportKind
from monitor.ops.logs import get_logger
from monitor.ports import Clock, JournalWriter
from monitor.review.metrics import ReviewMetrics
from monitor.review.service import IMPACT_SOURCE, FieldProblem, Invalid

LONGEST_STORY = 2_000
"""Characters of what somebody saw."""
LONGEST_TITLE = 200
LONGEST_NAME = 255
LONGEST_TOKEN = 200
MOST_ATTACHED = 20
LONGEST_ATTACHED = 600
"""Characters of the name of one attached event, and how many there may be."""
ANONYMOUS = "anonymous"
OLDEST = 30 * DAY
"""What lies further back is no longer remembered, so that nothing could be attached to it."""
AHEAD = 5 * MINUTE
"""How far a clock of somebody's machine may be ahead of ours."""

_log = get_logger("review")


class Hurt(StrEnum):
    """Whether users were hit, as far as the person knows."""

    NO = "no"
    YES = "yes"
    UNKNOWN = "unknown"


class Report(msgspec.Struct, frozen=True):
    """A report as it came in. `seen_at` in microseconds; `token` is the sender's own, the same for a repetition.

    `attached`: events around it that the person keeps, each as source, a space and its id. `anonymous`: not even the
    role is written down; the token is then the only way back to it.
    """

    token: str
    kind: str
    service: str
    story: str
    seen_at: Instant | None
    hurt: str
    environment: str | None = None
    anonymous: bool = False
    attached: tuple[str, ...] = ()


class Reports:
    """The use case. Raises `monitor.ports.Unavailable` while the journal is away."""

    def __init__(self, journal: JournalWriter, clock: Clock, metrics: ReviewMetrics) -> None:
        self._journal = journal
        self._clock = clock
        self._metrics = metrics

    def now(self) -> Instant:
        return self._clock.now()

    async def tell(self, report: Report, role: str) -> tuple[Event, bool]:
        """Make the report durable: its event, and whether it was new. Raises Invalid with everything that is wrong."""
        now = self._clock.now()
        problems = check(report, now)
        if problems:
            raise Invalid(*problems)
        events = report_events(report, role, now)
        appended = await self._journal.append(events)
        fresh = appended.fresh[-1]
        if fresh:
            self._metrics.reports.inc(ReportKind(report.kind))
            _log.info(
                "reported", event_id=events[-1].id, report=report.kind, service=report.service, by=_by(report, role)
            )
        return events[-1], fresh


def check(report: Report, now: int) -> list[FieldProblem]:
    """What is wrong with a report, field by field."""
    problems = []
    if not 8 <= len(report.token) <= LONGEST_TOKEN:
        message = f"has {len(report.token)} characters; send 8 to {LONGEST_TOKEN} of your own, the same when you repeat"
        problems.append(FieldProblem("token", message))
    if report.kind not in set(ReportKind):
        problems.append(FieldProblem("kind", "say which: " + " or ".join(ReportKind), "Choose what it was."))
    if not _one_line(report.service):
        problems.append(FieldProblem("service", "name the service"))
    if not _one_line(report.story):
        problems.append(FieldProblem("story", "describe what you saw in a sentence"))
    for field, text, most in (
        ("service", report.service, LONGEST_NAME),
        ("story", report.story, LONGEST_STORY),
        ("environment", report.environment or "", LONGEST_NAME),
    ):
        if len(text) > most:
            problems.append(FieldProblem(field, f"has {len(text)} characters; at most {most} are kept"))
    if len(report.attached) > MOST_ATTACHED:
        message = f"has {len(report.attached)} events; at most {MOST_ATTACHED} are kept"
        problems.append(FieldProblem("attached", message))
    if any(" " not in each.strip() or len(each) > LONGEST_ATTACHED for each in report.attached):
        problems.append(FieldProblem("attached", "name each event by its source, a space and its id"))
    if report.seen_at is None:
        problems.append(FieldProblem("seen_at", "give date and time"))
    elif report.seen_at > now + AHEAD:
        problems.append(FieldProblem("seen_at", "is in the future; times are in UTC"))
    elif report.seen_at < now - OLDEST:
        problems.append(FieldProblem("seen_at", f"is more than {OLDEST // DAY} days ago"))
    if report.hurt not in set(Hurt):
        problems.append(
            FieldProblem("hurt", "say whether users were hit: " + ", ".join(Hurt), "Say whether users were hit.")
        )
    return problems


def event_id_of(token: str) -> str:
    """The id of the event that a report with this token becomes; the token does not follow from it."""
    return f"report-{hashlib.sha256(token.encode()).hexdigest()[:24]}"


def _by(report: Report, role: str) -> str:
    return ANONYMOUS if report.anonymous else role


def report_events(report: Report, role: str, at: Instant) -> tuple[Event, ...]:
    """The note that rules look for; before it, where users were hit, the impact that makes it no near miss.

    The note is dated when it was told, and `began_at` is when it was seen: a time in the past could come too late for
    everything around it. The end of the impact goes before its beginning, since impact without an end counts for a day.
    """
    assert report.seen_at is not None
    story = _one_line(report.story)
    role = _by(report, role)
    labels = {"report": report.kind, "hurt": report.hurt, "reported_by": role}
    if report.attached:
        labels["attached"] = "\n".join(_one_line(each) for each in report.attached)
    if len(story) > LONGEST_TITLE:
        labels["told"] = story
    seen_at = min(report.seen_at, at)
    note = Event(
        id=event_id_of(report.token),
        source=IMPACT_SOURCE,
        time=at,
        kind="note.added",
        service=_one_line(report.service),
        environment=_one_line(report.environment or "") or None,
        title=_cut(story),
        actor=Actor(kind="human"),
        labels=labels,
        began_at=seen_at,
        received_at=at,
    )
    if report.hurt != Hurt.YES:
        return (note,)
    started = msgspec.structs.replace(
        note, id=f"{note.id}-hurt", time=seen_at, kind="impact.started", subject=note.id,
        title="Reported: users were hit", labels={"evidence": "user_report", "reported_by": role},
    )  # fmt: skip
    ended = msgspec.structs.replace(started, id=f"{note.id}-hurt-end", time=at, kind="impact.ended")
    return ended, started, note


def _one_line(text: str) -> str:
    return " ".join("".join(each if each.isprintable() else " " for each in text).split())


def _cut(text: str) -> str:
    return text if len(text) <= LONGEST_TITLE else text[: LONGEST_TITLE - 1].rstrip() + "…"
