"""Whether a name reads like this program's own, however it is written.

Decides by what people see: percent signs, widths, accents, letters of other scripts and characters without a form are
taken for what they look like. Knows no tool; the name itself is left as it is.
"""

from __future__ import annotations

import unicodedata
from functools import lru_cache
from urllib.parse import unquote

OURS = "nearmiss"
"""Sources of this name, or below it, are written by this program alone."""

_MOST = 4096
"""Characters that are looked at: our name stands at the beginning."""
_ROUNDS = 4
"""So often a name may be percent-encoded over itself; beyond it no reader would decode it to the end."""
_UNSEEN = frozenset({"Mn", "Me", "Mc", "Cf", "Cc", "Co", "Cn", "Cs", "Zs", "Zl", "Zp"})
_LIKE = {
    "n": "пոռղηνɴηŋƞɲꞑ",
    "e": "еєҽ℮εɛэəҿⅇ3",
    "a": "аαɑᴀ@4ӕ",
    "r": "гᴦɼʀꭇꭈᴙɾɽг",
    "m": "мᴍμʍɱⅿ",
    "i": "іιıɩїӏl1|!ɪǀ¡ⅼו",
    "s": "ѕꜱʂտ5$ƽ§",
    "/": "⁄∕⧸╱⟋﹨\\＼⧵∖",
}
_SEEN_AS = str.maketrans({like: letter for letter, several in _LIKE.items() for like in several})


def seen_as(text: str) -> str:
    """What a reader sees in it, in ASCII where that is known."""
    text = text[:_MOST]
    for _ in range(_ROUNDS):
        if "%" not in text:
            break
        text = unquote(text, errors="ignore")
    parts = unicodedata.normalize("NFKD", text).casefold()
    bare = "".join(each for each in unicodedata.normalize("NFKD", parts) if unicodedata.category(each) not in _UNSEEN)
    return bare.translate(_SEEN_AS).replace("rn", "m")


_SEEN_OURS = seen_as(OURS)


@lru_cache(maxsize=1024)
def reads_like_ours(source: str) -> bool:
    """Whether the first part of a name that says something is ours, or looks like it."""
    parts = (part for part in seen_as(source).split("/") if part.strip(".") != "")
    return next(parts, "") == _SEEN_OURS
