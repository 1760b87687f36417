"""Saved cells that are let go as they are read, so that a restart needs no memory for them beside what they become.

Knows names and bytes; must not know what a cell says.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import msgspec

from monitor.ops.squeezing import Unsqueezed
from monitor.ports import Saved


class Draining(Mapping[str, bytes]):
    """Cells each of which can be read once; what was read is gone."""

    def __init__(self, cells: Mapping[str, bytes]) -> None:
        self._cells = cells if isinstance(cells, dict | Unsqueezed) else dict(cells)

    def __getitem__(self, name: str) -> bytes:
        return self._cells.pop(name)

    def __contains__(self, name: object) -> bool:
        return name in self._cells

    def __iter__(self) -> Iterator[str]:
        return iter(list(self._cells))

    def __len__(self) -> int:
        return len(self._cells)


def draining(saved: Saved) -> Saved:
    """The same, for an engine to be made of once."""
    scopes = {scope: Draining(cells) for scope, cells in saved.scopes.items()}
    return msgspec.structs.replace(saved, cells=Draining(saved.cells), scopes=scopes)
