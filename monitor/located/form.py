"""Reads typed values out of a located mapping: words, choices, durations, lists; every surprise becomes a problem.

Knows how values are written, not what they mean.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Sequence

from monitor.core.model.events import DAY, HOUR, MICROSECOND, MINUTE, SECOND
from monitor.located.nodes import Listing, Mapping, Node, Scalar
from monitor.located.problems import Place, Problems, brief, listed, meant, nearest

_UNITS: dict[str, int] = {"ms": 1_000 * MICROSECOND, "s": SECOND, "m": MINUTE, "h": HOUR, "d": DAY}
_DURATION = re.compile(r"(?:\d{1,9}(?:ms|[smhd]))+\Z")
_PART = re.compile(r"(\d+)(ms|[smhd])")
_SPELT_OUT = re.compile(r"-?(\d{1,6})\s*(ms|s|m(?!o)|h|d|w)[a-z]*\Z", re.IGNORECASE)
_FALSE = frozenset({"no", "off", "n", "0"})
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
    return "nothing" if node.value is None else repr(brief(node.text))


Misplaced = Callable[[Mapping, str, Sequence[str]], str]
"""The mapping, its unknown key, and the keys that it could still have → what to try."""


class Form:
    """One mapping whose keys are known. Unknown keys are reported at once, with the nearest known one."""

    def __init__(
        self, node: Node, problems: Problems, what: str, keys: Sequence[str], misplaced: Misplaced | None = None
    ) -> None:
        """`misplaced` gives the hint about an unknown key where more is known of it than what it looks like."""
        self.problems = problems
        self.place = node.place
        self.what = what
        self._entries: dict[str, tuple[Scalar, Node]] = {}
        if not isinstance(node, Mapping):
            expected, hint = (
                f"a mapping with {listed(keys)}",
                f"`{keys[0]}: …`, and each other key on a line of its own",
            )
            problems.error(node.place, f"{what} is {name_of(node)}", expected, hint)
            return
        for key, (written, value) in node.entries.items():
            if key in keys:
                self._entries[key] = (written, value)
                continue
            free = [known for known in keys if known not in node.entries]
            hint = misplaced(node, key, free) if misplaced else meant(key, free, "removing it")
            problems.error(written.place, f"{what} has no key {brief(key)!r}", f"one of {listed(keys)}", hint)

    def has(self, key: str) -> bool:
        return key in self._entries

    def get(self, key: str) -> Node | None:
        entry = self._entries.get(key)
        return entry[1] if entry else None

    def place_of(self, key: str) -> Place:
        """Where the value stands, or the mapping where there is none."""
        node = self.get(key)
        return node.place if node is not None else self.place

    def missing(self, key: str, expected: str, sample: str) -> None:
        self.problems.error(self.place, f"{self.what} has no {key!r}", expected, f"adding `{key}: {sample}`")

    def text(self, key: str, expected: str, sample: str, required: bool = False, default: str = "") -> str:
        """A text that is not empty; `sample` is one that would be right, as YAML."""
        node = self.get(key)
        if node is None:
            if required:
                self.missing(key, expected, sample)
            return default
        found = text_of(node, self.problems, key, expected, f"`{key}: {sample}`")
        return default if found is None else found

    def flag(self, key: str, default: bool = False) -> bool:
        node = self.get(key)
        if node is None:
            return default
        if isinstance(node, Scalar) and isinstance(node.value, bool):
            return node.value
        self.problems.error(node.place, f"{key} is {name_of(node)}", "true or false", f"`{key}: {truth_of(node)}`")
        return default

    def choice(self, key: str, allowed: Collection[str], default: str | None = None) -> str:
        """One of `allowed`; required where there is no default."""
        node = self.get(key)
        fallback = default if default is not None else min(allowed)
        if node is None:
            if default is None:
                self.missing(key, f"one of {listed(allowed)}", fallback)
            return fallback
        return choice_of(node, self.problems, key, allowed, fallback) or fallback

    def span(self, key: str, default: int | None = None) -> int:
        """A duration in microseconds; required where there is no default."""
        node = self.get(key)
        if node is None:
            if default is None:
                self.missing(key, DURATION_HELP, "30m")
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
        above = isinstance(node, Scalar) and isinstance(node.value, int | float) and node.value > most
        hint = f"`{key}: {most if above else default or 1}`"
        self.problems.error(node.place, f"{key} is {name_of(node)}", f"a whole number from 0 to {most}", hint)
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

    def texts(self, key: str, expected: str, sample: str) -> tuple[str, ...]:
        """Texts that are not empty; `sample` is a list of such, as YAML."""
        found = (text_of(node, self.problems, key, expected, f"`{key}: {sample}`") for node in self.several(key))
        return tuple(text for text in found if text is not None)

    def choices(self, key: str, allowed: Collection[str], expected: str, sample: str) -> frozenset[str]:
        """At least one of `allowed`, required; `sample` is one of them."""
        if not self.has(key):
            self.missing(key, expected, sample)
            return frozenset()
        nodes = self.several(key)
        if not nodes:
            self.problems.error(self.place_of(key), f"{key} is an empty list", expected, f"`{key}: {sample}`")
        found = (choice_of(node, self.problems, key, allowed, sample) for node in nodes)
        return frozenset(word for word in found if word)


def truth_of(node: Node) -> str:
    """Which of `true` and `false` somebody meant who wrote something else."""
    text = node.text.strip().lower() if isinstance(node, Scalar) else ""
    return "false" if text in _FALSE or nearest(text, ("true", "false")) == "false" else "true"


def text_of(node: Node, problems: Problems, what: str, expected: str, hint: str) -> str | None:
    if isinstance(node, Scalar) and node.value is not None and node.text.strip():
        return node.text
    problems.error(node.place, f"{what} is {name_of(node)}", expected, hint)
    return None


def choice_of(node: Node, problems: Problems, what: str, allowed: Collection[str], sample: str) -> str | None:
    if isinstance(node, Scalar) and node.text in allowed:
        return node.text
    close = nearest(node.text, allowed) if isinstance(node, Scalar) else ""
    expected = f"one of {listed(allowed)}" if len(allowed) <= 12 or not close else "a known word"
    problems.error(node.place, f"{what} is {name_of(node)}", expected, f"{close!r}" if close else f"`{what}: {sample}`")
    return None


def span_of(node: Node, problems: Problems, what: str) -> int | None:
    found = duration(node.text) if isinstance(node, Scalar) else None
    if found is None or found < 0:
        problems.error(node.place, f"{what} is {name_of(node)}", DURATION_HELP, f"`{what}: {as_duration(node)}`")
        return None
    return found


def as_duration(node: Node) -> str:
    """How to write what somebody meant: `2 hours` is `2h`; `30m` where that cannot be told."""
    text = node.text.strip() if isinstance(node, Scalar) else ""
    if duration(text) is not None:
        return text.removeprefix("-")
    found = _SPELT_OUT.match(text)
    if found is None:
        return "30m"
    number, unit = int(found[1]), found[2].lower()
    return f"{number * 7}d" if unit == "w" else f"{number}{unit}"
