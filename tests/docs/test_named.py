"""Paths, names and figures on pages exist: `core/deciding/judge.py`, `find_safe` in a file, `MOST_COUNTED` = 256."""

from __future__ import annotations

import importlib
import re
from pathlib import Path

import pytest

from monitor.core.model.events import DAY, HOUR, MINUTE, SECOND
from monitor.core.model.retention_policy import RETENTION
from monitor.core.model.verdict_policy import POLICY
from tests.architecture.files import ROOT, text, tracked

PAGES = [Path("ARCHITECTURE.md"), Path("CONTRIBUTING.md"), *(p for p in tracked() if p.match("docs/**/*.md"))]
PATH = re.compile(r"`([\w-]+(?:/[\w.*-]+)+/?|[\w-]+\.(?:py|yaml|yml|toml|lock))`")
OURS = {path.name for path in ROOT.iterdir()} | {path.name for path in (ROOT / "monitor").iterdir()}
CONSTANT = re.compile(r"`([A-Z][A-Z_]{3,})(?:\.(?!md\b)([a-z_]+))?`(?: = (\d+)(d|h|m|s)?\b)?")
POLICY_FIELD = re.compile(r"`(POLICY|RETENTION)\.(\w+)` = (\d+)(d|h|m|s)?\b")
SETTINGS = re.compile(r"NEARMISS_|FAULTS_|PYTEST_|MEASURE_")
NAME_IN = re.compile(r"`(?:[A-Z]\w+\.)?([a-z_]\w+)`(?:, `(?:[A-Z]\w+\.)?([a-z_]\w+)`)? in `([\w/]+\.py)`")
UNITS = {"d": DAY, "h": HOUR, "m": MINUTE, "s": SECOND}
MODULES = {path: text(path) or "" for path in tracked() if path.parts[0] == "monitor" and path.suffix == ".py"}


def place(named: str) -> Path:
    """Where a page says that something is: from the root, or below `monitor`."""
    return next((base / named for base in (ROOT, ROOT / "monitor") if (base / named).exists()), ROOT / named)


@pytest.mark.parametrize("page", PAGES, ids=str)
def test_a_path_on_a_page_exists(page: Path) -> None:
    for named in PATH.findall(text(page) or ""):
        if named.partition("/")[0] in OURS and "*" not in named and "/" in named:
            assert place(named).exists(), f"{page} names {named}"


@pytest.mark.parametrize("page", PAGES, ids=str)
def test_a_name_in_a_file_is_defined_there(page: Path) -> None:
    for first, second, named in NAME_IN.findall(text(page) or ""):
        source = place(named).read_text(encoding="utf-8")
        for name in filter(None, (first, second)):
            assert re.search(rf"(def|class) {name}\b|^{name}\b", source, re.MULTILINE), f"{page}: {name} in {named}"


@pytest.mark.parametrize("page", PAGES, ids=str)
def test_a_policy_on_a_page_has_the_value_that_it_says(page: Path) -> None:
    for name, field, number, unit in POLICY_FIELD.findall(text(page) or ""):
        policy = {"POLICY": POLICY, "RETENTION": RETENTION}[name]
        assert getattr(policy, field) == int(number) * UNITS.get(unit, 1), f"{page}: {name}.{field}"


def test_every_boundary_of_the_verdict_is_on_the_map() -> None:
    shown = {
        field for name, field, _, _ in POLICY_FIELD.findall(text(Path("ARCHITECTURE.md")) or "") if name == "POLICY"
    }
    assert shown == set(POLICY.__struct_fields__)


@pytest.mark.parametrize("page", [page for page in PAGES if "reference" not in page.parts], ids=str)
def test_a_constant_on_a_page_has_the_value_that_it_says(page: Path) -> None:
    for name, field, number, unit in CONSTANT.findall(text(page) or ""):
        if SETTINGS.match(name) or name in ("SIGTERM", "SIGHUP", "COPY", "VACUUM", "TOOL", "TRUNCATE"):
            continue
        found = [path for path, source in MODULES.items() if re.search(rf"^{name}\b *[:=]", source, re.MULTILINE)]
        assert found, f"{page} names {name}"
        if number:
            module = importlib.import_module(".".join(found[0].with_suffix("").parts))
            value = getattr(module, name)
            value = getattr(value, field) if field else value
            assert value == int(number) * UNITS.get(unit, 1), f"{page}: {name} {field} = {number}{unit}"


def test_the_index_answers_what_newcomers_ask() -> None:
    index = (text(Path("ARCHITECTURE.md")) or "").partition("## Find it")[2].partition("\n## ")[0]
    asked = ["hold", "late impact withdraws a draft", "adding a tool", "comment", "eviction, TTL", "impact, scope"]
    asked += ["confidence, margin, rank", "lease, epoch, standby", "position, offset", "verdict"]
    for concept in asked:
        assert re.search(rf"^\| {concept} \| .*`", index, re.MULTILINE), concept


QUESTIONS = {
    "where is the hold applied": ("hold", "core/deciding/safe_window.py", "window_end"),
    "where does late impact withdraw a draft": (
        "late impact withdraws a draft",
        "core/deciding/withdrawals.py",
        "Withdrawals",
    ),
    "how do I add a tool": ("adding a tool", "decode/tools", ""),
    "which table holds comments": ("comment", "store/near_misses.py", "audit"),
    "what is evicted when": ("eviction, TTL", "core/state/engine_state.py", "evict_expired"),
}


@pytest.mark.parametrize("question", QUESTIONS)
def test_a_newcomer_finds_it_in_one_step(question: str) -> None:
    """The row of the index names the file, and the file has what the row says."""
    concept, file, name = QUESTIONS[question]
    index = (text(Path("ARCHITECTURE.md")) or "").partition("## Find it")[2].partition("\n## ")[0]
    (row,) = re.findall(rf"^\| {re.escape(concept)} \|.*$", index, re.MULTILINE)
    assert file in row
    assert name in row
    found = place(file)
    assert (
        found.is_dir()
        or name in found.read_text(encoding="utf-8")
        or name in (text(Path("monitor/store/tables/__init__.py")) or "")
    )


def test_each_row_of_the_index_names_a_place_that_is_there() -> None:
    index = (text(Path("ARCHITECTURE.md")) or "").partition("## Find it")[2].partition("\n## ")[0]
    rows = [row for row in index.splitlines() if row.startswith("| ") and not row.startswith("| concept")]
    lost = [row for row in rows if not any(place(named).exists() for named in PATH.findall(row))]
    assert lost == []
    assert [
        row
        for row in rows
        for named in PATH.findall(row)
        if "/" in named and "*" not in named and not place(named).exists()
    ] == []
