"""What the tests of commands share: files as a person would give them."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from tests.unit.lab.stories import SHOP
from tests.unit.packs.written import GOOD


@pytest.fixture
def catalogue(tmp_path: Path) -> Path:
    """The shop of the stories."""
    path = tmp_path / "catalogue.yaml"
    path.write_text(yaml.safe_dump(SHOP), encoding="utf-8")
    return path


@pytest.fixture
def pack(tmp_path: Path) -> Path:
    """A pack of one rule with its examples."""
    directory = tmp_path / "pack"
    directory.mkdir()
    (directory / "page-and-fix.yaml").write_text(GOOD, encoding="utf-8")
    return directory
