"""Opsgenie, and the Operations of Jira Service Management: what people and machines did with an alert.

The actions are an open list, since teams name actions of their own. Times are in milliseconds and nanoseconds.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from monitor.core.model.events import Actor, Event, Kind
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
    sequence,
    severity,
    tags_of,
    text,
)
from monitor.decode.tool import Sample, Tool
from monitor.decode.tool_times import tool_time

_KINDS: dict[str, Kind] = {
    "create": "alert.fired",
    "acknowledge": "alert.acknowledged",
    "takeownership": "alert.acknowledged",
    "assignownership": "alert.escalated",
    "unacknowledge": "alert.unacknowledged",
    "snooze": "alert.silenced",
    "snoozeended": "alert.unacknowledged",
    "escalate": "alert.escalated",
    "escalatenext": "alert.escalated",
    "addrecipient": "responder.paged",
    "addresponder": "responder.paged",
    "addteam": "responder.paged",
    "addnote": "note.added",
    "close": "alert.resolved",
    "delete": "alert.cancelled",
}
_PAST = {
    "created": "create",
    "acknowledged": "acknowledge",
    "unacknowledged": "unacknowledge",
    "snoozed": "snooze",
    "escalated": "escalate",
    "closed": "close",
    "deleted": "delete",
}
"""How the Operations of Jira Service Management call the same in their automations."""
_QUIET = frozenset(
    {"addtags", "removetags", "adddetails", "removedetails", "updatepriority", "updatedescription", "updatemessage"}
    | {"removerecipient", "removeresponder", "removeteam", "updated"}
    | {"attachmentadded", "addattachment", "seen", "changecustomattributes", "incrementcount", "resend"}
)
KINDS: tuple[Kind, ...] = tuple(sorted(set(_KINDS.values())))
_SERVICE = ("service", "Service", "service_name")
_HOST = ("host", "hostname", "Host", "instance")


def split(body: Any, delivery: Delivery) -> list[Any]:
    """One body is one action. Raises Unreadable."""
    if not isinstance(mapping(body).get("alert"), dict):
        raise not_the_shape("a body of Opsgenie with action and alert", body)
    return [body]


def read(piece: Any, delivery: Delivery) -> list[Event]:
    """The event of one action. Raises Unreadable or NoEvent."""
    body = mapping(piece)
    alert, source = mapping(body.get("alert")), mapping(body.get("source"))
    action = text(body.get("action")) or ""
    plain = action.lower().replace(" ", "").replace("_", "")
    plain = _PAST.get(plain, plain)
    if plain in _QUIET:
        raise NoEvent(Ignored.NOT_RELEVANT, f"{action:.40} changes neither the state of an alert nor who is called")
    identity = first(alert, ("alertId", "id"))
    if identity is None or not action:
        raise Unreadable(Rejected.MISSING_FIELD, "alert.alertId or action is missing; every body has both")
    kind = _KINDS.get(plain, "note.added")
    created, updated = tool_time(alert.get("createdAt"), "createdAt"), tool_time(alert.get("updatedAt"), "updatedAt")
    details = {**tags_of(alert.get("tags")), **mapping(alert.get("details"))}
    word = _priority(alert)
    actor, said = _actor(alert, source, kind)
    stamp = text(alert.get("updatedAt")) or digest(body)
    return [
        make(
            delivery,
            id=f"{identity}/{action}/{stamp}",
            kind=kind,
            time=created or updated if kind == "alert.fired" else updated,
            service=first(details, _SERVICE),
            environment=first(details, ("environment", "env", "Environment")),
            subject=identity,
            severity=severity(word),
            title=(text(alert.get("note")) if kind == "note.added" else None) or text(alert.get("message")),
            actor=actor,
            labels={
                **details,
                **said,
                "severity": word,
                "action": action,
                "alias": text(alert.get("alias")),
                "entity": text(alert.get("entity")),
                "host": first(details, _HOST) or _host(alert.get("entity")),
                "note": text(alert.get("note")),
                "integration": text(body.get("integrationName")),
                "tags": ",".join(filter(None, map(text, sequence(alert.get("tags"))))),
                "teams": ",".join(_names(alert.get("teams"))),
                "recipient": text(mapping(body.get("recipient")).get("name")) or text(body.get("escalationName")),
                "text": text(alert.get("description")),
            },
        )
    ]


def _priority(alert: Mapping[str, Any]) -> str | None:
    """`P3`, or the bare number that older bodies carry."""
    found = text(alert.get("priority"))
    return f"P{found}" if found is not None and found.isdecimal() else found


def _host(entity: Any) -> str | None:
    """What the alert is about, where it is one word as a host is; some teams write a sentence there."""
    said = text(entity)
    return said if said is not None and " " not in said else None


def _names(teams: Any) -> list[str]:
    found = (text(one) or text(mapping(one).get("name")) for one in sequence(teams))
    return [name for name in found if name is not None]


def _actor(alert: Mapping[str, Any], source: Mapping[str, Any], kind: Kind) -> Named:
    """On the web and the phone a person acts; by the API it may be either; a policy and an integration are machines."""
    by = (text(source.get("type")) or "").lower()
    name = text(alert.get("username"))
    if name is not None and name.lower() in ("system", "alert api", "integration"):
        return Actor(id=name, kind="automation"), {}
    if by in ("system", "policy", "integration", "heartbeat", "email") and kind != "note.added":
        return Actor(id=text(source.get("name")) or name, kind="automation"), {}
    if by == "api" and name is not None and name.lower() in (text(source.get("name")) or "").lower():
        return Actor(id=name, kind="automation"), {}  # an integration goes by the name of its tool
    return who(name, email=name if name and "@" in name else None, kind="unknown" if by == "api" else "human")


_SAMPLE = """{"action": "Acknowledge", "alert": {"alertId": "052652ac-5d1c", "message": "payments: error rate",
 "username": "dev-one@shop.example", "createdAt": 1773144000000, "updatedAt": 1773144180000000110, "priority": "P2",
 "tags": ["payments"], "details": {"service": "payments"}}, "source": {"name": "", "type": "web"},
 "integrationName": "nearmiss"}"""

_SETUP = """
*Settings → Integrations → Webhook*, URL `https://nearmiss.example/ingest/opsgenie`, the header
`X-Nearmiss-Token: the-secret`, *Add alert details to payload* and *Add alert description to payload* on, all actions.
"""

TOOL = Tool(
    name="opsgenie",
    title="Opsgenie",
    tells="alerts, and what people did with them",
    kinds=KINDS,
    sample=Sample(_SAMPLE, ("alert.acknowledged",)),
    setup=_SETUP,
    limits=(
        "A closed alert counts as resolved.",
        "An action of your own becomes a note.",
        "The service comes from the details, or a tag, that is called `service`.",
    ),
    split=split,
    read=read,
)
