"""Writes what came of examples as JUnit XML, the form in which build servers read test results.

A suite a rule, a case an example; a file with errors is a case that could not run. Knows nothing of the terminal.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from xml.etree import ElementTree as ET

from monitor.located.problems import Problem
from monitor.packs.examples.runner import Result

# What XML 1.0 cannot hold, not even escaped; an example may well have it in its name.
_UNSPEAKABLE = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def junit(results: Sequence[Result], errors: Sequence[Problem]) -> bytes:
    """The report as UTF-8. `errors` are those of the rule files: their examples could not run."""
    root = ET.Element("testsuites", name="nearmiss rules test")
    by_rule: dict[str, list[Result]] = {}
    for result in results:
        by_rule.setdefault(result.example.rule, []).append(result)
    for rule, own in by_rule.items():
        _count(suite := ET.SubElement(root, "testsuite", name=rule), len(own), sum(not one.passed for one in own), 0)
        for result in own:
            suite.append(_case(result))
    if errors:
        _count(suite := ET.SubElement(root, "testsuite", name="rule files"), len(errors), 0, len(errors))
        for problem in errors:
            suite.append(_error(problem))
    _count(root, len(results) + len(errors), sum(not one.passed for one in results), len(errors))
    ET.indent(root)
    return bytes(ET.tostring(root, encoding="utf-8", xml_declaration=True)) + b"\n"


def _count(element: ET.Element, tests: int, failures: int, errors: int) -> None:
    for name, value in (("tests", tests), ("failures", failures), ("errors", errors)):
        element.set(name, str(value))


def _case(result: Result) -> ET.Element:
    example = result.example
    case = ET.Element(
        "testcase",
        classname=example.rule,
        name=_speakable(example.name),
        file=_speakable(example.place.file),
        line=str(example.place.line),
    )
    if not result.passed:
        failure = ET.SubElement(case, "failure", type="example", message=_speakable(result.failure))
        failure.text = _speakable("\n".join((str(example.place), *result.comparison)))
    return case


def _error(problem: Problem) -> ET.Element:
    place = f"{problem.file}:{problem.line}:{problem.column}"
    case = ET.Element(
        "testcase",
        classname="rule files",
        name=_speakable(place),
        file=_speakable(problem.file),
        line=str(problem.line),
    )
    error = ET.SubElement(case, "error", type="rule", message=_speakable(problem.message))
    error.text = _speakable(str(problem))
    return case


def _speakable(text: str) -> str:
    return _UNSPEAKABLE.sub("\N{REPLACEMENT CHARACTER}", text)
