"""Mapping files: each mistake has its place and what to try; pieces, identity, headers, forms and handshakes."""

from __future__ import annotations

import pytest

from monitor.core.model.events import Instant
from monitor.core.model.reasons import Ignored, Rejected
from monitor.decode.mapped import MOST_STEPS
from monitor.decode.registry import read_as
from tests.unit.packs.mappings.mapped import RECEIVED_AT, event, mapping, problems_of, read, tool_from

DOWN = "  - {kind: alert.fired, when: {state: down}}"


IN_AN_EVENT = [
    ("service: a-b", "a-b", "service: 'a-b' is no JMESPath: unexpected '-' at character 2"),
    ("service: {find: x}", "{find", "service names no place"),
    ("service: {path: a, text: b}", "b}", "service has `path` and `text`"),
    ("service: {path: a, find: '('}", "'('", "find: '(' is no pattern"),
    ("service: {path: a, words: []}", "[]", "words is a list"),
    ("title: {text: 'a {b'}", "'a {b'", "title: a single {"),
    ("time: {path: at, zone: Mars/Base}", "Mars", "zone: there is no zone 'Mars/Base'"),
    ("time: {path: at, format: '%Q'}", "'%Q'", "format: '%Q' is no format"),
    ("time: {format: '%Y'}", "{format", "time has no 'path'"),
    ("actor: {id: a, kind: robot}", "robot", "kind of an actor is 'robot'"),
    ("labels: {'a b': c}", "'a b'", "label 'a b'"),
    ("when: {a: {like: b}}", "like", "a condition has no key 'like'"),
    ("when: {a: {matches: '('}}", "'('", "matches: '(' is no pattern"),
    ("when: {a: [[b]]}", "[[b]]", "a list that does not hold single values only"),
    ("when: {}", "{}", "an empty condition"),
    ("when: []", "[]", "an empty list of conditions"),
]
ONE = "events: [{kind: alert.fired}]"
ELSEWHERE = [
    (ONE, "events", "a mapping has no 'mapping'"),
    ("mapping: tool", "mapping", "a mapping has no 'events'"),
    (f"mapping: My Tool\n{ONE}", "My Tool", "mapping is 'My Tool'"),
    (f"mapping: tool\nevent: []\n{ONE}", "event:", "a mapping has no key 'event'"),
    ("mapping: tool\nevents: []", "[]", "events is a list"),
    ("mapping: tool\nevents: [{kind: alert.fire}]", "alert.fire", "kind is 'alert.fire'"),
    ("mapping: tool\nevents: [{when: {a: b}}]", "{when", "an event has no 'kind'"),
    ("mapping: tool\nevents: [{kind: {path: a}}]", "{path", "kind is a mapping"),
    ("mapping: tool\nevents: [{kind: {path: a, words: {x: alert.fired, y: nope}}}]", "nope", "kind is 'nope'"),
    ("mapping: tool\nevents:\n- kind: alert.fired\n- kind: note.added", "kind: note", "nothing can reach this"),
    (f"mapping: tool\nskip: [{{as: handshake}}]\n{ONE}", "{as", "a skip has no 'when'"),
    (f"mapping: tool\nskip: [{{when: {{a: b}}, as: boring}}]\n{ONE}", "boring", "as is 'boring'"),
    (f"mapping: tool\nsignature: rsa\n{ONE}", "rsa", "signature is 'rsa'"),
    (f"mapping: tool\nsignature: {{header: x-s, algorithm: md5}}\n{ONE}", "md5", "algorithm is 'md5'"),
    (f"mapping: tool\nsignature: {{header: x-s, separator: '#'}}\n{ONE}", "'#'", "separator is '#'"),
    (f"mapping: tool\nhandshake: {{when: {{a: b}}}}\n{ONE}", "{when", "handshake has no 'answer'"),
    (f"mapping: tool\neach: a-b\n{ONE}", "a-b", "each: 'a-b' is no JMESPath"),
    (f"mapping: tool\n{ONE}\nexamples: [{{name: a, body: {{}}}}]", "{name", "an example has no 'expect'"),
    (f"mapping: tool\n{ONE}\nexamples: [{{name: a, body: {{}}, expect: tired}}]", "tired", "expect is 'tired'"),
    (
        f"mapping: tool\n{ONE}\nexamples: [{{name: a, body: {{}}, expect: [{{knd: x}}]}}]",
        "knd",
        "an event has no field",
    ),
]
MISTAKES = [(f"mapping: tool\nevents:\n  - {{kind: alert.fired, {text}}}", at, said) for text, at, said in IN_AN_EVENT]


@pytest.mark.parametrize(("text", "at", "message"), [*MISTAKES, *ELSEWHERE])
def test_a_mistake_has_its_place(text: str, at: str, message: str) -> None:
    found = problems_of(text)
    assert len(found) == 1, [str(problem) for problem in found]
    (problem,) = found
    assert text.split("\n")[problem.line - 1][problem.column - 1 :].startswith(at)
    assert problem.message.startswith(message)
    assert problem.expected
    assert problem.hint


def test_a_name_with_other_characters_has_a_hint_about_quotes() -> None:
    (problem,) = problems_of("mapping: tool\nevents: [{kind: alert.fired, service: service-name}]")
    assert '"service.name"' in problem.hint


def test_a_list_gives_an_event_each_that_sees_the_whole_body_and_the_headers() -> None:
    text = mapping(
        "  - {kind: alert.fired, service: name, environment: _body.env, labels: {topic: '_headers.\"x-topic\"'}}",
        "each: items",
    )
    found = read(text, {"env": "prod", "items": [{"name": "a"}, {"name": "b"}]}, {"X-Topic": "t"})
    assert [(event.service, event.environment, event.labels["topic"]) for event in found.events] == [
        ("a", "prod", "t"),
        ("b", "prod", "t"),
    ]
    assert len({event.event_id for event in found.events}) == 2


def test_without_a_list_the_body_is_the_only_piece_and_an_array_is_its_items() -> None:
    text = mapping("  - {kind: alert.fired, service: [name, _item]}", "each: items")
    assert [event.service for event in read(text, {"name": "a"}).events] == ["a"]
    assert [event.service for event in read(text, [{"name": "a"}, "b"]).events] == ["a", "b"]


def test_one_bad_piece_costs_only_itself() -> None:
    text = mapping("  - {kind: alert.fired, time: at}", "each: items")
    found = read(text, {"items": [{"at": 1772359200}, {"at": "soon"}, {"at": 1772359300}]})
    assert (len(found.events), [refusal.reason for refusal in found.refusals]) == (2, [Rejected.BAD_TIME])


def test_a_body_that_takes_too_many_steps_is_refused_from_there_on() -> None:
    many = "[" + ", ".join(["join('-', keys(@))"] * 20) + "]"
    text = mapping(f'  - {{kind: alert.fired, labels: {{a: "{many}"}}}}')
    found = read(text, [{}] * (MOST_STEPS // 60))
    assert set(found.refused) == {Rejected.MAPPING_OVERRUN}
    assert found.events


def test_what_is_no_body_of_the_tool_is_refused_and_an_unknown_state_is_not() -> None:
    (refusal,) = read(mapping(DOWN), {"receiver": "x", "alerts": []}).refusals
    assert refusal.reason is Rejected.NOT_AN_EVENT
    assert "receiver, alerts" in refusal.detail
    (skipped,) = read(mapping(DOWN), {"state": "paused"}).skipped
    assert skipped.reason is Ignored.UNKNOWN_TYPE
    assert "'paused'" in skipped.detail


def test_identity_is_the_declared_parts_or_a_hash_of_the_meaning() -> None:
    text = mapping("  - {kind: alert.fired, id: [id, at]}", "volatile: [attempt]")
    assert event(text, {"id": 7, "at": "now"}).id == "7/now/alert.fired"
    first, retry = event(text, {"id": 7, "attempt": 1}), event(text, {"attempt": 2, "id": 7})
    assert first.id == retry.id
    assert first.id != event(text, {"id": 8}).id


def test_without_a_time_and_an_id_the_same_body_on_another_day_is_news() -> None:
    tool = tool_from(mapping("  - {kind: alert.fired}"))
    days = [Instant(RECEIVED_AT + hours * 3_600_000_000) for hours in (0, 1, 24)]
    one, hour_later, day_later = (read_as(tool, "tool", b"{}", {}, at).events[0].id for at in days)
    assert one == hour_later != day_later


def test_fields_of_an_event_come_before_those_of_all_and_null_takes_one_away() -> None:
    own = "service: own, title: null, labels: {a: null, b: y}"
    text = mapping(
        f"  - {{kind: alert.fired, when: {{state: down}}, {own}}}\n  - {{kind: alert.resolved}}",
        "fields: {service: app, title: text, labels: {a: x, c: z}}",
    )
    body = {"own": "o", "app": "p", "text": "t", "x": "1", "y": "2", "z": "3"}
    fired, resolved = event(text, body | {"state": "down"}), event(text, body)
    assert (fired.service, fired.title, fired.labels) == ("o", None, {"b": "2", "c": "3"})
    assert (resolved.service, resolved.title, resolved.labels) == ("p", "t", {"a": "1", "c": "3"})


def test_a_form_is_read_as_its_fields() -> None:
    found = event(
        mapping(DOWN + "\n  - {kind: alert.resolved, service: name}"),
        b"state=up&name=shop",
        {"content-type": "application/x-www-form-urlencoded"},
    )
    assert (found.kind, found.service) == ("alert.resolved", "shop")


def test_lines_of_json_are_pieces_and_a_bad_one_costs_only_itself() -> None:
    found = read(mapping(DOWN), b'{"state": "down", "n": 1}\n{"state": \n\n{"state": "down", "n": 2}\n')
    assert len(found.events) == 2
    assert found.refused == {Rejected.NOT_JSON: 1}


def test_a_handshake_is_answered() -> None:
    tool = tool_from(mapping(DOWN, "handshake: {when: {type: verify}, answer: {code: data.code}}"))
    assert tool.handshake(b'{"type": "verify", "data": {"code": 7}}', {}) == {"code": "7"}
    for body in (b'{"type": "verify"}', b'{"type": "other"}', b"[]", b"nonsense", b"\xff"):
        assert tool.handshake(body, {}) is None


def test_the_kinds_of_a_tool_are_those_that_its_mapping_can_give() -> None:
    tool = tool_from(mapping("  - kind: {path: s, words: {a: alert.fired, b: alert.resolved}}\n  - {kind: note.added}"))
    assert set(tool.kinds) == {"alert.fired", "alert.resolved", "note.added"}
