"""Which candidates of labelled material were rescues: of case files, and of a synthetic year."""

from __future__ import annotations

from collections.abc import Iterable
from zlib import crc32

from monitor.core.matching.facts import maintenance_scope
from monitor.core.model.events import Event, EventId
from monitor.core.weighing.weights import Weights
from monitor.decode.streams import arrival_order
from monitor.lab.calibrate import Labelled, SettledAct, candidates_of, log_odds
from monitor.lab.cases import Case
from monitor.lab.year.shape import YearShape
from monitor.lab.year.stream import Year

HOPELESS = -4.5
ONE_IN = 25
"""Of what is hopeless by the weights in force (log-odds) one in so many is kept, and counts for all."""
OF_A_CASE = (2.0, 0.7)
OF_A_YEAR = (2.0, 0.5)
"""How much a rescue counts, and how much anything else: rescues are rare, and a year has very many others."""


def of_case(case: Case, weights: Weights) -> list[Labelled]:
    """The candidates of a story. What the verdict refuses says nothing, and neither does half a citation."""
    if case.label == "impact":
        return []
    hazard, intervention = frozenset(case.expect.hazard), frozenset(case.expect.intervention)
    near = case.label == "near_miss"
    found = []
    for candidate in candidates_of(_in_time(arrival_order(case.events)), case.catalogue, weights):
        cited = {event_id.id for event_id in candidate.cited}
        if near and candidate.act.id in intervention:
            found.append(Labelled(candidate, True, OF_A_CASE[0]))
        elif not near or not (candidate.act.id in hazard or cited & hazard):
            found.append(Labelled(candidate, False, OF_A_CASE[1]))
    return found


def of_year(seed: int, days: int, weights: Weights) -> list[Labelled]:
    """The candidates of a synthetic year in which every tool calls a service by one name."""
    year = Year(YearShape(days=days, seed=seed, names="one"))
    events = _in_time(event for batch in year.batches() for event in batch)
    near: set[EventId] = set()
    unclear: set[EventId] = set()
    for truth in year.truths:
        if truth.label == "near_miss":
            near.update(truth.intervention)
            unclear.update(truth.hazard)
        elif truth.label == "impact":
            unclear.update(truth.cited)
    found = []
    announced = acts_in_announced_work(events)
    for candidate in candidates_of(events, year.organisation.catalogue, weights):
        label = _of_year(candidate, near, unclear)
        if label is None or (not label and candidate.act in announced):
            continue
        weight = OF_A_YEAR[0] if label else OF_A_YEAR[1]
        if not label and log_odds(candidate, weights.weights) < HOPELESS:
            if crc32(candidate.act.id.encode()) % ONE_IN:
                continue
            weight *= ONE_IN
        found.append(Labelled(candidate, label, weight))
    return found


def acts_in_announced_work(events: Iterable[Event]) -> set[EventId]:
    """Acts during announced work on their own service: the verdict refuses most of them."""
    open_work: dict[str, set[str]] = {}
    found: set[EventId] = set()
    for event in events:
        if event.kind == "maintenance.started":
            for service in maintenance_scope(event):
                open_work.setdefault(service, set()).add(event.subject or "")
        elif event.kind == "maintenance.ended":
            for service in maintenance_scope(event):
                open_work.get(service, set()).discard(event.subject or "")
        elif event.service is not None and open_work.get(event.service):
            found.add(event.event_id)
    return found


def _of_year(candidate: SettledAct, near: set[EventId], unclear: set[EventId]) -> bool | None:
    if candidate.act in near:
        return True
    return None if candidate.act in unclear or candidate.cited & unclear else False


def _in_time(events: Iterable[Event]) -> list[Event]:
    """Without the reports of feeds, which weigh nothing."""
    told = (event for event in events if event.kind != "impact.clear")
    return sorted(told, key=lambda event: (event.time, event.source, event.id))
