"""The event recorder of the Alertmanager: what fired, who was paged, what was silenced by whom, what was inhibited.

Protocol buffers as JSON: zero values are left out, 64-bit numbers are decimal texts, bytes differ from time to time.
Identities are made of what an event means, so that retries, passes and replicas are the same event. Labels come as a
list of pairs (version 1) or as an object (version 2).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from monitor.core.model.events import Actor, Event, to_text
from monitor.core.model.reasons import Ignored, Rejected
from monitor.decode.bodyforms import json_lines
from monitor.decode.outcome import NoEvent, Unreadable
from monitor.decode.reading import (
    Delivery,
    Moment,
    digest,
    make,
    mapping,
    moment,
    not_the_shape,
    person_or_bot,
    sequence,
    text,
)
from monitor.decode.tool import Sample, Tool
from monitor.decode.tools import alertmanager

_QUIET = frozenset({"alertmanagerStartupEvent", "alertmanagerShutdownEvent", "alertGrouped"})
_PAGERS = frozenset({"pagerduty", "opsgenie", "victorops", "pushover", "incidentio"})
"""Integrations that wake someone; the others post where someone may look."""
_CALLS = frozenset({"NOTIFY_REASON_FIRST_NOTIFICATION", "NOTIFY_REASON_NEW_ALERTS_IN_GROUP"})


def split(body: Any, delivery: Delivery) -> list[Any]:
    """One event, the array of a batch, or the lines of a file. Raises Unreadable."""
    found = body if isinstance(body, list) else [body]
    if not isinstance(body, list) and not isinstance(mapping(body).get("data"), dict):
        raise not_the_shape("an event of the recorder with @timestamp, instance and data", body)
    return found


def read(piece: Any, delivery: Delivery) -> list[Event]:
    """The events of one recorded event. Raises Unreadable or NoEvent."""
    event = mapping(piece)
    data = mapping(event.get("data"))
    name = next((name for name, value in data.items() if isinstance(value, dict)), None)
    if name is None:
        raise not_the_shape("data with one object such as alertCreated", data or piece)
    inner, at = data[name], moment(event.get("@timestamp", event.get("timestamp")), "@timestamp")
    if name == "alertCreated":
        return _alert(mapping(inner.get("alert")), {}, delivery)
    if name == "alertResolved":
        grouped = mapping(inner.get("alert"))
        return _alert({**mapping(grouped.get("details")), "resolved": True}, inner, delivery)
    if name == "notification":
        return _notification(inner, at, delivery)
    if name in ("silenceCreated", "silenceUpdated"):
        return [silence(mapping(inner.get("silence")), at, delivery)]
    if name == "silenceMutedAlert":
        return [_muted(mapping(inner.get("silence")), mapping(inner.get("mutedAlert")), at, delivery)]
    if name == "inhibitionMutedAlert":
        return [_inhibited(inner, at, delivery)]
    reason = Ignored.NOT_RELEVANT if name in _QUIET else Ignored.UNKNOWN_TYPE
    raise NoEvent(reason, f"{name:.80} says nothing about a hazard, an action or impact")


def pairs(found: Any) -> dict[str, str]:
    """A label set of either version as an object."""
    if isinstance(found, dict) and isinstance(found.get("labels"), list):
        items = [mapping(item) for item in found["labels"]]
        return {str(item["key"]): str(item.get("value", "")) for item in items if "key" in item}
    return {str(name): str(value) for name, value in mapping(found).items()}


def hexadecimal(fingerprint: Any) -> str | None:
    """A fingerprint as the webhook writes it; here it is a decimal text."""
    said = text(fingerprint)
    return f"{int(said):016x}" if said is not None and said.isdecimal() and len(said) <= 20 else None


def _alert(alert: Mapping[str, Any], context: Mapping[str, Any], delivery: Delivery) -> list[Event]:
    labels = pairs(alert.get("labels"))
    if not labels:
        raise Unreadable(Rejected.MISSING_FIELD, "an alert without its details; the recorder sends labels and startsAt")
    plain = {
        "labels": labels,
        "annotations": pairs(alert.get("annotations")),
        "startsAt": alert.get("startsAt"),
        "endsAt": alert.get("endsAt"),
        "fingerprint": hexadecimal(alert.get("fingerprint")),
        "status": "resolved" if alert.get("resolved") is True else "firing",
    }
    group = mapping(context.get("groupInfo"))
    return alertmanager.read((plain, {"receiver": group.get("receiverName")}), delivery)


def _notification(inner: Mapping[str, Any], at: Moment | None, delivery: Delivery) -> list[Event]:
    """Who was called: once for each alert, receiver and integration. What was merely posted is no call."""
    integration = mapping(inner.get("integration"))
    name = text(integration.get("name")) or ""
    if name not in _PAGERS:
        raise NoEvent(Ignored.NOT_RELEVANT, f"a notification by {name or 'an integration'} calls nobody")
    if text(inner.get("reason")) not in _CALLS:
        raise NoEvent(Ignored.NOT_RELEVANT, "a repeat or an end: nobody was notified again")
    group = mapping(inner.get("groupInfo"))
    receiver = text(group.get("receiverName"))
    known = {
        hash_: mapping(grouped.get("details"))
        for grouped in map(mapping, sequence(inner.get("alerts")))
        if (hash_ := text(grouped.get("hash")))
    }
    # Each only once: its labels may be many, and a hash of a few bytes would name them again.
    found = [
        mapping(item.get("details")) or known.pop(text(item.get("hash")) or "", {})
        for item in map(mapping, sequence(inner.get("firingAlerts")))
    ]
    events = []
    for alert in found:
        labels = pairs(alert.get("labels"))
        fingerprint = hexadecimal(alert.get("fingerprint"))
        if fingerprint is None:
            continue
        began = moment(alert.get("startsAt"), "startsAt")
        events.append(
            make(
                delivery,
                id="/".join(filter(None, ("paged", receiver, name, fingerprint, to_text(began[0] if began else None)))),
                kind="responder.paged",
                time=at,
                service=alertmanager.service_of(labels),
                environment=alertmanager.environment_of(labels),
                subject=fingerprint,
                severity=alertmanager.severity_of(labels),
                title=f"{name} was notified of {labels.get('alertname', 'an alert')}",
                labels={**labels, "receiver": receiver, "integration": name},
            )
        )
    if not events:
        raise NoEvent(Ignored.NOT_RELEVANT, "a notification that names no firing alert")
    return events


def silence(silence: Mapping[str, Any], at: Moment | None, delivery: Delivery) -> Event:
    """The event of a silence that was made or changed. Raises NoEvent where that ended it."""
    updated = moment(silence.get("updatedAt"), "silence.updatedAt") or at
    ends = moment(silence.get("endsAt"), "silence.endsAt")
    if ends and updated and ends[0] <= updated[0]:
        raise NoEvent(Ignored.NOT_RELEVANT, "a silence was ended: its alerts speak for themselves again")
    identity = _identity(silence)
    labels = _matched(silence)
    return make(
        delivery,
        id="/".join(filter(None, ("silence", identity, to_text(updated[0] if updated else None)))),
        kind="alert.silenced",
        time=updated,
        service=alertmanager.service_of(labels),
        environment=alertmanager.environment_of(labels),
        subject=f"silence/{identity}",
        title=text(silence.get("comment")),
        actor=_author(silence),
        labels={**labels, **_said(silence)},
        expires_at=ends[0] if ends else None,
    )


def _muted(silence: Mapping[str, Any], muted: Mapping[str, Any], at: Moment | None, delivery: Delivery) -> Event:
    """Recorded at every pass: one event for each silence, alert and beginning of the silence."""
    labels, fingerprint = pairs(muted.get("labels")), _fingerprint(muted)
    began = moment(silence.get("startsAt"), "silence.startsAt")
    ends = moment(silence.get("endsAt"), "silence.endsAt")
    return make(
        delivery,
        id="/".join(filter(None, ("muted", _identity(silence), fingerprint, to_text(began[0] if began else None)))),
        kind="alert.silenced",
        time=at,
        service=alertmanager.service_of(labels),
        environment=alertmanager.environment_of(labels),
        subject=fingerprint,
        severity=alertmanager.severity_of(labels),
        title=f"silenced: {labels.get('alertname', 'an alert')}",
        actor=_author(silence),
        labels={**labels, **_said(silence)},
        expires_at=ends[0] if ends else None,
    )


def _inhibited(inner: Mapping[str, Any], at: Moment | None, delivery: Delivery) -> Event:
    """Recorded at every pass too; without a beginning, so one event a day for each alert and what inhibits it."""
    muted = mapping(inner.get("mutedAlert"))
    labels, fingerprint = pairs(muted.get("labels")), _fingerprint(muted)
    causes = sorted(filter(None, map(hexadecimal, sequence(inner.get("inhibitingFingerprints")))))
    day = (to_text(at[0]) or "")[:10] if at else ""
    return make(
        delivery,
        id="/".join(filter(None, ("inhibited", fingerprint, digest(causes)[:16], day))),
        kind="alert.silenced",
        time=at,
        service=alertmanager.service_of(labels),
        environment=alertmanager.environment_of(labels),
        subject=fingerprint,
        severity=alertmanager.severity_of(labels),
        title=f"inhibited: {labels.get('alertname', 'an alert')}",
        actor=Actor(kind="automation"),
        labels={**labels, "inhibited_by": ",".join(causes)},
    )


def _identity(silence: Mapping[str, Any]) -> str:
    found = text(silence.get("id"))
    if found is None:
        raise Unreadable(Rejected.MISSING_FIELD, "silence.id is missing; every silence has one")
    return found


def _fingerprint(muted: Mapping[str, Any]) -> str:
    return hexadecimal(muted.get("fingerprint")) or alertmanager.fingerprint(pairs(muted.get("labels")))


def _author(silence: Mapping[str, Any]) -> Actor | None:
    return person_or_bot(text(silence.get("createdBy")), "human")


def _said(silence: Mapping[str, Any]) -> dict[str, Any]:
    sets = [silence, *map(mapping, sequence(silence.get("matcherSets")))]
    matchers = [text(mapping(item).get("rendered")) for one in sets for item in sequence(one.get("matchers"))]
    return {
        "silence": silence.get("id"),
        "silenced_by": silence.get("createdBy"),
        "comment": silence.get("comment"),
        "matchers": ",".join(dict.fromkeys(filter(None, matchers))),
    }


def _matched(silence: Mapping[str, Any]) -> dict[str, str]:
    """What a silence's equalities say about its alerts."""
    found = {}
    for item in map(mapping, sequence(silence.get("matchers"))):
        name, value = text(item.get("name")), text(item.get("pattern"))
        if item.get("type") in ("TYPE_EQUAL", 1) and name and value:
            found[name] = value
    return found


_SAMPLE = """{"@timestamp": "2026-03-10T12:00:01.5Z", "instance": "am-0", "data": {"silenceMutedAlert": {
 "silence": {"id": "0c6d3a1e", "startsAt": "2026-03-10T11:00:00Z", "endsAt": "2026-03-10T15:00:00Z",
 "createdBy": "dev-one", "comment": "noisy while we migrate"}, "mutedAlert": {"fingerprint": "11470293847561029384",
 "labels": {"labels": [{"key": "alertname", "value": "ErrorRate"}, {"key": "service", "value": "payments"}]}}}}}"""

_SETUP = """
From version 0.33 on the Alertmanager records what it does with each alert, next to what it sends, if it is started with
`--enable-feature=event-recorder`. In
`alertmanager.yml`:

```yaml
event_recorder:
  webhook_outputs:
    - name: nearmiss
      url: http://nearmiss:8080/ingest/alertmanager-events
      batch: true
      http_config:
        authorization: {credentials: the-secret}
```

The first versions have `outputs:` with `type: webhook` in each. Every replica may send: they are known as one.

A file that the recorder writes is read as it is (`curl --data-binary @events.jsonl` to the same address), and so is its
Kafka topic in the format `json`, with the source `alertmanager-events`.
"""

TOOL = Tool(
    name="alertmanager-events",
    title="Alertmanager event recorder",
    tells="alerts that nobody was paged for, silences with who and why, inhibitions",
    kinds=("alert.fired", "alert.resolved", "alert.cancelled", "alert.silenced", "responder.paged"),
    sample=Sample(_SAMPLE, ("alert.silenced",)),
    setup=_SETUP,
    limits=(
        "A recovery is recorded once for each route and after its notification; its time is the alert's end.",
        "A notification counts as a page only for integrations that wake someone, not for chat, mail and webhooks.",
    ),
    split=split,
    read=read,
    parse=json_lines,
)
