"""Azure: Monitor's alerts (common schema, and its essentials alone), and Event Grid's resource events.

Event Grid asks before it sends anything; the answer is its own code.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import msgspec

from monitor.core.model.events import Bound, Event, Kind, Severity
from monitor.core.model.reasons import Ignored, Rejected
from monitor.decode.outcome import NoEvent, Unreadable
from monitor.decode.people import Named, who
from monitor.decode.reading import (
    Delivery,
    digest,
    first,
    make,
    mapping,
    moment,
    not_the_shape,
    number,
    sequence,
    severity,
    text,
)
from monitor.decode.tool import Sample, Tool

_CONDITIONS: dict[str, Kind] = {
    "fired": "alert.fired",
    "activated": "alert.fired",
    "resolved": "alert.resolved",
    "deactivated": "alert.resolved",
}
_OPERATIONS: tuple[tuple[str, Kind], ...] = (
    ("restart/action", "change.restarted"),
    ("redeploy/action", "change.restarted"),
    ("start/action", "change.restarted"),
    ("poweroff/action", "change.restarted"),
    ("stop/action", "change.restarted"),
    ("deallocate/action", "change.scaled"),
    ("scale/action", "change.scaled"),
    ("failover/action", "change.failed_over"),
    ("slotsswap/action", "change.deployed"),
    ("applyslotconfig/action", "change.deployed"),
    ("regeneratekey/action", "change.rotated"),
    ("restore/action", "change.restored"),
    ("/action", "change.ran"),
    ("deployments/write", "change.deployed"),
    ("/write", "change.configured"),
    ("/delete", "change.deleted"),
)
_READS = re.compile(r"(?:list\w*|read|validate|check\w*|get\w*)/action$", re.IGNORECASE)
_BOUNDS: dict[str, Bound] = {
    "GreaterThan": "max",
    "GreaterThanOrEqual": "max",
    "LessThan": "min",
    "LessThanOrEqual": "min",
}
_GRADES = {"sev0": "critical", "sev1": "error", "sev2": "warning", "sev3": "info", "sev4": "info"}
"""Azure counts from critical, error and warning to informational and verbose."""
_SERVICES: dict[str, Kind] = {
    "Microsoft.Web.SlotSwapCompleted": "change.deployed",
    "Microsoft.Web.SlotSwapStarted": "change.started",
    "Microsoft.Web.SlotSwapFailed": "change.failed",
    "Microsoft.Web.AppUpdated": "change.configured",
    "Microsoft.Web.AppServicePlanUpdated": "change.scaled",
    "Microsoft.AppConfiguration.KeyValueModified": "change.configured",
    "Microsoft.AppConfiguration.KeyValueDeleted": "change.deleted",
    "Microsoft.ContainerRegistry.ImagePushed": "change.merged",
}
_FLAG = ".appconfig.featureflag/"
_VALIDATION = "Microsoft.EventGrid.SubscriptionValidationEvent"
_VAULT = re.compile(
    r"Microsoft\.KeyVault\.(?P<what>Certificate|Secret|Key)(?P<how>NearExpiry|Expired|NewVersionCreated)"
)


def split(body: Any, delivery: Delivery) -> list[Any]:
    """One alert, or the events of one delivery of Event Grid. Raises Unreadable."""
    if isinstance(body, list):
        return body
    found = mapping(body)
    if _essentials(found) is not None or any(name in found for name in ("eventType", "type", "schemaId")):
        return [found]
    raise not_the_shape("an alert of the common schema with essentials, or an event of Event Grid", body)


def read(piece: Any, delivery: Delivery) -> list[Event]:
    """The event of one piece. Raises Unreadable or NoEvent."""
    found = mapping(piece)
    if (essentials := _essentials(found)) is not None:
        return [_alert(essentials, found, delivery)]
    type_name = first(found, ("eventType", "type"))
    if type_name is None:
        if "schemaId" in found:
            raise NoEvent(Ignored.UNKNOWN_TYPE, "an alert of an older schema; switch the common schema on")
        raise not_the_shape("an event of Event Grid with eventType, or an alert with essentials", piece)
    if type_name == _VALIDATION:
        raise NoEvent(Ignored.HANDSHAKE, "Event Grid asks whether it may send")
    if (vault := _VAULT.fullmatch(type_name)) is not None:
        return [_secret(found, vault, delivery)]
    if type_name in _SERVICES:
        return [_service(found, type_name, delivery)]
    if not type_name.startswith("Microsoft.Resources.Resource"):
        raise NoEvent(Ignored.UNKNOWN_TYPE, f"event type {type_name!r:.80} is none that we use")
    return [_resource(found, type_name, delivery)]


def validation(body: bytes, headers: Mapping[str, str]) -> dict[str, str] | None:
    """The code that Event Grid wants to hear back."""
    if _VALIDATION.encode() not in body:
        return None
    try:
        asked = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    event = mapping(next(iter(asked), None)) if isinstance(asked, list) else mapping(asked)
    code = text(mapping(event.get("data")).get("validationCode"))
    is_question = event.get("eventType") == _VALIDATION
    return {"validationResponse": code} if is_question and code is not None else None


def _essentials(found: Mapping[str, Any]) -> Mapping[str, Any] | None:
    inner = found.get("essentials", mapping(found.get("data")).get("essentials"))
    return inner if isinstance(inner, dict) else None


def _alert(essentials: Mapping[str, Any], body: Mapping[str, Any], delivery: Delivery) -> Event:
    condition = (text(essentials.get("monitorCondition")) or "").lower()
    kind = _CONDITIONS.get(condition)
    if kind is None:
        raise NoEvent(Ignored.UNKNOWN_TYPE, f"monitorCondition {condition!r:.40} is none that we know")
    identity = text(essentials.get("alertId")) or text(essentials.get("originAlertId"))
    if identity is None:
        raise Unreadable(Rejected.MISSING_FIELD, "essentials.alertId is missing; every alert has one")
    short, resolved = identity.rpartition("/")[2], kind == "alert.resolved"
    fired = moment(essentials.get("firedDateTime"), "firedDateTime")
    ended = moment(essentials.get("resolvedDateTime"), "resolvedDateTime")
    target = next((str(one) for one in sequence(essentials.get("alertTargetIDs"))), None)
    context = mapping(mapping(body.get("data")).get("alertContext") or body.get("alertContext"))
    criterion = next((mapping(one) for one in sequence(mapping(context.get("condition")).get("allOf"))), {})
    own = mapping(mapping(body.get("data")).get("customProperties"))
    word = text(essentials.get("severity"))
    return make(
        delivery,
        id=f"{short}/{condition}",
        kind=kind,
        time=ended if resolved else fired,
        service=first(own, ("service", "Service")) or _name(target),
        environment=first(own, ("environment", "env", "Environment")),
        subject=short,
        severity=_grade(word),
        title=first(essentials, ("alertRule", "description")),
        labels={
            **own,
            "severity": word,
            "text": text(essentials.get("description")),
            "signal_type": text(essentials.get("signalType")),
            "monitoring_service": text(essentials.get("monitoringService")),
            **_place(target),
            "metric": text(criterion.get("metricName")),
        },
        value=number(criterion.get("metricValue")),
        limit=number(criterion.get("threshold")),
        bound=_BOUNDS.get(text(criterion.get("operator")) or ""),
        began_at=fired[0] if fired and resolved else None,
    )


def _grade(word: str | None) -> Severity | None:
    return severity(_GRADES.get((word or "").lower(), word))


def _resource(event: Mapping[str, Any], type_name: str, delivery: Delivery) -> Event:
    data = mapping(event.get("data"))
    operation, failed = (text(data.get("operationName")) or "").lower(), type_name.endswith("Failure")
    if _READS.search(operation):
        raise NoEvent(Ignored.NOT_RELEVANT, f"{operation:.80} changes nothing")
    kind: Kind | None = next((kind for end, kind in _OPERATIONS if operation.endswith(end)), None)
    kind = kind or ("change.deleted" if "Delete" in type_name else "change.configured")
    if failed or type_name.endswith("Cancel"):
        kind = "change.failed" if failed else "change.held"
    target = text(data.get("resourceUri")) or text(event.get("subject"))
    actor, said = _caller(data)
    return make(
        delivery,
        id=text(event.get("id")) or digest(event),
        kind=kind,
        time=moment(first(event, ("eventTime", "time")), "eventTime"),
        service=_name(target),
        subject=target,
        title=f"{data.get('operationName') or type_name}: {_name(target)}",
        actor=actor,
        labels={
            **said,
            "operation": text(data.get("operationName")),
            "status": text(data.get("status")),
            "correlation": text(data.get("correlationId")),
            **_place(target),
        },
    )


def _secret(event: Mapping[str, Any], vault: re.Match[str], delivery: Delivery) -> Event:
    data = mapping(event.get("data"))
    name, expires = text(data.get("ObjectName")), moment(data.get("EXP"), "data.EXP")
    new = vault["how"] == "NewVersionCreated"
    return make(
        delivery,
        id=text(event.get("id")) or digest(event),
        kind="change.rotated" if new else "alert.fired",
        time=moment(first(event, ("eventTime", "time")), "eventTime"),
        subject=f"{vault['what'].lower()}/{text(data.get('VaultName'))}/{name}",
        severity=None if new else "high" if vault["how"] == "Expired" else "warning",
        title=f"{vault['what']} {name}: {vault['how']}",
        labels={"vault": text(data.get("VaultName")), "version": text(data.get("Version"))},
        expires_at=expires[0] if expires else None,
    )


def _service(event: Mapping[str, Any], type_name: str, delivery: Delivery) -> Event:
    """What a service itself publishes: swaps of slots, flags of a configuration, images."""
    data = mapping(event.get("data"))
    subject, key = text(event.get("subject")), text(data.get("key")) or ""
    target = mapping(data.get("target"))
    kind = _SERVICES[type_name]
    flag = key.removeprefix(_FLAG) if key.startswith(_FLAG) else None
    if flag is not None:
        kind = "change.flag_set"
    name = first(data, ("name",)) or text(target.get("repository")) or _name(text(event.get("topic")))
    return make(
        delivery,
        id=text(event.get("id")) or digest(event),
        kind=kind,
        time=moment(first(event, ("eventTime", "time")), "eventTime"),
        service=name,
        environment=text(data.get("label")) if flag else None,
        subject=f"flag/{flag}" if flag else subject,
        title=f"{type_name.rpartition('.')[2]}: {flag or name}",
        labels={
            "flag": flag,
            "key": key or None,
            "version": text(target.get("tag")) or text(target.get("digest")),
            **_place(text(event.get("topic"))),
        },
    )


def _caller(data: Mapping[str, Any]) -> Named:
    """People have a name or an address among the claims, applications an id alone."""
    claims = mapping(data.get("claims"))
    address = next((text(value) for key, value in claims.items() if key.endswith(("/upn", "/emailaddress"))), None)
    name = next((text(value) for key, value in claims.items() if key.endswith("/name") or key == "name"), None)
    application = text(claims.get("appid"))
    if address or name:
        return who(address or name, name, address)
    return who(application, kind="automation") if application else (None, {})


def _place(target: str | None) -> dict[str, str | None]:
    parts = (target or "").split("/")
    lowered = [part.lower() for part in parts]

    def after(word: str) -> str | None:
        at = lowered.index(word) + 1 if word in lowered else len(parts)
        return parts[at] if at < len(parts) else None

    return {
        "resource_group": after("resourcegroups"),
        "subscription": after("subscriptions"),
        "resource_type": after("providers"),
    }


def _name(target: str | None) -> str | None:
    """The last name of a resource's path: types and names take turns behind the provider."""
    if target is None:
        return None
    tail = re.split(r"/providers/", target, flags=re.IGNORECASE)[-1].split("/")
    names = tail[2::2] if len(tail) > 2 else []
    return names[-1] if names else None


_SAMPLE = """{"schemaId": "azureMonitorCommonAlertSchema", "data": {"essentials": {"monitorCondition": "Fired",
 "alertId": "/subscriptions/1/providers/Microsoft.AlertsManagement/alerts/b9569717", "alertRule": "error rate",
 "severity": "Sev1", "firedDateTime": "2026-03-10T12:00:00.4994863Z", "alertTargetIDs":
 ["/subscriptions/1/resourcegroups/shop/providers/microsoft.web/sites/payments"]}, "alertContext": {"condition":
 {"allOf": [{"metricName": "Http5xx", "operator": "GreaterThan", "threshold": "10", "metricValue": 31}]}},
 "customProperties": {"environment": "production"}}}"""

_SETUP = """
*Monitor → Alerts → Action groups → Actions → Webhook*, URI `https://nearmiss.example/ingest/azure?token=the-secret`,
*Enable the common alert schema*. For what people do with resources: *Subscription → Events → Event Subscription*, event
types *Resource Write/Delete/Action Success, Failure*, endpoint type *Web Hook*, the same address; the validation is
answered.
"""

TOOL = Tool(
    name="azure",
    title="Azure",
    tells="alerts of Azure Monitor, and changes of resources by Event Grid",
    kinds=(
        "alert.fired",
        "alert.resolved",
        "change.configured",
        "change.deleted",
        "change.deployed",
        "change.failed",
        "change.failed_over",
        "change.flag_set",
        "change.held",
        "change.merged",
        "change.ran",
        "change.restarted",
        "change.restored",
        "change.rotated",
        "change.scaled",
        "change.started",
    ),
    sample=Sample(_SAMPLE, ("alert.fired",)),
    setup=_SETUP,
    limits=(
        "The service is the resource, unless the rule's custom properties name a `service`.",
        "Azure signs nothing here: the secret is in the address, or a proxy checks its certificate.",
    ),
    split=split,
    read=read,
    handshake=validation,
)
