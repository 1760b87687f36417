"""What the linter warns of: each where it stands, and nothing where it cannot be sure."""

from __future__ import annotations

from pathlib import Path

import pytest

from monitor.packs.rules.loader import load_rules
from monitor.packs.rules.shipped import shipped_rules
from tests.unit.packs.written import GOOD

SEVERITY = "    severity: {at_least: high}\n"


def warnings(tmp_path: Path, *texts: str) -> list[str]:
    for number, text in enumerate(texts):
        (tmp_path / f"{number}.yaml").write_text(text, encoding="utf-8")
    loaded = load_rules(tmp_path)
    assert loaded.errors == ()
    return [str(problem).removeprefix(f"{tmp_path}/") for problem in loaded.problems]


def with_where(lines: str) -> str:
    assert GOOD.count(SEVERITY) == 1
    return GOOD.replace(SEVERITY, SEVERITY + lines)


@pytest.mark.parametrize("part", ["derived.scheduled: true", 'labels.planned: "true"', 'labels.rolling: "true"'])
def test_a_part_of_what_is_routine_is_said_by_the_whole(tmp_path: Path, part: str) -> None:
    human = "where: {derived.actor: human}"
    (told,) = warnings(tmp_path, GOOD.replace(human, f"where: {{derived.actor: human, not: {{{part}}}}}"))
    assert f"{part.partition(':')[0]} is only a part of what makes work routine" in told
    assert "try `not: {derived.routine: true}`" in told
    whole = GOOD.replace(human, "where: {derived.actor: human, not: {derived.routine: true}}")
    (tmp_path / "0.yaml").unlink()
    assert warnings(tmp_path, whole) == []


def test_the_shipped_rules_give_no_warning() -> None:
    assert [str(problem) for problem in load_rules(shipped_rules()).problems] == []


@pytest.mark.parametrize(
    ("lines", "told"),
    [
        ("    all: [{severity: warning}]\n", "8:11: warning: no event can satisfy both 'severity at least 'high'' and"),
        ("    kind: note.added\n", "8:5: warning: no event can satisfy both 'kind is one of 'alert.fired'' and"),
        (
            "    service: api\n    all: [{service: db}]\n",
            "9:11: warning: no event can satisfy both 'service equals 'api''",
        ),
        ("    service: api\n    all: [{service: {prefix: db}}]\n", "9:11: warning: no event can satisfy both"),
        ("    service: api\n    all: [{service: {contains: [x, y]}}]\n", "9:11: warning: no event can satisfy both"),
        ("    value: {above: 5, below: 3}\n", "8:5: warning: no event can satisfy both 'value above 5' and"),
        ("    value: {above: 5, at_most: 5}\n", "8:5: warning: no event can satisfy both"),
        ("    value: 7\n    all: [{value: {below: 7}}]\n", "9:11: warning: no event can satisfy both"),
        ("    url: {present: false, prefix: http}\n", "8:5: warning: no event can satisfy both 'url is absent' and"),
        (
            "    derived.trend: worse\n    all: [{derived.trend: [same, better]}]\n",
            "9:11: warning: no event can satisfy",
        ),
        ("    any: [{severity: info}, {service: a}]\n", "8:11: warning: no event can satisfy both"),
        (
            "    any: [{severity: {at_least: warning}}, {service: a}]\n",
            "8:11: warning: this branch always holds when the rest",
        ),
        ("    any: [{service: a, value: 1}, {service: [a, b]}]\n", "8:35: warning: this branch and an earlier one"),
        ("    any: [{value: {above: 3}}, {value: {at_least: 4}}]\n", "8:32: warning: this branch and an earlier one"),
        ("    any: [{service: a}, {service: a}]\n", "8:25: warning: this branch and an earlier one"),
        ("    any: [{all: [{service: a}, {service: b}]}, {service: c}]\n", "8:11: warning: no event can satisfy both"),
    ],
)
def test_conditions_that_can_never_hold_or_change_nothing(tmp_path: Path, lines: str, told: str) -> None:
    found = warnings(tmp_path, with_where(lines))
    assert [warning for warning in found if told in warning], found
    assert all("; expected " in warning and "; try " in warning for warning in found)


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        (
            "    not: {labels.drill: {present: true}}\n",
            "    not: {severity: info}\n",
            "8:10: warning: this excludes what",
        ),
        (
            "    not: {labels.drill: {present: true}}\n",
            "    not: {severity: {at_least: warning}}\n",
            "8:10: warning: this excludes everything the rest allows",
        ),
        (
            "  kind: alert.fired\n",
            "  kind: [alert.fired, impact.clear]\n",
            "warning: no rule is ever given impact.clear",
        ),
        (
            "since: hazard - 30m, until: hazard}",
            "since: intervention, until: hazard}",
            "warning: the window of 'page' ends before it begins",
        ),
        (
            "    not: {labels.drill: {present: true}}\n",
            "    not: {labels.clustre: {present: true}}\n",
            "7:5: warning: no event of the examples has the label 'clustre', and some have 'cluster'",
        ),
    ],
)
def test_other_regrets(tmp_path: Path, old: str, new: str, told: str) -> None:
    assert GOOD.count(old) == 1
    found = warnings(tmp_path, GOOD.replace(old, new))
    assert [warning for warning in found if told in warning], found


@pytest.mark.parametrize(
    "lines",
    [
        "    title: {matches: a}\n    all: [{title: {matches: b}}]\n",
        "    service: {prefix: a}\n    all: [{service: {prefix: b}}]\n",
        "    value: {at_least: 5, at_most: 5}\n",
        "    any: [{service: a}, {service: b}, {value: {above: 3}}]\n",
        "    any: [{value: {above: 3}, service: a}, {value: {above: 4}}]\n",
        "    labels.a: '1'\n    labels.b: '2'\n",
        "    subject: {same_as: service}\n    all: [{subject: {differs_from: labels.x}}]\n",
        "    any: [{any: [{service: a}, {value: 2}]}, {service: a, url: b}]\n",
    ],
)
def test_what_may_hold_is_left_alone(tmp_path: Path, lines: str) -> None:
    assert [warning for warning in warnings(tmp_path, with_where(lines)) if "title" not in warning] == []


def test_a_part_that_is_shared_by_an_alias_is_dead_only_where_it_is_dead_everywhere(tmp_path: Path) -> None:
    size = "[{unit: bytes}, {value: {above: 2}}]"
    shared = f"    any:\n      - {{unit: pods, any: &size {size}}}\n      - {{url: x, any: *size}}\n"
    assert warnings(tmp_path, with_where(shared)) == []
    alone = f"    any:\n      - {{unit: pods, any: {size}}}\n      - {{url: x}}\n"
    assert ["satisfy both" in warning for warning in warnings(tmp_path, with_where(alone))] == [True]


NARROW = GOOD.replace("rule: page-and-fix", "rule: narrow").replace("at_least: high", "at_least: critical")


def test_a_rule_that_another_one_makes_needless_is_told_with_both_places(tmp_path: Path) -> None:
    (warning,) = warnings(tmp_path, GOOD, NARROW.replace("severity: high", "severity: critical"))
    assert warning.startswith("1.yaml:1:7: warning: whatever this rule finds, 'page-and-fix' finds too (")
    assert "0.yaml:1:7)" in warning


def test_of_two_rules_that_are_alike_one_is_told(tmp_path: Path) -> None:
    (warning,) = warnings(tmp_path, GOOD, GOOD.replace("rule: page-and-fix", "rule: another"))
    assert "0.yaml:1:7: warning: whatever this rule finds, 'another' finds too" in warning


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("rule: page-and-fix", "generic: true\nrule: page-and-fix"),
        ("rule: page-and-fix", "mode: shadow\nrule: page-and-fix"),
        ("within: 30m", "within: 20m"),
        ("kind: alert.fired\n", "kind: note.added\n"),
        ("services: related", "services: same"),
        ("same: [subject, ", "same: [subject, service, "),
        ("where: {derived.actor: human}", "where: {derived.actor: human, service: api}"),
        ("hold: 2h", "hold: 1h"),
        ("since: hazard - 30m", "since: hazard - 20m"),
    ],
)
def test_a_rule_is_needed_that_finds_something_of_its_own(tmp_path: Path, old: str, new: str) -> None:
    """The wide rule is made a little less wide, or is a catch-all."""
    assert GOOD.count(old) == 1
    assert not [
        told for told in warnings(tmp_path, GOOD.replace(old, new), NARROW) if "1.yaml" in told and "finds" in told
    ]


FAR = "often: {kind: alert.silenced, since: intervention - 14d, until: intervention, at_least: 3}"


@pytest.mark.parametrize(
    ("step", "told"),
    [
        ("since: intervention - 14d, same: [subject]", "'often' reaches 14d back, where little is remembered"),
        ("since: hazard - 7d, same: [subject]", "'often' reaches 7d back, where little is remembered"),
        ("since: hazard - 8d, until: hazard - 30h", "'often' ends 30h before hazard, where little is remembered"),
        ("since: hazard - 8d, until: hazard - 30h, at_least: 12", ""),
        ("since: intervention - 7d, same: [subject]", ""),
        ("since: intervention - 14d", ""),
        ("since: intervention - 14d, same: [subject], at_least: 12", ""),
        ("since: intervention - 14d, same: [subject], optional: true", ""),
        ("since: intervention - 14d, same: [subject], remember: every", ""),
        ("since: intervention - 14d, same: [subject], remember: newest", ""),
    ],
)
def test_windows_into_a_past_of_which_little_is_remembered(tmp_path: Path, step: str, told: str) -> None:
    assert GOOD.count(FAR) == 1
    found = warnings(tmp_path, GOOD.replace(FAR, f"often: {{kind: alert.silenced, {step}}}"))
    assert [one for one in found if "remembered" in one] == found
    assert bool(found) is bool(told)
    if told:
        (line,) = found
        assert line.startswith("0.yaml:17:")
        assert told in line
        assert line.endswith("try `remember: every`, or `remember: newest` where those are enough [NM111]")


def test_an_absence_far_back_is_warned_of_where_it_begins(tmp_path: Path) -> None:
    page = "since: hazard - 30m, until: hazard}"
    (line,) = warnings(tmp_path, GOOD.replace(page, "since: hazard - 3d, until: hazard - 2d}"))
    assert line.startswith("0.yaml:19:40: warning: the window of 'page' ends 2d before hazard")


def test_an_example_that_cannot_be_read_is_not_missed_as_well(tmp_path: Path) -> None:
    assert GOOD.count("expect: none") == 1
    (tmp_path / "rule.yaml").write_text(GOOD.replace("expect: none", "expect: no"), encoding="utf-8")
    loaded = load_rules(tmp_path)
    assert loaded.errors
    assert not [each for each in loaded.problems if "no example" in str(each)]
