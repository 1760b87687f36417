"""Whether the acts of an episode were a rescue: the best of them speaks for all, weighed with what is known by now."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import msgspec

from monitor.core.matching.facts import actor_kind
from monitor.core.model.catalogue import Catalogue
from monitor.core.model.events import Event, EventId
from monitor.core.model.near_miss import Mode
from monitor.core.model.rule import Rule
from monitor.core.state.candidates import CappedEvidence, Instance
from monitor.core.weighing.net import Net, caught_id
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
    instances: list[Instance]


def weigh(net: Net, instances: Sequence[Instance], rule_of: Callable[[Instance], Rule], catalogue: Catalogue) -> Rescue:
    """Weigh every candidate of an episode. An exposure does not have to be probable: its rule asks for a look."""
    recognised: Recognised = {}
    for instance in instances:
        rule = rule_of(instance)
        for act in instance.interventions.events if not rule.generic else ():
            hazards = recognised.setdefault(act.event_id, {}).setdefault(rule.name, [])
            hazards += instance.hazards.events
    found = {instance.id: _weigh_one(net, instance, recognised) for instance in instances}
    best_id = max(found, key=lambda known: (found[known].log_odds, known))
    best, weights = found[best_id], net.weights
    asked_for = any(rule_of(instance).kind == "exposure" for instance in instances)
    chance = max(best.probability, weights.digest) if asked_for else best.probability
    if chance < weights.digest:
        return Rescue(best, None, [])
    kept = [i for i in instances if found[i.id].log_odds >= best.log_odds - KEPT_BESIDE or i.id == best_id]
    kept = [_without_bystanders(net, instance, recognised) for instance in kept]
    automatic = all(actor_kind(act, catalogue) == "automation" for i in kept for act in i.interventions.events)
    return Rescue(best, "digest" if chance < weights.live or automatic else None, kept)


def _without_bystanders(net: Net, instance: Instance, recognised: Recognised) -> Instance:
    """The candidate without what people did next door meanwhile, where an act on the spot is far more likely it."""
    acts = instance.interventions.events
    here = [act for act in acts if act.service == instance.service]
    if not here or len(here) == len(acts):
        return instance
    least = max(_weigh_act(net, instance, act, recognised).log_odds for act in here) - KEPT_BESIDE
    kept = CappedEvidence()
    for act in acts:
        if act.service == instance.service or _weigh_act(net, instance, act, recognised).log_odds >= least:
            kept.add(act)
    return msgspec.structs.replace(instance, interventions=kept)


def _weigh_act(net: Net, instance: Instance, act: Event, recognised: Recognised) -> Weighed:
    caught = net.caught.get(caught_id(act)) or net.compare(act, instance.hazards.events)
    return net.sequel.settle(caught, recognised.get(act.event_id))


def _weigh_one(net: Net, instance: Instance, recognised: Recognised) -> Weighed:
    """A candidate by the best of its acts; one that a rule made may have acts that the net did not catch."""
    weighed = (_weigh_act(net, instance, act, recognised) for act in instance.interventions.events)
    return max(weighed, key=lambda one: one.log_odds)


def say_improbable(weighed: Weighed) -> str:
    """The probability with the reasons that weigh most, for those who ask why nothing was opened."""
    said = "; ".join(f"{reason.text} {reason.weight:+}" for reason in weighed.reasons[:REASONS_SAID])
    return f"probability {weighed.probability:.2f}" + (f": {said}" if said else "")
