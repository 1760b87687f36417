"""A rule in words, as a tree: what it waits for, what must and must not happen, how it is judged and what it asks."""

from __future__ import annotations

from monitor.core.matching.explain import Why
from monitor.core.matching.relations import say_limit, say_pair, say_spent
from monitor.core.model.conditions import Compare, Condition, Not, say
from monitor.core.model.rule import Clause, Intervention, Point, Rule, Step
from monitor.located.form import say_duration

_WHERE = {
    "production": "in a production environment, or none named",
    "elsewhere": "in a named non-production environment",
    "any": "in any environment",
}
_REACH = {
    "same": "on the same service",
    "related": "on the same service or one hop along the graph",
    "siblings": "on a related or sibling service",
    "any": "on any service",
}


def describe(rule: Rule) -> Why:
    """The tree. Its nodes say what is asked; nothing has been found yet, so that `held` means nothing here."""
    hazard = _node("hazard", *_step(rule.hazard), f"one instance for each {' + '.join(rule.correlate)}")
    act = rule.intervention
    window = f"at most {say_duration(act.within)} after the hazard"
    related = ("the hazard's own event",) if act.itself else (window, _REACH[act.reach], *_relations(act))
    intervention = _node("intervention", *_step(act.step), *related)
    hold = f"held for {say_duration(rule.impact.hold)}"
    if rule.impact.hold_through:
        hold += f" and through {rule.impact.hold_through}"
    seen_by = ", ".join(sorted(rule.impact.evidence)) or "any feed"
    judged = _node(
        "judged",
        f"safe {say_duration(rule.settle)} after the intervention if nothing reports it",
        hold,
        f"harm is seen by {seen_by}",
        f"margin: {rule.margin.measure}",
    )
    asks = _node("asks", *rule.ask)
    facts = [f"pattern {rule.pattern}"] if rule.pattern else []
    facts += [f"{rule.kind} of the family {rule.family}", f"mode {rule.mode}", f"version {rule.version}"]
    facts += ["generic: any specific rule names the episode before it"] if rule.generic else []
    parts = (hazard, intervention, *map(_clause, rule.clauses), judged, asks)
    return Why(f"rule {rule.name}: {rule.title}", True, ", ".join(facts), parts)


def _node(name: str, *parts: str | Why) -> Why:
    return Why(name, True, parts=tuple(part if isinstance(part, Why) else Why(part, True) for part in parts))


def _step(step: Step) -> tuple[str | Why, ...]:
    kinds = " or ".join(sorted(step.kinds))
    return (kinds, _WHERE[step.environment], *([_condition(step.where)] if step.where else []))


def _condition(condition: Condition) -> Why:
    if isinstance(condition, Compare):
        return Why(say(condition), True)
    if isinstance(condition, Not):
        return _node("not", _condition(condition.part))
    name = "any of" if condition.__struct_config__.tag == "any" else "all of"
    return _node(name, *map(_condition, condition.parts))


def _relations(related: Intervention | Clause) -> list[str]:
    return (
        [say_pair(p) for p in related.pairs]
        + [say_limit(p) for p in related.limits]
        + [say_spent(p) for p in related.spent]
    )


def _clause(clause: Clause) -> Why:
    least, most = clause.at_least, clause.at_most
    if most == 0:
        name = f"absent: {clause.name}"
    elif least == 0:
        name = f"optional step: {clause.name}"
    else:
        name = f"step: {clause.name}, at least {least}" + ("" if most is None else f" and at most {most}")
    window = f"from {_point(clause.since)} to {_point(clause.until)}"
    remembered = ("every such event is remembered",) if clause.every else ()
    return _node(name, *_step(clause.step), window, _REACH[clause.reach], *_relations(clause), *remembered)


def _point(point: Point) -> str:
    anchor = f"the first {point.step}" if point.anchor == "step" else point.anchor
    if not point.offset:
        return anchor
    return f"{anchor} {'-' if point.offset < 0 else '+'} {say_duration(abs(point.offset))}"
