"""A labelled case as a value: a true story as events, and what a correct monitor should make of it.

Takes plain data (what a YAML file holds) and names what is wrong with it by its path in that data. Knows nothing of
files and of how a case is judged.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Literal

import msgspec

from monitor.core.model.catalogue import Catalogue
from monitor.core.model.events import Event
from monitor.decode.catalogues import BadCatalogue, catalogue_from_mapping
from monitor.decode.outcome import Unreadable
from monitor.decode.registry import SOURCES, canonical_source, decode
from monitor.decode.streams import expand
from monitor.decode.times import read_time

Label = Literal["near_miss", "impact", "not_near_miss"]
Confidence = Literal["high", "medium", "low"]
PathInData = tuple[str | int, ...]
_NUMBER = re.compile(r"[0-9]{1,6}")
_HALF = "holds half a character, which is no text; expected UTF-8"


class Expect(msgspec.Struct, frozen=True):
    """What should come out. `hazard` and `intervention` are ids of events that a good draft cites."""

    drafts: int = 0
    hazard: tuple[str, ...] = ()
    intervention: tuple[str, ...] = ()
    withdrawn: bool = False
    mode: Literal["live", "digest"] = "live"
    verdict: Literal["none", "users", "unknown"] | None = None


class Case(msgspec.Struct, frozen=True):
    """One story. `confidence` is how sure its label is."""

    id: str
    label: Label
    catalogue: Catalogue
    events: tuple[Event, ...]
    expect: Expect = Expect()
    title: str = ""
    confidence: Confidence = "high"


class Flaw(msgspec.Struct, frozen=True):
    """One thing that is wrong, and where in the data."""

    path: PathInData
    message: str
    known: tuple[str, ...] = ()
    """What may stand there, where the flaw is a word that is not known."""

    def __str__(self) -> str:
        where = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in self.path)
        return f"{where.lstrip('.') or 'the case'}: {self.message}"


class BadCase(Exception):
    """A case cannot be used; everything that was found wrong with it."""

    def __init__(self, flaws: Sequence[Flaw]) -> None:
        super().__init__("; ".join(map(str, flaws)))
        self.flaws = tuple(flaws)


class _Body(msgspec.Struct):
    """What one tool sent, as its webhook sends it, and when it arrived (RFC 3339)."""

    at: str
    source: str
    body: object
    headers: dict[str, str | int] = {}


class _Expected(msgspec.Struct):
    """`expect` as it stands; a number there stands for the events of that body, counted from 0."""

    drafts: int = 0
    hazard: tuple[str | int, ...] = ()
    intervention: tuple[str | int, ...] = ()
    withdrawn: bool = False
    mode: Literal["live", "digest"] = "live"
    verdict: Literal["none", "users", "unknown"] | None = None


class _Written(msgspec.Struct):
    """A case file as it stands: `events` in the format of the monitor, `bodies` as tools send them, or both."""

    id: str
    label: Label
    events: list[dict[str, object]] = []
    bodies: list[_Body] = []
    catalogue: dict[str, object] = {}
    expect: _Expected = msgspec.field(default_factory=_Expected)
    title: str = ""
    confidence: Confidence = "high"
    origin: str | None = None
    licence: str | None = None
    why: str | None = None


def read_case(data: object, catalogue: Catalogue | None = None) -> Case:
    """A case from plain data; `catalogue` stands in for the one in the data. Raises BadCase.

    Keys that no case has are passed over; `unknown_keys` names them.
    """
    try:
        written = msgspec.convert(data, _Written)
    except msgspec.ValidationError as error:
        raise BadCase([_flaw(error)]) from error
    except UnicodeEncodeError as error:
        raise BadCase([Flaw((), _HALF)]) from error
    flaws = []
    if catalogue is None:
        try:
            catalogue = catalogue_from_mapping(written.catalogue)
        except BadCatalogue as error:
            flaws.append(Flaw(("catalogue",), str(error)))
    if not written.events and not written.bodies:
        flaws.append(Flaw((), "a case has `events`, `bodies`, or both"))
    expanded = expand(written.events)
    for unusable in expanded.unusable:
        field = (unusable.field,) if unusable.field else ()
        flaws.append(Flaw(("events", unusable.index, *field), unusable.detail))
    sent = [_events_of(body, number, flaws) for number, body in enumerate(written.bodies)]
    events = (*expanded.events, *(event for given in sent for event in given))
    expect = _resolved(written.expect, events, sent, flaws)
    if flaws or catalogue is None:
        raise BadCase(flaws)
    return Case(
        id=written.id,
        label=written.label,
        catalogue=catalogue,
        events=events,
        expect=expect,
        title=written.title,
        confidence=written.confidence,
    )


def _resolved(
    expected: _Expected, events: Sequence[Event], sent: Sequence[Sequence[Event]], flaws: list[Flaw]
) -> Expect:
    """`expect` with ids for the numbers of bodies; what it names and is not there is a flaw, if nothing else is."""
    known = {event.id for event in events}
    missing: list[Flaw] = []

    def ids_of(part: str, named: Sequence[str | int]) -> tuple[str, ...]:
        ids: list[str] = []
        for place, name in enumerate(named):
            is_number = isinstance(name, int) or (sent and name not in known and _NUMBER.fullmatch(name) is not None)
            number = int(name) if is_number else None
            if number is None and name not in known:
                missing.append(Flaw(("expect", part, place), f"no event of this case has the id {name!r}"))
            given = [str(name)] if number is None else [event.id for event in _at(sent, number)]
            if not given:
                missing.append(Flaw(("expect", part, place), f"body {name} gives no event"))
            ids += given
        return tuple(ids)

    hazard, intervention = ids_of("hazard", expected.hazard), ids_of("intervention", expected.intervention)
    if not flaws:
        flaws += missing
    return Expect(expected.drafts, hazard, intervention, expected.withdrawn, expected.mode, expected.verdict)


def _at(sent: Sequence[Sequence[Event]], number: int) -> Sequence[Event]:
    return sent[number] if 0 <= number < len(sent) else ()


def _events_of(sent: _Body, number: int, flaws: list[Flaw]) -> tuple[Event, ...]:
    """What the tool's decoder makes of a body; a body that it skips, as a test delivery, gives nothing."""
    try:
        at, _ = read_time(sent.at, "at")
    except Unreadable as error:
        flaws.append(Flaw(("bodies", number, "at"), error.detail))
        return ()
    if canonical_source(sent.source) is None:
        flaws.append(Flaw(("bodies", number, "source"), f"nothing reads {sent.source!r}", tuple(sorted(SOURCES))))
        return ()
    try:
        raw = sent.body.encode() if isinstance(sent.body, str) else msgspec.json.encode(sent.body)
    except UnicodeEncodeError:
        flaws.append(Flaw(("bodies", number, "body"), _HALF))
        return ()
    outcome = decode(sent.source, raw, {name: str(value) for name, value in sent.headers.items()}, at)
    flaws += [Flaw(("bodies", number, "body"), f"{sent.source} refuses it: {each.detail}") for each in outcome.refusals]
    return tuple(msgspec.structs.replace(event, received_at=at) for event in outcome.events)


def unknown_keys(data: object) -> list[Flaw]:
    """Keys of a case and of its `expect` that mean nothing here: most likely slips of the pen."""
    if not isinstance(data, dict):
        return []
    expect = data.get("expect")
    parts: list[tuple[PathInData, object, type[msgspec.Struct]]] = [((), data, _Written), (("expect",), expect, Expect)]
    return [
        Flaw((*path, key), f"unknown key {key!r}", tuple(sorted(known.__struct_fields__)))
        for path, part, known in parts
        if isinstance(part, dict)
        for key in part
        if key not in known.__struct_fields__
    ]


_STEP = re.compile(r"\.([A-Za-z_]\w*)|\[(\d+)\]")


def _flaw(error: msgspec.ValidationError) -> Flaw:
    """msgspec says "Expected `int`, got `str` - at `$.expect.drafts`"; the path tells where in the file."""
    message, _, where = str(error).partition(" - at `$")
    return Flaw(tuple(name or int(place) for name, place in _STEP.findall(where)), message)
