"""Derived facts of one event: what follows from it together with the catalogue and what ran on its service before.

Each fact is a pure function of the event and of a `Lineage`; a fact that cannot be told is absent.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Callable
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec

from monitor.core.catalogue import Catalogue
from monitor.core.events import Event, Instant, to_datetime

REMEMBERED = 20
"""Versions and settings that are remembered per service and environment, or per flag."""

_OPPOSITES = frozenset(
    frozenset(pair)
    for pair in (("on", "off"), ("true", "false"), ("enabled", "disabled"), ("yes", "no"), ("1", "0"), ("100", "0"))
)

FLAG_VALUE_LABELS = ("value", "variation", "state", "enabled")


class Lineage(msgspec.Struct):
    """What was deployed and set before, oldest first: (time, version or value) by service and place."""

    versions: dict[str, list[tuple[int, str]]] = {}
    settings: dict[str, list[tuple[int, str]]] = {}

    def record(self, event: Event) -> str | None:
        """Remember a deployment or a flag's setting; the key that changed, or None."""
        if event.kind in ("change.deployed", "change.rolled_back") and (version := event.labels.get("version")):
            return _remember(self.versions, _place(event), (event.time, version))
        if event.kind == "change.flag_set" and (value := flag_value(event)) is not None:
            return _remember(self.settings, _flag(event), (event.time, value))
        return None


def _remember(kept: dict[str, list[tuple[int, str]]], key: str, entry: tuple[int, str]) -> str:
    entries = kept.setdefault(key, [])
    if not entries or entry > entries[-1]:
        entries.append(entry)
    elif entry not in entries:
        insort(entries, entry)
    if len(entries) > REMEMBERED:
        del entries[:-REMEMBERED]
    return key


def _place(event: Event) -> str:
    return f"{event.service}|{event.environment}"


def _flag(event: Event) -> str:
    return f"{event.service}|{event.environment}|{event.labels.get('flag') or event.subject}"


def flag_value(event: Event) -> str | None:
    """What the flag was set to, as text; None where the event does not say."""
    for label in FLAG_VALUE_LABELS:
        if label in event.labels:
            return event.labels[label]
    return None if event.value is None else f"{event.value:g}"


def _share(event: Event, catalogue: Catalogue, lineage: Lineage) -> object:
    return share(event)


def share(event: Event) -> float | None:
    """How much of the way to danger is used up: 1.0 is at the limit, above it is beyond.

    `max`: value / limit. `min`: limit / value, so that 2 of 6 replicas left gives 3. `expected`: the relative
    distance from what is expected. Without a bound the limit is taken as a ceiling.
    """
    if event.value is None or event.limit is None:
        return None
    if event.bound == "min":
        return event.limit / event.value if event.value > 0 else float("inf")
    if event.limit == 0:
        return None
    if event.bound == "expected":
        return abs(event.value - event.limit) / abs(event.limit)
    return event.value / event.limit


def _headroom(event: Event, catalogue: Catalogue, lineage: Lineage) -> object:
    if event.value is None or event.limit is None:
        return None
    return event.value - event.limit if event.bound == "min" else event.limit - event.value


def _time_left(event: Event, catalogue: Catalogue, lineage: Lineage) -> object:
    return None if event.expires_at is None else event.expires_at - event.time


def _previous_time_left(event: Event, catalogue: Catalogue, lineage: Lineage) -> object:
    return None if event.previous_expires_at is None else event.previous_expires_at - event.time


def actor_kind(event: Event, catalogue: Catalogue) -> str:
    """human, automation or unknown; the catalogue's list of automation wins over the source."""
    if event.actor is None:
        return "unknown"
    if event.actor.id is not None and event.actor.id in catalogue.automation:
        return "automation"
    return event.actor.kind


def _actor(event: Event, catalogue: Catalogue, lineage: Lineage) -> object:
    return actor_kind(event, catalogue)


def _off_rotation(event: Event, catalogue: Catalogue, lineage: Lineage) -> object:
    if event.actor is None or event.actor.on_call is None or actor_kind(event, catalogue) != "human":
        return None
    return not event.actor.on_call


def is_drill(event: Event) -> bool:
    drill = event.labels.get("drill")
    return drill is not None and drill.lower() not in ("", "false", "no", "0")


def _drill(event: Event, catalogue: Catalogue, lineage: Lineage) -> object:
    return is_drill(event)


def _off_hours(event: Event, catalogue: Catalogue, lineage: Lineage) -> object:
    known = catalogue.services.get(event.service or "")
    if known is None or known.hours is None:
        return None
    try:
        local = to_datetime(event.time).astimezone(ZoneInfo(known.hours.zone))
    except ZoneInfoNotFoundError:
        return None
    minute = local.hour * 60 + local.minute
    opens, closes = known.hours.opens, known.hours.closes
    within = opens <= minute < closes if opens <= closes else minute >= opens or minute < closes
    return not (within and local.isoweekday() in known.hours.days)


def _rollback(event: Event, catalogue: Catalogue, lineage: Lineage) -> object:
    """A version that ran here before comes back while another one runs."""
    if event.kind == "change.rolled_back":
        return True
    version = event.labels.get("version")
    if event.kind != "change.deployed" or version is None:
        return None
    entries = lineage.versions.get(_place(event))
    if entries is None or len(entries) < 2:
        return False
    before = entries[: bisect_left(entries, (event.time, ""))]
    return len(before) > 1 and before[-1][1] != version and any(ran == version for _, ran in before[:-1])


def _flipped_back(event: Event, catalogue: Catalogue, lineage: Lineage) -> object:
    """The flag returns to the setting that it had before its last change."""
    value = flag_value(event)
    if event.kind != "change.flag_set" or value is None:
        return None
    entries = lineage.settings.get(_flag(event), [])
    before = entries[: bisect_left(entries, (event.time, ""))]
    if not before:
        return None
    last = before[-1][1]
    if len(before) == 1:
        # What it was before the first setting that was seen is known only for switches.
        return frozenset({last.lower(), value.lower()}) in _OPPOSITES
    return last != value and before[-2][1] == value


_Derive = Callable[[Event, Catalogue, Lineage], object]
DERIVED: dict[str, _Derive] = {
    "share": _share,
    "headroom": _headroom,
    "time_left": _time_left,
    "previous_time_left": _previous_time_left,
    "rollback": _rollback,
    "flipped_back": _flipped_back,
    "off_hours": _off_hours,
    "actor": _actor,
    "off_rotation": _off_rotation,
    "drill": _drill,
}


_NOTHING = Event(id="", source="", time=Instant(0), kind="note.added")


class EventFacts:
    """The derived facts of one event, worked out when they are asked for. `event` may be set anew for the next one."""

    __slots__ = ("_catalogue", "_lineage", "event")

    def __init__(self, catalogue: Catalogue, lineage: Lineage, event: Event = _NOTHING) -> None:
        self._catalogue = catalogue
        self._lineage = lineage
        self.event = event

    def get(self, name: str, /) -> object:
        """Raises KeyError for a fact that does not exist."""
        return DERIVED[name](self.event, self._catalogue, self._lineage)
