"""Keys and words of an example's event that the decoder would keep as labels: the warning says what was meant."""

from __future__ import annotations

import pytest

from monitor.core.model.events import Event
from monitor.located.nodes import Mapping, parse_located
from monitor.located.problems import Problem, Problems
from monitor.packs.examples.reader import read_examples
from tests.unit.packs.written import GOOD

SILENCED = "{time: -1d, kind: alert.silenced, service: api}"


def read(event: str) -> tuple[tuple[Event, ...], list[Problem], tuple[Problem, ...]]:
    """The events of the first example with one of them written so, the problems, and the example's doubts."""
    assert GOOD.count(SILENCED) == 1
    problems = Problems()
    node = parse_located(GOOD.replace(SILENCED, event).encode(), "rule.yaml", problems)
    assert isinstance(node, Mapping)
    first, *_ = read_examples(node.get("examples"), "page-and-fix", problems)
    return first.events, list(problems), first.doubts


@pytest.mark.parametrize(
    ("event", "word", "message", "hint"),
    [
        (
            "{time: -1d, kind: note.added, servce: api}",
            "servce",
            "no key 'servce'",
            "`service: api` (did you mean that?)",
        ),
        ("{time: -1d, kind: note.added, Service: api}", "Service", "no key 'Service'", "`service: api` (did you mean"),
        ("{time: -1d, kind: note.added, labls: {a: b}}", "labls", "no key 'labls'", "`labels: …` (did you mean that?)"),
        ("{time: -1d, kind: note.added, replicas: 3}", "replicas", "no key 'replicas'", "`labels: {replicas: 3}`"),
        (
            "{time: -1d, kind: note.added, labels.tier: gold}",
            "labels.tier",
            "no key 'labels.tier'",
            "`labels: {tier: gold}`",
        ),
        (
            "{time: -1d, kind: note.added, labels: {a: b}, replicas: 3}",
            "replicas",
            "no key 'replicas'",
            "`replicas: 3` under `labels:`",
        ),
        (
            "{time: -1d, kind: note.added, service: api, services: shop}",
            "services",
            "no key 'services'",
            "`labels: {services: shop}`",
        ),
        (
            "{time: -1d, kind: note.added, actor: {kid: human}}",
            "kid",
            "an actor has no key 'kid'",
            "`kind: human` (did",
        ),
        (
            "{time: -1d, kind: note.added, actor: {kind: humn}}",
            "humn",
            "kind is 'humn'",
            "'human' (did you mean that?)",
        ),
        ("{time: -1d, kind: note.added, severity: hihg}", "hihg", "severity is 'hihg'", "'high' (did you mean that?)"),
        ("{time: -1d, kind: note.added, bound: upper}", "upper", "bound is 'upper'", "`bound: expected`"),
    ],
)
def test_what_would_become_a_label_is_told_with_its_place(event: str, word: str, message: str, hint: str) -> None:
    events, problems, doubts = read(event)
    (problem,) = problems
    assert not problem.is_error
    line = GOOD.replace(SILENCED, event).splitlines()[problem.line - 1]
    assert line[problem.column - 1 :].startswith(word)
    assert message in problem.message
    assert problem.hint.startswith(hint), problem.hint
    assert doubts == (problem,)
    assert len(events) == 5  # a doubt leaves the example as it is


@pytest.mark.parametrize(
    "event",
    [
        SILENCED,
        "{time: -1d, every: 1h, until: -20h, kind: impact.clear, service: api}",
        "{time: -1d, kind: note.added, severity: High, actor: someone, labels: {servce: api}, limit: 3, bound: max}",
        "{time: -1d, kind: note.added, actor: {id: x, kind: human, on_call: true}, url: 'https://x.example'}",
    ],
)
def test_fields_and_labels_are_no_slips(event: str) -> None:
    assert read(event)[1:] == ([], ())


def test_every_field_of_events_may_be_written() -> None:
    for field in Event.__struct_fields__:
        _, problems, _ = read(
            f"{{time: -1d, kind: note.added, {field}: x}}" if field not in ("time", "kind") else SILENCED
        )
        assert not any("has no key" in problem.message for problem in problems), field
