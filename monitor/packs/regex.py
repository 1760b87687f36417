"""Regular expressions in linear time (RE2), as the plain callable that the core takes."""

from __future__ import annotations

from collections.abc import Callable

import re2

LONGEST_PATTERN = 1_000
_MEMORY = 1 << 20


class BadPattern(ValueError):
    """The pattern is not one that RE2 takes."""


def make_regex(pattern: str) -> Callable[[str], bool]:
    """Whether a pattern is found anywhere in a text. Raises BadPattern (look-around and back references included)."""
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

    def found(text: str) -> bool:
        return compiled.search(text) is not None

    return found
