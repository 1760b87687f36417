"""Each journey of a reviewer in a real browser, on both databases; what they saw is kept in `build/screenshots`."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from playwright.async_api import Browser, Page, expect

from monitor.store.database import open_store
from tests.review.conftest import Desk
from tests.support import records
from tests.support.browser import a_browser, a_page, serving
from tests.support.postgres import postgres_server, postgres_url
from tests.support.stores import sqlite_template, sqlite_url, store_url

__all__ = ["postgres_server", "postgres_url", "sqlite_template", "sqlite_url", "store_url"]

SHOTS = Path(os.environ.get("NEARMISS_SHOTS", Path(__file__).resolve().parents[2] / "build" / "screenshots"))
PHONE = 390


@pytest.fixture
async def full(store_url: str, tmp_path: Path) -> AsyncIterator[Desk]:
    async with open_store(store_url) as store:
        saved = await store.engine_store.acquire("test")
        made = Desk(store, saved.epoch, tmp_path / "nearmiss.db")
        async with made.http:
            await made.put(*records.several(records.MONDAY, 10))
            yield made


@pytest.fixture
async def browser() -> AsyncIterator[Browser]:
    async with a_browser() as opened:
        yield opened


class Album:
    """The pictures of one journey, numbered in their order."""

    def __init__(self, page: Page, store_url: str, journey: str) -> None:
        self._page, self._name = page, f"{store_url.partition(':')[0]}-{journey}"
        self._count = 0

    async def keep(self, what: str) -> None:
        self._count += 1
        await self._page.screenshot(path=SHOTS / f"{self._name}-{self._count}-{what}.png", full_page=True)

    async def fits(self) -> None:
        """Nothing of the page is wider than the screen."""
        assert await self._page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")


@pytest.mark.browser
async def test_ten_drafts_by_the_keyboard(browser: Browser, full: Desk, store_url: str) -> None:
    async with serving(full.app) as address, a_page(browser) as watched:
        page, album = watched.page, Album(watched.page, store_url, "keyboard")
        await page.goto(address)
        await album.keep("queue")
        keys = page.keyboard
        await keys.press("j")
        for place in range(4):
            row = page.locator(f"#row-nm-00{place}")
            await expect(row.locator(".row__link")).to_be_focused()
            await keys.press("d")
            await expect(row.locator(".reasons")).to_be_visible()
            if not place:
                await album.keep("reasons")
            await keys.press("r")
            await expect(row).to_contain_text("Dismissed: routine.")
        await keys.press("u")
        await expect(page.locator("#row-nm-003 .row__title")).to_be_visible()
        await keys.press("s")
        await expect(page.locator("#row-nm-003")).to_contain_text("Snoozed until")
        for place in (4, 5):
            row = page.locator(f"#row-nm-00{place}")
            await expect(row.locator(".row__link")).to_be_focused()
            await keys.press("a")
            await expect(row.locator("textarea").first).to_be_focused()
            await keys.type("It was close")
            if place == 5:  # no feed could tell: the form asks
                await row.locator("input[name=users_hit][value=no]").check()
            await keys.press("Control+Enter")
            await expect(row).to_contain_text("Accepted.")
        await expect(page.locator("#row-nm-006 .row__link")).to_be_focused()
        await keys.press("m")
        await expect(page.locator("#row-nm-006 .panel").get_by_label("Merge into")).to_be_focused()
        await keys.type("nm-004")
        await keys.press("Control+Enter")
        await expect(page.locator("#row-nm-006")).to_contain_text("Merged")
        for place in (7, 8, 9):
            row = page.locator(f"#row-nm-00{place}")
            await expect(row.locator(".row__link")).to_be_focused()
            await keys.press("d")
            await expect(row.locator(".reasons")).to_be_visible()
            await keys.press("f")
            await expect(row).to_contain_text("Dismissed")
        await album.keep("judged")
        await page.goto(address)
        await expect(page.locator("main")).to_contain_text("judged")
        await album.keep("empty")
        assert watched.complaints == []
    states = {f"nm-00{place}": (await full.get(f"/near-misses/nm-00{place}"))["state"] for place in range(10)}
    expected = {"dismissed": 6, "reopened": 1, "accepted": 2, "merged": 1}
    assert Counter(states.values()) == expected


@pytest.mark.browser
@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
async def test_a_draft_is_refused_accepted_and_learned_from(
    browser: Browser, full: Desk, store_url: str, *, dark: bool
) -> None:
    async with serving(full.app) as address, a_page(browser, dark=dark) as watched:
        page, album = watched.page, Album(watched.page, store_url, f"draft-{'dark' if dark else 'light'}")
        await page.goto(f"{address}/near-misses/nm-000")
        await album.keep("draft")
        await page.get_by_role("button", name="Accept as a near miss").click()
        await expect(page.locator("#f-why_near_miss")).to_be_focused()
        await album.keep("refused")
        await page.keyboard.type("A replication slot held the disk")
        await page.keyboard.press("Control+Enter")
        await expect(page.get_by_role("status")).to_contain_text("Accepted.")
        await album.keep("accepted")
        await page.get_by_role("link", name="Learn from it").click()
        await album.keep("learning")
        await page.go_back()
        await page.get_by_role("link", name="Export").click()
        await album.keep("export")
        await album.fits()
        assert [said for said in watched.complaints if "422" not in said] == []


@pytest.mark.browser
@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
async def test_on_a_phone(browser: Browser, full: Desk, store_url: str, *, dark: bool) -> None:
    async with serving(full.app) as address, a_page(browser, dark=dark, width=PHONE, height=844) as watched:
        page, album = watched.page, Album(watched.page, store_url, f"phone-{'dark' if dark else 'light'}")
        await page.goto(address)
        await album.keep("queue")
        await album.fits()
        # Beside the words of the title, too: the whole row is the target.
        await page.locator("#row-nm-000").click(position={"x": 8, "y": 8})
        await expect(page.locator("#decide")).to_be_visible()
        await album.keep("draft")
        await album.fits()
        await page.locator("#dismiss summary").click()
        reasons = page.get_by_label("Why it is not a near miss")
        await expect(reasons).to_be_visible()
        await expect(page.locator("#dismiss input[type=radio]").first).to_be_hidden()
        await page.get_by_role("button", name="Dismiss", exact=True).click()
        await expect(page.locator("#f-reason-error")).to_contain_text("Choose a reason.")
        await album.keep("refused")
        await page.get_by_label("Why it is not a near miss").select_option("planned_work")
        await page.get_by_role("button", name="Dismiss", exact=True).click()
        await expect(page.get_by_role("status")).to_contain_text("Dismissed: planned")
        await album.keep("dismissed")
        await album.fits()
        for place in ("report", "sources", "setup", "watching"):
            await page.goto(f"{address}/{place}")
            await album.keep(place)
            await album.fits()
    assert (await full.get("/near-misses/nm-000"))["reason"] == "planned_work"


@pytest.mark.browser
async def test_several_at_once_and_something_weird(browser: Browser, full: Desk, store_url: str) -> None:
    async with serving(full.app) as address, a_page(browser) as watched:
        page, album = watched.page, Album(watched.page, store_url, "several")
        await page.goto(address)
        await page.get_by_role("button", name="All of this view").click()
        await expect(page.locator("h1")).to_have_text("10 drafts at once")
        await album.keep("preview")
        await page.keyboard.press("t")
        await page.keyboard.press("Control+Enter")
        await expect(page.locator("h1")).to_contain_text("10 dismissed")
        await album.keep("done")
        await page.get_by_role("button", name="Undo").click()
        await expect(page.locator("h1")).to_contain_text("10 reopened")
        await page.goto(f"{address}/report")
        await page.locator("textarea").first.fill("The disk of payments-db shrank by itself")
        await album.keep("report")
        assert watched.complaints == []
