"""Where a setting that is wrong was given, and what to try instead: as a flag, as a variable, in the file.

Decides the words of a hint; must not know which settings are in force.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from pydantic.fields import FieldInfo

from monitor.located.nodes import Listing, Node
from monitor.located.nodes import Mapping as LocatedMapping
from monitor.located.problems import nearest

PREFIX = "NEARMISS_"
"""Of the variables that are settings."""
OF_KIND = {
    "int_parsing": "a whole number",
    "int_type": "a whole number",
    "int_from_float": "a whole number",
    "string_type": "a text",
    "path_type": "a path",
    "dict_type": "names with values",
    "model_type": "names with values",
    "tuple_type": "a list",
}
"""What is expected in place of a value of another sort, by pydantic's name of the error."""


class Hints(NamedTuple):
    """What the fields themselves say, by the full name of the setting ("kafka.group").

    `samples`: of each setting with one value, how it may be written. `many`: of the others, a line of the file.
    `expected`: what is expected, where the kind of the error does not say it.
    """

    samples: Mapping[str, str]
    many: Mapping[str, str]
    expected: Mapping[str, str]


def hints_of(fields: Iterable[tuple[str, FieldInfo]]) -> Hints:
    """A field's first example is what to try; in backticks it is a line of the file."""
    samples: dict[str, str] = {}
    many: dict[str, str] = {}
    expected: dict[str, str] = {}
    for name, field in fields:
        for example in field.examples or ():
            (many if example.startswith("`") else samples)[name] = str(example)
        if isinstance(field.json_schema_extra, dict) and "expected" in field.json_schema_extra:
            expected[name] = str(field.json_schema_extra["expected"])
    return Hints(samples, many, expected)


def what_to_try(hints: Hints, path: list[str], error: Any, where: str) -> str:
    """What to write instead, in the way in which it was given."""
    name = ".".join(path)
    if (many := next((each for each in (".".join(path[:2]), *path[:1]) if each in hints.many), None)) is not None:
        return hints.many[many]
    if error["type"] == "extra_forbidden":
        return "removing it"
    known = next((known for known in (name, ".".join(path[:2]), ".".join(path[:1])) if known in hints.samples), None)
    if known is None:
        return "the page of settings in the reference, which has a whole file"
    sample = hints.samples[known]
    if error["type"] == "literal_error":
        sample = nearest(str(error["input"]), _words(error)) or sample
    if where.startswith("--"):
        return f"`--{known.replace('_', '-')} {sample}`"
    if where.startswith(PREFIX):
        return f"`{PREFIX}{known.replace('.', '__').upper()}={sample}`"
    group, _, below = known.rpartition(".")
    return f"`{group}: {{{below}: {sample}}}`" if group else f"`{known}: {sample}`"


def _words(error: Any) -> list[str]:
    """The words that a setting may be."""
    return [word.strip(" '") for word in str(error["ctx"]["expected"]).replace(" or ", ",").split(",")]


def origin(path: list[str], flags: Mapping[str, Any], variables: Mapping[str, Any], node: Node | None) -> str:
    """Where a setting was given, for the beginning of a line: its flag, its variable, or its place in the file."""
    if not path:
        return ""
    if path[0] in flags:
        return f"--{path[0].replace('_', '-')}: "
    if _holds(variables, path):
        return f"{PREFIX}{'__'.join(path).upper()}: "
    place = None
    for step in path:
        if isinstance(node, Listing) and step.isdecimal() and int(step) < len(node.items):
            node = node.items[int(step)]
            place = node.place
            continue
        entry = node.entries.get(step) if isinstance(node, LocatedMapping) else None
        if entry is None:
            break
        place, node = entry[0].place, entry[1]
    return f"{place}: " if place else ""


def _holds(tree: Any, path: list[str]) -> bool:
    for step in path:
        if not isinstance(tree, Mapping):
            return True
        if step not in tree:
            return False
        tree = tree[step]
    return True
