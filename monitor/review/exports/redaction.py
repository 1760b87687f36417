"""Takes out of a text what must not leave: people, hosts, addresses, tokens, links, and services that were chosen.

One name becomes one placeholder wherever it stands, so that a story stays readable. Names that no tool marked as a
person's cannot be known: somebody reads the result before it is published.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from typing import Literal

import msgspec

What = Literal["person", "host", "address", "token", "link", "service"]

_PARTS: tuple[tuple[str, str], ...] = (
    ("link", r"\b[a-z][a-z0-9+.-]{1,15}://[^\s<>\"')\]]+"),
    (
        "token",
        (
            r"\b(?:gh[opsur]_|github_pat_|glpat-|xox[abprs]-|sk-|AKIA|ASIA|eyJ)[\w.-]{8,}"
            r"|\b(?:[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}|[0-9a-f]{32,})\b"
            r"|(?<![\w/+-])(?=[\w/+-]{0,200}\d)(?=[\w/+-]{0,200}[A-Z])(?=[\w/+-]{0,200}[a-z])[\w/+-]{32,}={0,2}"
        ),
    ),
    ("person", r"[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,5}|(?<![\w@])@[a-z][\w.-]{1,63}"),
    (
        "address",
        r"(?<![\w.])\d{1,3}(?:\.\d{1,3}){3}(?:/\d{1,2})?(?![\w.])|(?<![\w:])(?:[0-9a-f]{0,4}:){3,7}[0-9a-f]{1,4}(?![\w:])",
    ),
    (
        "host",
        (
            r"\b(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.){1,6}(?!(?:yaml|yml|json|py|md|conf|toml|log|sh|sql|txt|go|js|tf)\b)[a-z]{2,12}\b(?!\()"
            r"|\b[a-z][a-z0-9]{0,30}(?:-[a-z0-9]{1,30}){0,6}-\d{1,6}\b"
        ),
    ),
)
_NAMELESS = frozenset({"token", "link"})


class Removed(msgspec.Struct, frozen=True):
    """One thing that was taken out, and what stands in its place."""

    what: What
    original: str
    placeholder: str


class Redactor:
    """Remembers what it took out, so that the same name gets the same placeholder in all texts of one export."""

    def __init__(self, people: Iterable[str] = (), services: Collection[str] = ()) -> None:
        """`people`: ids and names that tools gave; `services`: those that are to be renamed."""
        self._hidden = frozenset(services)
        self._people = frozenset(name for name in people if len(name) > 1)
        self._found: dict[tuple[What, str], Removed] = {}
        self._counts: dict[What, int] = {}
        known = [*_words("service", self._hidden), *_words("known", self._people)]
        self._pattern = re.compile("|".join(f"(?P<{name}>{part})" for name, part in (*known, *_PARTS)), re.IGNORECASE)

    @property
    def removed(self) -> tuple[Removed, ...]:
        """In the order in which they were met."""
        return tuple(self._found.values())

    def text(self, text: str) -> str:
        return self._pattern.sub(self._replace, text)

    def text_or_none(self, text: str | None) -> str | None:
        return None if text is None else self.text(text)

    def service(self, name: str | None) -> str | None:
        """A service's name: its placeholder where it is to be renamed."""
        return name if name is None or name not in self._hidden else self.name("service", name)

    def name(self, what: What, original: str) -> str:
        """The placeholder of one name: `person-1`, or words where there is nothing to tell apart."""
        key: tuple[What, str] = (what, original.casefold())
        if key not in self._found:
            self._counts[what] = self._counts.get(what, 0) + 1
            placeholder = f"[{what} removed]" if what in _NAMELESS else f"{what}-{self._counts[what]}"
            self._found[key] = Removed(what, original, placeholder)
        return self._found[key].placeholder

    def _replace(self, match: re.Match[str]) -> str:
        group = match.lastgroup or ""
        what: What = "person" if group == "known" else group  # type: ignore[assignment]  # the names of the groups
        return self.name(what, match.group())


def _words(name: str, words: Collection[str]) -> list[tuple[str, str]]:
    """One alternative for all of them, the longest first: a part of a longer name is not that name."""
    if not words:
        return []
    either = "|".join(re.escape(word) for word in sorted(words, key=lambda word: (-len(word), word)))
    return [(name, rf"(?<![\w-])(?:{either})(?![\w-])")]
