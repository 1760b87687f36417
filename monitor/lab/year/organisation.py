"""Generates an organisation: services, teams, dependencies, feeds, and the tools it uses.

Everything is drawn from the seed.
"""

from __future__ import annotations

from collections.abc import Iterable
from random import Random
from typing import Literal

import msgspec

from monitor.core.model.catalogue import Alias, Catalogue, Hours, PersonId, Service
from monitor.core.model.events import HOUR, MINUTE
from monitor.lab.year.shape import YearShape
from monitor.lab.year.spelling import TOOLS, SpeltPerson, names_of, person, spellings

_SUBJECTS = (
    *("basket", "billing", "booking", "catalog", "claims", "courier", "customer", "delivery", "fares", "fleet"),
    *("geo", "identity", "invoice", "ledger", "loyalty", "media", "menu", "notify", "offers", "orders", "partner"),
    *("payout", "policy", "pricing", "profile", "quote", "ratings", "refund", "routes", "search", "session"),
    *("shipment", "stock", "survey", "tax", "tickets", "tours", "vendor", "voucher", "wallet"),
)
_ROLES = ("api", "worker", "store", "gateway", "cache", "index", "feed", "scheduler", "web", "queue")
_COMPANIES = ("arbora", "bluefin", "calyx", "dunmore", "everly", "foldt", "gantry", "harrow", "ilex", "juniper")
_TEAM_WORDS = ("amber", "birch", "cedar", "delta", "ember", "fjord", "grove", "heron", "iris", "jade", "kite", "larch")

_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")

_LISTED_PEOPLE = 0.7

Store = Literal["disk", "pool", "none"]
Shipping = Literal["github", "github-bot", "cdevents", "argo"]
Switching = Literal["launchdarkly", "unleash", "own"]
Chatting = Literal["slack", "own"]
Grading = Literal["plain", "page-ticket", "numbered"]


class Part(msgspec.Struct, frozen=True):
    """One service as its people know it. `names` by tool, `replicas` in ordinary times."""

    name: str
    team: str
    facing: bool
    below: tuple[str, ...]
    names: dict[str, str]
    namespace: str
    replicas: int
    scales_itself: bool
    keeps: Store
    pace: float
    hours: Hours | None = None


class FeedWatch(msgspec.Struct, frozen=True):
    """A feed of `impact.clear` for one service; it may be renamed or retired."""

    service: str
    source: str
    evidence: str
    every: int
    renamed: str
    renamed_on: int
    ends_on: int


class ToolHabits(msgspec.Struct, frozen=True):
    """What the organisation uses its tools for, and how it words what they ask for."""

    company: str
    shipping: Shipping
    grading: Grading
    service_label: str
    environment: str
    environment_label: str | None
    switching: Switching
    chatting: Chatting
    console_tells_who: bool
    cluster_tells_who: bool
    pages_often: float


class Organisation(msgspec.Struct, frozen=True):
    """Who is there, what they call things, and the catalogue that they have written."""

    parts: dict[str, Part]
    teams: tuple[str, ...]
    people: tuple[SpeltPerson, ...]
    by_team: dict[str, tuple[SpeltPerson, ...]]
    watches: tuple[FeedWatch, ...]
    habits: ToolHabits
    catalogue: Catalogue

    def facing_above(self, service: str) -> frozenset[str]:
        """The services at which users would notice a failure of this one."""
        return frozenset(name for name in self.catalogue.upward(service) if self.parts[name].facing)


def found_organisation(shape: YearShape) -> Organisation:
    random = Random(f"organisation {shape.seed}")  # noqa: S311 - repeatable, not secret
    company = random.choice(_COMPANIES)
    teams = tuple(f"{word}-team" for word in random.sample(_TEAM_WORDS, max(3, min(12, shape.services // 12))))
    habits = _habits(company, random)
    parts = _parts(shape, teams, random)
    people = tuple(
        person(number, teams[number % len(teams)], company, random) for number in range(max(24, shape.services // 2))
    )
    watches = _watches(parts, shape, random)
    catalogue = Catalogue(
        services={
            part.name: Service(part.name, part.below, part.facing, part.team, hours=part.hours)
            for part in parts.values()
        },
        production=frozenset({habits.environment}),
        automation=frozenset({"ramp", "night-shift"}),
        aliases=_aliases(parts, company) if shape.names == "own" else (),
        people=_ids(people, random),
    )
    return Organisation(
        parts=parts,
        teams=teams,
        people=people,
        by_team={team: tuple(one for one in people if one.team == team) for team in teams},
        watches=watches,
        habits=habits,
        catalogue=catalogue,
    )


def _habits(company: str, random: Random) -> ToolHabits:
    return ToolHabits(
        company=company,
        shipping=random.choice(("github", "github-bot", "cdevents", "argo")),
        grading=random.choice(("plain", "plain", "page-ticket", "numbered")),
        service_label=random.choice(("service", "app", "application")),
        environment=random.choice(("production", "prod", "live")),
        environment_label=random.choice(("env", "environment", None)),
        switching=random.choice(("launchdarkly", "unleash", "own")),
        chatting=random.choice(("slack", "own")),
        cluster_tells_who=random.random() < 0.5,
        console_tells_who=random.random() < 0.8,
        pages_often=random.uniform(0.25, 0.6),
    )


_SOURCES = {
    "alertmanager": ("alertmanager",),
    "pagerduty": ("pagerduty",),
    "github": ("github",),
    "statuspage": ("statuspage",),
    "notes": ("slack", "chat"),
}


def _aliases(parts: dict[str, Part], company: str) -> tuple[Alias, ...]:
    """The catalogue's aliases: by source, by workload, and by flag."""
    found = []
    for part in parts.values():
        for tool, sources in _SOURCES.items():
            found += [Alias(part.name, "source", part.names[tool], source) for source in sources]
        pipeline = part.names["pipeline"]
        found.append(Alias(part.name, "source", pipeline, f"/{company}/pipelines"))
        found += [Alias(part.name, "source", f"{pipeline}{place}", "argo") for place in ("", "-staging", "-dev")]
        found.append(Alias(part.name, "workload", part.names["kubernetes"]))
        found.append(Alias(part.name, "label", f"{part.name}.*", "flag"))
    return tuple(found)


def _ids(people: tuple[SpeltPerson, ...], random: Random) -> tuple[PersonId, ...]:
    """The catalogue's ids of people, which lists most of them and never all."""
    found = []
    for one in people:
        if random.random() < _LISTED_PEOPLE:
            ids = ((one.email, None), (one.name, None), (one.paging, "pagerduty"), (one.login, "github"))
            found += [PersonId(one.login, known, source) for known, source in ids]
            found += [PersonId(one.login, one.chat, source) for source in ("slack", "chat")]
    return tuple(found)


def _parts(shape: YearShape, teams: tuple[str, ...], random: Random) -> dict[str, Part]:
    pairs = [f"{subject}-{role}" for role in _ROLES for subject in _SUBJECTS]
    names = [*random.sample(pairs, min(len(pairs), shape.services))]
    names += [
        f"{pairs[number % len(pairs)]}-{number // len(pairs) + 1}" for number in range(len(names), shape.services)
    ]
    habits = spellings(random)
    facing_count = max(4, shape.services // 8)
    parts: dict[str, Part] = {}
    for place, name in enumerate(names):
        facing = place < facing_count
        later = names[max(facing_count, place + 1) :]
        near = later[: max(12, shape.services // 4)]
        below = random.sample(near, min(len(near), random.choice((1, 2, 2, 3) if facing else (0, 0, 1, 1, 2))))
        role = name.split("-")[1]
        keeps: Store = "disk" if role in ("store", "index", "queue", "cache") else random.choice(("pool", "none"))
        own = names_of(name, habits, random) if shape.names == "own" else dict.fromkeys(TOOLS, name)
        night = Hours("UTC", 6 * 60, 20 * 60) if facing and random.random() < 0.2 else None
        parts[name] = Part(
            name=name,
            team=teams[place * 7 % len(teams)],
            facing=facing,
            below=tuple(sorted(below)),
            names=own,
            namespace=name.split("-")[0],
            replicas=random.choice((2, 3, 3, 4, 6, 8)),
            scales_itself=random.random() < 0.25,
            keeps=keeps,
            pace=random.choice((0.05, 0.2, 0.4, 0.8, 1.5)),
            hours=night,
        )
    return parts


def _watches(parts: dict[str, Part], shape: YearShape, random: Random) -> tuple[FeedWatch, ...]:
    facing = [part.name for part in parts.values() if part.facing]
    watched = random.sample(facing, max(2, round(len(facing) * 0.8)))
    found = []
    for place, name in enumerate(watched):
        kind = random.choice(("synthetic", "synthetic", "slo"))
        source = f"{'probes' if kind == 'synthetic' else 'objectives'}/{random.choice(('eu', 'us', 'ring'))}"
        every = int(random.choice((15, 30, 30)) * MINUTE / max(0.5, shape.busy))
        retired = place >= 2 and random.random() < 0.15
        found.append(
            FeedWatch(
                service=name,
                source=source,
                evidence=kind,
                every=min(every, HOUR),
                renamed=f"{source}-next" if random.random() < 0.25 else source,
                renamed_on=random.randrange(shape.days),
                ends_on=random.randrange(shape.days // 2, shape.days) if retired else shape.days,
            )
        )
    return tuple(found)


def catalogue_mapping(catalogue: Catalogue) -> dict[str, object]:
    """The catalogue in the form of the file that operators keep (plain data; JSON is YAML)."""
    services: dict[str, object] = {}
    for name, service in catalogue.services.items():
        written: dict[str, object] = {"owner": service.owner}
        if service.depends_on:
            written["depends_on"] = list(service.depends_on)
        if service.user_facing:
            written["user_facing"] = True
        if (hours := service.hours) is not None:
            written["hours"] = {
                "zone": hours.zone,
                "opens": f"{hours.opens // 60:02d}:{hours.opens % 60:02d}",
                "closes": f"{hours.closes // 60:02d}:{hours.closes % 60:02d}",
                "days": [_DAYS[day - 1] for day in sorted(hours.days)],
            }
        if aliases := _written_aliases(alias for alias in catalogue.aliases if alias.service == name):
            written["aliases"] = aliases
        services[name] = written
    return {
        "services": services,
        "production": sorted(catalogue.production),
        "automation": sorted(catalogue.automation),
        "people": _written_people(catalogue.people),
    }


def _written_people(people: Iterable[PersonId]) -> dict[str, object]:
    found: dict[str, dict[str, list[str]]] = {}
    for one in people:
        found.setdefault(one.person, {}).setdefault(one.source or "any", []).append(one.id)
    return dict(found)


def _written_aliases(aliases: Iterable[Alias]) -> dict[str, object]:
    sources: dict[str, list[str]] = {}
    workloads: list[str] = []
    labels: dict[str, str] = {}
    for alias in aliases:
        if alias.by == "source":
            sources.setdefault(alias.of or "", []).append(alias.value)
        elif alias.by == "workload":
            workloads.append(alias.value)
        else:
            labels[alias.of or ""] = alias.value
    found = {"sources": sources, "workloads": workloads, "labels": labels}
    return {key: value for key, value in found.items() if value}
