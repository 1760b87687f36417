"""Every file of the project: not too long, introduced by a sentence, and without words that lead out of it."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from tests.architecture.files import ROOT, python, text, tracked

LONGEST = 450
GENERATED = {"requirements.lock", "requirements-dev.lock"}
"""Written by a tool; as long as it gets."""

# Spelled in parts, so that this file does not find itself.
FORBIDDEN = {
    "a package index": r"(?i)py" + r"pi\.org|files\.python" + r"hosted\.org|repo1?\.maven\.(apache\.)?" + r"org/maven2",
    "an index option": r"(?i)--(extra-)?index" + r"-url|--trusted" + r"-host|--find" + r"-links",
    "a path of one machine": r"/wo" + r"rk/|/ho" + r"me/[a-z]|/Us" + r"ers/|/ro" + r"ot/\.",
    "a helper of ours": r"(?i)\bcla" + r"ude\b|\bchat" + r"gpt\b|\bcopi" + r"lot\b|anthro" + r"pic",
}
ALLOWED = {
    (".ci/run", "material beside us"): "continuous integration finds the sample material there",
}
SAID_ELSEWHERE = {"material beside us": r"\.\./sha" + r"red"}


def found(path: Path) -> list[str]:
    words = text(path) or ""
    return [what for what, pattern in (FORBIDDEN | SAID_ELSEWHERE).items() if re.search(pattern, words)]


def test_no_file_speaks_of_anything_outside_of_the_project() -> None:
    seen = {(str(path), what) for path in tracked() for what in found(path)}
    assert seen - set(ALLOWED) == set()
    assert set(ALLOWED) - seen == set(), "exceptions that are no longer needed"


@pytest.mark.parametrize("path", python("monitor", "tests", "scripts"), ids=str)
def test_a_module_is_introduced_and_not_too_long(path: Path) -> None:
    source = text(path) or ""
    length = len(source.splitlines())
    assert length <= LONGEST, "it does more than one thing"
    if path.parts[0] == "monitor":
        sentence = ast.get_docstring(ast.parse(source)) or ""
        assert sentence, "a module begins with what it decides or does, and what it must not know"


def test_no_other_file_is_too_long_for_a_person_either() -> None:
    long = [
        str(path)
        for path in tracked()
        if path.suffix in (".sh", ".yml", ".yaml", ".toml", ".css", ".js", ".html")
        and len((text(path) or "").splitlines()) > LONGEST
    ]
    assert long == []


def test_generated_files_are_the_ones_that_are_there() -> None:
    assert all((ROOT / name).is_file() for name in GENERATED)


@pytest.mark.parametrize("path", python("monitor"), ids=str)
def test_exceptions_to_rules_carry_a_reason(path: Path) -> None:
    """Beside the exception, or in a comment on the line above it."""
    above = ""
    for number, line in enumerate((text(path) or "").splitlines(), 1):
        for mark in re.finditer(r"#\s*(noqa|type: ignore)(:?\s*\S+?\]?)?(?P<rest>$|\s.*$)", line):
            said = above.strip().startswith("#") or len(mark["rest"].strip(" #-:")) >= 8
            assert said, f"{path}:{number}: say why beside the exception"
        above = line


LONGEST_CLASS = 200


def test_a_class_does_one_thing() -> None:
    long = {
        node.name
        for path in python("monitor")
        for node in ast.walk(ast.parse(text(path) or ""))
        if isinstance(node, ast.ClassDef) and (node.end_lineno or 0) - node.lineno + 1 > LONGEST_CLASS
    }
    assert long == set(), "it does more than one thing"
