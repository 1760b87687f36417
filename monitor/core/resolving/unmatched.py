"""The names and words of a stream that the catalogue does not explain, each with what it may mean, as catalogue lines.

Reads events as the engine does; proposes and decides nothing.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import msgspec

from monitor.core.model.catalogue import Catalogue
from monitor.core.model.events import Event
from monitor.core.resolving.names import GUESSED, Names
from monitor.core.resolving.people import is_made_up
from monitor.core.resolving.resolver import SEVERITY_LABELS, Resolver

_MOST_NAMES = 20_000
"""Names that are counted; a stream may send any number of them."""
_MOST_SOURCES = 3
_PLAIN = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_")

_TRUTH = frozenset({"true", "false", "null", "yes", "no", "on", "off", "y", "n"})


class Unmatched(msgspec.Struct, frozen=True):
    """One name or word: how many events said it, which sources, and the known one that it may mean."""

    name: str
    events: int
    sources: tuple[str, ...]
    nearest: str | None = None


class UnmatchedReport(msgspec.Struct, frozen=True):
    """What is not understood, most frequent first. `unnamed`: events of which nothing names a service."""

    events: int
    unnamed: int
    services: tuple[Unmatched, ...]
    environments: tuple[Unmatched, ...]
    severities: tuple[Unmatched, ...]
    joined: tuple[Unmatched, ...]
    """Names that were joined though they are spelt otherwise."""
    people: tuple[Unmatched, ...] = ()
    """Ids that a tool generated for a person, and nothing says whose they are."""


class UnmatchedWords:
    """Counts what the catalogue does not explain."""

    def __init__(self, catalogue: Catalogue) -> None:
        self._catalogue = catalogue
        self._resolver = Resolver(catalogue)
        self._events = self._unnamed = 0
        self._services, self._environments = _Seen(), _Seen()
        self._severities, self._joined, self._people = _Seen(), _Seen(), _Seen()

    def take(self, events: Sequence[Event]) -> None:
        """Events in the words of their tools."""
        catalogue = self._catalogue
        self._events += len(events)
        for said in events:
            event = self._resolver.resolve(said)
            if event.service is None:
                self._unnamed += 1
            elif not catalogue.knows(event.service):
                self._services.add(event.service, event.source)
            elif said.service is not None and event.resolved_from.get("service", "").startswith(GUESSED):
                # A guess holds until somebody confirms it: it is listed with what it was taken for.
                self._services.add(said.service, event.source)
            elif said.service is not None and event.resolved_from.get("service", "").startswith("same name"):
                self._joined.add(said.service, event.source, event.service)
            environment = event.environment
            if environment is not None and catalogue.production and catalogue.counts(environment) is None:
                self._environments.add(environment, event.source)
            if "no table" in event.resolved_from.get("severity", ""):
                word = next(event.labels[label] for label in SEVERITY_LABELS if event.labels.get(label))
                self._severities.add(word, event.source)
            if said.actor is not None and "actor" not in event.resolved_from and is_made_up(said.actor):
                self._people.add(said.actor.id or "", event.source)

    def report(self) -> UnmatchedReport:
        """What was counted so far."""
        nearest = Names(self._catalogue).nearest
        return UnmatchedReport(
            self._events,
            self._unnamed,
            tuple(msgspec.structs.replace(one, nearest=nearest(one.name)) for one in self._services.counted()),
            self._environments.counted(),
            self._severities.counted(),
            self._joined.counted(),
            self._people.counted(),
        )


class _Seen:
    """Names with their counts, bounded."""

    def __init__(self) -> None:
        self._counts: Counter[str] = Counter()
        self._sources: dict[str, dict[str, None]] = {}
        self._meant: dict[str, str | None] = {}

    def add(self, name: str, source: str, meant: str | None = None) -> None:
        if name not in self._counts and len(self._counts) >= _MOST_NAMES:
            return
        self._counts[name] += 1
        self._sources.setdefault(name, {})[source.partition("/")[0]] = None
        self._meant[name] = meant

    def counted(self) -> tuple[Unmatched, ...]:
        ordered = sorted(self._counts.items(), key=lambda one: (-one[1], one[0]))
        return tuple(Unmatched(name, n, tuple(sorted(self._sources[name])), self._meant[name]) for name, n in ordered)


def catalogue_lines(report: UnmatchedReport) -> list[str]:
    """Lines to paste into a catalogue; what is only guessed says so in a comment."""
    lines: list[str] = []
    meant: dict[str, list[Unmatched]] = {}
    for one in report.services:
        if one.nearest is not None:
            meant.setdefault(one.nearest, []).append(one)
    unknown = [one for one in report.services if one.nearest is None]
    if report.services:
        lines.append("services:")
    for service, names in sorted(meant.items()):
        lines += [f"  {_yaml(service)}:", "    aliases:", "      names:"]
        lines += [f"        - {_yaml(one.name)}  # {_said(one)}" for one in names]
    lines += [f"  {_yaml(one.name)}: {{}}  # {_said(one)}; resembles no service" for one in unknown]
    if report.environments:
        lines += ["# no table explains these: list each under production, or under what else it is", "# environments:"]
        lines += ["#   production:", *(f"#     - {_yaml(one.name)}  # {_said(one)}" for one in report.environments)]
    if report.severities:
        lines += ["severities:", "  warning:"]
        lines += [f"    - {_yaml(one.name)}  # {_said(one)}" for one in report.severities]
    return lines


def _said(one: Unmatched) -> str:
    sources = ", ".join(one.sources[:_MOST_SOURCES]) + (", …" if len(one.sources) > _MOST_SOURCES else "")
    return f"{one.events:,} {'event' if one.events == 1 else 'events'} of {sources}"


def _yaml(name: str) -> str:
    """A name as YAML: bare where it is plain, else quoted as JSON is."""
    is_bare = set(name) <= _PLAIN and name[:1].isalpha() and name.lower() not in _TRUTH
    return name if is_bare else msgspec.json.encode(name).decode()
