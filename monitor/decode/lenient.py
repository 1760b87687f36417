"""Turns a JSON object that says what an event says, but not quite in its form, into an `Event`.

Decides what is merely odd (kept, marked) and what is unreadable (refused). Knows no tool.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping
from typing import Any, cast, get_args

from msgspec.structs import replace

from monitor.core.model.events import KINDS, SEVERITIES, Actor, ActorKind, Bound, Event, Instant
from monitor.core.model.reasons import Mark, Rejected
from monitor.decode.outcome import Unreadable
from monitor.decode.times import read_time

MAX_TEXT = 4096
"""Longest text of a field or label, in characters; what is longer is cut and marked."""

MAX_IDENTIFIER = 255
MAX_LABELS = 128
MAX_LABELS_TEXT = 16_384
"""All labels of an event together, in characters: what is accepted must be readable again after it was written."""

MAX_MARKS_TEXT = 8_192

_EXACT = 2.0**53
_ACTOR_KINDS = frozenset(get_args(ActorKind))
_CHOICES = {"severity": frozenset(SEVERITIES), "bound": frozenset(get_args(Bound))}
_TEXTS = ("service", "environment", "subject", "title", "unit", "url")
_TIMES = ("time", "expires_at", "previous_expires_at", "began_at", "covers_from", "received_at", "stated_time")
_NUMBERS = ("value", "limit")
_REQUIRED = ("id", "source", "time", "kind")
"""The one place where an empty text differs from an absent one: the error says which of the two was found."""
_KNOWN = frozenset(Event.__struct_fields__) - {"resolved_from"}
"""What a sender may say; how its words were resolved is ours to tell."""


def from_mapping(raw: Mapping[str, Any]) -> Event:
    """The event that `raw` describes. Raises Unreadable for a missing or unreadable required field, or a bad time."""
    return _Reader(raw).event()


def without_empty(event: Event) -> Event:
    """The event without its empty texts: `""` means absent."""
    changes: dict[str, Any] = {name: None for name in _TEXTS if getattr(event, name) == ""}
    if "" in event.labels.values():
        changes["labels"] = {name: text for name, text in event.labels.items() if text}
    if event.actor is not None and event.actor.id == "":
        changes["actor"] = replace(event.actor, id=None)
    if "" in event.marks:
        changes["marks"] = tuple(filter(None, event.marks))
    return replace(event, **changes) if changes else event


def clip(text: str, limit: int = MAX_TEXT) -> str:
    """`text`, cut to `limit` characters with an ellipsis where it is longer."""
    return text if len(text) <= limit else text[: limit - 1] + "…"


def clip_identifier(text: str) -> str:
    """`text` where it is short enough, else its beginning and a hash of the whole, so that it still identifies."""
    if len(text) <= MAX_IDENTIFIER:
        return text
    return text[: MAX_IDENTIFIER - 33] + "~" + hashlib.sha256(text.encode()).hexdigest()[:32]


def as_text(value: Any) -> str:
    """A JSON value as label text: text as it is, everything else as compact JSON."""
    if isinstance(value, str):
        return value
    if isinstance(value, float) and value.is_integer() and abs(value) < _EXACT:
        return str(int(value))
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


class Labels:
    """Labels within their bounds; `truncated` says that something had to be cut or left out."""

    def __init__(self) -> None:
        self.kept: dict[str, str] = {}
        self.truncated = False
        self._room = MAX_LABELS_TEXT

    def put(self, name: str, value: str) -> None:
        """Keep a label, unless one of its name is there already."""
        cut_name, cut_value = clip(name), clip(value)
        self.truncated |= len(cut_name) < len(name) or len(cut_value) < len(value)
        if cut_name in self.kept:
            return
        if len(self.kept) == MAX_LABELS or len(cut_name) + len(cut_value) > self._room:
            self.truncated = True
            return
        self._room -= len(cut_name) + len(cut_value)
        self.kept[cut_name] = cut_value


class _Reader:
    """Reads one object; collects labels and marks on the way."""

    def __init__(self, raw: Mapping[str, Any]) -> None:
        self._raw = {name: value for name, value in raw.items() if value != "" or name in _REQUIRED}
        self._labels = Labels()
        self._marks: dict[str, None] = {}

    def event(self) -> Event:
        raw = self._raw
        self._read_labels()
        for name, value in raw.items():
            if name not in _KNOWN:
                self._label(name, value)
        for name in _REQUIRED:
            self._required(name)
        kind = raw["kind"]
        if not isinstance(kind, str) or kind not in KINDS:
            raise Unreadable(Rejected.UNKNOWN_KIND, f"kind: {_shown(kind)} is none of the known kinds; {_near(kind)}")
        fields: dict[str, Any] = {"id": self._identifier("id"), "source": self._identifier("source"), "kind": kind}
        fields |= {name: self._text(name) for name in _TEXTS}
        fields |= {name: self._time(name, raw[name]) for name in _TIMES if raw.get(name) is not None}
        fields |= {name: self._number(name) for name in _NUMBERS}
        fields |= {name: self._choice(name, allowed) for name, allowed in _CHOICES.items()}
        fields["actor"] = self._actor()
        if self._labels.truncated:
            self._mark(Mark.TEXT_TRUNCATED)
        return Event(**fields, labels=self._labels.kept, marks=self._all_marks())

    def _all_marks(self) -> tuple[str, ...]:
        given = self._raw.get("marks")
        if isinstance(given, list):
            own: dict[str, None] = {}
            room = MAX_MARKS_TEXT
            for mark in given:
                if isinstance(mark, str) and mark and (room := room - len(mark) - 1) >= 0:
                    own[mark] = None
            return tuple(own | self._marks)
        if given is not None:
            self._odd("marks", given)
        return tuple(self._marks)

    def _mark(self, mark: Mark) -> None:
        self._marks[str(mark)] = None

    def _odd(self, name: str, value: Any) -> None:
        self._label(name, value)
        self._mark(Mark.FIELD_AS_LABEL)

    def _clip(self, text: str) -> str:
        if len(text) > MAX_TEXT:
            self._mark(Mark.TEXT_TRUNCATED)
        return clip(text)

    def _label(self, name: str, value: Any) -> None:
        if value is None or value == "":
            return
        if isinstance(value, int | float) and not isinstance(value, bool) and not -_EXACT < value < _EXACT:
            self._mark(Mark.NUMBER_INEXACT)
        self._labels.put(name, as_text(value))

    def _read_labels(self) -> None:
        given = self._raw.get("labels")
        if given is None:
            return
        if not isinstance(given, dict):
            self._odd("labels", given)
            return
        for name, value in given.items():
            self._label(name, value)

    def _required(self, name: str) -> Any:
        value = self._raw.get(name)
        if value is None or value == "":
            state = "is missing" if name not in self._raw else "is empty"
            raise Unreadable(Rejected.MISSING_FIELD, f"{name} {state}; required are id, source, time and kind")
        return value

    def _identifier(self, name: str) -> str:
        value = self._required(name)
        if isinstance(value, bool) or not isinstance(value, str | int):
            raise Unreadable(Rejected.BAD_FIELD, f"{name}: found {_shown(value)}; expected a text")
        text = clip_identifier(str(value))
        if text != str(value):
            self._mark(Mark.TEXT_TRUNCATED)
        return text

    def _time(self, name: str, value: Any) -> Instant:
        instant, marks = read_time(value, name)
        for mark in marks:
            self._mark(mark)
        return instant

    def _text(self, name: str) -> str | None:
        value = self._raw.get(name)
        if value is None or isinstance(value, str):
            return value if value is None else self._clip(value)
        if isinstance(value, int | float) and not isinstance(value, bool):
            return self._clip(as_text(value))
        self._odd(name, value)
        return None

    def _choice(self, name: str, allowed: frozenset[str]) -> Any:
        value = self._raw.get(name)
        if value is None:
            return None
        if isinstance(value, str):
            if value in allowed:
                return value
            if value.strip().lower() in allowed:
                return value.strip().lower()
        self._odd(name, value)
        return None

    def _number(self, name: str) -> float | None:
        value = self._raw.get(name)
        if value is None:
            return None
        try:
            number = math.nan if isinstance(value, bool) else float(value)
        except (TypeError, ValueError):
            number = math.nan
        except OverflowError:
            number = math.inf
        if not -_EXACT < number < _EXACT and not math.isnan(number):
            self._mark(Mark.NUMBER_INEXACT)
        if math.isfinite(number):
            return number
        self._odd(name, value)
        return None

    def _actor(self) -> Actor | None:
        given = self._raw.get("actor")
        if given is None:
            return None
        if isinstance(given, str):
            return Actor(id=self._clip(given))
        if not isinstance(given, dict):
            self._odd("actor", given)
            return None
        given = {name: value for name, value in given.items() if value != ""}
        for name, value in given.items():
            if name not in Actor.__struct_fields__:
                self._label(f"actor.{name}", value)
        identity = given.get("id")
        if identity is not None and (isinstance(identity, bool) or not isinstance(identity, str | int)):
            self._odd("actor.id", identity)
            identity = None
        kind = given.get("kind")
        if kind is not None and not (isinstance(kind, str) and kind in _ACTOR_KINDS):
            self._odd("actor.kind", kind)
            kind = None
        on_call = given.get("on_call")
        if on_call is not None and not isinstance(on_call, bool):
            self._odd("actor.on_call", on_call)
            on_call = None
        return Actor(
            id=None if identity is None else self._clip(str(identity)),
            kind=cast(ActorKind, kind or "unknown"),
            on_call=on_call,
        )


def _shown(value: Any) -> str:
    return clip(as_text(value), 80)


def _near(kind: Any) -> str:
    family = str(kind).partition(".")[0]
    of_family = sorted(known for known in KINDS if known.startswith(f"{family}."))
    if of_family:
        return "of this family there are " + ", ".join(of_family)
    return "families are " + ", ".join(sorted({known.partition(".")[0] for known in KINDS}))
