"""The catalogue file that operators keep → services, environments, feeds and automation, with located problems.

services:
  checkout: {user_facing: true, depends_on: [payments-db], owner: team-pay, domain: shop,
             hours: {zone: Europe/Berlin, opens: "08:00", closes: "18:00", days: [mon, tue, wed, thu, fri]}}
production: [production]
feeds:
  - {service: checkout, source: blackbox, evidence: synthetic, freshness: 10m}
automation: [deploy-bot]
"""

from __future__ import annotations

import re
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from monitor.core.catalogue import Catalogue, Feed, Hours, Service
from monitor.decode.catalogues import SHORT_KEYS, BadCatalogue, catalogue_from_mapping
from monitor.packs.form import Form, name_of, text_of
from monitor.packs.located import Listing, Mapping, Node, plain, read_located
from monitor.packs.problems import Place, Problem, Problems, nearest

__all__ = ["catalogue_from_mapping", "load_catalogue"]

KEYS = ("services", "production", "feeds", "automation")
SERVICE_KEYS = ("depends_on", "user_facing", "owner", "domain", "lifecycle", "hours")
DAYS = {name: number for number, name in enumerate(("mon", "tue", "wed", "thu", "fri", "sat", "sun"), start=1)}
_CLOCK = re.compile(r"([01]?\d|2[0-4]):([0-5]\d)\Z")


def load_catalogue(path: Path) -> tuple[Catalogue, tuple[Problem, ...]]:
    """The catalogue of a file and what is wrong with it. Empty when there is an error; never raises.

    The short form of rule examples and case files (`user_facing`, `depends_on`) is read as well.
    """
    problems = Problems()
    node = read_located(path, problems)
    catalogue = Catalogue() if node is None else read_catalogue(node, problems)
    return (Catalogue() if problems.errors else catalogue), tuple(problems)


def read_catalogue(node: Node, problems: Problems) -> Catalogue:
    """The catalogue of a located tree; its problems are added to `problems`."""
    keys = set(node.entries) if isinstance(node, Mapping) else set()
    if isinstance(node, Mapping) and "services" not in keys and keys & {"user_facing", "depends_on"}:
        return _short(node, problems)
    form = Form(node, problems, "a catalogue", KEYS)
    places: dict[str, Place] = {}
    services: dict[str, Service] = {}
    written = form.get("services")
    if isinstance(written, Mapping):
        for name, (key, value) in written.entries.items():
            services[name] = _service(name, value, problems)
            places[name] = key.place
    elif written is not None:
        problems.error(written.place, f"services is {name_of(written)}", "a mapping from a name to a service")
    elif isinstance(node, Mapping):
        form.missing("services", "a mapping from a name to a service")
    _check_dependencies(services, written, problems)
    feeds = tuple(_feed(item, services, problems) for item in form.several("feeds"))
    if services and not any(service.user_facing for service in services.values()):
        message = "no service is user-facing, so nothing can reach a user"
        problems.warning(form.place_of("services"), message, "`user_facing: true` where users look")
    return Catalogue(
        services=services,
        production=frozenset(form.texts("production", "the name of an environment")),
        feeds=feeds,
        automation=frozenset(form.texts("automation", "the id of an actor")),
    )


def _short(node: Mapping, problems: Problems) -> Catalogue:
    Form(node, problems, "a catalogue in its short form", SHORT_KEYS)
    written = plain(node)
    try:
        return catalogue_from_mapping(written) if isinstance(written, dict) else Catalogue()
    except BadCatalogue as error:
        problems.error(node.place, str(error), "user_facing, production, depends_on or automation")
        return Catalogue()


def _service(name: str, node: Node, problems: Problems) -> Service:
    form = Form(node, problems, f"service {name!r}", SERVICE_KEYS)
    hours = form.get("hours")
    return Service(
        name=name,
        depends_on=form.texts("depends_on", "the name of a service"),
        user_facing=form.flag("user_facing"),
        owner=form.text("owner", "a team") or None,
        domain=form.text("domain", "the name of a domain") or None,
        lifecycle=form.text("lifecycle", "a word such as production or deprecated") or None,
        hours=None if hours is None else _hours(hours, problems),
    )


def _hours(node: Node, problems: Problems) -> Hours | None:
    form = Form(node, problems, "hours", ("zone", "opens", "closes", "days"))
    zone = form.text("zone", "an IANA time zone such as Europe/Berlin", required=isinstance(node, Mapping))
    try:
        if zone:
            ZoneInfo(zone)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        problems.error(form.place_of("zone"), f"no time zone {zone!r}", "an IANA time zone such as Europe/Berlin")
    opens, closes = _minute(form, "opens"), _minute(form, "closes")
    if not form.has("days"):
        return Hours(zone, opens, closes)
    days = frozenset(DAYS[word] for word in form.choices("days", DAYS, "days such as mon or sat"))
    return Hours(zone, opens, closes, days)


def _minute(form: Form, key: str) -> int:
    text = form.text(key, 'a time of day such as "08:30"', required=True)
    found = _CLOCK.match(text)
    minute = int(found[1]) * 60 + int(found[2]) if found else 0
    if (text and not found) or minute > 24 * 60:
        form.problems.error(form.place_of(key), f"{key} is {text!r}", 'a time of day between "00:00" and "24:00"')
    return minute


def _feed(node: Node, services: dict[str, Service], problems: Problems) -> Feed:
    form = Form(node, problems, "a feed", ("service", "source", "evidence", "freshness"))
    service = form.text("service", "the service that it watches", required=isinstance(node, Mapping))
    if service and service not in services:
        _unknown_service(form.place_of("service"), service, services, problems)
    return Feed(
        service=service,
        source=form.text("source", "the source of its events") or None,
        evidence=form.text("evidence", "what it can see, such as synthetic or slo") or None,
        freshness=form.span("freshness") if form.has("freshness") else None,
    )


def _check_dependencies(services: dict[str, Service], written: Node | None, problems: Problems) -> None:
    for service in services.values():
        node = written.get(service.name) if isinstance(written, Mapping) else None
        listed = node.get("depends_on") if isinstance(node, Mapping) else None
        items = listed.items if isinstance(listed, Listing) else [listed] if listed is not None else []
        for item in items:
            name = text_of(item, Problems(), "depends_on", "")
            if name and name not in services:
                _unknown_service(item.place, name, services, problems)


def _unknown_service(place: Place, name: str, services: dict[str, Service], problems: Problems) -> None:
    close = nearest(name, services)
    hint = f"{close!r}, or an entry of its own" if close else f"an entry `{name}: {{}}`"
    problems.error(place, f"service {name!r} is not in the catalogue", "a service that is listed", hint)
