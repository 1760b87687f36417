"""What the decoders of all tools share: careful reading of untyped JSON, and building an `Event` from what was found.

Knows no tool. Nothing here invents a value: what a body does not say stays None.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from math import isfinite
from typing import Any

import msgspec

from monitor.core.model.events import SECOND, Actor, Bound, Event, Instant, Kind, Severity, to_instant, to_text
from monitor.core.model.phrases import DRILL, searching
from monitor.core.model.reasons import Mark, Rejected
from monitor.core.model.words import severity_of
from monitor.decode.lenient import MAX_TEXT, Labels, as_text, clip, clip_identifier
from monitor.decode.lookalikes import reads_like_ours
from monitor.decode.named_places import named_place
from monitor.decode.outcome import Unreadable
from monitor.decode.times import read_time

_EXACT = 2.0**53

Moment = tuple[Instant, tuple[Mark, ...]]

_NOTHING = frozenset({"", "null", "none", "(null)", "undefined", "nil", "%s"})
_LONGEST_NOTHING = max(map(len, _NOTHING))
_PLACEHOLDER = re.compile(
    r"\$\{[A-Za-z][A-Za-z0-9_.]*\}|\$[A-Z][A-Z0-9_.]*|\{\{[^}]*\}\}"
    # LogicMonitor's tokens and ConfigCat's; PRTG's variables.
    r"|##[A-Za-z][A-Za-z0-9_.]*##|%[a-z][a-z_]+"
    # Zabbix's macros, and what it writes for one without a value; UptimeRobot's variables; Coralogix's invitations.
    r"|\{[$#?]?[A-Z][A-Z0-9_.]*\}|\*(?:[a-z]+[A-Z]\w*|UNKNOWN|insert [^*]*)\*",
    re.ASCII,
)
_DRILL = searching(DRILL)
_DRILL_FIRST = re.compile(r"\W*(?:drill|exercise|übung|exercice|simulacro|simulado|訓練)\s*[])】:–—-]", re.IGNORECASE)
"""What people put before the title of an exercise: `[Drill] …`, `Übung: …`."""
_BOT = re.compile(r"\[bot\]|(?:^|[-_])bot(?:$|[-_])|bot[-_]", re.IGNORECASE)
_WORDS = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")
_TAG = re.compile(r"(?P<name>[^:=]+)[:=]\s*(?P<value>\S.*)", re.DOTALL)
MOST_RESPELT = 200
LONGEST_NAME = 1000
LONGEST_LINE = 1000
"""Characters of a person's text that make a title."""
_TIME_OF_GO = re.compile(r"([-\d]{10} [\d:.]{8,30} [+-]\d{4})(?: [A-Z+\-\d]{1,6})?(?: m=[+-][\d.]{1,30})?", re.ASCII)
"""`2026-03-10 12:00:00.1 +0000 UTC m=+8.2`, as Go writes a time where a template does not say how."""
_QUANTITY = re.compile(r"\s*([-+]?\d+(?:\.\d+)?)\s*([A-Za-z%/]{0,20})\s*", re.ASCII)


class Delivery(msgspec.Struct, frozen=True):
    """How a body arrived: the source it is named for, its headers (names in lower case), and when, if that is known.

    `allows` says which sources its events may name. `quick`: nothing else goes on while it is read, so what a mapping
    needs many steps for is refused.
    """

    source: str
    headers: Mapping[str, str] = {}
    received_at: Instant | None = None
    allows: Callable[[str], bool] | None = None
    quick: bool = False


def others_may_use(source: str) -> bool:
    """Whether a reader may think that a source of this name is not this program."""
    return not reads_like_ours(source)


def source_path(source: str) -> tuple[str, ...]:
    """The parts of a claimed name, in lower case, without those that say nothing."""
    return tuple(part for part in source.strip().lower().split("/") if part not in ("", ".", ".."))


def admitted(events: list[Event], delivery: Delivery) -> list[Event]:
    """The events, where the sender may name their sources. Raises Unreadable."""
    if delivery.allows is not None:
        for event in events:
            if not delivery.allows(event.source):
                raise Unreadable(
                    Rejected.FOREIGN_SOURCE,
                    f"source: {event.source!r:.80} is not this sender's to name; expected a source of its own: "
                    f"names of other tools and accounts that have secrets are theirs, nearmiss/ is the program's",
                )
    return events


def mapping(value: Any) -> dict[str, Any]:
    """The object, or an empty one where it is something else, such as the text "null"."""
    return value if isinstance(value, dict) else {}


def sequence(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def text(value: Any) -> str | None:
    """Text that says something: not empty, not the word null, no placeholder that nobody filled in. Numbers as text."""
    if not isinstance(value, str):
        if isinstance(value, bool) or not isinstance(value, int | float):
            return None
        value = as_text(value)
    found: str = value.strip()
    # Most texts are longer than any word for nothing, and begin like no placeholder.
    if len(found) <= _LONGEST_NOTHING and found.lower() in _NOTHING:
        return None
    return None if found[0] in "${*#%" and _PLACEHOLDER.fullmatch(found) else found


def first(values: Mapping[str, Any], names: Iterable[str]) -> str | None:
    """The first of these fields that says something."""
    return next((found for name in names if (found := text(values.get(name))) is not None), None)


def respelt(body: Mapping[str, Any]) -> dict[str, Any]:
    """The body with its names in `snake_case` and `camelCase` too: who writes a template chooses how names look.

    `ALERT_TITLE`, `alertTitle` and `Alert Title` are one name, and `ALERT.title` is a part of `ALERT`. A name that the
    body has itself is never replaced.
    """
    found = dict(body)
    for name, value in list(body.items())[:MOST_RESPELT]:
        words = [word.lower() for word in _WORDS.findall(str(name)[:100].lstrip("$"))]
        if words:
            found.setdefault("_".join(words), value)
            found.setdefault(words[0] + "".join(word.capitalize() for word in words[1:]), value)
        whole, dot, part = str(name)[:100].partition(".")
        if dot and whole and part and whole not in body:
            found.setdefault(whole, {})[part] = value
    return found


def tags_of(*lists: Any) -> dict[str, str]:
    """Tags as `name:value` or `name=value`, split at the first mark only; the first of a name counts."""
    found: dict[str, str] = {}
    for written in lists:
        items = written if isinstance(written, list) else (text(written) or "").split(",")
        for item in items:
            if (match := _TAG.fullmatch((text(item) or "").strip())) is not None:
                found.setdefault(match["name"].rstrip(), match["value"])
    return found


def number(value: Any) -> float | None:
    found = quantity(value)
    return None if found is None or found[1] is not None else found[0]


def quantity(value: Any) -> tuple[float, str | None] | None:
    """A number and its unit from 5, "5" or "200ms"; None where it is neither."""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return None
    match = _QUANTITY.fullmatch(as_text(value)[:64])
    found = None if match is None else float(match[1])
    return None if match is None or found is None or not isfinite(found) else (found, match[2] or None)


def moment(value: Any, field: str) -> Moment | None:
    """A tool's time, or None where it says "none": absent, empty, or a date of the years 1 and 1970.

    Whole numbers are seconds or milliseconds since 1970. Raises Unreadable for a text that is no time with an offset.
    """
    if isinstance(value, int | float) and not isinstance(value, bool):
        return _from_number(value, field)
    if text(value) is None:
        return None
    if isinstance(value, str):
        if value.startswith(("0001-01-01", "1970-01-01T00:00:00")):
            return None
        if value[10:11] == " " and (written := _TIME_OF_GO.fullmatch(value)) is not None:
            value = written[1]
    return read_time(value, field)


def _from_number(value: float, field: str) -> Moment | None:
    if value == 0:
        return None
    try:
        seconds = value / 1000 if abs(value) > 100_000_000_000 else value
        return to_instant(datetime.fromtimestamp(seconds, UTC)), ()
    except (ValueError, OverflowError, OSError):
        raise Unreadable(
            Rejected.TIME_OUT_OF_RANGE, f"{field}: {as_text(value):.40} is no time; expected seconds since 1970"
        ) from None


def earliest(one: Moment | None, other: Moment | None) -> Instant | None:
    """`one` where it is before `other`, else None: a beginning that tells more than the time of the report."""
    return one[0] if one is not None and other is not None and one[0] < other[0] - SECOND else None


def digest(*parts: Any) -> str:
    """A short hash of what the parts mean: the order of an object's names does not matter."""
    meaning = json.dumps(parts, sort_keys=True, ensure_ascii=True, separators=(",", ":"))
    return hashlib.sha256(meaning.encode()).hexdigest()[:32]


def day_of(delivery: Delivery) -> str:
    """The day of receipt, for bodies that tell neither a time nor an id: the same again on another day is news."""
    return (to_text(delivery.received_at) or "")[:10]


def without(body: Mapping[str, Any], names: Iterable[str]) -> dict[str, Any]:
    left_out = frozenset(names)
    return {name: value for name, value in body.items() if name not in left_out}


def person_or_bot(name: str | None, otherwise: str = "unknown") -> Actor | None:
    """An actor by its name: automation where the name says so, else what the field it came from means."""
    if name is None:
        return None
    # What comes behind is no name: it may be long, and be shared by all pieces of a body.
    if _BOT.search(name[:LONGEST_NAME]):
        return Actor(id=name, kind="automation")
    return Actor(id=name, kind="human" if otherwise == "human" else "unknown")


def severity(value: Any) -> Severity | None:
    """A tool's word for how bad it is in our four; None for a word of its own, which stays among the labels."""
    return severity_of(value) if isinstance(value, str) else None


def drill(title: str | None) -> str | None:
    """The label `drill` of an incident whose title says that it is an exercise; None where it does not."""
    is_one = title is not None and (_DRILL.search(title) or _DRILL_FIRST.match(title))
    return "title" if is_one else None


def make(
    delivery: Delivery,
    *,
    id: str,
    kind: Kind,
    time: Moment | None,
    source: str | None = None,
    service: str | None = None,
    environment: str | None = None,
    subject: str | None = None,
    severity: Severity | None = None,
    title: str | None = None,
    actor: Actor | None = None,
    labels: Mapping[str, Any] | None = None,
    value: float | None = None,
    limit: float | None = None,
    unit: str | None = None,
    bound: Bound | None = None,
    began_at: Instant | None = None,
    expires_at: Instant | None = None,
    url: str | None = None,
) -> Event:
    """An event of this delivery. Texts are cut to their bounds and marked; labels that say nothing are left out.

    Where the body tells no time the time of receipt stands in, marked; raises Unreadable where that is unknown too.
    """
    at, marks = _when(time, delivery.received_at)
    environment = environment or named_place(service, labels or {})
    if any(found is not None and not -_EXACT < found < _EXACT for found in (value, limit)):
        marks[Mark.NUMBER_INEXACT] = None
    texts = {"service": service, "environment": environment, "subject": subject, "title": title}
    texts |= {"unit": unit, "url": url}
    if actor is not None and actor.id is not None:
        actor = Actor(id=_cut(actor.id, marks) or None, kind=actor.kind, on_call=actor.on_call)
    said: dict[str, Any] = {name: _cut(found, marks) for name, found in texts.items() if found}
    return Event(
        id=clip_identifier(id),
        source=clip_identifier(source or delivery.source),
        time=at,
        kind=kind,
        **said,
        severity=severity,
        actor=actor,
        labels=_kept(_with_drill(kind, title, labels or {}), marks),
        value=value,
        limit=limit,
        bound=bound,
        began_at=began_at,
        expires_at=expires_at,
        marks=tuple(map(str, marks)),
    )


def _with_drill(kind: Kind, title: str | None, labels: Mapping[str, Any]) -> Mapping[str, Any]:
    """Whichever tool keeps the record: people say in its title that it is an exercise."""
    if not kind.startswith("incident.") or labels.get("drill") or (said := drill(title)) is None:
        return labels
    return {**labels, "drill": said}


def _when(time: Moment | None, received_at: Instant | None) -> tuple[Instant, dict[Mark, None]]:
    if time is not None:
        return time[0], dict.fromkeys(time[1])
    if received_at is None:
        raise Unreadable(
            Rejected.MISSING_FIELD,
            "the body tells no time and the time of receipt is unknown; give the time of receipt",
        )
    return received_at, {Mark.TIME_FROM_RECEIPT: None}


def _kept(labels: Mapping[str, Any], marks: dict[Mark, None]) -> dict[str, str]:
    found = Labels()
    for name, raw in labels.items():
        said = "" if raw is None else as_text(raw)
        if said not in ("", "null"):
            found.put(name, said)
    if found.truncated:
        marks[Mark.TEXT_TRUNCATED] = None
    return found.kept


def with_labels(event: Event, more: Mapping[str, Any], environment: str | None = None) -> Event:
    """The event with further labels, which replace those of the same name, within the bounds of `make`."""
    marks = dict.fromkeys(map(Mark, event.marks))
    labels = _kept({**event.labels, **more}, marks)
    place = event.environment or (_cut(environment, marks) if environment else None)
    return msgspec.structs.replace(event, labels=labels, environment=place, marks=tuple(map(str, marks)))


def one_line(found: Any) -> str | None:
    """A person's text as the one line of a title; all of it also goes into a label `text`."""
    said = text(found)
    return None if said is None else " ".join(said[: 2 * LONGEST_LINE].split())[:LONGEST_LINE]


def _cut(found: str, marks: dict[Mark, None]) -> str:
    if len(found) > MAX_TEXT:
        marks[Mark.TEXT_TRUNCATED] = None
    return clip(found)


def not_the_shape(expected: str, found: Any) -> Unreadable:
    """JSON that this source does not send: says what was there and what was expected."""
    if isinstance(found, dict):
        what = "an object with " + (", ".join(map(str, list(found)[:8])) or "nothing in it")
    else:
        what = {list: "an array", str: "a text", type(None): "null"}.get(type(found), "a bare value")
    return Unreadable(Rejected.NOT_AN_EVENT, f"found {what:.200}; expected {expected}")
