"""Rules and catalogue read together, and the marks that tell whether files may have changed."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from monitor.packs.pack import load_pack, marks_of

CATALOGUE = "services: {shop: {user_facing: true}}\n"


@pytest.fixture
def files(tmp_path: Path) -> tuple[Path, Path]:
    rules = tmp_path / "rules"
    rules.mkdir()
    (rules / "a.yaml").write_text("rule: a\n")
    catalogue = tmp_path / "catalogue.yaml"
    catalogue.write_text(CATALOGUE)
    return rules, catalogue


def test_errors_of_both_come_together(files: tuple[Path, Path]) -> None:
    rules, catalogue = files
    catalogue.write_text("services: []\n")
    loaded = load_pack(rules, [catalogue])
    assert {Path(problem.file).name for problem in loaded.errors} == {"a.yaml", "catalogue.yaml"}


def test_without_a_path_the_shipped_rules_are_meant() -> None:
    loaded = load_pack(None, ())
    assert loaded.rules.rules
    assert not loaded.errors
    assert loaded.catalogue.catalogue.is_empty
    assert loaded.marks == marks_of(None, ())


def test_own_mappings_are_read_and_watched(files: tuple[Path, Path]) -> None:
    mappings = files[0].parent / "mappings"
    mappings.mkdir()
    file = mappings / "probe.yaml"
    file.write_text("mapping: probe\nevents: [{kind: alert.fired}]\n")
    loaded = load_pack(None, (), mappings)
    assert [tool.name for tool in loaded.mappings.tools] == ["probe"]
    assert loaded.errors == ()
    before = marks_of(None, (), mappings)
    assert before == loaded.marks
    file.write_text("mapping: probe\nevents: []\n")
    assert marks_of(None, (), mappings) != before
    (problem,) = load_pack(None, (), mappings).errors
    assert (Path(problem.file).name, problem.line) == ("probe.yaml", 2)


def test_marks_tell_every_change(files: tuple[Path, Path]) -> None:
    rules, catalogue = files
    seen = [marks_of(rules, [catalogue])]
    assert marks_of(rules, [catalogue]) == seen[0]
    (rules / "b.yaml").write_text("rule: b\n")
    seen.append(marks_of(rules, [catalogue]))
    (rules / "b.yaml").write_text("rule: b2\n")
    seen.append(marks_of(rules, [catalogue]))
    replaced = rules.parent / "new.yaml"
    replaced.write_text("rule: b3\n")
    os.utime(replaced, ns=((rules / "b.yaml").stat().st_atime_ns, (rules / "b.yaml").stat().st_mtime_ns))
    replaced.replace(rules / "b.yaml")
    seen.append(marks_of(rules, [catalogue]))
    (rules / "b.yaml").unlink()
    (rules / "README.md").write_text("not a rule")
    seen.append(marks_of(rules, [catalogue]))
    catalogue.unlink()
    seen.append(marks_of(rules, [catalogue]))
    assert len(set(seen)) == len(seen) - 1, "only taking the second rule out again leads back"
    assert seen[4] == seen[0]
