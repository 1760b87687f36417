"""The text of a new rule: from the template of a family, or as a copy of a rule that there is.

Gives text only; where it is kept, and whether that place is free, is for others to know.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import get_args

from monitor.core.model.near_miss import Family

FAMILIES: tuple[str, ...] = get_args(Family)
_TEMPLATES = Path(__file__).resolve().parent / "templates"
_WORD = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*\Z")


def from_template(name: str, family: str, pattern: str | None = None) -> str:
    """A whole rule of this family with examples that pass, in shadow mode. Raises ValueError for a bad pattern."""
    text = (_TEMPLATES / f"{family}.yaml").read_text(encoding="utf-8")
    return _with_key(_with_key(text, "rule", name), "pattern", _checked(pattern), after="rule")


def as_copy(text: str, original: str, name: str, family: str | None = None, pattern: str | None = None) -> str:
    """The rule file `text` under a new name and in shadow mode; all else stays, its comments too.

    Raises ValueError for a bad pattern.
    """
    text = _with_key(text, "rule", name)
    text = _with_key(text, "pattern", _checked(pattern), after="rule")
    text = _with_key(text, "family", family, after="rule")
    return f"# Begun as a copy of {original}.\n" + _with_key(text, "mode", "shadow", after="rule")


def _checked(pattern: str | None) -> str | None:
    if pattern is not None and not _WORD.match(pattern):
        raise ValueError(f"{pattern!r} cannot be a pattern; expected one word, such as P09")
    return pattern


def _with_key(text: str, key: str, value: str | None, *, after: str = "") -> str:
    """A top-level key with another value; added below the line of `after` where it is missing. None leaves it."""
    if value is None:
        return text
    line = f"{key}: {value}"
    written, found = re.subn(rf"^{key}:.*$", line, text, count=1, flags=re.MULTILINE)
    return written if found else re.sub(rf"^({after}:.*)$", rf"\1\n{line}", text, count=1, flags=re.MULTILINE)
