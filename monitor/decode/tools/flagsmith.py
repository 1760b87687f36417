"""Flagsmith: changes of flags by environment webhooks (`FLAG_UPDATED`, `FLAG_DELETED`), and its audit log."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from monitor.core.model.events import Event
from monitor.core.model.reasons import Ignored
from monitor.decode.outcome import NoEvent
from monitor.decode.people import Named, who
from monitor.decode.reading import LONGEST_LINE, Delivery, digest, first, make, mapping, not_the_shape, sequence, text
from monitor.decode.signatures import FLAGSMITH
from monitor.decode.tool import Sample, Tool
from monitor.decode.tool_times import tool_time

_FLAGS = frozenset({"FEATURE", "FEATURE_STATE", "SEGMENT", "CHANGE_REQUEST", "EDGE_IDENTITY", "FEATURE_HEALTH"})
_EVENTS = frozenset({"FLAG_UPDATED", "FLAG_DELETED"})


def split(body: Any, delivery: Delivery) -> list[Any]:
    """One body is one change. Raises Unreadable."""
    found = mapping(body)
    if "event_type" not in found and "log" not in found:
        raise not_the_shape("a body of Flagsmith with event_type and data, or an entry of its audit log", body)
    return [found]


def read(piece: Any, delivery: Delivery) -> list[Event]:
    """The event of one change. Raises Unreadable or NoEvent."""
    body = mapping(piece)
    event_type, data = text(body.get("event_type")), mapping(body.get("data"))
    if event_type in _EVENTS:
        return [_flag(event_type or "", data, delivery)]
    if event_type == "NEW_VERSION_PUBLISHED":
        return [_version(data, delivery)]
    entry = data if event_type == "AUDIT_LOG_CREATED" else body
    if event_type not in (None, "AUDIT_LOG_CREATED") or "log" not in entry:
        raise NoEvent(Ignored.UNKNOWN_TYPE, f"event_type {event_type!r:.40} is none that we know")
    return [_entry(entry, delivery)]


def _flag(event_type: str, data: Mapping[str, Any], delivery: Delivery) -> Event:
    new = mapping(data.get("new_state")) or mapping(data.get("previous_state"))
    old = mapping(data.get("previous_state"))
    feature, environment = mapping(new.get("feature")), mapping(new.get("environment"))
    name, at = text(feature.get("name")), text(data.get("timestamp"))
    state = None if event_type == "FLAG_DELETED" else "on" if new.get("enabled") is True else "off"
    before = "on" if old.get("enabled") is True else "off" if "enabled" in old else None
    changed = text(data.get("changed_by"))
    actor, said = who(changed, email=changed if changed and "@" in changed else None)
    return make(
        delivery,
        id=digest(event_type, data),
        kind="change.flag_set",
        time=tool_time(at, "data.timestamp"),
        environment=text(environment.get("name")),
        subject="/".join(filter(None, ("flag", text(mapping(feature.get("project")).get("name")), name))),
        title=_title(name, state, before, new, old),
        actor=actor,
        labels={
            **said,
            "flag": name,
            "state": state,
            "value": text(new.get("feature_state_value")),
            "previous_value": text(old.get("feature_state_value")),
            "previous_state": before,
        },
    )


def _title(
    name: str | None, state: str | None, before: str | None, new: Mapping[str, Any], old: Mapping[str, Any]
) -> str:
    """What became of a flag; one that was on, and is, got another value."""
    now, was = text(new.get("feature_state_value")), text(old.get("feature_state_value"))
    if state is not None and state == before and now != was:
        return f"flag {name} set from {was or 'nothing'} to {now or 'nothing'}"[:LONGEST_LINE]
    return f"flag {name} " + ("deleted" if state is None else f"turned {state}")


def _version(data: Mapping[str, Any], delivery: Delivery) -> Event:
    """A version of a flag in an environment that works with versions: all its states at once."""
    feature = mapping(data.get("feature"))
    name, states = text(feature.get("name")), [mapping(one) for one in sequence(data.get("feature_states"))]
    plain = next((one for one in states if one.get("feature_segment") is None), {})
    state = "on" if plain.get("enabled") is True else "off" if "enabled" in plain else None
    actor, said = _author(mapping(data.get("published_by")))
    return make(
        delivery,
        id=text(data.get("uuid")) or digest(data),
        kind="change.flag_set",
        time=tool_time(first(data, ("live_from", "published_at", "timestamp")), "data.live_from"),
        environment=first(mapping(data.get("environment")), ("name",)),
        subject="/".join(filter(None, ("flag", text(mapping(feature.get("project")).get("name")), name))),
        title=f"flag {name}: a new version" + (f", turned {state}" if state else ""),
        actor=actor,
        labels={**said, "flag": name, "state": state, "value": text(plain.get("feature_state_value"))},
    )


def _entry(entry: Mapping[str, Any], delivery: Delivery) -> Event:
    about = text(entry.get("related_object_type")) or ""
    if about and about not in _FLAGS and about not in ("ENVIRONMENT", "PROJECT"):
        raise NoEvent(Ignored.NOT_RELEVANT, f"an entry about {about!r:.40} sets no flag")
    actor, said = _author(mapping(entry.get("author")))
    log = text(entry.get("log"))
    name = log.rpartition(": ")[2] if log and ": " in log else None
    return make(
        delivery,
        id=text(entry.get("id")) or digest(entry),
        kind="change.flag_set" if about in _FLAGS or not about else "change.configured",
        time=tool_time(entry.get("created_date"), "created_date"),
        environment=first(mapping(entry.get("environment")), ("name",)),
        subject="/".join(filter(None, ("flag", text(mapping(entry.get("project")).get("name")), name))),
        title=log,
        actor=actor,
        labels={**said, "flag": name, "project": text(mapping(entry.get("project")).get("name")), "about": about},
    )


def _author(author: Mapping[str, Any]) -> Named:
    name = " ".join(filter(None, (text(author.get("first_name")), text(author.get("last_name")))))
    return who(first(author, ("email", "id")), name, author.get("email"))


_SAMPLE = """{"event_type": "FLAG_UPDATED", "data": {"changed_by": "dev-one@shop.example",
 "timestamp": "2026-03-10T12:00:00.000000Z", "new_state": {"enabled": false, "feature_state_value": null,
 "environment": {"id": 23, "name": "Production"}, "feature": {"id": 6913, "name": "new_checkout",
 "project": {"id": 1001, "name": "shop"}}}, "previous_state": {"enabled": true, "feature_state_value": null}}}"""

_SETUP = """
*Environment settings → Webhooks → Create webhook* for each environment that counts, URL
`https://nearmiss.example/ingest/flagsmith`, with a secret (`NEARMISS_SECRETS__FLAGSMITH`). The organisation's audit log
webhook works too; use one of the two.
"""

TOOL = Tool(
    name="flagsmith",
    title="Flagsmith",
    tells="which flag was set, where and by whom",
    kinds=("change.flag_set", "change.configured"),
    sample=Sample(_SAMPLE, ("change.flag_set",)),
    setup=_SETUP,
    limits=("An event names a project and a flag, never a service: say in the catalogue whose flag it is.",),
    scheme=FLAGSMITH,
    split=split,
    read=read,
)
