"""Jira and Jira Service Management: incidents, changes, requests of customers, comments, alerts of its Operations.

The type of an issue says what it means: an incident, a change, a request for help by a customer, or anything else.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

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
    one_line,
    sequence,
    severity,
    text,
)
from monitor.decode.signatures import JIRA
from monitor.decode.tool import Sample, Tool
from monitor.decode.tool_times import tool_time
from monitor.decode.tools import opsgenie

_EVENTS = {
    "jira:issue_created": "created",
    "jira:issue_updated": "updated",
    "jira:issue_deleted": "deleted",
    "comment_created": "commented",
    "comment_updated": "comment edited",
    "comment_deleted": "comment deleted",
}
_OF_ISSUE = re.compile(r"/issue/([A-Za-z0-9_-]{1,60})/comment/")
_INCIDENT = re.compile(r"incident|outage|major problem", re.IGNORECASE)
_CHANGE = re.compile(r"\bchange\b", re.IGNORECASE)
_HELP = re.compile(r"\bhelp\b|\bsupport\b|customer|report a (?:problem|bug)|\bemailed request", re.IGNORECASE)
_MOST_PARTS = 200
"""Pieces of one written document that are read."""
_DONE = re.compile(r"done|closed|resolved|completed?|cancell?ed|declined|failed", re.IGNORECASE)
_CHANGE_STATES: tuple[tuple[re.Pattern[str], Kind], ...] = (
    (re.compile(r"implement|in progress", re.IGNORECASE), "change.started"),
    (re.compile(r"complete|done|closed|successful", re.IGNORECASE), "change.ran"),
    (re.compile(r"declin|reject", re.IGNORECASE), "change.blocked"),
    (re.compile(r"cancel|hold", re.IGNORECASE), "change.held"),
    (re.compile(r"fail", re.IGNORECASE), "change.failed"),
)


def split(body: Any, delivery: Delivery) -> list[Any]:
    """One body is one event. Raises Unreadable."""
    found = mapping(body)
    if not any(name in found for name in ("webhookEvent", "issue", "alert", "comment", "issue_event_type_name")):
        raise not_the_shape("a body of a Jira webhook with webhookEvent and issue, or an alert", body)
    return [found]


def read(piece: Any, delivery: Delivery) -> list[Event]:
    """The event of one body. Raises Unreadable or NoEvent."""
    body = mapping(piece)
    if isinstance(body.get("alert"), dict):
        return opsgenie.read(body, delivery)
    event = text(body.get("webhookEvent"))
    what = _EVENTS.get(event or "", text(body.get("action")) if event is None else None)
    issue = mapping(body.get("issue"))
    if what is None and event is None and isinstance(body.get("transition"), dict):
        what = "updated"  # a step of a workflow that calls by itself
    if what == "updated" and _is_new_comment(body):
        what = "commented"  # a server and a data centre have no event of its own for it
    if what is None:
        reason = Ignored.UNKNOWN_TYPE if event is not None or not issue else Ignored.NOT_RELEVANT
        raise NoEvent(reason, f"{event or 'an automation'!s:.60} says nothing about a hazard or an action")
    if not issue and what.startswith("comment"):
        found = _OF_ISSUE.search(text(mapping(body.get("comment")).get("self")) or "")
        issue = {"id": found[1]} if found else {}
    if not issue:
        raise not_the_shape("an issue with key and fields", body)
    return [_issue(body, issue, what, delivery)]


def _issue(body: Mapping[str, Any], issue: Mapping[str, Any], what: str, delivery: Delivery) -> Event:
    fields = mapping(issue.get("fields"))
    key = first(issue, ("key", "id"))
    if key is None:
        raise Unreadable(Rejected.MISSING_FIELD, "issue.key is missing; every issue has one")
    type_name = text(mapping(fields.get("issuetype")).get("name")) or ""
    changed = _status_change(body)
    comment = mapping(body.get("comment"))
    kind = _kind(what, type_name, fields, changed)
    at = tool_time(body.get("timestamp"), "timestamp") or tool_time(
        first(comment, ("created",)) or first(fields, ("created",) if what == "created" else ("updated",)),
        "issue.fields",
    )
    person = mapping(comment.get("author")) or mapping(body.get("user")) or mapping(fields.get("reporter"))
    actor, said = _person(person)
    word = text(mapping(fields.get("priority")).get("name"))
    change = text(mapping(body.get("changelog")).get("id")) or text(comment.get("id"))
    delivered = delivery.headers.get("x-atlassian-webhook-identifier")
    components = [name for one in sequence(fields.get("components")) if (name := text(mapping(one).get("name")))]
    is_impact = kind.startswith("impact.")
    about, said_now = text(fields.get("summary")), _plain(comment.get("body"))
    return make(
        delivery,
        id="/".join(filter(None, (key, what, change or delivered or (None if what == "created" else digest(body))))),
        kind=kind,
        time=at,
        service=components[0] if components else None,
        environment=text(fields.get("environment")),
        subject=key,
        severity=severity(word) if kind != "note.added" else None,
        title=(one_line(said_now) if what == "commented" else None) or about or one_line(said_now) or key,
        actor=actor,
        labels={
            **said,
            "severity": word,
            "issue_type": type_name,
            "project": text(mapping(fields.get("project")).get("key")),
            "status": text(mapping(fields.get("status")).get("name")),
            "previous_status": changed[0] if changed else None,
            "labels": ",".join(filter(None, map(text, sequence(fields.get("labels"))))),
            "text": said_now,
            "about": about if what == "commented" else None,
            "description": _plain(fields.get("description")) if what == "created" else None,
            "evidence": "customer_ticket" if is_impact or (_HELP.search(type_name) and what == "created") else None,
            "impact": "unknown" if kind.startswith("incident.") else None,
        },
        url=text(issue.get("self")),
    )


def _plain(written: Any) -> str | None:
    """A person's text: plain, or the nested document that the third version of Jira's API sends."""
    if not isinstance(written, dict):
        return text(written)
    said: list[str] = []
    parts = [written]
    while parts and len(said) < _MOST_PARTS:
        part = mapping(parts.pop())
        if (found := text(part.get("text"))) is not None:
            said.append(found)
        parts += reversed(sequence(part.get("content"))[:_MOST_PARTS])
    return " ".join(said) or None


def _kind(what: str, type_name: str, fields: Mapping[str, Any], changed: tuple[str, str] | None) -> Kind:
    if what in ("deleted", "comment edited", "comment deleted"):
        raise NoEvent(Ignored.NOT_RELEVANT, f"an issue was changed ({what}): nobody saw anything new")
    if what == "commented":
        return "note.added"
    is_done = changed is not None and _DONE.search(changed[1]) is not None
    if what == "updated" and changed is None:
        raise NoEvent(Ignored.NOT_RELEVANT, "an issue was edited, and its status is as it was")
    if what not in ("created", "updated"):
        raise NoEvent(Ignored.UNKNOWN_TYPE, f"action {what!r:.40} is none that we know")
    if _INCIDENT.search(type_name):
        return "incident.opened" if what == "created" else "incident.closed" if is_done else "incident.updated"
    if _CHANGE.search(type_name) and changed is not None:
        return next((kind for word, kind in _CHANGE_STATES if word.search(changed[1])), "note.added")
    if _HELP.search(type_name) and severity(text(mapping(fields.get("priority")).get("name"))) == "critical":
        return "impact.started" if what == "created" else "impact.ended" if is_done else "note.added"
    return "note.added"


def _is_new_comment(body: Mapping[str, Any]) -> bool:
    name = text(body.get("issue_event_type_name"))
    if name is not None:
        return name == "issue_commented"
    return bool(mapping(body.get("comment"))) and not mapping(body.get("changelog"))


def _status_change(body: Mapping[str, Any]) -> tuple[str, str] | None:
    step = mapping(body.get("transition"))
    if (to := text(step.get("to_status"))) is not None:
        return text(step.get("from_status")) or "", to
    for item in map(mapping, sequence(mapping(body.get("changelog")).get("items"))):
        if item.get("field") == "status":
            return text(item.get("fromString")) or "", text(item.get("toString")) or ""
    return None


def _person(person: Mapping[str, Any]) -> Named:
    kind_of = text(person.get("accountType"))
    return who(
        first(person, ("accountId", "name", "key")),
        person.get("displayName"),
        person.get("emailAddress"),
        "automation" if kind_of == "app" else "human",
    )


_ISSUE_KINDS: tuple[Kind, ...] = (
    "incident.opened",
    "incident.updated",
    "incident.closed",
    "impact.started",
    "impact.ended",
    "note.added",
)
_ALL_KINDS = tuple(sorted({*_ISSUE_KINDS, *(kind for _, kind in _CHANGE_STATES), *opsgenie.KINDS}))
_SAMPLE = """{"timestamp": 1773144000000, "webhookEvent": "jira:issue_created", "user": {"accountId": "5f8a1c2b",
 "displayName": "Dev One"}, "issue": {"id": "10001", "key": "OPS-42", "fields": {"summary": "Payments fail at times",
 "issuetype": {"name": "[System] Incident"}, "project": {"key": "OPS"}, "status": {"name": "Open"},
 "priority": {"name": "High"}, "components": [{"name": "payments"}], "created": "2026-03-10T12:00:00.000+0000"}}}"""

_SETUP = """
*Settings → System → WebHooks → Create a WebHook*, URL `https://nearmiss.example/ingest/jira`, a secret
(`NEARMISS_SECRETS__JIRA`), the events *Issue created, updated* and *Comment created*, and a filter that leaves only
what speaks of running systems, such as `issuetype in ("[System] Incident", "[System] Change")`. Alerts of *Operations*
go to the same address by its *Webhook* integration.
"""

TOOL = Tool(
    name="jira",
    title="Jira Service Management",
    tells="incidents, changes, customers' requests for help, notes",
    kinds=_ALL_KINDS,
    sample=Sample(_SAMPLE, ("incident.opened",)),
    setup=_SETUP,
    limits=(
        "The type of an issue decides by its name: *incident*, *change*, *help* or *support*; others are notes.",
        "The service is the first component.",
        "A request for help is impact where its priority is the highest; any other is a note, whose words count.",
    ),
    aliases=("jsm",),
    scheme=JIRA,
    split=split,
    read=read,
)
