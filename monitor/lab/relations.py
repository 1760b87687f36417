"""How one event relates to the events that it could have been paired with: the other half of "why not".

Shows for a hazard the actions within its window, and for an action the hazards before it, each with what ties them
together and what does not. Uses the engine's own relations.
"""

from __future__ import annotations

from collections.abc import Sequence

from monitor.core.catalogue import Catalogue
from monitor.core.conditions import NO_FACTS, MakeRegex, read
from monitor.core.correlate import reach
from monitor.core.drafting import say_duration
from monitor.core.events import Event, to_text
from monitor.core.explain import Why
from monitor.core.facts import EventFacts
from monitor.core.lineage import Lineage
from monitor.core.predicates import compile_condition
from monitor.core.relations import (
    FactsOf,
    limit_holds,
    pair_holds,
    say_limit,
    say_pair,
    say_spent,
    share_spent,
    spent_holds,
)
from monitor.core.rule import Limit, Pair, Rule, Spent, Step

MOST_SHOWN = 5
"""Partners of an event that are shown: those that fit first, then the nearest in time."""


def explain_actions(
    rule: Rule, hazard: Event, events: Sequence[Event], catalogue: Catalogue, lineage: Lineage, make_regex: MakeRegex
) -> Why:
    """The actions that this rule takes for an intervention, within the window of a hazard of it."""
    until = hazard.time + rule.intervention.within
    near = [event for event in events if hazard.time <= event.time <= until and _may_be_both(rule, event, hazard)]
    actions = _playing(rule.intervention.step, near, catalogue, lineage, make_regex)
    facts_of = EventFacts(catalogue, lineage).of
    partners = [_related(rule, hazard, action, action, "later", catalogue, facts_of) for action in actions]
    return _listed("actions within its window", partners, actions, hazard)


def explain_hazards(
    rule: Rule, action: Event, events: Sequence[Event], catalogue: Catalogue, lineage: Lineage, make_regex: MakeRegex
) -> Why:
    """The hazards of this rule in whose window an action lies."""
    since = action.time - rule.intervention.within
    near = [event for event in events if since <= event.time <= action.time and _may_be_both(rule, event, action)]
    hazards = _playing(rule.hazard, near, catalogue, lineage, make_regex)
    facts_of = EventFacts(catalogue, lineage).of
    partners = [_related(rule, hazard, action, hazard, "earlier", catalogue, facts_of) for hazard in hazards]
    return _listed("hazards in whose window it lies", partners, hazards, action)


def _may_be_both(rule: Rule, one: Event, other: Event) -> bool:
    """Whether these two may be hazard and intervention: two events, or, where the rule says so, one that is both."""
    return (one.event_id == other.event_id) is rule.intervention.itself


def _playing(
    step: Step, events: Sequence[Event], catalogue: Catalogue, lineage: Lineage, make_regex: MakeRegex
) -> list[Event]:
    holds = compile_condition(step.where, make_regex)
    return [
        event
        for event in events
        if event.kind in step.kinds
        and in_place(step, event, catalogue)
        and holds(event, EventFacts(catalogue, lineage, event))
    ]


def in_place(step: Step, event: Event, catalogue: Catalogue) -> bool:
    """Whether the environment is one that the step wants."""
    return step.environment == "any" or (catalogue.counts(event.environment) is False) == (
        step.environment == "elsewhere"
    )


def _related(
    rule: Rule, hazard: Event, action: Event, shown: Event, when: str, catalogue: Catalogue, facts_of: FactsOf
) -> Why:
    act = rule.intervention
    parts = (
        _services(rule, hazard, action, catalogue),
        *(_pair(pair, hazard, action) for pair in act.pairs),
        *(_limit(limit, hazard, action, facts_of) for limit in act.limits),
        *(_spent(spent, hazard, action) for spent in act.spent),
    )
    apart = say_duration(abs(action.time - hazard.time))
    name = " ".join(filter(None, (shown.source, shown.id, shown.kind, shown.service)))
    return Why(f"{name}, {apart} {when}", all(part.held for part in parts), shown.title or "", parts)


def _services(rule: Rule, hazard: Event, action: Event, catalogue: Catalogue) -> Why:
    how = rule.intervention.reach
    asked = "any service" if how == "any" else f"{how} service"
    if hazard.service is None or action.service is None:
        return Why(asked, False, "an event that names no service can be related to nothing")
    services = reach(catalogue, hazard.service, how)
    held = services is None or action.service in services
    return Why(asked, held, f"hazard on {hazard.service}, action on {action.service}")


def _pair(pair: Pair, hazard: Event, action: Event) -> Why:
    theirs = read(pair.theirs, action, NO_FACTS)
    mine = [read(field, hazard, NO_FACTS) for field in (pair.hazard, *pair.also)]
    found = " and ".join("missing" if value is None else repr(value) for value in (theirs, *mine))
    return Why(say_pair(pair), pair_holds(pair, hazard, action), found)


def _limit(limit: Limit, hazard: Event, action: Event, facts_of: FactsOf) -> Why:
    moment = read(limit.field, hazard, facts_of(hazard))
    found = f"at {to_text(action.time)}, {limit.field} is {to_text(moment) if isinstance(moment, int) else 'missing'}"
    return Why(say_limit(limit), limit_holds(limit, hazard, action, facts_of), found)


def _spent(spent: Spent, hazard: Event, action: Event) -> Why:
    share = share_spent(hazard, action)
    found = "the hazard names no deadline" if share is None else f"{share:.0%}"
    return Why(say_spent(spent), spent_holds(spent, hazard, action), found)


def _listed(asked: str, partners: Sequence[Why], events: Sequence[Event], around: Event) -> Why:
    order = sorted(
        range(len(partners)), key=lambda place: (not partners[place].held, abs(events[place].time - around.time))
    )
    shown = [partners[place] for place in order[:MOST_SHOWN]]
    fitting = sum(partner.held for partner in partners)
    found = f"{len(partners)}, {fitting} of them related" if partners else "none"
    if len(partners) > len(shown):
        shown.append(Why(f"and {len(partners) - len(shown)} more", False))
    return Why(asked, fitting > 0, found, tuple(shown))
