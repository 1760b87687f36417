"""What is allowed in a rule and likely to be regretted: each becomes a warning that says what to do instead."""

from __future__ import annotations

from collections.abc import Iterator
from difflib import get_close_matches
from typing import get_args

from monitor.core.model.conditions import fields_of
from monitor.core.model.events import DAY
from monitor.core.model.rule import Anchor, Clause, Rule, Step
from monitor.core.state.event_series import MOST_BEYOND_TTL
from monitor.located.checks import Check
from monitor.located.form import say_duration
from monitor.located.nodes import Listing, Mapping, Node, node_at, place_at
from monitor.located.problems import Problems
from monitor.packs.advice.dead import find_dead
from monitor.packs.examples.reader import Example

MOST_QUESTIONS = 5
QUESTION = '`ask: ["How did you notice?"]`'
UNSEEN = "impact.clear"
FAR = 7 * DAY
"""A window that picks some events out of those of a kind, and reaches further back than this, may well miss them."""
ROUTINE = "derived.routine"
ROUTINE_PARTS = frozenset({"derived.scheduled", "labels.planned", "labels.rolling"})
ALIKE = 0.8
"""How much two labels have to look alike for one to be taken for a slip of the other."""
ANCHORS: tuple[str, ...] = get_args(Anchor)
"""In the order of time."""
_BLAMING = ("why ", "who did ", "who was ", "who broke ", "who caused ")


def lint(rule: Rule, examples: tuple[Example, ...] | None, node: Node, problems: Problems) -> None:
    """Add a warning for each thing about a loaded rule that experience speaks against. No examples: not read."""
    if examples is not None:
        _examples(examples, node, problems)
        _labels(rule, examples, node, problems)
        _dead(rule, node, problems)
    _routine(rule, node, problems)
    _questions(rule, node, problems)
    _texts(rule, node, problems)
    _windows(rule, node, problems)
    _remembered(rule, node, problems)
    _margin(rule, node, problems)


def _examples(examples: tuple[Example, ...], node: Node, problems: Problems) -> None:
    place = place_at(node, "examples")
    written = node.get("examples") if isinstance(node, Mapping) else None
    if isinstance(written, Listing) and len(written.items) > len(examples):
        return  # what is missing may stand in one that could not be read, which is an error already
    for expect, what in (("draft", "that must match"), ("none", "that must not match")):
        if not any(example.expect == expect for example in examples):
            problems.warning(
                Check.NO_EXAMPLE,
                place,
                f"no example {what}",
                "at least one of each kind",
                f"one with `expect: {expect}`",
            )


def _questions(rule: Rule, node: Node, problems: Problems) -> None:
    asked = node.get("ask") if isinstance(node, Mapping) else None
    if not rule.ask:
        problems.warning(
            Check.NO_QUESTION, place_at(node, "ask"), "asks the reviewer nothing", "two to four questions", QUESTION
        )
    if len(rule.ask) > MOST_QUESTIONS:
        problems.warning(
            Check.MANY_QUESTIONS,
            place_at(node, "ask"),
            f"asks {len(rule.ask)} questions",
            "two to four",
            "keeping the best",
        )
    for index, question in enumerate(rule.ask):
        if question.lower().startswith(_BLAMING):
            place = asked.items[index].place if isinstance(asked, Listing) else place_at(node, "ask")
            message = f"{question.split()[0]!r} asks people to justify themselves"
            problems.warning(Check.BLAMING, place, message, "a question after how or what", QUESTION)


def _steps(rule: Rule) -> Iterator[tuple[Step, tuple[str, ...]]]:
    """Each step, and the keys that lead to it."""
    yield rule.hazard, ("hazard",)
    yield rule.intervention.step, ("intervention",)
    for clause in rule.clauses:
        yield clause.step, ("absent" if clause.at_most == 0 else "steps", clause.name)


def _texts(rule: Rule, node: Node, problems: Problems) -> None:
    for step, path in _steps(rule):
        if "title" in fields_of(step.where):
            message = "a condition reads the title, which is free text"
            expected, hint = (
                "a kind, a subject, a severity or a label",
                "the label that the source sends with the title",
            )
            problems.warning(Check.FREE_TEXT, place_at(node, *path, "where"), message, expected, hint)


def _routine(rule: Rule, node: Node, problems: Problems) -> None:
    """What is no answer to anything is said once, by one fact, and not by a list of words in each rule."""
    for step, path in _steps(rule):
        read = fields_of(step.where)
        parts = sorted(read & ROUTINE_PARTS)
        if parts and ROUTINE not in read:
            message = f"{', '.join(parts)} is only a part of what makes work routine"
            hint = f"`not: {{{ROUTINE}: true}}`"
            problems.warning(
                Check.PART_OF_ROUTINE, place_at(node, *path, "where"), message, f"the one condition {ROUTINE}", hint
            )


def _dead(rule: Rule, node: Node, problems: Problems) -> None:
    for step, path in _steps(rule):
        if UNSEEN in step.kinds:
            message = f"no rule is ever given {UNSEEN}: such reports only say who looked"
            problems.warning(
                Check.UNSEEN_KIND, place_at(node, *path, "kind"), message, "another kind", "`impact: {evidence: …}`"
            )
    found = ((step, node_at(node, *path, "where")) for step, path in _steps(rule))
    find_dead(((step, where) for step, where in found if where is not None), problems)


def _labels(rule: Rule, examples: tuple[Example, ...], node: Node, problems: Problems) -> None:
    """A label that the examples write a little differently is as likely misspelt as not."""
    known = {label for example in examples for event in example.events for label in event.labels}
    for step, path in _steps(rule):
        read = sorted(name.removeprefix("labels.") for name in fields_of(step.where) if name.startswith("labels."))
        for label in read:
            close = [] if label in known else get_close_matches(label, sorted(known), n=1, cutoff=ALIKE)
            if close:
                message = f"no event of the examples has the label {label!r}, and some have {close[0]!r}"
                hint = f"{close[0]!r}, or an example with {label!r}"
                problems.warning(
                    Check.LABEL_SLIP, place_at(node, *path, "where"), message, "a label that some source sends", hint
                )


def _windows(rule: Rule, node: Node, problems: Problems) -> None:
    for clause in rule.clauses:
        since, until = clause.since, clause.until
        known = "step" not in (since.anchor, until.anchor)
        backwards = known and ANCHORS.index(since.anchor) > ANCHORS.index(until.anchor) and since.offset >= until.offset
        if backwards:
            place = place_at(node, "absent" if clause.at_most == 0 else "steps", clause.name, "since")
            message = f"the window of {clause.name!r} ends before it begins: it holds nothing"
            hint = f"`since: {until.anchor}`, `until: {since.anchor}`"
            problems.warning(Check.BACKWARDS, place, message, "a window that goes forward", hint)


def _remembered(rule: Rule, node: Node, problems: Problems) -> None:
    """Windows into the past of which only the newest few events are remembered, where those may not be the ones."""
    for clause in rule.clauses:
        path = ("absent" if clause.at_most == 0 else "steps", clause.name)
        is_evidence = clause.at_least == 0 and clause.at_most is None
        counts_enough = max(clause.at_least, clause.at_most or 0) >= MOST_BEYOND_TTL
        if is_evidence or clause.every or counts_enough or node_at(node, *path, "remember") is not None:
            continue
        back = reaches_back(rule, clause)
        picks = clause.pairs or clause.limits or clause.spent
        if -clause.until.offset > DAY:
            ends, offset = clause.until.anchor, say_duration(-clause.until.offset)
            message = f"the window of {clause.name!r} ends {offset} before {ends}, where little is remembered"
        elif picks and back > FAR:
            days = say_duration(back - back % DAY)
            message = f"the window of {clause.name!r} reaches {days} back, where little is remembered"
        else:
            continue
        kept = f"the newest {MOST_BEYOND_TTL} events of a kind on a service are kept of more than a day ago"
        hint = "`remember: every`, or `remember: newest` where those are enough"
        problems.warning(
            Check.FEW_REMEMBERED,
            place_at(node, *path, "since"),
            f"{message}: {kept}",
            "a word on what it needs of them",
            hint,
        )


def reaches_back(rule: Rule, clause: Clause) -> int:
    """How long before the moment of the intervention the window may begin (microseconds)."""
    before, _ = rule.span(clause)
    from_hazard = clause.since.anchor in ("hazard", "last_hazard", "step")
    return before + (rule.intervention.within if from_hazard else 0)


def _margin(rule: Rule, node: Node, problems: Problems) -> None:
    reads = fields_of(rule.hazard.where) | fields_of(rule.intervention.step.where)
    wanted = {
        "headroom": {"value", "limit", "derived.share", "derived.headroom"},
        "deadline": {"expires_at", "previous_expires_at", "derived.time_left", "derived.previous_time_left"},
    }.get(rule.margin.measure, set())
    if wanted and not wanted & reads:
        message = f"the margin is {rule.margin.measure}, and no condition guarantees it"
        expected = f"a condition on one of {', '.join(sorted(wanted))}"
        told = {"headroom": "derived.share", "deadline": "expires_at"}[rule.margin.measure]
        hint = f"`where: {{{told}: {{present: true}}}}`, or `margin: elapsed`"
        problems.warning(Check.NO_MARGIN, place_at(node, "margin"), message, expected, hint)
