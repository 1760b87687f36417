"""Azure's older schemas: metric alerts, classic ones, alerts on logs, autoscale, and alerts on the activity log.

An alert on the activity log is a record of what happened: an operation by someone, or the health of a service.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from monitor.core.model.events import Actor, Event, Kind
from monitor.core.model.reasons import Ignored
from monitor.decode.guard_words import guard_in
from monitor.decode.outcome import NoEvent
from monitor.decode.people import Named, who
from monitor.decode.reading import Delivery, digest, first, make, mapping, number, sequence, text
from monitor.decode.tool_times import tool_time
from monitor.decode.tools._azure_parts import BOUNDS, grade, kind_of, name_of, place_of

_STATES: dict[str, Kind] = {
    "activated": "alert.fired",
    "fired": "alert.fired",
    "deactivated": "alert.resolved",
    "resolved": "alert.resolved",
}
_ENDED: dict[str, Kind] = {"failed": "change.failed", "started": "change.started", "accepted": "change.started"}
"""What became of an operation; one that succeeded is what it does."""
_WELL = frozenset({"resolved", "complete", "completed", "available"})
_LEVELS = {"critical": "critical", "error": "error", "warning": "warning", "informational": "info"}
_LEVELS |= {"1": "critical", "2": "error", "3": "warning", "4": "info"}


def fits(found: Mapping[str, Any]) -> bool:
    """Whether this is an alert of an older schema."""
    data = mapping(found.get("data"))
    has_context = isinstance(found.get("context"), dict) or isinstance(data.get("context"), dict)
    return (has_context and ("status" in found or "status" in data)) or _is_log(found, data)


def read(found: Mapping[str, Any], delivery: Delivery) -> Event:
    """The event of one body that fits. Raises Unreadable or NoEvent."""
    data = mapping(found.get("data"))
    if _is_log(found, data):
        return _log(data, delivery)
    body = data if isinstance(data.get("context"), dict) else found
    context = mapping(body.get("context"))
    if isinstance(context.get("activityLog"), dict):
        return record(context["activityLog"], {}, delivery)
    if text(body.get("operation")) is not None:
        return _scaled(body, context, delivery)
    return _metric(body, context, delivery)


def _is_log(found: Mapping[str, Any], data: Mapping[str, Any]) -> bool:
    return text(found.get("schemaId")) == "Microsoft.Insights/LogAlert" or "AlertRuleName" in data


def _metric(body: Mapping[str, Any], context: Mapping[str, Any], delivery: Delivery) -> Event:
    status = (text(body.get("status")) or "").lower()
    kind = _STATES.get(status)
    if kind is None:
        raise NoEvent(Ignored.UNKNOWN_TYPE, f"status {status!r:.40} is none that we know")
    condition = mapping(context.get("condition"))
    criterion = next((mapping(one) for one in sequence(condition.get("allOf"))), condition)
    rule, target = first(context, ("id", "name")), text(context.get("resourceId"))
    at, own = tool_time(context.get("timestamp"), "context.timestamp"), mapping(body.get("properties"))
    return make(
        delivery,
        id="/".join(filter(None, (rule, status, text(context.get("timestamp")) or digest(body)))),
        kind=kind,
        time=at,
        service=first(own, ("service", "Service")) or text(context.get("resourceName")) or name_of(target),
        environment=first(own, ("environment", "env", "Environment")),
        subject="/".join(filter(None, (rule, target))),
        severity=grade(_sev(context.get("severity"))),
        title=first(context, ("name", "description")),
        labels={
            **own,
            "severity": text(context.get("severity")),
            "text": text(context.get("description")),
            **place_of(target),
            "metric": text(criterion.get("metricName")),
        },
        value=number(criterion.get("metricValue")),
        limit=number(criterion.get("threshold")),
        bound=BOUNDS.get(text(criterion.get("operator")) or ""),
        url=text(context.get("portalLink")),
    )


def _log(data: Mapping[str, Any], delivery: Delivery) -> Event:
    """A search that found too much or too little. It tells no recovery."""
    name, end = text(data.get("AlertRuleName")), text(data.get("SearchIntervalEndtimeUtc"))
    operator = (text(data.get("AlertThresholdOperator")) or "").lower()
    items = sequence(data.get("AffectedConfigurationItems"))
    return make(
        delivery,
        id="/".join(filter(None, ("log", name, end or digest(data)))),
        kind="alert.fired",
        time=tool_time(f"{end}Z" if end and end[-1:].isdigit() and "T" in end else end, "SearchIntervalEndtimeUtc"),
        service=next((text(one) for one in items), None),
        subject=f"log/{name}",
        severity=grade(_sev(data.get("Severity"))),
        title=name or text(data.get("Description")),
        labels={"text": text(data.get("Description")), "query": text(data.get("SearchQuery"))},
        value=number(data.get("ResultCount")),
        limit=number(data.get("AlertThresholdValue")),
        bound="max" if "greater" in operator else "min" if "less" in operator else None,
        url=text(data.get("LinkToSearchResults")),
    )


def _scaled(body: Mapping[str, Any], context: Mapping[str, Any], delivery: Delivery) -> Event:
    status, operation = (text(body.get("status")) or "").lower(), text(body.get("operation"))
    target = text(context.get("resourceId"))
    name = text(context.get("resourceName")) or name_of(target)
    return make(
        delivery,
        id="/".join(filter(None, ("autoscale", name, text(context.get("timestamp")) or digest(body)))),
        kind="change.failed" if "fail" in status else "change.scaled",
        time=tool_time(context.get("timestamp"), "context.timestamp"),
        service=name,
        subject=f"autoscale/{target or name}",
        title=text(context.get("details")) or f"{operation}: {name}",
        actor=Actor(kind="automation"),
        labels={
            "operation": operation,
            "replicas": text(context.get("newCapacity")),
            "previous_replicas": text(context.get("oldCapacity")),
            **place_of(target),
        },
        url=text(context.get("portalLink")),
    )


def is_record(service: str | None, context: Mapping[str, Any]) -> bool:
    """Whether an alert of the common schema carries a record of the activity log that says what happened."""
    named = (service or "").lower().replace(" ", "")
    if named in ("servicehealth", "resourcehealth"):
        return isinstance(context.get("properties"), dict)
    return named == "activitylog-administrative" and text(context.get("operationName")) is not None


def record(said: Mapping[str, Any], essentials: Mapping[str, Any], delivery: Delivery) -> Event:
    """The event of a record of the activity log; `essentials` where the common schema wraps it. Raises NoEvent."""
    properties = mapping(said.get("properties"))
    target = text(said.get("resourceId")) or next(
        (text(one) for one in sequence(essentials.get("alertTargetIDs"))), None
    )
    scope = text(mapping(said.get("authorization")).get("scope"))
    target = target or scope
    operation, status = text(said.get("operationName")) or "", (text(said.get("status")) or "").lower()
    source = _source(said, essentials).lower()
    actor: Named = (None, {})
    why, guard = text(properties.get("statusMessage")), None
    service, title = name_of(target) or name_of(scope), f"{operation}: {name_of(target)}"
    if "health" in source:
        kind, service = _health(source, properties), text(properties.get("service")) or service
        title = first(properties, ("title", "communication")) or text(essentials.get("alertRule")) or operation
    elif source in ("recommendation", "policy", "security", "alert"):
        raise NoEvent(Ignored.NOT_RELEVANT, f"a record of the activity log about a {source}: nobody acted")
    else:
        kind = _ENDED.get(status) or kind_of(operation) or "change.ran"
        if kind == "change.failed" and (guard := guard_in(text(said.get("subStatus")), why)):
            kind = "change.blocked"
        caller = text(said.get("caller"))
        actor = who(caller, email=caller if caller and "@" in caller else None, kind=_caller(caller))
    identity = first(said, ("eventDataId", "correlationId")) or text(essentials.get("alertId")) or digest(said)
    word = text(said.get("level"))
    is_alert = kind == "alert.fired"
    return make(
        delivery,
        id=f"{identity.rpartition('/')[2]}/{kind}",
        kind=kind,
        time=tool_time(
            first(said, ("eventTimestamp", "submissionTimestamp")) or text(essentials.get("firedDateTime")),
            "eventTimestamp",
        ),
        service=service,
        subject=text(properties.get("trackingId")) or target,
        severity=grade(_LEVELS.get((word or "").lower())) if is_alert else None,
        title=title,
        actor=actor[0],
        labels={
            **actor[1],
            "operation": operation or None,
            "call": operation or None,
            "status": status or None,
            "correlation": text(said.get("correlationId")),
            "rule": text(essentials.get("alertRule")),
            "region": text(properties.get("region")),
            "guard": guard,
            "error_message": why,
            **place_of(target),
        },
        url=text(essentials.get("investigationLink")),
    )


def _source(said: Mapping[str, Any], essentials: Mapping[str, Any]) -> str:
    """In the common schema `eventSource` may be the number of an enumeration, which `monitoringService` names."""
    told = text(said.get("eventSource"))
    return (None if told is not None and told.isdecimal() else told) or text(essentials.get("monitoringService")) or ""


def _health(source: str, properties: Mapping[str, Any]) -> Kind:
    """Of a resource, or of Azure itself, which also announces its own work. Raises NoEvent."""
    stage = (first(properties, ("currentHealthStatus", "stage")) or "").lower()
    about = (text(properties.get("incidentType")) or "incident").lower()
    if about == "maintenance":
        if stage in ("planned", "rescheduled", "canceled", ""):
            raise NoEvent(Ignored.NOT_RELEVANT, "work of Azure that is planned and has not begun")
        return "maintenance.ended" if stage in _WELL else "maintenance.started"
    if about in ("information", "informational", "actionrequired", "security"):
        raise NoEvent(Ignored.NOT_RELEVANT, f"a notice of Azure to its customers: {about}")
    return "alert.resolved" if stage in _WELL else "alert.fired"


def _caller(caller: str | None) -> Any:
    """People call by their address, applications by an id."""
    return "human" if caller and "@" in caller else "unknown"


def _sev(value: Any) -> str | None:
    """`Sev3`, where older bodies carry the bare number."""
    found = text(value)
    return f"sev{found}" if found is not None and found.isdecimal() else found
