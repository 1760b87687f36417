"""The keys of all screens in one table: what pages offer, what scripts obey, and what the docs list.

Motion has its own keys; no letter of a dismissal repeats them, `d`, accept or undo: a slip decides nothing.
"""

from __future__ import annotations

from typing import Literal

import msgspec

from monitor.core.model.near_miss import Dismissal

Screen = Literal["queue", "draft", "bulk", "other"]
EVERYWHERE: tuple[Screen, ...] = ("queue", "draft", "bulk", "other")


class Shortcut(msgspec.Struct, frozen=True):
    """`key`: as a browser names it. `does`: the action in the scripts. `words`: what it does, for people.

    The screen `bulk` is the page on which several drafts are judged; `other` is every page that has no keys of its own.
    """

    key: str
    does: str
    words: str
    screens: tuple[Screen, ...] = ("queue", "draft")

    @property
    def where(self) -> str:
        return "everywhere" if self.screens == EVERYWHERE else " and ".join(self.screens)


KEYS: tuple[Shortcut, ...] = (
    Shortcut("j", "next", "next draft"),
    Shortcut("k", "previous", "previous draft"),
    Shortcut("Enter", "open", "open the draft", ("queue",)),
    Shortcut("a", "accept", "accept, with the form"),
    Shortcut("d", "dismiss", "dismiss, then the letter of a reason"),
    Shortcut("x", "select", "select for several at once", ("queue",)),
    Shortcut("b", "bulk", "judge what is selected", ("queue",)),
    Shortcut("i", "look", "I am looking into it", ("draft",)),
    Shortcut("e", "evidence", "add evidence or leave some out", ("draft",)),
    Shortcut("z", "zoom", "zoom the picture", ("draft",)),
    Shortcut("1", "risk-lasting_harm", "worst outcome: lasting harm", ("draft",)),
    Shortcut("2", "risk-outage", "worst outcome: down for most users", ("draft",)),
    Shortcut("3", "risk-degraded", "worst outcome: some users affected", ("draft",)),
    Shortcut("4", "risk-internal", "worst outcome: only our own work", ("draft",)),
    Shortcut("s", "snooze", "snooze until tomorrow"),
    Shortcut("m", "merge", "merge into another record"),
    Shortcut("c", "comment", "comment"),
    Shortcut("u", "undo", "undo the last decision"),
    Shortcut("Ctrl+Enter", "send", "send the form", ("queue", "draft", "bulk")),
    Shortcut("/", "search", "search titles", ("queue",)),
    Shortcut("Escape", "close", "close the form, else back to the queue", EVERYWHERE),
    Shortcut("?", "help", "show the keys", EVERYWHERE),
)

DISMISSAL_KEYS: dict[Dismissal, str] = {
    Dismissal.PLANNED_WORK: "p",
    Dismissal.TEST_OR_DRILL: "t",
    Dismissal.FALSE_ALARM: "f",
    Dismissal.ROUTINE_HYGIENE: "r",
    Dismissal.SELF_CLEARED_NO_INTERVENTION: "i",
    Dismissal.INTERVENTION_UNRELATED: "o",
    Dismissal.DUPLICATE: "l",
    Dismissal.SAME_AS_KNOWN_ACCEPTED_RISK: "w",
    Dismissal.NON_PRODUCTION: "n",
    Dismissal.RULE_TOO_SENSITIVE: "s",
    Dismissal.BAD_DATA: "b",
    Dismissal.NOT_ENOUGH_INFORMATION: "c",
    Dismissal.RESTRICTED: "e",
    Dismissal.HAD_USER_IMPACT: "h",
}
"""A letter of the reason's own label for each."""


def keys_of(screen: str) -> list[Shortcut]:
    return [key for key in KEYS if screen in key.screens]
