"""One file a tool. Each declares `TOOL`; `declared` finds them, so that no list of tools has to be kept.

A file whose name begins with an underscore is a part of a tool that would be too long otherwise.
"""

from __future__ import annotations

from collections.abc import Iterator
from importlib import import_module
from pkgutil import iter_modules

from monitor.decode.tool import Tool


def declared() -> Iterator[Tool]:
    """Every tool that has a file here, by the name of its file."""
    for module in sorted(iter_modules(__path__), key=lambda found: found.name):
        if not module.name.startswith("_"):
            yield import_module(f"{__name__}.{module.name}").TOOL
