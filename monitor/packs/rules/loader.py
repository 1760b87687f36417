"""A file or a directory tree of rule files → rules with their examples, and every problem of every file at once.

The service, the commands and the tests all load through here. Names are unique over the whole tree.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping as Silences
from collections.abc import Sequence
from pathlib import Path

import msgspec

from monitor.core.model.rule import Rule
from monitor.located.checks import Check
from monitor.located.files import find_files
from monitor.located.nodes import Mapping, Node, Scalar, read_located
from monitor.located.problems import Place, Problem, Problems
from monitor.packs.advice.lint import lint
from monitor.packs.advice.shadow import shadowed
from monitor.packs.examples.reader import Example, read_examples
from monitor.packs.language.grammar import read_rule
from monitor.packs.language.silences import AT_LOAD, read_silences, without_silenced


class Loaded(msgspec.Struct, frozen=True):
    """What a tree gave. Rules with errors are left out; `places` says where each rule is defined."""

    rules: tuple[Rule, ...]
    problems: tuple[Problem, ...]
    examples: tuple[Example, ...]
    content_hash: str
    places: dict[str, Place]
    files: int
    silences: Silences[str, Silences[Check, Place]] = {}
    """By file, the checks that it silences."""

    @property
    def errors(self) -> tuple[Problem, ...]:
        return tuple(problem for problem in self.problems if problem.is_error)


def load_rules(path: Path, with_examples: bool = True) -> Loaded:
    """All rules of a file or a directory tree (`*.yaml`, `*.yml`; hidden ones left out). Never raises for content.

    Who only runs the rules leaves the examples away: they are four fifths of a pack, and are not judged then.
    """
    problems = Problems()
    files = find_files(path, problems)
    rules: dict[str, Rule] = {}
    places: dict[str, Place] = {}
    examples: list[Example] = []
    silences: dict[str, dict[Check, Place]] = {}
    for file in files:
        node = read_located(file, problems, "" if with_examples else "examples")
        if node is None:
            continue
        silences[node.place.file] = read_silences(node, problems)
        rule = read_rule(node, problems)
        name = _name_of(node)
        told = node.get("examples") if with_examples and isinstance(node, Mapping) else None
        read = read_examples(told, name or "", problems)
        if name is not None and name in places:
            _defined_twice(name, _place_of(node), places[name], problems)
            continue
        if name is not None:
            places[name] = _place_of(node)
        if rule is None:
            continue
        rules[rule.name] = rule
        examples.extend(read)
        lint(rule, read if with_examples else None, node, problems)
    found = tuple(rules[name] for name in sorted(rules))
    if with_examples:
        for rule, other in shadowed(found):
            message = f"whatever this rule finds, {other.name!r} finds too ({places[other.name]})"
            problems.warning(
                Check.SHADOWED, places[rule.name], message, "a rule that finds something else", "one of the two rules"
            )
    return Loaded(
        rules=found,
        problems=without_silenced(problems, silences, AT_LOAD if with_examples else ()),
        silences=silences,
        examples=tuple(examples),
        content_hash=content_hash(found),
        places=places,
        files=len(files),
    )


def find_shared_names(loaded: Sequence[Loaded]) -> tuple[Problem, ...]:
    """An error for each rule of several trees whose name one before it has: together they could not be used."""
    problems = Problems()
    places: dict[str, Place] = {}
    for each in loaded:
        for name, place in each.places.items():
            if name in places:
                _defined_twice(name, place, places[name], problems)
            places.setdefault(name, place)
    return tuple(problems)


def _defined_twice(name: str, place: Place, first: Place, problems: Problems) -> None:
    message = f"rule {name!r} is defined twice (first in {first})"
    problems.error(place, message, "a name of its own for each rule", "renaming one of them")


def content_hash(rules: tuple[Rule, ...]) -> str:
    """One hash for a whole pack: equal when every rule means the same."""
    lines = "\n".join(f"{rule.name} {rule.version}" for rule in sorted(rules, key=lambda rule: rule.name))
    return hashlib.sha256(lines.encode()).hexdigest()[:16]


def _name_of(node: Node) -> str | None:
    found = node.get("rule") if isinstance(node, Mapping) else None
    return found.text if isinstance(found, Scalar) and found.value is not None else None


def _place_of(node: Node) -> Place:
    found = node.get("rule") if isinstance(node, Mapping) else None
    return found.place if found is not None else node.place
