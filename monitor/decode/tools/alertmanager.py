"""Prometheus Alertmanager's webhook (versions 3 and 4, and what imitates it): one event for each alert of a group.

The group's status is never read for its members: a group that fires may carry alerts that have recovered.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from math import isfinite
from typing import Any
from urllib.parse import parse_qs, urlsplit

from monitor.core.model.events import Bound, Event, Instant, Severity, to_text
from monitor.core.model.reasons import Ignored
from monitor.decode.jsontext import load_item
from monitor.decode.outcome import NoEvent, Unreadable
from monitor.decode.reading import (
    Delivery,
    first,
    make,
    mapping,
    moment,
    not_the_shape,
    number,
    severity,
    text,
)
from monitor.decode.tool import Sample, Tool

_SERVICE = (
    "service",
    "service_name",
    "serviceName",
    "serviceRoleName",
    "app",
    "application",
    "app_kubernetes_io_name",
    "label_app",
    "service.name",
)
_ENVIRONMENT = (
    "environment",
    "env",
    "deployment_environment",
    "deployment.environment",
    "deployment.environment.name",
    "stage",
)
_SEVERITY = ("severity", "level", "priority", "alertLevel")
_VALUE = ("value", "current_value", "currentValue")
_LIMIT = ("threshold", "limit")
_DEADLINE = ("deadline", "expires_at")
_TEST = re.compile(r"(?:\w+[_-])?(?:test_?alert|webhook_?test|test_?webhook|test_?notification)|test", re.IGNORECASE)
_COMPARISON = re.compile(r"(?:[^<>=!]|^)(<=?|>=?)\s*(?:bool\s+)?([-+]?\d+(?:\.\d+)?(?:[eE][-+]?\d+)?)[\s)]*$")
_MISSING = re.compile(r"^[\s(]*absent(?:_over_time)?\s*\(")
_NO_DATA = frozenset({"DatasourceNoData", "NoData"})
"""What Grafana calls an alert whose series is gone."""
_HEARTBEATS = frozenset({"Watchdog", "InfoInhibitor", "DeadMansSwitch", "DeadManSwitch", "DeadMansSnitch"})
_LONGEST_LINK = 8192
"""The patterns below take time that grows faster than the text."""
_SET_OPERATOR = re.compile(r"\b(?:and|or|unless)\b", re.IGNORECASE)


def split(body: Any, delivery: Delivery) -> list[Any]:
    """The alerts of one notification, each with its group. Raises Unreadable."""
    if isinstance(body, list):
        return [(_with_status(alert, delivery), {}) for alert in body]
    alerts = mapping(body).get("alerts")
    if alerts is None and isinstance(mapping(body).get("labels"), dict) and "startsAt" in body:
        return [(_with_status(body, delivery), body)]  # one alert by itself, as some relays pass it on
    if not isinstance(alerts, list):
        raise not_the_shape("an Alertmanager notification with alerts", body)
    return [(alert, body) for alert in alerts]


def _with_status(alert: Any, delivery: Delivery) -> Any:
    """An alert as it is posted to an Alertmanager, with the status that its end means at receipt."""
    if not isinstance(alert, dict) or "status" in alert or delivery.received_at is None:
        return alert
    try:
        ends = moment(alert.get("endsAt"), "endsAt")
    except Unreadable:
        return alert
    return {**alert, "status": "resolved" if ends is not None and ends[0] <= delivery.received_at else "firing"}


def read(piece: Any, delivery: Delivery) -> list[Event]:
    """The event of one alert. Raises Unreadable or NoEvent.

    Identity is the fingerprint with the beginning, the status and the end: repeats and replicas are the same event, and
    an alert that recovers twice from one beginning, as after a false recovery, gives both recoveries.
    """
    alert, group = load_item(piece[0]), piece[1]
    if not isinstance(alert, dict):
        raise not_the_shape("an alert with labels, status and startsAt", alert)
    labels = {str(name): str(value) for name, value in mapping(alert.get("labels")).items() if text(value) is not None}
    annotations = mapping(alert.get("annotations"))
    name = labels.get("alertname")
    if name is not None and _TEST.fullmatch(name):
        raise NoEvent(Ignored.TEST_DELIVERY, f"alertname {name!r:.80} is the name of a test delivery")
    if name in _HEARTBEATS:
        raise NoEvent(Ignored.NOT_RELEVANT, f"{name}: it fires as long as alerting works, and says no more")
    status = text(alert.get("status")) or text(group.get("status"))
    if status not in ("firing", "resolved"):
        raise not_the_shape(f"status firing or resolved, not {status!r:.40},", alert)
    resolved = status == "resolved"
    began, ended = moment(alert.get("startsAt"), "startsAt"), moment(alert.get("endsAt"), "endsAt")
    known = text(alert.get("fingerprint")) or fingerprint(mapping(alert.get("labels")))
    limit, bound = _limit(annotations, labels, alert.get("generatorURL"))
    beginning = to_text(began[0]) if began else None
    ending = to_text(ended[0]) if ended and resolved else None
    stopped = resolved and text(annotations.get("grafana_state_reason")) is not None
    return [
        make(
            delivery,
            id="/".join(part for part in (known, beginning, status, ending) if part),
            kind="alert.cancelled" if stopped else "alert.resolved" if resolved else "alert.fired",
            time=ended if resolved else began,
            service=service_of(labels),
            environment=environment_of(labels),
            subject=known,
            severity=severity_of(labels),
            title=first(annotations, ("summary", "title", "message", "description", "alertInfo")) or name,
            labels=_labels(labels, annotations, group, alert, beginning if resolved else None),
            value=next((found for key in _VALUE if (found := number(annotations.get(key))) is not None), None),
            limit=limit,
            bound=bound,
            unit=text(labels.get("unit")),
            expires_at=_deadline(annotations),
            began_at=began[0] if began and resolved else None,
            url=text(alert.get("generatorURL")) or text(group.get("externalURL")),
        )
    ]


def _deadline(annotations: Mapping[str, Any]) -> Instant | None:
    """A cut-off or an end of validity that the alert's author writes into an annotation; no time, no deadline."""
    said = first(annotations, _DEADLINE)
    try:
        found = moment(said, "deadline") if said else None
    except Unreadable:
        return None
    return found[0] if found else None


def service_of(labels: Mapping[str, Any]) -> str | None:
    """The service as a label names it. The catalogue later separates an exporter's own label from the service."""
    return first(labels, _SERVICE)


def environment_of(labels: Mapping[str, Any]) -> str | None:
    return first(labels, _ENVIRONMENT)


def severity_of(labels: Mapping[str, Any]) -> Severity | None:
    return next((grade for key in _SEVERITY if (grade := severity(labels.get(key)))), None)


def _labels(
    labels: Mapping[str, str],
    annotations: Mapping[str, Any],
    group: Mapping[str, Any],
    alert: Mapping[str, Any],
    fired_at: str | None,
) -> dict[str, Any]:
    """Labels as the alert has them; annotations where no label has the same name; then what the group says."""
    told = {f"annotation_{key}" if key in labels else key: value for key, value in annotations.items()}
    silent = labels.get("alertname") in _NO_DATA or _MISSING.search(_expression(alert.get("generatorURL")))
    return {
        "signal": "metrics" if silent else None,
        **told,
        **labels,
        "receiver": group.get("receiver"),
        "group_key": group.get("groupKey"),
        "truncated_alerts": group.get("truncatedAlerts") or None,
        "fired_at": fired_at,
    }


def _limit(
    annotations: Mapping[str, Any], labels: Mapping[str, str], generator: Any
) -> tuple[float | None, Bound | None]:
    """The limit that the alert's own expression compares with, unless it says one itself."""
    said = next(
        (found for source in (annotations, labels) for key in _LIMIT if (found := number(source.get(key)))), None
    )
    if said is not None:
        return said, None
    expression = _expression(generator)
    match = None if _SET_OPERATOR.search(expression) else _COMPARISON.search(expression)
    if match is None:
        return None, None
    limit = float(match[2])
    # 1e999 is a number to Prometheus, and none that can be written down again.
    return (limit, "max" if match[1].startswith(">") else "min") if isfinite(limit) else (None, None)


def _expression(generator: Any) -> str:
    """The alert's own expression, as Prometheus links to it; empty where it does not, or is longer than any rule."""
    if not isinstance(generator, str) or len(generator) > _LONGEST_LINK:
        return ""
    try:
        query = parse_qs(urlsplit(generator).query)
    except ValueError:
        return ""
    return query.get("g0.expr", [""])[0]


def fingerprint(labels: Mapping[str, Any]) -> str:
    """Prometheus's own fingerprint of a label set (FNV-1a, 64 bits), for bodies that leave it out."""
    return _fnv("".join(f"{name}\0{labels[name]}\0" for name in sorted(labels)))


@lru_cache(maxsize=4096)
def _fnv(labels: str) -> str:
    """An alert that stands is sent again each minute."""
    value = 14695981039346656037
    for byte in labels.encode().replace(b"\0", b"\xff"):
        value = ((value ^ byte) * 1099511628211) & 0xFFFFFFFFFFFFFFFF
    return f"{value:016x}"


_SAMPLE = """{"version": "4", "status": "firing", "receiver": "nearmiss", "groupKey": "{}:{alertname=\\"ErrorRate\\"}",
 "externalURL": "http://alertmanager.example", "alerts": [{"status": "firing", "fingerprint": "9f2c0d3b51e07a44",
 "labels": {"alertname": "ErrorRate", "service": "payments", "env": "production", "severity": "critical"},
 "annotations": {"summary": "1 of 20 payments fails"}, "startsAt": "2026-03-10T12:00:00Z",
 "endsAt": "0001-01-01T00:00:00Z", "generatorURL": "http://prometheus.example/graph?g0.expr=errors+%3E+0.05"}]}"""

_SETUP = """
Put this route first in `alertmanager.yml`:

```yaml
route:
  routes:
    - receiver: nearmiss
      continue: true               # the other routes still see every alert
      group_by: ["..."]            # no grouping: each alert is sent as soon as it changes
      group_wait: 0s
      group_interval: 10s
      repeat_interval: 4h
    # … your routes
receivers:
  - name: nearmiss
    webhook_configs:
      - url: http://nearmiss:8080/ingest/alertmanager
        send_resolved: true
        max_alerts: 0
        http_config:
          authorization: {credentials: the-secret}
```

With longer intervals alerts arrive late; raise `lateness` if you keep them.
"""

TOOL = Tool(
    name="alertmanager",
    title="Prometheus Alertmanager",
    tells="alerts, recoveries",
    kinds=("alert.fired", "alert.resolved", "alert.cancelled"),
    sample=Sample(_SAMPLE, ("alert.fired",)),
    setup=_SETUP,
    limits=(
        "Alertmanager sends nothing that is silenced or inhibited, and nobody who acted.",
        "The service comes from a label `service`, `app` or the like, the environment from `environment` or `env`.",
    ),
    split=split,
    read=read,
    group="alerts",
)
