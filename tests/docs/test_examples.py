"""What pages show is what happens: files that they write, commands that they type, and the answers to those.

A fenced block that names a file after its language is written there; a `diff` block changes one; a `console` block is
typed line by line, and what stands below each command is what it has to answer (`…` is whatever comes). A whole rule
on a page has no problem, and its examples pass.
"""

from __future__ import annotations

import re
import shlex
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner

from monitor.cli.case_files import load_case
from monitor.cli.main import cli
from monitor.lab.evaluate import run_case
from monitor.packs.examples.runner import run_examples
from monitor.packs.language.regex import make_regex
from monitor.packs.rules.loader import load_rules
from monitor.packs.rules.shipped import shipped_rules
from tests.architecture.files import text, tracked
from tests.support.shipped import read_shipped

FENCE = re.compile(r"^```(?P<language>\w+)(?: (?P<file>\S+))?\n(?P<body>.*?)^```$", re.DOTALL | re.MULTILINE)
PAGES = [path for path in tracked() if path.suffix == ".md" and path.parts[0] == "docs"]
TYPED = [page for page in PAGES if "\n$ nearmiss " in (text(page) or "")]
RULES = [
    pytest.param(found["body"], id=f"{page}:{number}")
    for page in PAGES
    for number, found in enumerate(FENCE.finditer(text(page) or ""), 1)
    if found["language"] == "yaml" and not found["file"] and re.search(r"^rule: ", found["body"], re.MULTILINE)
]
SHAPES = [page for page in PAGES if page.parts[:3] == ("docs", "how-to", "rules")]


def commands(body: str) -> Iterator[tuple[str, str]]:
    """Each command of a console block, and what stands below it."""
    for piece in re.split(r"^\$ ", body, flags=re.MULTILINE)[1:]:
        command, _, answer = piece.partition("\n")
        yield command, answer


def matches(expected: str, got: str) -> bool:
    """Line by line, apart from blanks at the ends of lines; `…` alone on a line is any number of lines."""
    parts = []
    for line in expected.strip("\n").splitlines():
        if line.strip() == "…":
            parts.append(r"(?:.*\n)*?")
        else:
            parts.append(".*".join(map(re.escape, line.rstrip().split("…"))) + r"[ ]*\n")
    return re.fullmatch("".join(parts), got.strip("\n") + "\n" if got else "") is not None


def answer(command: str) -> str:
    name, *arguments = shlex.split(command)
    if (name, arguments[0]) == ("cp", "-r"):
        shutil.copytree(arguments[1], arguments[2])
        return ""
    assert name == "nearmiss", f"a page may type commands of ours only, and `cp -r`, not {command}"
    result = CliRunner().invoke(cli, arguments, prog_name="nearmiss")
    assert result.exception is None or isinstance(result.exception, SystemExit), command
    return result.output


def change(file: Path, body: str) -> None:
    """Lines that begin with a minus become those that begin with a plus."""
    old = "".join(line[1:] for line in body.splitlines(keepends=True) if line[0] in " -")
    new = "".join(line[1:] for line in body.splitlines(keepends=True) if line[0] in " +")
    before = file.read_text(encoding="utf-8")
    assert before.count(old) == 1, f"{file} has no such lines:\n{old}"
    file.write_text(before.replace(old, new), encoding="utf-8")


@pytest.mark.parametrize("page", TYPED, ids=str)
def test_a_page_can_be_followed_step_by_step(page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "80")
    for block in FENCE.finditer(text(page) or ""):
        if block["language"] == "console":
            for command, expected in commands(block["body"]):
                got = answer(command)
                assert matches(expected, got), f"$ {command}\n{got}"
        elif block["language"] == "diff":
            change(tmp_path / block["file"], block["body"])
        elif block["file"]:
            file = tmp_path / block["file"]
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(block["body"], encoding="utf-8")


@pytest.mark.parametrize("rule", RULES)
def test_a_rule_on_a_page_has_no_problem_and_its_examples_pass(rule: str, tmp_path: Path) -> None:
    (tmp_path / "rule.yaml").write_text(rule, encoding="utf-8")
    loaded = load_rules(tmp_path)
    assert [str(problem) for problem in loaded.problems] == []
    results = run_examples(loaded.rules, loaded.examples, make_regex)
    assert [result.comparison for result in results if not result.passed] == []


@pytest.mark.parametrize("page", SHAPES, ids=str)
def test_a_page_about_a_shape_has_a_rule_with_traps_and_is_linked(page: Path) -> None:
    said = text(page) or ""
    assert "\nrule: " in said
    assert "expect: draft" in said
    assert "expect: none" in said
    assert f"](rules/{page.name})" in (text(Path("docs/how-to/write-a-rule.md")) or "")
    for name in re.findall(r"`rules/([\w/-]+\.yaml)`", said):
        assert (shipped_rules() / name).is_file()


def test_the_case_to_begin_with_is_found(tmp_path: Path) -> None:
    page = text(Path("docs/how-to/measure-rules.md")) or ""
    written = next(block["body"] for block in FENCE.finditer(page) if block["body"].startswith("id: "))
    (tmp_path / "case.yaml").write_text(written, encoding="utf-8")
    loaded = load_case(tmp_path / "case.yaml")
    assert loaded.problems == ()
    assert loaded.case is not None
    judged = run_case(loaded.case, read_shipped(), make_regex).judged
    assert (judged.found, judged.well_cited) == (True, True)


@pytest.mark.parametrize(
    ("expected", "got", "same"),
    [
        ("a …\nb", "a 1\nb\n", True),
        ("a\n…\nb", "a\n1\n2\nb\n", True),
        ("a\n…\nb", "a\nb\n", True),
        ("a", "a\nb\n", False),
        ("a.", "ab\n", False),
    ],
)
def test_dots_stand_for_whatever_comes(expected: str, got: str, same: bool) -> None:
    assert matches(expected, got) is same
