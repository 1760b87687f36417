"""The one step between decoders and engine: an event in a tool's words → the event in the organisation's words.

Called for every event that an engine reads, so that a corrected catalogue corrects history in replay and backtest. What
it rested on stands in `resolved_from`; what cannot be resolved stays as it was said.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
from msgspec.structs import replace

from monitor.core.model.catalogue import Catalogue
from monitor.core.model.events import Event, Severity
from monitor.core.model.words import Environments, plain, severity_of
from monitor.core.resolving.harm import HARMS, Harm, impact_of
from monitor.core.resolving.names import Names
from monitor.core.resolving.people import TELLING, People
from monitor.core.resolving.told_acts import act_of, act_told

SEVERITY_LABELS = ("severity", "priority", "level", "alertLevel", "urgency", "impact_level", "criticality")
"""Where tools put their own word for it, as far as decoders keep it."""
_GRADED = frozenset({"alert.fired", "alert.resolved", "alert.cancelled", "alert.escalated", "incident.opened"})
_ANNOUNCED = frozenset({"maintenance.started", "maintenance.ended"})
_LOOKED_AT = _GRADED | HARMS.keys() | _ANNOUNCED
_BY_NAME = frozenset(kind for kind in HARMS if kind.startswith("alert."))
"""Kinds whose names and labels alone say whether they may tell of harm; a record or a note has its words besides."""

_MOST_PLACES = 20_000
"""Places that are remembered. Names that anybody may send would pile up."""
UNTOLD: Severity = "warning"
"""A word for severity that nobody explained is no low one: rules take the alert for a sign."""


class Resolution(msgspec.Struct, frozen=True):
    """Where an event belongs, and by field what that rests on."""

    service: str | None
    environment: str | None
    said: dict[str, str]


_ASK = Resolution(None, None, {})
"""Not looked up yet."""


class Resolver:
    """Resolves by one catalogue."""

    def __init__(self, catalogue: Catalogue) -> None:
        self._names = Names(catalogue)
        self._environments = Environments(catalogue.production, catalogue.environments)
        self._severities = {plain(word): severity for word, severity in catalogue.severities.items()}
        self._harm = Harm(catalogue)
        self._people = People(catalogue)
        self._places: dict[tuple[str | None, str | None], Resolution | None] = {}

    def all(self, events: Sequence[Event]) -> list[Event]:
        """Every event resolved, in order; behind an alert that says that users are hurt, the impact that it tells."""
        places, looked_at, own, people = self._places, _LOOKED_AT, bool(self._severities), self._people.are_known
        harmless, telling, by_name = self._harm.hinted, self._harm.telling, _BY_NAME
        found: list[Event] = []
        append = found.append
        for event in events:
            labels, actor = event.labels, event.actor
            # What is as the organisation says, as most is, goes on at the cost of a few look-ups.
            if (
                places.get((event.service, event.environment), _ASK) is None
                and (actor is None or not (people or "@" in (actor.id or "") or not TELLING.isdisjoint(labels)))
                and (
                    event.kind not in looked_at
                    or (
                        event.kind in by_name
                        and event.severity is not None
                        and event.expires_at is None
                        and not own
                        and telling.isdisjoint(labels)
                        and harmless.get((event.source, event.title, labels.get("alertname"), labels.get("job")))
                        is False
                    )
                )
            ):
                append(event)
                continue
            resolved = self.resolve(event)
            append(resolved)
            if resolved is not event and (why := resolved.resolved_from.get("impact")) is not None:
                append(impact_of(resolved, why))
            if (kind := act_told(resolved)) is not None:
                append(act_of(resolved, kind))
        return found

    def resolve(self, event: Event) -> Event:
        """One event resolved. What is resolved already stays: the same words may mean something else to another."""
        if event.resolved_from:
            return event
        key = (event.service, event.environment)
        place = self._places.get(key, _ASK)
        if place is _ASK:
            place = self._place(event)
            if self._names.tells(event.service):
                if len(self._places) >= _MOST_PLACES:
                    self._places.clear()
                self._places[key] = place
        grade = self._grade(event) if event.kind in _GRADED else None
        may_hurt = event.kind in HARMS and self._harm.may_be(event)
        person = self._people.of(event) if self._people.may_be_named(event) else None
        scope = self._scope(event) if event.kind in _ANNOUNCED else None
        if place is None and grade is None and person is None and scope is None and not may_hurt:
            return event
        changes: dict[str, Any] = {}
        said: dict[str, str] = {}
        if place is not None:
            changes["service"], changes["environment"] = place.service, place.environment
            said = place.said
        if grade is not None:
            changes["severity"] = grade[0]
            said = {**said, "severity": grade[1]}
        if scope is not None:
            changes["labels"] = {**event.labels, "scope": scope}
            said = {**said, "scope": _by(event.labels["scope"], "names of services")}
        if person is not None:
            changes["actor"] = person[0]
            said = {**said, "actor": person[1]}
        if may_hurt and (harm := self._harm.of(replace(event, **changes))) is not None:
            said = {**said, "impact": harm}
        return replace(event, resolved_from=said, **changes) if said else event

    def _place(self, event: Event) -> Resolution | None:
        said: dict[str, str] = {}
        service, environment = event.service, event.environment
        if (found := self._names.of(event)) is not None:
            service = found[0]
            said["service"] = _by(event.service, found[1])
        if environment is not None and (meant := self._environments.resolve(environment)) != environment:
            said["environment"] = _by(environment, "table of environments")
            environment = meant
        return Resolution(service, environment, said) if said else None

    def _scope(self, event: Event) -> str | None:
        """The services that announced work lists, by the catalogue's names where its source has others."""
        listed = event.labels.get("scope")
        if not listed:
            return None
        names = [name for part in listed.split(",") if (name := part.strip())]
        joined = [self._names.joined(name, event.source) for name in names]
        return ",".join(joined) if joined != names else None

    def _grade(self, event: Event) -> tuple[Severity, str] | None:
        """Another severity than the decoder understood, and why: the organisation's own table comes first."""
        if event.severity is not None and not self._severities:
            return None
        words = [word for label in SEVERITY_LABELS if (word := event.labels.get(label))]
        own = next((self._severities[spelt] for word in words if (spelt := plain(word)) in self._severities), None)
        grade = own or event.severity or next(filter(None, map(severity_of, words)), None)
        if grade is None and words and event.kind.startswith("alert."):
            return UNTOLD, _by(words[0], "no table has this word: taken for a sign")
        if grade is None or grade == event.severity:
            return None
        return grade, _by(", ".join(words), "table of severities")


def _by(was: str | None, how: str) -> str:
    """How a field came to its value, and what was said."""
    return how if was is None else f"{how} (said: {was})"
