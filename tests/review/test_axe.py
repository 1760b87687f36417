"""WCAG 2.2 AA as axe sees it: every page, in both themes and on a phone, also refused forms and open panels."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from axe_playwright_python.base import AXE_SCRIPT
from playwright.async_api import Browser, Page

from monitor.core.model.events import HOUR
from monitor.core.model.feed_views import FeedsView, FeedView, Watch
from monitor.review.auth import Account, Auth
from monitor.review.permissions import Access, Grants
from monitor.review.sign_in.people import SignIn
from tests.review.conftest import Desk
from tests.review.test_sources import arrive
from tests.support import records
from tests.support.browser import a_browser, a_page, serving

pytestmark = pytest.mark.browser

TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22a", "wcag22aa"]
LOOKS = {"light": (False, 1280), "dark": (True, 1280), "phone": (False, 390)}
CELLS = ("none",) * 8 + ("clear",) * 80 + ("blind",) * 4 + ("hurt",) * 4
FEED = FeedView("checkout", None, "blackbox", "synthetic", CELLS, (("stale", HOUR),), 2 * HOUR, "denied", None)
PATHS = (
    "/",
    "/?show=withdrawn",
    "/watching",
    "/bulk?by=view&show=all",
    "/near-misses/nm-002",
    "/near-misses/nm-001",
    "/near-misses/nm-001?around=true",
    "/near-misses/nm-001/export?hide=gateway",
    "/near-misses/nm-001/learning",
    "/report",
    "/report?done=near_miss",
    "/sources",
    "/feeds",
    "/setup",
    "/shift",
    "/told",
    "/chat",
    "/near-misses/nobody",
)


@pytest.fixture
async def browser() -> AsyncIterator[Browser]:
    async with a_browser() as opened:
        yield opened


async def violations(page: Page) -> list[str]:
    """Each as its rule, with the first element that breaks it."""
    await page.evaluate(AXE_SCRIPT)
    found = await page.evaluate("tags => axe.run({runOnly: {type: 'tag', values: tags}})", TAGS)
    assert found["passes"], "axe looked at nothing"
    return [f"{each['id']}: {each['nodes'][0]['html'][:200]}" for each in found["violations"]]


@pytest.mark.parametrize("look", LOOKS)
async def test_no_page_breaks_a_rule(desk: Desk, browser: Browser, look: str) -> None:
    dark, width = LOOKS[look]
    await desk.put(*records.several(records.MONDAY))
    await desk.accept("nm-001")
    await arrive(desk)
    desk.feeds = FeedsView((FEED,), (Watch("checkout", ("blackbox",), None),))
    for body in (
        {"move": "assess", "outcome": "outage", "barrier": "luck"},
        {"move": "keep_open", "condition": "One of two gateways has the old certificate", "days": 7},
        {"move": "share", "share": "public"},
    ):
        await desk.http.post("/api/v1/near-misses/nm-001/settle", json=body)
    desk.add_chat_pages()
    async with serving(desk.app) as address, a_page(browser, dark=dark, width=width) as watched:
        for path in PATHS:
            await watched.page.goto(address + path)
            assert await violations(watched.page) == [], path
            assert await watched.page.evaluate("document.documentElement.scrollWidth") <= width, path

        await watched.page.goto(f"{address}/near-misses/nm-002")
        await watched.page.locator(".moves summary").click()
        await watched.page.locator("#decide .button--primary").click()
        await watched.page.locator("[aria-invalid=true]").first.wait_for()
        assert await violations(watched.page) == [], "a refused form"
        await watched.page.goto(address)
        for act in ("dismiss", "accept", "merge", "comment"):
            await watched.page.locator("#row-nm-000 .row__link").focus()
            await watched.page.keyboard.press(act[0])
            await watched.page.locator("#row-nm-000 .panel").wait_for()
            assert await violations(watched.page) == [], act
            if act == "comment":
                # A panel that was refused, too.
                await watched.page.keyboard.press("Control+Enter")
                await watched.page.locator("#row-nm-000 [aria-invalid=true]").wait_for()
                assert await violations(watched.page) == [], "a refused comment"
            await watched.page.keyboard.press("Escape")


async def test_neither_does_the_page_for_signing_in(desk: Desk, browser: Browser) -> None:
    auth = Auth([Account("ada", "on call", "correct horse battery", Grants(Access.REVIEWER))])
    app = desk.build(sign_in=SignIn(auth, desk.clock, desk.store.access))
    async with serving(app) as address, a_page(browser, width=390) as watched:
        await watched.page.goto(f"{address}/login")
        assert await violations(watched.page) == []
        await watched.page.get_by_label("Name").fill("ada")
        await watched.page.get_by_label("Password").fill("correct horse battery")
        await watched.page.get_by_role("button", name="Sign in").click()
        await watched.page.locator(".top__who").wait_for()
        await watched.page.goto(f"{address}/account")
        assert await violations(watched.page) == []
