"""Were users hit? The evidence for impact and the coverage behind "no impact", over a window and a scope.

A negative is a finding, never a silence: `none` needs a feed that looked through the whole window and saw nothing.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable
from itertools import pairwise
from statistics import median

import msgspec

from monitor.core.deciding.reach import Reach, may_be_in, serves_only
from monitor.core.matching.facts import maintenance_scope
from monitor.core.model.catalogue import Catalogue
from monitor.core.model.events import Event, EventId, Instant
from monitor.core.model.near_miss import FeedReport
from monitor.core.model.reasons import Missing
from monitor.core.model.retention_policy import RETENTION
from monitor.core.model.verdict_policy import POLICY
from monitor.core.resolving.names import lookalikes
from monitor.core.state.feeds import FeedKey, FeedReports, Feeds
from monitor.core.state.memory import EVERYONE, INCIDENT_KINDS, USERS_HURT, Memory

PERSON_EVIDENCE = frozenset({"ticket", "tickets", "user_report", "report", "call", "reviewer"})
AUDIT_EVIDENCE = frozenset({"audit_log"})
"""What only a rule that names it can rely on: an audit sees the misuse of a key, not an outage."""
PUBLIC_EVIDENCE = frozenset({"status_post"})
TOLD_EVIDENCE = PERSON_EVIDENCE | PUBLIC_EVIDENCE
"""What people tell of users; a probe and a budget tell of the very service that they measure."""

CHECKED_EVIDENCE = frozenset({"synthetic", "synthetic_check", "probe"})
"""What a check from outside tells: its recovery may come without its failure, as a status post's end does not."""
RETIRES_AFTER_INTERVALS = 4


class Span(msgspec.Struct, frozen=True):
    """A stretch of impact: from its onset to its end (microseconds), by which event, announced beforehand or not.

    `elsewhere`: outside the scope, and counted only while something that is cited has no place in the catalogue.
    `unplaced`: a person's report whose service is unknown. `lone`: a check's recovery without a reported failure.
    """

    start: int
    end: int
    event: Event
    planned: bool
    elsewhere: bool = False
    unplaced: bool = False
    lone: bool = False

    def overlaps(self, start: int, end: int) -> bool:
        return self.start <= end and self.end >= start


def is_planned(event: Event) -> bool:
    return event.labels.get("planned", "").lower() not in ("", "false", "no", "0")


def onset(event: Event) -> int:
    """When the impact began that an event reports."""
    if event.began_at is not None:
        return min(event.began_at, event.time)
    return event.time - POLICY.report_delay if is_vague_report(event) else event.time


def is_vague_report(event: Event) -> bool:
    """Whether a person reports impact without saying since when it lasts."""
    if event.kind != "impact.started" or event.began_at is not None:
        return False
    by_person = event.actor is not None and event.actor.kind == "human"
    return by_person or event.labels.get("evidence") in PERSON_EVIDENCE


def counts_until(span: Span, safe_at: int) -> int:
    """The last onset at which impact counts against an episode that was safe at this moment, beside its window.

    Impact elsewhere counts in the window alone.
    """
    if span.elsewhere:
        return safe_at
    return safe_at + (POLICY.reported_within if is_vague_report(span.event) else POLICY.reopen_within)


def impact_spans(memory: Memory, catalogue: Catalogue, reach: Reach, until: int, only: str | None = None) -> list[Span]:
    """What users suffered within reach, or everywhere, as far as known by `until`; `only`: by events on one service."""
    scope = reach.scope
    heard_of = memory.services_with("impact.started", "impact.ended", only=only)
    services = [*sorted(heard_of & scope), *({EVERYONE} & heard_of)]
    beside = heard_of - scope - {EVERYONE}
    services += sorted(
        name for name in beside if reach.strangers or not catalogue.knows(name) or serves_only(name, scope, catalogue)
    )
    starts: list[Event] = []
    ends: list[Event] = []
    far: set[EventId] = set()
    for event in memory.between(services, ("impact.started", "impact.ended"), until - RETENTION.impact, until):
        if catalogue.counts(event.environment) is False:
            continue
        if not _concerns(event, scope, catalogue):
            # Work that was announced elsewhere says nothing of a place that nobody knows.
            if not reach.strangers or is_planned(event):
                continue
            far.add(event.event_id)
        (starts if event.kind == "impact.started" else ends).append(event)
    spans = []
    used: set[EventId] = set()
    known = Ends(ends)
    for event in sorted(starts, key=_in_time):
        end = known.first(event)
        if end is not None:
            used.add(end.event_id)
        last = end.time if end else event.time + POLICY.never_ends
        lost = _is_unplaced(event, scope, catalogue)
        spans.append(Span(onset(event), last, event, is_planned(event), event.event_id in far, lost))
    alone = [event for event in ends if event.event_id not in used]
    for event in alone:
        by_check = event.labels.get("evidence") in CHECKED_EVIDENCE
        elsewhere = event.event_id in far
        spans.append(Span(onset(event), event.time, event, is_planned(event), elsewhere, lone=by_check))
    return spans


class Ends:
    """Which event ends an impact: the first known one about the same.

    On the same service: of the same subject, or, where one of the two names none, of the same source or evidence.
    Looked up: the sender decides how many there are of both.
    """

    def __init__(self, ends: Iterable[Event]) -> None:
        self._by: dict[tuple[str | None, str, str | None], list[Event]] = {}
        for event in sorted(ends, key=_in_time):
            evidence = event.labels.get("evidence")
            named = "" if event.subject is None else "named "
            for how, what in (("subject", event.subject), (named + "source", event.source), (named + "by", evidence)):
                self._by.setdefault((event.service, how, what), []).append(event)

    def first(self, start: Event) -> Event | None:
        evidence = start.labels.get("evidence")
        if start.subject is None:
            said = [(f"{named}{how}", what) for named in ("", "named ") for how, what in
                    (("source", start.source), ("by", evidence))]  # fmt: skip
        else:
            said = [("subject", start.subject), ("source", start.source), ("by", evidence)]
        found = []
        for how, what in said:
            ends = self._by.get((start.service, how, what), [])
            if (place := bisect_left(ends, start.time, key=_time)) < len(ends):
                found.append(ends[place])
        return min(found, key=_in_time, default=None)


def _concerns(event: Event, scope: frozenset[str], catalogue: Catalogue) -> bool:
    """In the scope, announced for everyone, or for something that the catalogue cannot place and that may be in it.

    Nothing negative follows from a name that nobody understood: users who were hit in a place that cannot be found may
    have been hit here.
    """
    if event.service is None or event.service in scope:
        return True
    if event.labels.get("evidence") in TOLD_EVIDENCE and serves_only(event.service, scope, catalogue):
        return True
    public = not catalogue.is_empty and event.labels.get("evidence") in PUBLIC_EVIDENCE
    return may_be_in(event.service, scope, catalogue) or (public and not catalogue.knows(event.service))


def _is_unplaced(event: Event, scope: frozenset[str], catalogue: Catalogue) -> bool:
    """Whether nobody knows where users were hurt: a person's report under no name, or under one that resembles none."""
    if catalogue.is_empty or event.labels.get("evidence") not in PERSON_EVIDENCE:
        return False
    if event.service is None:
        return True
    return (
        event.service not in scope
        and not catalogue.knows(event.service)
        and not lookalikes(event.service, catalogue.names)
    )


def _time(event: Event) -> Instant:
    return event.time


def _in_time(event: Event) -> tuple[int, str, str]:
    return (event.time, event.source, event.id)


def incident_key(event: Event) -> str:
    return f"{event.service}|{event.subject or event.labels.get('incident') or event.source}"


class IncidentView(msgspec.Struct, frozen=True):
    """An incident record as far as known: its span and the last word on users (None: never said)."""

    span: Span
    impact: str | None
    closed_at: int | None


def incidents(memory: Memory, catalogue: Catalogue, services: Iterable[str], until: int) -> list[IncidentView]:
    """The incident records of these services; the last word on impact counts."""
    by_key: dict[str, list[Event]] = {}
    heard_of = {name for name in services if memory.services_with(*INCIDENT_KINDS, only=name)}
    for event in memory.between(sorted(heard_of), INCIDENT_KINDS, until - RETENTION.impact, until):
        if catalogue.counts(event.environment) is not False:
            by_key.setdefault(incident_key(event), []).append(event)
    views = []
    for events in by_key.values():
        for group in _separate(sorted(events, key=_in_time)):
            closed = [event for event in group if event.kind == "incident.closed"]
            words = [event.labels["impact"] for event in group if "impact" in event.labels]
            start = min(onset(event) for event in group)
            closed_at = closed[-1].time if closed else None
            end = closed_at if closed_at is not None else group[0].time + POLICY.never_ends
            views.append(IncidentView(Span(start, end, group[0], False), words[-1] if words else None, closed_at))
    return views


def incident_spans(
    memory: Memory, catalogue: Catalogue, reach: Reach, until: int, only: str | None = None
) -> list[Span]:
    """The incidents with users hurt, within reach or on a name that may be, as far as known by `until`.

    `only`: those on one service.
    """
    # The others need not be put together: whoever sends decides how many records there are, on how many names.
    hurt = memory.services_hurt(only)
    around = reach.along
    beyond = {name for name in hurt - around if name}
    near = (hurt & around) | {
        name
        for name in beyond
        if serves_only(name, reach.scope, catalogue) or may_be_in(name, around - {EVERYONE}, catalogue)
    }
    spans = [view.span for view in incidents(memory, catalogue, near, until) if view.impact == USERS_HURT]
    if reach.strangers:
        views = incidents(memory, catalogue, beyond - near, until)
        spans += [msgspec.structs.replace(view.span, elsewhere=True) for view in views if view.impact == USERS_HURT]
    return spans


def _separate(events: list[Event]) -> list[list[Event]]:
    """Incidents without a subject share a key; a new opening after a closing begins another one."""
    groups: list[list[Event]] = []
    closed = True
    for event in events:
        if not groups or (event.kind == "incident.opened" and closed):
            groups.append([])
        groups[-1].append(event)
        closed = event.kind == "incident.closed" or (closed and event.kind != "incident.opened")
    return groups


class Window(msgspec.Struct, frozen=True):
    """What is judged: [start, end] in microseconds; `looked_until` is where the stream ended, or None."""

    start: int
    end: int
    looked_until: int | None = None

    @property
    def truncated(self) -> bool:
        return self.looked_until is not None and self.looked_until < self.end


class Coverage(msgspec.Struct, frozen=True):
    """Whether "no impact" was seen: each feed's part, user-facing services without a feed, and what is missing."""

    clear: bool
    reports: tuple[FeedReport, ...]
    unfed: tuple[str, ...]
    missing: tuple[str, ...]


def coverage(
    feeds: Feeds,
    catalogue: Catalogue,
    scope: frozenset[str],
    cited: frozenset[str],
    evidence: frozenset[str],
    window: Window,
) -> Coverage:
    """Judge the feeds that can see this harm: `scope` is upward from all cited services, `evidence` the rule's."""
    reports: list[FeedReport] = []
    fed: set[str] = set()
    facing = {service for service in scope if catalogue.is_user_facing(service)}
    for service in sorted(facing | (cited & scope) if evidence else facing):
        found = [
            _report(key, known, catalogue.freshness(key.service, key.source, key.evidence), window)
            for key, known in feeds.of(service)
            if _can_see(key.evidence, evidence)
            and _known_by(known, window.end)
            and (_is_named(catalogue, key) or not _is_retired(known, window))
        ]
        found += _silent(catalogue, service, evidence, feeds)
        if found:
            fed.add(service)
        reports += found
    missing = []
    if not reports:
        missing.append(str(Missing.NO_FEED))
    elif not all(report.clear for report in reports):
        missing.append(str(Missing.FEED_GAP))
    if window.truncated:
        missing.append(str(Missing.TRUNCATED))
    return Coverage(not missing, tuple(reports), tuple(sorted(facing - fed)), tuple(missing))


def _can_see(feed_evidence: str | None, wanted: frozenset[str]) -> bool:
    return feed_evidence in wanted if wanted else feed_evidence not in AUDIT_EVIDENCE


def _known_by(reports: FeedReports, moment: int) -> bool:
    return reports.last_before(moment) is not None or any(start <= moment for start, _ in reports.spans)


def _is_named(catalogue: Catalogue, key: FeedKey) -> bool:
    """Whether the catalogue names the feed: then its silence is a gap, however long it lasts."""
    return any(
        feed.service == key.service and feed.source in (None, key.source) and feed.evidence in (None, key.evidence)
        for feed in catalogue.feeds
    )


def _is_retired(reports: FeedReports, window: Window) -> bool:
    """Whether a feed reported once in all, or stopped well before the window; a later silence is a gap."""
    if any(start <= window.end and end >= window.start for start, end in reports.spans):
        return False
    last = reports.last_before(window.end)
    if last is None:
        return True
    before = reports.last_before(last - 1)
    if before is None:
        return True
    return last < window.start - max(POLICY.feed_retires, RETIRES_AFTER_INTERVALS * (last - before))


def _silent(catalogue: Catalogue, service: str, evidence: frozenset[str], feeds: Feeds) -> list[FeedReport]:
    """Feeds that the catalogue names and that have never reported: their silence is no evidence."""
    heard = [key for key, _ in feeds.of(service)]
    return [
        FeedReport(
            feed.source or "any source",
            service,
            feed.evidence,
            0,
            None,
            None,
            None,
            feed.freshness,
            False,
            "never reported",
        )
        for feed in catalogue.feeds
        if feed.service == service
        and _can_see(feed.evidence, evidence)
        and not any(feed.source in (None, key.source) and feed.evidence in (None, key.evidence) for key in heard)
    ]


def _report(key: FeedKey, reports: FeedReports, freshness: int | None, window: Window) -> FeedReport:
    """One feed over the window: without a gap longer than its freshness, one cadence allowed at the edges."""
    times = reports.between(window.start, window.end)
    gaps = [later - earlier for earlier, later in pairwise(times)]
    cadence = median(gaps) if gaps else None
    if freshness is None and cadence is not None:
        freshness = int(2 * cadence)
    clear, detail = _judge_times(times, gaps, freshness, cadence, window)
    if not clear and _spanned(reports.spans, times, freshness, window):
        clear, detail = True, "one report covers the whole window"
    return FeedReport(
        key.source,
        key.service,
        key.evidence,
        len(times),
        Instant(times[0]) if times else None,
        Instant(times[-1]) if times else None,
        max(gaps, default=None),
        freshness,
        clear,
        detail,
    )


def _judge_times(
    times: list[int], gaps: list[int], freshness: int | None, cadence: float | None, window: Window
) -> tuple[bool, str]:
    if not times:
        return False, "silent"
    if freshness is None:
        return False, "reported once: cadence unknown"
    if gaps and max(gaps) > freshness:
        return False, "silent for longer than its freshness"
    edge = cadence if cadence is not None else freshness
    if times[0] - window.start > edge:
        return False, "first report after the window began"
    if window.end - times[-1] > edge:
        return False, "stopped before the window ended"
    return True, "clear throughout"


def _spanned(spans: list[tuple[int, int]], times: list[int], freshness: int | None, window: Window) -> bool:
    """Whether spans looked back at, together with the regular reports, leave no hole in the window."""
    slack = freshness or 0
    covered = window.start
    # A report that says since when it looked was blind before that, however fresh it is.
    said = {end for _, end in spans}
    pieces = sorted([*spans, *((at if at in said else at - slack, at + slack) for at in times)]) if spans else []
    for start, end in pieces:
        if start > covered:
            return False
        covered = max(covered, end)
        if covered >= window.end:
            return True
    return False


def maintenance_covers(memory: Memory, catalogue: Catalogue, event: Event, until: int) -> bool:
    """Whether announced work on the event's own service covers it: ordinary signs only, never neighbours."""
    if event.severity == "critical" or event.kind.startswith("incident.") or event.service is None:
        return False
    announced = memory.services_with("maintenance.started")
    ends = list(
        memory.between(
            memory.services_with("maintenance.ended"), ("maintenance.ended",), event.time - RETENTION.impact, until
        )
    )
    for start in memory.between(announced, ("maintenance.started",), event.time - RETENTION.impact, event.time):
        if event.service not in maintenance_scope(start) or not _same_place(start, event):
            continue
        ended = [end.time for end in ends if end.time >= start.time and _same_work(end, start)]
        if event.time <= (min(ended) if ended else start.time + POLICY.never_ends):
            return True
    return False


def _same_place(start: Event, event: Event) -> bool:
    return None in (start.environment, event.environment) or start.environment == event.environment


def _same_work(end: Event, start: Event) -> bool:
    if end.subject is not None and start.subject is not None:
        return end.subject == start.subject
    return maintenance_scope(end) == maintenance_scope(start)
