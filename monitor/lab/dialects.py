"""The same events in other dialects: other ids, fewer labels, missing events, other names.

Each dialect is a pure change of one event and of the catalogue; it never depends on what else is in the stream.
"""

from __future__ import annotations

from collections.abc import Callable
from hashlib import blake2b

import msgspec

from monitor.core.model.catalogue import Alias, Catalogue
from monitor.core.model.events import Actor, Event

Change = Callable[[Event], Event | None]
Recatalogue = Callable[[Catalogue, frozenset[str]], Catalogue]
"""A catalogue, and the tools that are heard of, to the catalogue of an organisation that speaks so."""

LABELS_WITH_A_MEANING = frozenset(
    {"evidence", "planned", "impact", "drill", "version", "flag", "value", "variation", "state", "enabled", "scope"}
    | {"change", "incident", "caused_by", "deployment"}
)
"""What the event format itself gives a meaning (docs/reference/events.md)."""

SET_BY_DECODERS = frozenset(
    {"action", "actor_name", "alertname", "author", "branch", "commit", "container", "count", "direction"}
    | {"environment", "event_type", "fired_at", "group_key", "incident_key", "incident_number", "instance", "job"}
    | {"namespace", "node", "object", "object_kind", "pod", "previous_replicas", "previous_version", "priority"}
    | {"reason", "receiver", "ref", "replica_set", "replicas", "repository", "resolution", "reverts", "runbook_url"}
    | {"secret_type", "sender", "service", "service_id", "severity", "signal", "sloth_slo", "sloth_severity", "status"}
    | {"task", "text", "trigger", "urgency", "workflow"}
)
"""What a shipped decoder, or a common exporter behind it, sets."""

_LOST = 0.1
_FALL = 0.1
_WORDS = {"critical": "SEV_1", "high": "urgent", "warning": "yellow", "info": "fyi"}


class Dialect(msgspec.Struct, frozen=True):
    """`key` is its name, `told` what differs, `most_fall` how far recall may fall."""

    key: str
    told: str
    change: Change = lambda event: event
    recatalogue: Recatalogue = lambda catalogue, tools: catalogue
    most_fall: float | None = None

    def speak(self, events: list[Event]) -> list[Event]:
        """The events in this dialect, in their order; those that it loses are left out."""
        return [spoken for event in events if (spoken := self.change(event)) is not None]


def tool_of(event: Event) -> str:
    """The tool behind a source: `pagerduty` of `pagerduty/acme`."""
    return _tool(event.source)


def _tool(source: str | None) -> str:
    return (source or "").partition("/")[0]


def _mark(*parts: str) -> int:
    """A number from 0 to 2³² that only these texts decide."""
    return int.from_bytes(blake2b("\0".join(parts).encode(), digest_size=4).digest())


def _other_people(event: Event) -> Event:
    """One person has an id of its own in each tool; what is automation keeps its name, which catalogues list."""
    actor = event.actor
    if actor is None or actor.id is None or actor.kind == "automation":
        return event
    made = f"{tool_of(event)[:2]}{_mark(tool_of(event), actor.id):08x}"
    return msgspec.structs.replace(event, actor=Actor(made, actor.kind, actor.on_call))


def _notes_without_severity(event: Event) -> Event:
    return msgspec.structs.replace(event, severity=None) if event.kind == "note.added" else event


def _known_labels_only(event: Event) -> Event:
    kept = LABELS_WITH_A_MEANING | SET_BY_DECODERS
    labels = {name: value for name, value in event.labels.items() if name in kept}
    return msgspec.structs.replace(event, labels=labels)


def _no_resolves(event: Event) -> Event | None:
    return None if event.kind == "alert.resolved" else event


def _actors_unknown(event: Event) -> Event:
    return event if event.actor is None else msgspec.structs.replace(event, actor=Actor())


def _actors_automation(event: Event) -> Event:
    if event.actor is None or event.actor.kind == "automation":
        return event
    return msgspec.structs.replace(event, actor=Actor(f"{tool_of(event)}-bot", "automation"))


def other_name(tool: str, service: str) -> str:
    """What a tool calls a service: one habit a tool, drawn by its name."""
    spellings = (
        service,
        service.replace("-", " ").title(),
        f"svc-{service}",
        f"{service}-prod",
        service.replace("-", "_").upper(),
        f"{_mark('id', service):08x}",
    )
    return spellings[_mark(tool) % len(spellings)]


def _other_names(event: Event) -> Event:
    tool = tool_of(event)
    labels = event.labels
    if "scope" in labels:
        scope = ",".join(other_name(tool, name.strip()) for name in labels["scope"].split(",") if name.strip())
        labels = {**labels, "scope": scope}
    if event.service is None:
        return event if labels is event.labels else msgspec.structs.replace(event, labels=labels)
    return msgspec.structs.replace(event, service=other_name(tool, event.service), labels=labels)


def _with_aliases(catalogue: Catalogue, tools: frozenset[str]) -> Catalogue:
    """Each tool's new spelling of every name it used before becomes an alias."""
    known: dict[tuple[str, str], set[str]] = {}
    for tool in tools:
        for name in catalogue.services:
            known.setdefault((name, tool), set()).add(name)
        for alias in catalogue.aliases:
            if alias.by in ("name", "workload", "repository") or (alias.by == "source" and _tool(alias.of) == tool):
                known.setdefault((alias.service, tool), set()).add(alias.value)
    added = {(tool, other_name(tool, name)): service for (service, tool), names in known.items() for name in names}
    aliases = tuple(Alias(service, "source", name, tool) for (tool, name), service in sorted(added.items()))
    return msgspec.structs.replace(catalogue, aliases=catalogue.aliases + aliases)


def _without_aliases(catalogue: Catalogue, tools: frozenset[str]) -> Catalogue:
    return msgspec.structs.replace(catalogue, aliases=())


def _some_lost(event: Event) -> Event | None:
    return None if _mark("lost", event.source, event.id) < _LOST * 2**32 else event


def _severities_in_words(event: Event) -> Event:
    """The tool's own word stands in a label; the field says nothing."""
    if event.severity is None:
        return event
    return msgspec.structs.replace(event, severity=None, labels={**event.labels, "severity": _WORDS[event.severity]})


DIALECTS: tuple[Dialect, ...] = (
    Dialect("people", "a person has another id in each tool", _other_people, most_fall=_FALL),
    Dialect("notes", "notes have no severity", _notes_without_severity, most_fall=_FALL),
    Dialect("labels", "only labels that the format or a decoder knows", _known_labels_only, most_fall=_FALL),
    Dialect("no-resolves", "no alert reports its recovery", _no_resolves, most_fall=_FALL),
    Dialect("unknown-actors", "nobody knows who acted", _actors_unknown),
    Dialect("all-automation", "everybody acts through a bot", _actors_automation),
    Dialect("aliases", "each tool has its own name for a service, with aliases", _other_names, _with_aliases, _FALL),
    Dialect("no-aliases", "each tool has its own name for a service, no aliases", _other_names, _without_aliases),
    Dialect("lossy", "a tenth of the events is lost", _some_lost),
    Dialect("words", "severities are words of the house", _severities_in_words),
)
