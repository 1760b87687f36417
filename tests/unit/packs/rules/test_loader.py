"""A tree of rule files: names are unique, what is broken is left out, and what is regrettable is a warning."""

from __future__ import annotations

from pathlib import Path

import pytest

from monitor.packs.rules.loader import load_rules
from monitor.packs.rules.shipped import shipped_rules
from tests.unit.packs.written import GOOD


@pytest.fixture
def pack(tmp_path: Path) -> Path:
    (tmp_path / "one").mkdir()
    (tmp_path / "one" / "page-and-fix.yaml").write_text(GOOD, encoding="utf-8")
    return tmp_path


def told(path: Path) -> list[str]:
    return [str(problem).removeprefix(str(path)) for problem in load_rules(path).problems]


def test_rules_and_examples_come_from_the_whole_tree(pack: Path) -> None:
    other = GOOD.replace("rule: page-and-fix", "rule: another").replace("kind: alert.fired\n", "kind: note.added\n")
    (pack / "two.yml").write_text(other, encoding="utf-8")
    (pack / ".hidden.yaml").write_text("broken", encoding="utf-8")
    (pack / "notes.md").write_text("no rule", encoding="utf-8")
    loaded = load_rules(pack)
    assert [rule.name for rule in loaded.rules] == ["another", "page-and-fix"]
    assert len(loaded.examples) == 4
    assert loaded.problems == ()
    assert (loaded.files, str(loaded.places["another"])) == (2, f"{pack / 'two.yml'}:1:7")


def test_a_single_file_is_a_pack_too(pack: Path) -> None:
    assert len(load_rules(pack / "one" / "page-and-fix.yaml").rules) == 1


def test_the_hash_is_of_the_meaning_of_all_rules(pack: Path) -> None:
    before = load_rules(pack).content_hash
    file = pack / "one" / "page-and-fix.yaml"
    file.write_text("# a comment\n" + GOOD, encoding="utf-8")
    assert load_rules(pack).content_hash == before
    file.write_text(GOOD.replace("within: 30m", "within: 1h"), encoding="utf-8")
    assert load_rules(pack).content_hash != before


def test_two_rules_of_one_name_are_told_with_both_places(pack: Path) -> None:
    (pack / "two.yaml").write_text("\n" + GOOD, encoding="utf-8")
    (problem,) = load_rules(pack).problems
    assert str(problem).startswith(f"{pack / 'two.yaml'}:2:7: error: rule 'page-and-fix' is defined twice")
    assert f"{pack / 'one' / 'page-and-fix.yaml'}:1:7" in problem.message


def test_the_problems_of_every_file_come_at_once_and_good_rules_stay(pack: Path) -> None:
    (pack / "bad.yaml").write_text("rule: x\nfamily: [\n", encoding="utf-8")
    (pack / "worse.yaml").write_text(GOOD.replace("within: 30m", "within: never"), encoding="utf-8")
    loaded = load_rules(pack)
    assert {Path(problem.file).name for problem in loaded.errors} == {"bad.yaml", "worse.yaml"}
    assert [rule.name for rule in loaded.rules] == ["page-and-fix"]


def test_a_place_without_rules_is_an_error(tmp_path: Path) -> None:
    assert told(tmp_path)[0].startswith(":1:1: error: no rule file here; expected ")
    assert told(tmp_path / "gone")[0].startswith(":1:1: error: there is no such file or directory;")


@pytest.mark.parametrize(
    ("old", "new", "warning"),
    [
        ("    expect: draft", "    expect: none", "no example that must match"),
        ("    expect: none\n    reason: no_intervention", "    expect: draft", "no example that must not match"),
        ('ask: ["How did you notice?", "What would have happened next?"]\n', "", "asks the reviewer nothing"),
        ("How did you notice?", "Why did you do it?", "'Why' asks people to justify themselves"),
        ("How did you notice?", "Who broke it?", "'Who' asks people to justify themselves"),
        ("severity: {at_least: high}", "title: {contains: disk}", "a condition reads the title"),
        ("margin: elapsed", "margin: headroom", "the margin is headroom"),
        ("margin: elapsed", "margin: deadline", "the margin is deadline"),
    ],
)
def test_what_is_regrettable_is_a_warning(pack: Path, old: str, new: str, warning: str) -> None:
    assert GOOD.count(old) == 1
    (pack / "one" / "page-and-fix.yaml").write_text(GOOD.replace(old, new), encoding="utf-8")
    loaded = load_rules(pack)
    assert loaded.errors == ()
    assert any(warning in problem.message and problem.line > 0 for problem in loaded.problems), loaded.problems


def test_who_only_runs_the_rules_reads_no_examples() -> None:
    """The same rules, wherever their examples stand; what is wrong with a rule is told all the same."""
    checked, run = load_rules(shipped_rules()), load_rules(shipped_rules(), with_examples=False)
    assert run.rules == checked.rules
    assert run.places == checked.places
    assert (run.examples, run.problems) == ((), ())


@pytest.mark.parametrize(
    "text",
    [
        GOOD.replace("margin: elapsed\n", "").replace("examples:", "margin: elapsed\nexamples:"),
        GOOD[GOOD.index("examples:") :] + GOOD[: GOOD.index("examples:")],
        GOOD.replace("settle: 5m", "settle: *soon").replace("  - name: restarted", "  - name: &soon restarted"),
        GOOD.replace("ask: [", "# examples: none yet\nask: ["),
        GOOD.replace('"How did you notice?"', '"How did you\nexamples: notice?"'),
        GOOD.replace("examples:", '"examples":'),
    ],
)
def test_passing_over_the_examples_changes_nothing_else(pack: Path, text: str) -> None:
    file = pack / "one" / "page-and-fix.yaml"
    file.write_text(text, encoding="utf-8")
    checked, run = load_rules(pack), load_rules(pack, with_examples=False)
    assert run.rules == checked.rules
    wrong = [problem for problem in checked.errors if "example" not in problem.message]
    assert [problem for problem in run.errors if "example" not in problem.message] == wrong


def test_a_mistake_keeps_its_place_when_examples_are_passed_over(pack: Path) -> None:
    text = GOOD[GOOD.index("examples:") :] + GOOD[: GOOD.index("examples:")].replace("settle: 5m", "settle: soon")
    (pack / "one" / "page-and-fix.yaml").write_text(text, encoding="utf-8")
    (problem,) = load_rules(pack, with_examples=False).problems
    assert problem.line == text[: text.index("settle:")].count("\n") + 1
