"""Imports one module with the mutation that MUTATION names (`file#number`); a plugin of the test runner.

Nothing is written: neither the file nor its compiled form.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder, SourceFileLoader
from pathlib import Path
from types import CodeType, ModuleType
from typing import Any

from tests.mutation.bounds import LONGEST, bound_to
from tests.mutation.mutations import ROOT, mutated


class _MutatedLoader(SourceFileLoader):
    number = 0

    def get_code(self, fullname: str) -> CodeType:
        source = Path(self.path).read_bytes()
        code: CodeType = compile(mutated(source, self.number), self.path, "exec")
        return code


class _Finder(MetaPathFinder):
    def __init__(self, path: Path, number: int) -> None:
        self._path, self._number = path, number
        self._name = ".".join(path.relative_to(ROOT).with_suffix("").parts)

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if fullname != self._name:
            return None
        spec = PathFinder.find_spec(fullname, path)
        assert spec is not None
        loader: Any = _MutatedLoader(fullname, str(self._path))
        loader.number = self._number
        spec.loader, spec.cached = loader, None
        return spec


if wanted := os.environ.get("MUTATION"):
    bound_to(LONGEST)
    _file, _, _number = wanted.partition("#")
    sys.meta_path.insert(0, _Finder(ROOT / _file, int(_number)))
