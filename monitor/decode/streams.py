"""Events as people write them in rule examples and case files → events of the core.

Expands relative times (`+5m`) and repetitions (`every`, `until`); each event then goes through the canonical decoder,
so that a written event means exactly what an arriving one means. Knows nothing of files.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta

import msgspec

from monitor.core.model.events import Event, Instant
from monitor.decode.canonical import Unreadable, decode_line

BASE_AT = "2026-03-10T12:00:00Z"
"""The instant that relative times count from: a Tuesday, far from any change of clocks."""

MOST_REPEATS = 5_000
MOST_EVENTS = 100_000
"""Of one stream that a person wrote, repetitions counted."""

TIMES: tuple[str, ...] = (
    "time",
    "until",
    "expires_at",
    "previous_expires_at",
    "began_at",
    "covers_from",
    "received_at",
)
_RELATIVE = re.compile(r"([+-])((?:\d{1,9}(?:ms|[smhd]))+)\Z")
_PART = re.compile(r"(\d+)(ms|[smhd])")
_SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86_400.0}


class UnusableEvent(msgspec.Struct, frozen=True):
    """An event that could not be used: which one (from 0), what is wrong, and the field where it is known."""

    index: int
    detail: str
    field: str | None = None


class Expanded(msgspec.Struct, frozen=True):
    """The events in the order in which they were written, repetitions in place, and what could not be used."""

    events: tuple[Event, ...]
    unusable: tuple[UnusableEvent, ...] = ()


class _Wrong(Exception):
    def __init__(self, detail: str, field: str | None = None) -> None:
        super().__init__(detail)
        self.detail, self.field = detail, field


def expand(written: Sequence[Mapping[str, object]], base: str | None = None) -> Expanded:
    """Events from mappings in the canonical format.

    With `base` (RFC 3339) the times may be relative to it, and `id` and `source` may be omitted. Never raises.
    """
    events: list[Event] = []
    unusable: list[UnusableEvent] = []
    for index, mapping in enumerate(written):
        try:
            filled = mapping if base is None else {"id": f"e{index + 1}", "source": "example", **mapping}
            repeated = list(_repeat(_absolute(dict(filled), base)))
            if len(events) + len(repeated) > MOST_EVENTS:
                raise _Wrong(f"more than {MOST_EVENTS} events in one stream", "every")
            events.extend(
                [decode_line(json.dumps(one, default=_plain, ensure_ascii=False).encode()) for one in repeated]
            )
        except Unreadable as error:
            unusable.append(UnusableEvent(index, f"{error.reason}: {error.detail}"))
        except _Wrong as error:
            unusable.append(UnusableEvent(index, error.detail, error.field))
        except (ValueError, TypeError, OverflowError, RecursionError) as error:
            unusable.append(UnusableEvent(index, str(error)))
    return Expanded(tuple(events), tuple(unusable))


def arrival_order(events: Sequence[Event]) -> list[Event]:
    """By the time of receipt where there is one, else by event time; ties keep the order in which they were written."""

    def arrived(event: Event) -> Instant:
        return event.received_at if event.received_at is not None else event.time

    return sorted(events, key=arrived)


def _plain(value: object) -> str:
    if isinstance(value, datetime):
        return value.isoformat()
    raise TypeError(f"{type(value).__name__} has no place in an event")


def _absolute(mapping: dict[str, object], base: str | None) -> dict[str, object]:
    for field in TIMES:
        value = mapping.get(field)
        found = _RELATIVE.match(value) if isinstance(value, str) else None
        if found is None:
            continue
        if base is None:
            raise _Wrong(f"{field} {value!r} is relative, and here times are absolute, with an offset", field)
        seconds = sum(int(number) * _SECONDS[unit] for number, unit in _PART.findall(found[2]))
        moment = datetime.fromisoformat(base) + timedelta(seconds=seconds if found[1] == "+" else -seconds)
        mapping[field] = moment.isoformat()
    return mapping


def _repeat(mapping: dict[str, object]) -> Iterator[dict[str, object]]:
    """The event itself, or `id#0`, `id#1`, … every so often until the end, included."""
    every, until = mapping.pop("every", None), mapping.pop("until", None)
    if every is None and until is None:
        yield mapping
        return
    step = _step(every)
    start, end = _moment(mapping, "time"), _moment({"until": until}, "until")
    if end < start:
        raise _Wrong("until is before time", "until")
    count = (end - start) // step + 1
    if count > MOST_REPEATS:
        raise _Wrong(f"repeats {count} times; at most {MOST_REPEATS}", "every")
    for place in range(count):
        yield {**mapping, "id": f"{mapping.get('id')}#{place}", "time": (start + place * step).isoformat()}


def _step(every: object) -> timedelta:
    found = _RELATIVE.match(f"+{every}")
    seconds = sum(int(number) * _SECONDS[unit] for number, unit in _PART.findall(found[2])) if found else 0.0
    if seconds <= 0:
        raise _Wrong(f"every is {every!r}; expected a duration such as 10m (together with `until`)", "every")
    return timedelta(seconds=seconds)


def _moment(mapping: Mapping[str, object], field: str) -> datetime:
    value = mapping.get(field)
    try:
        moment = value if isinstance(value, datetime) else datetime.fromisoformat(str(value))
    except ValueError:
        raise _Wrong(f"{field} is {value!r}; expected RFC 3339 with an offset", field) from None
    if moment.tzinfo is None:
        raise _Wrong(f"{field} {value!r} has no offset", field)
    return moment
