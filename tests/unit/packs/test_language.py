"""What the language can say, each by a small rule whose examples show where it holds and where it does not."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from monitor.packs.example_run import run_examples
from monitor.packs.examples import read_examples
from monitor.packs.grammar import read_rule
from monitor.packs.located import Mapping, parse_located
from monitor.packs.problems import Problems
from monitor.packs.regex import make_regex

HEAD = """\
rule: said
title: "{hazard.kind_words} on {service}"
family: oops
"""


def failures(text: str) -> Iterator[str]:
    """What is wrong with a rule (without its head) and its examples."""
    problems = Problems()
    node = parse_located((HEAD + text).encode(), "said.yaml", problems)
    assert isinstance(node, Mapping)
    rule = read_rule(node, problems)
    examples = read_examples(node.get("examples"), "said", problems)
    yield from map(str, problems)
    if rule is not None:
        assert len({example.expect for example in examples}) == 2, "an example that holds, and one that does not"
        for result in run_examples([rule], examples, make_regex):
            if not result.passed:
                yield f"{result.example.name}: {result.failure}; {result.reasons}"


def wrong(text: str) -> list[str]:
    problems = Problems()
    node = parse_located((HEAD + text).encode(), "said.yaml", problems)
    assert node is not None
    assert read_rule(node, problems) is None
    return [str(problem) for problem in problems]


ITSELF = """\
correlate: [service]
hazard:
  kind: change.blocked
intervention: {itself: true, where: {derived.actor: automation}}
steps:
  again: {kind: change.blocked, since: intervention - 1d, until: intervention, at_least: 2}
examples:
  - name: a guard refuses twice
    expect: draft
    title: Blocked on db
    events:
      - {time: +0s, kind: change.blocked, service: db, subject: a, actor: {id: guard, kind: automation}}
      - {time: +1h, kind: change.blocked, service: db, subject: b, actor: {id: guard, kind: automation}}
  - name: one after the other, in one episode
    expect: draft
    events:
      - {time: +0s, kind: change.blocked, service: db, actor: {id: guard, kind: automation}}
      - {time: +1h, kind: change.blocked, service: db, actor: {id: guard, kind: automation}, every: 5m, until: +2h}
  - name: once is not enough
    expect: none
    reason: condition_not_met
    events:
      - {time: +0s, kind: change.blocked, service: db, actor: {id: guard, kind: automation}}
  - name: a person stopped it, not the guard
    expect: none
    reason: no_intervention
    events:
      - {time: +0s, kind: change.blocked, service: db, actor: {id: p, kind: human}}
      - {time: +1h, kind: change.blocked, service: db, actor: {id: p, kind: human}}
  - name: of two events neither is the intervention of the other
    expect: none
    events:
      - {time: +0s, kind: change.blocked, service: db, actor: {id: p, kind: human}}
      - {time: +1m, kind: change.blocked, service: api, actor: {id: guard, kind: automation}}
  - name: an exercise
    expect: none
    reason: drill
    events:
      - {time: +0s, kind: change.blocked, service: db, actor: {id: guard, kind: automation}, labels: {drill: "true"}}
      - {time: +1h, kind: change.blocked, service: db, actor: {id: guard, kind: automation}, labels: {drill: "true"}}
"""


@pytest.mark.parametrize("text", [pytest.param(ITSELF, id="its-own-intervention")])
def test_a_rule_says_what_it_means(text: str) -> None:
    assert list(failures(text)) == []


@pytest.mark.parametrize(
    ("key", "told"),
    [
        ("within: 1h", "within relates two events, and with `itself: true` there is only one"),
        ("services: any", "services relates two events"),
        ("same: subject", "same relates two events"),
        ("kind: change.held", "no kind of the intervention is one of the hazard"),
        ("itself: yes", "itself is 'yes'; expected true or false"),
    ],
)
def test_its_own_intervention_has_nothing_to_be_related_to(key: str, told: str) -> None:
    written = key if key.startswith("itself") else f"itself: true, {key}"
    problems = wrong(f"hazard: {{kind: change.blocked}}\nintervention: {{{written}}}\n")
    assert any(told in problem and problem.startswith("said.yaml:5:") for problem in problems), problems
