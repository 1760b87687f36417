"""Which fields a condition may name, what type each has, and the nearest one to a misspelt name.

The one list that the grammar, the linter and the reference page share.
"""

from __future__ import annotations

from typing import Literal

from monitor.core.model.conditions import EVENT_FIELDS, TIME_FIELDS
from monitor.core.model.events import KINDS, SEVERITIES
from monitor.packs.problems import nearest

FieldType = Literal["text", "number", "time", "duration", "truth"]

DERIVED: dict[str, tuple[FieldType, str]] = {
    "share": ("number", "`value` toward the danger at `limit`, which is 1: 0.9 of a ceiling, 1.5 for 2 of 3 replicas"),
    "headroom": ("number", "what is left between `value` and `limit`, in the event's unit"),
    "time_left": ("duration", "`expires_at` less the time of the event; negative after it"),
    "previous_time_left": ("duration", "of a rotation: how long the replaced deadline still had; negative after it"),
    "lifetime_left": (
        "number",
        (
            "the share of its lifetime that a certificate or credential still has, 1 when it is new and 0 at its end; "
            "of a rotation, what the replaced one still had. Told by `labels.not_before` or `labels.issued_at`, by the "
            "rotation before, or, of a rotation, by how long the new one lasts"
        ),
    ),
    "trend": (
        "text",
        (
            "`worse`, `better` or `same`: `value` against the one before, of the same service, environment, subject "
            "and unit, by the side on which `bound` or `limit` says the danger lies"
        ),
    ),
    "rollback": (
        "truth",
        "a rollback, or a deployment of a version that had run there before, unless a timetable brought it about",
    ),
    "flipped_back": ("truth", "a flag set back to what it was"),
    "put_back": (
        "truth",
        (
            "a change that says what it reverts (`labels.reverts`), a restoration, or a configuration or deletion that "
            "returns its subject to an earlier revision, digest or value"
        ),
    ),
    "scheduled": (
        "truth",
        "a timetable brought it about: `labels.scheduled`, or `labels.trigger` is `schedule`, `cron` or `timer`",
    ),
    "repeats": (
        "number",
        "how many drafts with the same service and subject opened within 180 days before the event",
    ),
    "off_hours": ("truth", "outside the declared hours of the service"),
    "opens_at": ("time", "when the service opens next, by its declared hours"),
    "actor": ("text", "human, automation or unknown, with the catalogue's list of automation applied"),
    "off_rotation": ("truth", "a person who was not on call"),
    "drill": ("truth", "an exercise, an experiment or a load test"),
}
"""Facts that the engine derives for an event: type and meaning (`monitor.core.matching.facts` computes them)."""

WORDS: dict[str, tuple[str, ...]] = {
    "severity": SEVERITIES,
    "bound": ("max", "min", "expected"),
    "actor.kind": ("human", "automation", "unknown"),
    "derived.actor": ("human", "automation", "unknown"),
    "derived.trend": ("worse", "better", "same"),
    "kind": tuple(sorted(KINDS)),
}
"""Fields that hold one of a few words."""

_NUMBERS = frozenset({"value", "limit"})
ORDERED: frozenset[FieldType] = frozenset({"number", "time", "duration"})


def type_of(field: str) -> FieldType | None:
    """The type of a field, or None for a name that no event can have."""
    if field.startswith("labels."):
        return "text" if len(field) > len("labels.") else None
    if field.startswith("derived."):
        known = DERIVED.get(field.removeprefix("derived."))
        return known[0] if known else None
    if field not in EVENT_FIELDS:
        return None
    if field in TIME_FIELDS:
        return "time"
    if field in _NUMBERS:
        return "number"
    return "truth" if field == "actor.on_call" else "text"


def known_fields() -> frozenset[str]:
    """Every field that has a name of its own (labels are open)."""
    return EVENT_FIELDS | {f"derived.{name}" for name in DERIVED}


def time_fields() -> frozenset[str]:
    """Every field that is a time."""
    return frozenset(field for field in known_fields() if type_of(field) == "time")


def nearest_field(word: str) -> str:
    """The known field that looks most like this word, also like its own last word; empty where none does."""
    if word == "actor":
        return "derived.actor"
    tails: dict[str, str] = {}
    for name in sorted(known_fields()):
        tails.setdefault(name.rpartition(".")[2], name)
    return nearest(word, known_fields()) or tails.get(nearest(word.rpartition(".")[2], tails), "")


def suggest(field: str) -> str:
    """What may have been meant: the nearest known field, else how to name a label."""
    if close := nearest_field(field):
        return f"{close!r} (did you mean that?)"
    label = field if field and "." not in field else "NAME"
    return f"'labels.{label}' for what only this source sends"
