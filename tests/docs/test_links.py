"""Links between the pages lead to files that are there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.architecture.files import ROOT, text, tracked

PAGES = [path for path in tracked() if path.suffix == ".md"]


@pytest.mark.parametrize("page", PAGES, ids=str)
def test_a_link_to_a_file_finds_it(page: Path) -> None:
    words = re.sub(r"```.*?```", "", text(page) or "", flags=re.DOTALL)
    for target in re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", words):
        if "://" in target or target.startswith("mailto:"):
            continue
        assert (ROOT / page.parent / target).exists(), f"{page} links to {target}"


def test_every_decision_is_listed_in_its_order() -> None:
    decisions = sorted(path.name for path in tracked() if path.parent == Path("docs/decisions"))
    numbers = [name.partition("-")[0] for name in decisions]
    assert numbers == [f"{number:04d}" for number in range(1, len(numbers) + 1)], "a number is missing or taken twice"
    assert re.findall(r"\]\(decisions/([^)]+)\)", text(Path("docs/README.md")) or "") == decisions


@pytest.mark.parametrize("page", [page for page in PAGES if page.parent == Path("docs/decisions")], ids=str)
def test_a_decision_has_a_status(page: Path) -> None:
    assert re.search(r"^\*\*Status\.\*\* (Accepted|Superseded)\b", text(page) or "", re.MULTILINE), (
        "accepted, or superseded?"
    )
