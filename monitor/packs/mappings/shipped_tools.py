"""Makes mappings known to the registry by their names alone; a file is read when the first body for it comes.

Cheap enough for every start of every command: imports neither the YAML reader nor the language of expressions.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from monitor.decode.known import announce, expect

if TYPE_CHECKING:
    from monitor.decode.tool import Tool

SHIPPED = Path(__file__).resolve().parent / "shipped"
_NAMES = re.compile(r"^(?:mapping|aliases):[ \t]*\[?([\w, \t-]+)\]?[ \t]*(?:#.*)?$", re.MULTILINE)
_READ = 4_096
"""Characters at the beginning of a file in which its names stand."""


class BrokenMapping(Exception):
    """The file of a mapping has errors; `nearmiss mapping check` prints all of them."""


def announce_shipped() -> None:
    """The mappings that come with the program."""
    for file, names in _named(SHIPPED):
        announce(names, partial(_load, file))


def expect_folder(path: Path) -> None:
    """The mappings of the configuration. What cannot be read is passed over: who loads it says what is wrong."""
    for file, names in _named(path):
        expect(names, partial(_load, file))


def _named(path: Path) -> Iterator[tuple[Path, list[str]]]:
    files = [path] if path.is_file() else sorted((*path.rglob("*.yaml"), *path.rglob("*.yml")))
    for file in files:
        try:
            with file.open(encoding="utf-8") as opened:
                head = opened.read(_READ)
        except (OSError, UnicodeDecodeError):
            continue
        if names := [name for found in _NAMES.findall(head) for name in re.split(r"[\s,]+", found.strip()) if name]:
            yield file, names


def _load(file: Path) -> Tool:
    from monitor.packs.mappings.loader import load_mappings

    loaded = load_mappings(file)
    if not loaded.tools:
        said = "; ".join(map(str, loaded.errors[:3])) or "it holds no mapping"
        raise BrokenMapping(f"{file.name} cannot be used: {said}")
    return loaded.tools[0]
