"""Sentry: issues, issue alerts, metric alerts and comments of an internal integration.

The header `Sentry-Hook-Resource` names what a body is about; where it is missing the shape of the body does.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from monitor.core.model.events import Actor, Bound, Event, Kind
from monitor.core.model.reasons import Ignored, Rejected
from monitor.decode.outcome import NoEvent, Unreadable
from monitor.decode.people import Named, who
from monitor.decode.reading import (
    Delivery,
    Moment,
    day_of,
    first,
    make,
    mapping,
    not_the_shape,
    number,
    sequence,
    severity,
    text,
)
from monitor.decode.signatures import SENTRY
from monitor.decode.tool import Sample, Tool
from monitor.decode.tool_times import tool_time

_ISSUE: dict[str, Kind] = {
    "created": "alert.fired",
    "unresolved": "alert.fired",
    "regressed": "alert.fired",
    "resolved": "alert.resolved",
    "ignored": "alert.silenced",
    "archived": "alert.silenced",
    "assigned": "alert.acknowledged",
}
_METRIC: dict[str, Kind] = {"critical": "alert.fired", "warning": "alert.fired", "resolved": "alert.resolved"}
_BOUNDS: dict[str, Bound] = {"0": "max", "1": "min"}
_QUIET = frozenset({"error", "installation", "preprod_artifact", "seer"})
_SHAPES = (("metric_alert", "metric_alert"), ("event_alert", "event"), ("issue", "issue"))


def split(body: Any, delivery: Delivery) -> list[Any]:
    """One body is one event. Raises Unreadable."""
    if _is_of_plugin(mapping(body)):
        return [body]
    if not isinstance(mapping(body).get("data"), dict) and not isinstance(mapping(body).get("installation"), dict):
        raise not_the_shape("a body of a Sentry integration with action and data", body)
    return [body]


def read(piece: Any, delivery: Delivery) -> list[Event]:
    """The event of one body. Raises Unreadable or NoEvent."""
    body = mapping(piece)
    if _is_of_plugin(body):
        return [_of_plugin(body, delivery)]
    data, action = mapping(body.get("data")), text(body.get("action")) or ""
    resource = delivery.headers.get("sentry-hook-resource") or _resource(data)
    reader = _READERS.get(resource)
    if reader is None:
        reason = Ignored.NOT_RELEVANT if resource in _QUIET else Ignored.UNKNOWN_TYPE
        raise NoEvent(reason, f"{resource:.60} {action:.40} says nothing about a hazard or an action")
    return [reader(body, data, action, delivery)]


def _resource(data: Mapping[str, Any]) -> str:
    if "comment_id" in data:
        return "comment"
    return next((name for name, part in _SHAPES if isinstance(data.get(part), dict)), "installation")


def _issue(body: Mapping[str, Any], data: Mapping[str, Any], action: str, delivery: Delivery) -> Event:
    issue = mapping(data.get("issue"))
    identity = text(issue.get("id"))
    if identity is None:
        raise not_the_shape("data.issue with an id", data)
    kind = _ISSUE.get(action)
    if kind is None:
        raise NoEvent(Ignored.UNKNOWN_TYPE, f"issue action {action!r:.40} is none that we know")
    is_new = action == "created"
    word = text(issue.get("level"))
    actor, said = _actor(body)
    again = None if is_new else delivery.headers.get("request-id") or day_of(delivery)
    return make(
        delivery,
        id="/".join(filter(None, ("issue", identity, action, again))),
        kind=kind,
        time=tool_time(issue.get("firstSeen"), "firstSeen") if is_new else _sent(delivery),
        service=_project(issue.get("project")),
        subject=f"issue/{identity}",
        severity=severity(word),
        title=text(issue.get("title")),
        actor=actor,
        labels={
            **said,
            "severity": word,
            "short_id": text(issue.get("shortId")),
            "culprit": text(issue.get("culprit")),
            "times_seen": text(issue.get("count")),
            "users_seen": text(issue.get("userCount")),
            "resolution": text(data.get("resolution_type")),
            "priority": text(issue.get("priority")),
            "substatus": text(issue.get("substatus")),
        },
        url=first(issue, ("web_url", "permalink")),
    )


def _event_alert(body: Mapping[str, Any], data: Mapping[str, Any], action: str, delivery: Delivery) -> Event:
    """An issue alert: a rule of the project fired on an event."""
    event = mapping(data.get("event"))
    identity = text(event.get("event_id"))
    if identity is None:
        raise not_the_shape("data.event with an event_id", data)
    tags = {str(pair[0]): pair[1] for pair in sequence(event.get("tags")) if isinstance(pair, list) and len(pair) == 2}
    _no_sample(tags)
    word = text(event.get("level"))
    issue = text(event.get("issue_id")) or text(event.get("groupid"))
    return make(
        delivery,
        id=f"event/{identity}/{text(data.get('triggered_rule')) or ''}",
        kind="alert.fired",
        time=tool_time(first(event, ("datetime", "timestamp", "received")), "event.datetime"),
        service=text(tags.get("service")) or first(event, ("project_slug", "project_name")),
        environment=text(event.get("environment")) or text(tags.get("environment")),
        subject=f"issue/{issue or identity}",
        severity=severity(word),
        title=text(event.get("title")),
        labels={
            **tags,
            "severity": word,
            "rule": text(data.get("triggered_rule")),
            "version": text(event.get("release")) or text(tags.get("release")),
            "culprit": text(event.get("culprit")),
        },
        url=first(event, ("web_url", "url")),
    )


def _is_of_plugin(body: Mapping[str, Any]) -> bool:
    """Whether the older webhook plugin of a project sends this: the event at the top, beside the project's names."""
    return isinstance(body.get("event"), dict) and any(name in body for name in ("project", "project_slug"))


def _of_plugin(body: Mapping[str, Any], delivery: Delivery) -> Event:
    """An event that met a rule, as the plugin tells it."""
    event = mapping(body.get("event"))
    identity = first(event, ("event_id", "id")) or text(body.get("id"))
    if identity is None:
        raise not_the_shape("event with an event_id", body)
    tags = {str(pair[0]): pair[1] for pair in sequence(event.get("tags")) if isinstance(pair, list) and len(pair) == 2}
    _no_sample(tags)
    word = text(body.get("level")) or text(event.get("level")) or text(tags.get("level"))
    rules = ", ".join(filter(None, map(text, sequence(body.get("triggering_rules")))))
    return make(
        delivery,
        id=f"event/{identity}/{rules}",
        kind="alert.fired",
        time=tool_time(first(event, ("datetime", "timestamp", "received")), "event.timestamp"),
        service=text(tags.get("service")) or first(body, ("project_slug", "project", "project_name")),
        environment=text(event.get("environment")) or text(tags.get("environment")),
        subject=f"issue/{text(body.get('id')) or identity}",
        severity=severity(word),
        title=first(event, ("title",)) or first(body, ("message", "culprit")),
        labels={
            **tags,
            "severity": word,
            "rule": rules,
            "version": text(event.get("release")) or text(tags.get("release")),
            "culprit": text(body.get("culprit")),
        },
        url=text(body.get("url")),
    )


def _no_sample(tags: Mapping[str, Any]) -> None:
    """Raises NoEvent for the event that Sentry makes up to try a rule or a project."""
    if text(tags.get("sample_event")) == "yes":
        raise NoEvent(Ignored.TEST_DELIVERY, "the tag sample_event: Sentry made this event up")


def _metric_alert(body: Mapping[str, Any], data: Mapping[str, Any], action: str, delivery: Delivery) -> Event:
    alert = mapping(data.get("metric_alert"))
    rule = mapping(alert.get("alert_rule"))
    identity = text(alert.get("id"))
    if identity is None:
        raise not_the_shape("data.metric_alert with an id", data)
    kind = _METRIC.get(action)
    if kind is None:
        raise NoEvent(Ignored.UNKNOWN_TYPE, f"metric alert action {action!r:.40} is none that we know")
    closed = text(alert.get("date_closed")) if kind == "alert.resolved" else None
    began = tool_time(first(alert, ("date_started", "date_detected", "date_created")), "date_started")
    at = began if kind == "alert.fired" else tool_time(closed, "date_closed")
    trigger = next((mapping(one) for one in sequence(rule.get("triggers"))), {})
    return make(
        delivery,
        id="/".join(filter(None, ("metric_alert", identity, action, closed))),
        kind=kind,
        time=at or _sent(delivery),
        service=next((text(one) for one in sequence(alert.get("projects"))), None),
        environment=text(rule.get("environment")),
        subject=f"metric_alert/{identity}",
        severity=severity(action),
        title=text(data.get("description_title")) or text(alert.get("title")),
        labels={
            "rule": text(rule.get("name")),
            "query": text(rule.get("query")),
            "text": text(data.get("description_text")),
        },
        limit=number(trigger.get("alert_threshold", trigger.get("alertThreshold"))),
        bound=_BOUNDS.get(text(rule.get("threshold_type")) or ""),
        began_at=began[0] if began and kind == "alert.resolved" else None,
        url=text(data.get("web_url")),
    )


def _comment(body: Mapping[str, Any], data: Mapping[str, Any], action: str, delivery: Delivery) -> Event:
    if action != "created":
        raise NoEvent(Ignored.NOT_RELEVANT, f"a comment was {action:.40}: nobody saw anything new")
    identity = text(data.get("comment_id"))
    if identity is None:
        raise Unreadable(Rejected.MISSING_FIELD, "data.comment_id is missing; every comment has one")
    actor, said = _actor(body)
    return make(
        delivery,
        id=f"comment/{identity}",
        kind="note.added",
        time=tool_time(data.get("timestamp"), "data.timestamp"),
        service=_project(data.get("project_slug")),
        subject=f"issue/{text(data.get('issue_id'))}",
        title=text(data.get("comment")),
        actor=actor,
        labels=said,
    )


def _actor(body: Mapping[str, Any]) -> Named:
    found = mapping(body.get("actor"))
    if not found:
        return None, {}
    if text(found.get("type")) != "user":
        return Actor(id=text(found.get("name")) or text(found.get("id")), kind="automation"), {}
    return who(found.get("id"), found.get("name"), found.get("email"))


def _project(project: Any) -> str | None:
    return text(project) or first(mapping(project), ("slug", "name"))


def _sent(delivery: Delivery) -> Moment | None:
    """Seconds since 1970 in a header, which is not signed."""
    sent = delivery.headers.get("sentry-hook-timestamp", "")
    return tool_time(sent, "Sentry-Hook-Timestamp") if sent.isascii() and sent.isdigit() else None


_READERS: dict[str, Callable[[Mapping[str, Any], Mapping[str, Any], str, Delivery], Event]] = {
    "issue": _issue,
    "event_alert": _event_alert,
    "metric_alert": _metric_alert,
    "comment": _comment,
}

_SAMPLE = """{"action": "created", "actor": {"type": "application", "id": "sentry", "name": "Sentry"},
 "data": {"issue": {"id": "1635244907", "title": "TimeoutError: payment provider", "level": "error",
 "culprit": "charge", "firstSeen": "2026-03-10T12:00:00Z", "project": {"slug": "payments", "name": "Payments"}}}}"""

_SETUP = """
*Settings → Developer Settings → Custom Integrations → Create New → Internal Integration*, webhook URL
`https://nearmiss.example/ingest/sentry`, *Alert Rule Action* on, webhooks *issue* and *comment*. The client secret is
the secret: `NEARMISS_SECRETS__SENTRY`. Add the integration as an action to the alert rules that matter.
"""

TOOL = Tool(
    name="sentry",
    title="Sentry",
    tells="issues, alerts on metrics, comments",
    kinds=("alert.fired", "alert.resolved", "alert.silenced", "alert.acknowledged", "note.added"),
    sample=Sample(_SAMPLE, ("alert.fired",), {"sentry-hook-resource": "issue"}),
    setup=_SETUP,
    limits=(
        "The service is the project's slug. An issue names no environment, an alert does.",
        "An issue that someone resolves by a click may go on happening.",
    ),
    scheme=SENTRY,
    split=split,
    read=read,
)
