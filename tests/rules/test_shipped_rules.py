"""Every rule that comes with the program does what its examples say, and is written as we ask of rules."""

from __future__ import annotations

import re
from pathlib import Path

import msgspec
import pytest

from monitor.core.model.conditions import fields_of
from monitor.core.model.rule import Rule
from monitor.packs.examples.reader import Example
from monitor.packs.examples.runner import run_example
from monitor.packs.language.regex import make_regex
from monitor.packs.rules.loader import load_rules
from monitor.packs.rules.shipped import shipped_rules

LOADED = load_rules(shipped_rules())
BY_NAME = {rule.name: rule for rule in LOADED.rules}
FIRST_TWELVE = {"P01", "P02", "P06", "P09", "P11", "P13", "P19", "P21", "P30", "P33", "P34", "P35"}
WITHOUT_BODIES = {
    "bulk-job-stopped": "no tool says how far a job had come",
    "ceiling-approached": "the act has to name the very sequence or quota",
    "config-change-reverted": "tools say of a merge what it reverts, not of a setting",
    "notice-acted-on-late": "the act has to name the subject of the notice",
    "renewed-at-the-last-moment": "no tool says until when the one before was valid",
    "same-near-miss-again": "it needs a draft of another rule before",
    "scaled-to-the-ceiling": "no autoscaler says that it is at its maximum",
    "setting-put-back-after-a-sign": "no tool says of a setting what it became",
    "staging-failure-fixed-in-production": "no tool names the same thing in both environments",
}
"""Rules that only an organisation's own senders can meet so far, and what no known tool says."""


def test_all_rules_load_without_a_word() -> None:
    assert [str(problem) for problem in LOADED.problems] == []


def test_the_first_twelve_patterns_are_covered() -> None:
    assert {rule.pattern for rule in LOADED.rules} >= FIRST_TWELVE


@pytest.mark.parametrize("example", LOADED.examples, ids=lambda example: f"{example.rule}: {example.name}")
def test_an_example_comes_out_as_its_author_says(example: Example) -> None:
    result = run_example(BY_NAME[example.rule], example, make_regex)
    assert result.passed, "\n".join([result.failure, *result.reasons])


@pytest.mark.parametrize("rule", LOADED.rules, ids=lambda rule: rule.name)
def test_a_rule_is_written_as_we_ask(rule: Rule) -> None:
    place = LOADED.places[rule.name]
    assert place.file.endswith(f"/{rule.name}.yaml"), "one rule a file, named as the rule"
    assert f"/{rule.family}/" in place.file, "in the directory of its family"
    expected = [example.expect for example in LOADED.examples if example.rule == rule.name]
    assert expected.count("draft") >= 2
    assert expected.count("none") >= 2
    assert 2 <= len(rule.ask) <= 4
    assert re.fullmatch(r"P\d\d", rule.pattern)
    assert rule.description
    assert rule.generic == (rule.pattern == "P30"), "only the catch-all is generic"


@pytest.mark.parametrize("rule", LOADED.rules, ids=lambda rule: rule.name)
def test_a_rule_has_an_example_of_bodies_as_tools_send_them(rule: Rule) -> None:
    written = Path(LOADED.places[rule.name].file).read_text(encoding="utf-8")
    assert ("\n    bodies:\n" in written) is (rule.name not in WITHOUT_BODIES)


@pytest.mark.parametrize("rule", LOADED.rules, ids=lambda rule: rule.name)
def test_routine_work_is_no_answer_and_is_said_by_one_fact(rule: Rule) -> None:
    read = frozenset[str]().union(*(fields_of(step.where) for step in rule.steps()))
    assert not read & {"derived.scheduled", "labels.planned", "labels.rolling"}
    act = rule.hazard if rule.intervention.itself else rule.intervention.step
    refused = {"change.blocked"}
    if any(kind.startswith("change.") for kind in act.kinds - refused):
        assert "derived.routine" in fields_of(act.where)


@pytest.mark.parametrize("rule", LOADED.rules, ids=lambda rule: rule.name)
def test_matching_reads_no_words_that_are_meant_for_people(rule: Rule) -> None:
    steps = (rule.hazard, rule.intervention.step, *(clause.step for clause in rule.clauses))
    read = frozenset().union(*(fields_of(step.where) for step in steps))
    assert not read & {"title", "service", "id", "source", "url", "actor.id"} - {"actor.id"}
    written = msgspec.json.encode(steps).decode()
    assert not re.search(r"(?<!\d)20\d\d(?!\d)", written), "no dates in a rule"
