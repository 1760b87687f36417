"""The services as the organisation sees them: who depends on whom, who counts as a user, which feeds watch.

Knows nothing of files, and of no event.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from functools import cached_property
from typing import Literal

import msgspec

from monitor.core.model.events import Severity
from monitor.core.model.words import is_named_elsewhere

MOST_CACHED = 1_000_000
"""Names in all remembered answers about the graph together: some 60 MB."""
_MOST_WORDS = 10_000
"""Words for environments of which it is remembered whether they count."""


class Feed(msgspec.Struct, frozen=True):
    """A feed that reports `impact.clear` for a service: its source, what it can see, its freshness (microseconds)."""

    service: str
    source: str | None = None
    evidence: str | None = None
    freshness: int | None = None


class Hours(msgspec.Struct, frozen=True):
    """Declared operating hours: IANA time zone, minutes of the day [opens, closes), ISO weekdays 1 to 7."""

    zone: str
    opens: int
    closes: int
    days: frozenset[int] = frozenset({1, 2, 3, 4, 5})


class Service(msgspec.Struct, frozen=True):
    """One service. Several make a `system`, several systems a `domain`; `owner` is a team, `lifecycle` a word."""

    name: str
    depends_on: tuple[str, ...] = ()
    user_facing: bool = False
    owner: str | None = None
    system: str | None = None
    domain: str | None = None
    lifecycle: str | None = None
    hours: Hours | None = None


AliasBy = Literal["name", "source", "repository", "workload", "namespace", "host", "label", "title"]


class Alias(msgspec.Struct, frozen=True):
    """Another name of a service: `by` says where it stands. `of`: the source or the label that it is a name in."""

    service: str
    by: AliasBy
    value: str
    of: str | None = None


class PersonId(msgspec.Struct, frozen=True):
    """One id, e-mail or name of a person: in one source, or wherever it is said."""

    person: str
    id: str
    source: str | None = None


class ImpactAlert(msgspec.Struct, frozen=True):
    """Alerts of this name and these labels say that users are hurt, or (`users` false) never do. `*` is any text."""

    alert: str | None = None
    labels: dict[str, str] = {}
    users: bool = True


class ImpactNotes(msgspec.Struct, frozen=True):
    """An organisation's own words for users who suffer, beside the common ones; without `read` notes are no impact."""

    users: tuple[str, ...] = ()
    harmed: tuple[str, ...] = ()
    spared: tuple[str, ...] = ()
    read: bool = True


class Catalogue(msgspec.Struct, frozen=True, dict=True):
    """Services by name, environments that count, feeds, who is automation, and what tools call all of these.

    `environments` and `severities` extend the tables of common words, by word.

    An empty catalogue knows nothing: then every service is taken to be user-facing, and no environment is excluded.
    """

    services: dict[str, Service] = {}
    production: frozenset[str] = frozenset()
    feeds: tuple[Feed, ...] = ()
    automation: frozenset[str] = frozenset()
    aliases: tuple[Alias, ...] = ()
    environments: dict[str, str] = {}
    severities: dict[str, Severity] = {}
    impact_alerts: tuple[ImpactAlert, ...] = ()
    people: tuple[PersonId, ...] = ()
    impact_notes: ImpactNotes = ImpactNotes()

    @property
    def is_empty(self) -> bool:
        return not self.services

    @cached_property
    def tells_dependencies(self) -> bool:
        """Whether it says of any service what that depends on; else that nothing depends on one says nothing."""
        return any(service.depends_on for service in self.services.values())

    @cached_property
    def names(self) -> frozenset[str]:
        """The names of its services."""
        return frozenset(self.services)

    def knows(self, service: str) -> bool:
        return service in self.services

    def freshness(self, service: str, source: str, evidence: str | None) -> int | None:
        """That of the first feed which fits (microseconds); None where none does or it says nothing."""
        for feed in self.feeds:
            if feed.service == service and feed.source in (None, source) and feed.evidence in (None, evidence):
                return feed.freshness
        return None

    def is_user_facing(self, service: str) -> bool:
        found = self.services.get(service)
        return self.is_empty if found is None else found.user_facing

    def counts(self, environment: str | None) -> bool | None:
        """Whether users live in this environment; None where that is unknown, which is not "no".

        Unknown is what the event does not say, and a word that neither the catalogue nor common usage explains.
        """
        if environment is None:
            return None
        if environment in self.production:
            return True
        if environment not in self._counted:
            elsewhere = is_named_elsewhere(environment, self.production, self.environments)
            if len(self._counted) >= _MOST_WORDS:
                self._counted.clear()
            # Where nothing is listed, any place counts but those that everybody calls by such a name.
            self._counted[environment] = False if elsewhere else None if self.production else True
        return self._counted[environment]

    @cached_property
    def _counted(self) -> dict[str, bool | None]:
        return {}

    def domain_of(self, service: str) -> str:
        """Where a service belongs: what is near it belongs there too, as far as the catalogue can tell.

        The declared domain, else the declared system; else that of its connected component of the dependency graph
        where only one is declared there; else the component itself, by the first of its names. A service that
        nothing is known of stands alone.
        """
        return self._domains.get(service) or component_name(service)

    def larger_than(self, service: str) -> float:
        """How many times as many services the catalogue lists as are in the domain of a service; 1 for a stranger."""
        size = self._sizes.get(self.domain_of(service))
        return 1.0 if size is None else max(1.0, len(self._domains) / size)

    def size_of(self, service: str) -> int:
        """How many services the catalogue lists in the domain of a service; 1 for a stranger."""
        return self._sizes.get(self.domain_of(service), 1)

    @cached_property
    def _sizes(self) -> dict[str, int]:
        return dict(Counter(self._domains.values()))

    @cached_property
    def _domains(self) -> dict[str, str]:
        declared = {name: found.domain or found.system for name, found in self.services.items()}
        domains: dict[str, str] = {}
        for component in self._components():
            within = {domain for name in component if (domain := declared.get(name)) is not None}
            shared = within.pop() if len(within) == 1 else component_name(min(component))
            domains.update((name, declared.get(name) or shared) for name in component)
        return domains

    def _components(self) -> list[frozenset[str]]:
        """The parts of the dependency graph that nothing connects, with the names that are only depended on."""
        found: list[frozenset[str]] = []
        seen: set[str] = set()
        for start in self.services:
            if start in seen:
                continue
            component, waiting = {start}, [start]
            while waiting:
                for following in self.neighbours(waiting.pop()) - component:
                    component.add(following)
                    waiting.append(following)
            seen |= component
            found.append(frozenset(component))
        return found

    @cached_property
    def _dependants(self) -> dict[str, tuple[str, ...]]:
        found: dict[str, list[str]] = {}
        for service in self.services.values():
            for dependency in service.depends_on:
                found.setdefault(dependency, []).append(service.name)
        return {name: tuple(dependants) for name, dependants in found.items()}

    @cached_property
    def _dependencies(self) -> dict[str, tuple[str, ...]]:
        return {name: found.depends_on for name, found in self.services.items()}

    @cached_property
    def _caches(self) -> dict[str, dict[str, frozenset[str]]]:
        return {"neighbours": {}, "siblings": {}, "around": {}, "upward": {}, "downward": {}, "along": {}}

    def neighbours(self, service: str) -> frozenset[str]:
        """The service itself and one hop along the dependency graph, in either direction."""
        cache = self._caches["neighbours"]
        if service not in cache:
            known = self.services.get(service)
            below = known.depends_on if known else ()
            self._keep(cache, service, frozenset({service, *below, *self._dependants.get(service, ())}))
        return cache[service]

    def siblings(self, service: str) -> frozenset[str]:
        """Services that serve one of the same user-facing services, without the service and its neighbours."""
        cache = self._caches["siblings"]
        if service not in cache:
            tops = self.upward(service) & self.facing
            self._keep(cache, service, frozenset().union(*map(self.downward, tops)) - self.neighbours(service))
        return cache[service]

    def around(self, service: str) -> frozenset[str]:
        """Everything that an action on the service may have to do with: itself, its neighbours and its siblings."""
        cache = self._caches["around"]
        if service not in cache:
            self._keep(cache, service, self.neighbours(service) | self.siblings(service))
        return cache[service]

    def upward(self, service: str) -> frozenset[str]:
        """The service and everything that depends on it, transitively: where its failure can reach users."""
        return self._closure("upward", service, self._dependants)

    def downward(self, service: str) -> frozenset[str]:
        """The service and everything that it depends on, transitively."""
        return self._closure("downward", service, self._dependencies)

    def along(self, service: str) -> frozenset[str]:
        """Everything upward and downward of the service."""
        cache = self._caches["along"]
        if service not in cache:
            self._keep(cache, service, self.upward(service) | self.downward(service))
        return cache[service]

    @cached_property
    def facing(self) -> frozenset[str]:
        """The services that users see."""
        return frozenset(name for name, found in self.services.items() if found.user_facing)

    @cached_property
    def serving_users(self) -> frozenset[str]:
        """The user-facing services, and everything that they depend on, transitively: in one walk for all of them."""
        return _reached(self.facing, self._dependencies)

    def _closure(self, name: str, service: str, edges: dict[str, tuple[str, ...]]) -> frozenset[str]:
        cache = self._caches[name]
        if service not in cache:
            self._keep(cache, service, _reached((service,), edges))
        return cache[service]

    @cached_property
    def _room(self) -> list[int]:
        """How many names the caches may still take together."""
        return [MOST_CACHED]

    def _keep(self, cache: dict[str, frozenset[str]], service: str, found: frozenset[str]) -> None:
        """Remember an answer. In a long chain each is as long as the chain: now and then all are dropped."""
        self._room[0] -= len(found)
        if self._room[0] < 0:
            for each in self._caches.values():
                each.clear()
            self._room[0] = MOST_CACHED - len(found)
        cache[service] = found


def _reached(starts: Iterable[str], edges: Mapping[str, tuple[str, ...]]) -> frozenset[str]:
    """The starts, and everything that edges lead to from there."""
    seen = set(starts)
    waiting = list(seen)
    while waiting:
        for following in edges.get(waiting.pop(), ()):
            if following not in seen:
                seen.add(following)
                waiting.append(following)
    return frozenset(seen)


def component_name(first: str) -> str:
    """The domain of services of which none is declared: the first of their names, marked as such."""
    return f"around:{first}"
