"""Google Cloud: Monitoring's notifications (versions 1.0 to 1.2), and what services publish, by webhook or Pub/Sub.

An incident that ends because its policy or condition was edited, deleted or ran into its time limit did not recover.
"""

from __future__ import annotations

import base64
import binascii
import re
from typing import Any

from monitor.core.model.events import Bound, Event, Kind
from monitor.core.model.reasons import Ignored, Rejected
from monitor.decode.jsontext import load
from monitor.decode.outcome import NoEvent, Unreadable
from monitor.decode.reading import Delivery, first, make, mapping, not_the_shape, number, respelt, severity, text
from monitor.decode.tool import Sample, Tool
from monitor.decode.tool_times import tool_time
from monitor.decode.tools import _gcp_services

_KINDS: dict[str, Kind] = {
    "open": "alert.fired",
    "closed": "alert.resolved",
    "acknowledged": "alert.acknowledged",
}
_CANCELLED = re.compile(r"cancel|deleted or modified|auto-?clos|expired|timed out", re.IGNORECASE)
_BOUNDS: dict[str, Bound] = {
    "COMPARISON_GT": "max",
    "COMPARISON_GE": "max",
    "COMPARISON_LT": "min",
    "COMPARISON_LE": "min",
}
_SERVICE = ("service", "service_name", "app", "application")
_RESOURCE = ("service_name", "container_name", "function_name", "job_name", "database_id", "service")
_ENVIRONMENT = ("environment", "env")


def split(body: Any, delivery: Delivery) -> list[Any]:
    """One body is one state of one incident; a push of Pub/Sub carries it encoded. Raises Unreadable."""
    found = mapping(body)
    message = mapping(found.get("message"))
    data, attributes = message.get("data"), mapping(message.get("attributes"))
    if "Action" in attributes:
        return [{"publishTime": first(message, ("publishTime", "publish_time")), **attributes}]
    if "type_url" in attributes:
        return [attributes]
    if isinstance(data, str):
        found = mapping(_within(data))
    if isinstance(found.get("incident"), dict):
        return [found]
    if _gcp_services.fits(found):
        return [found]
    if isinstance(data, str):
        return [{}]
    if {"incident_id", "state"} <= (flat := respelt(found)).keys():
        return [flat]  # the incident without its envelope, as some relays pass it on
    raise not_the_shape("a notification with an incident, an audit log entry, or a push of Pub/Sub", body)


def _within(data: str) -> Any:
    """What a message carries; None for words, such as those of a notice to people. Raises Unreadable."""
    try:
        raw = base64.b64decode(data, validate=True)
    except (binascii.Error, ValueError):
        raise Unreadable(Rejected.NOT_AN_EVENT, "message.data is not base64; expected a push of Pub/Sub") from None
    return load(raw) if raw.lstrip()[:1] in (b"{", b"[") else None


def read(piece: Any, delivery: Delivery) -> list[Event]:
    """The event of one incident. Raises Unreadable or NoEvent."""
    incident = mapping(mapping(piece).get("incident")) or mapping(piece)
    if text(mapping(piece).get("version")) == "test":
        raise NoEvent(Ignored.TEST_DELIVERY, "the test of a notification channel")
    if not incident:
        raise NoEvent(Ignored.UNKNOWN_TYPE, "a message of Pub/Sub that holds nothing that we use")
    if "incident_id" not in incident and _gcp_services.fits(incident):
        return [_gcp_services.read(incident, delivery)]
    state = (text(incident.get("state")) or "").lower()
    identity = text(incident.get("incident_id"))
    if identity is None:
        raise Unreadable(Rejected.MISSING_FIELD, "incident.incident_id is missing; every incident has one")
    kind = _KINDS.get(state)
    if kind is None:
        raise NoEvent(Ignored.UNKNOWN_TYPE, f"incident state {state!r:.40} is none that we know")
    resource, metadata = mapping(incident.get("resource")), mapping(incident.get("metadata"))
    said = text(incident.get("observed_value")) or ""
    if kind == "alert.resolved" and _CANCELLED.search(f"{said} {text(incident.get('closure_reason')) or ''}"):
        kind = "alert.cancelled"
    user = {**mapping(incident.get("policy_user_labels")), **mapping(metadata.get("user_labels"))}
    system, places = mapping(metadata.get("system_labels")), mapping(resource.get("labels"))
    metric, condition = mapping(incident.get("metric")), mapping(incident.get("condition"))
    threshold = mapping(condition.get("conditionThreshold"))
    began, ended = tool_time(incident.get("started_at"), "started_at"), tool_time(incident.get("ended_at"), "ended_at")
    limit = number(incident.get("threshold_value"))
    word = text(incident.get("severity")) or first({**system, **user}, ("severity",))
    return [
        make(
            delivery,
            id=f"{identity}/{state}",
            kind=kind,
            time=began if kind == "alert.fired" else ended if state == "closed" else None,
            service=first(user, _SERVICE) or first(places, _RESOURCE),
            environment=first(user, _ENVIRONMENT),
            subject=identity,
            severity=severity(word),
            title=first(incident, ("summary", "condition_name", "policy_name")),
            labels={
                **user,
                **{f"resource.{name}": value for name, value in places.items()},
                **{f"metric.{name}": value for name, value in mapping(metric.get("labels")).items()},
                "severity": word,
                "policy": text(incident.get("policy_name")),
                "condition": text(incident.get("condition_name")),
                "resource_type": text(resource.get("type")),
                "instance": text(incident.get("resource_display_name")),
                "project": text(incident.get("scoping_project_id")),
                "metric": text(metric.get("type")),
                "observed": said if number(said) is None else None,
                "signal": "metrics" if "conditionAbsent" in condition else None,
            },
            value=number(said),
            limit=limit if limit is not None else number(threshold.get("thresholdValue")),
            bound=_BOUNDS.get(text(threshold.get("comparison")) or ""),
            began_at=began[0] if began and state == "closed" else None,
            url=text(incident.get("url")),
        )
    ]


_SAMPLE = """{"version": "1.2", "incident": {"incident_id": "0.nrwotmyokd9n", "state": "open", "started_at": 1773144000,
 "ended_at": null, "severity": "Critical", "summary": "Error rate of payments is above 0.05", "observed_value": "0.08",
 "threshold_value": "0.05", "policy_name": "error rate", "condition_name": "error rate",
 "policy_user_labels": {"service": "payments", "env": "production"}, "resource": {"type": "cloud_run_revision",
 "labels": {"service_name": "payments"}}, "condition": {"conditionThreshold": {"comparison": "COMPARISON_GT",
 "thresholdValue": 0.05}}}}"""

_SETUP = """
*Monitoring → Alerting → Edit notification channels → Webhooks → Add new*, endpoint
`https://nearmiss.example/ingest/gcp`, *Use HTTP Basic Auth* with any user and the secret as the password. A push
subscription of Pub/Sub to the same address works too. *Notify on incident closure* has to be on in each policy.

For who changed what: a log sink with the filter `logName:"cloudaudit.googleapis.com%2Factivity"` into a topic of
Pub/Sub with a push subscription to the same address. The topics `clouddeploy-operations`, `cloud-builds` and `gcr` are
read too.
"""

TOOL = Tool(
    name="gcp",
    title="Google Cloud",
    tells="incidents of Monitoring, deployments, and who called which API",
    kinds=(
        "alert.fired",
        "alert.resolved",
        "alert.cancelled",
        "alert.acknowledged",
        "change.blocked",
        "change.configured",
        "change.deleted",
        "change.deployed",
        "change.failed",
        "change.failed_over",
        "change.held",
        "change.merged",
        "change.ran",
        "change.restarted",
        "change.restored",
        "change.rolled_back",
        "change.rotated",
        "change.scaled",
        "change.started",
    ),
    sample=Sample(_SAMPLE, ("alert.fired",)),
    setup=_SETUP,
    limits=(
        "Service and environment come from the policy's user labels `service` and `env`, else from the resource.",
        "A repetition and a changed note of an open incident are the same event.",
    ),
    aliases=("google-cloud",),
    split=split,
    read=read,
)
