"""Which fields a condition may name, what type each has, and the nearest one to a misspelt name.

The one list that the grammar, the linter and the reference page share.
"""

from __future__ import annotations

from typing import Literal

from monitor.core.model.conditions import EVENT_FIELDS, TIME_FIELDS
from monitor.core.model.events import KINDS, SEVERITIES
from monitor.located.problems import nearest

FieldType = Literal["text", "number", "time", "duration", "truth"]

DERIVED: dict[str, tuple[FieldType, str]] = {
    "share": ("number", "how close `value` is to the danger at `limit` (1): 0.9 of a ceiling, 1.5 for 2 of 3 replicas"),
    "headroom": ("number", "distance from `value` to `limit`, in the event's unit"),
    "time_left": ("duration", "`expires_at` minus the time of the event; negative after it"),
    "previous_time_left": ("duration", "of a rotation: time left to the replaced deadline; negative after it"),
    "lifetime_left": (
        "number",
        (
            "share of lifetime left of a certificate or credential, from 1 (new) to 0 (expired); of a rotation, of the "
            "replaced one. Taken from `labels.not_before` or `labels.issued_at`, the previous rotation, or the "
            "lifetime of the new one"
        ),
    ),
    "trend": (
        "text",
        (
            "`worse`, `better` or `same`: `value` against the previous one of the same service, environment, subject "
            "and unit; `bound` or `limit` gives the dangerous side"
        ),
    ),
    "rollback": (
        "truth",
        "a rollback, or a deployment of an earlier version, unless scheduled",
    ),
    "flipped_back": ("truth", "a flag set back to its earlier value"),
    "put_back": (
        "truth",
        (
            "a change with `labels.reverts`, a restore, or a configuration or deletion that returns its subject to an "
            "earlier revision, digest or value"
        ),
    ),
    "scheduled": (
        "truth",
        "`labels.scheduled`, or `labels.trigger` is `schedule`, `cron` or `timer`",
    ),
    "routine": (
        "truth",
        (
            "no answer to anything: scheduled; or `labels.planned` or `labels.rolling`; or `labels.reason` is one of "
            "`calendar`, `freeze`, `holiday`, `approval`, `review`, `superseded`, `release_train`, `rolling`, "
            "`switchover`, `maintenance`, `upgrade`, `rebalance`, `prescaling`, `daily_peak`, `event`"
        ),
    ),
    "repeats": (
        "number",
        "drafts with the same service and subject in the 180 days before",
    ),
    "off_hours": ("truth", "outside the service's hours"),
    "opens_at": ("time", "when the service opens next"),
    "actor": ("text", "`human`, `automation` or `unknown`, after the catalogue's `automation` list"),
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


SENDERS_LABELS = frozenset(
    (
        *("advisory", "alert_rule", "alertname", "approved", "at_ceiling", "bound_for", "breaker", "burn"),
        *("call", "caused_by", "change", "change_type", "check", "commit", "dependency", "deployment"),
        *("deviation", "direction", "drill", "effect", "enabled", "event_type", "evidence", "experiment", "fallback"),
        *("flag", "guard", "impact", "incident", "intended_target", "kube_context", "last_gate", "mechanism"),
        *("mountpoint", "object_kind", "operation", "peers", "persistentvolumeclaim", "planned", "purpose"),
        *("reason", "ref", "repeat_of", "report", "requested_context", "resolution", "resource", "reverts"),
        *("revision", "role", "rolling", "runbook", "runbook_url", "scheduled", "scope", "secret"),
        *("secret_type", "signal", "slo", "sloth_slo", "stage", "state", "status", "target", "temporary"),
        *("text", "traffic_share", "trigger", "value", "variation", "verb", "version"),
    )
)
"""Labels that the event format defines, for senders of canonical events."""


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
