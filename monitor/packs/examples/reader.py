"""The examples of a rule as values: a small stream, the catalogue it happens in, and what must come of it.

Reads them from located YAML; running them is `monitor.packs.examples.runner`.
"""

from __future__ import annotations

from typing import Literal, cast, get_args

import msgspec

from monitor.core.model.catalogue import Catalogue
from monitor.core.model.events import Event
from monitor.core.model.near_miss import Verdict
from monitor.core.model.reasons import NotOpened, Withdrawn
from monitor.decode.catalogues import SHORT_KEYS, SHORT_SAMPLE, BadCatalogue, catalogue_from_mapping
from monitor.decode.streams import BASE_AT, arrival_order, expand
from monitor.located.form import Form, name_of
from monitor.located.nodes import Listing, Mapping, Node, Plain, Scalar, plain
from monitor.located.problems import Place, Problem, Problems, listed
from monitor.packs.examples.bodies import read_bodies
from monitor.packs.examples.slips import find_slips
from monitor.packs.language.keys import EXAMPLE, names

Expect = Literal["draft", "none"]
EXAMPLE_KEYS = names(EXAMPLE)
REASONS: frozenset[str] = frozenset(NotOpened) | frozenset(Withdrawn)
NO_DRAFT_VERDICTS = ("none", "unknown")
EVENT_SAMPLE = "{time: +5m, kind: change.restarted, service: shop}"


class Example(msgspec.Struct, frozen=True):
    """One stream and what the rule must make of it, alone. Events are in the order of their arrival.

    `doubts` are the warnings about what its events say, which also stand among the problems of the file.
    """

    rule: str
    name: str
    expect: Expect
    events: tuple[Event, ...]
    place: Place
    catalogue: Catalogue = Catalogue()
    reason: str | None = None
    verdict: Verdict | None = None
    title: str | None = None
    doubts: tuple[Problem, ...] = ()


def read_examples(node: Node | None, rule: str, problems: Problems) -> tuple[Example, ...]:
    """The examples under `examples:`; those with errors are left out, and their errors collected."""
    if node is None:
        return ()
    if not isinstance(node, Listing):
        problems.error(
            node.place, f"examples is {name_of(node)}", "a list of examples", "`- name: …`, one item an example"
        )
        return ()
    found: list[Example] = []
    for item in node.items:
        example = _example(item, rule, problems)
        if example is None:
            continue
        if any(other.name == example.name for other in found):
            problems.error(
                item.place, f"two examples are named {example.name!r}", "a name of its own", "renaming one of them"
            )
        found.append(example)
    return tuple(found)


def _example(node: Node, rule: str, problems: Problems) -> Example | None:
    before = problems.errors
    form = Form(node, problems, "an example", EXAMPLE_KEYS)
    name = form.text("name", "what happens, in a few words", "restarted in time", required=isinstance(node, Mapping))
    expect = cast(Expect, form.choice("expect", get_args(Expect))) if isinstance(node, Mapping) else "none"
    reason = form.choice("reason", REASONS) if form.has("reason") else None
    verdict = cast(Verdict, form.choice("verdict", NO_DRAFT_VERDICTS)) if form.has("verdict") else None
    title = (
        form.text("title", "the title that the draft must have", '"Errors on shop: restart after 5 min"')
        if form.has("title")
        else None
    )
    if expect == "draft" and reason is not None:
        message, expected = "a reason goes with `expect: none`", "no reason, or `expect: none`"
        problems.error(form.place_of("reason"), message, expected, "removing `reason:`")
    for key in ("verdict", "title"):
        if expect == "none" and form.has(key):
            message, expected = f"{key} goes with `expect: draft`", f"no {key}, or `expect: draft`"
            problems.error(form.place_of(key), message, expected, f"removing `{key}:`")
    catalogue = _catalogue(form.get("catalogue"), problems)
    events = _events(form, problems) if isinstance(node, Mapping) else ()
    doubts = _doubts(form.get("events"), problems)
    if problems.errors > before:
        return None
    return Example(rule, name, expect, events, node.place, catalogue, reason, verdict, title, doubts)


def _doubts(node: Node | None, problems: Problems) -> tuple[Problem, ...]:
    items = node.items if isinstance(node, Listing) else []
    return tuple(slip for item in items if isinstance(item, Mapping) for slip in find_slips(item, problems))


def _catalogue(node: Node | None, problems: Problems) -> Catalogue:
    if node is None:
        return Catalogue()
    written = plain(node)
    if not isinstance(written, dict):
        expected = f"a mapping with {listed(SHORT_KEYS)}"
        problems.error(node.place, f"catalogue is {name_of(node)}", expected, SHORT_SAMPLE)
        return Catalogue()
    before = problems.errors
    Form(node, problems, "a catalogue", sorted(SHORT_KEYS))
    if problems.errors > before:
        return Catalogue()
    try:
        return catalogue_from_mapping(written)
    except BadCatalogue as error:
        problems.error(node.place, str(error), f"a mapping with {listed(SHORT_KEYS)}", SHORT_SAMPLE)
        return Catalogue()


def _events(form: Form, problems: Problems) -> tuple[Event, ...]:
    """What was written as events and what bodies of tools give, in the order of arrival."""
    bodies = read_bodies(form.get("bodies"), problems)
    if form.has("bodies") and not form.has("events"):
        return tuple(arrival_order(bodies))
    return tuple(arrival_order([*_written(form, problems), *bodies]))


def _written(form: Form, problems: Problems) -> tuple[Event, ...]:
    node = form.get("events")
    if node is None:
        form.missing("events", "a list of events in the canonical format", f"[{EVENT_SAMPLE}]")
        return ()
    if not isinstance(node, Listing) or not node.items:
        problems.error(
            node.place, f"events is {name_of(node)}", "a list with at least one event", f"`[{EVENT_SAMPLE}]`"
        )
        return ()
    written: list[dict[str, Plain]] = []
    for item in node.items:
        event = _as_written(item)
        if event is None:
            expected = "a mapping with at least a time and a kind"
            problems.error(item.place, f"an event is {name_of(item)}", expected, f"`{EVENT_SAMPLE}`")
        written.append(event or {})
    expanded = expand(written, BASE_AT)
    for unusable in expanded.unusable:
        item = node.items[unusable.index]
        if isinstance(item, Mapping):
            value = item.get(unusable.field) if unusable.field else None
            place, expected = value.place if value else item.place, "an event of the canonical format"
            problems.error(place, unusable.detail, expected, f"the form of `{EVENT_SAMPLE}`")
    _check_ids(node, expanded.events, problems)
    return tuple(arrival_order(expanded.events))


def _check_ids(node: Listing, events: tuple[Event, ...], problems: Problems) -> None:
    seen: dict[tuple[str, str], Event] = {}
    for event in events:
        other = seen.setdefault((event.source, event.id), event)
        if other != event:
            message = f"two different events have the id {event.id!r} of {event.source!r}"
            problems.error(node.place, message, "an id of its own for each", "a different `id:`")


def _as_written(node: Node) -> dict[str, Plain] | None:
    """An event with its labels as texts, exactly as they were written: a version 1.10 is not the number 1.1."""
    if not isinstance(node, Mapping):
        return None
    event: dict[str, Plain] = {key: plain(value) for key, (_, value) in node.entries.items()}
    labels = node.get("labels")
    if isinstance(labels, Mapping):
        event["labels"] = {
            key: value.text if isinstance(value, Scalar) else plain(value) for key, (_, value) in labels.entries.items()
        }
    return event
