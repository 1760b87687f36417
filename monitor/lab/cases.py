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
from monitor.decode.streams import expand

Label = Literal["near_miss", "impact", "not_near_miss"]
Confidence = Literal["high", "medium", "low"]
PathInData = tuple[str | int, ...]


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


class _Written(msgspec.Struct):
    """A case file as it stands."""

    id: str
    label: Label
    events: list[dict[str, object]]
    catalogue: dict[str, object] = {}
    expect: Expect = Expect()
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
    flaws = []
    if catalogue is None:
        try:
            catalogue = catalogue_from_mapping(written.catalogue)
        except BadCatalogue as error:
            flaws.append(Flaw(("catalogue",), str(error)))
    expanded = expand(written.events)
    for unusable in expanded.unusable:
        field = (unusable.field,) if unusable.field else ()
        flaws.append(Flaw(("events", unusable.index, *field), unusable.detail))
    known = {event.id for event in expanded.events}
    for part, ids in (("hazard", written.expect.hazard), ("intervention", written.expect.intervention)):
        for place, event_id in enumerate(ids):
            if event_id not in known and not expanded.unusable:
                flaws.append(Flaw(("expect", part, place), f"no event of this case has the id {event_id!r}"))
    if flaws or catalogue is None:
        raise BadCase(flaws)
    return Case(
        id=written.id,
        label=written.label,
        catalogue=catalogue,
        events=expanded.events,
        expect=written.expect,
        title=written.title,
        confidence=written.confidence,
    )


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
