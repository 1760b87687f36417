"""The reference page of the rule language: its examples load, and it names everything that there is."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from monitor.core.deciding.headline import TITLE_FIELDS
from monitor.core.matching.facts import DERIVED as COMPUTED
from monitor.core.model.conditions import fields_of
from monitor.core.model.rule import Rule
from monitor.located.nodes import Mapping, parse_located
from monitor.located.problems import Problems
from monitor.packs.examples.reader import EXAMPLE_KEYS
from monitor.packs.examples.runner import run_examples
from monitor.packs.language.conditions import GROUPS, OPERATORS, read_where
from monitor.packs.language.keys import BETWEEN_KEYS, RULE_KEYS
from monitor.packs.language.regex import make_regex
from monitor.packs.language.schema import DERIVED
from monitor.packs.rules.loader import load_rules
from monitor.packs.rules.shipped import shipped_rules
from tests.support.shipped import read_shipped

REFERENCE = Path(__file__).resolve().parents[2] / "docs" / "reference"
PAGE = (REFERENCE / "rules.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)
WHOLE = [block for block in BLOCKS if block.startswith("rule:")]
FRAGMENTS = [block for block in BLOCKS if not block.startswith("rule:")]


@pytest.mark.parametrize("text", WHOLE)
def test_whole_rules_load_and_their_examples_pass(text: str, tmp_path: Path) -> None:
    (tmp_path / "rule.yaml").write_text(text, encoding="utf-8")
    loaded = load_rules(tmp_path)
    assert [str(problem) for problem in loaded.problems] == []
    results = run_examples(loaded.rules, loaded.examples, make_regex)
    assert [result.failure for result in results] == ["", ""]


@pytest.mark.parametrize("text", FRAGMENTS)
def test_fragments_fit_into_a_rule(text: str, tmp_path: Path) -> None:
    whole = WHOLE[0][: WHOLE[0].index("steps:")]
    if text.startswith("where:"):
        problems = Problems()
        node = parse_located(text.encode(), "page", problems)
        assert isinstance(node, Mapping)
        where = node.get("where")
        assert where is not None
        assert read_where(where, problems) is not None
        assert list(problems) == []
        return
    (tmp_path / "rule.yaml").write_text(whole + text, encoding="utf-8")
    assert load_rules(tmp_path).errors == ()


def test_the_page_names_everything_that_there_is() -> None:
    words = {*RULE_KEYS, *BETWEEN_KEYS, *EXAMPLE_KEYS, *OPERATORS, "within", "at_least", "at_most", "optional"}
    words |= {"hold", "through", "evidence", *(f"derived.{name}" for name in DERIVED)}
    assert {word for word in words if f"`{word}`" not in PAGE} == set()
    assert {group for group in GROUPS if f"`{group}: " not in PAGE} == set()
    assert {field for field in TITLE_FIELDS if "." not in field and f"`{{{field}}}`" not in PAGE} == set()


def test_the_language_knows_every_fact_that_the_engine_computes() -> None:
    assert set(DERIVED) == set(COMPUTED)


def test_the_readme_lists_every_rule_with_its_pattern() -> None:
    readme = (shipped_rules() / "README.md").read_text(encoding="utf-8")
    rules = read_shipped()
    for rule in rules:
        assert f"| [{rule.name}]({rule.family}/{rule.name}.yaml) | {rule.pattern} |" in readme
    assert len(re.findall(r"^\| \[", readme, re.MULTILINE)) == len(rules)


def test_the_page_of_the_format_names_every_label_that_a_shipped_rule_reads() -> None:
    """With the patterns that read it: whoever sends events learns there what a rule looks for."""
    rows: dict[str, str] = {}
    for row in (REFERENCE / "events.md").read_text(encoding="utf-8").splitlines():
        if row.startswith("| `"):
            rows |= dict.fromkeys(re.findall(r"`(\w+)`", row.split("|")[1]), row)
    untold = {
        name: rule.pattern
        for rule in read_shipped()
        for name in labels_of(rule)
        if name not in ("version", "impact") and rule.pattern not in rows.get(name, "")
    }
    assert untold == {}


def labels_of(rule: Rule) -> set[str]:
    """The labels that conditions, relations and the correlation read."""
    pairs = [*rule.intervention.pairs, *(pair for clause in rule.clauses for pair in clause.pairs)]
    fields = {*rule.correlate, *(pair.hazard for pair in pairs), *(pair.theirs for pair in pairs)}
    fields = fields.union(*(fields_of(step.where) for step in rule.steps()))
    return {name.removeprefix("labels.") for name in fields if name.startswith("labels.")}
