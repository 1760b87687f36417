"""The timeline picture of a near miss as numbers: lanes, marks, the margin bar, the hold. A template draws it.

Decides where things lie and what they say; knows no HTML and no colours.
"""

from __future__ import annotations

from typing import Literal

import msgspec

from monitor.core.model.durations import say_duration
from monitor.core.model.events import Event
from monitor.core.model.near_miss import Cited, Draft
from monitor.ports import Record
from monitor.review import wording as words
from monitor.review.axis import Axis, Break, Tick, build_axis
from monitor.review.curves import HEIGHT, Curve, curve
from monitor.review.measures import Measure, deadline_of, measure, to_action

WIDTH = 1000.0
LEFT, RIGHT = 108.0, 986.0
NARROW_WIDTH = 332.0
NARROW_LEFT, NARROW_RIGHT = 66.0, 322.0
TOP = 54.0
ROW = 26.0
LANE_GAP = 10.0
MARK = 22.0
CHARACTER = 6.3
MOST_ROWS = 4
MOST_FEEDS = 6
LONGEST_LABEL = 26

Lane = Literal["alerts", "changes", "people", "impact"]
Look = Literal["alert", "clear", "unclear", "unfed"]
Anchor = Literal["start", "end"]
LANES: dict[Lane, str] = {"alerts": "Alerts", "changes": "Changes", "people": "People", "impact": "Impact"}

_PEOPLE = frozenset({"alert.acknowledged", "alert.unacknowledged", "alert.silenced", "alert.escalated", "note.added"})
_ENDS = frozenset({"alert.resolved", "alert.cancelled"})


class Sheet(msgspec.Struct, frozen=True):
    """How wide it is drawn, and between which places time runs; left of these are the names of the lanes."""

    width: float
    left: float
    right: float


WIDE = Sheet(WIDTH, LEFT, RIGHT)
ZOOMS = (1, 2, 4)


def zoomed(times: int) -> Sheet:
    """The wide picture with time drawn so many times as long; letters and marks keep their size."""
    return Sheet(LEFT + (RIGHT - LEFT) * times + WIDTH - RIGHT, LEFT, LEFT + (RIGHT - LEFT) * times)


NARROW = Sheet(NARROW_WIDTH, NARROW_LEFT, NARROW_RIGHT)
"""For a phone: all of it at once, at a size that can be read, with shorter words."""


class TimelineMark(msgspec.Struct, frozen=True):
    """One event: its number in the evidence list, its place, and what is written beside it."""

    number: int
    role: str
    x: float
    y: float
    label: str
    label_x: float
    anchor: Anchor
    tip: str


class Bar(msgspec.Struct, frozen=True):
    """Something that lasted: an alert from firing to its end, or a feed over the time in which it reported."""

    x: float
    width: float
    y: float
    look: Look
    label: str
    label_x: float = 0.0
    anchor: Anchor = "start"


class LaneBand(msgspec.Struct, frozen=True):
    label: str
    y: float
    height: float


class Picture(msgspec.Struct, frozen=True):
    width: float
    height: float
    left: float
    right: float
    lanes: tuple[LaneBand, ...]
    marks: tuple[TimelineMark, ...]
    bars: tuple[Bar, ...]
    ticks: tuple[Tick, ...]
    breaks: tuple[Break, ...]
    first_x: float
    acted_x: float
    safe_x: float
    hold_x: float
    hold_width: float
    measured: Measure | None
    values: Curve | None
    level: tuple[str, float, float, Anchor]
    """The words of the curve, where they stand and to which side they go."""
    margin_text: str
    margin_x: float
    margin_anchor: Anchor
    hold_text: str
    title: str
    description: str

    @property
    def bottom(self) -> float:
        return self.height - 26.0


class TimelineEntry(msgspec.Struct, frozen=True):
    """One piece of evidence with its number, as the list and the picture share it."""

    number: int
    role: str
    lane: Lane
    event: Event


def entries(record: Record) -> tuple[TimelineEntry, ...]:
    """The evidence in the order of time, numbered from 1; late impact among it, each event once."""
    cited = {each.event.event_id: each for each in record.evidence}
    for event in record.impact_evidence:
        cited.setdefault(event.event_id, Cited("impact", event))
    ordered = sorted(cited.values(), key=lambda each: (each.event.time, each.event.source, each.event.id))
    return tuple(TimelineEntry(n, each.role, lane_of(each.event), each.event) for n, each in enumerate(ordered, 1))


def lane_of(event: Event) -> Lane:
    if event.kind.startswith("impact."):
        return "impact"
    if event.kind in _PEOPLE or event.kind.startswith(("responder.", "incident.")):
        return "people"
    return "alerts" if event.kind.startswith("alert.") else "changes"


def picture(record: Record, sheet: Sheet = WIDE) -> Picture:
    draft = record.draft
    listed = entries(record)
    axis = _axis(draft, listed, sheet)
    y = TOP
    bands, marks, bars = [], [], []
    for lane, label in LANES.items():
        own = [entry for entry in listed if entry.lane == lane]
        placed, rows = _place(own, axis, y, sheet)
        feeds = _feeds(draft, axis, y + rows * ROW, sheet) if lane == "impact" else []
        height = max(1, rows + len(feeds)) * ROW + 4
        bands.append(LaneBand(label, y, height))
        marks += placed
        bars += [*_alert_bars(own, placed, axis), *feeds]
        y += height + LANE_GAP
    measured = measure(draft, axis, y + ROW / 2 + 2, sheet.left, sheet.right, CHARACTER)
    values = curve(draft, (entry.event for entry in listed), axis, y)
    if values is not None:
        measured = None
        bands.append(LaneBand("Margin", y, HEIGHT + 4))
        y += HEIGHT + 4 + LANE_GAP
    elif measured is not None:
        bands.append(LaneBand("Margin", y, ROW + 4))
        y += ROW + 4 + LANE_GAP
    text, at, anchor = _margin_label(draft, axis, sheet)
    begins, acted = to_action(draft)
    return Picture(
        width=sheet.width,
        left=sheet.left,
        right=sheet.right,
        height=y + 22,
        lanes=tuple(bands),
        marks=tuple(marks),
        bars=tuple(bars),
        ticks=tuple(axis.ticks()),
        breaks=tuple(axis.breaks()),
        first_x=axis.x(begins),
        acted_x=axis.x(acted),
        safe_x=axis.x(draft.safe_at),
        hold_x=axis.x(draft.safe_at),
        hold_width=round(axis.x(draft.window_to) - axis.x(draft.safe_at), 1),
        measured=measured,
        values=values,
        level=_level_label(draft, values, sheet),
        margin_text=text,
        margin_x=at,
        margin_anchor=anchor,
        hold_text=_hold_label(draft, axis, sheet),
        title=f"Timeline: {draft.title}",
        description=_describe(draft, listed) + (f" Values: {values.said}." if values is not None else ""),
    )


def _axis(draft: Draft, listed: tuple[TimelineEntry, ...], sheet: Sheet) -> Axis:
    shown = [entry.event.time for entry in listed if entry.event.kind != "impact.clear"]
    shown += deadline_of(draft) or ()
    begin = min([draft.window_from, draft.first_sign_at, *shown])
    end = max([draft.window_to, draft.safe_at, *shown])
    action = (draft.first_sign_at, max(draft.safe_at, draft.intervened_at))
    moments = (draft.window_from, draft.window_to, *shown)
    return build_axis(begin, end, action, moments, sheet.left, sheet.right)


def _place(own: list[TimelineEntry], axis: Axis, top: float, sheet: Sheet) -> tuple[list[TimelineMark], int]:
    """Marks in as few rows as keep them and their labels apart, the same alert in one row where that is possible."""
    ends: list[float] = []
    row_of: dict[tuple[str | None, str | None], int] = {}
    chosen: list[tuple[TimelineEntry, float, int]] = []
    for entry in own:
        x = axis.x(entry.event.time)
        key = (entry.event.service, entry.event.subject)
        label = _label(entry.event)
        room = MARK + (0 if not label else 6 + min(len(label), LONGEST_LABEL) * CHARACTER)
        free = [row for row in range(MOST_ROWS) if row >= len(ends) or ends[row] <= x - MARK / 2]
        row = row_of.get(key, -1)
        if row not in free:
            row = free[0] if free else min(range(MOST_ROWS), key=lambda each: ends[each])
        while row >= len(ends):
            ends.append(0.0)
        ends[row] = max(ends[row], x - MARK / 2) + room
        row_of.setdefault(key, row)
        chosen.append((entry, x, row))
    marks: list[TimelineMark] = []
    taken: dict[int, float] = {}
    for index, (entry, x, row) in enumerate(chosen):
        following = [other for _, other, its in chosen[index + 1 :] if its == row]
        room = (min(following) - MARK / 2 if following else sheet.right + 8) - (x + MARK / 2 + 4)
        anchor: Anchor = "start"
        label, at = _shorten(_label(entry.event), int(room // CHARACTER)), x + 14
        if not label and not following:
            # At the edge of the picture there is room on the other side only.
            room = x - MARK / 2 - 4 - taken.get(row, sheet.left)
            label, at, anchor = _shorten(_label(entry.event), int(room // CHARACTER)), x - 14, "end"
        taken[row] = x + MARK / 2 + 4 + len(label) * CHARACTER
        marks.append(
            TimelineMark(
                number=entry.number,
                role=entry.role,
                x=x,
                y=top + row * ROW + ROW / 2 + 2,
                label=label,
                label_x=round(at, 1),
                anchor=anchor,
                tip=f"{words.clock(entry.event.time)} UTC, {words.kind(entry.event)}"
                + (f": {entry.event.title}" if entry.event.title else ""),
            )
        )
    return marks, len(ends)


def _label(event: Event) -> str:
    if event.kind == "note.added":
        return "note"
    if event.kind.startswith("alert.") and event.kind != "alert.fired":
        return words.kind(event).removeprefix("Alert ")
    if event.kind == "alert.fired":
        return event.title or event.subject or "fired"
    text = words.kind(event)
    return text[0].lower() + text[1:]


def _shorten(text: str, most: int) -> str:
    most = min(most, LONGEST_LABEL)
    if len(text) <= most:
        return text
    return text[: most - 1].rstrip(" ,:;-") + "…" if most >= 6 else ""


def _alert_bars(own: list[TimelineEntry], placed: list[TimelineMark], axis: Axis) -> list[Bar]:
    open_at: dict[tuple[str | None, str | None], TimelineMark] = {}
    bars = []
    for entry, mark in zip(own, placed, strict=True):
        key = (entry.event.service, entry.event.subject)
        if entry.event.kind == "alert.fired":
            open_at.setdefault(key, mark)
        elif entry.event.kind in _ENDS and key in open_at:
            began = open_at.pop(key)
            bars.append(Bar(began.x, max(axis.x(entry.event.time) - began.x, 0.0), began.y, "alert", ""))
    return bars


def _with_label(bar: Bar, label: str, sheet: Sheet) -> Bar:
    """The text begins with the bar, or ends at the edge of the picture where it would be cut off there."""
    room = int((sheet.right - sheet.left) // CHARACTER)
    label = label if len(label) <= room else label[: room - 1].rstrip() + "…"
    if bar.x + 2 + len(label) * CHARACTER <= sheet.width:
        return msgspec.structs.replace(bar, label=label, label_x=bar.x + 2, anchor="start")
    return msgspec.structs.replace(bar, label=label, label_x=sheet.right, anchor="end")


def _feeds(draft: Draft, axis: Axis, top: float, sheet: Sheet) -> list[Bar]:
    begin, end = axis.x(draft.window_from), axis.x(draft.window_to)
    bars: list[Bar] = []

    def add(one: float, other: float, look: Look, label: str) -> None:
        y = top + len(bars) * ROW + 19
        bars.append(_with_label(Bar(round(one, 1), round(max(other - one, 2.0), 1), y, look, ""), label, sheet))

    rest = len(draft.coverage) - MOST_FEEDS
    for report in draft.coverage[:MOST_FEEDS]:
        one = begin if report.first_at is None else max(axis.x(report.first_at), begin)
        other = begin if report.last_at is None else max(axis.x(report.last_at), one)
        label = f"{report.source}, {report.service}: {'clear' if report.clear else 'not clear'}"
        add(one, other, "clear" if report.clear else "unclear", label)
    if rest > 0:
        bars[-1] = _with_label(bars[-1], f"{bars[-1].label} (and {rest} more feeds)", sheet)
    for service in draft.unfed_services[:MOST_FEEDS]:
        add(begin, end, "unfed", f"{service}: no feed watches it")
    return bars


def _hold_label(draft: Draft, axis: Axis, sheet: Sheet) -> str:
    """How long was watched after it was safe, as fully as there is room for to the right of the line."""
    span = say_duration(draft.window_to - draft.safe_at)
    room = sheet.width - axis.x(draft.safe_at) - 6
    return next((text for text in (f"watched {span} more", f"{span} more") if len(text) * CHARACTER <= room), "")


def _margin_label(draft: Draft, axis: Axis, sheet: Sheet) -> tuple[str, float, Anchor]:
    """Over the stretch where there is room up to safe, else before safe, in few words where many have no room there."""
    begins, acted = to_action(draft)
    span, first, safe = say_duration(acted - begins), axis.x(begins), axis.x(draft.safe_at)
    texts = [f"{span} to action"]
    if begins == draft.first_sign_at:
        texts.insert(0, f"{span} from first sign to action")
    for text in texts:
        if first + len(text) * CHARACTER <= max(safe - 8, sheet.left + 10):
            return text, first, "start"
        if safe - 8 - len(text) * CHARACTER >= 0:
            return text, round(safe - 8, 1), "end"
    return texts[-1], 0.0, "start"


def _level_label(draft: Draft, values: Curve | None, sheet: Sheet) -> tuple[str, float, float, Anchor]:
    """Beside the worst point: left of the middle to its right, else to its left."""
    if values is None or draft.margin is None:
        return "", 0.0, 0.0, "start"
    nearest = min(values.points, key=lambda point: abs(point.y - values.limit_y))
    text, y = draft.margin.text, max(nearest.y, values.limit_y) + 16
    if nearest.x + 8 + len(text) * CHARACTER <= sheet.right:
        return text, nearest.x + 8, y, "start"
    return text, nearest.x - 8, y, "end"


def _describe(draft: Draft, listed: tuple[TimelineEntry, ...]) -> str:
    margin = f" How close: {draft.margin.text}." if draft.margin is not None and draft.margin.text else ""
    return (
        f"First sign {words.moment(draft.first_sign_at)} UTC, action {words.clock(draft.intervened_at)}, "
        f"safe {words.clock(draft.safe_at)}, then watched until {words.moment(draft.window_to)} for late impact. "
        f"{len(listed)} events; the table below lists them.{margin}"
    )
