"""The timeline picture: everything lies inside, time goes to the right, and what is cut short says how long it is."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.core.model.events import DAY, HOUR, KINDS, MINUTE, SECOND
from monitor.core.model.near_miss import Cited, Draft, State
from monitor.ports import Record
from monitor.review.axis import build_axis
from monitor.review.timeline import CHARACTER, LEFT, MARK, NARROW, RIGHT, WIDE, Sheet, entries, picture
from tests.support import records

moments = st.integers(min_value=-40 * DAY, max_value=40 * DAY)


def record(draft: Draft, **more: Any) -> Record:
    return Record(draft, State.DRAFT, 1, **more)


def assert_inside(x: float, anchor: str, text: str, sheet: Sheet = WIDE) -> None:
    """The text ends within the picture, as far as its width can be told."""
    end = x + len(text) * CHARACTER if anchor == "start" else x
    assert sheet.left - 0.1 <= end <= sheet.width + 0.1, text
    assert end - len(text) * CHARACTER >= sheet.left - 0.1, text


@given(st.lists(moments, max_size=30), st.integers(0, 20 * DAY), st.integers(0, 7 * DAY))
def test_later_is_never_further_left(others: list[int], action: int, hold: int) -> None:
    begin, end = min([-5 * MINUTE, *others]), max([action + hold, *others])
    axis = build_axis(begin, end, (0, action), others, LEFT, RIGHT)
    places = [axis.x(at) for at in sorted([*others, begin, 0, action, action + hold, end])]
    assert all(one <= other for one, other in pairwise(places))
    assert places[0] >= LEFT
    assert places[-1] <= RIGHT + 0.1
    ticks = axis.ticks()
    assert all(other.x - one.x >= 60 for one, other in pairwise(ticks))
    assert len(ticks) < 20


def test_the_action_keeps_its_room_beside_a_long_hold() -> None:
    axis = build_axis(0, DAY, (5 * MINUTE, 25 * MINUTE), [5 * MINUTE, 25 * MINUTE], 0, 1000)
    assert axis.x(25 * MINUTE) - axis.x(5 * MINUTE) > 500
    assert [gap.length for gap in axis.breaks()] == [DAY - 25 * MINUTE]


def test_an_action_of_no_length_is_drawn_too() -> None:
    axis = build_axis(0, 2 * HOUR, (0, 0), [0], 0, 1000)
    assert axis.x(0) == 0
    assert axis.x(2 * HOUR) == 1000


@given(
    st.lists(st.tuples(st.sampled_from(sorted(KINDS)), st.floats(-90, 200)), min_size=1, max_size=40),
    st.floats(0, 60),
    st.floats(0, 60),
    st.sampled_from([WIDE, NARROW]),
)
def test_any_evidence_can_be_drawn(told: list[tuple[str, float]], acted: float, safe: float, sheet: Sheet) -> None:
    cited = tuple(
        Cited("hazard", records.event(f"e{n}", kind, minute, title="A title of some length", subject=f"s{n % 3}"))
        for n, (kind, minute) in enumerate(told)
    )
    draft = records.draft(
        evidence=cited, intervened_at=records.at(acted), safe_at=records.at(acted + safe), window_to=records.at(300)
    )
    drawn = picture(record(draft), sheet)
    assert len(drawn.marks) == len(cited)
    for mark in drawn.marks:
        assert sheet.left <= mark.x <= sheet.right + 0.1
        assert 0 < mark.y < drawn.bottom
        if mark.label:
            assert_inside(mark.label_x, mark.anchor, mark.label, sheet)
    for bar in drawn.bars:
        assert bar.width >= 0
        if bar.label:
            assert_inside(bar.label_x, bar.anchor, bar.label, sheet)
    assert not drawn.hold_text or drawn.safe_x + 6 + len(drawn.hold_text) * CHARACTER <= sheet.width
    end = drawn.margin_x + len(drawn.margin_text) * CHARACTER
    assert (drawn.margin_x >= 0 and end <= sheet.width) if drawn.margin_anchor == "start" else drawn.margin_x > 0
    assert drawn.first_x <= drawn.acted_x <= drawn.safe_x
    assert drawn.hold_width >= 0


def test_marks_in_a_row_do_not_cover_each_other() -> None:
    drawn = picture(record(records.draft()))
    for row in {mark.y for mark in drawn.marks}:
        places = sorted(mark.x for mark in drawn.marks if mark.y == row)
        assert all(other - one >= MARK - 0.1 for one, other in pairwise(places))


def test_lanes_separate_machines_changes_and_people() -> None:
    lanes = {entry.event.id: entry.lane for entry in entries(record(records.draft()))}
    assert lanes == {
        "d41": "changes",
        "a1": "alerts",
        "p1": "people",
        "k1": "people",
        "n1": "people",
        "a2": "alerts",
        "j1": "people",
        "c1": "changes",
        "r2": "alerts",
        "i9": "people",
    }


def test_late_impact_joins_the_list_once() -> None:
    late = records.event("s1", "impact.started", 300)
    known = records.evidence()[1].event
    listed = entries(record(records.draft(), impact_evidence=(late, known)))
    assert [(entry.number, entry.event.id, entry.role) for entry in listed][-1] == (11, "s1", "impact")
    assert len(listed) == 11


def test_a_firing_alert_lasts_until_it_is_resolved() -> None:
    drawn = picture(record(records.draft()))
    (bar,) = [bar for bar in drawn.bars if bar.look == "alert"]
    assert bar.x == drawn.first_x
    assert bar.x + bar.width == pytest.approx(drawn.safe_x)


def test_services_without_a_feed_and_feeds_with_a_gap_are_visible() -> None:
    drawn = picture(record(records.draft(verdict="unknown")))
    looks = {bar.label: bar.look for bar in drawn.bars if bar.label}
    assert looks == {
        "blackbox, checkout: not clear": "unclear",
        "sloth, payments: clear": "clear",
        "invoices: no feed watches it": "unfed",
    }


def test_many_feeds_are_counted() -> None:
    coverage = tuple(records.feed(f"probe-{n}") for n in range(9))
    drawn = picture(record(records.draft(coverage=coverage)))
    assert [bar.label for bar in drawn.bars if bar.look == "clear"][-1] == "probe-5, checkout: clear (and 3 more feeds)"


def test_the_description_says_it_in_words() -> None:
    drawn = picture(record(records.draft()))
    assert "First sign 2 Feb 2026, 02:40 UTC, action 03:02, safe 03:07" in drawn.description
    assert drawn.margin_text == "22 min from first sign to action"


def test_seconds_matter_when_everything_took_seconds() -> None:
    axis = build_axis(0, 3 * MINUTE, (0, 3 * MINUTE), [], LEFT, RIGHT)
    assert axis.ticks()[1].label in ("00:00:30", "00:00:10", "00:01")
    assert build_axis(0, 40 * SECOND, (0, 40 * SECOND), [], LEFT, RIGHT).ticks()[1].label == "00:00:10"


def test_what_lies_at_the_edge_has_its_label_on_the_side_where_there_is_room() -> None:
    late = records.event("late", "impact.started", 60 * 30)
    cited = (Cited("hazard", records.event("h", "alert.fired", 0, title="disk fills", subject="d")),)
    drawn = picture(record(records.draft(evidence=cited), impact_evidence=(late,)))
    mark = next(mark for mark in drawn.marks if mark.role == "impact")
    assert (mark.label, mark.anchor) == ("users affected", "end")
    assert mark.label_x < mark.x


def test_a_long_watch_is_told_shortly_where_there_is_little_room() -> None:
    safe, until = 6_000, 6_000 + 23 * 60 + 40
    draft = records.draft(safe_at=records.at(safe), window_to=records.at(until))
    assert picture(record(draft)).hold_text.endswith("23 h 40 min more")
