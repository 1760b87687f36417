"""The rules that come with the program are found, in a checkout and in a wheel."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from monitor.packs.rules import shipped
from monitor.packs.rules.shipped import INSTALLED, NoShippedRules, shipped_rules

ROOT = Path(__file__).resolve().parents[4]


def test_a_checkout_uses_its_own_rules() -> None:
    assert shipped_rules() == ROOT / "rules"


def test_every_directory_of_rules_goes_into_the_wheel() -> None:
    data = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["setuptools"]["data-files"]
    packed = {str(path.relative_to(ROOT)) for globs in data.values() for glob in globs for path in ROOT.glob(glob)}
    wanted = {str(path.relative_to(ROOT)) for path in (ROOT / "rules").rglob("*") if path.is_file()}
    assert packed == wanted
    for target, globs in data.items():
        assert target == str(Path(*INSTALLED[:-2]) / Path(globs[0]).parent)


def test_an_installed_copy_finds_the_data_beside_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    readme = tmp_path.joinpath(*INSTALLED)
    readme.parent.mkdir(parents=True)
    readme.write_text("# Rules\n", encoding="utf-8")
    monkeypatch.setattr(shipped, "__file__", str(tmp_path / "monitor" / "packs" / "rules" / "shipped.py"))
    assert shipped_rules() == readme.parent


def test_an_incomplete_installation_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shipped, "__file__", str(tmp_path / "monitor" / "packs" / "rules" / "shipped.py"))
    monkeypatch.setattr(shipped, "DISTRIBUTION", "no-such-distribution")
    with pytest.raises(NoShippedRules, match="try --rules DIR"):
        shipped_rules()
