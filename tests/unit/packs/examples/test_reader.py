"""The examples of a rule: read with located errors, run through the engine, and reported with the reasons."""

from __future__ import annotations

import msgspec
import pytest

from monitor.located.nodes import Mapping, parse_located
from monitor.located.problems import Problems
from monitor.packs.examples.reader import Example, read_examples
from monitor.packs.examples.runner import Result, run_examples
from monitor.packs.language.grammar import read_rule
from monitor.packs.language.regex import make_regex
from tests.unit.packs.written import GOOD


def examples_of(text: str) -> tuple[tuple[Example, ...], list[str]]:
    problems = Problems()
    node = parse_located(text.encode(), "rule.yaml", problems)
    assert isinstance(node, Mapping)
    return read_examples(node.get("examples"), "page-and-fix", problems), [str(problem) for problem in problems]


def run(text: str) -> tuple[Result, ...]:
    problems = Problems()
    node = parse_located(text.encode(), "rule.yaml", problems)
    assert node is not None
    rule = read_rule(node, problems)
    assert rule is not None
    return run_examples([rule], examples_of(text)[0], make_regex)


def test_examples_pass_when_the_engine_does_what_they_say() -> None:
    drawn, none = run(GOOD)
    assert (drawn.passed, drawn.got) == (True, "draft, verdict unknown")
    assert (none.passed, none.got) == (True, "none: no_intervention")


@pytest.mark.parametrize(
    ("old", "new", "failure"),
    [
        ("    expect: draft", "    expect: none", "a draft stands"),
        ("    expect: draft", "    expect: draft\n    verdict: none", "the verdict is unknown"),
        ("    expect: draft", "    expect: draft\n    title: Something else", "the title is"),
        ("    expect: none\n    reason: no_intervention", "    expect: draft", "no draft stands"),
        ("reason: no_intervention", "reason: drill", "the reason is no_intervention, not drill"),
    ],
)
def test_a_failed_example_says_what_came_instead(old: str, new: str, failure: str) -> None:
    failed = [result for result in run(GOOD.replace(old, new)) if not result.passed]
    assert len(failed) == 1
    assert failure in failed[0].failure


def test_the_reasons_name_the_events_that_they_are_about() -> None:
    *_, none = run(GOOD)
    assert none.reasons == ("no_intervention: no matching intervention within the window (e1)",)


def test_a_rule_in_shadow_mode_is_tried_as_if_it_were_live() -> None:
    assert all(result.passed for result in run(GOOD.replace("settle: 5m", "mode: shadow")))


def test_examples_of_rules_that_are_not_there_are_left_out() -> None:
    examples, _ = examples_of(GOOD)
    other = [msgspec.structs.replace(example, rule="gone") for example in examples]
    assert run_examples([], other, make_regex) == ()


def test_events_may_leave_id_and_source_away_and_times_are_relative() -> None:
    (drawn, _), problems = examples_of(GOOD)
    assert problems == []
    assert [event.id for event in drawn.events] == ["e5", "e4", "e3", "e1", "e2"]
    assert drawn.events[-1].time - drawn.events[-2].time == 5 * 60 * 1_000_000
    assert drawn.events[-1].labels == {"k8s_cluster": "c"}


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("  - name: nobody acted\n", "  - about: x\n", "error: an example has no key 'about'"),
        ("    expect: none", "    expect: nothing", "error: expect is 'nothing'"),
        ("reason: no_intervention", "reason: because", "error: reason is 'because'"),
        ("    expect: none\n    reason", "    expect: draft\n    reason", "error: a reason goes with `expect: none`"),
        ("    reason: no_intervention", "    verdict: none", "error: verdict goes with `expect: draft`"),
        ("- name: nobody acted", "- name: restarted in time", "error: two examples are named 'restarted in time'"),
        ("{time: -1d, kind: alert.silenced, service: api}", "{time: -1d, kind: alert.silent}", "unknown_kind"),
        ("{time: -1d, kind: alert.silenced, service: api}", "{time: -1 day, kind: alert.silenced}", "bad_time"),
        ("{time: -1d, kind: alert.silenced, service: api}", "{kind: alert.silenced}", "missing_field"),
        ("{time: -1d, kind: alert.silenced, service: api}", "nothing", "error: an event is 'nothing'"),
        (
            "{time: -1d, kind: alert.silenced, service: api}",
            "{time: -1d, until: +1h, kind: note.added}",
            "every is None",
        ),
        (
            "{time: -1d, kind: alert.silenced, service: api}",
            "{time: -1d, id: e1, kind: note.added}",
            "two different events",
        ),
        ("reason: no_intervention", "catalogue: {services: [a]}", "error: a catalogue has no key 'services'"),
        (
            "reason: no_intervention",
            "catalogue: {user_facin: [a]}",
            "36:17: error: a catalogue has no key 'user_facin'; expected one of automation, depends_on, hours, prod",
        ),
        ("reason: no_intervention", "catalogue: x", "error: catalogue is 'x'"),
    ],
)
def test_each_mistake_is_told_where_it_stands(old: str, new: str, told: str) -> None:
    assert GOOD.count(old) == 1, old
    _, problems = examples_of(GOOD.replace(old, new))
    assert any(told in problem for problem in problems), problems
    assert all(not problem.startswith("rule.yaml:0:") for problem in problems)
