"""You were told: which earlier near misses an incident with impact resembles, and by what. Pure.

subject   a cited event is about the same thing
key       the same alert on the same service
pattern   the same alert on another service
barrier   the same service, and what caught it then was tried again shortly before
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Literal

import msgspec

from monitor.chat.alerts import name_of
from monitor.chat.bulletin import Bulletin, Line, Section
from monitor.chat.slack_blocks import page_of
from monitor.chat.texts import one_line
from monitor.core.model.durations import say_duration
from monitor.core.model.events import DAY, HOUR, Event, Instant
from monitor.core.model.near_miss import Cited, State
from monitor.ports import Record
from monitor.review import wording as words

By = Literal["subject", "key", "pattern", "barrier"]
WITHIN = 180 * DAY
AROUND = HOUR
"""Alerts and changes of the hour before the impact count as its signs."""
MOST = 20

_SAID: dict[By, str] = {
    "subject": "about the same thing",
    "key": "the same alert",
    "pattern": "the same alert on another service",
    "barrier": "caught then by what was tried again now",
}


class Earlier(msgspec.Struct, frozen=True):
    """A near miss that came before. `at` in microseconds."""

    record: str
    title: str
    at: int
    state: str
    by: tuple[By, ...]

    @property
    def why(self) -> str:
        return ", ".join(_SAID[each] for each in self.by)


def is_incident(event: Event) -> bool:
    """Whether users are hit by something new; not what a reviewer says of a draft that we know."""
    return event.kind == "impact.started" and "record" not in event.labels


def earlier(impact: Event, around: Iterable[Event], records: Sequence[Record]) -> list[Earlier]:
    """The strongest and then the newest first. All events have their names resolved."""
    near = [event for event in around if impact.time - AROUND <= event.time <= impact.time]
    here = [event for event in near if event.service == impact.service]
    alerts = [event for event in here if event.kind == "alert.fired"]
    subjects = {event.subject for event in (impact, *alerts) if event.subject}
    names = {
        name_of(event) for event in (impact, *alerts) if event.kind == "alert.fired" or "alertname" in event.labels
    }
    acts = {event.kind for event in here if event.kind.startswith("change.")}
    found = []
    for record in records:
        draft = record.draft
        if draft.safe_at >= impact.time or draft.opened_at < impact.time - WITHIN:
            continue
        hazards = [cited.event for cited in draft.evidence if cited.role == "hazard"]
        caught = [cited.event for cited in draft.evidence if cited.role == "intervention"]
        is_here = impact.service is not None and impact.service in (draft.service, *draft.services)
        by: list[By] = []
        if subjects & _subjects(draft.evidence):
            by.append("subject")
        if names & {name_of(event) for event in hazards}:
            by.append("key" if is_here else "pattern")
        if is_here and acts & {event.kind for event in caught}:
            by.append("barrier")
        if by:
            found.append(Earlier(draft.id, one_line(draft.title), int(draft.opened_at), str(record.state), tuple(by)))
    found.sort(key=lambda each: (-len(each.by), -each.at, each.record))
    return found[:MOST]


def _subjects(evidence: Iterable[Cited]) -> set[str]:
    return {
        cited.event.subject for cited in evidence if cited.role in ("hazard", "intervention") and cited.event.subject
    }


def told_bulletin(impact: Event, found: Sequence[Earlier], address: str) -> Bulletin:
    """What is posted where the incident is."""
    what = impact.title or impact.subject or "users are hit"
    where = f"{impact.service}: " if impact.service else ""
    lines = tuple(
        Line(f"{each.title} ({_ago(impact.time, each.at)}; {words.STATES[State(each.state)].lower()}; {each.why})",
             page_of(address, each.record))
        for each in found
    )  # fmt: skip
    url = f"{address.rstrip('/')}/told" if address else None
    return Bulletin(f"It was close before – {where}{what}", (Section("Earlier near misses", lines),), url)


def _ago(now: Instant, then: int) -> str:
    return f"{say_duration(max(0, now - then))} before"
