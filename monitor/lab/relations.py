"""How one event relates to the events that it could have been paired with: the other half of "why not".

Shows for a hazard the actions within its window, and for an action the hazards before it: window, services, relations,
whether the alert still fired, and the further steps of the rule with their windows. Uses the engine's own relations.
"""

from __future__ import annotations

from collections.abc import Sequence

from monitor.core.deciding.clauses import clause_unmet
from monitor.core.matching.explain import Why
from monitor.core.matching.relations import (
    FactsOf,
    limit_holds,
    pair_holds,
    reach,
    relates,
    say_limit,
    say_pair,
    say_spent,
    share_spent,
    spent_holds,
)
from monitor.core.model.catalogue import Catalogue
from monitor.core.model.conditions import NO_FACTS, read
from monitor.core.model.durations import say_duration
from monitor.core.model.events import Event, to_text
from monitor.core.model.rule import Clause, Limit, Pair, Point, Rule, Spent
from monitor.core.state.alerts import alert_key
from monitor.lab.playing import HAZARD, INTERVENTION, Playing

MOST_SHOWN = 5
"""Partners of an event that are shown: those that fit first, then the nearest in time."""


def explain_actions(rule: Rule, hazard: Event, playing: Playing) -> Why:
    """The actions that this rule takes for an intervention, within the window of a hazard of it."""
    within = rule.intervention.within
    actions = [event for event in playing.playing(rule, INTERVENTION) if _may_be_both(rule, event, hazard)]
    near = [event for event in actions if hazard.time <= event.time <= hazard.time + within]
    after = next((event for event in actions if event.time > hazard.time + within), None)
    partners = [_partner(rule, hazard, action, action, playing) for action in near]
    if after is not None and not any(partner.held for partner in partners):
        beyond = say_duration(after.time - hazard.time - within)
        partners.append(Why(f"{name_of(after)} at {to_text(after.time)}", False, f"{beyond} after the window"))
        near.append(after)
    asked = f"actions within its window, {to_text(hazard.time)} to {to_text(hazard.time + within)}"
    return _listed(asked, partners, near, hazard)


def explain_hazards(rule: Rule, action: Event, playing: Playing) -> Why:
    """The hazards of this rule in whose window an action lies."""
    within = rule.intervention.within
    hazards = [event for event in playing.playing(rule, HAZARD) if _may_be_both(rule, event, action)]
    near = [event for event in hazards if action.time - within <= event.time <= action.time]
    before = [event for event in hazards if event.time < action.time - within]
    partners = [_partner(rule, hazard, action, hazard, playing) for hazard in near]
    if before and not any(partner.held for partner in partners):
        late = say_duration(action.time - before[-1].time - within)
        said = f"its window had ended {late} before"
        partners.append(Why(f"{name_of(before[-1])} at {to_text(before[-1].time)}", False, said))
        near.append(before[-1])
    asked = f"hazards whose window contains it, {to_text(action.time - within)} to {to_text(action.time)}"
    return _listed(asked, partners, near, action)


def explain_pair(rule: Rule, hazard: Event, action: Event, playing: Playing) -> tuple[Why, ...]:
    """What ties an action to a hazard or does not, and what else the rule asks for around the two."""
    act = rule.intervention
    apart = say_duration(action.time - hazard.time)
    in_window = 0 <= action.time - hazard.time <= act.within
    return (
        Why(f"at most {say_duration(act.within)} after the hazard", in_window, apart),
        _services(rule, hazard, action, playing.catalogue),
        *(_pair(pair, hazard, action) for pair in act.pairs),
        *(_limit(limit, hazard, action, playing.facts_of) for limit in act.limits),
        *(_spent(spent, hazard, action) for spent in act.spent),
        *_still_firing(hazard, action, playing),
        *(_clause(rule, clause, hazard, action, playing) for clause in rule.clauses),
    )


def name_of(event: Event) -> str:
    return " ".join(filter(None, (event.source, event.id, event.kind, event.service)))


def resolved(event: Event) -> tuple[Why, ...]:
    """What the fields of an event rest on that are not as its tool said."""
    return tuple(Why(f"{field} by {why}", True) for field, why in event.resolved_from.items())


def _may_be_both(rule: Rule, one: Event, other: Event) -> bool:
    """Whether these two may be hazard and intervention: two events, or, where the rule says so, one that is both."""
    return (one.event_id == other.event_id) is rule.intervention.itself


def _partner(rule: Rule, hazard: Event, action: Event, shown: Event, playing: Playing) -> Why:
    parts = explain_pair(rule, hazard, action, playing)
    when = "later" if shown is action else "earlier"
    asked = f"{name_of(shown)}, {say_duration(abs(action.time - hazard.time))} {when}"
    return Why(asked, all(part.held for part in parts), shown.title or "", parts)


def _services(rule: Rule, hazard: Event, action: Event, catalogue: Catalogue) -> Why:
    how = rule.intervention.reach
    asked = "any service" if how == "any" else f"{how} service"
    if hazard.service is None or action.service is None:
        return Why(asked, False, "an event without a service cannot be related")
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


def _still_firing(hazard: Event, action: Event, playing: Playing) -> tuple[Why, ...]:
    if hazard.kind != "alert.fired":
        return ()
    key = alert_key(hazard)
    ends = [end for end in playing.alert_ends() if hazard.time <= end.time < action.time and alert_key(end) == key]
    found = f"{ends[0].kind} at {to_text(ends[0].time)} [{ends[0].source} {ends[0].id}]" if ends else ""
    return (Why("the alert was still firing", not ends, found),)


def _clause(rule: Rule, clause: Clause, hazard: Event, action: Event, playing: Playing) -> Why:
    """A further step around the two: its window with times, and what was seen in it."""
    safe_at = _safe_at(rule, hazard, action, playing)
    since, until = (_moment(at, rule, hazard, action, safe_at, playing) for at in (clause.since, clause.until))
    seen = _seen(rule, clause, hazard, action, safe_at, playing)
    kinds, how = " or ".join(sorted(clause.step.kinds)), clause.reach
    where = "any service" if how == "any" else f"{how} service"
    window = "relative to a step that was not seen"
    if since is not None and until is not None:
        window = f"{to_text(since)} to {to_text(until)}"
    asked = f"{_count_of(clause)} of {kinds} on {where}, {window}"
    if "safe" in (clause.since.anchor, clause.until.anchor):
        asked += f" (assumed safe at {to_text(safe_at)})"
    parts = tuple(Why(f"{name_of(event)} at {to_text(event.time)}", True, event.title or "") for event in seen)
    name = "absent" if clause.at_most == 0 else "step"
    held = clause_unmet(clause, len(seen)) is None
    return Why(f"{name} {clause.name}: {asked}", held, f"{len(seen)} seen", parts[:MOST_SHOWN])


def _count_of(clause: Clause) -> str:
    if clause.at_most == 0:
        return "none"
    if clause.at_least == 0 and clause.at_most is None:
        return "any number"
    least = f"at least {clause.at_least}" if clause.at_least else ""
    most = "" if clause.at_most is None else f"at most {clause.at_most}"
    return " and ".join(filter(None, (least, most)))


def _seen(rule: Rule, clause: Clause, hazard: Event, action: Event, safe_at: int, playing: Playing) -> list[Event]:
    """The events that satisfy a further step, by time; none where the step that it is measured from was not seen."""
    since, until = (_moment(at, rule, hazard, action, safe_at, playing) for at in (clause.since, clause.until))
    if since is None or until is None:
        return []
    services = None if hazard.service is None else reach(playing.catalogue, hazard.service, clause.reach)
    return [
        event
        for event in playing.playing(rule, f"step {clause.name}")
        if since <= event.time <= until
        and (services is None or event.service in services)
        and relates(clause, hazard, event, playing.facts_of, action)
    ]


def _moment(point: Point, rule: Rule, hazard: Event, action: Event, safe_at: int, playing: Playing) -> int | None:
    """As the engine has it, for one hazard and one action."""
    if point.anchor == "step":
        step = next(clause for clause in rule.clauses if clause.name == point.step)
        first = next(iter(_seen(rule, step, hazard, action, safe_at, playing)), None)
        return None if first is None else int(first.time) + point.offset
    anchors = {"hazard": hazard.time, "last_hazard": hazard.time, "safe": safe_at}
    return int(anchors.get(point.anchor, action.time)) + point.offset


def _safe_at(rule: Rule, hazard: Event, action: Event, playing: Playing) -> int:
    """When the alert recovered after the action, else the action and the time that the rule gives it to settle."""
    key = alert_key(hazard) if hazard.kind == "alert.fired" else None
    ends = [end for end in playing.alert_ends() if end.kind == "alert.resolved" and alert_key(end) == key]
    after = [end.time for end in ends if end.time >= action.time]
    return int(min(after, default=action.time + rule.settle))


def _listed(asked: str, partners: Sequence[Why], events: Sequence[Event], around: Event) -> Why:
    def order(place: int) -> tuple[bool, bool, int, int]:
        partner = partners[place]
        failing = sum(not part.held for part in partner.parts)
        return (not partner.held, not partner.parts, failing, abs(events[place].time - around.time))

    shown = [partners[place] for place in sorted(range(len(partners)), key=order)[:MOST_SHOWN]]
    fitting = sum(partner.held for partner in partners)
    found = f"{len(partners)}, {fitting} of them fitting" if partners else "none"
    if len(partners) > len(shown):
        shown.append(Why(f"and {len(partners) - len(shown)} more", False))
    return Why(asked, fitting > 0, found, tuple(shown))
