"""Bodies that tools send to PagerDuty's Events API (version 2, and the older generic one) and to its Change Events API.

They have no id and often no time: the identity is a hash of what the body means, without the secret routing key.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from monitor.core.model.events import Event, Kind
from monitor.core.model.reasons import Ignored
from monitor.decode.outcome import NoEvent
from monitor.decode.reading import (
    Delivery,
    day_of,
    digest,
    first,
    make,
    mapping,
    moment,
    number,
    person_or_bot,
    sequence,
    severity,
    text,
    without,
)

_SECRETS = ("routing_key", "service_key")
_KINDS: dict[str, Kind] = {
    "trigger": "alert.fired",
    "acknowledge": "alert.acknowledged",
    "resolve": "alert.resolved",
}


def fits(body: Mapping[str, Any]) -> bool:
    return "event_action" in body or "event_type" in body or ("routing_key" in body and "payload" in body)


def read(body: Mapping[str, Any], delivery: Delivery) -> Event:
    """The event of one body. Raises Unreadable or NoEvent."""
    payload = mapping(body.get("payload"))
    action = first(body, ("event_action", "event_type"))
    kind = "change.ran" if action is None else _KINDS.get(action)
    if kind is None:
        raise NoEvent(Ignored.UNKNOWN_TYPE, f"event_action {action!r:.40} is none of trigger, acknowledge, resolve")
    details = payload.get("custom_details", body.get("details"))
    at = moment(payload.get("timestamp"), "payload.timestamp")
    meaning = digest(without(body, _SECRETS))
    link = mapping(next(iter(sequence(body.get("links"))), None))
    return make(
        delivery,
        id=meaning if at else f"{meaning}/{day_of(delivery)}",
        kind=kind,
        time=at,
        service=first(mapping(details), ("service", "service_name")),
        environment=first(mapping(details), ("environment", "env")),
        subject=first(body, ("dedup_key", "incident_key")),
        severity=severity(payload.get("severity")),
        title=text(payload.get("summary")) or text(body.get("description")),
        actor=_client(body) if kind == "alert.fired" else None,
        labels={
            "event_source": payload.get("source"),
            "component": payload.get("component"),
            "group": payload.get("group"),
            "class": payload.get("class"),
            **{f"detail.{name}": item for name, item in mapping(details).items()},
            "detail": details if isinstance(details, str) else None,
        },
        value=number(mapping(details).get("value")),
        limit=number(mapping(details).get("threshold")),
        url=text(body.get("client_url")) or text(link.get("href")),
    )


def _client(body: Mapping[str, Any]) -> Any:
    client = person_or_bot(text(body.get("client")))
    return None if client is None else type(client)(id=client.id, kind="automation")
