"""`nearmiss rules test`: what a person and a build server see of examples that pass and that fail."""

from __future__ import annotations

import re
from pathlib import Path
from xml.etree import ElementTree as ET

from click.testing import CliRunner, Result

from monitor.cli.rules import group
from monitor.core.deciding.hazard_expiry import NOTHING_HAPPENED
from tests.unit.packs.written import GOOD

FAILING = GOOD.replace("expect: none\n    reason: no_intervention", "expect: draft")


def outcome(*arguments: str | Path) -> Result:
    return CliRunner().invoke(group, ["test", *map(str, arguments)])


def test_a_line_a_rule_where_all_is_well(pack: Path) -> None:
    result = outcome(pack)
    assert (result.exit_code, result.stdout) == (0, "✔ page-and-fix: 2 examples\n")
    assert result.stderr == "2 of 2 examples pass\n"


def test_expected_and_got_stand_below_each_other_with_the_reasons(pack: Path) -> None:
    (pack / "page-and-fix.yaml").write_text(FAILING, encoding="utf-8")
    result = outcome(pack)
    assert result.exit_code == 1
    assert result.stdout.splitlines() == [
        "✘ page-and-fix: 1 of 2 examples failed",
        "  ✘ nobody acted: no draft stands",
        f"    {pack}/page-and-fix.yaml:34:5",
        "    expected  draft",
        "    got       none: no_intervention",
        f"    reason    no_intervention: {NOTHING_HAPPENED} (e1)",
    ]
    assert result.stderr == "1 of 2 examples pass\n"


def test_a_slip_in_an_event_is_told_before_the_example_that_fails_by_it(pack: Path) -> None:
    text = GOOD.replace("kind: change.restarted, service: api", "kind: change.restarted, servce: api")
    (pack / "page-and-fix.yaml").write_text(text, encoding="utf-8")
    result = outcome(pack)
    first, *rest = result.stdout.splitlines()
    assert first.startswith(f"{pack}/page-and-fix.yaml:29:")
    assert "warning: an event has no key 'servce': it is kept as a label" in first
    assert "✘ page-and-fix: 1 of 2 examples failed" in rest
    # A doubt alone fails nothing.
    text = GOOD.replace("labels: {cluster: c}}", "labels: {cluster: c}, colour: red}")
    (pack / "page-and-fix.yaml").write_text(text, encoding="utf-8")
    result = outcome(pack)
    assert result.exit_code == 0
    assert result.stdout.count("an event has no key 'colour'") == 2


def test_a_wrong_verdict_shows_what_could_not_be_checked(pack: Path) -> None:
    text = GOOD.replace("expect: draft", "expect: draft\n    verdict: none")
    (pack / "page-and-fix.yaml").write_text(text, encoding="utf-8")
    said = outcome(pack).stdout
    assert "expected  draft, verdict none\n    got       draft, verdict unknown\n" in said
    assert "(verdict unknown, could not check no_feed" in said
    assert "page-and-fix: hazard alert.fired on api" in said


def test_verbose_says_what_the_engine_made_of_those_that_pass(pack: Path) -> None:
    said = outcome(pack, "-v").stdout
    assert "  ✔ restarted in time\n" in said
    assert "got       none: no_intervention" in said


def test_of_one_rule_and_of_one_that_is_not_there(pack: Path) -> None:
    assert outcome(pack, "--rule", "page-and-fix", "-v").exit_code == 0
    for name, hint in (("page-and-fox", "did you mean page-and-fix?"), ("other", "there are page-and-fix")):
        result = outcome(pack, "--rule", name)
        assert result.exit_code == 2
        assert f"no rule named {name!r}; {hint}" in result.stderr


def test_several_paths_are_one_run(pack: Path, tmp_path: Path) -> None:
    other = tmp_path / "other.yaml"
    other.write_text(GOOD.replace("rule: page-and-fix", "rule: other"), encoding="utf-8")
    result = outcome(pack, other)
    assert (result.exit_code, result.stderr) == (0, "4 of 4 examples pass\n")


def test_a_rule_without_examples_is_named(pack: Path) -> None:
    (pack / "page-and-fix.yaml").write_text(GOOD[: GOOD.index("examples:")], encoding="utf-8")
    assert outcome(pack).stdout == "- page-and-fix: no example\n"


def test_a_broken_rule_fails_the_run(pack: Path, tmp_path: Path) -> None:
    (pack / "broken.yaml").write_text("rule: [", encoding="utf-8")
    report = tmp_path / "report.xml"
    result = outcome(pack, "--junit", report)
    assert result.exit_code == 1
    assert "broken.yaml:" in result.stdout
    assert result.stderr == "2 of 2 examples pass; 1 error in rule files\n"
    root = ET.parse(report).getroot()  # noqa: S314 - written by ourselves a moment ago
    assert root.attrib["errors"] == "1"
    assert root.find("testsuite[@name='rule files']/testcase/error") is not None


def test_the_report_has_the_shape_that_build_servers_read(pack: Path, tmp_path: Path) -> None:
    """Element names, their nesting, attributes, and counts that add up, as the schema in common use asks for them."""
    spoken = FAILING.replace("nobody acted", '"<nobody> & \\x01 acted"')
    (pack / "page-and-fix.yaml").write_text(spoken, encoding="utf-8")
    report = tmp_path / "report.xml"
    assert outcome(pack, "--junit", report).exit_code == 1
    root = ET.parse(report).getroot()  # noqa: S314 - written by ourselves a moment ago
    assert root.tag == "testsuites"
    suites = list(root)
    assert [suite.tag for suite in suites] == ["testsuite"]
    for element in (root, *suites):
        assert {"name", "tests", "failures", "errors"} == element.attrib.keys()
        cases = element.findall(".//testcase")
        assert int(element.attrib["tests"]) == len(cases)
        assert int(element.attrib["failures"]) == len(element.findall(".//failure"))
        assert int(element.attrib["errors"]) == len(element.findall(".//error"))
        assert all({"classname", "name", "file", "line"} == case.attrib.keys() for case in cases)
        assert all(child.tag in ("failure", "error") and len(child) == 0 for case in cases for child in case)
    failure = root.find(".//failure")
    assert failure is not None
    assert failure.attrib == {"type": "example", "message": "no draft stands"}
    assert re.search(r"expected  draft\ngot       none: no_intervention\n", failure.text or "")
    names = [case.attrib["name"] for case in root.iter("testcase")]
    assert "<nobody> & � acted" in names
