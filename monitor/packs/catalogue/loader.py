"""Files and directories that describe the services → one catalogue, with located problems, every one at once.

Reads two forms, in any mixture: our own, below, and the entities of Backstage (`monitor.packs.catalogue.backstage`).

services:
  checkout: {user_facing: true, depends_on: [payments-db], owner: team-pay, system: shop, domain: retail,
             aliases: [shop-front],
             hours: {zone: Europe/Berlin, opens: "08:00", closes: "18:00", days: [mon, tue, wed, thu, fri]}}
production: [production]
feeds:
  - {service: checkout, source: blackbox, evidence: synthetic, freshness: 10m}
automation: [deploy-bot]
environments: {production: [blue, green]}
severities: {critical: [tsunami]}
people: {ann: {any: [ann@shop.example], pagerduty: PX1ABCD}}
impact_alerts:
  - {alert: CheckoutErrors, labels: {tier: user}}
impact_notes: {users: [ward staff], harmed: [paper forms], spared: [sandbox], read: true}
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path

import msgspec

from monitor.core.model.catalogue import Catalogue, Feed, Service
from monitor.decode.catalogues import SHORT_KEYS, SHORT_SAMPLE, BadCatalogue, catalogue_from_mapping
from monitor.located.files import find_files
from monitor.located.form import Form, name_of, text_of
from monitor.located.nodes import Listing, Mapping, Node, plain, read_documents
from monitor.located.problems import Place, Problem, Problems, listed, meant
from monitor.packs.catalogue.backstage import Entities
from monitor.packs.catalogue.entity import is_entity, others_may_use
from monitor.packs.catalogue.hours import hours_of_mapping
from monitor.packs.catalogue.parts import Parts

KEYS = (
    "services",
    "production",
    "feeds",
    "automation",
    "environments",
    "severities",
    "impact_alerts",
    "impact_notes",
    "people",
)
SERVICE_KEYS = ("depends_on", "user_facing", "owner", "system", "domain", "lifecycle", "hours", "aliases")


class LoadedCatalogue(msgspec.Struct, frozen=True):
    """What the files gave; empty where there is an error. `places` and `feed_places` say where each is."""

    catalogue: Catalogue
    problems: tuple[Problem, ...]
    content_hash: str
    places: dict[str, Place]
    feed_places: dict[Feed, Place]
    files: int
    left_out: int
    """Documents of other tools, which are no part of a catalogue."""

    @property
    def errors(self) -> tuple[Problem, ...]:
        return tuple(problem for problem in self.problems if problem.is_error)


def load_catalogue(path: Path) -> tuple[Catalogue, tuple[Problem, ...]]:
    """The catalogue of a file or a directory and what is wrong with it, as `load_catalogues` reads it."""
    loaded = load_catalogues([path])
    return loaded.catalogue, loaded.problems


def load_catalogues(paths: Sequence[Path]) -> LoadedCatalogue:
    """One catalogue of several files and directories (`*.yaml`, `*.yml`; hidden ones left out). Never raises.

    Without a path, the empty catalogue. A file may hold several documents, each in either form. The short form of rule
    examples and case files (`user_facing`, `depends_on`) is read as well.
    """
    problems = Problems()
    parts, entities = Parts(problems), Entities(problems)
    files = [file for path in paths for file in find_files(path, problems, "catalogue")]
    parts.unreadable = problems.errors > 0
    left_out = 0
    for file in dict.fromkeys(files):
        before = problems.errors
        documents = read_documents(file, problems)
        parts.unreadable |= not documents or problems.errors > before
        for node in documents:
            if others_may_use(node):
                left_out += 1
            elif is_entity(node):
                entities.add(node)
            else:
                _read_document(node, parts)
    entities.hand_over(parts)
    catalogue = parts.finish(Place(str(paths[0]))) if paths else Catalogue()
    if problems.errors:
        catalogue = Catalogue()
    return LoadedCatalogue(
        catalogue=catalogue,
        problems=tuple(problems),
        content_hash=catalogue_hash(catalogue),
        places=parts.places,
        feed_places=parts.feed_places,
        files=len(set(files)),
        left_out=left_out,
    )


def read_catalogue(node: Node, problems: Problems) -> Catalogue:
    """The catalogue of a located tree in our own form; its problems are added to `problems`."""
    parts = Parts(problems)
    _read_document(node, parts)
    return parts.finish(node.place)


def catalogue_hash(catalogue: Catalogue) -> str:
    """Equal for two catalogues that say the same, in whatever files and order."""
    feeds = tuple(sorted(catalogue.feeds, key=repr))
    said = msgspec.structs.replace(catalogue, feeds=feeds)
    return hashlib.sha256(msgspec.json.encode(said, order="deterministic")).hexdigest()[:16]


def _read_document(node: Node, parts: Parts) -> None:
    problems = parts.problems
    keys = set(node.entries) if isinstance(node, Mapping) else set()
    if isinstance(node, Mapping) and "services" not in keys and keys & {"user_facing", "depends_on"}:
        _read_short(node, parts)
        return
    form = Form(node, problems, "a catalogue", KEYS)
    written = form.get("services")
    if isinstance(written, Mapping):
        for name, (key, value) in written.entries.items():
            _read_service(name, key.place, value, parts)
    elif written is not None:
        expected, hint = "a mapping from a name to a service", "`services: {checkout: {user_facing: true}}`"
        problems.error(written.place, f"services is {name_of(written)}", expected, hint)
    for item in form.several("feeds"):
        _read_feed(item, parts)
    parts.production.update(form.texts("production", "the name of an environment", "[production]"))
    parts.automation.update(form.texts("automation", "the id of an actor", "[deploy-bot]"))
    if (environments := form.get("environments")) is not None:
        parts.words.read_environments(environments)
    if (severities := form.get("severities")) is not None:
        parts.words.read_severities(severities)
    if (people := form.get("people")) is not None:
        parts.words.read_people(people)
    for item in form.several("impact_alerts"):
        parts.words.read_impact_alert(item)
    if (notes := form.get("impact_notes")) is not None:
        parts.words.read_impact_notes(notes)


def _read_short(node: Mapping, parts: Parts) -> None:
    problems = parts.problems
    Form(node, problems, "a short catalogue", sorted(SHORT_KEYS))
    written = plain(node)
    try:
        catalogue = catalogue_from_mapping(written) if isinstance(written, dict) else Catalogue()
    except BadCatalogue as error:
        problems.error(node.place, str(error), f"a mapping with {listed(SHORT_KEYS)}", SHORT_SAMPLE)
        return
    for name, service in catalogue.services.items():
        parts.write(service, frozenset({"user_facing"} if service.user_facing else ()), node.place)
        for target in service.depends_on:
            parts.need(name, target, node.place)
    parts.production |= catalogue.production
    parts.automation |= catalogue.automation


def _read_service(name: str, place: Place, node: Node, parts: Parts) -> None:
    form = Form(node, parts.problems, f"service {name!r}", SERVICE_KEYS)
    hours = form.get("hours")
    service = Service(
        name=name,
        user_facing=form.flag("user_facing"),
        owner=form.text("owner", "a team", "team-pay") or None,
        system=form.text("system", "the name of a system", "shop") or None,
        domain=form.text("domain", "the name of a domain", "retail") or None,
        lifecycle=form.text("lifecycle", "a word such as production or deprecated", "production") or None,
        hours=None if hours is None else hours_of_mapping(hours, parts.problems),
    )
    parts.write(service, frozenset(key for key in SERVICE_KEYS if form.has(key)), place)
    if (aliases := form.get("aliases")) is not None:
        parts.words.read_aliases(name, aliases)
    needed = form.get("depends_on")
    items = needed.items if isinstance(needed, Listing) else [needed] if needed is not None else []
    for item in items:
        target = text_of(item, parts.problems, "depends_on", "the name of a service", "`depends_on: [payments-db]`")
        if target is not None:
            parts.need(name, target, item.place)


def _misplaced_in_feed(_feed: Mapping, key: str, free: Sequence[str]) -> str:
    return "the whole entry among `feeds` of the settings" if key == "pull" else meant(key, free, "removing it")


def _read_feed(node: Node, parts: Parts) -> None:
    form = Form(node, parts.problems, "a feed", ("service", "source", "evidence", "freshness"), _misplaced_in_feed)
    feed = Feed(
        service=form.text("service", "the service that it watches", "checkout", required=isinstance(node, Mapping)),
        source=form.text("source", "the source of its events", "blackbox") or None,
        evidence=form.text("evidence", "what it can see, such as synthetic or slo", "synthetic") or None,
        freshness=form.span("freshness") if form.has("freshness") else None,
    )
    parts.feed(feed, form.place_of("service"))
