"""The values of a level, over time and against their limit: to scale, in the picture and in words."""

from __future__ import annotations

import re
from typing import Any

import pytest
from playwright.async_api import expect

from monitor.core.model.near_miss import Cited, Draft, Margin, State
from monitor.ports import Record
from monitor.review.curves import HEIGHT, Curve
from monitor.review.timeline import NARROW, WIDE, ZOOMS, Picture, Sheet, picture, zoomed
from tests.review.conftest import Desk
from tests.support import records
from tests.support.browser import a_browser, a_page, serving

LEVEL = Margin("headroom", 97.0, "percent", "97% used", 100.0)


def measured(*values: tuple[float, float], **more: Any) -> tuple[Cited, ...]:
    """Measurements at some minutes."""
    return tuple(
        Cited(
            "hazard",
            records.event(
                f"v{minute}", "alert.fired", minute, subject="disk", **{"limit": 100.0, "unit": "percent", **more},
                value=value,
            ),
        )
        for minute, value in values
    )  # fmt: skip


def drawn(sheet: Sheet = WIDE, **more: Any) -> Picture:
    fields: dict[str, Any] = {"margin": LEVEL, "evidence": measured((0, 50.0), (10, 97.0), (20, 100.0)), **more}
    return picture(Record(records.draft(**fields), State.DRAFT, 1), sheet)


def values(**more: Any) -> Curve:
    found = drawn(**more).values
    assert found is not None
    return found


def test_values_are_drawn_to_scale_against_their_limit() -> None:
    found = values()
    one, other, last = found.points
    assert one.x < other.x < last.x
    assert one.y > other.y > last.y == found.limit_y
    share = (one.y - other.y) / (one.y - found.limit_y)
    assert share == pytest.approx(47 / 50, abs=0.01)
    assert found.path.count("L") == 2


def test_beyond_the_limit_and_below_nothing_stay_in_their_lane() -> None:
    found = drawn(evidence=measured((0, 130.0), (5, 97.0), (10, -5.0)))
    assert found.values is not None
    lane = found.lanes[-1]
    assert lane.label == "Margin"
    assert all(lane.y <= point.y <= lane.y + HEIGHT for point in found.values.points)
    assert found.values.points[0].y < found.values.limit_y


@pytest.mark.parametrize(
    "more",
    [
        {"margin": None},
        {"margin": Margin("count", 3.0, "times", "seen 3 times")},
        {"evidence": measured((0, 97.0))},
        {"evidence": measured((0, 97.0), (5, 80.0), unit="bytes")},
        {"evidence": measured((0, 97.0), (5, 80.0), limit=200.0)},
        {"evidence": measured((0, 91.0), (5, 80.0))},
    ],
    ids=["no margin", "a count", "measured once", "of another unit", "of another limit", "other values"],
)
def test_without_two_values_of_the_margin_there_is_no_curve(more: dict[str, Any]) -> None:
    assert drawn(**more).values is None


@pytest.mark.parametrize("sheet", [WIDE, NARROW, *map(zoomed, ZOOMS)])
def test_the_words_lie_within_the_picture(sheet: Sheet) -> None:
    found = drawn(sheet)
    text, x, y, anchor = found.level
    assert text == "97% used"
    assert sheet.left < x < sheet.right
    assert found.lanes[-1].y < y < found.lanes[-1].y + HEIGHT
    assert anchor in ("start", "end")


def test_zoom_draws_time_longer_and_letters_as_large() -> None:
    whole, four = drawn(zoomed(1)), drawn(zoomed(4))
    assert zoomed(1) == WIDE
    assert four.height == whole.height
    assert four.acted_x - four.first_x == pytest.approx(4 * (whole.acted_x - whole.first_x), abs=0.5)
    assert len(four.ticks) > len(whole.ticks)


async def page(desk: Desk, draft: Draft, path: str) -> str:
    await desk.put(draft)
    return (await desk.http.get(path)).text


async def test_the_curve_has_a_twin_in_words(desk: Desk) -> None:
    html = await page(desk, records.draft(margin=LEVEL), "/near-misses/nm-1")
    said = "Values: 02:40 UTC: 91%; 02:54 UTC: 97%; limit 100."
    assert html.count(said) == 2
    assert "Disk of pg-3 is 97 % full (97%)" in re.sub(r"\s+", " ", html)


async def test_an_address_that_asks_for_another_zoom_is_refused(desk: Desk) -> None:
    await desk.put(records.draft())
    assert (await desk.http.get("/near-misses/nm-1?zoom=3")).status_code == 422


@pytest.mark.browser
async def test_every_event_is_reached_by_the_keyboard_and_the_picture_zooms(desk: Desk) -> None:
    await desk.put(records.draft(margin=LEVEL))
    async with serving(desk.app) as address, a_browser() as browser, a_page(browser) as watched:
        page = watched.page
        await page.goto(f"{address}/near-misses/nm-1")
        marks = page.locator(".picture--wide .tl-mark")
        await expect(marks).to_have_count(10)
        # One stop for Tab; arrows go on.
        await expect(page.locator(".picture--wide .tl-mark[tabindex='0']")).to_have_count(1)
        await page.locator(".picture--wide .tl-mark[tabindex='0']").focus()
        seen = []
        for _ in range(10):
            seen.append(await page.evaluate("document.activeElement.getAttribute('href')"))
            said = await page.evaluate("document.activeElement.dataset.tip")
            await expect(page.locator(".tip")).to_have_text(said)
            await page.keyboard.press("ArrowRight")
        assert seen == [f"#e{number}" for number in range(1, 11)]
        await page.keyboard.press("Home")
        await page.keyboard.press("Enter")
        assert page.url.endswith("#e1")
        await marks.nth(3).hover()
        await expect(page.locator(".tip")).not_to_have_text("")

        wide = await page.locator(".picture--wide svg").evaluate("each => each.getBoundingClientRect().width")
        for times in (2, 4):
            await page.keyboard.press("z")
            await expect(page.locator(".zoom [aria-current]")).to_have_text(f"{times}×")
            now = await page.locator(".picture--wide svg").evaluate("each => each.getBoundingClientRect().width")
            assert now == pytest.approx(times * wide, rel=0.02)
        assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        await page.keyboard.press("z")
        await expect(page.locator(".zoom [aria-current]")).to_have_text("Whole")
        assert watched.complaints == []
