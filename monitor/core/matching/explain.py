"""Why, and why not, as a tree: for conditions here, for whole rules and streams in the lab."""

from __future__ import annotations

import msgspec

from monitor.core.matching.predicates import compile_condition
from monitor.core.model.conditions import All, AnyOf, Compare, Condition, Facts, MakeRegex, Not, read, say, say_value
from monitor.core.model.events import Event


class Why(msgspec.Struct, frozen=True):
    """One node of an explanation: what was asked, whether it held, what was there, and the parts beneath."""

    asked: str
    held: bool
    found: str = ""
    parts: tuple[Why, ...] = ()


def explain_condition(condition: Condition | None, event: Event, facts: Facts, make_regex: MakeRegex) -> Why:
    """Why a condition holds for an event or does not, part by part."""
    if condition is None:
        return Why("no condition", True)
    held = compile_condition(condition, make_regex)(event, facts)
    if isinstance(condition, Compare):
        found = read(condition.field, event, facts)
        return Why(say(condition), held, "missing" if found is None else say_value(condition.field, found))
    inner = (condition.part,) if isinstance(condition, Not) else condition.parts
    name = {All: "all of", AnyOf: "any of", Not: "not"}[type(condition)]
    return Why(name, held, parts=tuple(explain_condition(part, event, facts, make_regex) for part in inner))
