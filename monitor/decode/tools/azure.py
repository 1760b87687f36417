"""Azure: Monitor's alerts (common schema, its essentials alone, older schemas), and Event Grid's resource events.

Event Grid asks before it sends anything; the answer is its own code.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import msgspec

from monitor.core.model.events import Event, Kind
from monitor.core.model.reasons import Ignored, Rejected
from monitor.decode.outcome import NoEvent, Unreadable
from monitor.decode.people import Named, who
from monitor.decode.reading import (
    Delivery,
    digest,
    first,
    make,
    mapping,
    not_the_shape,
    number,
    one_line,
    sequence,
    text,
)
from monitor.decode.tool import Sample, Tool
from monitor.decode.tool_times import tool_time
from monitor.decode.tools import _azure_older
from monitor.decode.tools._azure_parts import BOUNDS, grade, kind_of, name_of, place_of

_CONDITIONS: dict[str, Kind] = {
    "fired": "alert.fired",
    "activated": "alert.fired",
    "resolved": "alert.resolved",
    "deactivated": "alert.resolved",
}
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
_SERVICE_DIMENSIONS = ("cloud_RoleName", "cloud/roleName", "AppRoleName", "service", "service_name", "serviceName")
"""By what a rule may split that names a service: Application Insights calls it a role."""
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
    if _azure_older.fits(found):
        return [found]
    raise not_the_shape("an alert of the common schema with essentials, or an event of Event Grid", body)


def read(piece: Any, delivery: Delivery) -> list[Event]:
    """The event of one piece. Raises Unreadable or NoEvent."""
    found = mapping(piece)
    if (essentials := _essentials(found)) is not None:
        context = mapping(mapping(found.get("data")).get("alertContext") or found.get("alertContext"))
        if _azure_older.is_record(text(essentials.get("monitoringService")), context):
            return [_azure_older.record(context, essentials, delivery)]
        return [_alert(essentials, found, delivery)]
    if _azure_older.fits(found):
        return [_azure_older.read(found, delivery)]
    type_name = first(found, ("eventType", "type"))
    if type_name is None:
        if "schemaId" in found:
            raise NoEvent(Ignored.UNKNOWN_TYPE, "an alert of a schema that we do not know; switch the common schema on")
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
    fired = tool_time(essentials.get("firedDateTime"), "firedDateTime")
    ended = tool_time(essentials.get("resolvedDateTime"), "resolvedDateTime")
    target = next((str(one) for one in sequence(essentials.get("alertTargetIDs"))), None)
    context = mapping(mapping(body.get("data")).get("alertContext") or body.get("alertContext"))
    criterion = next((mapping(one) for one in sequence(mapping(context.get("condition")).get("allOf"))), {})
    own = mapping(mapping(body.get("data")).get("customProperties"))
    split_by = [mapping(one) for one in sequence(criterion.get("dimensions"))]
    dimensions = {str(one.get("name")): one.get("value") for one in split_by}
    word = text(essentials.get("severity"))
    return make(
        delivery,
        id=f"{short}/{condition}",
        kind=kind,
        time=ended if resolved else fired,
        service=first(own, ("service", "Service")) or first(dimensions, _SERVICE_DIMENSIONS) or name_of(target),
        environment=first(own, ("environment", "env", "Environment")),
        subject=short,
        severity=grade(word),
        title=_title(text(essentials.get("alertRule")), text(essentials.get("description"))),
        labels={
            **{f"dimension.{name}": value for name, value in dimensions.items() if text(value)},
            **own,
            "severity": word,
            "text": text(essentials.get("description")),
            "signal_type": text(essentials.get("signalType")),
            "monitoring_service": text(essentials.get("monitoringService")),
            **place_of(target),
            "metric": text(criterion.get("metricName")),
        },
        value=number(criterion.get("metricValue")),
        limit=number(criterion.get("threshold")),
        unit="percent" if "percent" in (text(criterion.get("metricName")) or "").lower() else None,
        bound=BOUNDS.get(text(criterion.get("operator")) or ""),
        began_at=fired[0] if fired and resolved else None,
        url=text(essentials.get("investigationLink")),
    )


def _title(rule: str | None, description: str | None) -> str | None:
    """Rules have names such as `redis-memory-97`; their authors say beside it what that means."""
    return one_line(": ".join(filter(None, (rule, description))))


def _resource(event: Mapping[str, Any], type_name: str, delivery: Delivery) -> Event:
    data = mapping(event.get("data"))
    failed = type_name.endswith("Failure")
    kind: Kind | None = kind_of(text(data.get("operationName")) or "")
    kind = kind or ("change.deleted" if "Delete" in type_name else "change.configured")
    if failed or type_name.endswith("Cancel"):
        kind = "change.failed" if failed else "change.held"
    target = text(data.get("resourceUri")) or text(event.get("subject"))
    actor, said = _caller(data)
    return make(
        delivery,
        id=text(event.get("id")) or digest(event),
        kind=kind,
        time=tool_time(first(event, ("eventTime", "time")), "eventTime"),
        service=name_of(target),
        subject=target,
        title=f"{data.get('operationName') or type_name}: {name_of(target)}",
        actor=actor,
        labels={
            **said,
            "operation": text(data.get("operationName")),
            "status": text(data.get("status")),
            "correlation": text(data.get("correlationId")),
            **place_of(target),
        },
    )


def _secret(event: Mapping[str, Any], vault: re.Match[str], delivery: Delivery) -> Event:
    data = mapping(event.get("data"))
    name, expires = text(data.get("ObjectName")), tool_time(data.get("EXP"), "data.EXP")
    new = vault["how"] == "NewVersionCreated"
    return make(
        delivery,
        id=text(event.get("id")) or digest(event),
        kind="change.rotated" if new else "alert.fired",
        time=tool_time(first(event, ("eventTime", "time")), "eventTime"),
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
    name = first(data, ("name",)) or text(target.get("repository")) or name_of(text(event.get("topic")))
    actor, said = who(mapping(data.get("actor")).get("name"), kind="unknown")
    return make(
        delivery,
        id=text(event.get("id")) or digest(event),
        kind=kind,
        time=tool_time(first(event, ("eventTime", "time")), "eventTime"),
        service=name,
        environment=text(data.get("label")) if flag else None,
        subject=f"flag/{flag}" if flag else subject,
        title=f"{type_name.rpartition('.')[2]}: {flag or name}",
        actor=actor,
        labels={
            **said,
            "flag": flag,
            "key": key or None,
            "version": text(target.get("tag")) or text(target.get("digest")),
            **place_of(text(event.get("topic"))),
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
        "maintenance.started",
        "maintenance.ended",
        "change.configured",
        "change.blocked",
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
