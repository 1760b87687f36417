"""Why, and why not: for one event of a stream, which steps of which rules it plays, and what the engine made of it.

Runs the very engine that decides; adds no judgement of its own.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence

from monitor.core.deciding.engine import Engine
from monitor.core.deciding.engine_settings import EngineSettings
from monitor.core.matching.explain import Why
from monitor.core.model.catalogue import Catalogue
from monitor.core.model.conditions import MakeRegex
from monitor.core.model.decisions import Amend, Decision, Evicted, Ignore, Late, Merge, Open, Withdraw
from monitor.core.model.events import SECOND, Event, EventId, to_text
from monitor.core.model.faults import Culprit, Fault, shown, without_culprits
from monitor.core.model.near_miss import Cited, Draft
from monitor.core.model.rule import Rule
from monitor.core.resolving.resolver import Resolver
from monitor.decode.streams import arrival_order
from monitor.lab.playing import Playing, steps_of
from monitor.lab.relations import explain_actions, explain_hazards, name_of, resolved
from monitor.lab.replay import without
from monitor.lab.shadow import as_live, has_shadow

_LONGEST_REASON = 160
_MOST_SOURCES = 3


class NoSuchEvent(LookupError):
    """The stream holds no event of this identity."""


def explain_event(
    events: Iterable[Event],
    rules: Sequence[Rule],
    catalogue: Catalogue,
    event_id: EventId,
    make_regex: MakeRegex,
    *,
    full: bool = True,
    how: EngineSettings = EngineSettings(),
) -> Why:
    """A tree: the engine's decisions on the event, and a branch for each rule that wants the event's kind.

    A rule holds where a draft that cites the event came of it (in shadow mode: would have come); else its node names
    the reason: the engine's, or the first condition that fails with the value that was there. Those that came closest
    are first. Unless `full`, a rule whose steps the event does not play is that one line. The events are taken in
    their order of arrival. Raises NoSuchEvent.
    """
    ordered = Resolver(catalogue).all(arrival_order(list(events)))
    event = next((one for one in ordered if one.event_id == event_id), None)
    if event is None:
        sources = sorted({event.source for event in ordered if event.id == event_id.id})
        hint = f"; the source of {event_id.id} is {' or '.join(sources[:_MOST_SOURCES])}" if sources else ""
        raise NoSuchEvent(f"no event {event_id.source} {event_id.id} among {len(ordered):,} events{hint}")
    engine, decisions, faults = decided(rules, catalogue, make_regex, ordered, how)
    playing = Playing(ordered, rules, catalogue, make_regex, [event], engine.state.last_values.drafts)
    wanting = [rule for rule in rules if any(event.kind in step.kinds for _, step in steps_of(rule))]
    others = sorted({rule.name for rule in rules} - {rule.name for rule in wanting})
    # The author of a rule in shadow mode asks what it would do, not that it is silent.
    as_if = decided(as_live(rules), catalogue, make_regex, ordered, how)[1] if has_shadow(rules) else []
    per_rule = sorted(
        (
            _explain_rule(rule, event, playing, _outcome(rule, event_id, decisions, as_if), full=full)
            for rule in wanting
        ),
        key=lambda why: (not why.held, "→" not in why.found, why.asked),
    )
    if others:
        per_rule.append(Why(f"{_counted(len(others), 'rule')} with no step for {event.kind}", False, ", ".join(others)))
    said = _explain_decisions(decisions, event_id)
    aside = [Why(f"the engine left out {shown(fault.culprit)}", False, fault.why) for fault in faults]
    matched = sum(any(part.held for part in playing.steps(event, rule)) for rule in wanting)
    found = f"matches {matched} of {_counted(len(rules), 'rule')}"
    return Why(f"{name_of(event)} {to_text(event.time)}", said.held, found, (*resolved(event), *aside, said, *per_rule))


def decided(
    rules: Sequence[Rule],
    catalogue: Catalogue,
    make_regex: MakeRegex,
    ordered: Sequence[Event],
    how: EngineSettings,
) -> tuple[Engine, list[Decision], tuple[Fault, ...]]:
    """An engine that was given everything but what it fails at, what it decided, and those faults."""

    def run(aside: Collection[Culprit]) -> tuple[Engine, list[Decision]]:
        engine = Engine(rules, catalogue, make_regex, how, aside=aside)
        return engine, [*engine.step(without(ordered, aside)), *engine.end()]

    (engine, decisions), faults = without_culprits(run)
    return engine, decisions, faults


def _explain_rule(rule: Rule, event: Event, playing: Playing, came: tuple[bool, str], *, full: bool) -> Why:
    """`came`: whether a draft came of it, and what the engine said."""
    held, outcome = came
    parts = playing.steps(event, rule)
    roles = [part for part in parts[:2] if part.held]
    if rule.intervention.itself and len(roles) < 2:
        roles = []
    if not roles:
        return Why(f"rule {rule.name}", held, outcome or _why_no_role(parts), parts if full else ())
    partners: list[Why] = []
    if parts[0].held:
        partners.append(explain_actions(rule, event, playing))
    if parts[1].held and not rule.intervention.itself:
        partners.append(explain_hazards(rule, event, playing))
    if not outcome:
        failing = [part for part in partners if not part.held]
        outcome = first_failing(failing[0]) if failing else "no result"
    played = " and ".join(part.asked for part in roles)
    return Why(f"rule {rule.name}", held, f"{played} → {outcome}", (*(parts if full else roles), *partners))


def _why_no_role(parts: Sequence[Why]) -> str:
    """Why an event is neither the hazard nor the intervention; where it is a further step, that it is only this."""
    near = next((part for part in parts[:2] if part.parts[0].held and not part.held), None)
    further = ", ".join(part.asked for part in parts[2:] if part.held)
    if near is not None:
        return f"{near.asked}: {first_failing(near)}" + (f"; only {further}" if further else "")
    return (
        f"only {further}"
        if further
        else "; ".join(f"{part.asked}: {first_failing(part)}" for part in parts[2:] if part.parts[0].held)
    )


def _outcome(
    rule: Rule, event_id: EventId, decisions: Sequence[Decision], as_if: Sequence[Decision]
) -> tuple[bool, str]:
    """What came of a rule and an event; of a rule in shadow mode what would have come."""
    came = _said(rule, event_id, decisions)
    if rule.mode != "shadow":
        return came
    would = _said(rule, event_id, as_if)
    return would if would == came else (would[0], f"in shadow, would be: {would[1]}")


def _said(rule: Rule, event_id: EventId, decisions: Sequence[Decision]) -> tuple[bool, str]:
    """Whether a draft of this rule that cites the event stands in the end, and what the engine last said of the two."""
    standing, said = False, ""
    citing: set[str] = set()
    for decision in decisions:
        match decision:
            case Open(draft) | Amend(draft):
                if rule.name in draft.rules and role_of(draft.evidence, event_id) is not None:
                    citing.add(draft.id)
                    named = "" if draft.rules[0] == rule.name else f", named by {draft.rules[0]}"
                    standing, said = True, f"draft {draft.id}{named}"
            case Withdraw(draft_id, reason) if draft_id in citing:
                standing, said = False, f"withdrawn: {reason}"
            case Merge(draft_id, into) if draft_id in citing:
                citing.add(into)
                said = f"draft {into}"
            case Ignore(reason, _, names, _, evidence, detail) if rule.name in names and event_id in evidence:
                if not standing:
                    said = f"{reason}: {detail}" if detail else str(reason)
            case _:
                pass
    return standing, said


def first_failing(why: Why) -> str:
    """The first leaf that does not hold, in words, with what was found; at most a line."""
    said = _failing(why)
    return said if len(said) <= _LONGEST_REASON else f"{said[:_LONGEST_REASON]}…"


def _failing(why: Why) -> str:
    if why.asked == "not":
        return f"not {why.parts[0].asked}" + (f": {why.parts[0].found}" if why.parts[0].found else "")
    if why.asked == "any of":
        return "; nor ".join(map(_failing, why.parts))
    failing = next((part for part in why.parts if not part.held), None)
    if failing is not None:
        return _failing(failing)
    return f"{why.asked}: {why.found}" if why.found else why.asked


def _counted(count: int, word: str) -> str:
    return f"{count} {word}" + ("" if count == 1 else "s")


def _explain_decisions(decisions: Sequence[Decision], event_id: EventId) -> Why:
    citing: set[str] = set()
    parts = []
    for decision in decisions:
        why = _explain_decision(decision, event_id, citing)
        if why is not None:
            parts.append(why)
    held = any(part.held for part in parts)
    return Why("the engine's decisions about this event", held, "" if parts else "none", tuple(parts))


def _explain_decision(decision: Decision, event_id: EventId, citing: set[str]) -> Why | None:
    match decision:
        case Open(draft) | Amend(draft):
            role = role_of(draft.evidence, event_id)
            if role is None:
                return None
            citing.add(draft.id)
            done = "opened" if isinstance(decision, Open) else "amended"
            parts = tuple(Why(sentence, True) for sentence in draft.explanation)
            return Why(f"{done} {draft.id}: {draft.title}", True, _say_draft(draft, role), parts)
        case Withdraw(draft_id, reason, at, evidence):
            if draft_id not in citing and role_of(evidence, event_id) is None:
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
            return Why(asked, True, "still used")
        case Evicted():
            return None


def role_of(evidence: Iterable[Cited], event_id: EventId) -> str | None:
    return next((cited.role for cited in evidence if cited.event.event_id == event_id), None)


def _say_draft(draft: Draft, role: str) -> str:
    missing = f", could not check {', '.join(draft.missing_evidence)}" if draft.missing_evidence else ""
    return f"as {role}; verdict {draft.verdict}{missing}"
