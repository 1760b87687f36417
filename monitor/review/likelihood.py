"""How likely a rescue is, as reviewers read it: a word, sentences for and against, and what could not be checked.

Numbers and the names of features stay in the draft, for the authors of rules.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

import msgspec

from monitor.core.model.near_miss import Draft, Reason
from monitor.core.weighing.weights import likelihood
from monitor.review import wording as words

NAMED = 2
"""So many things that could not be checked are named in a row; the draft names all."""

_FOR: dict[str, str] = {
    "act_names_trouble": "The action names the trouble that it was for.",
    "agree": "Other signs agree.",
    "begun": "The change began after the first sign.",
    "caused": "The trouble began after the change that was undone.",
    "confirmed": "The reporter came back to it afterwards.",
    "corrective": "Actions of this kind usually fix something.",
    "note": "A person reported something odd.",
    "rare_act": "Such an action would rarely fall this close by chance.",
    "rare_sign": "Signs this grave are rare here.",
    "recognised": "A known pattern of near misses matched.",
    "record": "An incident was opened.",
    "reversal": "The action undid an earlier change.",
    "same_person": "The same person had acknowledged or commented before.",
    "same_thing": "The first sign and the action name the same thing.",
    "shared_words": "The first sign and the action share a distinctive word.",
    "sign_names_trouble": "What was reported sounds like trouble.",
}
_AGAINST: dict[str, str] = {
    "begun": "The change was in progress before the first sign.",
    "familiar": "Such actions are everyday work here, with or without an alert.",
    "learning": "The first two weeks: what is usual here is not known yet.",
    "net_rate": "Actions often fall near an alert here.",
    "outside_production": "It happened outside production.",
    "recognised": "No known pattern of near misses matched.",
    "routine": "It was described as routine, planned or an exercise.",
    "sign_names_trouble": "What was reported does not sound like trouble.",
    "unknown_service": "The catalogue joins the service to nothing that users see.",
    "unrecovered": "No recovery was reported, though this alert usually reports one.",
}
"""Sentences for features whose own words are for the authors of rules."""
_REPHRASED: dict[re.Pattern[str], str] = {
    re.compile(r"^the alert was warning$"): "the alert was a warning",
    re.compile(r"^the alert was (?!critical$)([\w-]+)$"): r"the alert was of \1 severity",
    # How long it had stood by then the title says, from the first sign; the alert may have begun at another time.
    re.compile(r"^it recovered (.+) later, after (.+)$"): r"it recovered \1 after the action",
    re.compile(r"^it recovered only (.+) later$"): r"it recovered only \1 after the action",
    re.compile(r"^the change was undone (.+) later$"): r"the change was undone \1 after it was made",
}
"""The same for features whose words hold what was found."""

_HEADINGS: dict[str, str] = {
    "": "Not weighed",
    "very likely": "Very likely a rescue",
    "likely": "Likely a rescue",
    "more likely than not": "More likely a rescue than not",
    "possible": "Possibly a rescue",
    "unlikely": "Unlikely to be a rescue",
}


_GENERAL = frozenset({"learning", "net_rate", "rare_act", "rare_sign", "recognised"})
"""What holds for many drafts alike: beside the others it would say the same in every row."""


class Likely(msgspec.Struct, frozen=True):
    """`word` is empty where nothing was weighed; the sentences come strongest first.

    `in_short`: for one line of the queue, the strongest for and against that tell this story from others.
    """

    word: str
    in_favour: tuple[str, ...]
    against: tuple[str, ...]
    in_short: str

    @property
    def heading(self) -> str:
        return _HEADINGS.get(self.word, self.word.capitalize())


def likely(draft: Draft) -> Likely:
    if draft.probability is None:
        return Likely("", (), (), "")
    in_favour = [reason for reason in draft.reasons if reason.weight > 0]
    against = [reason for reason in draft.reasons if reason.weight <= 0]
    return Likely(
        likelihood(draft.probability),
        tuple(map(sentence, in_favour)),
        tuple(map(sentence, against)),
        _in_short(in_favour, against),
    )


def _in_short(in_favour: Sequence[Reason], against: Sequence[Reason]) -> str:
    told = [reason for reason in in_favour if reason.feature not in _GENERAL] or in_favour
    but = [reason for reason in against if reason.feature not in _GENERAL] or (against if not in_favour else [])
    return " But ".join(
        said if not place else said[:1].lower() + said[1:]
        for place, said in enumerate(sentence(reasons[0]) for reasons in (told, but) if reasons)
    )


def sentence(reason: Reason) -> str:
    """A reason as a sentence of its own."""
    said = (_FOR if reason.weight > 0 else _AGAINST).get(reason.feature)
    if said is not None:
        return said
    text = reason.text.strip().rstrip(".")
    for pattern, instead in _REPHRASED.items():
        text = pattern.sub(instead, text)
    return f"{text[:1].upper()}{text[1:]}."


def completeness(draft: Draft) -> str:
    """How complete the evidence is: the confidence of the engine in words, with what is missing by name."""
    if not draft.missing_evidence:
        return "complete"
    named = [words.missing_in_short(name) for name in draft.missing_evidence]
    more = f", and {len(named) - NAMED} more" if len(named) > NAMED else ""
    return f"incomplete: {', '.join(named[:NAMED])}{more}"
