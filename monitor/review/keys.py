"""The keys of all screens in one table: what pages offer, what scripts obey, and what the docs list.

Motion has its own keys; no letter of a dismissal repeats them, `d`, accept or undo: a slip decides nothing.
"""

from __future__ import annotations

from typing import Literal

import msgspec

from monitor.core.model.near_miss import Dismissal

Screen = Literal["queue", "draft", "bulk", "other"]
EVERYWHERE: tuple[Screen, ...] = ("queue", "draft", "bulk", "other")


class Key(msgspec.Struct, frozen=True):
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


KEYS: tuple[Key, ...] = (
    Key("j", "next", "next draft"),
    Key("k", "previous", "previous draft"),
    Key("Enter", "open", "open the draft", ("queue",)),
    Key("a", "accept", "accept, with the form"),
    Key("d", "dismiss", "dismiss, then the letter of a reason"),
    Key("x", "select", "select for several at once", ("queue",)),
    Key("b", "bulk", "judge what is selected", ("queue",)),
    Key("i", "look", "I am looking into it", ("draft",)),
    Key("e", "evidence", "add evidence or leave some out", ("draft",)),
    Key("1", "risk-lasting_harm", "worst outcome: lasting harm", ("draft",)),
    Key("2", "risk-outage", "worst outcome: down for most users", ("draft",)),
    Key("3", "risk-degraded", "worst outcome: some users affected", ("draft",)),
    Key("4", "risk-internal", "worst outcome: only our own work", ("draft",)),
    Key("s", "snooze", "snooze until tomorrow"),
    Key("m", "merge", "merge into another record"),
    Key("c", "comment", "comment"),
    Key("u", "undo", "undo the last decision"),
    Key("Ctrl+Enter", "send", "send the form", ("queue", "draft", "bulk")),
    Key("/", "search", "search titles", ("queue",)),
    Key("Escape", "close", "close the form, else back to the queue", EVERYWHERE),
    Key("?", "help", "show the keys", EVERYWHERE),
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


def keys_of(screen: str) -> list[Key]:
    return [key for key in KEYS if screen in key.screens]
