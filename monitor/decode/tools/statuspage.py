"""Atlassian Statuspage's webhook: what an organisation says to its users about incidents, components and planned work.

A body repeats the whole history of an incident; only its newest update is news.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from monitor.core.model.events import Event, Kind, Severity
from monitor.core.model.reasons import Ignored, Rejected
from monitor.decode.outcome import NoEvent, Unreadable
from monitor.decode.reading import (
    Delivery,
    Moment,
    earliest,
    first,
    make,
    mapping,
    moment,
    not_the_shape,
    sequence,
    text,
)
from monitor.decode.tool import Sample, Tool

_EVIDENCE = "status_post"
_INCIDENT: dict[str, Kind] = {
    "investigating": "impact.started",
    "identified": "impact.started",
    "monitoring": "impact.started",
    "resolved": "impact.ended",
    "in_progress": "maintenance.started",
    "verifying": "maintenance.started",
    "completed": "maintenance.ended",
}
_IMPACT: dict[str, Severity] = {"none": "info", "minor": "warning", "major": "high", "critical": "critical"}
_COMPONENT: dict[str, Severity] = {
    "degraded_performance": "warning",
    "partial_outage": "high",
    "major_outage": "critical",
}


def split(body: Any, delivery: Delivery) -> list[Any]:
    """One body is one update. Raises Unreadable."""
    found = mapping(body)
    if not any(isinstance(found.get(name), dict) for name in ("incident", "component_update")):
        raise not_the_shape("a Statuspage notification with an incident or a component_update", body)
    return [found]


def read(piece: Any, delivery: Delivery) -> list[Event]:
    """The events of one update: one for each component that it names. Raises Unreadable or NoEvent."""
    body = mapping(piece)
    page = text(mapping(body.get("page")).get("id"))
    if isinstance(body.get("incident"), dict):
        return _incident(body["incident"], page, delivery)
    return [_component(body, page, delivery)]


def _incident(incident: Mapping[str, Any], page: str | None, delivery: Delivery) -> list[Event]:
    update, at = _newest(incident)
    status = (text(update.get("status")) or text(incident.get("status")) or "").lower()
    kind = _kind(status)
    identity = text(incident.get("id"))
    if identity is None:
        raise Unreadable(Rejected.MISSING_FIELD, "incident.id is missing; every incident of a page has one")
    told = text(update.get("id")) or text(incident.get("updated_at")) or status
    impact = text(incident.get("impact"))
    began = moment(incident.get("started_at"), "incident.started_at") or moment(
        incident.get("created_at"), "incident.created_at"
    )
    components = [found for found in map(mapping, sequence(update.get("affected_components"))) if found] or [
        found for found in map(mapping, sequence(incident.get("components"))) if found
    ]
    names = [name for name in (text(component.get("name")) for component in components) if name]
    is_impact = kind.startswith("impact.")
    return [
        make(
            delivery,
            id=f"{identity}/{told}" if len(components) < 2 else f"{identity}/{told}/{_code(component)}",
            kind=kind,
            time=at,
            service=text(component.get("name")),
            subject=identity,
            severity=_IMPACT.get(impact or "") if is_impact else None,
            title=text(incident.get("name")),
            labels={
                "evidence": _EVIDENCE if is_impact else None,
                "status": status,
                "page_impact": incident.get("impact"),
                "page": page,
                "component": _code(component),
                "component_status": text(component.get("new_status")) or text(component.get("status")),
                "text": text(update.get("body")),
                "scope": None if is_impact else ",".join(names),
                "scheduled_for": text(incident.get("scheduled_for")),
                "scheduled_until": text(incident.get("scheduled_until")),
                "backfilled": "true" if incident.get("backfilled") is True else None,
            },
            began_at=earliest(began, at) if is_impact else None,
            url=text(incident.get("shortlink")),
        )
        for component in components or [{}]
    ]


def _newest(incident: Mapping[str, Any]) -> tuple[Mapping[str, Any], Moment | None]:
    """The update that was made last, and its time; where there are none the incident stands for itself."""
    updates = [found for found in map(mapping, sequence(incident.get("incident_updates"))) if found]
    fields = ("display_at", "created_at", "updated_at")
    made = [(moment(first(update, ("created_at", "updated_at")), "created_at"), update) for update in updates]
    if not made:
        return incident, moment(first(incident, ("resolved_at", "updated_at", "created_at")), "incident.updated_at")
    update = max(enumerate(made), key=lambda item: (item[1][0][0] if item[1][0] else 0, -item[0]))[1][1]
    return update, moment(first(update, fields), "incident_updates.display_at")


def _kind(status: str) -> Kind:
    if status in _INCIDENT:
        return _INCIDENT[status]
    if status == "scheduled":
        raise NoEvent(Ignored.NOT_RELEVANT, "planned work was announced; in_progress will say that it began")
    if status == "postmortem":
        raise NoEvent(Ignored.NOT_RELEVANT, "a report was published after the incident")
    raise NoEvent(Ignored.UNKNOWN_TYPE, f"incident status {status!r:.40} is none that we know")


def _component(body: Mapping[str, Any], page: str | None, delivery: Delivery) -> Event:
    update, component = mapping(body.get("component_update")), mapping(body.get("component"))
    new, old = text(update.get("new_status")), text(update.get("old_status"))
    if new == "under_maintenance":
        kind: Kind = "maintenance.started"
    elif new in _COMPONENT:
        kind = "impact.started"
    elif new == "operational":
        kind = "maintenance.ended" if old == "under_maintenance" else "impact.ended"
    else:
        raise NoEvent(Ignored.UNKNOWN_TYPE, f"component status {new!r:.40} is none that we know")
    identity, subject = text(update.get("id")), text(update.get("component_id")) or text(component.get("id"))
    if identity is None:
        raise Unreadable(Rejected.MISSING_FIELD, "component_update.id is missing; every update has one")
    name = text(component.get("name"))
    is_impact = kind.startswith("impact.")
    return make(
        delivery,
        id=identity,
        kind=kind,
        time=moment(update.get("created_at"), "component_update.created_at"),
        service=name,
        subject=subject,
        severity=_COMPONENT.get(new or ""),
        title=f"{name or 'a component'}: {(new or '').replace('_', ' ')}",
        labels={
            "evidence": _EVIDENCE if is_impact else None,
            "old_status": old,
            "status": new,
            "page": page,
            "component": subject,
            "scope": None if is_impact else name,
        },
    )


def _code(component: Mapping[str, Any]) -> str | None:
    return first(component, ("code", "id", "name"))


_SAMPLE = """{"page": {"id": "acme"}, "incident": {"id": "i1", "name": "Payments fail", "status": "investigating",
 "impact": "major", "created_at": "2026-03-10T12:00:00Z", "incident_updates": [{"id": "u1", "status": "investigating",
 "body": "We are looking into it.", "created_at": "2026-03-10T12:00:00Z", "display_at": "2026-03-10T12:00:00Z",
 "affected_components": [{"code": "c1", "name": "checkout", "new_status": "partial_outage"}]}]}}"""

_SETUP = """
On your status page *Subscribe to updates → Webhook*, address `https://nearmiss.example/ingest/statuspage`. Incidents
become impact, scheduled maintenance becomes maintenance, one event for each component.
"""

TOOL = Tool(
    name="statuspage",
    title="Statuspage",
    tells="impact and planned work, as announced to users",
    kinds=("impact.started", "impact.ended", "maintenance.started", "maintenance.ended"),
    sample=Sample(_SAMPLE, ("impact.started",)),
    setup=_SETUP,
    limits=(
        "Its silence never means that users are fine.",
        "The service is the component's name.",
        "Statuspage does not sign: let only its addresses through, or put a token into the address.",
    ),
    split=split,
    read=read,
)
