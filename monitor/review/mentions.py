"""Whom a comment calls: `@payments` is a team. Teams alone, since no record names a person.

Knows names and texts; must not know how a team is told.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator

import msgspec

MOST = 5
"""Teams that one comment may tell: more would be everybody."""
_CALLED = re.compile(r"(?<![\w@<.+/-])@(\w(?:[\w.-]{0,98}\w)?)")


class Mentions(msgspec.Struct, frozen=True):
    """`teams`: those that are known, each once, in their order; `unknown`: names that no team has."""

    teams: tuple[str, ...] = ()
    unknown: tuple[str, ...] = ()


def mentions(text: str, known: Collection[str]) -> Mentions:
    """Case makes no difference: a team is written as people write it in the middle of a sentence."""
    names = {name.casefold(): name for name in known}
    called = dict.fromkeys(_CALLED.findall(text))
    found = dict.fromkeys(names[name.casefold()] for name in called if name.casefold() in names)
    return Mentions(tuple(found)[:MOST], tuple(name for name in called if name.casefold() not in names))


def parts(text: str, known: Collection[str]) -> Iterator[tuple[str, bool]]:
    """The text in pieces, and of each whether it calls a team that is known."""
    names = {name.casefold() for name in known}
    done = 0
    for match in _CALLED.finditer(text):
        if match[1].casefold() in names:
            yield text[done : match.start()], False
            yield match[0], True
            done = match.end()
    yield text[done:], False
