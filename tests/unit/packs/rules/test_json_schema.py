"""The JSON Schema of the language: what the grammar takes it takes, and what the grammar refuses it mostly refuses."""

from __future__ import annotations

import json
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from monitor.located.files import find_files
from monitor.located.nodes import parse_located, plain, read_located
from monitor.located.problems import Problems
from monitor.packs.rules.json_schema import DIALECT, schema
from monitor.packs.rules.shipped import shipped_rules
from tests.unit.packs.language.test_language import BEFORE_OPENING, HEAD, IN_TIME, ITSELF
from tests.unit.packs.written import GOOD

VALIDATOR: Any = import_module("jsonschema").Draft202012Validator  # it carries no types
FILES = find_files(shipped_rules(), Problems())


def complaints(data: object) -> list[str]:
    return [error.json_path for error in VALIDATOR(schema()).iter_errors(data)]


def written(text: str) -> Any:
    node = parse_located(text.encode(), "rule.yaml", Problems())
    assert node is not None
    return plain(node)


def test_it_is_a_schema_and_plain_json() -> None:
    VALIDATOR.check_schema(schema())
    assert schema()["$schema"] == DIALECT
    assert json.loads(json.dumps(schema())) == schema()


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_every_shipped_rule_is_valid(path: Path) -> None:
    node = read_located(path, Problems())
    assert node is not None
    assert complaints(plain(node)) == []


@pytest.mark.parametrize("text", [GOOD, HEAD + ITSELF, HEAD + IN_TIME, HEAD + BEFORE_OPENING])
def test_whatever_the_language_says_is_valid(text: str) -> None:
    assert complaints(written(text)) == []


@pytest.mark.parametrize(
    ("old", "new", "where"),
    [
        ("rule: page-and-fix", "rule: Page and fix", "$.rule"),
        ("rule: page-and-fix\n", "", "$"),
        ("family: margin", "familly: margin", "$"),
        ("family: margin", "family: margins", "$.family"),
        ("kind: alert.fired\n", "kind: alert.fire\n", "$.hazard.kind"),
        ("kind: alert.fired\n", "kind: []\n", "$.hazard.kind"),
        ("severity: {at_least: high}", "severity: {at_least: bad}", "$.hazard.where.severity"),
        ("severity: {at_least: high}", "severity: {}", "$.hazard.where.severity"),
        ("severity: {at_least: high}", "severty: high", "$.hazard.where"),
        ("severity: {at_least: high}", "derived.nothing: true", "$.hazard.where"),
        ("severity: {at_least: high}", "derived.trend: sideways", "$.hazard.where['derived.trend']"),
        ("severity: {at_least: high}", "expires_at: 2026-01-01T00:00:00Z", "$.hazard.where.expires_at"),
        ("severity: {at_least: high}", "derived.time_left: {below: soon}", "$.hazard.where['derived.time_left'].below"),
        ("severity: {at_least: high}", "value: {prefix: 9}", "$.hazard.where.value"),
        ("severity: {at_least: high}", "actor.on_call: {above: 1}", "$.hazard.where['actor.on_call']"),
        ("severity: {at_least: high}", "any: {severity: high}", "$.hazard.where.any"),
        ("within: 30m", "within: 30 minutes", "$.intervention.within"),
        ("  within: 30m\n", "", "$.intervention"),
        ("  within: 30m\n", "  within: 30m\n  itself: true\n", "$.intervention"),
        ("  within: 30m\n", "  within: 30m\n  before: severity\n", "$.intervention.before"),
        ("  within: 30m\n", "  within: 30m\n  spent: {at_least: 90}\n", "$.intervention.spent.at_least"),
        ("same: [subject,", "same: [derived.actor,", "$.intervention.same"),
        ("since: intervention - 14d", "since: intervention - week", "$.steps.often.since"),
        ("  page: {", "  page: {at_least: 1, ", "$.absent.page"),
        ("hold: 2h", "holds: 2h", "$.impact"),
        ("through: expires_at", "through: expiry", "$.impact.through"),
        ("margin: elapsed", "margin: {measure: elapsed}", "$.margin"),
        ("reason: no_intervention", "reason: none_at_all", "$.examples[1].reason"),
    ],
)
def test_mistakes_are_seen_where_they_are(old: str, new: str, where: str) -> None:
    assert GOOD.count(old) == 1
    assert where in complaints(written(GOOD.replace(old, new)))


def test_every_word_of_a_description_is_for_people() -> None:
    text = json.dumps(schema())
    assert "](#" not in text
    assert "`" not in text


def test_each_call_gives_its_own() -> None:
    schema()["properties"].clear()
    assert schema()["properties"]
