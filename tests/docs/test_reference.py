"""The reference pages say what the program is: metrics, settings and commands, no more and no less."""

from __future__ import annotations

import pytest

from monitor.app.metrics import Metrics
from monitor.cli.main import COMMANDS
from monitor.settings import NOT_SETTINGS, Settings
from scripts.reference import BEGIN, END, FILES, GENERATED, ROOT, renew


def page(name: str) -> str:
    return (ROOT / "docs" / "reference" / name).read_text(encoding="utf-8")


@pytest.mark.parametrize("name", GENERATED)
def test_what_is_generated_is_fresh(name: str) -> None:
    written = (ROOT / name).read_text(encoding="utf-8")
    assert written == renew(written, GENERATED[name]()), "run: make docs"


@pytest.mark.parametrize("name", FILES)
def test_generated_files_are_fresh(name: str) -> None:
    assert (ROOT / name).read_text(encoding="utf-8") == FILES[name](), "run: make docs"


def test_every_metric_is_on_its_page() -> None:
    for family in Metrics().registry.collect():
        if family.name.startswith("nearmiss_"):
            assert f"| `{family.name}" in page("metrics.md")


def test_every_setting_is_on_its_page_with_a_meaning() -> None:
    for name in Settings.model_fields:
        assert f"| `{name}" in page("settings.md")
    assert "| None |" not in page("settings.md")
    for name in NOT_SETTINGS:
        assert name in page("settings.md")


def test_every_command_is_on_its_page() -> None:
    for name in COMMANDS:
        assert f"\n## nearmiss {name}\n" in page("cli.md")


def test_a_page_without_a_place_for_the_table_is_refused() -> None:
    with pytest.raises(ValueError, match="no place"):
        renew("# A page\n", "| a |")


def test_as_many_tables_as_places() -> None:
    place = f"{BEGIN}\n{END}\n"
    assert (
        renew(f"a\n{place}b\n{place}", ("1", "2")).replace("\n\n", "\n")
        == f"a\n{BEGIN}\n1\n{END}\nb\n{BEGIN}\n2\n{END}\n"
    )
    with pytest.raises(ValueError, match="no place"):
        renew(place, ("1", "2"))
    with pytest.raises(ValueError, match="nothing is generated"):
        renew(place + place, "1")
