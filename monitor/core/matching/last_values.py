"""The last versions, settings, values and rotations of each thing, for derived facts about events evicted long ago.

Bounded by count for each key and by age; only what some fact asks for is kept. Each table is a function of the set of
events, in any order of arrival.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

from msgspec.structs import replace

from monitor.core.model.events import Event
from monitor.core.model.retention_policy import RETENTION
from monitor.core.model.watermark import BEGINNING
from monitor.core.resolving.harm import is_chat
from monitor.core.resolving.names import GUESSED
from monitor.core.resolving.told_acts import NOTE

MOST_VALUES = RETENTION.most_values
"""Entries that are remembered for each key, the newest."""

DELETED = ""
"""The revision of what is not there; no source can tell it."""

FLAG_VALUE_LABELS = ("value", "variation", "state", "enabled")
REVISION_LABELS = ("revision", "config_revision", "digest", "config_hash", "hash", "checksum", "version", "image")
"""Labels that name the content of something, the more exact ones first."""


def name_of_thing(event: Event) -> str | None:
    """What an event without a service is about; None where nobody says."""
    return event.labels.get("flag") or event.subject


def place_of(event: Event) -> str:
    """Where something runs; of no service it is the thing itself, since one thing's versions are not another's."""
    if event.service is None:
        return f"|{event.environment}|{name_of_thing(event)}"
    return f"{event.service}|{event.environment}"


def thing_of(event: Event) -> str:
    """One thing of a place: a configuration, a measured quantity, a certificate."""
    return f"{event.service}|{event.environment}|{event.subject}"


def measure_of(event: Event) -> str:
    """One measured quantity; the same thing may be counted in one unit and filled in another."""
    return f"{thing_of(event)}|{event.unit}"


def flag_of(event: Event) -> str:
    return f"{event.service}|{event.environment}|{event.labels.get('flag') or event.subject}"


def flag_value(event: Event) -> str | None:
    """What the flag was set to, as text; None where the event does not say."""
    for label in FLAG_VALUE_LABELS:
        if label in event.labels:
            return event.labels[label]
    return None if event.value is None else f"{event.value:g}"


def revision_of(event: Event) -> str | None:
    """What the thing is after the event, as text; None where the event does not say."""
    if event.kind == "change.deleted":
        return DELETED
    for label in REVISION_LABELS:
        if found := event.labels.get(label):
            return f"{label} {found}"
    if "value" in event.labels:
        return f"value {event.labels['value']}"
    return None if event.value is None else f"value {event.value:g}"


class _Table(NamedTuple):
    """What one kind of cell remembers: of which events, under which key, which value, for which facts."""

    kinds: frozenset[str]
    key: Callable[[Event], str]
    value: Callable[[Event], Any]
    type: Any
    keep: int
    facts: frozenset[str]


_MEASURED = frozenset(
    f"change.{did}"
    for did in ("deployed", "rolled_back", "configured", "flag_set", "scaled", "restarted", "failed_over", "ran")
) | {"alert.fired", "alert.escalated"}
"""Kinds whose value is compared with the one before. How an alert ended is no measurement of the danger."""

_PLACING = frozenset({"alert.fired", "alert.acknowledged", "incident.opened", "incident.updated"})
BELONGING = frozenset(
    {"responder.paged", "responder.joined", "note.added", "incident.updated", "incident.closed"}
    | {"alert.acknowledged", "alert.unacknowledged", "alert.escalated", "change.ran"}
)
"""Kinds that tools send about an incident of theirs without its service, such as an action that was run from it."""
_HARM = frozenset({"impact.started", "impact.ended"})
"""An update for stakeholders belongs to its incident too, and so does what a note on it tells.

Other harm without a service concerns everyone.
"""
_MEASURING = frozenset({"alertmanager", "prometheus", "grafana", "kubernetes", "zabbix", "icinga2", "datadog"})
"""Sources whose every alert names its service or never does: of these it is not remembered."""


def is_of_incident(event: Event) -> bool:
    """Whether it is harm that a note on an incident tells: of the incident's service, and else of none."""
    return event.kind in _HARM and event.service is None and not is_chat(event) and _is_told_in_note(event)


def _is_told_in_note(event: Event) -> bool:
    return NOTE in event.labels and "kind" in event.resolved_from


def incident_of(event: Event) -> str:
    """One incident of one tool."""
    return f"{event.source}|{event.subject}"


def _placing(event: Event) -> str | None:
    if event.subject is None or event.source.partition("/")[0] in _MEASURING:
        return None
    return event.service


TABLES: dict[str, _Table] = {
    "version": _Table(
        frozenset({"change.deployed", "change.rolled_back"}),
        place_of,
        lambda event: event.labels.get("version") or None,
        list[tuple[int, str]],
        RETENTION.last_value,
        frozenset({"rollback"}),
    ),
    "reverting": _Table(
        frozenset({"change.merged"}),
        lambda event: event.labels.get("version") or "",
        lambda event: (event.labels.get("version") and event.labels.get("reverts")) or None,
        list[tuple[int, str]],
        RETENTION.incident_service,
        frozenset({"rollback"}),
    ),
    "incident": _Table(
        _PLACING,
        incident_of,
        _placing,
        list[tuple[int, str]],
        RETENTION.incident_service,
        frozenset(),
    ),
    "record": _Table(
        frozenset({"incident.opened"}),
        incident_of,
        _placing,
        list[tuple[int, str]],
        RETENTION.incident_service,
        frozenset(),
    ),
    "setting": _Table(
        frozenset({"change.flag_set"}),
        flag_of,
        flag_value,
        list[tuple[int, str]],
        RETENTION.last_value,
        frozenset({"flipped_back"}),
    ),
    "revision": _Table(
        frozenset({"change.configured", "change.restored", "change.deleted"}),
        thing_of,
        lambda event: None if event.subject is None else revision_of(event),
        list[tuple[int, str]],
        RETENTION.last_value,
        frozenset({"put_back"}),
    ),
    "value": _Table(
        _MEASURED,
        measure_of,
        lambda event: None if event.subject is None else event.value,
        list[tuple[int, float]],
        RETENTION.measured_value,
        frozenset({"trend"}),
    ),
    "rotation": _Table(
        frozenset({"change.rotated"}),
        thing_of,
        lambda event: None if event.expires_at is None else int(event.expires_at),
        list[tuple[int, int]],
        RETENTION.last_value,
        frozenset({"lifetime_left"}),
    ),
}
"""By the name of their cells."""


class LastValues:
    """The tables, each (time, value) oldest first by key; and the drafts that opened, by service and subject."""

    def __init__(self) -> None:
        self.tables: dict[str, dict[str, list[tuple[int, Any]]]] = {name: {} for name in TABLES}
        self.drafts: dict[str, list[tuple[int, str]]] = {}
        self._by_kind: dict[str, tuple[str, ...]] = {}
        self._heard_since = dict.fromkeys(TABLES, BEGINNING)
        """By table: every key of it has been heard of since then, so that none has to be looked for before."""
        self.want(frozenset[str]().union(*(table.facts for table in TABLES.values())))

    def want(self, facts: Iterable[str]) -> None:
        """Record from now on what these derived facts need, and no more."""
        wanted = [name for name, table in TABLES.items() if not table.facts or not table.facts.isdisjoint(facts)]
        kinds = frozenset[str]().union(*(TABLES[name].kinds for name in wanted))
        self._by_kind = {kind: tuple(name for name in wanted if kind in TABLES[name].kinds) for kind in kinds}

    @property
    def kinds(self) -> frozenset[str]:
        """The kinds of events of which something is recorded."""
        return frozenset(self._by_kind)

    def record(self, event: Event) -> list[str]:
        """Remember what an event says; the cells (`table:key`) that changed.

        What is of no service and names no thing could be compared with anything: nothing of it is remembered.
        """
        changed: list[str] = []
        if event.service is None and event.kind != "change.merged" and name_of_thing(event) is None:
            return changed
        for name in self._by_kind.get(event.kind, ()):
            table = TABLES[name]
            value = table.value(event)
            if value is not None:
                key = table.key(event)
                if _remember(self.tables[name], key, (event.time, value)):
                    changed.append(f"{name}:{key}")
                    self._heard_since[name] = min(self._heard_since[name], event.time)
        return changed

    def before(self, table: str, key: str, at: int) -> list[tuple[int, Any]]:
        """What was remembered under a key of a table before a moment, oldest first."""
        entries = self.tables[table].get(key)
        return entries[: bisect_left(entries, (at,))] if entries else []

    def placed(self, event: Event) -> Event:
        """Completes an event about an incident with what the same tool said of the incident before.

        It has the incident's service; harm that an update reports began no earlier than the incident; and the end of a
        record that a person opened closes it, where the tool ends pages and records by the same word.
        """
        if event.subject is None:
            return event
        if event.kind == "alert.resolved":
            return self._closed(event)
        is_update = event.kind in _HARM and event.labels.get("evidence") == "status_post"
        if not (event.kind in BELONGING or is_update or _is_told_in_note(event)):
            return event
        if event.service is not None and not event.resolved_from.get("service", "").startswith(GUESSED):
            return event
        told = self.before("incident", incident_of(event), event.time + 1)
        if not told:
            return event
        said = {**event.resolved_from, "service": f"incident {event.subject}"}
        began_at = told[0][0] if is_update and event.began_at is None else event.began_at
        return replace(event, service=told[-1][1], began_at=began_at, resolved_from=said)

    def _closed(self, event: Event) -> Event:
        if not self.tables["record"] or not self.before("record", incident_of(event), event.time + 1):
            return event
        return replace(event, kind="incident.closed")

    def forget_before(self, moment: int) -> list[str]:
        """Forget keys of which nothing has been heard for long; the cells that went."""
        gone = []
        for name, keys in self.tables.items():
            oldest = moment - TABLES[name].keep
            if self._heard_since[name] >= oldest:
                continue
            old = [key for key, entries in keys.items() if entries[-1][0] < oldest]
            for key in old:
                del keys[key]
            gone += [f"{name}:{key}" for key in old]
            self._heard_since[name] = min((entries[-1][0] for entries in keys.values()), default=oldest)
        return gone


def _remember(kept: dict[str, list[tuple[int, Any]]], key: str, entry: tuple[int, Any]) -> bool:
    """Whether anything changed."""
    entries = kept.setdefault(key, [])
    if not entries or entry > entries[-1]:
        entries.append(entry)
    elif entry in entries:
        return False
    else:
        insort(entries, entry)
    if len(entries) > MOST_VALUES:
        del entries[:-MOST_VALUES]
    return True


def things_key(service: str | None, subject: str) -> str:
    """Under which the drafts of one subject of a service are remembered; differs from every recurrence key."""
    return f"{service}\x1f{subject}"
