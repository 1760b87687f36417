"""Where the rules that come with the program lie: beside the package in a checkout, among its data once installed."""

from __future__ import annotations

import importlib.metadata
from pathlib import Path

DISTRIBUTION = "nearmiss-monitor"
INSTALLED = ("share", "nearmiss", "rules", "README.md")


class NoShippedRules(RuntimeError):
    """Neither a checkout nor an installed copy of the rules is there."""


def shipped_rules() -> Path:
    """The directory of the shipped rules. Raises NoShippedRules when the installation is incomplete."""
    package = Path(__file__).resolve().parents[2]
    # `pip install --target` puts data beside the package and leaves the metadata unaware of it.
    for directory in (package.parent / "rules", package.parent.joinpath(*INSTALLED[:-1])):
        if (directory / "README.md").is_file():
            return directory
    installed = _installed()
    if installed is None:
        raise NoShippedRules(f"no rules come with {package}; expected a complete installation; try --rules DIR")
    return installed


def _installed() -> Path | None:
    try:
        files = importlib.metadata.files(DISTRIBUTION) or []
    except importlib.metadata.PackageNotFoundError:
        return None
    for file in files:
        if file.parts[-len(INSTALLED) :] == INSTALLED:
            found = Path(str(file.locate())).resolve()
            return found.parent if found.is_file() else None
    return None
