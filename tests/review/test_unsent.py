"""Nothing that is typed is lost, in a real browser: offline, no answer, a sign-in that ended, and two tabs at once."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from html.parser import HTMLParser
from pathlib import Path

import pytest
from playwright.async_api import Browser, Page, expect

from monitor.core.model.events import HOUR
from monitor.review.auth import Account, Auth
from monitor.review.permissions import Access, Grants
from monitor.review.sign_in.people import SignIn
from tests.review.conftest import Desk
from tests.support import records
from tests.support.browser import Watched, a_browser, a_page, serving

SECRET = "correct horse battery"
TEMPLATES = Path("monitor/review/templates")


@pytest.fixture
async def browser() -> AsyncIterator[Browser]:
    async with a_browser() as opened:
        yield opened


@pytest.fixture
async def address(desk: Desk) -> AsyncIterator[str]:
    await desk.put(records.draft("nm-1"), records.draft("nm-2", rank=9.0))
    async with serving(desk.app) as found:
        yield found


async def is_said(page: Page, words: str) -> None:
    said = page.locator("#unsent")
    await expect(said).to_contain_text(words, use_inner_text=True)
    await expect(said).to_be_in_viewport()


def unexpected(watched: Watched) -> list[str]:
    """What the browser complained about, but for requests that failed as they should; htmx notes these too."""
    return [said for said in watched.complaints if not re.search(r"net::ERR_|status of 401|^htmx:|Code 401", said)]


@pytest.mark.browser
async def test_offline_a_draft_page_stays_says_so_and_sends_later(desk: Desk, browser: Browser, address: str) -> None:
    async with a_page(browser) as watched:
        page = watched.page
        await page.goto(f"{address}/near-misses/nm-1")
        await page.locator("#f-text").fill("A comment beside it")
        await page.context.set_offline(True)
        await page.locator("#f-why_near_miss").fill("Typed in a tunnel")
        await page.get_by_role("button", name="Accept as a near miss").click()
        await is_said(page, "Not sent: this browser is offline. What you typed stays here.")
        await expect(page.locator("#f-why_near_miss")).to_have_value("Typed in a tunnel")
        assert (await desk.get("/near-misses/nm-1"))["state"] == "draft"

        await page.context.set_offline(False)
        await is_said(page, "The network is back.")
        await page.get_by_role("button", name="Accept as a near miss").click()
        await expect(page.get_by_role("status")).to_contain_text("Accepted")
        # A comment that was not sent is no part of the decision, and stays.
        await expect(page.locator("#f-text")).to_have_value("A comment beside it")
        assert unexpected(watched) == []
    record = await desk.get("/near-misses/nm-1")
    assert (record["state"], record["answers"]["why_near_miss"]) == ("accepted", "Typed in a tunnel")


@pytest.mark.browser
async def test_offline_a_row_of_the_queue_keeps_its_panel_and_its_keys(
    desk: Desk, browser: Browser, address: str
) -> None:
    async with a_page(browser) as watched:
        page = watched.page
        await page.goto(address)
        await page.locator("#row-nm-1 .row__link").focus()
        await page.keyboard.press("a")
        await page.locator("#row-nm-1 textarea").first.fill("Typed in a tunnel")
        await page.context.set_offline(True)
        await page.keyboard.press("Control+Enter")
        await is_said(page, "this browser is offline")
        await expect(page.locator("#row-nm-1 textarea").first).to_have_value("Typed in a tunnel")
        await page.context.set_offline(False)
        await is_said(page, "The network is back.")
        await page.keyboard.press("Control+Enter")
        await expect(page.locator("#row-nm-1")).to_contain_text("Accepted.")
        await expect(page.locator("#unsent")).to_be_hidden()

        # A key that needs no text says as well that nothing came of it, and works again afterwards.
        await page.locator("#row-nm-2 .row__link").focus()
        await page.context.set_offline(True)
        await page.keyboard.press("s")
        await is_said(page, "this browser is offline")
        await page.context.set_offline(False)
        await page.keyboard.press("s")
        await expect(page.locator("#row-nm-2")).to_contain_text("Snoozed until")
        assert unexpected(watched) == []
    assert (await desk.get("/near-misses/nm-1"))["answers"]["why_near_miss"] == "Typed in a tunnel"


@pytest.mark.browser
async def test_a_page_that_is_closed_offline_has_its_text_when_it_is_opened_again(
    browser: Browser, address: str
) -> None:
    fields = {"/near-misses/nm-1": ["#f-why_near_miss", "#f-text", "#f-into"], "/report": ["#story"]}
    async with a_page(browser) as watched:
        for path, names in fields.items():
            page = await watched.page.context.new_page()
            await page.goto(address + path)
            for each in await page.locator(".moves summary").all():
                await each.click()
            await page.context.set_offline(True)
            for name in names:
                await page.locator(name).fill(f"Typed into {name}")
            await page.close()
            await watched.page.context.set_offline(False)
            await watched.page.goto(address + path)
            for name in names:
                await expect(watched.page.locator(name)).to_have_value(f"Typed into {name}")
                await expect(watched.page.locator(name)).to_be_visible()


@pytest.mark.browser
async def test_a_service_that_does_not_answer_is_said_where_the_form_is(browser: Browser, address: str) -> None:
    async with a_page(browser) as watched:
        page = watched.page
        await page.goto(f"{address}/report")
        await page.locator("#story").fill("Half a report")
        await page.route("**/*", lambda route: route.abort("connectionrefused"))
        await page.get_by_role("button", name="Send the report").click()
        await is_said(page, "Not sent: nearmiss does not answer. What you typed stays here.")
        await page.unroute("**/*")
        await page.get_by_role("button", name="Send the report").click()
        await expect(page.get_by_role("alert").first).to_contain_text("Not sent yet")
        await expect(page.locator("#story")).to_have_value("Half a report")
        assert [said for said in unexpected(watched) if "422" not in said] == []


@pytest.mark.browser
async def test_a_sign_in_that_ended_leads_back_to_what_was_typed(desk: Desk, browser: Browser) -> None:
    await desk.put(records.draft("nm-1"), records.draft("nm-2", rank=9.0))
    auth = Auth([Account("ada", "on call", SECRET, Grants(Access.REVIEWER))])
    app = desk.build(sign_in=SignIn(auth, desk.clock, desk.store.access))

    async def sign_in(page: Page) -> None:
        await page.get_by_label("Name").fill("ada")
        await page.get_by_label("Password").fill(SECRET)
        await page.get_by_role("button", name="Sign in").click()
        # Without the scripts of the next page, which come after its text, nothing is kept and a link is a link.
        await expect(page.locator(".top__who")).to_be_visible()
        await page.wait_for_load_state("load")

    async with serving(app) as address, a_page(browser) as watched:
        page = watched.page
        await page.goto(f"{address}/near-misses/nm-1")
        await sign_in(page)
        await page.locator("#f-why_near_miss").fill("Typed for half a day")
        desk.clock.advance(12 * HOUR + 1)
        await page.get_by_role("button", name="Accept as a near miss").click()
        await sign_in(page)
        await expect(page.locator("#f-why_near_miss")).to_have_value("Typed for half a day")
        await page.get_by_role("button", name="Accept as a near miss").click()
        await expect(page.get_by_role("status")).to_contain_text("Accepted")

        await page.goto(address)
        await page.locator("#row-nm-2 [data-act=accept]").click()
        await page.locator("#row-nm-2 textarea").first.fill("Typed in the row")
        desk.clock.advance(12 * HOUR + 1)
        await page.locator("#row-nm-2 .button--primary").click()
        await is_said(page, "Not sent: your sign-in has ended.")
        await page.get_by_role("link", name="sign in").click()
        await sign_in(page)
        await page.locator("#row-nm-2 [data-act=accept]").click()
        await expect(page.locator("#row-nm-2 textarea").first).to_have_value("Typed in the row")
        await page.locator("#row-nm-2 .button--primary").click()
        await expect(page.locator("#row-nm-2")).to_contain_text("Accepted.")
        assert unexpected(watched) == []


async def test_only_a_browser_is_led_back_and_only_to_a_page_of_this_service(desk: Desk) -> None:
    auth = Auth([Account("ada", "on call", SECRET)])
    http = desk.client(desk.build(sign_in=SignIn(auth, desk.clock, desk.store.access)))
    looks = {"accept": "text/html"}
    for referer, to in (
        ("http://localhost:8080/near-misses/nm-1?zoom=2", "%2Fnear-misses%2Fnm-1"),
        ("http://[", "%2F"),
        ("", "%2F"),
    ):
        sent = await http.post("/near-misses/nm-1/comments", data={"text": "x"}, headers={**looks, "referer": referer})
        assert (sent.status_code, sent.headers["location"]) == (303, f"/login?next={to}"), referer
    for headers in ({**looks, "hx-request": "true"}, {"accept": "*/*", "sec-fetch-mode": "cors"}):
        asked = await http.post("/near-misses/nm-1/comments", headers=headers)
        assert (asked.status_code, "www-authenticate" in asked.headers) == (401, False), headers
    program = await http.post("/near-misses/nm-1/comments")
    assert (program.status_code, "www-authenticate" in program.headers) == (401, True)
    away = await http.get("/login", params={"next": "//elsewhere.example/near-misses/nm-1"}, headers=looks)
    assert 'name="next" value="/"' in away.text


@pytest.mark.browser
async def test_two_tabs_keep_a_version_each_until_it_is_sent(browser: Browser, address: str) -> None:
    async with a_page(browser) as watched:
        one, other = watched.page, await watched.page.context.new_page()
        field = "#f-why_near_miss"
        for page in (one, other):
            await page.goto(f"{address}/near-misses/nm-1")
        await one.locator(field).fill("From the first tab")
        await other.locator(field).fill("From the second tab")
        third = await watched.page.context.new_page()
        await third.goto(f"{address}/near-misses/nm-1")
        await expect(third.locator(field)).to_have_value("From the second tab")
        await expect(third.locator("[data-decide] .typed")).to_contain_text("From the first tab")
        await third.close()

        await other.close()
        await one.get_by_role("button", name="Accept as a near miss").click()
        await expect(one.locator("#decide > blockquote")).to_have_text("From the first tab")
        await expect(one.locator("#decide .typed")).to_contain_text("From the second tab")
        await one.get_by_role("button", name="Forget it").click()
        await one.goto(f"{address}/near-misses/nm-1")
        await expect(one.locator("#decide > blockquote")).to_have_text("From the first tab")
        await expect(one.locator("#decide .typed")).to_have_count(0)
        assert watched.complaints == []


@pytest.mark.browser
async def test_a_move_beside_the_decision_leaves_what_is_half_typed(browser: Browser, address: str) -> None:
    async with a_page(browser) as watched:
        page = watched.page
        await page.goto(f"{address}/near-misses/nm-1")
        await page.locator("#f-why_near_miss").fill("Half a sentence")
        for name in ("outcome", "barrier"):
            await page.locator(f"#f-{name} input").first.check()
        await page.get_by_role("button", name="Keep the risk").click()
        await expect(page.get_by_role("status")).to_contain_text("Risk 50 of 2,500")
        await expect(page.locator("#f-why_near_miss")).to_have_value("Half a sentence")
        assert watched.complaints == []


class _Forms(HTMLParser):
    """Forms with a field for text that is stored, and whether each is kept."""

    def __init__(self) -> None:
        super().__init__()
        self._form: dict[str, str | None] = {}
        self.unkept: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if tag == "form":
            self._form = given
        is_text = tag == "textarea" or (tag == "input" and given.get("type", "text") == "text")
        if is_text and self._form.get("method") == "post" and "data-keep" not in self._form:
            self.unkept.add(f"{self._form.get('action')}: {given.get('name')}")


def test_no_form_for_text_is_left_out() -> None:
    found = _Forms()
    for template in sorted(TEMPLATES.glob("*.html")):
        found.feed(template.read_text())
    assert found.unkept == {"/login: name"}
