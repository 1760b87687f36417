"""CDEvents (`dev.cdevents.<subject>.<predicate>.<version>`), bare or inside a CloudEvent, to events.

The identity is the envelope's own: the context's id and source.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from monitor.core.model.events import Actor, Bound, Event, Kind
from monitor.core.model.reasons import Ignored, Rejected
from monitor.decode.outcome import NoEvent, Unreadable
from monitor.decode.reading import (
    Delivery,
    first,
    make,
    mapping,
    moment,
    not_the_shape,
    person_or_bot,
    quantity,
    severity,
    text,
)
from monitor.decode.tool import Sample, Tool

_TYPE = re.compile(r"dev\.cdevents\.(?P<subject>[a-z]+)\.(?P<predicate>[a-z]+)(?:\.(?P<version>.+))?", re.IGNORECASE)

_KINDS: dict[str, Kind] = {
    "service.deployed": "change.deployed",
    "service.upgraded": "change.deployed",
    "service.rolledback": "change.rolled_back",
    "service.removed": "change.deleted",
    "service.published": "change.configured",
    "environment.created": "change.configured",
    "environment.modified": "change.configured",
    "environment.deleted": "change.deleted",
    "incident.detected": "alert.fired",
    "incident.reported": "incident.opened",
    "incident.resolved": "incident.closed",
    "pipelinerun.started": "change.started",
    "change.merged": "change.merged",
    "artifact.published": "change.merged",
    "approval.created": "note.added",
    "approval.closed": "note.added",
}
_OUTCOMES: dict[str, Kind] = {
    "failure": "change.failed",
    "error": "change.failed",
    "cancel": "change.held",
    "canceled": "change.held",
    "cancelled": "change.held",
}
_KNOWN_SUBJECTS = frozenset(
    {"approval", "artifact", "branch", "build", "change", "environment", "incident", "pipelinerun"}
    | {"repository", "service", "taskrun", "testcaserun", "testoutput", "testsuiterun", "ticket"}
)


def split(body: Any, delivery: Delivery) -> list[Any]:
    """One body is one event, or an array of them. Raises Unreadable."""
    if isinstance(body, list):
        return body
    if not isinstance(mapping(body).get("context"), dict):
        raise not_the_shape("a CDEvent with context and subject", body)
    return [body]


def read(piece: Any, delivery: Delivery) -> list[Event]:
    """The event of one CDEvent. Raises Unreadable or NoEvent."""
    body = mapping(piece)
    context, subject = mapping(body.get("context")), mapping(body.get("subject"))
    type_name = text(context.get("type"))
    match = _TYPE.fullmatch(type_name or "")
    if type_name is not None and type_name.startswith("dev.cdeventsx."):
        raise NoEvent(Ignored.UNKNOWN_TYPE, f"{type_name:.80} is a type of a tool's own")
    if type_name is None or match is None:
        raise not_the_shape("context.type such as dev.cdevents.service.deployed.0.2.0", context or piece)
    what = f"{match['subject']}.{match['predicate']}".lower()
    content = mapping(subject.get("content"))
    kind = _kind(what, content)
    identity = text(context.get("id"))
    if identity is None:
        raise Unreadable(Rejected.MISSING_FIELD, "context.id is missing; expected an id that is unique in its source")
    artifact = text(content.get("artifactId")) or (text(subject.get("id")) if what.startswith("artifact.") else None)
    package, version = _package(artifact)
    custom = mapping(body.get("customData"))
    value, limit, unit, bound = _margin(custom)
    return [
        make(
            delivery,
            id=identity,
            source=text(context.get("source")),
            kind=kind,
            time=moment(context.get("timestamp"), "context.timestamp"),
            service=_service(what, subject, content, package),
            environment=_environment(what, subject, content),
            subject=text(subject.get("id")),
            severity=severity(content.get("severity")),
            title=_title(what, subject, content),
            actor=_actor(content, custom),
            labels={
                "cdevent": what,
                "artifact": artifact,
                "version": version,
                "chain_id": context.get("chainId"),
                **{_snake(name): item for name, item in content.items() if isinstance(item, str | int | float)},
                **{f"custom.{name}": item for name, item in custom.items()},
            },
            value=value,
            limit=limit,
            unit=unit,
            bound=bound,
            url=first(content, ("uri", "ticketURI", "url", "approvalDetailsUrl")),
        )
    ]


def _kind(what: str, content: Mapping[str, Any]) -> Kind:
    if what == "pipelinerun.finished":
        outcome = (text(content.get("outcome")) or "").lower()
        if outcome in _OUTCOMES:
            return _OUTCOMES[outcome]
        raise NoEvent(Ignored.NOT_RELEVANT, "a pipeline that ended well; what it deployed has an event of its own")
    if what == "approval.closed" and text(content.get("decision")) in ("rejected", "denied", "declined"):
        return "change.blocked"
    if what in _KINDS:
        return _KINDS[what]
    if what.partition(".")[0] in _KNOWN_SUBJECTS:
        raise NoEvent(Ignored.NOT_RELEVANT, f"{what} says nothing about a hazard, an action or impact")
    raise NoEvent(Ignored.UNKNOWN_TYPE, f"dev.cdevents.{what:.80} is no type that we use")


def _service(what: str, subject: Mapping[str, Any], content: Mapping[str, Any], package: str | None) -> str | None:
    named = content.get("service")
    service = text(mapping(named).get("id")) or text(named)
    if service is not None:
        return service
    if what.startswith("service."):
        return text(subject.get("id"))
    if what.startswith("artifact."):
        return package
    if what.startswith("pipelinerun."):
        return text(content.get("pipelineName"))
    return text(mapping(content.get("repository")).get("id"))


def _environment(what: str, subject: Mapping[str, Any], content: Mapping[str, Any]) -> str | None:
    if what.startswith("environment."):
        return text(content.get("name")) or text(subject.get("id"))
    named = content.get("environment")
    return text(mapping(named).get("name")) or text(mapping(named).get("id")) or text(named)


def _title(what: str, subject: Mapping[str, Any], content: Mapping[str, Any]) -> str:
    said = first(content, ("description", "summary", "errors", "decision"))
    name = text(content.get("name")) or text(content.get("pipelineName")) or text(subject.get("id"))
    return said if said and what.startswith("incident.") else " ".join(filter(None, (what.replace(".", " "), name)))


def _actor(content: Mapping[str, Any], custom: Mapping[str, Any]) -> Actor | None:
    person = text(content.get("responder")) or text(custom.get("reportedBy"))
    if person is not None:
        return person_or_bot(person, "human")
    return person_or_bot(first(content, ("user", "triggeredBy", "creator")))


def _margin(custom: Mapping[str, Any]) -> tuple[float | None, float | None, str | None, Bound | None]:
    """The measure of an incident: what was seen and the limit that it crossed, where both have the same unit."""
    seen, limit = quantity(custom.get("value")), quantity(custom.get("threshold"))
    if seen is None or limit is None or seen[1] != limit[1]:
        return None, None, None, None
    return seen[0], limit[0], seen[1], "max" if seen[0] > limit[0] else "min"


def _package(artifact: str | None) -> tuple[str | None, str | None]:
    """A package URL without its version, and the version."""
    if artifact is None:
        return None, None
    name, found, version = artifact.partition("?")[0].rpartition("@")
    return (name, version.replace("%3A", ":").replace("%3a", ":")) if found else (artifact, None)


def _snake(name: str) -> str:
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name).lower()


_SAMPLE = """{"context": {"version": "0.4.1", "id": "c1", "source": "/ci", "timestamp": "2026-03-10T12:00:00Z",
 "type": "dev.cdevents.service.deployed.0.2.0"}, "subject": {"id": "payments", "type": "service", "content":
 {"environment": {"id": "production"}, "artifactId": "pkg:oci/payments@sha256%3A0b31"}}}"""

_SETUP = """
Point the sink at `/ingest/cdevents`. Bare events, arrays of them, and CloudEvents around them are read.
"""

TOOL = Tool(
    name="cdevents",
    title="CDEvents",
    tells="deliveries and incidents, as CI and CD systems say them",
    kinds=tuple(sorted({*_KINDS.values(), *_OUTCOMES.values(), "change.blocked"})),
    sample=Sample(_SAMPLE, ("change.deployed",)),
    setup=_SETUP,
    limits=("Types of other subjects, and custom ones, are counted as unknown.",),
    split=split,
    read=read,
)
