"""The entities of Backstage (`catalog-info.yaml`) → services, dependencies, feeds and the rest of a catalogue.

Components and Resources become services. An API joins those that consume it to those that provide it, a System and a
Domain say where a service belongs. What one entity says by itself is read by `monitor.packs.catalogue.entity`.
"""

from __future__ import annotations

import msgspec

from monitor.core.model.catalogue import Service
from monitor.located.checks import Check
from monitor.located.form import text_of
from monitor.located.nodes import Listing, Mapping, Node
from monitor.located.problems import Place, Problems, meant
from monitor.packs.catalogue.entity import (
    PREFIX,
    SERVICES,
    Entity,
    Ref,
    aliases_of,
    feeds_of,
    flag_of,
    hours_of,
    identity_of,
    read_entity,
    text_at,
)
from monitor.packs.catalogue.parts import Parts

_OWN_NAME = f"the annotation {PREFIX}service with the name that its events use"
_REF_SAMPLES = {
    "": "component:checkout",
    "component": "checkout",
    "api": "checkout-api",
    "system": "shop",
    "domain": "retail",
    "group": "group:team-pay",
}


class Entities:
    """Collects the entities of all files; references between them are followed when all are known."""

    def __init__(self, problems: Problems) -> None:
        self._problems = problems
        self._entities: dict[Ref, Entity] = {}
        self._ignored: set[Ref] = set()

    def add(self, node: Node) -> None:
        """One document for which `is_entity` holds."""
        assert isinstance(node, Mapping)
        identity = identity_of(node, self._problems)
        if identity is None:
            return
        known = self._entities.get(identity.ref)
        if known is not None:
            message = f"{identity.ref[0]} {identity.name!r} is described twice (first in {known.place})"
            self._problems.error(identity.place, message, "each entity once", "removing one of them")
            return
        entity = read_entity(node, identity, self._problems)
        if entity is not None:
            self._entities[entity.ref] = entity

    def hand_over(self, parts: Parts) -> None:
        """Tell `parts` what all entities say, once every file has been read."""
        self._ignored = {ref for ref, entity in self._entities.items() if flag_of(entity, "ignore", self._problems)}
        providers = self._providers()
        for entity in self._entities.values():
            for name, into in (("production", parts.production), ("automation", parts.automation)):
                into.update(word for word in entity.annotations.get(name, ("",))[0].replace(",", " ").split())
            if entity.ref[0] in SERVICES and entity.ref not in self._ignored:
                self._service(entity, parts, providers)

    def _service(self, entity: Entity, parts: Parts, providers: dict[Ref, list[str]]) -> None:
        system, domain = self._belongs(entity)
        service = Service(
            name=entity.service,
            user_facing=flag_of(entity, "user-facing", self._problems),
            owner=self._owner(entity),
            system=system,
            domain=domain,
            lifecycle=(text_at(entity.spec, "lifecycle") or ("", None))[0].lower() or None,
            hours=hours_of(entity, self._problems),
        )
        parts.describe(service, entity.place, _OWN_NAME)
        for alias, place in aliases_of(entity):
            parts.words.alias(alias, place)
        for alias in entity.tools:
            parts.words.suggest(msgspec.structs.replace(alias, service=entity.service))
        for feed, place in feeds_of(entity, self._problems):
            parts.feed(feed, place)
        for ref, place in self._refs(entity, "dependsOn", ""):
            if ref not in self._ignored:
                parts.need(entity.service, self._named(ref), place)
        for ref, place in self._refs(entity, "dependencyOf", ""):
            self._needed_by(parts, entity, ref, place)
        for ref, place in self._refs(entity, "subcomponentOf", "component"):
            self._needed_by(parts, entity, ref, place)
        for ref, place in self._refs(entity, "consumesApis", "api"):
            if ref not in providers and ref not in self._entities:
                known = {each[2] for each in (*providers, *self._of_kind("api"))}
                message = f"nobody provides an API {ref[2]!r}, and none is described"
                expected = "an API of a component's `providesApis`, or an entity of its own"
                hint = meant(ref[2], known, f"`providesApis: [{ref[2]}]` on the component that serves it")
                self._problems.warning(Check.NOT_DESCRIBED, place, message, expected, hint)
            for provider in providers.get(ref, ()):
                parts.need(entity.service, provider, place)

    def _needed_by(self, parts: Parts, entity: Entity, ref: Ref, place: Place) -> None:
        """The other one depends on this entity; a statement about an unknown one joins nothing."""
        if ref in self._entities and ref[0] in SERVICES:
            if ref not in self._ignored:
                parts.need(self._entities[ref].service, entity.service, place)
            return
        known = {each[2] for each in self._entities if each[0] in SERVICES}
        message = f"{ref[0] or 'component or resource'} {ref[2]!r} is not described"
        hint = meant(ref[2], known, "adding the file that describes it")
        self._problems.warning(Check.NOT_DESCRIBED, place, message, "an entity of one of the files", hint)

    def _named(self, ref: Ref) -> str:
        """The service that a reference means; one that is not described keeps the name that it was given."""
        known = self._entities.get(ref)
        return ref[2] if known is None else known.service

    def _of_kind(self, kind: str) -> list[Ref]:
        return [ref for ref in self._entities if ref[0] == kind]

    def _providers(self) -> dict[Ref, list[str]]:
        found: dict[Ref, list[str]] = {}
        for entity in self._entities.values():
            if entity.ref[0] == "component" and entity.ref not in self._ignored:
                for ref, _ in self._refs(entity, "providesApis", "api", told=True):
                    found.setdefault(ref, []).append(entity.service)
        return found

    def _refs(self, entity: Entity, key: str, kind: str, *, told: bool = False) -> list[tuple[Ref, Place]]:
        """The references of a field: `[kind:][namespace/]name`. `told`: problems were said elsewhere already."""
        node = entity.spec.get(key)
        items = node.items if isinstance(node, Listing) else [] if node is None else [node]
        problems = Problems() if told else self._problems
        found = []
        for item in items:
            text = text_of(
                item, problems, key, "a reference such as component:default/checkout", f"`{key}: {_REF_SAMPLES[kind]}`"
            )
            if text is not None:
                found.append((self._ref(text, kind, entity.namespace), item.place))
        return found

    def _ref(self, text: str, kind: str, namespace: str) -> Ref:
        before, colon, after = text.strip().lower().partition(":")
        rest = after if colon else before
        space, slash, name = rest.partition("/")
        namespace, name = (space, name) if slash else (namespace, space)
        if colon or kind:
            return (before if colon else kind, namespace, name)
        resource = ("resource", namespace, name)
        return resource if resource in self._entities else ("component", namespace, name)

    def _belongs(self, entity: Entity) -> tuple[str | None, str | None]:
        """The system of an entity, and the domain of that system."""
        for ref, place in self._refs(entity, "system", "system"):
            system = self._entities.get(ref)
            if system is None:
                self._warn_unless_known("system", ref, place)
                return ref[2], None
            for domain, where in self._refs(system, "domain", "domain", told=True):
                if domain not in self._entities:
                    self._warn_unless_known("domain", domain, where)
                    return system.name, domain[2]
                return system.name, self._entities[domain].name
            return system.name, None
        return None, None

    def _warn_unless_known(self, kind: str, ref: Ref, place: Place) -> None:
        """Where the files describe none of a kind they leave it to others; where they do, a missing one is a slip."""
        known = [each[2] for each in self._of_kind(kind)]
        if known:
            hint = meant(ref[2], known, "adding the file that describes it")
            self._problems.warning(
                Check.NOT_DESCRIBED, place, f"{kind} {ref[2]!r} is not described", f"a {kind} of one of the files", hint
            )

    def _owner(self, entity: Entity) -> str | None:
        for ref, place in self._refs(entity, "owner", "group"):
            if ref[0] == "group":
                return ref[2] if ref[1] == "default" else f"{ref[1]}/{ref[2]}"
            self._problems.warning(
                Check.PERSON_OWNS, place, "the owner is one person", "a team", "`owner: group:…`; it is left out"
            )
        return None
