"""The checks that warn, by id: what each one finds and why that is likely to be regretted.

An id keeps its meaning for ever; the reference page of checks is written from here.
"""

from __future__ import annotations

from enum import StrEnum


class Check(StrEnum):
    """`NM1..` look at a rule and can be silenced in it; `NM2..` at a catalogue, `NM3..` at mappings and cases."""

    IDLE_SILENCE = "NM100"
    NO_EXAMPLE = "NM101"
    NO_QUESTION = "NM102"
    MANY_QUESTIONS = "NM103"
    BLAMING = "NM104"
    FREE_TEXT = "NM105"
    PART_OF_ROUTINE = "NM106"
    UNSEEN_KIND = "NM107"
    DEAD_CONDITION = "NM108"
    LABEL_SLIP = "NM109"
    BACKWARDS = "NM110"
    FEW_REMEMBERED = "NM111"
    NO_MARGIN = "NM112"
    SHADOWED = "NM113"
    EVENT_SLIP = "NM114"
    NEVER_SENT = "NM115"
    SHORT_HISTORY = "NM116"
    NO_CATALOGUE = "NM201"
    NOT_WATCHED = "NM202"
    NO_OWNER = "NM203"
    NO_PRODUCTION = "NM204"
    NO_FEED_SEES = "NM205"
    NO_HOURS = "NM206"
    NOTHING_USER_FACING = "NM207"
    UNKNOWN_SERVICE = "NM208"
    NOT_DESCRIBED = "NM209"
    PERSON_OWNS = "NM210"
    UNKNOWN_EVIDENCE = "NM211"
    UNTRIED_MAPPING = "NM301"
    CASE_SLIP = "NM302"


MEANINGS: dict[Check, tuple[str, str]] = {
    Check.IDLE_SILENCE: (
        "A silence that silences nothing",
        "The check no longer warns in this file. Remove the silence: it would hide the next warning.",
    ),
    Check.NO_EXAMPLE: (
        "No example of a kind",
        "A rule without a stream that must match, or without one that must not, can break unnoticed.",
    ),
    Check.NO_QUESTION: (
        "No question",
        "Reviewers learn more from two to four good questions than from an empty field.",
    ),
    Check.MANY_QUESTIONS: ("Too many questions", "More than five questions are answered badly or not at all."),
    Check.BLAMING: (
        "A question that blames",
        "Who is asked why defends a decision; who is asked how describes what happened.",
    ),
    Check.FREE_TEXT: (
        "A condition on a title",
        "Titles are free text and change without notice. A label that the source sends is steadier.",
    ),
    Check.PART_OF_ROUTINE: (
        "Only a part of routine",
        "`derived.routine` says whether work was routine; a list of single facts forgets the next one.",
    ),
    Check.UNSEEN_KIND: ("A step of `impact.clear`", "Such reports only say who looked. No step is ever given one."),
    Check.DEAD_CONDITION: (
        "A condition without effect",
        "No event can satisfy this part, or every event does: the rule is not what it seems to be.",
    ),
    Check.LABEL_SLIP: (
        "A label that may be misspelt",
        "No event of the examples has the label, and some have one that looks almost the same.",
    ),
    Check.BACKWARDS: ("A window that goes backwards", "It ends before it begins and holds nothing."),
    Check.FEW_REMEMBERED: (
        "A window beyond what is remembered",
        "Of more than a day ago only the newest events of a kind are kept. Say by `remember` what the step needs.",
    ),
    Check.NO_MARGIN: (
        "A margin that nothing guarantees",
        "The margin is measured on fields that no condition asks for, so drafts may have none.",
    ),
    Check.SHADOWED: ("Another rule finds the same", "Whatever this rule finds, another one finds too: one is enough."),
    Check.EVENT_SLIP: (
        "A word that no event has",
        "A misspelt key or word of an example's event is kept as a label, and the field stays empty.",
    ),
    Check.NEVER_SENT: (
        "A demand that no tool meets",
        "No tool sends what the condition asks for. Name labels of your own senders with `--allow-custom`.",
    ),
    Check.SHORT_HISTORY: (
        "A window longer than the history",
        "Explanations and backtests on the database will not see all that the rule decides by.",
    ),
    Check.NO_CATALOGUE: ("No catalogue", "Every service then counts as user-facing, without dependencies."),
    Check.NOT_WATCHED: (
        "Users see it, and no feed watches it",
        "The verdict of its drafts will be unknown: nothing reports that users were well.",
    ),
    Check.NO_OWNER: ("A service without an owner", "Its drafts reach no team's queue."),
    Check.NO_PRODUCTION: ("No production environment", "Every environment counts, tests and drills included."),
    Check.NO_FEED_SEES: (
        "No feed sees the harm of a rule",
        "The rule asks for evidence that no feed of the catalogue gives: its verdict will be unknown.",
    ),
    Check.NO_HOURS: ("No operating hours", "Rules ask whether a service was open, and no service says when it is."),
    Check.NOTHING_USER_FACING: ("Nothing is user-facing", "Without a service that users see nothing can reach a user."),
    Check.UNKNOWN_SERVICE: (
        "A service that is not listed",
        "As a dependency the name joins nothing, so that impact does not pass it; no verdict rests on its pulled feed.",
    ),
    Check.NOT_DESCRIBED: (
        "An entity that is not described",
        "A file refers to an entity of which no file says anything. The reference is left out.",
    ),
    Check.PERSON_OWNS: ("One person owns it", "Drafts go to teams. An owner that is one person is left out."),
    Check.UNKNOWN_EVIDENCE: (
        "Evidence that nothing asks for",
        "A feed gives evidence of a name that no rule knows: to a rule that asks for evidence it is no feed.",
    ),
    Check.UNTRIED_MAPPING: ("A mapping without an example", "`nearmiss mapping test` has nothing to run."),
    Check.CASE_SLIP: ("A key that a case does not have", "A misspelt key is skipped, and the case tests less."),
}
"""A title and what comes of it, by check."""
