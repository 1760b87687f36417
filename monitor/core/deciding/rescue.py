"""Whether the acts of an episode were a rescue: the best of them speaks for all, weighed with what is known by now."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import msgspec

from monitor.core.matching.facts import actor_kind
from monitor.core.model.catalogue import Catalogue
from monitor.core.model.events import Event, EventId
from monitor.core.model.near_miss import Mode
from monitor.core.model.rule import Rule
from monitor.core.state.candidates import Candidate, CappedEvidence
from monitor.core.weighing.net import Net, caught_id
from monitor.core.weighing.option import speaks_for
from monitor.core.weighing.sequel import Weighed

Recognised = dict[EventId, dict[str, list[Event]]]
"""By act the rules that recognise it, each with its hazards."""
KEPT_BESIDE = 2.0
"""A candidate whose log-odds are so much lower than the best one's is no part of its draft."""
REASONS_SAID = 6


class Rescue(msgspec.Struct, frozen=True):
    """What weighing came to: the best act, the mode where it is not the rule's, and the candidates that stay.

    Without any candidate that stays, a rescue is improbable.
    """

    weighed: Weighed | None
    mode: Mode | None
    candidates: list[Candidate]


def weigh(
    net: Net, candidates: Sequence[Candidate], rule_of: Callable[[Candidate], Rule], catalogue: Catalogue
) -> Rescue:
    """Weigh every candidate of an episode. An exposure does not have to be probable: its rule asks for a look."""
    recognised: Recognised = {}
    for candidate in candidates:
        rule = rule_of(candidate)
        for act in candidate.interventions.events if not rule.generic else ():
            hazards = recognised.setdefault(act.event_id, {}).setdefault(rule.name, [])
            hazards += candidate.hazards.events
    found = {candidate.id: _weigh_one(net, candidate, recognised) for candidate in candidates}
    best_id = max(found, key=lambda known: (found[known].log_odds, known))
    best, weights = found[best_id], net.weights
    asked_for = any(rule_of(candidate).kind == "exposure" for candidate in candidates)
    chance = max(best.probability, weights.digest) if asked_for else best.probability
    if chance < weights.digest:
        return Rescue(best, None, [])
    kept = [i for i in candidates if found[i.id].log_odds >= best.log_odds - KEPT_BESIDE or i.id == best_id]
    kept = [_without_bystanders(net, candidate, recognised) for candidate in kept]
    automatic = all(actor_kind(act, catalogue) == "automation" for i in kept for act in i.interventions.events)
    return Rescue(best, "digest" if chance < weights.live or automatic else None, kept)


def _without_bystanders(net: Net, candidate: Candidate, recognised: Recognised) -> Candidate:
    """The candidate without what people did next door meanwhile, where an act on the spot is far more likely it."""
    acts = candidate.interventions.events
    here = [act for act in acts if act.service == candidate.service]
    if not here or len(here) == len(acts):
        return candidate
    least = max(_weigh_act(net, candidate, act, recognised).log_odds for act in here) - KEPT_BESIDE
    kept = CappedEvidence()
    for act in acts:
        if act.service == candidate.service or _weigh_act(net, candidate, act, recognised).log_odds >= least:
            kept.add(act)
    return msgspec.structs.replace(candidate, interventions=kept)


def _weigh_act(net: Net, candidate: Candidate, act: Event, recognised: Recognised) -> Weighed:
    caught = net.caught.get(caught_id(act)) or net.compare(act, candidate.hazards.events)
    told = [option for option in caught.options if speaks_for(candidate.hazards.events, option)]
    if told:
        caught = msgspec.structs.replace(caught, options=told)
    return net.sequel.settle(caught, recognised.get(act.event_id))


def _weigh_one(net: Net, candidate: Candidate, recognised: Recognised) -> Weighed:
    """A candidate by the best of its acts; one that a rule made may have acts that the net did not catch."""
    weighed = (_weigh_act(net, candidate, act, recognised) for act in candidate.interventions.events)
    return max(weighed, key=lambda one: one.log_odds)


def say_improbable(weighed: Weighed) -> str:
    """The probability with the reasons that weigh most, for those who ask why nothing was opened."""
    said = "; ".join(f"{reason.text} {reason.weight:+}" for reason in weighed.reasons[:REASONS_SAID])
    return f"probability {weighed.probability:.2f}" + (f": {said}" if said else "")
