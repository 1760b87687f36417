"""The short form of a catalogue, as case files and rule examples write it → a catalogue of the core.

    {user_facing: [checkout], production: [production], depends_on: {checkout: [payments-db]}}

Knows nothing of files; the long form that operators keep is read by `monitor.packs.catalogue`.
"""

from __future__ import annotations

from collections.abc import Mapping

from monitor.core.catalogue import Catalogue, Service

SHORT_KEYS: frozenset[str] = frozenset({"user_facing", "production", "depends_on", "automation"})


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
    known = {*user_facing, *below, *(needed for names in below.values() for needed in names)}
    services = {
        name: Service(name, depends_on=below.get(name, ()), user_facing=name in user_facing) for name in sorted(known)
    }
    production, automation = _names(mapping, "production"), _names(mapping, "automation")
    return Catalogue(services, frozenset(production), automation=frozenset(automation))


def _names(mapping: Mapping[str, object], key: str) -> tuple[str, ...]:
    value = mapping.get(key) or ()
    if isinstance(value, str):
        return (value,)
    if not isinstance(value, list | tuple) or not all(isinstance(name, str | int | float) for name in value):
        raise BadCatalogue(f"{key} must be a list of names")
    return tuple(str(name) for name in value)
