"""Checks that a rule silences: by id, with a reason, and only as long as there is something to silence."""

from __future__ import annotations

from pathlib import Path

import pytest

from monitor.located.checks import MEANINGS, Check
from monitor.packs.advice.unsendable import find_unsendable
from monitor.packs.advice.vocabulary import shipped_vocabulary
from monitor.packs.language.silences import SILENCEABLE
from monitor.packs.rules.loader import load_rules
from tests.unit.packs.written import GOOD

SEVERITY = "    severity: {at_least: high}\n"
TITLE = GOOD.replace(
    "    severity: {at_least: high}\n", "    severity: {at_least: high}\n    title: {contains: [disk]}\n"
)

UNSENDABLE = """\
rule: red-gate
title: "{{hazard.title}} on {{service}}"
family: oops
hazard: {{kind: alert.fired, where: {{severity: high}}}}
intervention: {{kind: change.ran, where: {{{}}}, within: 1h}}
"""


def told(tmp_path: Path, text: str) -> list[str]:
    file = tmp_path / "rule.yaml"
    file.write_text(text, encoding="utf-8")
    return [str(problem).removeprefix(f"{file}:") for problem in load_rules(file).problems]


def test_a_warning_names_its_check(tmp_path: Path) -> None:
    (warning,) = told(tmp_path, TITLE)
    assert warning.endswith("[NM105]")


def test_a_silence_with_a_reason_hides_its_check_and_no_other(tmp_path: Path) -> None:
    assert told(tmp_path, TITLE + 'silence: {NM105: "the vendor sends nothing but a title"}\n') == []
    other = told(tmp_path, TITLE + 'silence: {NM102: "asked elsewhere"}\n')
    assert [line.rpartition(" ")[2] for line in other] == ["[NM105]", "[NM100]"]
    assert "NM102 is silenced, and nothing here gives that warning" in other[1]


@pytest.mark.parametrize("reason", ["", '""', '"  "', "5", "[a]", "{a: b}"])
def test_a_silence_needs_a_reason(tmp_path: Path, reason: str) -> None:
    lines = told(tmp_path, TITLE + f"silence: {{NM105: {reason}}}\n")
    assert ["NM105 is silenced without a reason" in line for line in lines] == [False, True]
    assert ": error: " in lines[1]


@pytest.mark.parametrize("check", ["NM999", "NM100", "NM201", "free_text"])
def test_only_known_checks_of_rules_are_silenced(tmp_path: Path, check: str) -> None:
    lines = told(tmp_path, TITLE + f'silence: {{{check}: "why"}}\n')
    assert f"error: no check {check!r} can be silenced" in lines[1]


def test_a_silence_is_a_mapping(tmp_path: Path) -> None:
    assert "error: silence is 'NM105'" in told(tmp_path, TITLE + "silence: NM105\n")[1]


def test_a_silence_does_not_change_the_version_of_a_rule(tmp_path: Path) -> None:
    versions = set()
    for text in (TITLE, TITLE + 'silence: {NM105: "why"}\n'):
        told(tmp_path, text)
        versions |= {rule.version for rule in load_rules(tmp_path).rules}
    assert len(versions) == 1


def test_a_demand_that_no_tool_meets_is_silenced_where_tools_are_asked(tmp_path: Path) -> None:
    file = tmp_path / "rule.yaml"
    demand, silence = UNSENDABLE.format("labels.gate: red"), 'silence: {NM115: "our gate sets it"}\n'
    file.write_text(demand, encoding="utf-8")
    assert [problem.check for problem in find_unsendable(file, shipped_vocabulary())] == [Check.NEVER_SENT]
    file.write_text(demand + silence, encoding="utf-8")
    assert find_unsendable(file, shipped_vocabulary()) == ()
    assert not [problem for problem in load_rules(file).problems if problem.check is Check.IDLE_SILENCE]
    file.write_text(UNSENDABLE.format("subject: a") + silence, encoding="utf-8")
    assert [problem.check for problem in find_unsendable(file, shipped_vocabulary())] == [Check.IDLE_SILENCE]


def test_every_check_says_what_it_means() -> None:
    assert set(MEANINGS) == set(Check)
    assert all(why.endswith((".", "run.")) and not title.endswith(".") for title, why in MEANINGS.values())
    assert set(SILENCEABLE) < set(Check)
