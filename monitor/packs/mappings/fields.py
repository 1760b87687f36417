"""The fields of an event as a mapping names them: located nodes → the callables of an entry.

Fields of an entry come before those that stand under `fields:` for all.
"""

from __future__ import annotations

import re
from datetime import tzinfo
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from monitor.decode.mapped import Budget, Find, When
from monitor.decode.outcome import Unreadable
from monitor.decode.reading import Moment
from monitor.decode.tool_times import DIRECTIVES, tool_time
from monitor.located.form import Form, name_of
from monitor.located.nodes import Listing, Mapping, Node, Scalar
from monitor.located.problems import Problems
from monitor.packs.mappings.keys import TIME_KEYS
from monitor.packs.mappings.values import read_expression, read_value

TEXTS = ("service", "environment", "subject", "severity", "title", "value", "limit", "unit", "bound", "url")
TIMES = ("time", "began_at", "expires_at")
ACTOR_KINDS = ("human", "automation", "unknown")
MOST_LABELS = 60

_DIRECTIVE = re.compile(r"%(.?)")
_LABEL = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]{0,99}\Z")


class Fields(NamedTuple):
    """What one set of fields says; `erased` are those that an entry sets to null."""

    texts: dict[str, Find]
    times: dict[str, When]
    id: tuple[Find, ...] | None
    actor: Find | None
    actor_kind: Find | None
    labels: dict[str, Find | None]
    spread: tuple[Find, ...]
    erased: frozenset[str]


NO_FIELDS = Fields({}, {}, None, None, None, {}, (), frozenset())


def read_fields(form: Form, problems: Problems) -> Fields:
    erased = frozenset(key for key in (*TEXTS, *TIMES, "id", "actor", "labels", "spread") if _is_null(form.get(key)))
    given = {key: node for key in (*TEXTS, *TIMES) if (node := form.get(key)) is not None and key not in erased}
    texts = {key: read_value(node, problems, key) for key, node in given.items() if key in TEXTS}
    times = {key: read_time_value(node, problems, key) for key, node in given.items() if key in TIMES}
    actor, actor_kind = _actor(form.get("actor"), problems) if "actor" not in erased else (None, None)
    labels = _labels(form.get("labels"), problems) if "labels" not in erased else {}
    spread = [read_expression(node, problems, "spread") for node in form.several("spread") if "spread" not in erased]
    ids = None
    if form.has("id") and "id" not in erased:
        ids = tuple(find for node in form.several("id") if (find := read_value(node, problems, "id")))
    return Fields(
        {key: find for key, find in texts.items() if find},
        {key: when for key, when in times.items() if when},
        ids,
        actor,
        actor_kind,
        labels,
        tuple(find for find in spread if find),
        erased,
    )


def merged(own: Fields, common: Fields) -> Fields:
    """The fields of an entry before those of all; what an entry sets to null is gone."""

    def without(table: dict[str, Any]) -> dict[str, Any]:
        return {key: value for key, value in table.items() if key not in own.erased}

    is_own = own.actor is not None or own.actor_kind is not None or "actor" in own.erased
    return Fields(
        without(common.texts) | own.texts,
        without(common.times) | own.times,
        own.id if own.id is not None or "id" in own.erased else common.id,
        own.actor if is_own else common.actor,
        own.actor_kind if is_own else common.actor_kind,
        ({} if "labels" in own.erased else common.labels) | own.labels,
        own.spread if own.spread or "spread" in own.erased else common.spread,
        own.erased,
    )


def _is_null(node: Node | None) -> bool:
    return isinstance(node, Scalar) and node.value is None


def _actor(node: Node | None, problems: Problems) -> tuple[Find | None, Find | None]:
    if node is None:
        return None, None
    if not isinstance(node, Mapping) or node.entries.keys() & {"path", "text"}:
        return read_value(node, problems, "actor"), None
    form = Form(node, problems, "actor", ("id", "kind"))
    identity, kind = form.get("id"), form.get("kind")
    return read_value(identity, problems, "actor.id") if identity else None, _constant_or_value(kind, problems)


def _constant_or_value(node: Node | None, problems: Problems) -> Find | None:
    if node is None:
        return None
    if isinstance(node, Scalar):
        if node.text in ACTOR_KINDS:
            word = node.text
            return lambda _document, _budget: word
        expected = "human, automation, unknown, or `path` and `words`"
        problems.error(node.place, f"kind of an actor is {name_of(node)}", expected, "`kind: automation`")
        return None
    return read_value(node, problems, "actor.kind")


def _labels(node: Node | None, problems: Problems) -> dict[str, Find | None]:
    if node is None:
        return {}
    if not isinstance(node, Mapping) or len(node.entries) > MOST_LABELS:
        expected = f"a mapping of at most {MOST_LABELS} names to values"
        problems.error(node.place, f"labels is {name_of(node)}", expected, "`labels: {region: data.region}`")
        return {}
    found: dict[str, Find | None] = {}
    for name, (key, value) in node.entries.items():
        if not _LABEL.match(name):
            problems.error(key.place, f"label {name!r}", "a word of letters, digits, `_`, `.` and `-`", "another name")
        elif _is_null(value):
            found[name] = None
        elif (find := read_value(value, problems, f"labels.{name}")) is not None:
            found[name] = find
    return found


def read_time_value(node: Node, problems: Problems, what: str) -> When | None:
    """What reads a time: an expression, a list of them, or `path` with how it is written."""
    if not isinstance(node, Mapping):
        sources = _sources(node, problems, what)
        return _time(sources, (), None, fallback=False, what=what) if sources else None
    form = Form(node, problems, what, TIME_KEYS)
    path = form.get("path")
    if path is None:
        form.missing("path", "an expression, or a list of them", "created_at")
        return None
    sources = _sources(path, problems, what)
    formats = tuple(form.texts("format", "a format such as %Y-%m-%d %H:%M:%S", "'%Y-%m-%d %H:%M:%S'"))
    for written in formats:
        unknown = [letter for letter in _DIRECTIVE.findall(written) if letter not in DIRECTIVES]
        if unknown or "%" not in written or "%Z" in written.removesuffix("%Z"):
            message = f"format: {written!r} is no format of a time"
            expected = f"letters of {' '.join(sorted(DIRECTIVES))} after each %, and %Z at the end only"
            problems.error(form.place_of("format"), message, expected, "'%Y-%m-%d %H:%M:%S %z'")
            return None
    zone = _zone(form, problems)
    fallback = form.choice("otherwise", ("receipt", "refuse"), "refuse") == "receipt"
    return _time(sources, formats, zone, fallback=fallback, what=what) if sources else None


def _sources(node: Node, problems: Problems, what: str) -> tuple[tuple[str, Find], ...]:
    items = node.items if isinstance(node, Listing) else [node]
    found: list[tuple[str, Find]] = []
    for item in items:
        find = read_value(item, problems, what)
        if find is not None:
            found.append((item.text if isinstance(item, Scalar) else what, find))
    return tuple(found)


def _zone(form: Form, problems: Problems) -> tzinfo | None:
    name = form.text("zone", "a zone such as UTC or Europe/Berlin", "UTC")
    if not name:
        return None
    try:
        return ZoneInfo(name)
    except (OSError, ValueError, LookupError):
        message = f"zone: there is no zone {name!r}"
        problems.error(form.place_of("zone"), message, "a name of the tz database", "`zone: UTC`")
        return None


def _time(
    sources: tuple[tuple[str, Find], ...], formats: tuple[str, ...], zone: tzinfo | None, *, fallback: bool, what: str
) -> When:
    """The first source that can be read; where none can, the first one's error, unless receipt stands in."""
    optional = fallback or what != "time"

    def when(document: Any, budget: Budget) -> Moment | None:
        wrong: Unreadable | None = None
        for name, find in sources:
            try:
                if (found := tool_time(find(document, budget), name, formats, zone)) is not None:
                    return found
            except Unreadable as error:
                wrong = wrong or error
        if wrong is not None and not optional:
            raise wrong
        return None

    return when
