"""incident.io: incidents, their states, follow-ups and alerts (webhooks of versions 1 and 2).

A private incident sends its id only. The ranks of severities are the organisation's own; the word counts.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from monitor.core.model.events import Actor, Event, Kind
from monitor.core.model.reasons import Ignored, Rejected
from monitor.decode.outcome import NoEvent, Unreadable
from monitor.decode.people import Named, who
from monitor.decode.reading import (
    Delivery,
    digest,
    first,
    make,
    mapping,
    moment,
    not_the_shape,
    sequence,
    severity,
    text,
)
from monitor.decode.signatures import STANDARD
from monitor.decode.tool import Sample, Tool

_DONE = frozenset({"closed", "declined", "merged", "canceled"})
_PRACTICE = frozenset({"test", "tutorial"})
"""Modes of an incident that nothing happened in."""
_ENDED = frozenset({"learning", "post_incident", "closed"})
_ALERT: dict[str, Kind] = {"firing": "alert.fired", "resolved": "alert.resolved", "acknowledged": "alert.acknowledged"}
_IMPACT_FIELD = re.compile(r"\b(?:customers?|users?|client|external) ?impact|^impact$", re.IGNORECASE)
_NO_IMPACT = re.compile(
    r"\s*(?:0\b|no\b|nobody\b|none\b|nil\b|n/?a\b|false\b|zero\b|not? (?:affected|impacted)|internal)", re.IGNORECASE
)
_UNSURE = re.compile(r"unknown|unsure|investigat|tbd|to be determined|possible|potential|\?", re.IGNORECASE)
_SERVICE = ("affected service", "affected services", "service", "services", "affected component")


def split(body: Any, delivery: Delivery) -> list[Any]:
    """One body is one event. Raises Unreadable."""
    if text(mapping(body).get("event_type")) is None:
        raise not_the_shape("a body of incident.io with event_type", body)
    return [body]


def read(piece: Any, delivery: Delivery) -> list[Event]:
    """The event of one body. Raises Unreadable or NoEvent."""
    body = mapping(piece)
    event_type = text(body.get("event_type")) or ""
    inner = mapping(body.get(event_type)) or mapping(body.get("incident")) or mapping(body.get("alert"))
    scope, _, name = event_type.partition(".")
    name = name.rpartition("_v")[0] or name
    if scope == "private_incident":
        raise NoEvent(Ignored.NOT_RELEVANT, f"{event_type:.80} tells no more than an id")
    if name.startswith("incident_") and name not in ("incident_membership_granted", "incident_membership_revoked"):
        return [_incident(name, inner, delivery)]
    if name in ("follow_up_created", "action_created"):
        return [_follow_up(name, inner, delivery)]
    if name.startswith("alert_"):
        return [_alert(inner, delivery)]
    if name in ("follow_up_updated", "action_updated") or name.startswith("incident_membership"):
        raise NoEvent(Ignored.NOT_RELEVANT, f"{event_type:.80} says nothing about a hazard, an action or impact")
    raise NoEvent(Ignored.UNKNOWN_TYPE, f"event_type {event_type!r:.80} is none that we know")


def _incident(name: str, inner: Mapping[str, Any], delivery: Delivery) -> Event:
    incident = mapping(inner.get("incident")) or inner
    identity = text(incident.get("id"))
    if identity is None:
        raise Unreadable(Rejected.MISSING_FIELD, "the incident has no id; every incident has one")
    status = mapping(inner.get("new_status")) or mapping(incident.get("incident_status"))
    before = mapping(inner.get("previous_status"))
    category = (text(status.get("category")) or text(incident.get("status")) or "").lower()
    kind: Kind = "incident.opened" if name == "incident_created" else "incident.updated"
    if name == "incident_status_updated" and category in _DONE | _ENDED:
        kind = "incident.closed"
    stamps = {
        (text(mapping(one.get("incident_timestamp")).get("name")) or "").lower(): mapping(one.get("value")).get("value")
        for one in map(mapping, sequence(incident.get("incident_timestamp_values")))
    }
    created, updated = incident.get("created_at"), incident.get("updated_at")
    at = moment(created if kind == "incident.opened" else updated or created, "incident.updated_at")
    actor, said = _creator(mapping(incident.get("creator")))
    fields = _fields(incident)
    word = text(mapping(incident.get("severity")).get("name"))
    delivered = delivery.headers.get("webhook-id") or delivery.headers.get("svix-id")
    return make(
        delivery,
        id=f"{identity}/{delivered or digest(name, inner)}",
        kind=kind,
        time=at,
        service=next((value for field, value in fields.items() if field.lower() in _SERVICE), None),
        environment=next((value for field, value in fields.items() if field.lower() == "environment"), None),
        subject=identity,
        severity=severity(word),
        title=first(incident, ("name", "reference")),
        actor=actor,
        labels={
            **said,
            **{f"field.{field}": value for field, value in fields.items()},
            "severity": word,
            "reference": text(incident.get("reference")),
            "status": text(status.get("name")),
            "status_category": category,
            "previous_status": text(before.get("name")),
            "incident_type": text(mapping(incident.get("incident_type")).get("name")),
            "mode": (mode := text(incident.get("mode"))),
            "drill": "true" if mode in _PRACTICE else None,
            "impact": "users" if text(stamps.get("impact started")) else _impact(incident),
            "summary": text(incident.get("summary")),
            "message": text(inner.get("message")),
        },
        url=text(incident.get("permalink")),
    )


def _impact(incident: Mapping[str, Any]) -> str:
    """What an own field that is called *Customer impact* or the like says: `none`, `users`, or nothing known."""
    for name, said in _said(incident):
        if _IMPACT_FIELD.search(name):
            return "none" if _NO_IMPACT.match(said) else "unknown" if _UNSURE.search(said) else "users"
    return "unknown"


def _fields(incident: Mapping[str, Any]) -> dict[str, str]:
    """An organisation's own fields, with the first value of each."""
    return {name: said for name, written in _said(incident) if (said := text(written)) is not None}


def _said(incident: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Own fields as they are written: `None` is what a field of impact may say."""
    for entry in map(mapping, sequence(incident.get("custom_field_entries"))):
        name = text(mapping(entry.get("custom_field")).get("name"))
        value = mapping(next(iter(sequence(entry.get("values"))), None))
        option = mapping(value.get("value_option")).get("value")
        chosen = option if isinstance(option, str) and option else None
        said = text(mapping(value.get("value_catalog_entry")).get("name")) or chosen
        said = said or first(value, ("value_text", "value_numeric", "value_link"))
        if name and said:
            yield name, said


def _follow_up(name: str, inner: Mapping[str, Any], delivery: Delivery) -> Event:
    identity = text(inner.get("id"))
    if identity is None:
        raise Unreadable(Rejected.MISSING_FIELD, "the follow-up has no id; every one has")
    assignee = mapping(inner.get("assignee"))
    actor, said = who(assignee.get("id"), assignee.get("name"), assignee.get("email"))
    return make(
        delivery,
        id=f"{name}/{identity}",
        kind="note.added",
        time=moment(inner.get("created_at"), "created_at"),
        subject=text(inner.get("incident_id")) or identity,
        title=first(inner, ("title", "description")),
        actor=actor,
        labels={**said, "status": text(inner.get("status")), "text": text(inner.get("description"))},
    )


def _alert(inner: Mapping[str, Any], delivery: Delivery) -> Event:
    alert = mapping(inner.get("alert")) or inner
    identity, status = text(alert.get("id")), (text(alert.get("status")) or "firing").lower()
    if identity is None:
        raise Unreadable(Rejected.MISSING_FIELD, "the alert has no id; every alert has one")
    kind = _ALERT.get(status)
    if kind is None:
        raise NoEvent(Ignored.UNKNOWN_TYPE, f"alert status {status!r:.40} is none that we know")
    own = {
        name: said
        for one in map(mapping, sequence(alert.get("attributes")))
        if (name := text(mapping(one.get("attribute")).get("name")))
        and (said := first(mapping(one.get("value")), ("label", "literal")))
    }
    at = first(alert, ("resolved_at", "updated_at") if kind == "alert.resolved" else ("created_at",))
    return make(
        delivery,
        id=f"alert/{identity}/{status}",
        kind=kind,
        time=moment(at, "alert.created_at"),
        service=next((value for name, value in own.items() if name.lower() in _SERVICE), None),
        environment=next((value for name, value in own.items() if name.lower() == "environment"), None),
        subject=text(alert.get("deduplication_key")) or identity,
        severity=severity(
            next((value for name, value in own.items() if name.lower() in ("severity", "priority")), None)
        ),
        title=text(alert.get("title")),
        labels={**own, "text": text(alert.get("description"))},
        url=text(alert.get("source_url")),
    )


def _creator(creator: Mapping[str, Any]) -> Named:
    """A person, a key of the API, a workflow or an alert; a person counts where several are named."""
    user = mapping(creator.get("user"))
    if user:
        return who(user.get("id"), user.get("name"), user.get("email"))
    for place in ("api_key", "workflow", "alert"):
        if found := mapping(creator.get(place)):
            return Actor(id=first(found, ("name", "title", "id")), kind="automation"), {}
    return None, {}


_SAMPLE = """{"event_type": "public_incident.incident_created_v2", "public_incident.incident_created_v2": {
 "id": "01FDAG4SAP5TYPT98WGR2N7W91", "name": "Payments fail now and then", "reference": "INC-123",
 "created_at": "2026-03-10T12:00:00Z", "updated_at": "2026-03-10T12:00:00Z", "severity": {"name": "Minor", "rank": 1},
 "incident_status": {"category": "triage"}, "creator": {"user": {"id": "01FC", "name": "Dev One"}}}}"""

_SETUP = """
*Settings → Webhooks → Add endpoint*, URL `https://nearmiss.example/ingest/incident-io`, all events of public incidents
and alerts. The signing secret (`whsec_…`) is `NEARMISS_SECRETS__INCIDENT_IO`.
"""

TOOL = Tool(
    name="incident-io",
    title="incident.io",
    tells="incidents and their states, alerts, follow-ups",
    kinds=(
        "incident.opened",
        "incident.updated",
        "incident.closed",
        "note.added",
        "alert.fired",
        "alert.resolved",
        "alert.acknowledged",
    ),
    sample=Sample(_SAMPLE, ("incident.opened",)),
    setup=_SETUP,
    limits=(
        "A service is only named where a custom field is called *Affected service* or the like.",
        "Private incidents are counted, not read.",
    ),
    aliases=("incidentio",),
    scheme=STANDARD,
    split=split,
    read=read,
)
