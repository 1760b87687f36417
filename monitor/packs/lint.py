"""What is allowed in a rule and likely to be regretted: each becomes a warning that says what to do instead."""

from __future__ import annotations

from monitor.core.conditions import fields_of
from monitor.core.rule import LONGEST_WINDOW, Rule, Step
from monitor.packs.examples import Example
from monitor.packs.form import say_duration
from monitor.packs.located import Listing, Mapping, Node
from monitor.packs.problems import Place, Problems

MOST_QUESTIONS = 5
_BLAMING = ("why ", "who did ", "who was ", "who broke ", "who caused ")


def lint(rule: Rule, examples: tuple[Example, ...] | None, node: Node, problems: Problems) -> None:
    """Add a warning for each thing about a loaded rule that experience speaks against. No examples: not read."""
    if examples is not None:
        _examples(examples, _place(node, "examples"), problems)
    _questions(rule, node, problems)
    _texts(rule, node, problems)
    _windows(rule, node, problems)
    _margin(rule, node, problems)


def _place(node: Node, *path: str) -> Place:
    """Where the deepest known part of a path stands."""
    place = node.place
    for key in path:
        inner = node.get(key) if isinstance(node, Mapping) else None
        if inner is None:
            break
        node, place = inner, inner.place
    return place


def _examples(examples: tuple[Example, ...], place: Place, problems: Problems) -> None:
    for expect, what in (("draft", "that must match"), ("none", "that must not match")):
        if not any(example.expect == expect for example in examples):
            problems.warning(place, f"no example {what}", "at least one of each kind", f"one with `expect: {expect}`")


def _questions(rule: Rule, node: Node, problems: Problems) -> None:
    asked = node.get("ask") if isinstance(node, Mapping) else None
    if not rule.ask:
        problems.warning(_place(node, "ask"), "asks the reviewer nothing", "two to four questions", "adding `ask:`")
    if len(rule.ask) > MOST_QUESTIONS:
        problems.warning(_place(node, "ask"), f"asks {len(rule.ask)} questions", "two to four", "keeping the best")
    for index, question in enumerate(rule.ask):
        if question.lower().startswith(_BLAMING):
            place = asked.items[index].place if isinstance(asked, Listing) else _place(node, "ask")
            message = f"{question.split()[0]!r} asks for a culprit"
            problems.warning(place, message, "a question after how or what", "'How …'")


def _texts(rule: Rule, node: Node, problems: Problems) -> None:
    steps: list[tuple[Step, Place]] = [
        (rule.hazard, _place(node, "hazard", "where")),
        (rule.intervention.step, _place(node, "intervention", "where")),
        *(
            (clause.step, _place(node, "absent" if clause.at_most == 0 else "steps", clause.name, "where"))
            for clause in rule.clauses
        ),
    ]
    for step, place in steps:
        if "title" in fields_of(step.where):
            message = "a condition reads the title, which is written for people and changes"
            problems.warning(place, message, "a kind, a subject, a severity or a label")


def _windows(rule: Rule, node: Node, problems: Problems) -> None:
    for clause in rule.clauses:
        longest = max(abs(clause.since.offset), abs(clause.until.offset))
        if longest > LONGEST_WINDOW:
            place = _place(node, "absent" if clause.at_most == 0 else "steps", clause.name)
            message = f"the window of {clause.name!r} reaches {say_duration(longest)} away"
            problems.warning(place, message, f"at most {say_duration(LONGEST_WINDOW)}, which is what is remembered")


def _margin(rule: Rule, node: Node, problems: Problems) -> None:
    reads = fields_of(rule.hazard.where) | fields_of(rule.intervention.step.where)
    wanted = {
        "headroom": {"value", "limit", "derived.share", "derived.headroom"},
        "deadline": {"expires_at", "previous_expires_at", "derived.time_left", "derived.previous_time_left"},
    }.get(rule.margin.measure, set())
    if wanted and not wanted & reads:
        message = f"the margin is {rule.margin.measure}, and no condition makes sure that it can be told"
        problems.warning(_place(node, "margin"), message, f"a condition on one of {', '.join(sorted(wanted))}")
