"""What someone did, and which earlier change it undoes: a candidate is anchored at a corrective act.

The earlier changes come in as a value; times in microseconds.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

import msgspec

from monitor.core.model.events import DAY, HOUR, MINUTE, Event
from monitor.core.weighing.plain_words import people, says_revert, stem

DONE = frozenset(
    f"change.{verb}"
    for verb in (
        "deployed",
        "rolled_back",
        "configured",
        "flag_set",
        "scaled",
        "restarted",
        "failed_over",
        "deleted",
        "restored",
        "rotated",
        "ran",
    )
)
"""Changes that took effect on the running system."""
STOPPED = frozenset({"change.held", "change.blocked"})
HABITUAL = frozenset({"change.scaled", "change.restarted", "change.ran"})
RESCUING = frozenset({"change.failed_over", "change.rolled_back", "change.restored", *STOPPED})
"""What automation does by habit, and what it does to end a danger."""
CORRECTIVE = frozenset(
    f"change.{verb}" for verb in ("restarted", "failed_over", "scaled", "ran", "configured", "deleted", "rotated")
)
"""What people do to put something right, more often than they release with it."""
FORWARD = frozenset({"change.deployed", "change.flag_set", "change.configured"})
"""What people mostly do to bring something new."""
SLOW_HARM = frozenset({"change.rotated", "change.deleted", "change.ran"})
"""Whose harm may show hours later: a credential in a cache, a deleted thing at its next use, a job at its next run."""

UNDONE_WITHIN = 7 * DAY
RAN_WITHIN = 90 * DAY
"""A version that ran so long ago may come back: what is seldom released goes back to a release of months ago."""
STOPPED_AFTER = DAY
PUT_BACK_WITHIN = 2 * HOUR
SLIP_WITHIN = 15 * MINUTE
"""Something done at the wrong place is undone so soon."""
VERSIONS_BEFORE = 6
FLAG_STATES = ("state", "enabled", "value", "to")
"""Labels in which tools say how a flag was set, the plainest first."""

_CHANGE_OF_VALUE = re.compile(r"(?<![\w.])(\d[\w.%]*) ?(?:to|->|=>|→) ?(\d[\w.%]*)")
_SWITCHED = re.compile(
    r"(?:\bturned |\bswitched |\bset to |-> ?|→ ?|=> ?|\()(on|off|enabled|disabled)\b", re.IGNORECASE
)
"""How a title says it, where no label does."""
_NUMBER = re.compile(r"[0-9]+(\.[0-9]+)?")


class Undoing(msgspec.Struct, frozen=True):
    """`strength`: 1.0 for a reversal in effect, less for one only merged; `change`: what it undoes, if known."""

    strength: float = 0.0
    change: Event | None = None


NOTHING_UNDONE = Undoing()


def is_act(event: Event) -> bool:
    """Whether a candidate may be anchored at the event: done, stopped, or a merge that reverts."""
    return event.kind in DONE or event.kind in STOPPED or (event.kind == "change.merged" and says_revert(event))


def undoing(act: Event, before: Sequence[Event]) -> Undoing:
    """What an act undoes among the earlier changes of its service, in time order."""
    since = act.time - UNDONE_WITHIN
    earlier = [
        e for e in before if e.time >= since and (e.kind in DONE or e.kind in ("change.started", "change.merged"))
    ]
    same = [e for e in earlier if act.subject is not None and e.subject == act.subject]
    if act.kind in ("change.rolled_back", "change.restored") or says_revert(act):
        strength = 0.4 if act.kind == "change.merged" else 1.0
        return Undoing(strength, _reverted(act, earlier, same))
    if act.kind == "change.deployed":
        back = _version_back(act, before)
        return back if back.strength else _revert_shipped(act, earlier)
    if act.kind == "change.flag_set":
        return _flag_back(act, earlier)
    if act.kind in ("change.scaled", "change.configured"):
        back = _put_back(act, same)
        return back if back.change is not None else _corrected(act, same)
    if act.kind in STOPPED:
        stopped = [
            e
            for e in before
            if act.subject is not None
            and e.subject == act.subject
            and act.time - e.time <= STOPPED_AFTER
            and (e.kind in DONE or e.kind in ("change.started", "change.failed", "change.blocked"))
        ]
        return Undoing(0.0, stopped[-1] if stopped else None)
    return NOTHING_UNDONE


def _reverted(act: Event, earlier: Sequence[Event], same: Sequence[Event]) -> Event | None:
    named = act.labels.get("reverts")
    if named:
        for event in reversed(earlier):
            labels = event.labels
            if named in (event.subject, labels.get("revision"), labels.get("commit"), labels.get("version")):
                return event
            if event.kind == "change.merged" and (event.subject or "").endswith(f"/{named}"):
                return event  # A request is undone by its number, as the button Revert writes.
    done = [e for e in same if e.kind in DONE and (e.kind != act.kind or e.kind == "change.configured")]
    if not done and act.kind != "change.merged":
        undone = ("change.rolled_back", "change.restored", "change.restarted", "change.failed_over")
        done = [e for e in earlier if e.kind in DONE and e.kind not in undone and e.kind != act.kind]
        # What automation scaled and ran beside it is not what was released.
        done = [e for e in done if e.kind in FORWARD or e.actor is None or e.actor.kind != "automation"]
    return done[-1] if done else None


_DOTTED = re.compile(r"(?P<head>[a-z-]*)(?P<numbers>\d{1,9}(?:\.\d{1,9}){1,3})", re.IGNORECASE)
LOWER_VERSION = 0.8
"""That a lower version goes out where nobody saw it run before says nearly as much as one that comes back."""


def version_of(event: Event) -> str | None:
    return event.labels.get("version") or event.labels.get("commit")


def _version_back(act: Event, before: Sequence[Event]) -> Undoing:
    """A version that ran here comes back while another one runs that went out lately."""
    version = version_of(act)
    if version is None:
        return NOTHING_UNDONE
    runs: list[tuple[str, Event]] = []
    for event in _released_here(act, before):
        found = version_of(event)
        if found is not None and (not runs or runs[-1][0] != found):
            runs.append((found, event))
    recent = [found for found, _ in runs[-VERSIONS_BEFORE:-1]]
    if runs and runs[-1][0] != version and version in recent and act.time - runs[-1][1].time <= UNDONE_WITHIN:
        return Undoing(1.0, runs[-1][1])
    if runs and act.time - runs[-1][1].time <= UNDONE_WITHIN and _is_lower(version, runs[-1][0]):
        return Undoing(LOWER_VERSION, runs[-1][1])
    return NOTHING_UNDONE


def _is_lower(version: str, running: str) -> bool:
    """Whether a version is the lower one by its numbers, as 2.9.1 is lower than 2.10.0; only of the same form."""
    told = [_DOTTED.fullmatch(each) for each in (version, running)]
    if None in told or told[0] is None or told[1] is None or told[0]["head"] != told[1]["head"]:
        return False
    numbers = [[int(part) for part in found["numbers"].split(".")] for found in told if found is not None]
    return len(numbers[0]) == len(numbers[1]) and numbers[0] < numbers[1]


def _released_here(act: Event, before: Sequence[Event]) -> list[Event]:
    """The earlier deployments of what an act deploys, in its environment.

    Many tools call each run by a number of its own: where no subject ever came again, subjects tell nothing apart.
    """
    here = [e for e in before if e.kind == "change.deployed" and e.environment == act.environment]
    subjects = {e.subject for e in (*here, act)}
    if len(here) > 1 and len(subjects) > len(here):
        return here
    return [e for e in here if e.subject == act.subject]


def _revert_shipped(act: Event, earlier: Sequence[Event]) -> Undoing:
    """The commit that is deployed was merged to revert another: with it the revert takes effect."""
    version = version_of(act)
    merged = [e for e in earlier if e.kind == "change.merged" and version is not None and version_of(e) == version]
    if not any(says_revert(merge) for merge in merged):
        return NOTHING_UNDONE
    done = [e for e in _released_here(act, earlier) if version_of(e) != version]
    return Undoing(1.0, done[-1] if done else None)


def flag_share(event: Event) -> float | None:
    """For whom a flag is on, in percent; None where the event does not say."""
    state = next((event.labels[label] for label in FLAG_STATES if event.labels.get(label)), "").lower()
    if not state and event.value is not None:
        state = f"{event.value:g}"
    if not state and (said := _SWITCHED.search(event.title or "")) is not None:
        state = said[1].lower()
    percent = event.labels.get("percent")
    text = percent if percent and state not in ("off", "false", "disabled") else state
    if text in ("off", "false", "disabled"):
        return 0.0
    if text in ("on", "true", "enabled"):
        return 100.0
    return float(text) if _NUMBER.fullmatch(text) else None


def _flag_back(act: Event, earlier: Sequence[Event]) -> Undoing:
    """The flag goes back: off, or to the share of users that it had before."""
    name = act.labels.get("flag") or act.subject
    history = [e for e in earlier if e.kind == "change.flag_set" and (e.labels.get("flag") or e.subject) == name]
    share = flag_share(act)
    if not history or share is None:
        return NOTHING_UNDONE
    last = flag_share(history[-1])
    if last is None or share >= last:
        return NOTHING_UNDONE
    if share == 0 or (len(history) > 1 and flag_share(history[-2]) == share):
        return Undoing(1.0, history[-1])
    return NOTHING_UNDONE


def _corrected(act: Event, same: Sequence[Event]) -> Undoing:
    """Who set it sets it again within minutes: what it was before nobody told, so that it may have been put back."""
    done = [change for change in same if change.kind in DONE]  # what began was not undone by its own end
    if done and is_slip(done[-1], act):
        return Undoing(0.0, done[-1])
    return NOTHING_UNDONE


def is_slip(change: Event, act: Event) -> bool:
    """Whether the same actor undid a change, or set it again, within minutes."""
    return 0 <= act.time - change.time <= SLIP_WITHIN and same_actor(change, act)


def same_actor(one: Event, other: Event) -> bool:
    """One person, or nobody knows who, by one tool; never automation."""
    if people(one) or people(other):
        return bool(people(one) & people(other))
    machine = any(event.actor is not None and event.actor.kind == "automation" for event in (one, other))
    return one.source == other.source and not machine


def same_order(one: Event, other: Event) -> bool:
    """Whether two changes ask for the same: one kind, and one value or the same words."""
    if one.kind != other.kind:
        return False
    asked = [_asked(event) for event in (one, other)]
    if None not in asked:
        return asked[0] == asked[1]
    words, others = (stem(event.title or "", event.service or "") for event in (one, other))
    return bool(words) and words == others and one.subject == other.subject


def _asked(event: Event) -> str | None:
    if event.value is not None:
        return f"{event.value:g}"
    return next((event.labels[label] for label in ("to", *FLAG_STATES, "replicas") if event.labels.get(label)), None)


def _put_back(act: Event, same: Sequence[Event]) -> Undoing:
    """The same setting gets the value back that it had before, soon after."""
    if not same:
        return NOTHING_UNDONE
    last = same[-1]
    if last.kind != act.kind or act.time - last.time > PUT_BACK_WITHIN:
        return NOTHING_UNDONE
    was, became = _from_to(last)
    since, now = _from_to(act)
    if was is not None and was == now and was != became and since in (None, became):
        return Undoing(1.0, last)
    values = [_from_to(e)[1] for e in same[-2:]]
    if now is not None and len(values) > 1 and values[-2] == now != values[-1]:
        return Undoing(1.0, last)
    return NOTHING_UNDONE


def _from_to(event: Event) -> tuple[str | None, str | None]:
    """What a setting was and became, as labels or the title say ("cache size 875 to 155")."""
    labels = event.labels
    was, became = labels.get("from") or labels.get("previous"), _asked(event)
    if (said := _CHANGE_OF_VALUE.search(event.title or "")) is not None:
        was, became = was or said[1], became or said[2]
    return was, became
