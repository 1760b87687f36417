"""Derived facts of one event: what follows from it together with the catalogue and what ran on its service before.

Each fact is a pure function of the event and of what came before it in event time; a fact that cannot be derived is
absent. Last values have a TTL, so a fact that rests on them is derived once, when the event arrives, and stored.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable
from datetime import datetime

from monitor.core.matching.last_values import (
    DELETED,
    TABLES,
    LastValues,
    flag_of,
    flag_value,
    measure_of,
    place_of,
    revision_of,
    thing_of,
    things_key,
)
from monitor.core.model.catalogue import Catalogue
from monitor.core.model.events import Event, Instant, to_instant
from monitor.core.model.hours import is_open, next_opening
from monitor.core.model.retention_policy import RETENTION

_OPPOSITES = frozenset(
    frozenset(pair)
    for pair in (("on", "off"), ("true", "false"), ("enabled", "disabled"), ("yes", "no"), ("1", "0"), ("100", "0"))
)
_DENIED = frozenset({"", "false", "no", "0"})
SCHEDULED_TRIGGERS = frozenset({"schedule", "scheduled", "cron", "timer"})
ROUTINE_LABELS = ("planned", "rolling")
ROUTINE_REASONS = frozenset(
    {"calendar", "freeze", "holiday", "approval", "review", "superseded", "release_train", "train", "rolling"}
    | {"planned", "scheduled", "schedule", "switchover", "maintenance", "upgrade", "rebalance", "drill"}
    | {"prescaling", "daily_peak", "event"}
)
"""What `labels.reason` says of work that answers nothing."""
ISSUED_LABELS = ("not_before", "issued_at")


def _share(event: Event, catalogue: Catalogue, last_values: LastValues) -> object:
    return share(event)


def share(event: Event) -> float | None:
    """How much of the way to danger is used up: 1.0 is at the limit, above it is beyond.

    `max`: value / limit. `min`: limit / value, so that 2 of 6 replicas left gives 3. `expected`: the relative
    distance from what is expected. Without a bound the limit is taken as a ceiling.
    """
    if event.value is None or event.limit is None:
        return None
    if event.bound == "min":
        return event.limit / event.value if event.value > 0 else float("inf")
    if event.limit == 0:
        return None
    if event.bound == "expected":
        return abs(event.value - event.limit) / abs(event.limit)
    return event.value / event.limit


def _headroom(event: Event, catalogue: Catalogue, last_values: LastValues) -> object:
    if event.value is None or event.limit is None:
        return None
    return event.value - event.limit if event.bound == "min" else event.limit - event.value


def _time_left(event: Event, catalogue: Catalogue, last_values: LastValues) -> object:
    return None if event.expires_at is None else event.expires_at - event.time


def _previous_time_left(event: Event, catalogue: Catalogue, last_values: LastValues) -> object:
    return None if event.previous_expires_at is None else event.previous_expires_at - event.time


def actor_kind(event: Event, catalogue: Catalogue) -> str:
    """human, automation or unknown; the catalogue's list of automation wins over the source."""
    if event.actor is None:
        return "unknown"
    if event.actor.id is not None and event.actor.id in catalogue.automation:
        return "automation"
    return event.actor.kind


def _actor(event: Event, catalogue: Catalogue, last_values: LastValues) -> object:
    return actor_kind(event, catalogue)


def _off_rotation(event: Event, catalogue: Catalogue, last_values: LastValues) -> object:
    if event.actor is None or event.actor.on_call is None or actor_kind(event, catalogue) != "human":
        return None
    return not event.actor.on_call


def is_drill(event: Event) -> bool:
    drill = event.labels.get("drill")
    return drill is not None and drill.lower() not in _DENIED


def _drill(event: Event, catalogue: Catalogue, last_values: LastValues) -> object:
    return is_drill(event)


def _off_hours(event: Event, catalogue: Catalogue, last_values: LastValues) -> object:
    known = catalogue.services.get(event.service or "")
    if known is None or known.hours is None:
        return None
    opened = is_open(known.hours, event.time)
    return None if opened is None else not opened


def _opens_at(event: Event, catalogue: Catalogue, last_values: LastValues) -> object:
    return opens_at(event, catalogue)


def opens_at(event: Event, catalogue: Catalogue) -> Instant | None:
    """When the event's service opens next, by its declared hours."""
    known = catalogue.services.get(event.service or "")
    return None if known is None or known.hours is None else next_opening(known.hours, event.time)


def maintenance_scope(event: Event) -> frozenset[str]:
    """The services that announced work lists, or its own service."""
    listed = event.labels.get("scope")
    if listed:
        return frozenset(part.strip() for part in listed.split(",") if part.strip())
    return frozenset({event.service} if event.service is not None else ())


def is_scheduled(event: Event) -> bool:
    """Whether the source says that a timetable, and nobody's decision, brought the event about."""
    if (said := event.labels.get("scheduled")) is not None:
        return said.lower() not in _DENIED
    return event.labels.get("trigger", "").lower() in SCHEDULED_TRIGGERS


def is_routine(event: Event) -> bool:
    """Whether the event says that it answers nothing: by the clock, announced, one instance after the other."""
    labels = event.labels
    if is_scheduled(event):
        return True
    if any((said := labels.get(name)) is not None and said.lower() not in _DENIED for name in ROUTINE_LABELS):
        return True
    said = labels.get("reason")
    return said is not None and said.lower().replace("-", "_").replace(" ", "_") in ROUTINE_REASONS


def _routine(event: Event, catalogue: Catalogue, last_values: LastValues) -> object:
    return is_routine(event)


def _scheduled(event: Event, catalogue: Catalogue, last_values: LastValues) -> object:
    return is_scheduled(event)


def _rollback(event: Event, catalogue: Catalogue, last_values: LastValues) -> object:
    """A version that ran here before comes back while another one runs, or one whose merge reverts another arrives.

    What a timetable deploys is no rollback.
    """
    if event.kind == "change.rolled_back":
        return True
    version = event.labels.get("version")
    if event.kind != "change.deployed" or version is None:
        return None
    if is_scheduled(event):
        return False
    before = last_values.before("version", place_of(event), event.time)
    if all(was != version for _, was in before) and _reverts(event, last_values):
        return True
    return _returns(before, version)


def _reverts(event: Event, last_values: LastValues) -> bool:
    """Whether the commit that is deployed was merged to revert another."""
    commits = {event.labels.get("version"), event.labels.get("commit"), event.labels.get("sha")} - {None}
    return any(last_values.before("reverting", str(commit), event.time) for commit in commits)


def _returns(before: list[tuple[int, str]], now: str) -> bool:
    """Whether something becomes again what it was once, and is not at the moment."""
    return len(before) > 1 and before[-1][1] != now and any(was == now for _, was in before[:-1])


def _flipped_back(event: Event, catalogue: Catalogue, last_values: LastValues) -> object:
    """The flag returns to the setting that it had before its last change."""
    value = flag_value(event)
    if event.kind != "change.flag_set" or value is None:
        return None
    before = last_values.before("setting", flag_of(event), event.time)
    if not before:
        return None
    last = before[-1][1]
    if len(before) == 1:
        # What it was before the first setting that was seen is known only for switches.
        return frozenset({last.lower(), value.lower()}) in _OPPOSITES
    return last != value and before[-2][1] == value


def _put_back(event: Event, catalogue: Catalogue, last_values: LastValues) -> object:
    """A thing returns to an earlier revision, value or digest, or the source says what the change reverts."""
    if not event.kind.startswith("change."):
        return None
    if event.kind == "change.restored" or event.labels.get("reverts"):
        return True
    if event.kind not in ("change.configured", "change.deleted") or event.subject is None:
        return None
    revision = revision_of(event)
    if revision is None:
        return None
    before = last_values.before("revision", thing_of(event), event.time)
    if revision != DELETED and len(before) == 1 and before[0][1] == DELETED:
        return None  # made anew after it was deleted: whether as it was, nobody has seen
    return _returns(before, revision)


def _trend(event: Event, catalogue: Catalogue, last_values: LastValues) -> object:
    """The value against the one before, of the same service and subject, by the side on which the danger lies."""
    if event.value is None or event.subject is None or (event.bound is None and event.limit is None):
        return None
    before = last_values.before("value", measure_of(event), event.time)
    if not before:
        return None
    now, then = _danger(event, event.value), _danger(event, before[-1][1])
    if now is None or then is None:
        return None
    return "same" if now == then else "worse" if now > then else "better"


def _danger(event: Event, value: float) -> float | None:
    if event.bound == "min":
        return -value
    if event.bound == "expected":
        return None if event.limit is None else abs(value - event.limit)
    return value


def _lifetime_left(event: Event, catalogue: Catalogue, last_values: LastValues) -> object:
    """The share of its lifetime that a certificate or credential still had; of a rotation: what was replaced."""
    renewed = event.kind == "change.rotated"
    expires_at = event.previous_expires_at if renewed else event.expires_at
    before = last_values.before("rotation", thing_of(event), event.time)
    if renewed and expires_at is None and before:
        expires_at = Instant(before[-1][1])
    if expires_at is None:
        return None
    issued_at = next((at for at, until in reversed(before) if until == expires_at), None)
    if issued_at is None:
        said = _issued_at(event)
        if not renewed:
            issued_at = said
        elif event.expires_at is not None:
            # What was replaced is taken to have been made to last as long as what replaces it.
            issued_at = expires_at - (event.expires_at - (event.time if said is None else said))
    if issued_at is None or issued_at >= expires_at:
        return None
    return (expires_at - event.time) / (expires_at - issued_at)


def _issued_at(event: Event) -> Instant | None:
    for label in ISSUED_LABELS:
        if (said := event.labels.get(label)) is not None:
            try:
                return to_instant(datetime.fromisoformat(said))
            except ValueError:
                return None
    return None


def _repeats(event: Event, catalogue: Catalogue, last_values: LastValues) -> object:
    """How many drafts of the same service and subject opened in the half year before."""
    if event.subject is None or event.service is None:
        return None
    opened = last_values.drafts.get(things_key(event.service, event.subject), [])
    return float(bisect_left(opened, (event.time,)) - bisect_left(opened, (event.time - RETENTION.repeat,)))


_Derive = Callable[[Event, Catalogue, LastValues], object]
DERIVED: dict[str, _Derive] = {
    "share": _share,
    "headroom": _headroom,
    "time_left": _time_left,
    "previous_time_left": _previous_time_left,
    "rollback": _rollback,
    "flipped_back": _flipped_back,
    "put_back": _put_back,
    "scheduled": _scheduled,
    "routine": _routine,
    "trend": _trend,
    "lifetime_left": _lifetime_left,
    "repeats": _repeats,
    "off_hours": _off_hours,
    "opens_at": _opens_at,
    "actor": _actor,
    "off_rotation": _off_rotation,
    "drill": _drill,
}


FROM_THE_PAST = frozenset[str]().union({"repeats"}, *(table.facts for table in TABLES.values()))
"""Facts that rest on the last_values: asked again later they may be answered otherwise."""

DerivedFacts = dict[str, bool | float | str | None]
"""The facts of `FROM_THE_PAST`, as first derived for an event."""

_NOTHING = Event(id="", source="", time=Instant(0), kind="note.added")


class EventFacts:
    """The derived facts of one event, computed when asked for. `event` may be set to the next one.

    `derived` has the facts from the past that were derived before, and takes those derived now; set it with `event`.
    """

    __slots__ = ("_catalogue", "_last_values", "derived", "event")

    def __init__(self, catalogue: Catalogue, last_values: LastValues, event: Event = _NOTHING) -> None:
        self._catalogue = catalogue
        self._last_values = last_values
        self.event = event
        self.derived: DerivedFacts | None = None

    def of(self, event: Event) -> EventFacts:
        """The facts of another event."""
        return EventFacts(self._catalogue, self._last_values, event)

    def get(self, name: str, /) -> object:
        """Raises KeyError for a fact that does not exist."""
        if name not in FROM_THE_PAST:
            return DERIVED[name](self.event, self._catalogue, self._last_values)
        if self.derived is None:
            self.derived = {}
        if name not in self.derived:
            self.derived[name] = _checked(DERIVED[name](self.event, self._catalogue, self._last_values))
        return self.derived[name]


def _checked(value: object) -> bool | float | str | None:
    assert value is None or isinstance(value, bool | float | str)  # the types in `packs/language/schema.py`
    return value
