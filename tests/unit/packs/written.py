"""A rule that is right, for tests that spoil it."""

from __future__ import annotations

from monitor.core.model.rule import Rule
from monitor.located.nodes import Mapping, parse_located
from monitor.located.problems import Problem, Problems
from monitor.packs.advice.lint import lint
from monitor.packs.examples.reader import read_examples
from monitor.packs.language.grammar import read_rule

GOOD = """\
rule: page-and-fix
title: "{hazard.title} on {service}: {intervention.kind_words} after {elapsed} ({margin})"
family: margin
hazard:
  kind: alert.fired
  where:
    severity: {at_least: high}
    not: {labels.drill: {present: true}}
intervention:
  kind: [change.restarted, change.scaled]
  where: {derived.actor: human}
  within: 30m
  services: related
  same: [subject, {labels.k8s_cluster: labels.cluster}]
steps:
  seen: {kind: alert.acknowledged, same: [subject], optional: true}
  often: {kind: alert.silenced, since: intervention - 14d, until: intervention, at_least: 3}
absent:
  page: {kind: responder.paged, since: hazard - 30m, until: hazard}
settle: 5m
impact: {hold: 2h, through: expires_at, evidence: [synthetic, slo]}
margin: elapsed
ask: ["How did you notice?", "What would have happened next?"]
examples:
  - name: restarted in time
    expect: draft
    events:
      - {time: +0s, kind: alert.fired, service: api, subject: a, severity: high, labels: {cluster: c}}
      - {time: +5m, kind: change.restarted, service: api, subject: a, labels: {k8s_cluster: c},
         actor: {id: x, kind: human}}
      - {time: -1d, kind: alert.silenced, service: api}
      - {time: -2d, kind: alert.silenced, service: api}
      - {time: -3d, kind: alert.silenced, service: api}
  - name: nobody acted
    expect: none
    reason: no_intervention
    events:
      - {time: +0s, kind: alert.fired, service: api, subject: a, severity: high, labels: {cluster: c}}
"""


def read(text: str) -> tuple[Rule | None, list[Problem]]:
    """The rule of a text and its problems."""
    problems = Problems()
    node = parse_located(text.encode(), "rule.yaml", problems)
    rule = None if node is None else read_rule(node, problems)
    return rule, list(problems)


def load(body: bytes) -> tuple[Rule | None, list[Problem]]:
    """What the loader makes of a whole file: the rule, and the problems of it, of its examples, and of its meaning."""
    problems = Problems()
    node = parse_located(body, "fuzz.yaml", problems)
    if node is None:
        return None, list(problems)
    rule = read_rule(node, problems)
    examples = read_examples(node.get("examples") if isinstance(node, Mapping) else None, "fuzz", problems)
    if rule is not None:
        lint(rule, examples, node, problems)
    return rule, list(problems)


def spoilt(old: str, new: str) -> list[Problem]:
    """The problems of the good rule with one text replaced."""
    assert GOOD.count(old) == 1, old
    rule, problems = read(GOOD.replace(old, new))
    assert rule is None or not any(problem.is_error for problem in problems)
    return problems
