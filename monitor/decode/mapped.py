"""Reads bodies by a mapping that was compiled elsewhere: which pieces, which entry fits a piece, which event it gives.

Knows neither YAML nor the language of expressions: what finds a value is handed in as a callable.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, cast

import msgspec

from monitor.core.model.events import KINDS, Actor, ActorKind, Bound, Event, Kind
from monitor.core.model.reasons import Ignored, Rejected
from monitor.decode.bodyforms import BadLine
from monitor.decode.jsontext import load
from monitor.decode.lenient import as_text
from monitor.decode.outcome import NoEvent, Unreadable
from monitor.decode.reading import (
    Delivery,
    Moment,
    day_of,
    digest,
    first,
    make,
    not_the_shape,
    person_or_bot,
    quantity,
    respelt,
    severity,
    tags_of,
    text,
    without,
)

MOST_STEPS = 1_000_000
"""Parts of expressions that are evaluated for one body, all pieces together: a second or two."""
QUICK_STEPS = 10_000
"""The same where nothing else goes on meanwhile: some milliseconds. What needs more is read again elsewhere."""

LONGEST_LISTED = 64 * 1024
"""Characters of a text that is read as the JSON of labels."""

BODY, HEADERS, ITEM = "_body", "_headers", "_item"
"""The names under which a piece also sees the whole body and the headers, and under which it stands if no object."""


class Budget:
    """The work that one body may still cost. `helper` is for who evaluates expressions, to be made once a body."""

    __slots__ = ("helper", "left")

    def __init__(self, steps: int = MOST_STEPS) -> None:
        self.left = steps
        self.helper: Any = None

    def spend(self, steps: int = 1) -> None:
        """Raises Unreadable with `mapping_overrun` once too much was spent."""
        self.left -= steps
        if self.left < 0:
            detail = f"the mapping needs more than {MOST_STEPS:,} steps for this body; simplify its expressions"
            raise Unreadable(Rejected.MAPPING_OVERRUN, detail)


SERVICE_TAGS = ("service", "service_name", "service.name")
ENVIRONMENT_TAGS = ("environment", "env", "deployment.environment.name", "deployment.environment")
"""Labels that name a service and an environment where no field of the mapping found one."""

_BY_HAND: frozenset[Kind] = frozenset({"alert.acknowledged", "alert.unacknowledged", "note.added"})

Find = Callable[[Any, Budget], Any]
"""A document → what stands at a place in it; None where that says nothing."""
Test = Callable[[Any, Budget], bool]
When = Callable[[Any, Budget], Moment | None]
"""A document → a time in it. Raises Unreadable for one that cannot be read."""


class Skip(msgspec.Struct, frozen=True):
    """Pieces that give no event by intention."""

    when: Test
    reason: Ignored
    because: str


class MappedEvent(msgspec.Struct, frozen=True, kw_only=True):
    """One kind of event, when a piece gives it, and where its fields come from.

    `also` gives its event beside that of the entry that was chosen. `spread` finds whole objects of labels.
    """

    when: Test
    kind: Find
    also: bool = False
    time: When | None = None
    began_at: When | None = None
    expires_at: When | None = None
    id: tuple[Find, ...] = ()
    fields: Mapping[str, Find] = {}
    actor: Find | None = None
    actor_kind: Find | None = None
    labels: Mapping[str, Find] = {}
    spread: tuple[Find, ...] = ()


class Mapped(msgspec.Struct, frozen=True, kw_only=True):
    """A whole mapping. `looks` are the places that conditions ask, by what a person wrote for them."""

    name: str
    entries: tuple[MappedEvent, ...]
    each: Find | None = None
    skips: tuple[Skip, ...] = ()
    volatile: tuple[str, ...] = ()
    looks: Mapping[str, Find] = {}

    def split(self, body: Any, delivery: Delivery) -> list[Any]:
        """The pieces of a body, each with what they share. Raises Unreadable."""
        budget = Budget(QUICK_STEPS if delivery.quick else MOST_STEPS)
        found: Any = body if isinstance(body, list) else None
        if self.each is not None and found is None:
            found = self.each(_document(body, body, delivery), budget)
        pieces = found if isinstance(found, list) else [body if found is None else found]
        return [
            piece if isinstance(piece, BadLine) else _Piece(piece, _document(piece, body, delivery), budget)
            for piece in pieces
        ]

    def read(self, piece: Any, delivery: Delivery) -> list[Event]:
        """The events of one piece. Raises NoEvent where it gives none by intention, else Unreadable."""
        found: _Piece = piece
        try:
            return self._read(found, delivery)
        except (NoEvent, Unreadable) as error:
            if error.reason not in (Ignored.UNKNOWN_TYPE, Rejected.NOT_AN_EVENT) or not isinstance(found.raw, dict):
                raise
            # A template whose author spelt the names in another way; a body that fits as it is never comes here.
            other = {**respelt(found.raw), **found.document}
            try:
                return self._read(_Piece(found.raw, other, found.budget), delivery)
            except (NoEvent, Unreadable) as again:
                if again.reason in (Ignored.UNKNOWN_TYPE, Rejected.NOT_AN_EVENT):
                    raise error from None
                raise

    def _read(self, found: _Piece, delivery: Delivery) -> list[Event]:
        document, budget = found.document, found.budget
        for skip in self.skips:
            if skip.when(document, budget):
                raise NoEvent(skip.reason, skip.because)
        events: list[Event] = []
        chosen = False
        for entry in self.entries:
            if (chosen and not entry.also) or not entry.when(document, budget):
                continue
            kind = entry.kind(document, budget)
            if kind not in KINDS:
                # A table of kinds that does not have the body's word.
                continue
            events.append(self._event(entry, kind, found, delivery))
            chosen = chosen or not entry.also
        if not events:
            raise self._nothing(found)
        return events

    def _event(self, entry: MappedEvent, kind: Kind, piece: _Piece, delivery: Delivery) -> Event:
        document, budget = piece.document, piece.budget

        def said(name: str) -> Any:
            find = entry.fields.get(name)
            return None if find is None else find(document, budget)

        began_at = entry.began_at(document, budget) if entry.began_at else None
        expires_at = entry.expires_at(document, budget) if entry.expires_at else None
        bound, value, limit = said("bound"), quantity(said("value")), quantity(said("limit"))
        time = entry.time(document, budget) if entry.time else None
        labels = dict(_labels(entry, document, budget))
        return make(
            delivery,
            id=self._identity(entry, kind, piece, "" if time else day_of(delivery)),
            kind=kind,
            time=time,
            service=text(said("service")) or first(labels, SERVICE_TAGS),
            environment=text(said("environment")) or first(labels, ENVIRONMENT_TAGS),
            subject=text(said("subject")),
            severity=severity(text(said("severity"))),
            title=text(said("title")),
            actor=_actor(entry, kind, document, budget),
            labels=labels,
            value=value[0] if value else None,
            limit=limit[0] if limit else None,
            unit=text(said("unit")) or (value[1] if value else None),
            bound=cast(Bound, bound) if bound in ("max", "min", "expected") else None,
            began_at=began_at[0] if began_at else None,
            expires_at=expires_at[0] if expires_at else None,
            url=text(said("url")),
        )

    def _identity(self, entry: MappedEvent, kind: Kind, piece: _Piece, day: str) -> str:
        """The declared parts where all are there, else a hash over the meaning of the piece and the day."""
        parts = [text(find(piece.document, piece.budget)) for find in entry.id]
        known = "/".join(part for part in parts if part)
        if not parts or None in parts:
            raw = piece.raw
            meaning = without(raw, self.volatile) if isinstance(raw, dict) else raw
            known = digest(meaning, day) if day else digest(meaning)
        return f"{known}/{kind}"

    def _nothing(self, piece: _Piece) -> Exception:
        """Why no entry fits: a type that is not known, or JSON of another tool."""
        seen = [
            f"{name} is {_shown(found)}"
            for name, find in self.looks.items()
            if _is_there(found := find(piece.document, piece.budget))
        ]
        if seen or not self.looks:
            said = "; ".join(seen[:4]) or "every condition fails"
            return NoEvent(Ignored.UNKNOWN_TYPE, f"no entry of the mapping {self.name} fits: {said}")
        return not_the_shape(f"a body of {self.name} with {' or '.join(list(self.looks)[:4])}", piece.raw)


class _Piece(msgspec.Struct, frozen=True):
    raw: Any
    document: Mapping[str, Any]
    budget: Budget


def _document(piece: Any, body: Any, delivery: Delivery) -> dict[str, Any]:
    own = piece if isinstance(piece, dict) else {ITEM: piece}
    return {**own, BODY: body, HEADERS: delivery.headers}


def _actor(entry: MappedEvent, event: Kind, document: Any, budget: Budget) -> Actor | None:
    name = text(entry.actor(document, budget)) if entry.actor else None
    kind = entry.actor_kind(document, budget) if entry.actor_kind else None
    known = cast(ActorKind, kind) if kind in ("human", "automation", "unknown") else None
    if name is None:
        # Without a name the kind still says something: nobody's hand is not the same as a hand without a name. Where a
        # name was looked for and is not there, only an acknowledgement is surely someone's.
        if entry.actor is not None and known == "human" and event not in _BY_HAND:
            return None
        return Actor(kind=known) if known in ("human", "automation") else None
    return Actor(id=name, kind=known) if known == "automation" else person_or_bot(name, known or "unknown")


def _labels(entry: MappedEvent, document: Any, budget: Budget) -> Iterator[tuple[str, Any]]:
    for name, find in entry.labels.items():
        if (found := find(document, budget)) is not None:
            yield name, found
    own = frozenset(entry.labels)
    for find in entry.spread:
        for name, value in pairs(find(document, budget)):
            budget.spend()
            if name not in own and _says_something(value):
                yield name, value


def _says_something(value: Any) -> bool:
    return text(value) is not None if isinstance(value, str) else value not in (None, [], {})


def pairs(found: Any) -> Iterator[tuple[str, Any]]:
    """Labels from an object, a list of objects with a name and a value, or texts such as `env:prod` and `env=prod`.

    One text may hold several, with commas between them, or be the JSON of them.
    """
    if isinstance(found, dict):
        yield from ((str(name), _bare(value)) for name, value in found.items())
    if isinstance(found, str):
        listed = _listed(found)
        yield from tags_of(found).items() if listed is None else pairs(listed)
    for entry in found if isinstance(found, list) else ():
        # A list with numbers before its items, as some serialisers write one.
        item = entry[1] if isinstance(entry, list) and len(entry) == 2 and isinstance(entry[1], dict) else entry
        if isinstance(item, dict):
            name = next((said for key in ("key", "name", "tag", "label") if (said := text(item.get(key)))), None)
            if name is not None and "value" in item:
                yield name, _bare(item["value"])
        elif isinstance(item, str):
            name, mark, value = _parted(item)
            if mark and name and value:
                yield name, value


def _listed(found: str) -> Any:
    """The object or list whose JSON a text is, as templates write what they can only put into quotes; else None."""
    if len(found) > LONGEST_LISTED or not found.lstrip().startswith(("{", "[")):
        return None
    try:
        return load(found.encode("utf-8", "replace"))
    except Unreadable:
        return None


def _parted(item: str) -> tuple[str, str, str]:
    """At the first mark: a value may hold further ones."""
    at = min((found for mark in ":=" if (found := item.find(mark)) > 0), default=-1)
    return (item[:at].strip(), item[at], item[at + 1 :].strip()) if at > 0 else ("", "", "")


def _bare(value: Any) -> Any:
    """The value of OpenTelemetry's `{stringValue: …}`, or the value itself."""
    if isinstance(value, dict) and len(value) == 1:
        name, inner = next(iter(value.items()))
        if str(name).endswith("Value"):
            return inner
    return value


def _is_there(found: Any) -> bool:
    """Whether a place holds something; an expression that is false, or an empty text, is a place that holds nothing."""
    return found is not None and found is not False and found not in ("", [], {})


def _shown(found: Any) -> str:
    return repr(found)[:60] if isinstance(found, str) else as_text(found)[:60]
