"""Which part of the state an event belongs to: services that may concern one another share a shard.

Pure: decides by the event and the catalogue alone. Must not know topics, partitions' readers or what engines do.
"""

from __future__ import annotations

from collections.abc import Iterable
from zlib import crc32

from monitor.core.matching.facts import maintenance_scope
from monitor.core.matching.last_values import BELONGING, name_of_thing
from monitor.core.model.catalogue import Catalogue
from monitor.core.model.events import Event
from monitor.core.resolving.resolver import Resolver

SHARDS = 256
"""Fixed permanently: the state is stored by shard, and another number would look for it elsewhere."""

Route = tuple[int, ...]
"""The shards that an event goes to, in ascending order."""
EVERYWHERE: Route = tuple(range(SHARDS))

_HARM = frozenset({"impact.started", "impact.ended"})
_TO_EVERY_SHARD = frozenset(
    {"incident.opened", "incident.updated", "incident.closed", "maintenance.started", "maintenance.ended", "note.added"}
)
BROADCAST = _HARM | _TO_EVERY_SHARD | BELONGING | {"change.merged"}
"""Kinds of events that may go to several shards; only at home do they count as a hazard."""


class Router:
    """Routes by one catalogue.

    Services that depend on each other, directly or by others, are in one shard, and so do those of one declared
    domain or system: whatever a rule correlates, an episode merges or a verdict looks at lies together.
    """

    def __init__(self, catalogue: Catalogue) -> None:
        self._group_of = _groups(catalogue)
        self._resolver = Resolver(catalogue)
        self._shards: dict[str, int] = {}

    def shard_of(self, service: str) -> int:
        """The shard of a service; one that the catalogue does not know stands alone."""
        shard = self._shards.get(service)
        if shard is None:
            shard = _hashed(self._group_of.get(service, service))
            if service in self._group_of:
                # Only these: names that anybody may send would pile up.
                self._shards[service] = shard
        return shard

    def home(self, event: Event) -> int:
        """The one shard in which an event counts as what it is.

        One without a service is at home with all that is said of the same thing, else by its identity. The event is a
        resolved one.
        """
        if event.service is None:
            thing = name_of_thing(event)
            return _hashed(f"{event.source}\x1f{event.id}" if thing is None else f"\x1f{thing}")
        return self.shard_of(event.service)

    def route(self, event: Event) -> Route:
        """Every shard that an event may matter to.

        Harm to users goes everywhere, whatever service it names: a draft must not stand because the catalogue was
        behind. So do records of incidents, which may tell of harm, and what is said without naming a service, such as
        who was called for an incident. Announced work goes to every service that it lists; its end goes everywhere,
        since it may list fewer. A merge that reverts goes everywhere: what it is rolled out to is not known yet.
        """
        event = self._resolver.resolve(event)
        kind = event.kind
        if kind not in BROADCAST:
            return (self.home(event),)
        if kind in _HARM or kind == "maintenance.ended" or kind.startswith("incident."):
            return EVERYWHERE
        if kind == "change.merged":
            return EVERYWHERE if "reverts" in event.labels else (self.home(event),)
        services = set(maintenance_scope(event)) if kind.startswith("maintenance.") else set()
        if event.service is not None:
            services.add(event.service)
        if not services:
            return EVERYWHERE
        return tuple(sorted({self.shard_of(service) for service in services} | {self.home(event)}))


def partition_of(shard: int, partitions: int) -> int:
    """The partition that carries a shard where there are so many partitions."""
    return shard % partitions


def partitions_of(route: Iterable[int], partitions: int) -> tuple[int, ...]:
    """The partitions that an event has to be written to, in ascending order."""
    return tuple(sorted({partition_of(shard, partitions) for shard in route}))


def shards_of(partition: int, partitions: int) -> tuple[int, ...]:
    """The shards that one partition carries."""
    return tuple(range(partition, SHARDS, partitions))


def _hashed(text: str) -> int:
    """The same in every process and version, unlike `hash`."""
    return crc32(text.encode("utf-8", "surrogatepass")) % SHARDS


def _groups(catalogue: Catalogue) -> dict[str, str]:
    """For each service the name of its group: the first declared domain or system in it, else its first service."""
    parent: dict[str, str] = {}

    def root(name: str) -> str:
        parent.setdefault(name, name)
        while parent[name] != name:
            parent[name] = parent[parent[name]]
            name = parent[name]
        return name

    def declared(name: str) -> str:
        return f"domain\x1f{name}"

    services: list[str] = []
    named: dict[str, str] = {}
    for service in catalogue.services.values():
        services += [service.name, *service.depends_on]
        for other in service.depends_on:
            parent[root(other)] = root(service.name)
        if (place := service.domain or service.system) is not None:
            named[service.name] = place
            parent[root(declared(place))] = root(service.name)
    names: dict[str, str] = {}
    for service_name in sorted(set(services)):
        place = root(service_name)
        domain = named.get(service_name)
        known = names.get(place)
        if domain is not None:
            mark = declared(domain)
            names[place] = mark if known is None or not known.startswith("domain\x1f") else min(known, mark)
        elif known is None:
            names[place] = service_name
    return {name: names[root(name)] for name in set(services)}
