"""Conditions: which values hold, in which forms, and that nothing in a body makes one raise."""

from __future__ import annotations

from typing import Any

import pytest

from monitor.core.model.reasons import Ignored
from tests.unit.packs.mappings.mapped import mapping, read


def holds(when: str, body: Any) -> bool:
    found = read(mapping(f"  - {{kind: alert.fired, when: {when}}}\n  - {{kind: alert.resolved}}"), body)
    return found.events[0].kind == "alert.fired"


@pytest.mark.parametrize(
    ("when", "body", "expected"),
    [
        ("{state: down}", {"state": "DOWN"}, True),
        ("{state: down}", {"state": " Down "}, True),
        ("{state: down}", {"state": "up"}, False),
        ("{state: down}", {}, False),
        ("{state: 1}", {"state": "1"}, True),
        ("{state: '1'}", {"state": 1}, True),
        ("{state: 1}", {"state": 1.0}, True),
        ("{test: true}", {"test": True}, True),
        ("{test: true}", {"test": "true"}, True),
        ("{test: false}", {"test": None}, False),
        ("{state: [down, failing]}", {"state": "failing"}, True),
        ("{state: [down, null]}", {}, True),
        ("{state: null}", {"state": ""}, True),
        ("{state: null}", {"state": "x"}, False),
        ("{tags: prod}", {"tags": ["eu", "prod"]}, True),
        ("{tags: prod}", {"tags": [{"a": 1}, None]}, False),
        ("{state: down, kind: http}", {"state": "down", "kind": "dns"}, False),
        ("[{state: down}, {kind: dns}]", {"state": "up", "kind": "dns"}, True),
        ("{type: {prefix: incident.}}", {"type": "incident.created"}, True),
        ("{type: {suffix: [.created, .opened]}}", {"type": "incident.OPENED"}, True),
        ("{type: {contains: dent}}", {"type": ["x", "incident"]}, True),
        ("{type: {matches: '^inc.*ed$'}}", {"type": "incident.created"}, True),
        ("{type: {matches: '^x'}}", {"type": "incident"}, False),
        ("{type: {present: true}}", {"type": 0}, True),
        ("{type: {present: true}}", {"type": []}, False),
        ("{type: {present: false}}", {}, True),
        ("{type: {not: [a, b]}}", {"type": "c"}, True),
        ("{type: {not: {prefix: a}}}", {"type": "abc"}, False),
        ("{type: {prefix: a, not: ab}}", {"type": "ab"}, False),
        ('"a > `3`"', {"a": 4}, True),
        ('"a > `3`"', {"a": "x"}, False),
        ("a", {"a": {}}, False),
        ("a", {"a": 0}, True),
    ],
)
def test_conditions(when: str, body: Any, expected: bool) -> None:
    assert holds(when, body) is expected


def test_the_first_that_holds_gives_its_event_and_also_beside_it() -> None:
    text = mapping(
        "  - {kind: note.added, also: true, when: {comment: {present: true}}, title: comment}\n"
        "  - {kind: alert.acknowledged, when: {type: ack}}\n"
        "  - {kind: alert.fired}"
    )
    assert [event.kind for event in read(text, {"type": "ack", "comment": "on it"}).events] == [
        "note.added",
        "alert.acknowledged",
    ]
    assert [event.kind for event in read(text, {"type": "other"}).events] == ["alert.fired"]


def test_a_table_of_kinds() -> None:
    text = mapping("  - kind: {path: state, words: {down: alert.fired, up: alert.resolved}}")
    assert [read(text, {"state": word}).events[0].kind for word in ("DOWN", "up")] == ["alert.fired", "alert.resolved"]
    (skipped,) = read(text, {"state": "paused"}).skipped
    assert skipped.reason is Ignored.UNKNOWN_TYPE
    assert "state is 'paused'" in skipped.detail


def test_bodies_are_skipped_by_name_before_anything_else() -> None:
    text = mapping("  - {kind: alert.fired}", "skip:\n  - {when: {test: true}, as: test_delivery, because: a test}")
    (skipped,) = read(text, {"test": True}).skipped
    assert (skipped.reason, skipped.detail) == (Ignored.TEST_DELIVERY, "a test")
