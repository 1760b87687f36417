"""One entity of Backstage: who it is, what its fields and annotations say, and which of its annotations cannot be read.

What Backstage has no field for stands in annotations under `nearmiss.dev/`. Fields that say nothing to us are passed
over, since the format is not ours. Must not know other entities.
"""

from __future__ import annotations

import msgspec

from monitor.core.model.catalogue import Alias, AliasBy, Feed, Hours
from monitor.located.form import DURATION_HELP, duration, name_of, text_of, truth_of
from monitor.located.nodes import Mapping, Node, Scalar
from monitor.located.problems import Place, Problems, listed, meant, nearest
from monitor.packs.catalogue.hours import hours_of_line

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

Ref = tuple[str, str, str]
"""(kind, namespace, name) in lower case, since Backstage does not tell the cases apart."""


def is_entity(node: Node) -> bool:
    """Whether a document is meant for Backstage."""
    return _says(node, "apiVersion").startswith(_API_VERSION)


def others_may_use(node: Node) -> bool:
    """Whether a document is meant for another tool that names its kinds like Backstage does, such as Kubernetes."""
    return bool(_says(node, "apiVersion") and _says(node, "kind")) and not is_entity(node)


class Identity(msgspec.Struct, frozen=True):
    """What an entity is known by. `name` is as written."""

    ref: Ref
    name: str
    place: Place


class Entity(msgspec.Struct, frozen=True):
    """One entity as far as it was readable. `service` is how its events call it."""

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


def identity_of(node: Mapping, problems: Problems) -> Identity | None:
    """Who a document for which `is_entity` holds describes; None for a kind that is none of Backstage's."""
    written = node.get("kind")
    kind = _says(node, "kind").lower()
    if kind not in KINDS:
        _unknown_kind(kind, written.place if written is not None else node.place, problems)
        return None
    metadata = node.get("metadata")
    name = text_at(metadata, "name")
    if name is None:
        place = metadata.place if metadata is not None else node.place
        problems.error(place, f"{kind} without a name", "metadata with a `name`", "adding `name: checkout`")
        return None
    namespace = text_at(metadata, "namespace")
    ref = (kind, (namespace[0] if namespace else "default").lower(), name[0].lower())
    return Identity(ref, *name)


def read_entity(node: Mapping, identity: Identity, problems: Problems) -> Entity | None:
    """The rest of a document; None where its `spec` is none."""
    spec, metadata, kind = node.get("spec"), node.get("metadata"), identity.ref[0]
    if spec is not None and not isinstance(spec, Mapping):
        problems.error(spec.place, f"spec is {name_of(spec)}", "a mapping", "`spec: {type: service, owner: group:…}`")
        return None
    written = metadata.get("annotations") if isinstance(metadata, Mapping) else None
    annotations = _annotations(kind, written, problems)
    service = annotations.get("service", (identity.name, identity.place))[0]
    tools = _tools(written) if kind in SERVICES else ()
    return Entity(identity.ref, identity.name, identity.place, spec or Mapping(node.place), service, annotations, tools)


def _unknown_kind(kind: str, place: Place, problems: Problems) -> None:
    """Backstage can be taught kinds; only what looks like a slip of the pen is worth a word."""
    if not kind or nearest(kind, KINDS):
        message = f"kind {kind!r} is none of Backstage's own" if kind else "an entity without a kind"
        problems.error(place, message, f"one of {listed(KINDS)}", meant(kind, KINDS, "`kind: Component`"))


def _annotations(kind: str, node: Node | None, problems: Problems) -> dict[str, tuple[str, Place]]:
    found: dict[str, tuple[str, Place]] = {}
    for key, (written, value) in node.entries.items() if isinstance(node, Mapping) else ():
        if not key.startswith(PREFIX):
            continue
        name = key.removeprefix(PREFIX)
        if name not in ANNOTATIONS:
            known = listed([PREFIX + each for each in ANNOTATIONS])
            hint = meant(key, [PREFIX + each for each in ANNOTATIONS], "removing it")
            problems.error(written.place, f"there is no annotation {key!r}", f"one of {known}", hint)
        elif name in OF_SERVICES and kind not in SERVICES:
            message = f"annotation {key!r} stands on a {kind}"
            expected = "a Component or a Resource, which become services"
            problems.error(written.place, message, expected, "moving it to the Component that it is about")
        elif (text := text_of(value, problems, key, "a text", f"`{key}: {SAMPLES[name]}`")) is not None:
            found[name] = (text, value.place)
    return found


def flag_of(entity: Entity, name: str, problems: Problems) -> bool:
    """Whether an annotation says "true"; a problem where it says neither."""
    text, place = entity.annotations.get(name, ("false", entity.place))
    if text.lower() not in ("true", "false"):
        meant_so = truth_of(Scalar(place, text, text))
        hint = f'`{PREFIX}{name}: "{meant_so}"`'
        problems.error(place, f"{PREFIX}{name} is {text!r}", 'the text "true" or "false"', hint)
    return text.lower() == "true"


def hours_of(entity: Entity, problems: Problems) -> Hours | None:
    found = entity.annotations.get("hours")
    return None if found is None else hours_of_line(found[0], found[1], problems)


def feeds_of(entity: Entity, problems: Problems) -> list[tuple[Feed, Place]]:
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
            problems.error(place, message, expected, "`blackbox synthetic 10m`")
            continue
        found.append((Feed(entity.service, words[0], evidence[0] if evidence else None, freshness), place))
    return found


def aliases_of(entity: Entity) -> list[tuple[Alias, Place]]:
    text, place = entity.annotations.get("aliases", ("", entity.place))
    return [(Alias(entity.service, "name", part.strip()), place) for part in text.split(",") if part.strip()]


def _tools(node: Node | None) -> tuple[Alias, ...]:
    """What tools call a service, by the annotations of other plugins. Whose it is stands open."""
    said = {key: text_at(node, key) for key in TOOLS}
    return tuple(Alias("", *_by(TOOLS[key], found[0])) for key, found in said.items() if found is not None)


def _by(tool: tuple[AliasBy, str | None], value: str) -> tuple[AliasBy, str, str | None]:
    return tool[0], value, tool[1]


def text_at(node: Node | None, key: str) -> tuple[str, Place] | None:
    """A text that is not empty, and where it stands."""
    found = node.get(key) if isinstance(node, Mapping) else None
    return (found.text, found.place) if isinstance(found, Scalar) and found.value is not None and found.text else None


def _says(node: Node, key: str) -> str:
    found = node.get(key) if isinstance(node, Mapping) else None
    return found.text if isinstance(found, Scalar) and found.value is not None else ""
