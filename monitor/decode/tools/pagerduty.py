"""PagerDuty: webhooks of version 3, the older versions 1 and 2 that archives hold, and bodies of the Events API.

The type of the event decides, never the status of its incident: an unacknowledged incident is "triggered" too.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from monitor.core.model.events import Actor, Event, Kind, Severity
from monitor.core.model.reasons import Ignored, Rejected
from monitor.decode.outcome import NoEvent, Unreadable
from monitor.decode.reading import (
    Delivery,
    drill,
    first,
    make,
    mapping,
    moment,
    not_the_shape,
    sequence,
    severity,
    text,
)
from monitor.decode.signatures import PAGERDUTY
from monitor.decode.tool import Sample, Tool
from monitor.decode.tools import _pagerduty_events as pagerduty_events

_KINDS: dict[str, Kind] = {
    "incident.acknowledged": "alert.acknowledged",
    "incident.unacknowledged": "alert.unacknowledged",
    "incident.escalated": "alert.escalated",
    "incident.reassigned": "alert.escalated",
    "incident.delegated": "alert.escalated",
    "incident.resolved": "alert.resolved",
    "incident.reopened": "alert.fired",
    "incident.annotated": "note.added",
    "incident.priority_updated": "incident.updated",
    "incident.service_updated": "incident.updated",
    "incident.responder.added": "responder.paged",
    "incident.action_invocation.terminated": "change.ran",
}
_OLD_KINDS: dict[str, Kind] = {
    "incident.trigger": "alert.fired",
    "incident.reopen": "alert.fired",
    "incident.acknowledge": "alert.acknowledged",
    "incident.unacknowledge": "alert.unacknowledged",
    "incident.assign": "alert.escalated",
    "incident.delegate": "alert.escalated",
    "incident.escalate": "alert.escalated",
    "incident.resolve": "alert.resolved",
    "incident.annotate": "note.added",
}
_MORE_KINDS: tuple[Kind, ...] = (
    "alert.cancelled",
    "change.ran",
    "impact.started",
    "impact.ended",
    "incident.opened",
    "responder.joined",
)
_URGENCY: dict[str, Severity] = {"high": "high", "low": "warning"}
_OVER = re.compile(
    r"^\W*(?:resolved|recovered|all clear)\b"
    r"|\b(?:incident|issue|outage|problem) (?:has been|is|was) (?:now |fully )*resolved\b",
    re.IGNORECASE,
)
_PEOPLE = (
    r"\b(?:customers?|users?|clients?|subscribers?|members?|merchants?|visitors?|buyers?|shoppers?|guests?)\b"
    r"(?! (?:table|service|db|database|schema|queue|topic|api|index|job|cache|team)s?\b)"
)
_USERS = re.compile(_PEOPLE, re.IGNORECASE)
_HURT = re.compile(
    rf"{_PEOPLE}[^.!?\n]*\b(?:affected|impacted|unable|cannot|can'?t|see(?:ing)?|experienc\w+|report\w*|errors?|"
    rf"fail\w*|slow\w*|delay\w*|degraded|unavailable|locked out|logged out|down)\b"
    rf"|\b(?:affect|impact)\w*\b[^.!?\n]*{_PEOPLE}",
    re.IGNORECASE,
)
"""That users are hurt. What else a post says of them is read where notes are."""
_NO_IMPACT = re.compile(
    r"\bno (?:customer|user|client|end[- ]user)s?(?:[ -]facing)? impact"
    r"|\bno impact (?:to|on|for) (?:customers|users|clients)"
    r"|\b(?:customers|users|clients) (?:are|were|have) not (?:been )?(?:affected|impacted)",
    re.IGNORECASE,
)


def split(body: Any, delivery: Delivery) -> list[Any]:
    """The messages of a body. Raises Unreadable."""
    found = mapping(body)
    if isinstance(found.get("messages"), list):
        return sequence(found["messages"])
    if isinstance(found.get("event"), dict) or pagerduty_events.fits(found):
        return [found]
    raise not_the_shape("a webhook (event, or messages), or a body of the Events API (event_action)", body)


def read(piece: Any, delivery: Delivery) -> list[Event]:
    """The event of one message. Raises Unreadable or NoEvent."""
    message = mapping(piece)
    if isinstance(message.get("event"), dict):
        return [_webhook(message["event"], delivery)]
    if pagerduty_events.fits(message):
        return [pagerduty_events.read(message, delivery)]
    return [_old_webhook(message, delivery)]


def _webhook(event: Mapping[str, Any], delivery: Delivery) -> Event:
    type_name = text(event.get("event_type"))
    identity = text(event.get("id"))
    if type_name is None or identity is None:
        raise Unreadable(Rejected.MISSING_FIELD, "event.id or event.event_type is missing; a webhook has both")
    data = mapping(event.get("data"))
    agent = mapping(event.get("agent"))
    kind, said = _kind(type_name, data, agent)
    if kind == "alert.resolved":
        kind = _end(data, agent)
    called = mapping(data.get("user")) if kind.startswith("responder.") else {}
    person = {"type": "user_reference", **called} if called else agent
    is_incident = data.get("type") == "incident"
    incident = data if is_incident else mapping(data.get("incident"))
    service = mapping(data.get("service")) or mapping(incident.get("service"))
    message = text(data.get("message")) or text(data.get("content"))
    name = first(incident, ("title", "summary")) or first(data, ("title", "summary"))
    action = first(mapping(data.get("action")), ("summary", "name"))
    return make(
        delivery,
        id=identity,
        kind=kind,
        time=moment(event.get("occurred_at"), "event.occurred_at"),
        service=first(service, ("summary", "name")),
        subject=text(incident.get("id")) or text(data.get("id")),
        severity=_severity(data),
        title=_title(kind, name, message or action),
        actor=_actor(person),
        labels={
            "event_type": type_name,
            "actor_name": person.get("summary"),
            "client": mapping(event.get("client")).get("name"),
            "incident_key": text(data.get("incident_key")),
            "service_id": text(service.get("id")),
            "drill": drill(name),
            **_labels(data),
            **said,
        },
        url=text(data.get("html_url")) or text(incident.get("html_url")),
    )


def _title(kind: Kind, name: str | None, said: str | None) -> str | None:
    """The incident and what was written about it; of an action that was run its own name, then the incident."""
    told = (said, name) if kind == "change.ran" else (name, said)
    return ": ".join(filter(None, told)) or None


def _kind(type_name: str, data: Mapping[str, Any], agent: Mapping[str, Any]) -> tuple[Kind, dict[str, str]]:
    """What a version 3 event says, and labels that belong to it. Raises NoEvent."""
    if type_name == "incident.triggered":
        return ("incident.opened" if _is_person(agent) else "alert.fired"), {}
    if type_name == "incident.status_update_published":
        return _status_update(text(data.get("message")) or "")
    if type_name == "incident.responder.replied":
        if text(data.get("state")) == "accepted":
            return "responder.joined", {}
        raise NoEvent(Ignored.NOT_RELEVANT, "a responder declined; nobody joined")
    if type_name in _KINDS:
        return _KINDS[type_name], {}
    if type_name == "pagey.ping":
        raise NoEvent(Ignored.TEST_DELIVERY, "pagey.ping: a test of the webhook")
    if type_name.startswith("service."):
        raise NoEvent(Ignored.NOT_RELEVANT, f"{type_name:.80}: a setting of the paging tool changes nothing that runs")
    if type_name.startswith("incident."):
        raise NoEvent(Ignored.NOT_RELEVANT, f"{type_name:.80} says nothing about a hazard, an action or impact")
    raise NoEvent(Ignored.UNKNOWN_TYPE, f"event_type {type_name!r:.80} is none that we know")


def _end(incident: Mapping[str, Any], agent: Mapping[str, Any]) -> Kind:
    """A merge, or the time limit of the service, ends an incident without anything having recovered."""
    merged = (text(mapping(incident.get("resolve_reason")).get("type")) or "").startswith("merge")
    by_time = (text(agent.get("type")) or "").startswith("service")
    return "alert.cancelled" if merged or by_time else "alert.resolved"


def _status_update(message: str) -> tuple[Kind, dict[str, str]]:
    """A post to stakeholders is a note on the incident, unless it plainly says how users fare."""
    if _NO_IMPACT.search(message):
        return "incident.updated", {"impact": "none"}
    if _OVER.search(message) and _USERS.search(message):
        return "impact.ended", {"evidence": "status_post"}
    if _HURT.search(message):
        return "impact.started", {"evidence": "status_post"}
    return "note.added", {}


def _old_webhook(message: Mapping[str, Any], delivery: Delivery) -> Event:
    """Versions 1 and 2: a message names its incident, version 2 also the log entry that it comes from."""
    type_name = text(message.get("event")) or text(message.get("type"))
    identity = text(message.get("id"))
    if type_name is None or identity is None:
        raise not_the_shape("a message with an id and an event, or a type", message or None)
    kind = _OLD_KINDS.get(type_name)
    if kind is None:
        raise NoEvent(Ignored.UNKNOWN_TYPE, f"message type {type_name!r:.80} is none that we know")
    incident = mapping(message.get("incident")) or mapping(mapping(message.get("data")).get("incident"))
    entry = mapping(next(iter(sequence(message.get("log_entries"))), None))
    service = mapping(incident.get("service"))
    agent = mapping(entry.get("agent")) or _old_agent(kind, incident)
    if kind == "alert.resolved":
        kind = _end(incident, agent)
    return make(
        delivery,
        id=identity,
        kind=kind,
        time=moment(message.get("created_on"), "created_on"),
        service=first(service, ("name", "summary")),
        subject=text(incident.get("id")),
        severity=_severity(incident),
        title=first(incident, ("title", "description", "summary"))
        or first(mapping(incident.get("trigger_summary_data")), ("subject", "description")),
        actor=_actor(agent) if agent else None,
        labels={
            "event_type": type_name,
            "actor_name": first(agent, ("summary", "name")),
            "incident_key": text(incident.get("incident_key")),
            "service_id": text(service.get("id")),
            "drill": drill(first(incident, ("title", "description", "summary"))),
            "channel": mapping(entry.get("channel")).get("type"),
            **_labels(incident),
        },
        url=text(incident.get("html_url")),
    )


def _old_agent(kind: Kind, incident: Mapping[str, Any]) -> dict[str, Any]:
    """Version 1 names people on the incident; what it does not know it writes as the text "null"."""
    resolver = mapping(incident.get("resolved_by_user")) if kind == "alert.resolved" else {}
    person = resolver or mapping(incident.get("last_status_change_by"))
    return {**person, "type": text(person.get("type")) or "user"} if person else {}


def _labels(incident: Mapping[str, Any]) -> dict[str, Any]:
    assigned = sequence(incident.get("assignees")) or [
        mapping(item).get("assignee") for item in sequence(incident.get("assignments"))
    ]
    return {
        "urgency": text(incident.get("urgency")),
        "priority": text(mapping(incident.get("priority")).get("summary")),
        "status": text(incident.get("status")),
        "incident_number": text(incident.get("number")) or text(incident.get("incident_number")),
        "escalation_policy": text(mapping(incident.get("escalation_policy")).get("summary")),
        "resolve_reason": text(mapping(incident.get("resolve_reason")).get("type")),
        "teams": _names(incident.get("teams")),
        "assignees": _names(assigned),
    }


def _names(references: Any) -> str | None:
    names = [first(mapping(reference), ("summary", "name", "id")) for reference in sequence(references)]
    return ",".join(name for name in names if name) or None


def _severity(incident: Mapping[str, Any]) -> Severity | None:
    priority = first(mapping(incident.get("priority")), ("summary", "name"))
    return severity(priority) or _URGENCY.get(text(incident.get("urgency")) or "")


def _is_person(agent: Mapping[str, Any]) -> bool:
    return (text(agent.get("type")) or "").startswith("user")


def _actor(agent: Mapping[str, Any]) -> Actor:
    """Where PagerDuty names no agent the machine acted: an integration, a rule, a time limit."""
    return Actor(id=text(agent.get("id")), kind="human" if _is_person(agent) else "automation")


_SAMPLE = """{"event": {"id": "01CEA0B2", "event_type": "incident.triggered", "resource_type": "incident",
 "occurred_at": "2026-03-10T12:00:00Z", "agent": null, "data": {"id": "Q1A2B3", "type": "incident", "number": 7,
 "status": "triggered", "title": "payments: error rate", "urgency": "high",
 "service": {"id": "PSVC01", "type": "service_reference", "summary": "payments"}}}}"""

_SETUP = """
*Integrations → Generic Webhooks (v3) → New Webhook*, address `https://nearmiss.example/ingest/pagerduty`, scope
*Account* or a team, all incident events. PagerDuty shows the secret once: set it as `NEARMISS_SECRETS__PAGERDUTY`.
"""

TOOL = Tool(
    name="pagerduty",
    title="PagerDuty",
    tells="pages, acknowledgements, escalations, responders",
    kinds=tuple(sorted({*_KINDS.values(), *_OLD_KINDS.values(), *_MORE_KINDS})),
    sample=Sample(_SAMPLE, ("alert.fired",)),
    setup=_SETUP,
    limits=(
        "The service is PagerDuty's service by name: use the same name in the catalogue, or an alias.",
        "A post to stakeholders is a note, and impact where it says in English that users are hurt.",
    ),
    scheme=PAGERDUTY,
    split=split,
    read=read,
)
