"""Whether people say that users are hurt: each way is one wording, with where it holds and what takes it away.

What is doubtful claims nothing: "would have failed", "no customer complained", "before users noticed", "the canary
only". The words are in `claim_words.py` and, for languages besides English, in `languages.py`; an organisation adds
its own in `impact_notes`.
"""

from __future__ import annotations

import re
from enum import Enum, auto

import msgspec

from monitor.core.model.catalogue import ImpactNotes
from monitor.core.resolving import claim_words as words
from monitor.core.resolving import languages

MOST_READ = 1_000
"""Characters that are looked at."""
_SENTENCES = re.compile(r"(?<=[.;:!?\n])\s+| [-–] ")
_SOURCE_PARTS = re.compile(r"[/_\-.]")


class Where(Enum):
    """What is known of a text. A text may be in several places."""

    SEEN = auto()
    """About a service that users see, or that nobody knows."""
    SERVES = auto()
    """About a service that what users see needs."""
    FACED = auto()
    """Written by a person on a service that the catalogue calls user-facing: its failing is their failing."""
    NOTED = auto()
    """A note about a service that users see: what the writer sees, users see."""
    DESK = auto()
    """Written where those write who use such a service."""
    TIMED = auto()
    """About a service that users see, and the text says from when to when."""


class Extent(Enum):
    """What has to say it: the whole text, one sentence, or one clause between commas."""

    TEXT = auto()
    SENTENCE = auto()
    CLAUSE = auto()


class Wording(msgspec.Struct, frozen=True):
    """One way to say that users are hurt.

    `says`: all of these are found in a piece, and none of `unless`. `where`: one of these holds, or it is empty.
    `if_sure`: not in a sentence that is doubted. `if_not_spared`: not in a text that says that users were spared.
    """

    why: str
    says: tuple[re.Pattern[str], ...]
    where: frozenset[Where] = frozenset()
    unless: tuple[re.Pattern[str], ...] = ()
    piece: Extent = Extent.SENTENCE
    if_sure: bool = True
    if_not_spared: bool = False

    def is_made(self, piece: str) -> bool:
        return all(p.search(piece) for p in self.says) and not any(p.search(piece) for p in self.unless)


def _word(*fragments: str) -> re.Pattern[str]:
    return re.compile(rf"\b(?:{'|'.join(fragments)})\b", re.IGNORECASE)


def _text(fragment: str) -> re.Pattern[str]:
    return re.compile(fragment, re.IGNORECASE)


_HARM_OF_USERS = "users, and what went wrong for them"
_SERVICE_FAILED = "a service that users see failed"
_BEHIND = frozenset({Where.SEEN, Where.SERVES})
_FACED = frozenset({Where.FACED})
_PART = _word(words.PART)
_UNSURE = _word(words.UNSURE)
_SPARED_ELSEWHERE = _word(words.SPARED_ELSEWHERE)
_SPAN = _text(words.SPAN)
_SPARED = _text(words.SPARED)
_HARMED_ABROAD = _word(languages.HARMED)
_SPARED_ABROAD = _word(languages.SPARED)
_SUFFERING = Wording(
    "the plainest words for it",
    (
        _text(
            rf"\b{words.PLAIN_USERS} {words.SUFFER}"
            rf"|\b(?:affect|impact)(?:s|ing) (?:all |some |our |many |most )?{words.PLAIN_USERS}\b"
        ),
    ),
    unless=(_UNSURE,),
    piece=Extent.TEXT,
)
"""The only one that holds in a title of an alert, too."""


def claims_harm(text: str) -> bool:
    """Whether a title or a note says of users that they suffer: "customers cannot log in"."""
    return _SUFFERING.is_made(text)


def is_sure(text: str) -> bool:
    """Whether nothing in a text makes a guess of it, or says that users were spared."""
    return _UNSURE.search(text) is None and _SPARED_ELSEWHERE.search(text) is None


class Claims:
    """Tells, by one organisation's words, texts that say that users are hurt."""

    def __init__(self, own: ImpactNotes) -> None:
        self._reads = own.read
        self._own_users = _text(
            rf"(?<![-_./\w])(?:{'|'.join(map(re.escape, own.users))})(?:s|es|n|en)?(?![-_./]?\w)"
            if own.users
            else r"(?!)"
        )
        self._doubted = _word(words.DOUBTED, *map(re.escape, own.spared))
        self._users = _users(self._own_users.pattern)
        self._wordings = _wordings(own, self._users)

    def why(self, text: str, source: str, where: frozenset[Where]) -> str | None:
        """What says that users are hurt, in a few words; None where nothing does. `where`: without DESK and TIMED."""
        found = self._reason(text[:MOST_READ], source, where) if self._reads else None
        return found or (_SUFFERING.why if claims_harm(text) else None)

    def _sentences(self, text: str) -> list[str]:
        """The sentences of a text. "Two customers: cannot pay" is one: before the colon stands who says it."""
        found: list[str] = []
        for piece in _SENTENCES.split(text):
            if found and found[-1].endswith(":") and self._users.search(found[-1]):
                found[-1] += f" {piece}"
            else:
                found.append(piece)
        return found

    def _reason(self, text: str, source: str, where: frozenset[Where]) -> str | None:
        if where & _BEHIND and not words.DESKS.isdisjoint(_SOURCE_PARTS.split(source.casefold())):
            where |= {Where.DESK}
        if Where.SEEN in where and _SPAN.search(text):
            where |= {Where.TIMED}
        is_spared = _SPARED.search(text) is not None
        sentences = self._sentences(text)
        # An organisation's own word for users may be one that spares others, as "staff" is.
        sure = [one for one in sentences if not self._doubted.search(self._own_users.sub("", one))]
        for wording in self._wordings:
            if (wording.where and not wording.where & where) or (wording.if_not_spared and is_spared):
                continue
            pieces = sure if wording.if_sure else sentences
            if wording.piece is Extent.TEXT:
                pieces = [text]
            elif wording.piece is Extent.CLAUSE:
                pieces = [clause for one in pieces for clause in one.split(",")]
            if any(map(wording.is_made, pieces)):
                return wording.why
        return None


def _users(own_users: str) -> re.Pattern[str]:
    """Those for whom services are there, with an organisation's own names for them."""
    several = (
        rf"(?<![-_./\w])(?:(?:{words.USERS})s|branches|folks?|the public)(?![-_./]?\w)"
        rf"(?! {words.THINGS_NAMED_AFTER_THEM}\b)"
    )
    one = rf"(?<![-_./\w]){words.NO_ACCOUNT}(?:{words.USERS})(?= {words.SPEAKS}\b)"
    return _text(f"{several}|{one}|{words.PEOPLE_TOO}|{own_users}")


def _wordings(own: ImpactNotes, users: re.Pattern[str]) -> tuple[Wording, ...]:
    """Every way to say it, with an organisation's own words."""
    harmed = "|".join([words.HARMED, *map(re.escape, own.harmed)])
    own_harmed = tuple(map(re.escape, own.harmed))
    return (
        Wording(
            _HARM_OF_USERS,
            (_HARMED_ABROAD, _word(languages.USERS)),
            unless=(_SPARED_ABROAD,),
            if_sure=False,
        ),
        Wording(_SERVICE_FAILED, (_HARMED_ABROAD,), _FACED, unless=(_SPARED_ABROAD, _PART), if_sure=False),
        Wording(_HARM_OF_USERS, (_word(harmed), users)),
        Wording(
            "what went wrong, from those who use it", (_word(words.FAILING, *own_harmed),), frozenset({Where.DESK})
        ),
        Wording("what was done for those who were hurt", (_text(rf"\b(?:{words.MADE_GOOD})"),), _BEHIND),
        Wording(
            "how many of the things that they do failed",
            (_text(rf"{words.DONE_BY_THEM}.{{0,60}}?\b(?:{harmed})\b"),),
            _BEHIND,
        ),
        Wording("how many of them failed", (_text(rf"\b{words.COUNTED}"),), frozenset({Where.SEEN})),
        Wording(
            "so many of them, and what went wrong for them",
            (_text(rf"{words.SO_MANY}[^.;!?]{{0,60}}?\b(?:{harmed})\b"),),
            _BEHIND,
            unless=(_PART,),
        ),
        Wording(
            "what went wrong, and from when to when",
            (_word(words.TIMED, *own_harmed),),
            frozenset({Where.TIMED}),
        ),
        Wording(
            _SERVICE_FAILED,
            (_word(words.BROKEN),),
            _FACED,
            unless=(_PART, _word(words.WELL)),
            piece=Extent.CLAUSE,
            if_not_spared=True,
        ),
        Wording(
            "something that users see was down",
            (_word(words.DOWN),),
            frozenset({Where.SERVES}),
            unless=(_PART, _word(words.WELL)),
            piece=Extent.CLAUSE,
            if_not_spared=True,
        ),
        Wording(
            "a service that users see came back",
            (_text(rf"\b(?:{words.RETURNED})"),),
            _FACED,
            unless=(_PART,),
            if_sure=False,
            if_not_spared=True,
        ),
        Wording(
            "someone asks whether it is so for others", (_text(rf"\b(?:{words.OTHERS_TOO})"),), _FACED, if_sure=False
        ),
        Wording("nobody can use it", (_word(words.NOBODY_CAN),), _BEHIND, if_sure=False),
        Wording(
            "what those see whom it does not serve",
            (_text(words.UNSERVED),),
            frozenset({Where.NOTED}),
            unless=(_UNSURE, _SPARED_ELSEWHERE),
            piece=Extent.TEXT,
        ),
    )
