"""A picture for each measure: the number of the margin is drawn and written, in its place and to scale."""

from __future__ import annotations

import re

import pytest

from monitor.core.model.events import DAY, HOUR, MINUTE, SECOND, Instant
from monitor.core.model.near_miss import Cited, Margin, State
from monitor.ports import Record
from monitor.review.measures import LONGEST, SHORTEST, Gauge, Measure, gauge, used_up
from monitor.review.rendering import how_close
from monitor.review.timeline import CHARACTER, NARROW, WIDE, Picture, Sheet, picture
from monitor.review.wording import moment
from tests.review.conftest import Desk
from tests.support import records

MARGINS = {
    "headroom": Margin("headroom", 96.0, "percent", "96% used", 100.0),
    "overrun": Margin("headroom", 130.0, "percent", "130% used", 100.0),
    "deadline": Margin("deadline", 75 * 60.0, "seconds", "1 h 15 min before the deadline"),
    "missed": Margin("deadline", -4 * 86_400.0, "seconds", "4 d after the deadline"),
    "count": Margin("count", 5.0, "times", "seen 5 times before action"),
}


def drawn(margin: Margin | None, sheet: Sheet = WIDE) -> Picture:
    return picture(Record(records.draft(margin=margin), State.DRAFT, 1), sheet)


def measured(name: str, sheet: Sheet = WIDE) -> Measure:
    found = drawn(MARGINS[name], sheet).measured
    assert found is not None
    return found


@pytest.mark.parametrize("name", MARGINS)
async def test_the_number_of_the_margin_is_in_the_picture(desk: Desk, name: str) -> None:
    await desk.put(records.draft(margin=MARGINS[name]))
    html = (await desk.http.get("/near-misses/nm-1")).text
    drew = re.findall(r'<svg class="tl".*?</svg>', html, re.DOTALL)
    assert len(drew) == 2
    for svg in drew:
        assert MARGINS[name].text in re.findall(r"<text[^>]*>(.*?)</text>", svg)


@pytest.mark.parametrize("sheet", [WIDE, NARROW], ids=["wide", "narrow"])
@pytest.mark.parametrize("name", MARGINS)
def test_it_lies_within_the_picture(name: str, sheet: Sheet) -> None:
    found = measured(name, sheet)
    wide = len(found.label) * CHARACTER
    begin = found.label_x if found.anchor == "start" else found.label_x - wide
    assert begin >= sheet.left - 0.1
    assert begin + wide <= sheet.width + 0.1
    assert found.x >= sheet.left or not found.width
    assert found.x + found.width <= sheet.right + 0.1
    assert all(sheet.left <= dot <= sheet.right for dot in found.dots)


def test_a_level_is_drawn_to_scale_against_its_limit() -> None:
    level = measured("headroom")
    assert level.limit_x is not None
    assert level.width / (level.limit_x - level.x) == pytest.approx(0.96, abs=0.01)
    over = measured("overrun")
    assert over.limit_x is not None
    assert over.x + over.width > over.limit_x


def test_a_deadline_is_a_moment_on_the_axis() -> None:
    drew = drawn(MARGINS["deadline"])
    assert drew.measured is not None
    assert (drew.measured.x, drew.measured.limit_x) == (drew.acted_x, drew.measured.x + drew.measured.width)
    missed = measured("missed")
    assert missed.limit_x == missed.x


def test_the_action_that_the_deadline_was_measured_from_is_found() -> None:
    later = records.event("c2", "change.rotated", 24, previous_expires_at=Instant(records.at(24) + 75 * MINUTE))
    draft = records.draft(margin=MARGINS["deadline"], evidence=(*records.evidence(), Cited("intervention", later)))
    drew = picture(Record(draft, State.DRAFT, 1))
    assert drew.measured is not None
    assert drew.measured.x > drew.acted_x


def test_a_count_has_a_dot_for_each_and_elapsed_time_its_bracket() -> None:
    assert len(measured("count").dots) == 5
    elapsed = drawn(Margin("elapsed", 1320.0, "seconds", "22 min from first sign to action"))
    assert elapsed.measured is None
    assert elapsed.margin_text == "22 min from first sign to action"
    assert drawn(None).measured is None


def test_a_margin_is_measured_from_where_its_title_is() -> None:
    """The story that names the draft began after the first sign of another, and was ended by an act of its own."""
    act = records.event("c2", "change.deployed", 24, title="Raised the quota")
    draft = records.draft(
        margin=Margin("elapsed", 600.0, "seconds", "10 min from first sign to action"),
        evidence=(*records.evidence(), Cited("intervention", act)),
        title="Disk of pg-3 – 10 min in – deployed by a person",
    )
    drew = picture(Record(draft, State.DRAFT, 1))
    assert how_close(draft) == drew.margin_text == "10 min to action"
    assert drew.first_x > drawn(None).first_x
    assert how_close(records.draft(margin=None)) == "22 min to action"
    capped = records.draft(margin=Margin("elapsed", 6.0, "min", "6 min until undone"))
    assert how_close(capped) == "6 min to action"


@pytest.mark.parametrize(
    ("name", "expected"),
    [("headroom", 0.96), ("overrun", 1.0), ("missed", 1.0), ("deadline", 22 / 97), ("count", None)],
)
def test_how_much_of_the_room_was_gone(name: str, expected: float | None) -> None:
    """Between the first sign and the deadline lie 22 minutes until the action and 75 that were left."""
    found = used_up(records.draft(margin=MARGINS[name]))
    assert found == (None if expected is None else pytest.approx(expected))


def test_where_less_is_worse_the_rest_is_gone() -> None:
    assert used_up(records.draft(margin=Margin("headroom", 2.0, "pods", "2 of 6 pods left", 6.0))) == pytest.approx(
        4 / 6
    )
    pods = Cited("hazard", records.event("p", "alert.fired", 0, value=1.0, limit=4.0, unit="pods", bound="min"))
    low = Margin("headroom", 1.0, "pods", "1 of 4 pods", 4.0)
    assert used_up(records.draft(margin=low, evidence=(*records.evidence(), pods))) == 0.75
    assert used_up(records.draft(margin=None)) is None


@pytest.mark.parametrize("span", [MINUTE, 22 * MINUTE, HOUR, 9 * HOUR, DAY, 3 * DAY, 7 * DAY])
async def test_a_row_draws_time_on_one_scale_and_it_can_be_read_back(desk: Desk, span: int) -> None:
    margin = Margin("elapsed", span / SECOND, "seconds", "some time from first sign to action")
    await desk.put(records.draft(margin=margin, told_from=records.at(0), told_to=Instant(records.at(0) + span)))
    row = (await desk.http.get("/")).text.partition('id="row-nm-1"')[2]
    wide = float(re.findall(r'gauge__used"[^>]* width="([\d.]+)"', row)[0])
    read = SHORTEST * (LONGEST / SHORTEST) ** (wide / 68)
    assert wide == 2 if span == SHORTEST else read == pytest.approx(span, 0.05)
    marks = [float(at) for at in re.findall(r'gauge__mark" d="M([\d.]+) ', row)]
    ends = [SHORTEST * (LONGEST / SHORTEST) ** ((at - 0.5) / 68) for at in marks]
    assert ends == [pytest.approx(HOUR, 0.05), pytest.approx(DAY, 0.05)]


@pytest.mark.parametrize(("times", "dots", "more"), [(1, 1, False), (5, 5, False), (9, 9, False), (14, 9, True)])
async def test_a_row_draws_a_dot_for_each_time(desk: Desk, times: int, dots: int, more: bool) -> None:
    said = Margin("count", float(times), "times", f"seen {times} times before action")
    await desk.put(records.draft(margin=said))
    row = (await desk.http.get("/")).text.partition('id="row-nm-1"')[2]
    assert (row.count("<circle class="), "gauge__limit" in row) == (dots, more)


def test_every_measure_has_its_bar_and_a_level_without_a_limit_none() -> None:
    looks = {name: gauge(records.draft(margin=margin)) for name, margin in MARGINS.items()}
    assert {name: found and found.look for name, found in looks.items()} == {
        "headroom": "room", "overrun": "room", "deadline": "room", "missed": "room", "count": "count"
    }  # fmt: skip
    assert gauge(records.draft(margin=Margin("headroom", 96.0, "percent", "96% used"))) is None
    usual = gauge(records.draft(margin=None))
    assert isinstance(usual, Gauge)
    assert usual.look == "time"
    assert usual.part == pytest.approx(0.335, abs=0.01)


async def test_title_margin_and_picture_have_one_beginning_and_the_facts_say_theirs(desk: Desk) -> None:
    """Of two stories in one draft the later one names it; another act came before its own."""
    act = records.event("c2", "change.deployed", 34, title="Raised the quota")
    await desk.put(
        records.draft(
            margin=Margin("headroom", 96.0, "percent", "96% used", 100.0),
            evidence=(*records.evidence(), Cited("intervention", act)),
            title="Disk of pg-3 – 96% used – space made after 24 min",
            told_from=records.at(10),
            told_to=records.at(34),
        )
    )
    html = (await desk.http.get("/near-misses/nm-1")).text
    assert re.findall(r"<text[^>]*>([^<]*to action)", html) == ["24 min to action"] * 2
    began = moment(records.at(10))
    assert f"The title is about the story that began on {began} UTC and was acted on 24 min later." in html
    assert how_close(records.draft(margin=None, told_from=records.at(10), told_to=records.at(34))) == "24 min to action"


async def test_a_row_draws_the_margin_and_says_it_once(desk: Desk) -> None:
    said = Margin("headroom", 96.0, "percent", "96% used", 100.0)
    await desk.put(
        records.draft("nm-1", margin=said, title="pg-3: disk filling up – 96% used – space made after 22 min"),
        records.draft("nm-2", margin=said, title="The disk of pg-3 nearly filled up"),
        records.draft("nm-3", margin=None, title="checkout: bad deploy – 22 min in – rolled back"),
    )
    html = (await desk.http.get("/")).text
    rows = {row[:4]: row for row in re.findall(r'id="row-(.*?</li>)', html, re.DOTALL)}
    read = {name: re.sub(r"<[^>]+>", "", row.partition(">")[2]) for name, row in rows.items()}
    assert [read[name].count("96% used") for name in ("nm-1", "nm-2")] == [1, 1]
    assert read["nm-3"].count("22 min") == 1
    looks = [re.findall(r"gauge--(\w+)", rows[name]) for name in ("nm-1", "nm-2", "nm-3")]
    assert looks == [["room"], ["room"], ["time"]]
    assert "row__close" not in rows["nm-1"] + rows["nm-3"]
    assert 'width="65.3"' in rows["nm-1"]
