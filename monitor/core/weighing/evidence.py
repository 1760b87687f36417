"""What was known for and against each pair of act and sign at the moment of the act.

What follows the act (recovery, who wrote later) is the aftermath's business.
"""

from __future__ import annotations

import math
from collections import Counter

from monitor.core.matching.facts import share
from monitor.core.model.durations import say_duration
from monitor.core.model.events import DAY, HOUR, MINUTE, Event
from monitor.core.weighing.acts import CORRECTIVE, FORWARD, STOPPED, flag_share, version_of
from monitor.core.weighing.chance import (
    LEAST_GAP,
    LEAST_TO_BUILD,
    MOST_USUAL,
    RARE_SIGN_UNKNOWN,
    Scene,
    by_no_accident,
    coincidence,
    common_sign,
    rare_sign,
)
from monitor.core.weighing.features import Vector
from monitor.core.weighing.habits import Standings, familiar_key, pairing_keys
from monitor.core.weighing.option import COMMON, Option
from monitor.core.weighing.plain_words import (
    calls_false_alarm,
    calls_harmless,
    is_beside,
    is_drill_by_name,
    is_routine,
    names_trouble,
    people,
    shared_words,
    telling,
    worries,
)
from monitor.core.weighing.shared import is_one_story, same_thing
from monitor.core.weighing.signs import GRAVE, SEVERITY, Sign

BEGUN_WITHIN = 3 * DAY
BEGUN_SAME_SUBJECT = 4 * HOUR
OWN_STORY = DAY
"""An alert that stood for longer before the act is context: it does not say when this danger began."""
STOOD_BESIDE = 3 * DAY
SILENCED_OFTEN = 3
DEADLINE_NEAR = 7 * DAY
DEADLINE_FAR = 14 * DAY
DEADLINE_TODAY = 1.5
DEADLINE_SHARE = 0.1
DEADLINE_OF_SOMETHING = 0.3
"""A near deadline makes a little likelier that an act which names nothing of it was about it."""
RENEWING = frozenset({"change.rotated", "change.scaled", "change.ran", "change.restored", "change.deleted"})
"""What people do about an expiry or about what fills up."""
ON_PURPOSE = 2.5
"""What calls itself a drill was no danger, however seldom anything is restored here."""
FALSE_ALARM = 3.0
"""A person who looked and found nothing wrong but the alert."""
RENEWED_LIFE = 90 * DAY
RENEWED_SHARE = 0.12
BROUGHT_ALONG = 2.5
"""What began within announced work is what the work does: two and a half times as much as a danger older than it."""
SHIPPING = FORWARD - {"change.configured"}
"""What takes its time to make, unless it goes back to what was."""
ABOUT_ANYTHING = frozenset({"change.configured", "change.ran"})
"""Kinds of change that are made for every purpose: only their words say whether they put something right."""
SAYS_ENOUGH = 2
"""So many telling words say what a change is about."""
STOPPED_HALF = 0.5
FLAPPED = 0.4
FLAPPED_WITHIN = 6 * HOUR
"""An alert that cleared and came back in the hours before does so by itself; once may have been someone's doing."""
NAMED_IN_WORDS = 2
"""An act that names the sign in so many telling words is about it, though no edge of the catalogue joins the two."""
ACTED_OUTSIDE = 1.5
"""Where no users live nobody saves them; a sign there may yet be a warning."""
UNHURRIED = 2.2
"""Decades of five minutes after which an undoing is no longer soon (about two weeks)."""
MILD = 0.3
MOST_USUAL_UNNAMED = 1.5
"""A note or a record has no name that recurs: its pairings say less."""
MOST_CITED = 8
FASTEST_RELEASE = 4 * MINUTE
"""Nobody sees an alert, decides and has something new released in less."""


def gather(scene: Scene) -> list[Option]:
    """An option for each sign in reach and for the change that was undone; for the act alone where there is neither."""
    common = _common(scene)
    sizes = Counter(scene.reach.values())
    options = [_of_sign(scene, common, sign, relation, sizes[relation]) for sign, relation in scene.signs]
    if scene.undoing.change is not None:
        options.append(_of_change(scene, common, scene.undoing.change))
    if not options:
        options.append(_alone(scene, common))
    return options


# -- the act -------------------------------------------------------------------------------------------------------


def _common(scene: Scene) -> Vector:
    act, undone = scene.act, scene.undoing.change
    values = Vector(bias=1.0)
    _kind_of_act(scene, values)
    if act.kind in STOPPED:
        values["stopped"] = 1.0
    if scene.actor == "automation":
        _automatic(act, values)
    if not scene.joined_to_users:
        values["unknown_service"] = 1.0
    if scene.rehearsed or is_routine(act) or is_beside(act) or (undone is not None and is_routine(undone)):
        on_purpose = is_drill_by_name(act) or (undone is not None and is_drill_by_name(undone))
        values["routine"] = ON_PURPOSE if on_purpose else 1.0
    if undone is not None and undone.kind != "change.blocked":
        _prompted(scene, undone, values)
    if scene.announced is not None:
        values["announced"] = 1.0
        if undone is not None and undone.time >= scene.announced:
            # There and back is what the work consists of.
            values["reversal"] = values["caused"] = 0.0
    if act.kind != "change.deployed":  # how often each service is released is known, whatever the words
        known = scene.habits_of(scene.place.service).usual(familiar_key(act, scene.actor, scene.undoing), act.time)
        values["familiar"] = min(MOST_USUAL, math.log2(1 + max(0.0, known - scene.counted)) / 2)
    if scene.actor != "automation" and names_trouble(act):
        values["act_names_trouble"] = 1.0
    if not scene.production:
        values["outside_production"] = ACTED_OUTSIDE
    habits = scene.habits_of(scene.place.service)
    rate = habits.net_rate(act.time, scene.larger)
    values["net_rate"] = rate
    values["learning"] = habits.still_learning(act.time) * max(0.0, rate - 1)
    if act.previous_expires_at is not None:
        values["deadline"] = _renewed(act, act.previous_expires_at)
    return values


def _renewed(act: Event, ends: int) -> float:
    life = act.expires_at - act.time if act.expires_at is not None else RENEWED_LIFE
    left = ends - act.time
    return _nearness(left) if left < min(DEADLINE_NEAR, RENEWED_SHARE * life) else -1.0


def _kind_of_act(scene: Scene, values: Vector) -> None:
    act = scene.act
    if scene.undoing.strength:
        values["reversal"] = scene.undoing.strength
    elif act.kind in CORRECTIVE:
        values["corrective"] = 1.0
    elif act.kind == "change.flag_set":
        # Off is what people do to stop harm, on is what they ship with.
        values["corrective"] = 1.0 if flag_share(act) == 0 else -0.5


def _automatic(act: Event, values: Vector) -> None:
    values["automation"] = 1.0
    if act.kind in ("change.failed_over", "change.rolled_back", "change.restored"):
        values["automatic_rescue"] = 1.0
    if act.kind == "change.scaled" and (share(act) or 0.0) >= 1:
        values["thin"] = 1.0


# -- pairs ---------------------------------------------------------------------------------------------------------


def _of_sign(scene: Scene, common: Vector, sign: Sign, relation: int, related: int) -> Option:
    act, values = scene.act, Vector(common)
    details: dict[str, str] = {"net_rate": f"{10 ** common['net_rate'] - 1:.0f}"}
    if relation == 1:
        values["neighbour"] = 1.0
    elif relation == 2:
        values["sibling"] = 1.0
    if scene.announced is not None and sign.began >= scene.announced:
        values["announced"] = BROUGHT_ALONG
    _what_it_says(scene, sign, values, details)
    values["common_sign"] = common_sign(scene, sign)
    _how_it_hangs_together(scene, sign, values, details)
    since = max(sign.seen_at if sign.seen_at <= act.time else sign.began, _last_response(scene, sign))
    is_new = act.kind in SHIPPING and not scene.undoing.strength and values.get("corrective", 0.0) <= 0
    gap = max(act.time - since, LEAST_TO_BUILD if is_new else LEAST_GAP)
    if sign.deadline is not None and values.get("deadline", 0) > 0:
        gap = min(gap, max(sign.deadline - act.time, HOUR))
    coincidence(scene, values, details, gap, 1 if relation == 0 else related)
    _agreement(scene, sign, values, details)
    pairings = pairing_keys(scene.act, scene.actor, scene.place.service, sign.kind, sign.name)
    _habit(scene, values, pairings, alert=sign.kind == "alert")
    return Option(
        sign.kind,
        sign.key,
        sign.service,
        sign.began,
        relation,
        dict(values),
        details,
        _cited(scene, sign),
        pairings,
    )


def _what_it_says(scene: Scene, sign: Sign, values: Vector, details: dict[str, str]) -> None:
    act, told = scene.act, sign.first
    if sign.kind == "alert":
        values["severity"] = sign.severity
        details["severity"] = next((e.severity for e in (sign.last, told) if e.severity), "of unknown severity")
        standings = scene.habits_of(sign.service).standings.get(sign.name, Standings())
        values["clears_alone"] = standings.clears_alone
        place = scene.places.get(sign.service)
        cleared = place.came_back(sign.key, act.time - FLAPPED_WITHIN, act.time) if place is not None else 0
        if cleared > 1:
            values["clears_alone"] = max(standings.clears_alone, FLAPPED * (cleared - 1))
        values["rare_sign"] = rare_sign(scene, sign)
        if (used := share(told)) is not None and (used >= 2 if told.bound == "min" else 0.9 <= used < 1):
            values["thin"] = 1.0
        silences = [e for e in _responses(scene, sign.service) if e.kind == "alert.silenced" and _is_about(e, sign)]
        if len(silences) >= SILENCED_OFTEN:
            values["others_came"] = 1.0
    elif sign.kind == "failed":
        # To stop or take back what failed elsewhere is what the other place is for.
        answered = act.kind in STOPPED or scene.undoing.strength
        values["severity"] = SEVERITY["warning" if answered else "info"]
    elif sign.kind == "note":
        values["note"], values["rare_sign"] = 1.0, RARE_SIGN_UNKNOWN
    elif sign.kind == "record":
        values["record"], values["rare_sign"] = 1.0, RARE_SIGN_UNKNOWN
    if sign.kind in ("note", "record"):
        values["sign_names_trouble"] = 1.0 if worries(told) else -0.5
    # Who writes what they are about to do, and does it, answered nothing.
    worried = sign.kind == "record" or (sign.kind == "note" and values["sign_names_trouble"] > 0)
    if worried and people(told) & people(act):
        values["same_person"] = 1.0
    if sign.routine:
        values.raise_to("routine", 1.0)
    values.raise_to("called_harmless", _called_harmless(scene, sign))
    if sign.deadline is not None:
        _near_or_far(sign, sign.deadline, act, values)


def _near_or_far(sign: Sign, deadline: int, act: Event, values: Vector) -> None:
    """How near the moment was at which the danger would have come true."""
    told = sign.first
    left, whole = deadline - act.time, deadline - told.time
    if left < max(DEADLINE_NEAR, DEADLINE_SHARE * whole):
        is_named = act.kind in RENEWING or same_thing(told, act) or shared_words(told, act)
        values["deadline"] = _nearness(left) if is_named else DEADLINE_OF_SOMETHING
    elif left > DEADLINE_FAR:
        values["deadline"] = -1.0


def _how_it_hangs_together(scene: Scene, sign: Sign, values: Vector, details: dict[str, str]) -> None:
    act, undone = scene.act, scene.undoing.change
    # Who asks about a change names it: the comment on a request that is reverted later.
    shared = same_thing(sign.first, act) or (
        undone is not None and sign.kind == "note" and same_thing(sign.first, undone)
    )
    if shared:
        values["same_thing"] = 1.0
    words = len(shared_words(sign.first, act))
    if words:
        values["shared_words"] = 1.0
    elif act.kind in ABOUT_ANYTHING and not shared and sign.kind == "alert" and len(telling(act)) >= SAYS_ENOUGH:
        # It says at length what it is about, and nothing of the alert.
        values["corrective"] = 0.0
    if words >= NAMED_IN_WORDS and "sibling" in values:
        values["sibling"] *= 0.5
    if not sign.production:
        values["outside_production"] = 0.3 if shared or act.kind in STOPPED else 1.0
    if act.kind in FORWARD and not scene.undoing.strength:
        begun = _begun_at(scene)
        if begun is not None:
            values["begun"] = -1.0 if begun < sign.began - MINUTE else 1.0
        elif act.kind == "change.deployed" and act.time - sign.began < FASTEST_RELEASE:
            values["begun"] = -1.0
    if undone is not None:
        values["undone_soon"] = 0.7 * _soon(act.time - undone.time)
        details["undone_soon"] = say_duration(act.time - undone.time)


def _of_change(scene: Scene, common: Vector, undone: Event) -> Option:
    act, values = scene.act, Vector(common)
    details = {"undone_soon": say_duration(act.time - undone.time), "net_rate": f"{10 ** common['net_rate'] - 1:.0f}"}
    values["undone_soon"] = _soon(act.time - undone.time)
    values["rare_sign"] = RARE_SIGN_UNKNOWN
    coincidence(scene, values, details, max(act.time - undone.time, LEAST_GAP), 1)
    _stopping(act, values)
    _agreement(scene, None, values, details)
    pairings = pairing_keys(act, scene.actor, scene.place.service, undone.kind, "")
    _habit(scene, values, pairings, alert=False)
    key = f"{undone.source}\x1f{undone.id}"
    cited = _cited(scene, None)
    return Option("change", key, scene.place.service, undone.time, 0, dict(values), details, cited, pairings)


def _alone(scene: Scene, common: Vector) -> Option:
    """A change that was stopped, or a renewal at the last moment, with nothing else to be seen."""
    act, values = scene.act, Vector(common)
    details = {"net_rate": f"{10 ** common['net_rate'] - 1:.0f}"}
    values["rare_sign"] = RARE_SIGN_UNKNOWN
    coincidence(scene, values, details, LEAST_GAP, 1)
    _stopping(act, values)
    pairings = pairing_keys(act, scene.actor, scene.place.service, "itself", "")
    _habit(scene, values, pairings, alert=False)
    key = f"{act.source}\x1f{act.id}"
    return Option("itself", key, scene.place.service, act.time, 0, dict(values), details, [act], pairings)


def _stopping(act: Event, values: Vector) -> None:
    """What is stopped has always just begun: that the two meet tells half as much as elsewhere."""
    if act.kind in STOPPED and "rare_act" in values:
        values["rare_act"] *= STOPPED_HALF


# -- parts ---------------------------------------------------------------------------------------------------------


def _nearness(left: int) -> float:
    """How much a near deadline says: more on its last day."""
    return DEADLINE_TODAY if left < DAY else 1.0


def _begun_at(scene: Scene) -> int | None:
    """When the work began that took effect with the act, where the source told."""
    act = scene.act
    commit, version = act.labels.get("commit"), version_of(act)
    begun = [
        event.time
        for event in scene.place.changes_before(act)
        if event.kind in ("change.started", "change.merged")
        and act.time - event.time < BEGUN_WITHIN
        and (
            (commit is not None and event.labels.get("commit") == commit)
            or (version is not None and version_of(event) == version)
            or (
                event.kind == "change.started"
                and act.subject is not None
                and event.subject == act.subject
                and act.time - event.time < BEGUN_SAME_SUBJECT
            )
        )
    ]
    if act.began_at is not None:
        begun.append(act.began_at)
    return min(begun, default=None)


def _soon(elapsed: int) -> float:
    """1.0 for an undoing within five minutes, falling with every tenfold of it."""
    return max(0.0, 1 - math.log10(max(elapsed, MINUTE) / (5 * MINUTE)) / UNHURRIED) if elapsed > 0 else 1.0


def _prompted(scene: Scene, undone: Event, values: Vector) -> None:
    """Whether a sign began after the change that the act undoes, and one that is not there every day anyway."""
    near = sum(relation < 2 for relation in scene.reach.values())
    after = [
        by_no_accident(scene, sign, (scene.act.time - undone.time) * near)
        for sign, relation in scene.signs
        if undone.time - MINUTE <= sign.began <= scene.act.time
        and relation < 2
        and ((sign.kind == "alert" and sign.severity >= MILD) or (sign.kind == "note" and relation == 0))
    ]
    values.raise_to("caused", max(after, default=0.0))
    if scene.act.kind == "change.flag_set":
        values.raise_to("unprompted", (1 - values.get("caused", 0.0)) * (1 - _soon(scene.act.time - undone.time)))


def _responses(scene: Scene, service: str) -> list[Event]:
    place = scene.places.get(service)
    return [e for e in place.responses if e.time <= scene.act.time] if place is not None else []


def _called_harmless(scene: Scene, sign: Sign) -> float:
    """Whether a person called the alert harmless; that it was a false one says more than that it needs nothing."""
    if sign.kind not in ("alert", "record"):
        return 0.0
    told = [e for e in _responses(scene, sign.service) if e.time >= sign.began and _answers(e, sign)]
    if any(map(calls_false_alarm, told)):
        return FALSE_ALARM
    return 1.0 if any(map(calls_harmless, told)) else 0.0


def _answers(response: Event, sign: Sign) -> bool:
    """Whether a person's text may be about the sign: a note beside it, or a comment on its own page."""
    if response.kind == "note.added":
        return True
    return response.kind in ("alert.acknowledged", "alert.silenced") and _is_about(response, sign)


def _is_about(response: Event, sign: Sign) -> bool:
    return response.subject is not None and response.subject == sign.first.subject


def _last_response(scene: Scene, sign: Sign) -> int:
    """The last moment at which a person's response showed that the danger stood."""
    if sign.kind != "alert":
        return sign.began
    answered = ("alert.acknowledged", "alert.silenced")
    times = [
        e.time
        for e in _responses(scene, sign.service)
        if e.kind in answered and _is_about(e, sign) and e.time >= sign.began
    ]
    return max(times, default=sign.began)


def _agreement(scene: Scene, sign: Sign | None, values: Vector, details: dict[str, str]) -> None:
    """Other signs on the same services, of another kind, tool or name; what is there every day agrees with anything."""
    mine = {scene.place.service, sign.service if sign is not None else scene.place.service}
    found = {
        (other.kind, other.source, other.name): by_no_accident(scene, other, scene.act.time - other.began)
        for other, _ in scene.signs
        if other is not sign
        and other.service in mine
        and not (other.kind == "alert" and (not other.production or other.severity < MILD))
        and not (sign is not None and other.kind == sign.kind and other.key == sign.key)
    }
    values["agree"] = math.log2(1 + min(sum(found.values()), 7))
    details["agree"] = str(len(found))


def _habit(scene: Scene, values: Vector, pairings: list[str], *, alert: bool) -> None:
    habits = scene.habits_of(scene.place.service)
    exact, wide = (habits.usual(key, scene.act.time) for key in pairings)
    most = MOST_USUAL if alert else MOST_USUAL_UNNAMED
    values["usual_pairing"] = min(most, math.log2(1 + exact + (0.2 * wide if alert else 0.0)) / 2)


def _cited(scene: Scene, sign: Sign | None) -> list[Event]:
    """The events that tell this danger: the sign's own, and what stood beside it on the same services."""
    act = scene.act
    found = list(sign.events) if sign is not None else []
    if scene.undoing.change is not None:
        found.append(scene.undoing.change)
    mine = {scene.place.service, sign.service if sign is not None else scene.place.service}
    for other, relation in scene.signs:
        recent = other.began >= act.time - (OWN_STORY if other.kind == "alert" else STOOD_BESIDE)
        told = other.kind in ("alert", "record", "note") and (other.kind != "alert" or other.severity >= MILD)
        beside = other is not sign and other.service in mine and relation < 2 and other.production
        anchor = sign.first if sign is not None else scene.undoing.change or act
        grave = other.kind == "record" or (other.kind == "alert" and other.severity >= GRAVE)
        beside = beside and (grave or is_one_story(other.first, anchor, act))
        if beside and recent and told and common_sign(scene, other) < COMMON:
            found.append(other.first)
    distinct = {(event.source, event.id): event for event in found if event.event_id != act.event_id}
    return list(distinct.values())[:MOST_CITED]
