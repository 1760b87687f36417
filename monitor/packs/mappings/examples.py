"""The examples of a mapping: a body and what must come of it; reads them from located YAML and runs them.

What is expected of an event is held against those fields only that the example names.
"""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Mapping as Table
from typing import Any

import msgspec

from monitor.core.model.events import SECOND, Event, Instant, to_text
from monitor.core.model.reasons import Ignored, Rejected
from monitor.decode.canonical import encode
from monitor.decode.outcome import DecodeOutcome
from monitor.located.form import Form, name_of
from monitor.located.nodes import Listing, Mapping, Node, Plain, Scalar, plain
from monitor.located.problems import Place, Problems, meant
from monitor.packs.mappings.keys import EXAMPLE_KEYS

RECEIVED_AT = Instant(1_900_000_000 * SECOND)
"""When the bodies of examples are received: in 2030, so that a time of receipt is seen to be one."""

REASONS: frozenset[str] = frozenset(Ignored) | frozenset(Rejected)
EVENT_FIELDS: frozenset[str] = frozenset(Event.__struct_fields__)
_SAMPLE = "`expect: [{kind: alert.fired, service: checkout}]`"

Read = Callable[[bytes, Table[str, str], Instant], DecodeOutcome]


class MappingExample(msgspec.Struct, frozen=True):
    """`expect` is the list of events by the fields that count, or the reason why there is none."""

    name: str
    body: bytes
    expect: tuple[dict[str, Any], ...] | str
    place: Place
    headers: dict[str, str] = {}


class MappingResult(msgspec.Struct, frozen=True):
    """What came of an example; `failure` is empty where it is what was expected."""

    mapping: str
    example: MappingExample
    failure: str
    came: tuple[str, ...]

    @property
    def passed(self) -> bool:
        return not self.failure


def read_examples(node: Node | None, problems: Problems) -> tuple[MappingExample, ...]:
    if node is None:
        return ()
    if not isinstance(node, Listing):
        problems.error(node.place, f"examples is {name_of(node)}", "a list of examples", "`- name: …`, an item each")
        return ()
    return tuple(example for item in node.items if (example := _example(item, problems)) is not None)


def _example(node: Node, problems: Problems) -> MappingExample | None:
    before = problems.errors
    form = Form(node, problems, "an example", EXAMPLE_KEYS)
    if not isinstance(node, Mapping):
        return None
    name = form.text("name", "what happened, in a few words", "a check goes down", required=True)
    body, expect = form.get("body"), form.get("expect")
    for key, sample in (("body", "{state: down}"), ("expect", "[{kind: alert.fired}]")):
        if not form.has(key):
            form.missing(key, "a body" if key == "body" else "events, or the reason why there is none", sample)
    headers = form.get("headers")
    given = plain(headers) if headers is not None else {}
    if not isinstance(given, dict):
        problems.error(
            form.place_of("headers"), "headers is no mapping", "names to texts", "`headers: {x-event: push}`"
        )
        given = {}
    expected = _expected(expect, problems) if expect is not None else ""
    if problems.errors > before or body is None:
        return None
    said = {str(key).lower(): str(value) for key, value in given.items()}
    return MappingExample(name, _bytes(body), expected, node.place, said)


def _bytes(node: Node) -> bytes:
    """A text is the body itself; anything else is its JSON."""
    written = plain(node)
    return written.encode() if isinstance(written, str) else msgspec.json.encode(written)


def _expected(node: Node, problems: Problems) -> tuple[dict[str, Any], ...] | str:
    if isinstance(node, Scalar):
        if node.text in REASONS:
            return node.text
        expected = "a list of events, or the reason why there is none"
        problems.error(node.place, f"expect is {name_of(node)}", expected, meant(node.text, REASONS, _SAMPLE))
        return ""
    items: list[Node] = node.items if isinstance(node, Listing) else [node]
    found: list[dict[str, Any]] = []
    for item in items:
        written = plain(item)
        if not isinstance(written, dict):
            problems.error(item.place, f"an event is {name_of(item)}", "fields of an event", _SAMPLE)
            continue
        if isinstance(item, Mapping):
            for key in written:
                if key not in EVENT_FIELDS:
                    place, hint = item.entries[key][0].place, meant(key, EVENT_FIELDS, "removing it")
                    problems.error(place, f"an event has no field {key!r}", "a field of the event format", hint)
        found.append(_texts(written, item))
    return tuple(found)


def _texts(written: dict[str, Plain], node: Node) -> dict[str, Any]:
    """Numbers that stand where an event has texts are those texts as they were written."""
    entries = node.entries if isinstance(node, Mapping) else {}
    for key, (_, value) in entries.items():
        if isinstance(value, Scalar) and value.value is not None and key not in ("value", "limit"):
            written[key] = value.text
        elif isinstance(value, Mapping):
            written[key] = {
                name: inner.text if isinstance(inner, Scalar) and inner.value is not None else plain(inner)
                for name, (_, inner) in value.entries.items()
            }
    return written


def run_example(mapping: str, example: MappingExample, read: Read) -> MappingResult:
    """Reads the body and holds what comes against what is expected."""
    outcome = read(example.body, example.headers, RECEIVED_AT)
    came = [encode(event).decode() for event in outcome.events]
    came += [f"no event: {skipped.reason}: {skipped.detail}" for skipped in outcome.skipped]
    came += [f"rejected: {refusal.reason}: {refusal.detail}" for refusal in outcome.refusals]
    return MappingResult(mapping, example, _difference(example.expect, outcome), tuple(came))


def _difference(expect: tuple[dict[str, Any], ...] | str, outcome: DecodeOutcome) -> str:
    reasons = [*(str(each.reason) for each in outcome.skipped), *(str(each.reason) for each in outcome.refusals)]
    if isinstance(expect, str):
        if outcome.events or reasons != [expect]:
            got = ", ".join(reasons) or f"{len(outcome.events)} event(s)"
            return f"expected no event for {expect}, got {got}"
        return ""
    if reasons:
        return f"expected {len(expect)} event(s), got {', '.join(reasons)}"
    if len(expect) != len(outcome.events):
        kinds = ", ".join(event.kind for event in outcome.events) or "none"
        return f"expected {len(expect)} event(s), got {kinds}"
    for number, (wanted, event) in enumerate(zip(expect, outcome.events, strict=True), start=1):
        for name, value in wanted.items():
            if (got := _shown(name, event)) != value and not _within(value, got):
                which = f" of event {number}" if len(expect) > 1 else ""
                return f"{name}{which}: expected {value!r}, got {got!r}"
    return ""


def _within(value: Any, got: Any) -> bool:
    """Labels and actors: those that are named; another one may be there. Null means that there is none."""
    return (
        isinstance(value, dict) and isinstance(got, dict) and all(got.get(key) == each for key, each in value.items())
    )


def _shown(name: str, event: Event) -> Any:
    found = getattr(event, name)
    if isinstance(found, Instant):
        return to_text(found)
    return msgspec.to_builtins(found) if isinstance(found, msgspec.Struct) else found
