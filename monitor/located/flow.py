"""A value as one line of YAML, to be pasted into a file. Decides the quotes; must not know what the value means."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence

_WORDS = frozenset({"true", "false", "yes", "no", "on", "off", "null", "y", "n"})
_PLAIN = re.compile(r"[A-Za-z_][\w./-]*|[0-9]+(?:[hmsd]| requests?)", re.ASCII)

_BREAKS = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\ufeff]")
"""Quotes alone do not keep these."""


def said(value: str) -> str:
    """A text as YAML has it."""
    if _PLAIN.fullmatch(value) and value.casefold() not in _WORDS:
        return value
    if _BREAKS.search(value):
        escaped = json.dumps(value, ensure_ascii=False)
        return _BREAKS.sub(lambda found: f"\\u{ord(found[0]):04x}", escaped)
    return "'" + value.replace("'", "''") + "'"


def flow(value: object) -> str:
    """Texts, numbers, true, false, null, lists and mappings of these; anything else as its text."""
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{said(str(key))}: {flow(each)}" for key, each in value.items()) + "}"
    if isinstance(value, str):
        return said(value)
    if isinstance(value, Sequence):
        return "[" + ", ".join(map(flow, value)) + "]"
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    return repr(value) if isinstance(value, int | float) else said(str(value))
