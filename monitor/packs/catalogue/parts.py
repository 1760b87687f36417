"""Gathers what the files of a catalogue say, each in its own form, and makes one catalogue of it at the end.

Knows which statements go together and which contradict one another; must not know how either form is written.
"""

from __future__ import annotations

import msgspec

from monitor.core.model.catalogue import Catalogue, Feed, Service
from monitor.located.checks import Check
from monitor.located.problems import Place, Problems, nearest
from monitor.packs.catalogue.tool_words import CatalogueWords

PLAIN_FIELDS = ("user_facing", "owner", "system", "domain", "lifecycle", "hours")


class _Entry(msgspec.Struct, frozen=True):
    service: Service
    place: Place
    told: frozenset[str] = frozenset()


class Parts:
    """What has been read so far. `described` comes from an inventory such as Backstage, `written` from our own form.

    What is written by hand goes before what an inventory describes, field by field; dependencies add up.
    """

    def __init__(self, problems: Problems) -> None:
        self.problems = problems
        self.words = CatalogueWords(problems)
        self.production: set[str] = set()
        self.automation: set[str] = set()
        self.unreadable = False
        self._described: dict[str, _Entry] = {}
        self._written: dict[str, _Entry] = {}
        self._needs: list[tuple[str, str, Place]] = []
        self._feeds: list[tuple[Feed, Place]] = []

    def describe(self, service: Service, place: Place, hint: str) -> None:
        """A service of an inventory; a second one of this name is an error, and `hint` says what to try."""
        first = self._described.setdefault(service.name, _Entry(service, place))
        if first.place != place:
            message = f"service {service.name!r} is described twice (first in {first.place})"
            self.problems.error(place, message, "a name of its own for each service", hint)

    def write(self, service: Service, told: frozenset[str], place: Place) -> None:
        """A service as an operator wrote it; `told` are the fields that were written."""
        first = self._written.setdefault(service.name, _Entry(service, place, told))
        if first.place != place:
            message = f"service {service.name!r} is listed twice (first in {first.place})"
            self.problems.error(place, message, "each service once", "removing one of them")

    def need(self, service: str, target: str, place: Place) -> None:
        """That a service depends on another; on itself it always does."""
        if service != target:
            self._needs.append((service, target, place))

    def feed(self, feed: Feed, place: Place) -> None:
        self._feeds.append((feed, place))

    @property
    def places(self) -> dict[str, Place]:
        """Where each service is defined: by hand before described."""
        return {name: entry.place for name, entry in sorted({**self._described, **self._written}.items())}

    @property
    def feed_places(self) -> dict[Feed, Place]:
        """Where each feed is first named."""
        return dict(reversed(self._feeds))

    def finish(self, place: Place) -> Catalogue:
        """The catalogue of everything; what does not fit together is added to the problems.

        `place` is where something is said about the whole.
        """
        names = {**self._described, **self._written}
        if not names and not self.unreadable:
            expected = "`services:`, a mapping from a name to a service, or entities of Backstage"
            self.problems.error(
                place, "no service is listed", expected, "adding `services: {checkout: {user_facing: true}}`"
            )
        needed: dict[str, list[str]] = {name: [] for name in names}
        for service, target, where in self._needs:
            if target not in names and not self.unreadable:
                self._unknown(where, target, names)
            if target not in needed[service]:
                needed[service].append(target)
        feeds: list[Feed] = []
        for feed, where in self._feeds:
            if feed.service and feed.service not in names and not self.unreadable:
                self._unknown_watched(where, feed.service, names)
            if feed not in feeds:
                feeds.append(feed)
        services = {name: self._joined(name, tuple(needed[name])) for name in sorted(names)}
        if services and not any(service.user_facing for service in services.values()):
            message = "no service is user-facing, so nothing can reach a user"
            hint = "the annotation `nearmiss.dev/user-facing` in Backstage"
            self.problems.warning(
                Check.NOTHING_USER_FACING, place, message, "`user_facing: true` where users look", hint
            )
        return Catalogue(
            services=services,
            production=frozenset(self.production),
            feeds=tuple(feeds),
            automation=frozenset(self.automation),
            aliases=self.words.aliases(services),
            environments=self.words.environments(),
            severities=self.words.severities(),
            people=self.words.people(),
            impact_alerts=self.words.impact_alerts(),
            impact_notes=self.words.impact_notes,
        )

    def _joined(self, name: str, needed: tuple[str, ...]) -> Service:
        written, described = self._written.get(name), self._described.get(name)
        if written is None or described is None:
            known = written or described
            assert known is not None
            return msgspec.structs.replace(known.service, depends_on=needed)
        told = {field: getattr(written.service, field) for field in PLAIN_FIELDS if field in written.told}
        return msgspec.structs.replace(described.service, depends_on=needed, **told)

    def _unknown(self, place: Place, name: str, names: dict[str, _Entry]) -> None:
        close = nearest(name, names)
        hint = f"{close!r}, or an entry of its own" if close else f"an entry `{name}: {{}}`"
        self.problems.warning(
            Check.UNKNOWN_SERVICE, place, f"service {name!r} is not in the catalogue", "a service that is listed", hint
        )

    def _unknown_watched(self, place: Place, name: str, names: dict[str, _Entry]) -> None:
        close = nearest(name, names)
        hint = f"{close!r}" if close else f"an entry `{name}: {{}}`"
        self.problems.error(place, f"service {name!r} is not in the catalogue", "a service that is listed", hint)
