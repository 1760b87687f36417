"""What is wrong with a file that a person wrote: where, what, what was expected, what to try; collected, not raised.

Knows nothing of YAML or rules.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from difflib import get_close_matches
from typing import Literal

import msgspec

from monitor.located.checks import Check

SeverityOfProblem = Literal["error", "warning"]


class Place(msgspec.Struct, frozen=True, order=True, gc=False):
    """Where something stands. Lines and columns count from 1; what concerns a file as a whole stands at its start."""

    file: str
    line: int = 1
    column: int = 1

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}"


class Problem(msgspec.Struct, frozen=True, kw_only=True):
    """One thing to mend. `expected` and `hint` are clauses without a full stop that read after "expected" and "try"."""

    file: str
    line: int
    column: int
    message: str
    expected: str
    hint: str
    severity: SeverityOfProblem = "error"
    check: Check | None = None
    """Which check warns; None of an error."""

    @property
    def is_error(self) -> bool:
        return self.severity == "error"

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}:{self.column}"
        check = "" if self.check is None else f" [{self.check}]"
        return f"{place}: {self.severity}: {self.message}; expected {self.expected}; try {self.hint}{check}"


class Problems:
    """Collects problems while a file is read, so that its author sees all of them at once.

    Whoever adds one says what was expected and what to try: neither has a default.
    """

    def __init__(self) -> None:
        self._found: list[Problem] = []

    def error(self, place: Place, message: str, expected: str, hint: str) -> None:
        self._add(place, message, expected, hint, "error")

    def warning(self, check: Check, place: Place, message: str, expected: str, hint: str) -> Problem:
        return self._add(place, message, expected, hint, "warning", check)

    def _add(
        self,
        place: Place,
        message: str,
        expected: str,
        hint: str,
        severity: SeverityOfProblem,
        check: Check | None = None,
    ) -> Problem:
        problem = Problem(
            file=place.file,
            line=place.line,
            column=place.column,
            message=_one_line(message),
            expected=_one_line(expected),
            hint=_one_line(hint),
            severity=severity,
            check=check,
        )
        self._found.append(problem)
        return problem

    @property
    def errors(self) -> int:
        return sum(problem.is_error for problem in self._found)

    def __iter__(self) -> Iterator[Problem]:
        """In the order of the text, whatever the order in which they were found."""
        return iter(sorted(self._found, key=lambda problem: (problem.file, problem.line, problem.column)))


LONGEST_SAID = 400
LONGEST_QUOTED = 60
MOST_COMPARED = 2_000


def brief(text: str) -> str:
    """What people wrote, short enough to be quoted: a file that is none of ours must not come out in an error."""
    return text if len(text) <= LONGEST_QUOTED else text[: LONGEST_QUOTED - 1] + "…"


def _one_line(text: str) -> str:
    """Problems quote what people wrote; a line break in it must not break the line of the problem."""
    text = text if len(text) <= LONGEST_SAID else text[: LONGEST_SAID - 1] + "…"
    return "".join(character if character.isprintable() else "\N{REPLACEMENT CHARACTER}" for character in text)


def nearest(word: str, known: Collection[str]) -> str:
    """The known word that looks most like this one, or an empty text."""
    word = word[:LONGEST_QUOTED]
    if len(known) > MOST_COMPARED:
        # To compare costs some microseconds a word, and a large catalogue may have as many problems as services.
        known = [each for each in known if each[:2] == word[:2]][:MOST_COMPARED]
    close = get_close_matches(word, sorted(known), n=1, cutoff=0.6)
    return close[0] if close else ""


def meant(word: str, known: Collection[str], otherwise: str) -> str:
    """A hint for a word that is not known: the known one that looks most like it, else what to try otherwise."""
    close = nearest(word, known)
    return f"{close!r} (did you mean that?)" if close else otherwise


def listed(words: Collection[str]) -> str:
    """Words for a sentence: `a, b or c`."""
    ordered = sorted(words)
    return " or ".join(filter(None, (", ".join(ordered[:-1]), ordered[-1]))) if ordered else ""
