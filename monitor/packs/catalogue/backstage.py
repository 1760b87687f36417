"""The entities of Backstage (`catalog-info.yaml`) → services, dependencies, feeds and the rest of a catalogue.

Components and Resources become services. An API joins those that consume it to those that provide it, a System and a
Domain say where a service belongs. What Backstage has no field for stands in annotations under `nearmiss.dev/`. Fields
that say nothing to us are passed over, since the format is not ours.
"""

from __future__ import annotations

import msgspec

from monitor.core.model.catalogue import Alias, AliasBy, Feed, Hours, Service
from monitor.located.checks import Check
from monitor.located.form import DURATION_HELP, duration, name_of, text_of, truth_of
from monitor.located.nodes import Listing, Mapping, Node, Scalar
from monitor.located.problems import Place, Problems, listed, meant, nearest
from monitor.packs.catalogue.hours import hours_of_line
from monitor.packs.catalogue.parts import Parts

PREFIX = "nearmiss.dev/"
OF_SERVICES = ("user-facing", "hours", "feeds", "service", "ignore", "aliases")
OF_ANYTHING = ("production", "automation")
ANNOTATIONS = (*OF_SERVICES, *OF_ANYTHING)
SAMPLES = {
    "user-facing": '"true"',
    "hours": '"mon-fri 08:00-18:00 Europe/Berlin"',
    "feeds": '"blackbox synthetic 10m"',
    "service": '"checkout"',
    "ignore": '"true"',
    "aliases": '"Payments API, pay-api"',
    "production": '"production"',
    "automation": '"deploy-bot"',
}
"""What may stand in each annotation, for who wrote something else."""
TOOLS: dict[str, tuple[AliasBy, str | None]] = {
    "github.com/project-slug": ("repository", None),
    "gitlab.com/project-slug": ("repository", None),
    "backstage.io/kubernetes-id": ("workload", None),
    "pagerduty.com/service-id": ("source", "pagerduty"),
    "argocd/app-name": ("workload", None),
    "sentry.io/project-slug": ("source", "sentry"),
}
"""Annotations of other plugins that say what a tool calls the service."""
KINDS = ("component", "resource", "api", "system", "domain", "group", "user", "location", "template")
SERVICES = ("component", "resource")
_API_VERSION = "backstage.io/"
_OWN_NAME = f"the annotation {PREFIX}service with the name that its events use"

_REF_SAMPLES = {
    "": "component:checkout",
    "component": "checkout",
    "api": "checkout-api",
    "system": "shop",
    "domain": "retail",
    "group": "group:team-pay",
}

Ref = tuple[str, str, str]
"""(kind, namespace, name) in lower case, since Backstage does not tell the cases apart."""


def is_entity(node: Node) -> bool:
    """Whether a document is meant for Backstage."""
    return _says(node, "apiVersion").startswith(_API_VERSION)


def others_may_use(node: Node) -> bool:
    """Whether a document is meant for another tool that names its kinds like Backstage does, such as Kubernetes."""
    return bool(_says(node, "apiVersion") and _says(node, "kind")) and not is_entity(node)


def _says(node: Node, key: str) -> str:
    found = node.get(key) if isinstance(node, Mapping) else None
    return found.text if isinstance(found, Scalar) and found.value is not None else ""


class _Entity(msgspec.Struct, frozen=True):
    """One entity as far as it was readable. `name` is as written; `service` is how its events call it."""

    ref: Ref
    name: str
    place: Place
    spec: Mapping
    service: str
    annotations: dict[str, tuple[str, Place]]
    tools: tuple[Alias, ...] = ()

    @property
    def namespace(self) -> str:
        return self.ref[1]


class Entities:
    """Collects the entities of all files; references between them are followed when all are known."""

    def __init__(self, problems: Problems) -> None:
        self._problems = problems
        self._entities: dict[Ref, _Entity] = {}
        self._names: dict[Ref, str] = {}
        self._ignored: set[Ref] = set()

    def add(self, node: Node) -> None:
        """One document for which `is_entity` holds."""
        assert isinstance(node, Mapping)
        written = node.get("kind")
        kind = _says(node, "kind").lower()
        if kind not in KINDS:
            self._unknown_kind(kind, written.place if written is not None else node.place)
            return
        metadata, spec = node.get("metadata"), node.get("spec")
        name = _text(metadata, "name")
        if not isinstance(metadata, Mapping) or name is None:
            place = metadata.place if metadata is not None else node.place
            self._problems.error(place, f"{kind} without a name", "metadata with a `name`", "adding `name: checkout`")
            return
        namespace = _text(metadata, "namespace")
        ref = (kind, (namespace[0] if namespace else "default").lower(), name[0].lower())
        known = self._entities.get(ref)
        if known is not None:
            message = f"{kind} {name[0]!r} is described twice (first in {known.place})"
            self._problems.error(name[1], message, "each entity once", "removing one of them")
            return
        if spec is not None and not isinstance(spec, Mapping):
            self._problems.error(
                spec.place, f"spec is {name_of(spec)}", "a mapping", "`spec: {type: service, owner: group:…}`"
            )
            return
        annotations = self._annotations(kind, metadata.get("annotations"))
        service = annotations.get("service", (name[0], name[1]))[0]
        self._names[ref] = service
        tools = _tools(metadata.get("annotations")) if kind in SERVICES else ()
        self._entities[ref] = _Entity(ref, name[0], name[1], spec or Mapping(node.place), service, annotations, tools)

    def _unknown_kind(self, kind: str, place: Place) -> None:
        """Backstage can be taught kinds; only what looks like a slip of the pen is worth a word."""
        if not kind or nearest(kind, KINDS):
            message = f"kind {kind!r} is none of Backstage's own" if kind else "an entity without a kind"
            self._problems.error(place, message, f"one of {listed(KINDS)}", meant(kind, KINDS, "`kind: Component`"))

    def _annotations(self, kind: str, node: Node | None) -> dict[str, tuple[str, Place]]:
        found: dict[str, tuple[str, Place]] = {}
        for key, (written, value) in node.entries.items() if isinstance(node, Mapping) else ():
            if not key.startswith(PREFIX):
                continue
            name = key.removeprefix(PREFIX)
            if name not in ANNOTATIONS:
                known = listed([PREFIX + each for each in ANNOTATIONS])
                hint = meant(key, [PREFIX + each for each in ANNOTATIONS], "removing it")
                self._problems.error(written.place, f"there is no annotation {key!r}", f"one of {known}", hint)
            elif name in OF_SERVICES and kind not in SERVICES:
                message = f"annotation {key!r} stands on a {kind}"
                expected = "a Component or a Resource, which become services"
                self._problems.error(written.place, message, expected, "moving it to the Component that it is about")
            elif (text := text_of(value, self._problems, key, "a text", f"`{key}: {SAMPLES[name]}`")) is not None:
                found[name] = (text, value.place)
        return found

    # -- handing over ------------------------------------------------------------------------------------------

    def hand_over(self, parts: Parts) -> None:
        """Tell `parts` what all entities say, once every file has been read."""
        self._ignored = {ref for ref, entity in self._entities.items() if self._flag(entity, "ignore")}
        providers = self._providers()
        for entity in self._entities.values():
            for name, into in (("production", parts.production), ("automation", parts.automation)):
                into.update(word for word in entity.annotations.get(name, ("",))[0].replace(",", " ").split())
            if entity.ref[0] in SERVICES and entity.ref not in self._ignored:
                self._service(entity, parts, providers)

    def _service(self, entity: _Entity, parts: Parts, providers: dict[Ref, list[str]]) -> None:
        system, domain = self._belongs(entity)
        service = Service(
            name=entity.service,
            user_facing=self._flag(entity, "user-facing"),
            owner=self._owner(entity),
            system=system,
            domain=domain,
            lifecycle=(_text(entity.spec, "lifecycle") or ("", None))[0].lower() or None,
            hours=self._hours(entity),
        )
        parts.describe(service, entity.place, _OWN_NAME)
        for alias, place in _aliases(entity):
            parts.words.alias(alias, place)
        for alias in entity.tools:
            parts.words.suggest(msgspec.structs.replace(alias, service=entity.service))
        for feed, place in self._feeds(entity):
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

    def _needed_by(self, parts: Parts, entity: _Entity, ref: Ref, place: Place) -> None:
        """The other one depends on this entity; a statement about an unknown one joins nothing."""
        if ref in self._names and ref[0] in SERVICES:
            if ref not in self._ignored:
                parts.need(self._names[ref], entity.service, place)
            return
        known = {each[2] for each in self._names if each[0] in SERVICES}
        message = f"{ref[0] or 'component or resource'} {ref[2]!r} is not described"
        hint = meant(ref[2], known, "adding the file that describes it")
        self._problems.warning(Check.NOT_DESCRIBED, place, message, "an entity of one of the files", hint)

    def _named(self, ref: Ref) -> str:
        """The service that a reference means; one that is not described keeps the name that it was given."""
        return self._names.get(ref, ref[2])

    def _of_kind(self, kind: str) -> list[Ref]:
        return [ref for ref in self._entities if ref[0] == kind]

    def _providers(self) -> dict[Ref, list[str]]:
        found: dict[Ref, list[str]] = {}
        for entity in self._entities.values():
            if entity.ref[0] == "component" and entity.ref not in self._ignored:
                for ref, _ in self._refs(entity, "providesApis", "api", told=True):
                    found.setdefault(ref, []).append(entity.service)
        return found

    def _refs(self, entity: _Entity, key: str, kind: str, *, told: bool = False) -> list[tuple[Ref, Place]]:
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
        return resource if resource in self._names else ("component", namespace, name)

    def _belongs(self, entity: _Entity) -> tuple[str | None, str | None]:
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

    def _owner(self, entity: _Entity) -> str | None:
        for ref, place in self._refs(entity, "owner", "group"):
            if ref[0] == "group":
                return ref[2] if ref[1] == "default" else f"{ref[1]}/{ref[2]}"
            self._problems.warning(
                Check.PERSON_OWNS, place, "the owner is one person", "a team", "`owner: group:…`; it is left out"
            )
        return None

    # -- annotations -------------------------------------------------------------------------------------------

    def _flag(self, entity: _Entity, name: str) -> bool:
        text, place = entity.annotations.get(name, ("false", entity.place))
        if text.lower() not in ("true", "false"):
            meant_so = truth_of(Scalar(place, text, text))
            hint = f'`{PREFIX}{name}: "{meant_so}"`'
            self._problems.error(place, f"{PREFIX}{name} is {text!r}", 'the text "true" or "false"', hint)
        return text.lower() == "true"

    def _hours(self, entity: _Entity) -> Hours | None:
        found = entity.annotations.get("hours")
        return None if found is None else hours_of_line(found[0], found[1], self._problems)

    def _feeds(self, entity: _Entity) -> list[tuple[Feed, Place]]:
        """`blackbox synthetic 10m; slo-exporter slo`: source, then evidence and freshness where they are known."""
        text, place = entity.annotations.get("feeds", ("", entity.place))
        found = []
        for part in text.split(";"):
            words = part.split()
            if not words:
                continue
            freshness = duration(words[-1]) if len(words) > 1 else None
            evidence = words[1:-1] if freshness is not None else words[1:]
            if len(evidence) > 1 or (freshness is not None and freshness < 0):
                message = f"feed {part.strip()!r} cannot be read"
                expected = f"a source, then what it can see, then {DURATION_HELP}; several feeds apart by `;`"
                self._problems.error(place, message, expected, "`blackbox synthetic 10m`")
                continue
            found.append((Feed(entity.service, words[0], evidence[0] if evidence else None, freshness), place))
        return found


def _aliases(entity: _Entity) -> list[tuple[Alias, Place]]:
    text, place = entity.annotations.get("aliases", ("", entity.place))
    return [(Alias(entity.service, "name", part.strip()), place) for part in text.split(",") if part.strip()]


def _tools(node: Node | None) -> tuple[Alias, ...]:
    """What tools call a service, by the annotations of other plugins. Whose it is stands open."""
    said = {key: _text(node, key) for key in TOOLS}
    return tuple(Alias("", *_by(TOOLS[key], found[0])) for key, found in said.items() if found is not None)


def _by(tool: tuple[AliasBy, str | None], value: str) -> tuple[AliasBy, str, str | None]:
    return tool[0], value, tool[1]


def _text(node: Node | None, key: str) -> tuple[str, Place] | None:
    found = node.get(key) if isinstance(node, Mapping) else None
    return (found.text, found.place) if isinstance(found, Scalar) and found.value is not None and found.text else None
