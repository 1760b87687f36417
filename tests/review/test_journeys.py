"""Each journey of a reviewer in a real browser, on both databases; what they saw is kept in `build/screenshots`."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from playwright.async_api import Browser, Page, expect

from monitor.core.model.catalogue import Catalogue, Service
from monitor.core.model.events import HOUR, Instant
from monitor.ports.chat import DestinationState
from monitor.review.auth import Account, Auth
from monitor.review.permissions import Access, Grants
from monitor.review.sign_in.people import SignIn
from monitor.store.database import open_store
from tests.review.conftest import Desk
from tests.support import records
from tests.support.browser import a_browser, a_page, serving
from tests.support.postgres import postgres_server, postgres_url
from tests.support.stores import sqlite_template, sqlite_url, store_url

__all__ = ["postgres_server", "postgres_url", "sqlite_template", "sqlite_url", "store_url"]

SHOTS = Path(os.environ.get("NEARMISS_SHOTS", Path(__file__).resolve().parents[2] / "build" / "screenshots"))
PHONE = 390
CATALOGUE = Catalogue(
    services={
        "payments-db": Service("payments-db", owner="team-storage", depends_on=()),
        "checkout": Service("checkout", owner="team-with-a-rather-long-name", user_facing=True),
    }
)
SECRET = "correct horse battery"


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
        asked = self._page.viewport_size
        assert asked is not None
        assert await self._page.evaluate("document.documentElement.scrollWidth") <= asked["width"], self._page.url


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
    full.ask_at_most(0, CATALOGUE)
    full.add_chat_pages()
    async with serving(full.app) as address, a_page(browser, dark=dark, width=PHONE, height=844) as watched:
        page, album = watched.page, Album(watched.page, store_url, f"phone-{'dark' if dark else 'light'}")
        await page.goto(address)
        await expect(page.get_by_label("Team")).to_be_visible()
        await album.keep("queue")
        await album.fits()
        # Beside the words of the title, too: the whole row is the target.
        await page.locator("#row-nm-000").click(position={"x": 8, "y": 8})
        await expect(page.locator("#decide")).to_be_visible()
        await album.keep("draft")
        await album.fits()
        # The picture is whole: nothing of it is to be found by moving it sideways.
        for mark in await page.locator("svg.tl .tl-mark:visible").all():
            box = await mark.bounding_box()
            assert box is not None
            assert 0 <= box["x"] <= box["x"] + box["width"] <= PHONE
        assert await page.locator("svg.tl .tl-mark--intervention:visible").count() > 0
        await expect(page.locator(".scroll--fits .number").first).to_be_hidden()
        await expect(page.locator(".scroll--fits .if-narrow").first).to_contain_text("report")
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
        for place in ("report", "sources", "setup", "watching", "shift", "chat", "told"):
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


@pytest.mark.browser
async def test_a_shift_begins_with_its_report(browser: Browser, full: Desk, store_url: str) -> None:
    full.ask_at_most(0, CATALOGUE)
    full.add_chat_pages()
    now = full.clock.now()
    disk = records.event("w1", "alert.fired", -30, base=now, service="payments-db", title="Disk is 91 % full")
    await full.store.journal.append([disk])
    await full.store.outbox.take("slack", "x", now, now)
    await full.store.outbox.put_off(DestinationState("slack", 2, now, "Slack is away.", Instant(now + HOUR)))
    async with serving(full.app) as address, a_page(browser) as watched:
        page, album = watched.page, Album(watched.page, store_url, "shift")
        await page.goto(address)
        await page.get_by_role("link", name="Shift report").click()
        await expect(page.locator("main")).to_contain_text("payments-db: Disk is 91 % full, for 30 min")
        await album.keep("report")
        await page.get_by_label("Team").fill("team-with-a-rather-long-name")
        await page.get_by_role("button", name="Show").click()
        await expect(page.locator("h1")).to_have_text("Shift report of team-with-a-rather-long-name")
        await expect(page.locator("main")).not_to_contain_text("Disk is 91 % full")
        await page.get_by_label("Team").fill("team-storage")
        await page.keyboard.press("Enter")
        # What is to be judged is one step away, also where no address of the service is configured.
        await page.locator("section").last.get_by_role("link").first.click()
        await expect(page.locator("#decide")).to_be_visible()
        await page.goto(f"{address}/chat")
        await expect(page.get_by_role("status")).to_have_text("Slack is away.")
        await album.keep("chat")
        assert watched.complaints == []


@pytest.mark.browser
async def test_somebody_signs_in_judges_and_ends_the_session(browser: Browser, full: Desk, store_url: str) -> None:
    accounts = Auth([Account("ada", "database on call", SECRET, Grants(Access.REVIEWER))])
    app = full.build(sign_in=SignIn(accounts, full.clock, full.store.access))
    async with serving(app) as address, a_page(browser) as watched:
        page, album = watched.page, Album(watched.page, store_url, "sign-in")
        await page.goto(f"{address}/near-misses/nm-001")
        await expect(page.locator("h1")).to_have_text("Sign in")
        await album.keep("form")
        await page.get_by_label("Name").fill("ada")
        await page.get_by_label("Password").fill("wrong horse battery")
        await page.get_by_role("button", name="Sign in").click()
        await expect(page.get_by_role("alert")).to_be_visible()
        await album.keep("refused")
        await page.get_by_label("Name").fill("ada")
        await page.get_by_label("Password").fill(SECRET)
        await page.get_by_role("button", name="Sign in").click()
        # Back where it began.
        await expect(page).to_have_url(f"{address}/near-misses/nm-001")
        await page.locator("#f-why_near_miss").fill("The standby was gone")
        if await page.locator("#decide input[name=users_hit]").count():
            await page.locator("#decide input[name=users_hit][value=no]").check()
        await page.keyboard.press("Control+Enter")
        await expect(page.get_by_role("status")).to_contain_text("Accepted.")
        await expect(page.locator("#trail")).to_contain_text("Database on call")
        await album.keep("judged")
        await page.goto(f"{address}/account")
        await album.keep("account")
        await page.get_by_role("button", name="Sign out").click()
        await expect(page.locator("h1")).to_have_text("Sign in")
        await page.goto(address)
        await expect(page.locator("h1")).to_have_text("Sign in")
        assert [said for said in watched.complaints if "401" not in said] == []
