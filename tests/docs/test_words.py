"""The pages stay short: the words that people write, not those that the program generates. The bounds only fall."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.architecture.files import text, tracked

MOST_WORDS = 24_000
"""In `docs`, without the reference (most of it generated), decisions and measurements."""
MOST_IN_README = 560
MOST_IN_HOW_TO = 1_100
"""Beside the runbook, whose sections are pages of alerts."""
BEFORE_SUCCESS = 40
"""Lines of a how-to above its first block that can be pasted: a screen."""

APART = ("reference", "decisions", "measurements")
PAGES = [
    page for page in tracked() if page.parts[0] == "docs" and page.suffix == ".md" and not set(APART) & set(page.parts)
]
HOW_TOS = [page for page in PAGES if "how-to" in page.parts]
NOT_STEPS = ("review.md", "runbook.md")
"""Read with the program open, not to set something up."""


def count(page: Path) -> int:
    return len((text(page) or "").split())


def test_the_pages_are_no_longer_than_they_were() -> None:
    assert sum(map(count, PAGES)) <= MOST_WORDS, sorted(((count(page), str(page)) for page in PAGES), reverse=True)[:8]


def test_the_readme_stays_short() -> None:
    assert count(Path("README.md")) <= MOST_IN_README


@pytest.mark.parametrize("page", HOW_TOS, ids=str)
def test_a_how_to_is_one_page(page: Path) -> None:
    assert count(page) <= MOST_IN_HOW_TO or page.name == "runbook.md"


@pytest.mark.parametrize("page", [page for page in HOW_TOS if page.name not in NOT_STEPS], ids=str)
def test_the_first_thing_to_paste_is_on_the_first_screen(page: Path) -> None:
    before, fence, _ = (text(page) or "").partition("```")
    assert fence, f"{page} has nothing to paste"
    assert before.count("\n") < BEFORE_SUCCESS
