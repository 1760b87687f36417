"""Reads typed values out of a located mapping: words, choices, durations, lists; every surprise becomes a problem.

Knows how values are written, not what they mean.
"""

from __future__ import annotations

import re
from collections.abc import Collection

from monitor.core.events import DAY, HOUR, MICROSECOND, MINUTE, SECOND
from monitor.packs.located import Listing, Mapping, Node, Scalar
from monitor.packs.problems import Place, Problems, listed, nearest

_UNITS: dict[str, int] = {"ms": 1_000 * MICROSECOND, "s": SECOND, "m": MINUTE, "h": HOUR, "d": DAY}
_DURATION = re.compile(r"(?:\d{1,9}(?:ms|[smhd]))+\Z")
_PART = re.compile(r"(\d+)(ms|[smhd])")
MOST_ITEMS = 200
DURATION_HELP = "a duration such as 90s, 30m, 2h, 1h30m or 14d"


def duration(text: str) -> int | None:
    """Microseconds of `30m`, `2h`, `1h30m`; None where the text is no duration. A leading minus counts."""
    sign, rest = (-1, text[1:]) if text.startswith("-") else (1, text)
    if not _DURATION.match(rest):
        return None
    return sign * sum(int(number) * _UNITS[unit] for number, unit in _PART.findall(rest))


def say_duration(microseconds: int) -> str:
    """The shortest way to write it: `30m`, `14d`."""
    if microseconds == 0:
        return "0s"
    for unit in ("d", "h", "m", "s", "ms"):
        if microseconds % _UNITS[unit] == 0:
            return f"{microseconds // _UNITS[unit]}{unit}"
    return f"{microseconds}µs"


def name_of(node: Node) -> str:
    """What a node is, for a message."""
    if isinstance(node, Listing):
        return "a list"
    if isinstance(node, Mapping):
        return "a mapping"
    return "nothing" if node.value is None else repr(node.text)


class Form:
    """One mapping whose keys are known. Unknown keys are reported at once, with the nearest known one."""

    def __init__(self, node: Node, problems: Problems, what: str, keys: Collection[str]) -> None:
        self.problems = problems
        self.place = node.place
        self.what = what
        self._entries: dict[str, tuple[Scalar, Node]] = {}
        if not isinstance(node, Mapping):
            problems.error(node.place, f"{what} is {name_of(node)}", f"a mapping with {listed(keys)}")
            return
        for key, (written, value) in node.entries.items():
            if key in keys:
                self._entries[key] = (written, value)
                continue
            close = nearest(key, keys)
            problems.error(
                written.place, f"{what} has no key {key!r}", f"one of {listed(keys)}", f"{close!r}" if close else ""
            )

    def has(self, key: str) -> bool:
        return key in self._entries

    def get(self, key: str) -> Node | None:
        entry = self._entries.get(key)
        return entry[1] if entry else None

    def place_of(self, key: str) -> Place:
        """Where the value stands, or the mapping where there is none."""
        node = self.get(key)
        return node.place if node is not None else self.place

    def missing(self, key: str, expected: str) -> None:
        self.problems.error(self.place, f"{self.what} has no {key!r}", expected, f"adding `{key}:`")

    def text(self, key: str, expected: str, required: bool = False, default: str = "") -> str:
        node = self.get(key)
        if node is None:
            if required:
                self.missing(key, expected)
            return default
        found = text_of(node, self.problems, key, expected)
        return default if found is None else found

    def flag(self, key: str, default: bool = False) -> bool:
        node = self.get(key)
        if node is None:
            return default
        if isinstance(node, Scalar) and isinstance(node.value, bool):
            return node.value
        self.problems.error(node.place, f"{key} is {name_of(node)}", "true or false")
        return default

    def choice(self, key: str, allowed: Collection[str], default: str | None = None) -> str:
        """One of `allowed`; required where there is no default."""
        node = self.get(key)
        fallback = default if default is not None else min(allowed)
        if node is None:
            if default is None:
                self.missing(key, f"one of {listed(allowed)}")
            return fallback
        return choice_of(node, self.problems, key, allowed) or fallback

    def span(self, key: str, default: int | None = None) -> int:
        """A duration in microseconds; required where there is no default."""
        node = self.get(key)
        if node is None:
            if default is None:
                self.missing(key, DURATION_HELP)
            return default or 0
        found = span_of(node, self.problems, key)
        return (default or 0) if found is None else found

    def count(self, key: str, default: int | None, most: int) -> int | None:
        node = self.get(key)
        if node is None:
            return default
        whole = isinstance(node, Scalar) and type(node.value) is int and 0 <= node.value <= most
        if whole and isinstance(node, Scalar) and isinstance(node.value, int):
            return node.value
        self.problems.error(node.place, f"{key} is {name_of(node)}", f"a whole number from 0 to {most}")
        return default

    def several(self, key: str) -> list[Node]:
        """The items of a list; a single value may be written bare. At most `MOST_ITEMS`, which is reported."""
        node = self.get(key)
        if node is None:
            return []
        items: list[Node] = node.items if isinstance(node, Listing) else [node]
        if len(items) > MOST_ITEMS:
            self.problems.error(node.place, f"{key} has {len(items)} items", f"at most {MOST_ITEMS}", "a shorter list")
            return items[:MOST_ITEMS]
        return items

    def texts(self, key: str, expected: str) -> tuple[str, ...]:
        found = (text_of(node, self.problems, key, expected) for node in self.several(key))
        return tuple(text for text in found if text is not None)

    def choices(self, key: str, allowed: Collection[str], expected: str) -> frozenset[str]:
        """At least one of `allowed`, required."""
        if not self.has(key):
            self.missing(key, expected)
            return frozenset()
        nodes = self.several(key)
        if not nodes:
            self.problems.error(self.place_of(key), f"{key} is an empty list", expected)
        found = (choice_of(node, self.problems, key, allowed) for node in nodes)
        return frozenset(word for word in found if word)


def text_of(node: Node, problems: Problems, what: str, expected: str) -> str | None:
    if isinstance(node, Scalar) and node.value is not None and node.text.strip():
        return node.text
    problems.error(node.place, f"{what} is {name_of(node)}", expected)
    return None


def choice_of(node: Node, problems: Problems, what: str, allowed: Collection[str]) -> str | None:
    if isinstance(node, Scalar) and node.text in allowed:
        return node.text
    close = nearest(node.text, allowed) if isinstance(node, Scalar) else ""
    expected = f"one of {listed(allowed)}" if len(allowed) <= 12 or not close else "a known word"
    problems.error(node.place, f"{what} is {name_of(node)}", expected, f"{close!r}" if close else "")
    return None


def span_of(node: Node, problems: Problems, what: str) -> int | None:
    found = duration(node.text) if isinstance(node, Scalar) else None
    if found is None or found < 0:
        problems.error(node.place, f"{what} is {name_of(node)}", DURATION_HELP)
        return None
    return found
