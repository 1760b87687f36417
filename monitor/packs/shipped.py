"""Where the rules that come with the program lie: beside the package in a checkout, inside it once installed."""

from __future__ import annotations

from pathlib import Path


class NoShippedRules(RuntimeError):
    """Neither a checkout nor an installed copy of the rules is there."""


def shipped_rules() -> Path:
    """The directory of the shipped rules. Raises NoShippedRules when the installation is incomplete."""
    package = Path(__file__).resolve().parent.parent
    for candidate in (package.parent / "rules", package / "shipped_rules"):
        if (candidate / "README.md").is_file():
            return candidate
    raise NoShippedRules(f"no rules beside {package}; expected a complete installation; try --rules DIR")
