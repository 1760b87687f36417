"""Why, and why not: for one event of a stream, which steps of which rules it plays, and what the engine made of it.

Runs the very engine that decides; adds no judgement of its own.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from monitor.core.catalogue import Catalogue
from monitor.core.conditions import MakeRegex
from monitor.core.decisions import Amend, Decision, Ignore, Late, Merge, Open, Withdraw
from monitor.core.engine import Engine
from monitor.core.events import SECOND, Event, EventId, to_text
from monitor.core.explain import Why, explain_condition
from monitor.core.facts import EventFacts
from monitor.core.lineage import Lineage
from monitor.core.near_miss import Cited, Draft
from monitor.core.rule import Rule, Step
from monitor.decode.streams import arrival_order
from monitor.lab.relations import explain_actions, explain_hazards, in_place


class NoSuchEvent(LookupError):
    """The stream holds no event of this identity."""


def explain_event(
    events: Iterable[Event], rules: Sequence[Rule], catalogue: Catalogue, event_id: EventId, make_regex: MakeRegex
) -> Why:
    """A tree: one branch a rule with its steps and conditions, and one with the engine's decisions on the event.

    The events are taken in their order of arrival. Raises NoSuchEvent.
    """
    ordered = arrival_order(list(events))
    event = next((one for one in ordered if one.event_id == event_id), None)
    if event is None:
        raise NoSuchEvent(f"no event {event_id.source} {event_id.id} among {len(ordered)} events")
    lineage = Lineage()
    for one in ordered:
        lineage.record(one)
    per_rule = [_explain_rule(rule, event, ordered, catalogue, lineage, make_regex) for rule in rules]
    decided = _explain_decisions(ordered, rules, catalogue, event_id, make_regex)
    matched = sum(why.held for why in per_rule)
    found = f"plays a part in {matched} of {len(rules)} rules"
    return Why(_name(event), decided.held, found, (*per_rule, decided))


def _name(event: Event) -> str:
    return " ".join(filter(None, (event.source, event.id, event.kind, event.service, to_text(event.time))))


def _explain_rule(
    rule: Rule, event: Event, ordered: Sequence[Event], catalogue: Catalogue, lineage: Lineage, make_regex: MakeRegex
) -> Why:
    steps = [("hazard", rule.hazard), ("intervention", rule.intervention.step)]
    steps += [(f"step {clause.name}", clause.step) for clause in rule.clauses]
    if not any(event.kind in step.kinds for _, step in steps):
        return Why(f"rule {rule.name}", False, f"no step wants {event.kind}")
    parts = tuple(_explain_step(name, step, event, catalogue, lineage, make_regex) for name, step in steps)
    played = ", ".join(part.asked for part in parts if part.held)
    if parts[0].held:
        parts += (explain_actions(rule, event, ordered, catalogue, lineage, make_regex),)
    if parts[1].held:
        parts += (explain_hazards(rule, event, ordered, catalogue, lineage, make_regex),)
    return Why(f"rule {rule.name}", bool(played), played or "no step is played by this event", parts)


def _explain_step(
    name: str, step: Step, event: Event, catalogue: Catalogue, lineage: Lineage, make_regex: MakeRegex
) -> Why:
    kind = Why(f"kind is one of {', '.join(sorted(step.kinds))}", event.kind in step.kinds, event.kind)
    if not kind.held:
        return Why(name, False, parts=(kind,))
    facts = EventFacts(catalogue, lineage, event)
    condition = explain_condition(step.where, event, facts, make_regex)
    parts = (kind, _explain_environment(step, event, catalogue), condition)
    return Why(name, all(part.held for part in parts), parts=parts)


def _explain_environment(step: Step, event: Event, catalogue: Catalogue) -> Why:
    asked = {
        "any": "any environment",
        "production": "an environment that counts, or none named",
        "elsewhere": "an environment that is named and does not count",
    }[step.environment]
    return Why(asked, in_place(step, event, catalogue), event.environment or "missing")


def _explain_decisions(
    ordered: Sequence[Event],
    rules: Sequence[Rule],
    catalogue: Catalogue,
    event_id: EventId,
    make_regex: MakeRegex,
) -> Why:
    engine = Engine(rules, catalogue, make_regex)
    citing: set[str] = set()
    parts = []
    for decision in [*engine.step(ordered), *engine.end()]:
        why = _explain_decision(decision, event_id, citing)
        if why is not None:
            parts.append(why)
    held = any(part.held for part in parts)
    return Why("decisions of the engine that concern this event", held, "" if parts else "none", tuple(parts))


def _explain_decision(decision: Decision, event_id: EventId, citing: set[str]) -> Why | None:
    match decision:
        case Open(draft) | Amend(draft):
            role = _role(draft.evidence, event_id)
            if role is None:
                return None
            citing.add(draft.id)
            done = "opened" if isinstance(decision, Open) else "amended"
            parts = tuple(Why(sentence, True) for sentence in draft.explanation)
            return Why(f"{done} {draft.id}: {draft.title}", True, _say_draft(draft, role), parts)
        case Withdraw(draft_id, reason, at, evidence):
            if draft_id not in citing and _role(evidence, event_id) is None:
                return None
            return Why(f"withdrew {draft_id} at {to_text(at)}", False, str(reason))
        case Merge(draft_id, into, at):
            return Why(f"merged {draft_id} into {into} at {to_text(at)}", True) if draft_id in citing else None
        case Ignore(reason, at, names, _, evidence, detail):
            if event_id not in evidence:
                return None
            asked = f"not opened at {to_text(at)}" + (f" ({', '.join(names)})" if names else "")
            return Why(asked, False, f"{reason}: {detail}" if detail else str(reason))
        case Late(event, at, behind):
            if event != event_id:
                return None
            asked = f"came {behind / SECOND:g} s behind the watermark at {to_text(at)}"
            return Why(asked, True, "used all the same")


def _role(evidence: Iterable[Cited], event_id: EventId) -> str | None:
    return next((cited.role for cited in evidence if cited.event.event_id == event_id), None)


def _say_draft(draft: Draft, role: str) -> str:
    missing = f", could not check {', '.join(draft.missing_evidence)}" if draft.missing_evidence else ""
    return f"as {role}; verdict {draft.verdict}{missing}"
