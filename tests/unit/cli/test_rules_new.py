"""`nearmiss rules new`: a working rule in one command, and never at the cost of one that is there."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from monitor.cli.rules import group
from monitor.packs.rules.loader import load_rules
from monitor.packs.rules.scaffold import FAMILIES
from tests.support.shipped import read_shipped

SHIPPED = [rule.name for rule in read_shipped()]


def run(*arguments: str | Path) -> Result:
    return CliRunner().invoke(group, [str(argument) for argument in arguments])


@pytest.mark.parametrize("family", FAMILIES)
def test_a_new_rule_of_every_family_is_clean_and_its_examples_pass(family: str, tmp_path: Path) -> None:
    made = run("new", "try-it", "--family", family, "--pattern", "P99", "--dir", tmp_path)
    assert (made.exit_code, made.stdout) == (0, f"{tmp_path}/{family}/try-it.yaml\n")
    assert "examples pass, in shadow mode" in made.stderr
    checked = run("check", tmp_path)
    assert (checked.exit_code, checked.stdout) == (0, "")
    assert run("test", tmp_path).exit_code == 0
    (rule,) = load_rules(tmp_path).rules
    assert (rule.name, rule.family, rule.pattern, rule.mode) == ("try-it", family, "P99", "shadow")


@pytest.mark.parametrize("like", SHIPPED)
def test_a_copy_of_every_shipped_rule_works_under_its_new_name(like: str, tmp_path: Path) -> None:
    assert run("new", "try-it", "--like", like, "--dir", tmp_path).exit_code == 0
    assert run("check", tmp_path).exit_code == 0
    assert run("test", tmp_path).exit_code == 0
    (rule,) = load_rules(tmp_path).rules
    assert (rule.name, rule.mode) == ("try-it", "shadow")


def test_a_copy_may_go_to_another_family(tmp_path: Path) -> None:
    made = run(
        "new", "try-it", "--like", "flag-flipped-back", "--family", "margin", "--pattern", "P01", "--dir", tmp_path
    )
    assert made.stdout == f"{tmp_path}/margin/try-it.yaml\n"
    (rule,) = load_rules(tmp_path).rules
    assert (rule.family, rule.pattern) == ("margin", "P01")


def test_a_rule_of_the_directory_can_be_copied(tmp_path: Path) -> None:
    run("new", "first", "--dir", tmp_path)
    assert run("new", "second", "--like", "first", "--dir", tmp_path).exit_code == 0
    assert [rule.name for rule in load_rules(tmp_path).rules] == ["first", "second"]


def test_nothing_is_overwritten(tmp_path: Path) -> None:
    run("new", "try-it", "--dir", tmp_path)
    file = tmp_path / "oops" / "try-it.yaml"
    before = file.read_text(encoding="utf-8")
    again = run("new", "try-it", "--family", "margin", "--dir", tmp_path)
    assert again.exit_code == 1
    assert "there is a rule 'try-it' already" in again.stderr
    file.write_text("# mine\n", encoding="utf-8")
    assert run("new", "try-it", "--dir", tmp_path).exit_code == 1
    assert file.read_text(encoding="utf-8") == "# mine\n"
    assert before.startswith("# Someone")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["Try It"], "cannot be a name"),
        (["try-it", "--like", "flag-fliped-back"], "did you mean flag-flipped-back?"),
        (["try-it", "--pattern", "a: b"], "cannot be a pattern"),
        (["try-it", "--family", "other"], "is not one of"),
    ],
)
def test_wrong_usage_writes_nothing(arguments: list[str], said: str, tmp_path: Path) -> None:
    result = run("new", *arguments, "--dir", tmp_path / "rules")
    assert result.exit_code == 2
    assert said in result.stderr
    assert not (tmp_path / "rules").exists()
