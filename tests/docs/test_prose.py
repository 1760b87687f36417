"""The prose linter finds a banned phrase wherever a person reads it, and the project has none."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from scripts import prose


def test_the_project_has_no_banned_phrase() -> None:
    assert [str(hit) for hit in prose.find()] == [], "make lint"


@pytest.mark.parametrize(
    ("words", "phrase"),
    [
        ("What was lost is told by the log", "is told"),
        ("Whoever logs in\nappears as on-call", "Whoever"),
        ("The topic is\ncarried over", "carried over"),
        ("The cause was mended", "mended"),
        ("Drafts are taken back", "are taken back"),
        ("It goes by the catalogue", "goes by"),
        ("the file lies there", "lies there"),
        ("read it anew", "anew"),
        ("a roll-out failed", "roll-out"),
        ("somebody acted", "somebody"),
        ("The clock stands still", "stands still"),
        ("no “x”, as the rule asks", "as the rule asks"),
    ],
)
def test_a_phrase_that_returns_is_found(words: str, phrase: str) -> None:
    assert phrase in [found for _, found, _ in prose.check(words)]


@pytest.mark.parametrize("words", ["the person on call", "it relies on x", "amended later", "a recommended rollback"])
def test_plain_english_is_left_alone(words: str) -> None:
    assert list(prose.check(words)) == []


def test_texts_are_literals_and_help_but_not_identifiers_or_comments() -> None:
    """Docstrings count in the packages that have been brought into plain English."""
    source = '"""Whoever."""\n# whoever\nwhoever = "mended"\ndef f() -> None:\n    """Anew."""\n'
    tree = ast.parse(source)
    assert [text for _, text in prose.literals(Path("monitor/chat/x.py"), tree)] == ["mended"]
    assert {text for _, text in prose.literals(Path("monitor/core/x.py"), tree)} == {"Whoever.", "mended", "Anew."}
    helped = ast.parse('@command\ndef f() -> None:\n    """Anew."""\n')
    assert [text for _, text in prose.literals(Path("monitor/cli/x.py"), helped)] == ["Anew."]


def test_of_a_rule_the_title_description_and_questions_count() -> None:
    rule = 'rule: x\ntitle: "Mended"\nask:\n  - Whoever?\nlabels: {anew: 1}\n'
    assert [(line, text) for line, text in prose.rule_texts(rule) if text] == [(2, "Mended"), (3, "Whoever?")]
