"""Saved cells that are let go as they are read, so that a restart needs no memory for them beside what they become.

Knows names and bytes; must not know what a cell says.
"""

from __future__ import annotations

from collections.abc import ItemsView, Iterator, Mapping

import msgspec

from monitor.ports import Saved


class Draining(Mapping[str, bytes]):
    """Cells whose `items` can be gone through once; what was passed is gone."""

    def __init__(self, cells: Mapping[str, bytes]) -> None:
        self._cells = cells if isinstance(cells, dict) else dict(cells)

    def __getitem__(self, name: str) -> bytes:
        return self._cells[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._cells)

    def __len__(self) -> int:
        return len(self._cells)

    def items(self) -> ItemsView[str, bytes]:
        return _Drained(self._cells)


class _Drained(ItemsView[str, bytes]):
    def __init__(self, cells: dict[str, bytes]) -> None:
        super().__init__(cells)
        self._cells = cells

    def __iter__(self) -> Iterator[tuple[str, bytes]]:
        while self._cells:
            yield self._cells.popitem()


def draining(saved: Saved) -> Saved:
    """The same, for an engine to be made of once."""
    scopes = {scope: Draining(cells) for scope, cells in saved.scopes.items()}
    return msgspec.structs.replace(saved, cells=Draining(saved.cells), scopes=scopes)
