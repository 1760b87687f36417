"""Regular expressions in linear time (RE2), as the plain callable that the core takes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import re2

LONGEST_PATTERN = 1_000
LARGEST_PROGRAM = 2_000
"""Instructions of a compiled pattern. Beyond it a text of 4,096 characters takes milliseconds, for every event."""
_MEMORY = 1 << 20


class BadPattern(ValueError):
    """The pattern is not one that RE2 takes."""


def make_regex(pattern: str) -> Callable[[str], bool]:
    """Whether a pattern is found anywhere in a text. Raises BadPattern (look-around and back references included)."""
    compiled = _compiled(pattern)

    def found(text: str) -> bool:
        return compiled.search(text) is not None

    return found


def make_finder(pattern: str) -> Callable[[str], str | None]:
    """What a pattern finds in a text: its first group, all of it where it has none. Raises BadPattern."""
    compiled = _compiled(pattern)
    group = 1 if compiled.groups else 0

    def found(text: str) -> str | None:
        match = compiled.search(text)
        said: str | None = match[group] if match else None
        return said

    return found


def _compiled(pattern: str) -> Any:
    if len(pattern) > LONGEST_PATTERN:
        raise BadPattern(f"longer than {LONGEST_PATTERN} characters")
    options = re2.Options()
    options.log_errors = False
    options.max_mem = _MEMORY
    try:
        compiled = re2.compile(pattern, options)
    except re2.error as error:
        said = error.args[0] if error.args else "not a pattern"
        raise BadPattern(said.decode(errors="replace") if isinstance(said, bytes) else str(said)) from error
    if compiled.programsize > LARGEST_PROGRAM:
        raise BadPattern(
            f"compiles to {compiled.programsize:,} instructions, more than {LARGEST_PROGRAM:,}: a repetition such as "
            "{1000} counts that often; use * or + where the number does not matter"
        )
    return compiled
