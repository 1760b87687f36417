"""The organisation: who runs which service, what depends on what, who sees it, and which probes watch.

A value made from a seed. Knows nothing of events.
"""

from __future__ import annotations

from random import Random

import msgspec

from monitor.core.model.catalogue import Catalogue, Feed, Hours, Service
from monitor.core.model.events import MINUTE

HOME_ZONE = "Europe/Berlin"
"""Where most people work: clocks change twice a year."""

AREAS = (
    "shop",
    "search",
    "accounts",
    "payments",
    "content",
    "delivery",
    "messaging",
    "partners",
    "media",
    "support",
    "analytics",
    "backoffice",
)
INTERNAL = frozenset({"analytics", "backoffice"})
"""Areas that nothing which users see depends on."""

_FACES = ("site", "app-api", "account-page", "checkout")
_MIDDLE = (
    "gateway",
    "pricing",
    "orders",
    "catalog",
    "profile",
    "scheduler",
    "renderer",
    "notifier",
    "importer",
    "exporter",
    "worker",
    "rules",
)
_DATA = ("db", "replica", "cache", "queue", "index", "store", "ledger", "sessions", "archive")
PLATFORM = (
    "ingress",
    "dns",
    "message-bus",
    "block-storage",
    "object-store",
    "secrets",
    "cluster",
    "metrics",
    "log-pipeline",
    "build-farm",
    "registry",
    "mail-relay",
)
AUTOMATION = ("deploy-bot", "autoscaler", "kubelet", "cert-manager", "rollouts", "orchestrator", "cron", "renovate")

PROBE_EVERY = 10 * MINUTE
BUDGET_EVERY = 30 * MINUTE


class Watch(msgspec.Struct, frozen=True):
    """One feed: which source says every so often (microseconds) that users of the service are well."""

    service: str
    source: str
    evidence: str
    every: int


class Organisation(msgspec.Struct, frozen=True):
    """Names by layer, and the catalogue that the organisation would have configured."""

    catalogue: Catalogue
    faces: tuple[str, ...]
    middle: tuple[str, ...]
    data: tuple[str, ...]
    platform: tuple[str, ...]
    watches: tuple[Watch, ...]

    @property
    def names(self) -> tuple[str, ...]:
        return (*self.faces, *self.middle, *self.data, *self.platform)

    def reaches_users(self, service: str) -> bool:
        return any(self.catalogue.is_user_facing(above) for above in self.catalogue.upward(service))


def found_organisation(services: int, seed: int) -> Organisation:
    """About `services` services in twelve areas of three teams each, and a platform that everybody leans on."""
    random = Random(f"organisation {seed}")  # noqa: S311 - repeatable, not secret
    per_area = max(4, (services - len(PLATFORM)) // len(AREAS))
    below: dict[str, set[str]] = {name: set() for name in PLATFORM}
    layers: dict[str, list[str]] = {"faces": [], "middle": [], "data": []}
    by_area: dict[str, dict[str, list[str]]] = {}
    for area in AREAS:
        faces, middle, data = _shares(per_area)
        by_area[area] = {
            "faces": [f"{area}-{name}" for name in _cycle(_FACES, faces)],
            "middle": [f"{area}-{name}" for name in _cycle(_MIDDLE, middle)],
            "data": [f"{area}-{name}" for name in _cycle(_DATA, data)],
        }
        for layer, names in by_area[area].items():
            layers[layer] += names
            below.update({name: set() for name in names})
    for area, own in by_area.items():
        _connect(random, below, area, own, by_area)
    owners = _owners(random, by_area)
    catalogue = Catalogue(
        services={
            name: Service(
                name,
                depends_on=tuple(sorted(below[name])),
                user_facing=_is_face(name, by_area),
                owner=owners[name],
                domain=name.partition("-")[0] if name not in PLATFORM else "platform",
                hours=_hours(name),
            )
            for name in below
        },
        production=frozenset({"production"}),
        automation=frozenset(AUTOMATION),
    )
    watches = _watches(catalogue, [name for name in layers["faces"] if _is_face(name, by_area)])
    feeds = tuple(
        Feed(watch.service, watch.source, watch.evidence, freshness=2 * watch.every + 5 * MINUTE) for watch in watches
    )
    return Organisation(
        catalogue=msgspec.structs.replace(catalogue, feeds=feeds),
        faces=tuple(layers["faces"]),
        middle=tuple(layers["middle"]),
        data=tuple(layers["data"]),
        platform=PLATFORM,
        watches=watches,
    )


def _shares(size: int) -> tuple[int, int, int]:
    faces = max(1, size // 6)
    data = max(1, size * 3 // 8)
    return faces, max(2, size - faces - data), data


def _cycle(names: tuple[str, ...], count: int) -> list[str]:
    return [names[at % len(names)] + ("" if at < len(names) else f"-{at // len(names) + 1}") for at in range(count)]


def _is_face(name: str, by_area: dict[str, dict[str, list[str]]]) -> bool:
    area = name.partition("-")[0]
    return area in by_area and area not in INTERNAL and name in by_area[area]["faces"]


def _connect(
    random: Random,
    below: dict[str, set[str]],
    area: str,
    own: dict[str, list[str]],
    by_area: dict[str, dict[str, list[str]]],
) -> None:
    """Faces lean on the middle, the middle on data and further down, a few on other areas and on the platform."""
    middle, data = own["middle"], own["data"]
    for face in own["faces"]:
        below[face] |= {*random.sample(middle, min(3, len(middle))), "ingress"}
    for place, name in enumerate(middle):
        above = own["faces"] if place < 3 else middle[:place]
        if not any(name in below[other] for other in (*own["faces"], *middle)):
            below[random.choice(above)].add(name)
        below[name] |= set(random.sample(data, min(random.choice((0, 1, 1, 2)), len(data))))
        if random.random() < 0.12:
            other = random.choice([one for one in AREAS if one not in INTERNAL and one != area])
            below[name].add(random.choice(by_area[other]["middle"][:3]))
        if random.random() < 0.1:
            below[name].add(random.choice(("message-bus", "object-store", "mail-relay")))
    for name in data:
        if not any(name in below[other] for other in middle):
            below[random.choice(middle)].add(name)
        if name.endswith(("db", "ledger")):
            below[name].add("block-storage")


def _owners(random: Random, by_area: dict[str, dict[str, list[str]]]) -> dict[str, str]:
    owners = {}
    for area, own in by_area.items():
        teams = [f"team-{area}-{letter}" for letter in "abc"]
        for names in own.values():
            for name in names:
                owners[name] = random.choice(teams)
    owners.update({name: f"team-platform-{'ab'[place % 2]}" for place, name in enumerate(PLATFORM)})
    return owners


def _hours(name: str) -> Hours | None:
    """Call centres and desks that close at night; everything else is open always and says nothing."""
    if name.startswith("support-"):
        return Hours(HOME_ZONE, 8 * 60, 20 * 60)
    return None


def _watches(catalogue: Catalogue, faces: list[str]) -> tuple[Watch, ...]:
    """Probes on most of what users see, error budgets on half; a few have nobody who looks."""
    found = []
    for place, face in enumerate(faces):
        if place % 10 != 9:
            found.append(Watch(face, "blackbox/main", "synthetic", PROBE_EVERY))
        if place % 2 == 0:
            found.append(Watch(face, "slo/main", "slo", BUDGET_EVERY))
    return tuple(found)


def catalogue_mapping(catalogue: Catalogue) -> dict[str, object]:
    """The catalogue in the form of the file that operators keep (plain data; JSON is YAML)."""
    days = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
    services: dict[str, object] = {}
    for name, service in catalogue.services.items():
        written: dict[str, object] = {"owner": service.owner, "domain": service.domain}
        if service.depends_on:
            written["depends_on"] = list(service.depends_on)
        if service.user_facing:
            written["user_facing"] = True
        if (hours := service.hours) is not None:
            written["hours"] = {
                "zone": hours.zone,
                "opens": f"{hours.opens // 60:02d}:{hours.opens % 60:02d}",
                "closes": f"{hours.closes // 60:02d}:{hours.closes % 60:02d}",
                "days": [days[day - 1] for day in sorted(hours.days)],
            }
        services[name] = written
    feeds = [
        {
            "service": feed.service,
            "source": feed.source,
            "evidence": feed.evidence,
            "freshness": f"{(feed.freshness or 0) // MINUTE}m",
        }
        for feed in catalogue.feeds
    ]
    return {
        "services": services,
        "production": sorted(catalogue.production),
        "feeds": feeds,
        "automation": sorted(catalogue.automation),
    }
