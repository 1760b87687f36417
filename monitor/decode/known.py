"""The tools that are known by name, each with what it declares or with what loads it when it is first needed.

Imports nothing of the decoders, so that names can be made known at every start at no cost.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from monitor.decode.tool import Tool

TOOLS: dict[str, Tool | Callable[[], Tool]] = {}

EXPECTED: set[str] = set()
"""Names that the configuration promised before its files were read; once they are, only what they hold counts."""


def spellings(names: Iterable[str]) -> list[str]:
    """The names, each with `_` for `-` too: a variable of the environment can only be called so."""
    return list(dict.fromkeys(same for name in names for same in (name, name.replace("-", "_"))))


def announce(names: Iterable[str], load: Callable[[], Tool]) -> None:
    """Adds a tool by its name and aliases, to be loaded when it is first needed; a name that is taken stays."""
    for name in spellings(names):
        TOOLS.setdefault(name, load)


def expect(names: Iterable[str], load: Callable[[], Tool]) -> None:
    """As `announce`, for a tool of the configuration, whose file may go while the service runs."""
    EXPECTED.update(name for name in spellings(names) if name not in TOOLS)
    announce(names, load)
