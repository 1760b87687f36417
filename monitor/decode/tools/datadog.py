"""Datadog's webhook integration: monitors, and the events of its event stream.

The body is a template that users write; every field of the default template and of the common longer ones is read.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from monitor.core.model.events import Bound, Event, Kind
from monitor.core.model.reasons import Ignored
from monitor.decode.outcome import NoEvent
from monitor.decode.people import who
from monitor.decode.reading import (
    Delivery,
    day_of,
    digest,
    first,
    make,
    mapping,
    not_the_shape,
    number,
    respelt,
    severity,
    tags_of,
    text,
)
from monitor.decode.tool import Sample, Tool
from monitor.decode.tool_times import tool_time

_TRANSITIONS: dict[str, Kind] = {
    "triggered": "alert.fired",
    "re-triggered": "alert.fired",
    "alert": "alert.fired",
    "warn": "alert.fired",
    "re-warn": "alert.fired",
    "no data": "alert.fired",
    "re-no data": "alert.fired",
    "renotify": "alert.fired",
    "recovered": "alert.resolved",
    "no data recovered": "alert.resolved",
    "warn recovered": "alert.resolved",
    "ok": "alert.resolved",
}
_TYPES: dict[str, Kind] = {"error": "alert.fired", "warning": "alert.fired", "success": "alert.resolved"}
_GRADES = {"error": "error", "warning": "warning"}
_SCOPE = re.compile(r"\{([^{}]{3,500})\}\]")
"""The group in a title, `[Triggered on {service:payments,env:production}] …`."""
_MARKS = re.compile(
    r"\[(?:P[1-5]|(?:Re-Triggered|Triggered|Recovered|Warn|No data)(?: on (?P<group>[^\]]{0,500}))?)\]", re.IGNORECASE
)
_COMPARED = re.compile(r"(?P<sign>[<>]=?)\s*(?P<limit>-?\d+(?:\.\d+)?)\s*$")
_LONGEST_END = 64
_TITLE = re.compile(r"\[(?P<state>Re-Triggered|Triggered|Recovered|Warn|No data)", re.IGNORECASE)


def split(body: Any, delivery: Delivery) -> list[Any]:
    """One body is one notification. Raises Unreadable."""
    found = respelt(mapping(body))
    if not any(name in found for name in ("alert_transition", "alert_type", "alert_id", "monitor_id", "event_type")):
        raise not_the_shape("a body with alert_transition, alert_type or monitor_id", body)
    return [found]


def read(piece: Any, delivery: Delivery) -> list[Event]:
    """The event of one notification. Raises Unreadable or NoEvent."""
    body = mapping(piece)
    kind, transition = _kind(body)
    title = first(body, ("title", "event_title", "alert_title"))
    group = _SCOPE.search(title or "")
    tags = tags_of(body.get("tags"), body.get("scopes"), body.get("alert_scope"), group[1] if group else None)
    said = first(body, ("id", "event_id"))
    monitor = first(body, ("monitor_id", "alert_id"))
    scopes = first(body, ("scopes", "alert_scope"))
    priority = first(body, ("severity", "alert_priority", "priority"))
    at = tool_time(body.get("date"), "date") or tool_time(body.get("last_updated"), "last_updated")
    actor, labels = who(body.get("user"), body.get("username"), body.get("email"), "unknown")
    limit, bound = _limit(first(body, ("alert_query", "query")))
    fallback = f"{digest(body)}/{day_of(delivery)}" if at is None else digest(body)
    return [
        make(
            delivery,
            id=said or fallback,
            kind=kind,
            time=at,
            service=tags.get("service") or tags.get("kube_deployment") or tags.get("kube_service"),
            environment=first(tags, ("env", "environment")),
            subject="/".join(
                filter(None, ("monitor", monitor or _untitled(title), first(body, ("alert_cycle_key",)) or scopes))
            ),
            severity=severity(priority) or severity(_GRADES.get(text(body.get("alert_type")) or "")),
            title=title,
            actor=actor,
            labels={
                **tags,
                **labels,
                "transition": transition,
                "alert_type": text(body.get("alert_type")),
                "event_type": text(body.get("event_type")),
                "priority": priority,
                "host": text(body.get("hostname")) or tags.get("host"),
                "query": first(body, ("alert_query", "query")),
                "metric": text(body.get("alert_metric")),
                "text": first(body, ("body", "event_msg", "text_only_msg")),
                "signal": "metrics" if "no data" in (transition or "").lower() else None,
            },
            limit=limit,
            bound=bound,
            url=first(body, ("url", "link")),
        )
    ]


def _limit(query: str | None) -> tuple[float | None, Bound | None]:
    """The threshold with which a monitor's query ends, `… by {host} > 90`; others have none."""
    found = _COMPARED.search((query or "")[-_LONGEST_END:])
    if found is None:
        return None, None
    return number(found["limit"]), "max" if found["sign"].startswith(">") else "min"


def _untitled(title: str | None) -> str | None:
    """What the notifications of one monitor have in common where the template names none: the title without a state."""
    return _MARKS.sub(lambda found: found["group"] or "", title).strip() or None if title else None


def _kind(body: Mapping[str, Any]) -> tuple[Kind, str | None]:
    transition = text(body.get("alert_transition"))
    if transition is not None:
        kind = _TRANSITIONS.get(transition.lower())
        if kind is None:
            raise NoEvent(Ignored.UNKNOWN_TYPE, f"alert_transition {transition!r:.40} is none that we know")
        return kind, transition
    if (match := _TITLE.search(first(body, ("title", "event_title", "alert_title")) or "")) is not None:
        return _TRANSITIONS[match["state"].lower()], match["state"]
    kind = _TYPES.get((text(body.get("alert_type")) or "").lower())
    if kind is not None:
        return kind, None
    status = text(body.get("alert_status")) or ""
    if (kind := _TRANSITIONS.get(status.lower())) is not None:
        return kind, status
    raise NoEvent(Ignored.NOT_RELEVANT, "an event without a state: neither a hazard nor its end")


_SAMPLE = """{"id": "7879719351243698466", "title": "[Triggered on {service:payments}] Error rate",
 "alert_transition": "Triggered", "alert_type": "error", "date": "1773144000000", "monitor_id": "134462228",
 "scopes": "service:payments", "tags": "env:production,monitor,service:payments", "priority": "P2",
 "url": "https://app.datadoghq.example/event/7879719351243698466"}"""

_SETUP = """
*Integrations → Webhooks → New*, URL `https://nearmiss.example/ingest/datadog`, custom header
`{"X-Nearmiss-Token": "the-secret"}`, and this payload; then put `@webhook-nearmiss` into the monitors' messages.

```json
{"id": "$ID", "title": "$EVENT_TITLE", "alert_transition": "$ALERT_TRANSITION", "alert_type": "$ALERT_TYPE",
 "date": "$DATE", "monitor_id": "$ALERT_ID", "alert_cycle_key": "$ALERT_CYCLE_KEY", "scopes": "$ALERT_SCOPE",
 "tags": "$TAGS", "priority": "$ALERT_PRIORITY", "user": "$USER", "hostname": "$HOSTNAME", "query": "$ALERT_QUERY",
 "url": "$LINK", "body": "$TEXT_ONLY_MSG"}
```
"""

TOOL = Tool(
    name="datadog",
    title="Datadog",
    tells="alerts and recoveries of monitors",
    kinds=("alert.fired", "alert.resolved"),
    sample=Sample(_SAMPLE, ("alert.fired",)),
    setup=_SETUP,
    limits=(
        "Service and environment come from the tags `service` and `env`.",
        "A muted monitor sends nothing, and nobody who acknowledged is named.",
        "Datadog signs nothing: give the webhook a custom header with the secret.",
    ),
    split=split,
    read=read,
)
