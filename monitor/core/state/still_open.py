"""What a story left open, as the machine can see it close: a silence, a flag, redundancy below its limit, a deadline.

Proposes from the evidence, chooses nothing; and finds what closed one among later events. Pure.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from monitor.core.matching.last_values import flag_of, flag_value
from monitor.core.model.events import Event, Instant
from monitor.core.model.risk import OpenUntil
from monitor.core.state.alerts import alert_key

CLOSES: dict[str, frozenset[str]] = {
    "silence": frozenset({"alert.silenced"}),
    "flag": frozenset({"change.flag_set"}),
    "redundancy": frozenset({"alert.resolved", "alert.fired"}),
    "deadline": frozenset({"change.rotated"}),
}
"""The kinds of event that can close each."""


def left_open(evidence: Iterable[Event]) -> tuple[OpenUntil, ...]:
    """What the evidence began and does not end itself; the last of each thing, by time."""
    ordered = sorted(evidence, key=lambda event: event.time)
    found: dict[tuple[str, str], OpenUntil] = {}
    for event in ordered:
        found = {key: each for key, each in found.items() if closed_by(each, [event]) is None}
        if (one := _begins(event)) is not None:
            found[one.what, one.thing] = one
    return tuple(found.values())


def closed_by(condition: OpenUntil, events: Sequence[Event]) -> Event | None:
    """The first event after its beginning by which the condition no longer holds."""
    for event in sorted(events, key=lambda event: event.time):
        if event.time > condition.since and event.kind in CLOSES[condition.what] and _ends(condition, event):
            return event
    return None


def has_run_out(condition: OpenUntil, now: Instant) -> bool:
    """Whether it ends by itself and has: a silence does. A deadline that passed is no end of the danger."""
    return condition.what == "silence" and condition.until is not None and now >= condition.until


def _begins(event: Event) -> OpenUntil | None:
    name = event.subject or event.title or ""
    service, at = event.service, int(event.time)
    if event.kind == "alert.silenced" and event.subject is not None:
        until = None if event.expires_at is None else int(event.expires_at)
        return OpenUntil("silence", alert_key(event), service, at, f"The silence over {name} is on", until)
    if event.kind == "change.flag_set" and (value := flag_value(event)) is not None:
        flag = event.labels.get("flag") or event.subject or ""
        return OpenUntil("flag", flag_of(event), service, at, f"The flag {flag} is {value}", value=value)
    if event.kind == "alert.fired" and _is_below(event):
        said = f"{event.value:g} of {event.limit:g} {event.unit or ''}".strip()
        return OpenUntil("redundancy", alert_key(event), service, at, f"{name}: {said} left")
    if event.kind == "alert.fired" and event.expires_at is not None and event.subject is not None:
        until = int(event.expires_at)
        return OpenUntil("deadline", event.subject, service, at, f"{name} has not been renewed", until)
    return None


def _ends(condition: OpenUntil, event: Event) -> bool:
    match condition.what:
        case "silence":
            ended = event.expires_at is not None and event.expires_at <= event.time
            return ended and alert_key(event) == condition.thing
        case "flag":
            value = flag_value(event)
            return flag_of(event) == condition.thing and value is not None and value != condition.value
        case "redundancy":
            well = event.kind == "alert.resolved" or not _is_below(event)
            return well and alert_key(event) == condition.thing
        case "deadline":
            later = event.expires_at is not None and condition.until is not None and event.expires_at > condition.until
            return later and event.subject == condition.thing


def _is_below(event: Event) -> bool:
    return event.bound == "min" and event.value is not None and event.limit is not None and event.value < event.limit
