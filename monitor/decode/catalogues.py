"""The short form of a catalogue, as case files and rule examples write it → a catalogue of the core.

    {user_facing: [checkout], production: [production], depends_on: {checkout: [payments-db]},
     hours: {checkout: {zone: Europe/Berlin, opens: "08:00", closes: "18:00", days: [mon, tue]}}}

Knows nothing of files; the long form that operators keep is read by `monitor.packs.catalogue.loader`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from monitor.core.model.catalogue import Catalogue, Hours, Service

SHORT_KEYS: frozenset[str] = frozenset({"user_facing", "production", "depends_on", "automation", "hours"})
SHORT_SAMPLE = "`{user_facing: [shop], depends_on: {shop: [shop-db]}}`"
DAYS = {name: number for number, name in enumerate(("mon", "tue", "wed", "thu", "fri", "sat", "sun"), start=1)}
CLOCK = re.compile(r"([01]?\d|2[0-4]):([0-5]\d)\Z")


class BadCatalogue(ValueError):
    """The mapping is no catalogue."""


def catalogue_from_mapping(mapping: Mapping[str, object]) -> Catalogue:
    """The catalogue; every service that is named anywhere in it is known. Raises BadCatalogue, which names the key."""
    unknown = sorted(set(mapping) - SHORT_KEYS)
    if unknown:
        raise BadCatalogue(f"a catalogue has no key {unknown[0]!r}; expected one of {', '.join(sorted(SHORT_KEYS))}")
    user_facing = _names(mapping, "user_facing")
    depends_on = mapping.get("depends_on") or {}
    if not isinstance(depends_on, Mapping):
        raise BadCatalogue("depends_on must be a mapping from a service to the services that it needs")
    below = {str(service): _names(depends_on, str(service)) for service in depends_on}
    hours = _hours(mapping)
    known = {*user_facing, *below, *(needed for names in below.values() for needed in names), *hours}
    services = {
        name: Service(name, depends_on=below.get(name, ()), user_facing=name in user_facing, hours=hours.get(name))
        for name in sorted(known)
    }
    production, automation = _names(mapping, "production"), _names(mapping, "automation")
    return Catalogue(services, frozenset(production), automation=frozenset(automation))


def minute_of(text: str) -> int | None:
    """Minutes since midnight of `08:30`; None where it is no time of day up to `24:00`."""
    found = CLOCK.match(text)
    minute = int(found[1]) * 60 + int(found[2]) if found else None
    return None if minute is None or minute > 24 * 60 else minute


def _hours(mapping: Mapping[str, object]) -> dict[str, Hours]:
    written = mapping.get("hours") or {}
    if not isinstance(written, Mapping):
        raise BadCatalogue("hours must be a mapping from a service to its zone, opens, closes and days")
    return {str(service): _hours_of(str(service), declared) for service, declared in written.items()}


def _hours_of(service: str, declared: object) -> Hours:
    if not isinstance(declared, Mapping) or not {"zone", "opens", "closes"} <= set(declared):
        raise BadCatalogue(f"the hours of {service} need a zone, opens and closes")
    zone = str(declared["zone"])
    try:
        ZoneInfo(zone)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise BadCatalogue(f"the hours of {service} name no time zone: {zone!r}; try Europe/Berlin") from error
    opens, closes = minute_of(str(declared["opens"])), minute_of(str(declared["closes"]))
    if opens is None or closes is None:
        raise BadCatalogue(f'the hours of {service} open and close at a time of day such as "08:30"')
    if "days" not in declared:
        return Hours(zone, opens, closes)
    days = _names(declared, "days")
    if not set(days) <= DAYS.keys():
        raise BadCatalogue(f"the hours of {service} name days that are none; expected some of {', '.join(DAYS)}")
    return Hours(zone, opens, closes, frozenset(DAYS[day] for day in days))


def _names(mapping: Mapping[str, object], key: str) -> tuple[str, ...]:
    value = mapping.get(key) or ()
    if isinstance(value, str):
        return (value,)
    if not isinstance(value, list | tuple) or not all(isinstance(name, str | int | float) for name in value):
        raise BadCatalogue(f"{key} must be a list of names")
    return tuple(str(name) for name in value)
