"""LaunchDarkly's audit log, as its webhooks send it: who set which flag, in which environment."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from monitor.core.model.events import Actor, Event, Kind
from monitor.core.model.reasons import Ignored, Rejected
from monitor.decode.outcome import NoEvent, Unreadable
from monitor.decode.people import Named, who
from monitor.decode.reading import Delivery, digest, first, make, mapping, not_the_shape, sequence, text
from monitor.decode.signatures import LAUNCHDARKLY
from monitor.decode.tool import Sample, Tool
from monitor.decode.tool_times import tool_time

_FLAGS = frozenset({"flag", "segment"})
_SETTINGS = frozenset({"environment", "project", "metric", "experiment", "layer", "release-pipeline", "holdout"})
_QUIET = frozenset({"member", "account", "token", "service-token", "role", "webhook", "integration", "team", "session"})
_TURNED = re.compile(r"turned (on|off)\b", re.IGNORECASE)
_TALK = frozenset(
    {None, "createApprovalRequest", "reviewApprovalRequest", "updateApprovalRequest", "deleteApprovalRequest"}
    | {"createFlagLink", "updateFlagLink", "deleteFlagLink", "updateMaintainer", "updateDescription", "updateName"}
    | {"updateTags", "updateIncludeInSnippet", "updateClientSideFlagAvailability"}
)
"""What is done to a flag without a change of what anyone is served."""
_STATES = {"updateOn": "on", "updateOff": "off"}


def split(body: Any, delivery: Delivery) -> list[Any]:
    """One body is one entry of the audit log. Raises Unreadable."""
    found = mapping(body)
    if "_id" not in found and not ("kind" in found and "date" in found):
        raise not_the_shape("an entry of LaunchDarkly's audit log with _id, kind and date", body)
    return [found]


def read(piece: Any, delivery: Delivery) -> list[Event]:
    """The event of one entry. Raises Unreadable or NoEvent."""
    entry = mapping(piece)
    about = text(entry.get("kind")) or ""
    identity = text(entry.get("_id")) or (digest(entry) if entry.get("accesses") else None)
    if identity is None:
        raise Unreadable(Rejected.MISSING_FIELD, "_id is missing; every entry of the audit log has one")
    kind: Kind = "change.flag_set" if about in _FLAGS else "change.configured"
    if about not in _FLAGS | _SETTINGS:
        reason = Ignored.NOT_RELEVANT if about in _QUIET else Ignored.UNKNOWN_TYPE
        raise NoEvent(reason, f"an entry about {about or 'nothing'!r:.40} changes nothing that runs")
    acts = {text(mapping(one).get("action")) for one in sequence(entry.get("accesses"))}
    if acts and acts <= _TALK:
        raise NoEvent(
            Ignored.NOT_RELEVANT, f"{min(filter(None, acts), default=''):.60}: a flag is talked about, not set"
        )
    project = mapping(entry.get("project"))
    environments = [project.get("environment"), *sequence(project.get("environments"))]
    environment = next((found for one in environments if (found := first(mapping(one), ("key", "name")))), None)
    stamp = mapping(entry.get("timestamp"))
    actor, said = _actor(entry)
    key, verb = text(entry.get("key")) or _key(entry), text(entry.get("verbKind"))
    environment = environment or _part_of(entry, "env")
    state = _state(entry, verb, environment)
    return [
        make(
            delivery,
            id=identity,
            kind=kind,
            time=tool_time(stamp.get("rfc3339"), "timestamp") or tool_time(entry.get("date"), "date"),
            environment=environment,
            subject="/".join(filter(None, (about, first(project, ("key", "name")), key or text(entry.get("name"))))),
            title=_told(entry),
            actor=actor,
            labels={
                **said,
                "flag": key if about == "flag" else None,
                "segment": key if about == "segment" else None,
                "project": first(project, ("key", "name")) or _part_of(entry, "proj"),
                "name": text(entry.get("name")),
                "verb": verb,
                "state": state,
                "comment": text(entry.get("comment")),
                "details": text(mapping(entry.get("details")).get("plainText")) or text(entry.get("description")),
            },
            url=text(mapping(mapping(entry.get("_links")).get("site")).get("href")),
        )
    ]


def _key(entry: Mapping[str, Any]) -> str | None:
    """From the resource `proj/default:env/production:flag/demo`, or the address of the flag."""
    for resource in _resources(entry):
        return resource.rpartition("/")[2].partition(";")[0] or None
    link = text(mapping(mapping(entry.get("_links")).get("canonical")).get("href")) or ""
    return link.rpartition("/")[2] or None


def _resources(entry: Mapping[str, Any]) -> list[str]:
    """`proj/shop:env/production:flag/demo`: what an entry names as its target, else what was asked to be allowed."""
    named = sequence(mapping(entry.get("target")).get("resources"))
    asked = (mapping(one).get("resource") for one in sequence(entry.get("accesses")))
    return [found for one in (*named, *asked) if (found := text(one)) is not None]


def _told(entry: Mapping[str, Any]) -> str | None:
    """What was done to what. LaunchDarkly's own title begins with the name of the person, which no headline needs."""
    verb, name = text(entry.get("titleVerb")), first(entry, ("name", "key"))
    if verb and name:
        return f"{verb} {name}"
    return text(mapping(entry.get("title")).get("plainText")) or first(entry, ("shortDescription", "titleVerb"))


def _part_of(entry: Mapping[str, Any], kind: str) -> str | None:
    """The project (`proj`) or environment (`env`) of the resource that an entry is about."""
    for resource in _resources(entry):
        for part in resource.split(":"):
            if part.startswith(f"{kind}/"):
                name = part.removeprefix(f"{kind}/").partition(";")[0]
                return None if name == "*" else name
    return None


def _state(entry: Mapping[str, Any], verb: str | None, environment: str | None) -> str | None:
    """What the flag is now: as the words say, else the version that came along, else the verb.

    The permission `updateOn` among the accesses says nothing: it is asked for either way.
    """
    if told := _TURNED.match(first(entry, ("titleVerb", "verb")) or ""):
        return told[1].lower()
    version = mapping(entry.get("currentVersion"))
    here = mapping(mapping(version.get("environments")).get(environment or ""))
    on = here.get("on", version.get("on"))
    return _STATES.get(verb or "") if not isinstance(on, bool) else "on" if on else "off"


def _actor(entry: Mapping[str, Any]) -> Named:
    """A member, a token that acts for one, or an application."""
    member = mapping(entry.get("member"))
    token, app = mapping(entry.get("token")), mapping(entry.get("app"))
    if token or app:
        name = first(token, ("name", "_id")) or first(app, ("name", "_id"))
        return Actor(id=name, kind="automation"), {"acts_for": text(member.get("email"))}
    name = text(member.get("displayName")) or " ".join(
        filter(None, (text(member.get("firstName")), text(member.get("lastName"))))
    )
    return who(first(member, ("email", "_id")), name, member.get("email"))


_SAMPLE = """{"_id": "5e38bf6706121d8aaf15392a", "date": 1773144000000, "kind": "flag", "name": "New checkout",
 "key": "new-checkout", "verbKind": "updateOff", "title": {"plainText": "Dev One turned off the flag New checkout"},
 "project": {"key": "shop", "environment": {"key": "production", "name": "Production"}},
 "member": {"_id": "569f5141", "email": "dev-one@shop.example", "displayName": "Dev One"}}"""

_SETUP = """
*Integrations → Webhooks → Add integration*, URL `https://nearmiss.example/ingest/launchdarkly`, *Sign this webhook* on
(its secret: `NEARMISS_SECRETS__LAUNCHDARKLY`), and this policy: `[{"effect": "allow", "actions": ["*"], "resources":
["proj/*:env/*:flag/*", "proj/*:env/*:segment/*", "proj/*:env/*"]}]`.
"""

TOOL = Tool(
    name="launchdarkly",
    title="LaunchDarkly",
    tells="which flag or segment was set, where and by whom",
    kinds=("change.flag_set", "change.configured"),
    sample=Sample(_SAMPLE, ("change.flag_set",)),
    setup=_SETUP,
    limits=("An entry names a project and a flag, never a service: say in the catalogue whose flag it is.",),
    scheme=LAUNCHDARKLY,
    split=split,
    read=read,
)
