"""What followed an act, as far as is known when the candidate is judged: recovery, return, responses, notes."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping

from monitor.core.model.durations import say_duration
from monitor.core.model.events import DAY, HOUR, MINUTE, Event
from monitor.core.weighing.acts import is_slip, same_actor, same_order
from monitor.core.weighing.features import Vector
from monitor.core.weighing.option import Option
from monitor.core.weighing.place import ServiceMemory
from monitor.core.weighing.plain_words import is_beside, people
from monitor.core.weighing.signs import Sign

SIBLING_RECOVERS_WITHIN = 45 * MINUTE
TAKEN_BEFORE = 90 * MINUTE
"""A page may be taken so long before the sign that it is taken for began: several alerts, one page."""
TAKEN_AFTER = 2 * HOUR
SAME_PAGE = 30 * MINUTE
STANDS_AFTER = 6 * HOUR
CAME_BEFORE = 10 * MINUTE
CAME_AFTER = HOUR
WROTE_BEFORE = 2 * DAY
WROTE_AFTER = 2 * HOUR
CONFIRMED_WITHIN = 6 * HOUR
NO_EFFECT_AFTER = 2 * HOUR
SHARE_FLOOR = 0.01
ELSEWHERE_WITHIN = 30 * MINUTE


def foresee(
    places: Mapping[str, ServiceMemory],
    reach: Mapping[str, int],
    act: Event,
    option: Option,
    values: Vector,
    details: dict[str, str],
    undone: Event | None = None,
    elsewhere: Iterable[ServiceMemory] = (),
    tells_ends: Callable[[Sign], bool] = lambda sign: False,
) -> bool:
    """Add what followed to the values of an option; False where it does not hold after all.

    `tells_ends`: whether the source of an alert is known to report recoveries.
    """
    place = places.get(option.service)
    sign = None if place is None else place.sign(option.kind, option.key, option.began)
    if sign is not None and sign.kind == "alert":
        if option.relation == 2 and not _recovered_within(sign, act, SIBLING_RECOVERS_WITHIN):
            return False
        if not is_beside(act):  # who tunes the alert ends the alert
            _recovery(sign, act, values, details)
        if sign.ended is None and tells_ends(sign):
            values["unrecovered"] = 1.0
        _taken(place, sign, act, values)
    elif option.relation == 2:
        return False
    if sign is not None and sign.kind == "record" and sign.said_harmless:
        values["record"] = 1.5
    _came_and_wrote(places, reach, act, option, sign, values)
    if undone is not None and is_slip(undone, act) and _done_elsewhere(elsewhere, act, undone):
        values["done_elsewhere"] = 1.0
        values["reversal"] = 1.0
    return True


def _done_elsewhere(places: Iterable[ServiceMemory], act: Event, undone: Event) -> bool:
    """Undone here, done there: the same actor asked the same of another service meanwhile, or soon after."""
    until = act.time + ELSEWHERE_WITHIN
    return any(
        undone.time <= event.time <= until and same_order(event, undone) and same_actor(event, undone)
        for place in places
        for event in place.changes
    )


def _recovered_within(sign: Sign, act: Event, span: int) -> bool:
    return sign.ended is not None and not sign.cancelled and act.time <= sign.ended <= act.time + span


def _recovery(sign: Sign, act: Event, values: Vector, details: dict[str, str]) -> None:
    """Into which last share of its standing the act fell; less than nothing where it stood on for hours."""
    if sign.ended is None or sign.cancelled or sign.ended < act.time - 2 * MINUTE:
        return
    after, before = max(sign.ended - act.time, 0), max(act.time - sign.began, 0)
    if after > NO_EFFECT_AFTER and after > 2 * before:
        values["recovered"] = -1.0
        details["recovered"] = f"{say_duration(after)} later"
    else:
        last = max(after, MINUTE) / max(sign.ended - sign.began, 2 * MINUTE)
        values["recovered"] = -math.log10(min(1.0, max(last, SHARE_FLOOR)))
        details["recovered"] = f"{say_duration(after)} later, after {say_duration(before)}"
    if sign.came_back_at is not None or any(at > act.time for at in sign.flaps):
        values["came_back"] = 1.0


def _taken(place: ServiceMemory | None, sign: Sign, act: Event, values: Vector) -> None:
    """Whether a person took the page of this alert, and whether it was who acted."""
    until = min(sign.ended if sign.ended is not None else act.time + STANDS_AFTER, act.time + TAKEN_AFTER)
    taken = [
        event
        for event in (place.responses if place is not None else ())
        if event.kind == "alert.acknowledged" and sign.began - TAKEN_BEFORE <= event.time <= until
    ]
    own = [event for event in taken if event.subject is not None and event.subject == sign.first.subject]
    near = [
        event
        for event in taken
        if 0 <= event.time - sign.began <= SAME_PAGE or 0 <= event.time - sign.seen_at <= SAME_PAGE
    ]
    answers = own or near
    if not answers:
        return
    values["page_taken"] = 1.0 if own or answers[0].source != sign.first.source else 0.5
    if people(act) & frozenset().union(*map(people, answers)):
        values["same_person"] = 1.0


def _came_and_wrote(
    places: Mapping[str, ServiceMemory],
    reach: Mapping[str, int],
    act: Event,
    option: Option,
    sign: Sign | None,
    values: Vector,
) -> None:
    """Who was called or came, and whether the actor wrote about it."""
    began = (sign.began if sign is not None else option.began) - CAME_BEFORE
    came: set[str] = set()
    actor = people(act)
    reporter = people(sign.first) if sign is not None and sign.kind == "note" else frozenset[str]()
    for service in sorted({option.service, act.service or option.service}):
        place = places.get(service)
        for event in place.responses if place is not None else ():
            called = event.kind.startswith("responder.") or event.kind == "alert.escalated"
            if called and began <= event.time <= act.time + CAME_AFTER:
                came.add((event.actor.id if event.actor is not None else None) or event.kind)
            wrote = event.kind == "note.added" and act.time - WROTE_BEFORE <= event.time <= act.time + WROTE_AFTER
            if wrote and event.time >= began and actor & people(event):
                values["same_person"] = 1.0
            if (
                reporter & people(event)
                and event.kind == "note.added"
                and act.time < event.time <= act.time + CONFIRMED_WITHIN
            ):
                values["confirmed"] = 1.0
    if came:
        values.raise_to("others_came", min(1.0, 0.5 + 0.25 * len(came)))
