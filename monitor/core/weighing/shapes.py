"""The kinds of story that the net finds by itself: each names a draft, holds a window, measures a margin and asks.

A rule that recognises the same act names the draft before a shape does.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from monitor.core.matching.matcher import CompiledRule
from monitor.core.model.events import HOUR, MINUTE
from monitor.core.model.near_miss import Family, Mode
from monitor.core.model.rule import Impact, Intervention, MarginSpec, Rule, Step
from monitor.core.weighing.acts import DONE, SLOW_HARM, STOPPED
from monitor.core.weighing.option import Caught, Option

HOLD = 2 * HOUR
SLOW_HOLD = 24 * HOUR
SETTLE = 30 * MINUTE
_SIGNS = frozenset({"alert.fired", "note.added", "incident.opened", "change.failed", *DONE, *STOPPED})
_ACTS = DONE | STOPPED | {"change.merged"}
_VERSION = "1"


def _shape(
    name: str,
    title: str,
    family: Family,
    ask: tuple[str, ...],
    *,
    margin: Literal["elapsed", "deadline"] = "elapsed",
    mode: Mode = "live",
) -> Rule:
    return Rule(
        name=name,
        title=title,
        family=family,
        hazard=Step(_SIGNS, environment="any"),
        intervention=Intervention(Step(_ACTS, environment="any"), within=14 * 24 * HOUR),
        version=_VERSION,
        mode=mode,
        generic=True,
        correlate=("service",),
        settle=SETTLE,
        impact=Impact(hold=HOLD, hold_through="expires_at"),
        margin=MarginSpec(margin),
        ask=ask,
    )


ALERT = _shape(
    "alert-ended-by-act",
    "{what} – {elapsed} in – {intervention.kind_words} by {intervention.who}",
    "margin",
    (
        "What did you see first, and what tipped you off?",
        "How did you know that this would work?",
        "What would have happened if nobody had looked, and how much later?",
    ),
)
UNDONE = _shape(
    "change-undone",
    "{what} – undone after {elapsed} – {intervention.kind_words} by {intervention.who}",
    "oops",
    (
        "How did you know that the change had to be undone?",
        "Which check could have caught it before users?",
        "How far had the change spread when it was undone?",
    ),
)
STOPPED_CHANGE = _shape(
    "change-stopped",
    "{service}: {intervention.title} – before it took effect – {intervention.kind_words} by {intervention.who}",
    "oops",
    (
        "What would the change have done?",
        "What made you stop it, and would the next person have stopped it too?",
    ),
)
NOTE = _shape(
    "note-acted-on",
    "{what} – {elapsed} after the note – {intervention.kind_words} by {intervention.who}",
    "thats_weird",
    (
        "What was odd about it?",
        "Would anything else have shown it?",
        "How long could it have gone unnoticed?",
    ),
)
RECORD = _shape(
    "record-ended-by-act",
    "{what} – {elapsed} into the incident – {intervention.kind_words} by {intervention.who}",
    "mind_the_gap",
    (
        "What kept users from noticing?",
        "What would have made it worse?",
        "What did you have to improvise?",
    ),
)
DEADLINE = _shape(
    "deadline-met",
    "{what} – {margin} – {intervention.kind_words} by {intervention.who}",
    "margin",
    (
        "Who or what noticed the deadline?",
        "What would have happened when it passed?",
    ),
    margin="deadline",
)
AUTOMATION = _shape(
    "automation-rescued",
    "{what} – {elapsed} in – {intervention.kind_words} by automation",
    "automation",
    ("Would you have noticed without the automation?", "How often can it do this before it runs out of headroom?"),
    mode="digest",
)

SHAPES: dict[str, Rule] = {
    shape.name: shape for shape in (ALERT, UNDONE, STOPPED_CHANGE, NOTE, RECORD, DEADLINE, AUTOMATION)
}


def shape_of(caught: Caught, option: Option, actor: str) -> Rule:
    """Which kind of story an act and a sign tell."""
    act = caught.act
    if act.kind in STOPPED:
        return STOPPED_CHANGE
    if actor == "automation":
        return AUTOMATION
    if act.previous_expires_at is not None or (option.values.get("deadline", 0) > 0 and act.kind == "change.rotated"):
        return DEADLINE
    if option.kind == "change" or caught.undone is not None:
        return UNDONE
    if option.kind == "note":
        return NOTE
    return RECORD if option.kind == "record" else ALERT


def hold_of(caught: Caught) -> int:
    """How long after safe harm may still show (microseconds).

    A recovered alert says that its danger is over, by any kind of act. Where no alert said so, what was done
    or undone decides.
    """
    if caught.options[0].kind == "alert":
        return HOLD
    changes = (caught.act, caught.undone)
    return SLOW_HOLD if any(change is not None and change.kind in SLOW_HARM for change in changes) else HOLD


def rule_named(name: str, rules: Mapping[str, CompiledRule]) -> Rule:
    """A rule of the pack, or a shape, by its name."""
    shape = SHAPES.get(name)
    return rules[name].rule if shape is None else shape
