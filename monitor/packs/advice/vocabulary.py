"""What each tool really sends, kind by kind: fields, labels, and the words of fields that hold one of a few.

Read from `vocabulary.json`, which `make docs` writes by running the bodies of every tool through its decoder.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import lru_cache
from pathlib import Path

import msgspec

from monitor.core.model.events import Event

FILE = Path(__file__).resolve().parent / "vocabulary.json"
CLOSED = ("bound", "actor.kind", "actor.on_call")
"""Fields whose few words a decoder chooses itself: another word is never sent."""
FIELDS = (
    *("service", "environment", "subject", "severity", "title", "value", "limit", "unit", "bound"),
    *("expires_at", "previous_expires_at", "began_at", "covers_from", "url"),
)
ALWAYS = frozenset({"id", "source", "time", "kind", "received_at"})
"""Every event has these."""
OPEN = frozenset({"canonical", "cloudevents", "events"})
"""Formats of our own: what they carry is whatever the organisation writes, so that they prove nothing."""

Said = dict[str, list[str]]
"""Field or `labels.NAME` → the words seen, of a field of `CLOSED`; of any other an empty list."""


class Sends(msgspec.Struct, frozen=True):
    """What one tool sends. `kinds` it declares; `shown` is what a body of it gave, by kind; `open`: it passes on any
    label that an organisation gives its alerts.
    """

    kinds: tuple[str, ...]
    shown: dict[str, Said]
    open: bool = False

    def sends(self, kind: str) -> Said | None:
        """What it says with this kind. Of a kind that no body shows, whatever it says with any; None: not its kind."""
        if kind in self.shown:
            return self.shown[kind]
        if kind not in self.kinds:
            return None
        anything: Said = {}
        for said in self.shown.values():
            for field, words in said.items():
                anything.setdefault(field, []).extend(words)
        return anything


class Vocabulary(msgspec.Struct, frozen=True):
    """Every tool by name."""

    tools: dict[str, Sends]

    def with_tools(self, more: Mapping[str, Sends]) -> Vocabulary:
        return Vocabulary({**self.tools, **more})

    def kinds(self) -> frozenset[str]:
        """Kinds that some tool sends."""
        return frozenset(kind for tool in self.tools.values() for kind in (*tool.kinds, *tool.shown))

    def senders(self, kind: str, field: str) -> tuple[str, ...]:
        """The tools of which a body shows this field with this kind, in the order of the alphabet."""
        return tuple(sorted(name for name, tool in self.tools.items() if field in tool.shown.get(kind, {})))


@lru_cache(maxsize=1)
def shipped_vocabulary() -> Vocabulary:
    """What comes with the program. Raises msgspec.DecodeError where the file is damaged."""
    return msgspec.json.decode(FILE.read_bytes(), type=Vocabulary)


def said_by(events: Iterable[Event]) -> dict[str, Said]:
    """Fields and labels of events by kind, in the order of the alphabet."""
    found: dict[str, dict[str, set[str]]] = {}
    for event in events:
        of_kind = found.setdefault(event.kind, {})
        for field, value in _fields(event):
            of_kind.setdefault(field, set()).update([str(value)] if field in CLOSED else [])
    return {
        kind: {field: sorted(words) for field, words in sorted(fields.items())}
        for kind, fields in sorted(found.items())
    }


def _fields(event: Event) -> Iterable[tuple[str, object]]:
    for field in FIELDS:
        if (value := getattr(event, field)) is not None:
            yield field, value
    if event.actor is not None:
        for part in ("id", "kind", "on_call"):
            if (value := getattr(event.actor, part)) is not None:
                yield f"actor.{part}", str(value).lower() if part == "on_call" else value
    for label in event.labels:
        yield f"labels.{label}", ""
