"""Rules, catalogue and mappings of a service, read together: what a start, a check and a reload all go through.

Knows where files lie and when they changed; must not know what is done with them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import msgspec

from monitor.located.files import find_files
from monitor.located.problems import Problem, Problems
from monitor.packs.catalogue.loader import LoadedCatalogue, load_catalogues
from monitor.packs.mappings.loader import LoadedMappings, load_mappings
from monitor.packs.rules.loader import Loaded, load_rules
from monitor.packs.rules.shipped import shipped_rules
from monitor.packs.weights import SHIPPED, LoadedWeights, load_weights

Marks = tuple[tuple[str, int, int, int], ...]
"""What tells that a file is not the one that was read: path, time of change (nanoseconds), size, inode."""


class LoadedPack(msgspec.Struct, frozen=True):
    """What the files gave, and the marks that they had before they were read."""

    rules: Loaded
    catalogue: LoadedCatalogue
    weights: LoadedWeights
    marks: Marks
    mappings: LoadedMappings = LoadedMappings()

    @property
    def problems(self) -> tuple[Problem, ...]:
        return (*self.rules.problems, *self.catalogue.problems, *self.mappings.problems, *self.weights.problems)

    @property
    def errors(self) -> tuple[Problem, ...]:
        return (*self.rules.errors, *self.catalogue.errors, *self.mappings.errors, *self.weights.problems)


def load_pack(
    rules: Path | None, catalogue: Sequence[Path], mappings: Path | None = None, weights: Path | None = None
) -> LoadedPack:
    """The rules of a directory (without one, those that come with the program), the catalogue and the own mappings.

    As the service runs them: the examples of the rules are for their authors, and are left away.
    """
    marks = marks_of(rules, catalogue, mappings, weights)
    read = load_rules(shipped_rules() if rules is None else rules, with_examples=False)
    own = LoadedMappings() if mappings is None else load_mappings(mappings)
    return LoadedPack(read, load_catalogues(catalogue), load_weights(weights or SHIPPED), marks, own)


def marks_of(
    rules: Path | None, catalogue: Sequence[Path], mappings: Path | None = None, weights: Path | None = None
) -> Marks:
    """The marks of all files that `load_pack` would read now; other marks mean that something may have changed."""
    own = [] if mappings is None else [mappings]
    listed = _marks([shipped_rules() if rules is None else rules, *catalogue, *own])
    return tuple(sorted([*listed, *_marks_of_file(weights or SHIPPED)]))


def _marks(paths: Sequence[Path]) -> Iterator[tuple[str, int, int, int]]:
    for path in paths:
        for file in find_files(path, Problems()):
            yield from _marks_of_file(file)


def _marks_of_file(file: Path) -> Iterator[tuple[str, int, int, int]]:
    """None for a file that is gone: its absence is the change."""
    try:
        found = file.stat()
    except OSError:
        return
    yield str(file), found.st_mtime_ns, found.st_size, found.st_ino
