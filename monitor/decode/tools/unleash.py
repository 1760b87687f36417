"""Unleash: the events of feature flags, by its webhook addon or as its event log has them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from monitor.core.model.events import Actor, Event
from monitor.core.model.reasons import Ignored
from monitor.decode.outcome import NoEvent
from monitor.decode.people import Named, who
from monitor.decode.reading import Delivery, digest, first, make, mapping, not_the_shape, sequence, text
from monitor.decode.tool import Sample, Tool
from monitor.decode.tool_times import tool_time

_FLAG = ("feature-", "segment-", "strategy-", "release-plan-", "change-request-applied", "kill-switch")
_SETTING = ("environment-", "project-", "context-field-")
_WORDS = frozenset(
    {"feature-tagged", "feature-untagged", "feature-import", "features-exported", "features-imported"}
    | {"feature-stale-on", "feature-stale-off", "feature-potentially-stale-on", "feature-metadata-updated"}
    | {"feature-completed", "feature-uncompleted", "feature-favorited", "feature-unfavorited"}
    | {"feature-link-added", "feature-link-updated", "feature-link-removed"}
)
"""What is said about a flag without a change of what anyone is served."""
_STATES = {"feature-environment-enabled": "on", "feature-environment-disabled": "off"}
_ROBOTS = frozenset({"system", "unleash_system_user", "admin-token", "init"})


def split(body: Any, delivery: Delivery) -> list[Any]:
    """One event, or those of an export of the event log. Raises Unreadable."""
    found = mapping(body)
    if isinstance(found.get("events"), list):
        return sequence(found["events"])
    if "type" not in found:
        raise not_the_shape("an event of Unleash with type and createdAt", body)
    return [found]


def read(piece: Any, delivery: Delivery) -> list[Event]:
    """The event of one entry. Raises Unreadable or NoEvent."""
    entry = mapping(piece)
    type_name = text(entry.get("type"))
    if type_name is None:
        raise not_the_shape("an event of Unleash with type and createdAt", piece)
    is_flag, is_setting = type_name.startswith(_FLAG), type_name.startswith(_SETTING)
    if type_name in _WORDS or not (is_flag or is_setting):
        reason = Ignored.NOT_RELEVANT if "-" in type_name else Ignored.UNKNOWN_TYPE
        raise NoEvent(reason, f"{type_name:.60} sets no flag")
    data = mapping(entry.get("data"))
    flag = first(entry, ("featureName", "feature")) or (text(data.get("name")) if is_setting else None)
    actor, said = _actor(entry)
    rollout, rollout_before = _rollout(data), _rollout(mapping(entry.get("preData")))
    environment = text(entry.get("environment"))
    tags = {
        f"tag.{text(one.get('type'))}": one.get("value") for one in map(mapping, sequence(entry.get("tags"))) if one
    }
    return [
        make(
            delivery,
            id=text(entry.get("id")) or digest(entry),
            kind="change.flag_set" if is_flag else "change.configured",
            time=tool_time(entry.get("createdAt"), "createdAt"),
            environment=environment,
            subject="/".join(filter(None, ("flag", text(entry.get("project")), flag))),
            title=first(entry, ("summary", "label")) or _title(type_name, flag, rollout, rollout_before),
            actor=actor,
            labels={
                **said,
                **tags,
                "flag": flag,
                "project": text(entry.get("project")),
                "verb": type_name,
                "state": _STATES.get(type_name),
                "rollout": rollout,
                "previous_rollout": rollout_before,
            },
            url=first(entry, ("featureLink", "url")),
        )
    ]


def _rollout(data: Mapping[str, Any]) -> str | None:
    return text(mapping(data.get("parameters")).get("rollout"))


def _title(type_name: str, flag: str | None, rollout: str | None, before: str | None) -> str:
    if (state := _STATES.get(type_name)) is not None:
        return f"flag {flag} turned {state}"
    if rollout is not None:
        return f"flag {flag} rolled out to {rollout} %" + (f", before {before} %" if before is not None else "")
    return f"{type_name}: {flag}"


def _actor(entry: Mapping[str, Any]) -> Named:
    name = first(entry, ("createdBy", "createdByUsername"))
    if name in _ROBOTS:
        return Actor(id=name, kind="automation"), {}
    return who(name, email=name if name and "@" in name else None)


_SAMPLE = """{"id": 28, "type": "feature-environment-disabled", "project": "shop", "environment": "production",
 "featureName": "new-checkout", "createdAt": "2026-03-10T12:00:00.000Z", "createdBy": "dev-one"}"""

_SETUP = """
*Configure → Integrations → Webhook*, URL `https://nearmiss.example/ingest/unleash`, authorization `Bearer the-secret`,
all events of features, segments and environments. Leave the body template empty: the event itself is sent then.
"""

TOOL = Tool(
    name="unleash",
    title="Unleash",
    tells="which flag was set, where and by whom",
    kinds=("change.flag_set", "change.configured"),
    sample=Sample(_SAMPLE, ("change.flag_set",)),
    setup=_SETUP,
    limits=("An event names a project and a flag, never a service: say in the catalogue whose flag it is.",),
    split=split,
    read=read,
)
