"""In a real browser: ten drafts over coffee, from the keyboard, in light and dark, on a phone, and without scripts."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Literal

import pytest
from playwright.async_api import Browser, expect

from tests.review.conftest import Desk
from tests.support import records
from tests.support.browser import Watched, a_browser, a_page, serving

pytestmark = pytest.mark.browser


@pytest.fixture
async def browser() -> AsyncIterator[Browser]:
    async with a_browser() as opened:
        yield opened


@pytest.fixture
async def address(desk: Desk) -> AsyncIterator[str]:
    await desk.put(*records.several(records.MONDAY))
    async with serving(desk.app) as found:
        yield found


@pytest.fixture
async def watched(browser: Browser, address: str) -> AsyncIterator[Watched]:
    async with a_page(browser) as opened:
        await opened.page.goto(address)
        yield opened
        assert opened.complaints == []


async def test_drafts_are_judged_from_the_keyboard(desk: Desk, watched: Watched) -> None:
    page = watched.page
    press = page.keyboard.press
    await press("j")
    await expect(page.locator("#row-nm-000 .row__link")).to_be_focused()
    await press("j")
    await press("k")
    await expect(page.locator("#row-nm-000 .row__link")).to_be_focused()

    await press("d")
    await expect(page.locator("#row-nm-000 .reasons")).to_be_visible()
    await press("r")
    await expect(page.locator("#row-nm-000")).to_contain_text("Dismissed: routine.")
    await expect(page.locator("#row-nm-001 .row__link")).to_be_focused()

    await press("a")
    await expect(page.locator("#row-nm-001 textarea").first).to_be_focused()
    await page.keyboard.type("Nobody had looked at the expiry")
    await press("Control+Enter")
    await expect(page.locator("#row-nm-001")).to_contain_text("Accepted.")
    await expect(page.locator(".tab[aria-current] .tab__count")).to_have_text("8")

    await page.locator("#row-nm-000 button", has_text="Undo").click()
    await expect(page.locator("#row-nm-000 .row__title")).to_be_visible()
    found = {item["id"]: item["state"] for item in (await desk.get("/near-misses"))["items"]}
    assert (found["nm-000"], found["nm-001"]) == ("reopened", "accepted")

    await press("Enter")
    await expect(page.locator("h1")).to_have_text("The disk of payments-db was 18 minutes from full")


async def test_the_impact_question_is_asked_where_impact_is_unverified(browser: Browser, address: str) -> None:
    async with a_page(browser) as watched:
        page = watched.page
        await page.goto(address)
        await page.locator("#row-nm-002 [data-act=accept]").click()
        await page.locator("#row-nm-002 textarea").first.fill("Rolled back by the deployer")
        await page.keyboard.press("Control+Enter")
        await expect(page.locator("#row-nm-002 .error")).to_contain_text("say whether users were hit")
        await expect(page.locator("#row-nm-002 textarea").first).to_have_value("Rolled back by the deployer")
        await page.locator("#row-nm-002").get_by_label("No, users were spared").check()
        await page.locator("#row-nm-002 .button--primary").click()
        await expect(page.locator("#row-nm-002")).to_contain_text("Accepted.")
        # The browser itself notes an answer of 422, which is how a form learns that something is missing.
        assert [said for said in watched.complaints if "422" not in said] == []


async def test_a_draft_is_decided_on_its_page(desk: Desk, watched: Watched) -> None:
    page = watched.page
    await page.locator("#row-nm-004 .row__link").click()
    await expect(page.locator("svg.tl .tl-mark:visible")).to_have_count(10)
    await page.get_by_label("What made it a near miss?").fill("The last two pods carried everything")
    await page.get_by_role("button", name="Accept as a near miss").click()
    await expect(page.locator(".banner")).to_contain_text("Accepted")
    await expect(page.locator("#trail")).to_contain_text("Reviewer accepted it as a near miss")
    assert (await desk.get("/near-misses/nm-004"))["state"] == "accepted"
    # The next one is a key away.
    await expect(page.get_by_role("link", name="Next draft →")).to_be_focused()
    await page.keyboard.press("Enter")
    await expect(page.locator(".columns__side .keys")).to_contain_text("Ctrl Enter send the form")


async def test_on_a_phone_dismiss_leads_to_the_form(browser: Browser, address: str) -> None:
    async with a_page(browser, width=390) as watched:
        page = watched.page
        await page.goto(f"{address}/near-misses/nm-002")
        await page.get_by_role("link", name="Dismiss …").click()
        await expect(page.locator("#dismiss summary")).to_be_in_viewport()
        await expect(page.get_by_role("combobox", name="Why it is not a near miss")).to_be_in_viewport()


async def test_the_way_back_leads_to_the_view_that_was_left(watched: Watched) -> None:
    page = watched.page
    await page.locator("#row-nm-004 .fact--service").click()
    # A click returns before the browser arrives, and the rows of the page being left can still be clicked.
    await expect(page).to_have_url(re.compile(r"/\?service=ingress$"))
    narrowed = page.url
    await page.locator(".row__link").first.click()
    await expect(page.locator("#trail")).to_be_visible()
    await page.get_by_role("button", name="I am looking into it").click()
    await expect(page.locator("#trail")).to_contain_text("started the review")
    await expect(page.locator("[data-back]")).to_have_attribute("href", "/?service=ingress")
    await page.keyboard.press("Escape")
    await expect(page.locator(".filters")).to_contain_text("service ingress")
    assert page.url == narrowed


async def test_a_page_that_is_open_learns_of_new_drafts(desk: Desk, watched: Watched) -> None:
    await expect(watched.page.locator(".row")).to_have_count(10)
    await desk.put(records.draft("fresh", title="A fresh one", rank=20.0))
    desk.clock.advance(3_000_000)
    await expect(watched.page.locator(".row").first).to_contain_text("A fresh one")


async def test_a_page_in_use_is_not_changed_under_the_hands(desk: Desk, watched: Watched) -> None:
    page = watched.page
    await page.keyboard.press("j")
    await page.keyboard.press("a")
    await page.keyboard.type("Half a sen")
    await desk.put(records.draft("fresh", title="A fresh one", rank=20.0))
    desk.clock.advance(3_000_000)
    await expect(page.locator("#stale")).to_contain_text("One more draft.")
    await expect(page.locator("#row-nm-000 textarea").first).to_have_value("Half a sen")


async def test_without_scripts_everything_still_works(browser: Browser, address: str, desk: Desk) -> None:
    async with a_page(browser, scripts=False) as watched:
        page = watched.page
        await page.goto(address)
        await page.locator("#row-nm-003 [data-act=dismiss]").click()
        await page.locator("#dismiss summary").click()
        await page.get_by_label("Test or drill").check()
        await page.locator("#dismiss").get_by_role("button", name="Dismiss").click()
        await expect(page.locator(".banner")).to_contain_text("Dismissed: test or drill.")
        await page.get_by_role("textbox", name="Comment").fill("It was the Thursday drill")
        await page.get_by_role("button", name="Add the comment").click()
        await expect(page.locator("#trail")).to_contain_text("It was the Thursday drill")
        assert watched.complaints == []
    assert (await desk.get("/near-misses/nm-003"))["reason"] == "test_or_drill"


async def test_somebody_reports_what_no_tool_saw(desk: Desk, browser: Browser, address: str) -> None:
    """From the queue to the thanks, by keyboard; what is missing is said beside its field."""
    async with a_page(browser) as watched:
        page = watched.page
        await page.goto(address)
        await page.get_by_role("link", name="Report a near miss").click()
        await page.get_by_role("button", name="Send the report").click()
        await expect(page.get_by_role("alert")).to_contain_text("Not sent yet: 4 answers are missing or wrong.")
        await expect(page.locator("#story-error")).to_have_text("Describe what you saw in a sentence.")
        await page.get_by_label("It nearly went wrong").check()
        await page.get_by_role("combobox", name="Service").fill("checkout")
        await page.get_by_label("What did you see?").fill("The job had begun to send everything twice")
        await page.get_by_role("radio", name="No", exact=True).check()
        await page.keyboard.press("Enter")
        await expect(page.get_by_role("status")).to_contain_text("Thank you, your report is stored")
        await page.reload()
        assert [said for said in watched.complaints if "422" not in said] == []
    (event,) = await desk.journal()
    assert (event.service, event.labels["report"]) == ("checkout", "near_miss")


LOOKS = {"light": (False, 1280), "dark": (True, 1280), "phone": (False, 360), "tablet": (True, 800)}
"""Dark or not, and the width."""


async def test_it_fits_and_can_be_read_everywhere(browser: Browser, address: str, tmp_path: Path) -> None:
    for name, (dark, width) in LOOKS.items():
        async with a_page(browser, dark=dark, width=width) as watched:
            page = watched.page
            for place, path in (
                ("queue", "/"),
                ("draft", "/near-misses/nm-002"),
                ("empty", "/?show=withdrawn"),
                ("report", "/report"),
                ("thanks", "/report?done=near_miss"),
                ("sources", "/sources"),
            ):
                await page.goto(address + path)
                await page.screenshot(path=tmp_path / f"{place}-{name}.png", full_page=True)
                assert await page.evaluate("document.documentElement.scrollWidth") <= width, (place, name)
                assert await page.evaluate(CONTRAST) == [], f"too little contrast: {place}, {name}"
            assert watched.complaints == []


SQUEEZED = """() => {
  const end = (box) => box.getBoundingClientRect().bottom;
  const isPlaced = (box) => box.offsetHeight && getComputedStyle(box).float === "none";
  const boxes = [...document.querySelectorAll("main > *, .head > *")].filter(isPlaced);
  const over = boxes.slice(1).filter((box, place) => {
    const before = boxes[place];
    const ends = Math.max(end(before), ...[...before.querySelectorAll("a")].map(end));
    return box.parentElement === before.parentElement && box.getBoundingClientRect().top < ends - 1;
  });
  const tall = [...document.querySelectorAll("main *:not(svg *, td, th)")].filter((each) => !each.children.length
    && each.textContent.trim().length > 6 && each.offsetWidth < 40 && each.offsetHeight > 60);
  return [...over, ...tall].map((each) => each.outerHTML.slice(0, 100));
}"""
"""What lies over its neighbour, and words that are squeezed to a letter a line."""


@pytest.mark.parametrize("width", [390, 800, 1280])
async def test_nothing_lies_over_its_neighbour_or_is_squeezed(
    browser: Browser, address: str, desk: Desk, width: int
) -> None:
    await desk.accept("nm-000")
    async with a_page(browser, width=width) as watched:
        for path in ("/", "/near-misses/nm-000", "/near-misses/nm-001", "/near-misses/nm-000/learning", "/report"):
            await watched.page.goto(address + path)
            assert await watched.page.evaluate(SQUEEZED) == [], path


CONTRAST = """() => {
  const channel = (v) => { v /= 255; return v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4; };
  const canvas = document.createElement("canvas").getContext("2d", {willReadFrequently: true});
  const rgba = (color) => { canvas.clearRect(0, 0, 1, 1); canvas.fillStyle = color; canvas.fillRect(0, 0, 1, 1);
                            return [...canvas.getImageData(0, 0, 1, 1).data]; };
  const light = ([r, g, b]) => 0.2126 * channel(r) + 0.7152 * channel(g) + 0.0722 * channel(b);
  const over = (top, under) => top.slice(0, 3).map((v, i) => v * top[3] / 255 + under[i] * (1 - top[3] / 255));
  const ground = (element) => {
    const layers = [];
    for (let at = element; at; at = at.parentElement) layers.push(rgba(getComputedStyle(at).backgroundColor));
    return layers.reverse().reduce((under, top) => over(top, under), [255, 255, 255]);
  };
  const low = [];
  for (const element of document.querySelectorAll("body *:not(svg *)")) {
    const own = [...element.childNodes].some((node) => node.nodeType === 3 && node.textContent.trim());
    const box = element.getBoundingClientRect();
    if (!own || !box.width || !box.height || element.closest(".hidden, .skip")) continue;
    const style = getComputedStyle(element), under = ground(element), text = over(rgba(style.color), under);
    const [a, b] = [light(text), light(under)].sort((x, y) => y - x);
    const large = parseFloat(style.fontSize) >= 18.66 && parseInt(style.fontWeight) >= 700;
    const ratio = (a + 0.05) / (b + 0.05);
    const said = `${element.className}: ${element.textContent.trim().slice(0, 40)} ${ratio.toFixed(2)}`;
    if (ratio < (large ? 3 : 4.5)) low.push(said);
  }
  return low;
}"""
"""Every text that is seen against what lies under it: what WCAG AA asks for."""


MOVING = """() => [...document.querySelectorAll("*")].filter((element) => {
  const style = getComputedStyle(element);
  const lasts = (spans) => spans.split(",").some((span) => parseFloat(span) > 0);
  return lasts(style.transitionDuration) || style.animationName !== "none" || style.scrollBehavior === "smooth";
}).map((element) => element.outerHTML.slice(0, 80))"""
"""What moves by itself, or slides from one look to another."""


@pytest.mark.parametrize("motion", ["reduce", "no-preference"])
async def test_nothing_moves_for_who_asks_for_no_motion(
    browser: Browser, address: str, motion: Literal["reduce", "no-preference"]
) -> None:
    async with a_page(browser) as watched:
        page = watched.page
        await page.emulate_media(reduced_motion=motion)
        moving = {}
        for path in ("/", "/near-misses/nm-002", "/report", "/setup", "/sources"):
            await page.goto(address + path)
            moving[path] = await page.evaluate(MOVING)
        assert any(moving.values()) == (motion == "no-preference"), moving
        assert watched.complaints == []
