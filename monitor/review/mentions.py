"""Whom a comment calls: `@payments` is a team. Teams alone, since no record names a person.

Knows names and texts, and who may be told; must not know how a team is told.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator

import msgspec

MOST = 5
"""Teams that one comment may tell: more would be everybody."""
_CALLED = re.compile(r"(?<![\w@<.+/-])@(\w(?:[\w.-]{0,98}\w)?)")


class Mentions(msgspec.Struct, frozen=True):
    """`teams`: those that are known, each once, in their order; `unknown`: names that no team has.

    `unasked`: teams that may not see the record, and hear nothing of it.
    """

    teams: tuple[str, ...] = ()
    unknown: tuple[str, ...] = ()
    unasked: tuple[str, ...] = ()

    @property
    def sentence(self) -> str:
        """What came of it, for who wrote the comment; empty where nobody was called."""
        said = []
        if self.teams:
            chats = "its chat" if len(self.teams) == 1 else "their chats"
            said.append(f"{', '.join(self.teams)}: asked in {chats}, where one is configured.")
        if self.unasked:
            named = " and ".join(self.unasked)
            said.append(f"Not asked: {named} may not see this record. A lead can share it with the organisation first.")
        if self.unknown:
            said.append(f"No team is called {' or '.join(self.unknown)}: nobody was asked.")
        return " ".join(said)


def mentions(text: str, known: Collection[str], may_hear: Callable[[str], bool] = lambda team: True) -> Mentions:
    """Case makes no difference: a team is written as people write it in the middle of a sentence."""
    names = {name.casefold(): name for name in known}
    called = dict.fromkeys(_CALLED.findall(text))
    found = dict.fromkeys(names[name.casefold()] for name in called if name.casefold() in names)
    unknown = tuple(name for name in called if name.casefold() not in names)
    asked = tuple(team for team in found if may_hear(team))[:MOST]
    return Mentions(asked, unknown, tuple(team for team in found if not may_hear(team)))


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
