"""One word for one thing: a public class name stands once, and a file name for one thing. The bounds only fall."""

from __future__ import annotations

import ast
from collections import defaultdict
from pathlib import Path

MONITOR = Path(__file__).parents[2] / "monitor"
MOST_SHARED = 3
"""Public class names that stand twice: a thing, and its shape in the API under the same name, which is published."""
MOST_SHARED_FILES = 14
"""File names that stand for several things still. Rename one, and lower this."""

CONVENTIONAL = {"__init__.py", "settings.py", "metrics.py", "health.py", "errors.py", "routes.py", "0001_first.py"}
"""What each part owns under the same name, gathered by the composition root; and names that a tool expects."""
OF_A_THING = {"cli", "ports", "packs"}
"""A command, a port and what people write are named like the thing that they are of."""
OF_A_TOOL = {"tools", "feeds", "pullers", "shop"}
"""A module about one tool is named like the tool."""


def test_few_class_names_stand_for_several_things() -> None:
    places: defaultdict[str, list[str]] = defaultdict(list)
    for path in sorted(MONITOR.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_bytes())):
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                places[node.name].append(f"{path.relative_to(MONITOR)}:{node.lineno}")
    shared = {name: found for name, found in places.items() if len(found) > 1}
    assert len(shared) == MOST_SHARED, "\n".join(f"{name}: {', '.join(found)}" for name, found in shared.items())


def test_few_file_names_stand_for_several_things() -> None:
    places: defaultdict[str, list[str]] = defaultdict(list)
    tools = {path.name for path in (MONITOR / "decode" / "tools").glob("*.py")}
    for path in sorted(MONITOR.rglob("*.py")):
        parts = path.relative_to(MONITOR).parts
        if path.name in CONVENTIONAL or parts[0] in OF_A_THING or (path.name in tools and set(parts) & OF_A_TOOL):
            continue
        places[path.name].append("/".join(parts))
    shared = {name: found for name, found in places.items() if len(found) > 1}
    assert len(shared) == MOST_SHARED_FILES, "\n".join(f"{name}: {', '.join(found)}" for name, found in shared.items())
