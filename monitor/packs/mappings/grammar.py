"""A located mapping file → a tool of the registry, with every problem of the file collected.

Knows the words of the language; not where files lie, and not how examples run.
"""

from __future__ import annotations

import re
from typing import Any, cast

from monitor.core.model.events import KINDS, Kind
from monitor.core.model.reasons import Ignored
from monitor.decode.mapped import QUICK_STEPS, Budget, Find, Mapped, MappedEvent, Skip, Test
from monitor.decode.outcome import Unreadable
from monitor.located.form import Form, name_of, text_of
from monitor.located.nodes import Listing, Mapping, Node, Scalar
from monitor.located.problems import Problems, listed, meant
from monitor.packs.mappings.conditions import read_condition
from monitor.packs.mappings.fields import NO_FIELDS, Fields, merged, read_fields
from monitor.packs.mappings.keys import EVENT_KEYS, FIELD_KEYS, SKIP_KEYS
from monitor.packs.mappings.values import read_expression, read_value

NAME = re.compile(r"[a-z][a-z0-9]*(?:[-_][a-z0-9]+)*\Z")
MOST_ENTRIES = 60
REASONS = tuple(str(reason) for reason in Ignored if reason is not Ignored.EMPTY)
_EVENT_SAMPLE = "`- {kind: alert.fired, when: {state: down}}`"


def read_entries(form: Form, name: str, problems: Problems) -> tuple[Mapped, tuple[Kind, ...]] | None:
    """What reads the bodies, and the kinds that it can give; None where something of it is wrong."""
    before = problems.errors
    looks: dict[str, Find] = {}
    each = form.get("each")
    find_each = read_expression(each, problems, "each") if each is not None else None
    skips = [_skip(node, problems, looks) for node in form.several("skip")]
    common = NO_FIELDS
    if (shared := form.get("fields")) is not None:
        common = read_fields(Form(shared, problems, "fields", FIELD_KEYS), problems)
    kinds: dict[Kind, None] = {}
    entries = _entries(form, common, kinds, looks, problems)
    volatile = form.texts("volatile", "names of fields", "[delivered_at]")
    if problems.errors > before:
        return None
    mapped = Mapped(
        name=name,
        entries=tuple(entry for entry in entries if entry),
        each=find_each,
        skips=tuple(skip for skip in skips if skip),
        volatile=volatile,
        looks=looks,
    )
    return mapped, tuple(kinds)


def _skip(node: Node, problems: Problems, looks: dict[str, Find]) -> Skip | None:
    form = Form(node, problems, "a skip", SKIP_KEYS)
    if not isinstance(node, Mapping):
        return None
    if not form.has("when"):
        form.missing("when", "a condition", "{is_test: true}")
    when = read_condition(form.get("when"), problems, looks)
    reason = form.choice("as", REASONS, str(Ignored.NOT_RELEVANT))
    because = form.text("because", "a few words", "a test delivery", default=reason.replace("_", " "))
    return None if when is None else Skip(when, Ignored(reason), because)


def _entries(
    form: Form, common: Fields, kinds: dict[Kind, None], looks: dict[str, Find], problems: Problems
) -> list[MappedEvent | None]:
    node = form.get("events")
    if node is None:
        form.missing("events", "a list of what gives an event", "[{kind: alert.fired, when: {state: down}}]")
        return []
    if not isinstance(node, Listing) or not 0 < len(node.items) <= MOST_ENTRIES:
        problems.error(node.place, f"events is {name_of(node)}", f"a list of 1 to {MOST_ENTRIES} items", _EVENT_SAMPLE)
        return []
    entries: list[MappedEvent | None] = []
    closed = False
    for item in node.items:
        if closed:
            message = "nothing can reach this event: one above it has no condition"
            problems.error(item.place, message, "the event without a condition last", "moving it to the end")
            break
        entries.append(_entry(item, common, kinds, looks, problems))
        is_open = isinstance(item, Mapping) and item.get("when") is None and item.get("also") is None
        closed = is_open and isinstance(item.get("kind") if isinstance(item, Mapping) else None, Scalar)
    return entries


def _entry(
    node: Node, common: Fields, kinds: dict[Kind, None], looks: dict[str, Find], problems: Problems
) -> MappedEvent | None:
    form = Form(node, problems, "an event", EVENT_KEYS)
    if not isinstance(node, Mapping):
        return None
    kind = _kind(form, kinds, looks, problems)
    when: Test | None = read_condition(form.get("when"), problems, looks)
    fields = merged(read_fields(form, problems), common)
    also = form.flag("also")
    if kind is None or when is None:
        return None
    return MappedEvent(
        when=when,
        kind=kind,
        also=also,
        time=fields.times.get("time"),
        began_at=fields.times.get("began_at"),
        expires_at=fields.times.get("expires_at"),
        id=fields.id or (),
        fields=fields.texts,
        actor=fields.actor,
        actor_kind=fields.actor_kind,
        labels={name: find for name, find in fields.labels.items() if find is not None},
        spread=fields.spread,
    )


def _kind(form: Form, kinds: dict[Kind, None], looks: dict[str, Find], problems: Problems) -> Find | None:
    """A kind, or a table of the tool's words whose meanings are kinds."""
    node = form.get("kind")
    if node is None:
        form.missing("kind", "a kind of the event format", "alert.fired")
        return None
    if isinstance(node, Scalar):
        if (known := _known_kind(node, problems)) is None:
            return None
        kinds[known] = None
        return lambda _document, _budget: known
    words = node.get("words") if isinstance(node, Mapping) else None
    path = node.get("path") if isinstance(node, Mapping) else None
    if not isinstance(words, Mapping) or path is None:
        expected = "a kind of the event format, or `path` and `words`"
        problems.error(node.place, f"kind is {name_of(node)}", expected, "`kind: {path: state, words: {…}}`")
        return None
    for _, meaning in words.entries.values():
        if (known := _known_kind(meaning, problems)) is not None:
            kinds[known] = None
    place = path.text if isinstance(path, Scalar) else "kind"
    source = read_value(path, problems, "kind")
    if source is not None:
        looks[place] = source
    found = read_value(node, problems, "kind")
    if source is None or found is None:
        return None
    return found


def _known_kind(node: Node, problems: Problems) -> Kind | None:
    if isinstance(node, Scalar) and node.text in KINDS:
        return cast(Kind, node.text)
    said = node.text if isinstance(node, Scalar) else ""
    hint = meant(said, KINDS, "alert.fired, or another of the kinds that the reference of events lists")
    problems.error(node.place, f"kind is {name_of(node)}", "a kind of the event format", hint)
    return None


def read_answer(form: Form, problems: Problems) -> tuple[Test, dict[str, Find]] | None:
    """When a body is a question of the tool, and what it wants to hear back."""
    node = form.get("handshake")
    if node is None:
        return None
    inner = Form(node, problems, "handshake", ("when", "answer"))
    for key, sample in (("when", "{type: url_verification}"), ("answer", "{challenge: challenge}")):
        if isinstance(node, Mapping) and not inner.has(key):
            inner.missing(key, "a condition" if key == "when" else "names to values", sample)
    when = read_condition(inner.get("when"), problems, {})
    answer = inner.get("answer")
    if when is None or not isinstance(answer, Mapping):
        if answer is not None and not isinstance(answer, Mapping):
            problems.error(answer.place, f"answer is {name_of(answer)}", "names to values", "`{challenge: challenge}`")
        return None
    finds = {key: read_value(value, problems, f"answer.{key}") for key, (_, value) in answer.entries.items()}
    return when, {key: find for key, find in finds.items() if find}


def answered(when: Test, finds: dict[str, Find], body: Any) -> dict[str, str] | None:
    """What to say back to this body; None where it is no question, or does not hold what the answer needs."""
    # Nothing else goes on meanwhile. What takes longer is no question, and refused by name where its events are read.
    budget = Budget(QUICK_STEPS)
    try:
        if not isinstance(body, dict) or not when(body, budget):
            return None
        said = {name: found for name, find in finds.items() if (found := find(body, budget)) is not None}
    except Unreadable:
        return None
    return {name: str(found) for name, found in said.items()} if len(said) == len(finds) else None


def read_name(form: Form, key: str, node: Node, problems: Problems) -> str | None:
    """A name that can be the first part of a source's name."""
    name = text_of(node, problems, key, "the name of the tool", f"`{key}: pingdom`")
    if name is not None and not NAME.match(name):
        expected = "lower-case words with hyphens, such as grafana-oncall"
        problems.error(
            node.place,
            f"{key} is {name!r}",
            expected,
            f"`{key}: {re.sub(r'[^a-z0-9]+', '-', name.lower()).strip('-') or 'my-tool'}`",
        )
        return None
    return name


def known_reasons() -> str:
    return listed(REASONS)
