"""Conditions that can never hold, and branches that change nothing: told where they stand.

Looks at what must hold together on the way to each branch. It only speaks where it is sure: what it cannot decide, such
as two regular expressions, it takes to be possible.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from monitor.core.model.conditions import Compare, say
from monitor.core.model.rule import Step
from monitor.located.checks import Check
from monitor.located.nodes import Listing, Mapping, Node
from monitor.located.problems import Place, Problems
from monitor.packs.advice.demands import contradiction, demands, entry_alone, implies, is_flat
from monitor.packs.language.conditions import GROUPS, read_where


def find_dead(steps: Iterable[tuple[Step, Node]], problems: Problems) -> None:
    """Warn of each part of a step's `where` that no event can satisfy, or that changes nothing.

    A part that stands in several places by an alias is only told where it is dead in all of them.
    """
    finder = _Finder()
    for step, where in steps:
        finder.walk(where, [Compare("kind", "one_of", tuple(sorted(step.kinds)))] if step.kinds else [])
    for place, (message, expected, hint) in finder.dead.items():
        if place not in finder.alive:
            problems.warning(Check.DEAD_CONDITION, place, message, expected, hint)


class _Finder:
    def __init__(self) -> None:
        self.dead: dict[Place, tuple[str, str, str]] = {}
        self.alive: set[Place] = set()

    def _say(self, place: Place, message: str, expected: str, hint: str) -> None:
        self.dead.setdefault(place, (message, expected, hint))

    def walk(self, node: Node, above: Sequence[Compare]) -> None:
        """`above` holds already; adds what this mapping demands, and looks into its groups."""
        if not isinstance(node, Mapping):
            return
        known = list(above)
        for key, (written, _) in node.entries.items():
            if key not in GROUPS and not self._joins(written.place, demands(entry_alone(node, key)), known):
                return
        everything = node.get("all")
        for item in everything.items if isinstance(everything, Listing) else []:
            before = list(known)
            if not self._joins(item.place, demands(item), known):
                return
            self.walk(item, before)
        if isinstance(alternatives := node.get("any"), Listing):
            self._branches(alternatives.items, known)
        if (excluded := node.get("not")) is not None:
            self._excluded(excluded, known)

    def _joins(self, place: Place, demanded: list[Compare], known: list[Compare]) -> bool:
        """Add what is demanded to what is known; False where that cannot be."""
        clash = contradiction([*known, *demanded])
        if clash is None:
            self.alive.add(place)
            known += demanded
            return True
        message = f"no event can satisfy both '{say(clash[0])}' and '{say(clash[1])}'"
        self._say(place, message, "a condition that can hold", "removing one of the two, or `any:`")
        return False

    def _branches(self, items: Sequence[Node], known: Sequence[Compare]) -> None:
        told: list[tuple[list[Compare], bool]] = []
        for item in items:
            demanded, whole = demands(item), _is_whole(item)
            together = list(known)
            if contradiction([*known, *demanded]) is not None:
                self._joins(item.place, demanded, together)
            elif whole and implies(known, demanded):
                message = "this branch always holds when the rest does, so the others are redundant"
                self._say(item.place, message, "branches that are not redundant", "removing the whole `any:`")
            elif any(_repeats(known, branch, (demanded, whole)) for branch in told):
                message = "this branch and an earlier one are redundant: one implies the other"
                self._say(item.place, message, "branches that are not redundant", "keeping the wider one")
            else:
                self.alive.add(item.place)
                told.append((demanded, whole))
                self.walk(item, known)

    def _excluded(self, node: Node, known: Sequence[Compare]) -> None:
        demanded = demands(node)
        if contradiction([*known, *demanded]) is not None:
            message = "this excludes what can never occur"
            self._say(node.place, message, "an exclusion that can happen", "removing the `not:`")
        elif _is_whole(node) and implies(known, demanded):
            message = "this excludes everything the rest allows: it can never hold"
            self._say(node.place, message, "an exclusion that leaves something", "removing the `not:`")
        else:
            self.alive.add(node.place)


def _repeats(known: Sequence[Compare], one: tuple[list[Compare], bool], other: tuple[list[Compare], bool]) -> bool:
    """Whether one of two branches (what it demands, and whether that is all of it) makes the other needless."""
    return (one[1] and implies([*known, *other[0]], one[0])) or (other[1] and implies([*known, *one[0]], other[0]))


def _is_whole(node: Node) -> bool:
    """Whether single comparisons say all of it."""
    return is_flat(read_where(node, Problems()))
