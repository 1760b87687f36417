"""Grafana: unified alerting (one event for each alert, as of an Alertmanager) and the legacy alerting before version 9.

A legacy notification tells neither time nor series: its identity is what it means, on the day of its receipt.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import msgspec

from monitor.core.model.events import Event, Kind
from monitor.core.model.reasons import Ignored
from monitor.decode.jsontext import load_item
from monitor.decode.outcome import NoEvent
from monitor.decode.reading import (
    Delivery,
    day_of,
    digest,
    first,
    make,
    mapping,
    not_the_shape,
    number,
    sequence,
    text,
    with_labels,
)
from monitor.decode.signatures import GRAFANA
from monitor.decode.tool import Sample, Tool
from monitor.decode.tools import alertmanager

_LEGACY: dict[str, Kind] = {"alerting": "alert.fired", "ok": "alert.resolved", "no_data": "alert.fired"}
_ENVIRONMENT = re.compile(r"(?:prod|prd|live|stag|stg|dev|test|qa|uat|preprod)\w*", re.IGNORECASE)


def split(body: Any, delivery: Delivery) -> list[Any]:
    """The alerts of a notification, or the whole legacy one. Raises Unreadable."""
    found = mapping(body)
    if isinstance(found.get("alerts"), list):
        return alertmanager.split(body, delivery)
    if "state" in found and ("ruleName" in found or "ruleId" in found or "evalMatches" in found):
        return [found]
    raise not_the_shape("a Grafana notification with alerts, or a legacy one with ruleName and state", body)


_LINKS = ("dashboardURL", "panelURL", "silenceURL")


def read(piece: Any, delivery: Delivery) -> list[Event]:
    """The event of one alert. Raises Unreadable or NoEvent."""
    if isinstance(piece, dict):
        return [_legacy(piece, delivery)]
    alert, group = mapping(load_item(piece[0])), piece[1]
    (event,) = alertmanager.read((alert, group), delivery)
    values = mapping(alert.get("values"))
    labels = {f"value.{name}": str(value) for name, value in values.items() if number(value)}
    labels |= {name: link for name in _LINKS if (link := text(alert.get(name))) is not None}
    if (org := text(mapping(group).get("orgId"))) is not None:
        labels["org_id"] = org
    told = with_labels(event, labels, _deploy(mapping(alert.get("labels"))))
    if told.value is None and told.kind == "alert.fired" and (seen := _seen(values)) is not None:
        told = msgspec.structs.replace(told, value=seen)
    return [told]


def _seen(values: Mapping[str, Any]) -> float | None:
    """What was measured: the one number beside that of the threshold, which is 1 where it is crossed."""
    found = {name: value for name, raw in values.items() if (value := number(raw)) is not None}
    measured = [value for value in found.values() if value not in (0, 1)] if len(found) > 1 else []
    return measured[0] if len(measured) == 1 else None


def _deploy(labels: Mapping[str, Any]) -> str | None:
    """`deploy: prod` names an environment; `deploy: payments` does not."""
    found = text(labels.get("deploy"))
    return found if found is not None and _ENVIRONMENT.fullmatch(found) else None


def _legacy(body: Mapping[str, Any], delivery: Delivery) -> Event:
    state = (text(body.get("state")) or "").lower()
    name = text(body.get("ruleName"))
    if text(body.get("ruleId")) == "0" or name == "Test notification":
        raise NoEvent(Ignored.TEST_DELIVERY, "Grafana tries the notification channel out")
    kind = _LEGACY.get(state)
    if kind is None:
        reason = Ignored.NOT_RELEVANT if state in ("paused", "pending", "unknown") else Ignored.UNKNOWN_TYPE
        raise NoEvent(reason, f"state {state!r:.40} says nothing about a hazard or its end")
    rule = first(body, ("ruleId", "ruleName"))
    matches = [mapping(item) for item in sequence(body.get("evalMatches"))]
    tags = {**mapping(body.get("tags"))}
    for match in reversed(matches):
        tags = {**mapping(match.get("tags")), **tags}
    return make(
        delivery,
        id=f"{rule}/{state}/{digest(body.get('evalMatches'), body.get('message'))}/{day_of(delivery)}",
        kind=kind,
        time=None,
        service=alertmanager.service_of(tags),
        environment=alertmanager.environment_of(tags) or _deploy(tags),
        subject=f"rule/{rule}",
        severity=alertmanager.severity_of(tags),
        title=first(body, ("title", "ruleName")),
        labels={
            **tags,
            "rule": name,
            "state": state,
            "message": text(body.get("message")),
            "metric": text(matches[0].get("metric")) if matches else None,
            "signal": "metrics" if state == "no_data" else None,
        },
        value=number(matches[0].get("value")) if matches else None,
        url=text(body.get("ruleUrl")),
    )


_SAMPLE = """{"receiver": "nearmiss", "status": "firing", "orgId": 1, "alerts": [{"status": "firing", "labels": {
 "alertname": "Queue grows", "service": "payments", "environment": "production", "severity": "warning"},
 "annotations": {"summary": "12,000 messages wait"}, "startsAt": "2026-03-10T12:00:00Z",
 "endsAt": "0001-01-01T00:00:00Z", "fingerprint": "c6eadffa33fcdf37", "values": {"A": 12000}}],
 "groupKey": "{}:{}", "version": "1", "state": "alerting"}"""

_SETUP = """
*Alerting → Contact points → Add contact point → Webhook*, URL `https://nearmiss.example/ingest/grafana`, with *HMAC
signature* (version 12 and newer; header as Grafana proposes it) or an *Authorization header*. Then a notification
policy that matches everything, with *Continue matching* on.
"""

TOOL = Tool(
    name="grafana",
    title="Grafana",
    tells="alerts and recoveries of Grafana's own alerting",
    kinds=("alert.fired", "alert.resolved", "alert.cancelled"),
    sample=Sample(_SAMPLE, ("alert.fired",)),
    setup=_SETUP,
    limits=(
        "An alert that ends because its rule was edited, paused or lost its data is cancelled, not resolved.",
        "Legacy notifications (before version 9) tell no time: that of receipt stands in.",
        "The same legacy state with the same values counts once a day.",
    ),
    scheme=GRAFANA,
    split=split,
    read=read,
    group="alerts",
)
