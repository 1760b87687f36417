"""Mutations that change nothing anybody could see, by module and place, each with the reason."""

from __future__ import annotations

_SIGNS = "monitor/core/weighing/signs.py"
_ORDER = "(event.time, event.source, event.id)"
_AGAIN = "the same event once more is put in its own place"

EQUIVALENT: dict[tuple[str, str], str] = {
    (_SIGNS, f"Lt for LtE in `{_ORDER} < {_ORDER.replace('event', 'self.first')}`"): _AGAIN,
    (_SIGNS, f"Gt for GtE in `{_ORDER} > {_ORDER.replace('event', 'self.last')}`"): _AGAIN,
}
