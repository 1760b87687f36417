"""One word for one thing: a public class name stands once. The bound only falls."""

from __future__ import annotations

import ast
from collections import defaultdict
from pathlib import Path

MONITOR = Path(__file__).parents[2] / "monitor"
MOST_SHARED = 18
"""Public class names that stand for several things still. Rename one, and lower this."""


def test_few_class_names_stand_for_several_things() -> None:
    places: defaultdict[str, list[str]] = defaultdict(list)
    for path in sorted(MONITOR.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_bytes())):
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                places[node.name].append(f"{path.relative_to(MONITOR)}:{node.lineno}")
    shared = {name: found for name, found in places.items() if len(found) > 1}
    assert len(shared) == MOST_SHARED, "\n".join(f"{name}: {', '.join(found)}" for name, found in shared.items())
