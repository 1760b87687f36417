"""Proposes a mapping from one sample body: guesses by the names and values of its fields, and says what it guessed.

The proposal is a text with comments and the body as its example. What it cannot know is marked with TODO.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import msgspec
import yaml

from monitor.decode.outcome import Unreadable
from monitor.decode.reading import severity, text
from monitor.decode.tool_times import tool_time

DEEPEST = 4
MOST_FIELDS = 400
LARGEST_SAMPLE = 200_000
_WORD = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\Z")
_SPLIT = re.compile(r"[^A-Za-z0-9]+|(?<=[a-z0-9])(?=[A-Z])")

_FIRED = frozenset(
    {"active", "alert", "alerting", "critical", "down", "error", "failed", "failing", "firing", "open", "opened"}
    | {"activated", "problem", "trigger", "triggered", "unhealthy", "warning"}
)
_RESOLVED = frozenset(
    {"cleared", "closed", "healthy", "inactive", "normal", "ok", "recovered", "recovery", "resolved", "up"}
)
_DEPLOYED = frozenset({"completed", "deploy", "deployed", "deployment", "finished", "succeeded", "success"})
_NAMES: dict[str, tuple[str, ...]] = {
    "service": ("service", "service_name", "app", "application", "check_name", "check", "monitor_name", "component"),
    "environment": ("environment", "env", "stage"),
    "severity": ("severity", "priority", "level", "criticality", "urgency"),
    "title": ("title", "summary", "subject", "name", "message", "description", "text"),
    "url": ("url", "link", "html_url", "web_url", "permalink"),
    "actor": ("user", "username", "author", "actor", "acknowledged_by", "triggered_by", "deployed_by"),
}
"""Under these names tools tell a field; `check_name` also stands for `checkName` and `CHECK-NAME`."""

_TIMES = (
    "timestamp",
    "time",
    "occurred_at",
    "triggered_at",
    "started_at",
    "created_at",
    "updated_at",
    "date",
    "ts",
    "at",
)
_IDS = ("event_id", "id", "uuid", "incident_id", "alert_id", "delivery_id")
_STATES = ("status", "state", "event", "event_type", "type", "action", "alert_type", "current_state", "transition")
_SUBJECTS = ("fingerprint", "alert_id", "incident_id", "monitor_id", "check_id", "deployment_id", "id")
_STATE_WORDS = _FIRED | _RESOLVED | _DEPLOYED
_TRICKY = frozenset({"true", "false", "null", "yes", "no", "on", "off"})


class BodyValue(NamedTuple):
    """One scalar of a body: its expression, its own name, and its value."""

    path: str
    name: str
    value: Any


def propose(name: str, body: Any) -> str:
    """The text of a mapping. `body` is the JSON of a sample."""
    each, piece = _pieces(body)
    places = list(_places(piece, ""))
    found = {field: _named(places, names, text) for field, names in _NAMES.items()}
    state = _named(places, _STATES, _says_a_state) or _named(places, _STATES, _is_word)
    lines = [
        "# A proposal: read each line, and put right what was guessed wrongly.",
        f"#   nearmiss mapping test {name}.yaml      runs the example at the end",
        f"#   nearmiss mapping check {name}.yaml     prints problems with their place",
        f"mapping: {name}",
        f"title: {name.replace('-', ' ').title()}",
        f"reports: TODO what {name} reports, in one sentence",
        "setup: |",
        f"  TODO where a webhook is added in the tool. Its address is `/ingest/{name}`.",
    ]
    if each:
        lines.append(f"each: {_quoted(each)}")
    fields = list(_fields(found, places, state))
    lines += ["fields:" if any(not line.strip().startswith("#") for line in fields) else "fields: {}", *fields]
    lines += ["events:", *_events(state)]
    lines += ["examples:", "  - name: TODO what happened", "    body: |", *_sample(body)]
    return "\n".join(lines) + "\n"


def has_fields(body: Any) -> bool:
    """Whether a mapping could read anything of it: an object, or one among others, with a value."""
    return _says(_pieces(body)[1])


def with_expectation(proposal: str, said: str) -> str:
    """The proposal with what its example gives now as the expectation."""
    return f"{proposal}    expect: {said}\n"


def _pieces(body: Any) -> tuple[str, Any]:
    """Where a body holds a list of alike objects, one of these is a piece."""
    if isinstance(body, list):
        return "", next((item for item in body if isinstance(item, dict) and item), {})
    for name in ("alerts", "events", "incidents", "items", "messages"):
        items = body.get(name) if isinstance(body, dict) else None
        if isinstance(items, list) and items and isinstance(items[0], dict):
            return name, items[0]
    return "", body if isinstance(body, dict) else {}


def _says(value: Any) -> bool:
    if isinstance(value, dict | list):
        return any(map(_says, value.values() if isinstance(value, dict) else value))
    return value is not None


def _places(value: Any, path: str, depth: int = 0) -> Iterator[BodyValue]:
    """Scalars, the outer ones first."""
    if not isinstance(value, dict) or depth > DEEPEST:
        return
    inner = []
    for key, each in list(value.items())[:MOST_FIELDS]:
        step = key if _WORD.match(key) else json.dumps(key)
        here = f"{path}.{step}" if path else step
        if isinstance(each, dict):
            inner.append((each, here))
        elif isinstance(each, str | int | float) and not isinstance(each, bool):
            yield BodyValue(here, key, each)
    for each, here in inner:
        yield from _places(each, here, depth + 1)


def _named(places: list[BodyValue], names: tuple[str, ...], fits: Callable[[Any], Any]) -> BodyValue | None:
    """The outermost place of the first of these names whose value fits; else one whose name ends with such a word."""
    for name in names:
        for place in places:
            if _words(place.name) == _words(name) and fits(place.value):
                return place
    for name in names:
        for place in places:
            if _words(place.name)[-1:] == _words(name)[-1:] and fits(place.value):
                return place
    return None


def _words(name: str) -> list[str]:
    return [word.lower() for word in _SPLIT.split(name) if word]


def _is_word(value: Any) -> bool:
    return isinstance(value, str) and 0 < len(value) <= 60 and "\n" not in value


def _says_a_state(value: Any) -> bool:
    return _is_word(value) and bool(_STATE_WORDS.intersection(_words(value)))


def _is_time(value: Any) -> bool:
    try:
        found = tool_time(value, "time")
    except Unreadable as error:
        return error.reason == "time_without_offset"
    return found is not None and (isinstance(value, str) or value > 1_000_000_000)


def _fields(found: dict[str, BodyValue | None], places: list[BodyValue], state: BodyValue | None) -> Iterator[str]:
    time = _named(places, _TIMES, _is_time)
    if time is None:
        yield "  # TODO no time was found: the time of receipt stands in, and is marked."
    elif isinstance(time.value, str) and _has_no_offset(time.value):
        yield f"  time: {{path: {_quoted(time.path)}, zone: UTC}}  # TODO the zone: the body names none"
    else:
        yield f"  time: {_quoted(time.path)}"
    identity, subject = _named(places, _IDS, text), _named(places, _SUBJECTS, text)
    if identity is None:
        yield "  # TODO no id was found: a hash of the body stands in."
    else:
        parts = [place.path for place in (identity, state, time) if place is not None]
        listed = ", ".join(map(_quoted, dict.fromkeys(parts)))
        yield f"  id: [{listed}]  # what makes one occurrence; leave away what is not needed"
    if subject is not None:
        yield f"  subject: {_quoted(subject.path)}  # ties the beginning to its end"
    for field, place in found.items():
        if place is None:
            continue
        if field == "severity" and severity(place.value) is None:
            words = f"{{{_yaml(place.value)}: warning}}"
            yield f"  severity: {{path: {_quoted(place.path)}, words: {words}}}  # TODO the tool's words"
        else:
            yield f"  {field}: {_quoted(place.path)}"


def _has_no_offset(value: str) -> bool:
    try:
        tool_time(value, "time")
    except Unreadable:
        return True
    return False


def _events(state: BodyValue | None) -> Iterator[str]:
    if state is None:
        yield "  - kind: alert.fired  # TODO one entry for each kind of event, with its condition"
        return
    parts = set(_words(str(state.value)))
    kind, other, words = "alert.fired", "alert.resolved", "[resolved, ok]"
    if parts & _RESOLVED and not parts & _FIRED:
        kind, other, words = "alert.resolved", "alert.fired", "[down, firing]"
    elif parts & _DEPLOYED and not parts & _FIRED:
        kind, other, words = "change.deployed", "change.failed", "[failed]"
    note = "" if parts & _STATE_WORDS else "  # TODO the kind"
    yield f"  - {{kind: {kind}, when: {{{_quoted(state.path)}: {_yaml(state.value)}}}}}{note}"
    yield f"  - {{kind: {other}, when: {{{_quoted(state.path)}: {words}}}}}  # TODO the tool's word for it"


def _sample(body: Any) -> Iterator[str]:
    """The body as JSON for a block of YAML, which takes printable characters only."""
    for line in msgspec.json.format(msgspec.json.encode(body), indent=2).decode().split("\n"):
        yield "      " + "".join(each if each.isprintable() else json.dumps(each)[1:-1] for each in line)


def _quoted(expression: str) -> str:
    return expression if re.fullmatch(r"[A-Za-z_][\w.]*", expression) else _yaml(expression)


def _yaml(value: Any) -> str:
    """A scalar as YAML on one line, quoted where it has to be."""
    said = str(value)
    if re.fullmatch(r"[A-Za-z][\w-]*", said) and said.lower() not in _TRICKY:
        return said
    return str(yaml.safe_dump(said, default_style="'", width=10_000, allow_unicode=True)).strip()
