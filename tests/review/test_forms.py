"""Forms in a real browser: a refusal is seen, located and focused, its address can be reloaded, and no text is lost."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest
from playwright.async_api import Browser, expect

from tests.review.conftest import Desk
from tests.support import records
from tests.support.browser import a_browser, a_page, serving


@pytest.fixture
async def browser() -> AsyncIterator[Browser]:
    async with a_browser() as opened:
        yield opened


@pytest.fixture
async def address(desk: Desk) -> AsyncIterator[str]:
    await desk.put(records.draft("nm-1", verdict="unknown"), records.draft("nm-2", rank=9.0))
    async with serving(desk.app) as found:
        yield found


@dataclass(frozen=True)
class Refused:
    """A form that is sent without what it needs: its page, what is typed, the button, and the first wrong field."""

    path: str
    button: str
    typed: str
    first_wrong: str
    wrong: int
    opens: str = ""


FORMS = {
    "accept": Refused("/near-misses/nm-1", "Accept as a near miss", "#f-what_saved_it", "#f-why_near_miss", 2),
    "dismiss": Refused(
        "/near-misses/nm-1", "Dismiss", "#f-note", "#f-reason input >> nth=0", 1, opens="#dismiss summary"
    ),
    "comment": Refused("/near-misses/nm-1", "Add the comment", "", "#f-text", 1),
    "report": Refused("/report", "Send the report", "#story", "input[name=kind] >> nth=0", 3),
}


@pytest.mark.browser
@pytest.mark.parametrize("name", FORMS)
async def test_a_refused_form_says_where_and_keeps_what_was_typed(browser: Browser, address: str, name: str) -> None:
    form = FORMS[name]
    async with a_page(browser) as watched:
        page = watched.page
        await page.goto(address + form.path)
        if form.opens:
            await page.locator(form.opens).click()
        if form.typed:
            await page.locator(form.typed).fill("Half a thought of mine")
        await page.get_by_role("button", name=form.button, exact=True).click()

        summary = page.get_by_role("alert")
        await expect(summary).to_contain_text(f"Not sent yet: {form.wrong} answer")
        await expect(summary.locator("a")).to_have_count(form.wrong)
        await expect(page.locator(".error")).to_have_count(form.wrong)
        await expect(page.locator(form.first_wrong)).to_be_focused()
        await expect(page.locator(form.first_wrong)).to_be_in_viewport()
        for link in await summary.locator("a").all():
            assert await page.locator(await link.get_attribute("href") or "").count() == 1
        if form.typed:
            await expect(page.locator(form.typed)).to_have_value("Half a thought of mine")

        answer = await page.goto(page.url.split("#")[0])
        assert answer is not None
        assert answer.status == 200
        await page.reload()
        if form.typed:
            await expect(page.locator(form.typed)).to_have_value("Half a thought of mine")
        assert [said for said in watched.complaints if "422" not in said] == []


async def test_the_addresses_of_forms_can_be_entered_again(desk: Desk) -> None:
    await desk.put(records.draft())
    for form, part in (("decision", "decide"), ("comments", "trail")):
        answer = await desk.http.get(f"/near-misses/nm-1/{form}")
        assert (answer.status_code, answer.headers["location"]) == (303, f"/near-misses/nm-1#{part}")
    bare = await desk.http.post("/near-misses/nm-1/decision", data={})
    assert bare.status_code == 422
    assert "Choose accept or dismiss." in bare.text


@pytest.mark.browser
async def test_text_survives_esc_and_leaving_and_goes_once_it_was_sent(browser: Browser, address: str) -> None:
    async with a_page(browser) as watched:
        page = watched.page
        await page.goto(address)
        await page.locator("#row-nm-2 [data-act=accept]").click()
        await page.locator("#row-nm-2 textarea").first.fill("Nobody had looked")
        await page.keyboard.press("Escape")
        await expect(page.locator("#row-nm-2 .panel")).to_have_count(0)
        await page.locator("#row-nm-2 [data-act=accept]").click()
        await expect(page.locator("#row-nm-2 textarea").first).to_have_value("Nobody had looked")

        await page.goto(f"{address}/near-misses/nm-2")
        await expect(page.locator("#f-why_near_miss")).to_have_value("Nobody had looked")
        await page.locator("#f-text").fill("A comment")
        await page.reload()
        await expect(page.locator("#f-text")).to_have_value("A comment")
        await page.get_by_role("button", name="Add the comment").click()
        await expect(page.locator(".trail")).to_contain_text("A comment")
        await expect(page.locator("#f-text")).to_have_value("")
        await expect(page.locator("#f-why_near_miss")).to_have_value("Nobody had looked")
        await page.get_by_role("button", name="Accept as a near miss").click()
        await expect(page.get_by_role("status")).to_contain_text("Accepted")
        await page.wait_for_load_state()
        assert await page.evaluate("Object.keys(localStorage).filter((key) => key.startsWith('typed:nm-2'))") == []
        assert watched.complaints == []


@pytest.mark.browser
async def test_who_came_second_sees_both_versions(desk: Desk, browser: Browser, address: str) -> None:
    async with a_page(browser) as watched:
        page = watched.page
        for path, row in ((f"{address}/near-misses/nm-2", False), (address, True)):
            await page.goto(path)
            if row:
                await page.locator("#row-nm-1 [data-act=accept]").click()
                await page.locator("#row-nm-1 textarea").first.fill("Mine, of the row")
                await desk.decide("nm-1", decision="dismiss", reason="test_or_drill")
                await page.locator("#row-nm-1 .button--primary").click()
                await expect(page.locator("#row-nm-1")).to_contain_text("Reviewer dismissed it (test or drill)")
                await expect(page.locator("#row-nm-1 .typed")).to_contain_text("Mine, of the row")
            else:
                await page.locator("#f-why_near_miss").fill("Mine")
                await desk.accept("nm-2")
                await page.get_by_role("button", name="Accept as a near miss").click()
                await expect(page.get_by_role("alert")).to_contain_text("Reviewer accepted it")
                await expect(page.locator("#decide")).to_contain_text("Somebody knew about slots")
                await expect(page.locator("#decide .typed")).to_contain_text("Mine")


@pytest.mark.browser
async def test_on_a_phone_a_row_is_one_target_and_the_reasons_fit_a_screen(browser: Browser, address: str) -> None:
    async with a_page(browser, width=390, height=844) as watched:
        page = watched.page
        await page.goto(f"{address}/near-misses/nm-2")
        await page.locator("#dismiss summary").click()
        box = await page.locator("#f-reason").bounding_box()
        assert box is not None
        assert box["height"] < 844 / 2
        await page.goto(address)
        await page.locator("#row-nm-2 .row__why").click(force=True)
        await expect(page.locator("#decide")).to_be_visible()
        assert watched.complaints == []
