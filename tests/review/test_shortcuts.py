"""The table of keys: the same on all screens, disjoint from motion, in the docs, and each key does what it says."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import get_args

import pytest
from playwright.async_api import Browser, Page, expect

from monitor.core.model.near_miss import Dismissal
from monitor.core.model.risk import Outcome
from monitor.review import wording as words
from monitor.review.shortcuts import DISMISSAL_KEYS, KEYS, Screen, keys_of
from tests.review.conftest import Desk
from tests.support import records
from tests.support.browser import a_browser, a_page, serving

DOCS = Path(__file__).resolve().parents[2] / "docs" / "how-to" / "review.md"


def test_no_slip_of_a_key_decides() -> None:
    """After `d`, neither motion nor a second `d`, accept or undo is a reason; each letter is of its own label."""
    assert set(DISMISSAL_KEYS) == set(Dismissal)
    letters = list(DISMISSAL_KEYS.values())
    assert len(set(letters)) == len(letters)
    assert not set(letters) & {"j", "k", "d", "a", "u"}
    for reason, letter in DISMISSAL_KEYS.items():
        assert letter in words.DISMISSALS[reason][0].lower()


def test_a_key_means_one_thing_everywhere_and_the_docs_list_it() -> None:
    assert len({key.key for key in KEYS}) == len({key.does for key in KEYS}) == len(KEYS)
    told = DOCS.read_text(encoding="utf-8")
    for key in KEYS:
        name = " ".join(f"<kbd>{'Esc' if part == 'Escape' else part}</kbd>" for part in key.key.split("+"))
        assert f"| {name} | {key.words} | {key.where} |" in told
    assert len(re.findall(r"^\| <kbd>", told, re.MULTILINE)) == len(KEYS)


@pytest.fixture
async def browser() -> AsyncIterator[Browser]:
    async with a_browser() as opened:
        yield opened


@pytest.fixture
async def address(desk: Desk) -> AsyncIterator[str]:
    await desk.put(*records.several(records.MONDAY, 4))
    async with serving(desk.app) as found:
        yield found


async def walk(page: Page, screen: str, expected: dict[str, Callable[[], Awaitable[None]]]) -> None:
    """Press each key of the table in turn and look at what came of it."""
    assert set(expected) == {key.does for key in keys_of(screen)}
    by_action = {key.does: key.key for key in KEYS}
    for does, came in expected.items():
        await page.wait_for_load_state()  # the scripts of a page that was just reached
        await page.keyboard.press(by_action[does].replace("Ctrl", "Control"))
        await came()


async def merges_in_place(page: Page, desk: Desk) -> None:
    panel = page.locator(".panel")
    await expect(panel.get_by_label("Merge into")).to_be_focused()
    await page.keyboard.type("nm-nothing")
    await page.keyboard.press("Control+Enter")
    await expect(panel).to_contain_text("There is no such record.")
    await expect(panel.get_by_label("Merge into")).to_be_focused()
    await page.keyboard.press("Control+A")
    await page.keyboard.type("nm-003")
    await page.keyboard.press("Control+Enter")
    await expect(page.locator("#row-nm-001")).to_contain_text("Merged")
    assert (await desk.get("/near-misses/nm-001"))["merged_into"] == "nm-003"
    await page.keyboard.press("u")
    await expect(page.locator("#row-nm-001 .row__title")).to_be_visible()
    assert (await desk.get("/near-misses/nm-001"))["state"] == "reopened"


async def snoozes_in_place(page: Page) -> None:
    row = page.locator("#row-nm-001")
    await expect(row).to_contain_text("Snoozed until")
    await expect(page.locator("#row-nm-002 .row__link")).to_be_focused()
    await page.keyboard.press("u")
    await expect(row.locator(".row__title")).to_be_visible()
    await expect(row.locator(".row__link")).to_be_focused()


async def comments_in_place(page: Page) -> None:
    row = page.locator("#row-nm-001")
    await expect(row.get_by_role("textbox", name="Comment")).to_be_focused()
    await page.keyboard.type("jdau")
    await page.keyboard.press("Escape")
    await page.keyboard.press("c")
    await expect(row.get_by_role("textbox", name="Comment")).to_have_value("jdau")
    await page.keyboard.press("Control+Enter")
    await expect(row.get_by_role("status")).to_contain_text("The comment is added.")
    await expect(row.locator(".row__link")).to_be_focused()
    await page.keyboard.press("c")
    await expect(row.get_by_role("textbox", name="Comment")).to_have_value("")
    await page.keyboard.press("Escape")


@pytest.mark.browser
async def test_the_keys_of_the_queue(browser: Browser, address: str, desk: Desk) -> None:
    async with a_page(browser) as watched:
        page = watched.page
        await page.goto(address)
        row = page.locator("#row-nm-000")

        async def accepting() -> None:
            await expect(row.locator("textarea").first).to_be_focused()
            await page.keyboard.type("It was close")

        async def dismissing() -> None:
            await expect(page.locator("#row-nm-001 .reasons")).to_be_visible()
            for slip in "djkau":
                await page.keyboard.press(slip)
            await expect(page.locator("#row-nm-001 .reasons")).to_be_visible()
            await page.keyboard.press("r")
            await expect(page.locator("#row-nm-001")).to_contain_text("Dismissed: routine.")

        async def undone() -> None:
            await expect(page.locator("#row-nm-001 .row__title")).to_be_visible()
            assert (await desk.get("/near-misses/nm-001"))["state"] == "reopened"

        async def helped() -> None:
            await expect(page.locator("#keys")).to_be_visible()
            await page.keyboard.press("Escape")
            await expect(page.locator("#keys")).to_be_hidden()

        async def searching() -> None:
            await expect(page.locator("#text")).to_be_focused()

        async def closed() -> None:
            await expect(page.locator("#text")).not_to_be_focused()

        async def selected() -> None:
            await expect(page.locator("[data-act=select]:checked")).to_have_count(1)

        async def previewed() -> None:
            await expect(page.locator("h1")).to_have_text("1 draft at once")
            await page.go_back()
            await page.keyboard.press("j")

        async def moved() -> None:
            await expect(page.locator(".row__link:focus")).to_have_count(1)

        async def opened() -> None:
            await expect(page.locator("#decide")).to_be_visible()

        await walk(
            page,
            "queue",
            {
                "next": lambda: expect(row.locator(".row__link")).to_be_focused(),
                "accept": accepting,
                "send": lambda: expect(row).to_contain_text("Accepted."),
                "dismiss": dismissing,
                "undo": undone,
                "snooze": lambda: snoozes_in_place(page),
                "comment": lambda: comments_in_place(page),
                "merge": lambda: merges_in_place(page, desk),
                "select": selected,
                "help": helped,
                "search": searching,
                "close": closed,
                "previous": moved,
                "bulk": previewed,
                "open": opened,
            },
        )
        # The browser itself notes an answer of 422, here to a merge into what is not there.
        assert [said for said in watched.complaints if "422" not in said] == []


@pytest.mark.browser
async def test_the_keys_of_a_draft(browser: Browser, address: str, desk: Desk) -> None:
    async with a_page(browser) as watched:
        page = watched.page
        await page.goto(f"{address}/near-misses/nm-000")
        heading = page.locator("h1")
        first, second = [str((await desk.get(f"/near-misses/nm-00{place}"))["title"]) for place in (0, 1)]

        async def looked() -> None:
            await expect(page.locator("#trail")).to_contain_text("started the review")

        def assessed(outcome: Outcome) -> Callable[[], Awaitable[None]]:
            async def came() -> None:
                await expect(page.get_by_role("status")).to_contain_text(words.OUTCOMES[outcome][0].lower())
                assert (await desk.get("/near-misses/nm-000"))["risk"]["barrier"] == "by_accident"

            return came

        async def snoozed() -> None:
            await expect(heading).not_to_have_text(first)
            await page.goto(f"{address}/near-misses/nm-000")
            await expect(page.locator(".banner").first).to_contain_text("Snoozed until")

        async def commenting() -> None:
            await expect(page.locator("#f-text")).to_be_focused()
            await page.keyboard.type("jdau")
            await page.keyboard.press("Escape")

        async def merging() -> None:
            await expect(page.locator("#f-into")).to_be_focused()
            await page.keyboard.press("Escape")

        async def dismissed() -> None:
            await page.keyboard.press("d")
            await page.keyboard.press("j")
            await expect(heading).to_have_text(first)
            await page.keyboard.press("r")
            await expect(page.get_by_role("status")).to_contain_text("Dismissed: routine.")

        async def accepting() -> None:
            await expect(page.locator("#f-why_near_miss")).to_be_focused()
            await page.keyboard.type("It was close")

        async def helped() -> None:
            await expect(page.locator("#keys")).to_be_visible()
            await page.keyboard.press("Escape")

        await walk(
            page,
            "draft",
            {
                "help": helped,
                "next": lambda: expect(heading).to_have_text(second),
                "previous": lambda: expect(heading).to_have_text(first),
                "zoom": lambda: expect(page.locator(".zoom [aria-current]")).to_have_text("2×"),
                "look": looked,
                **{f"risk-{outcome}": assessed(outcome) for outcome in Outcome},
                "snooze": snoozed,
                "evidence": lambda: expect(page.locator("#around-title")).to_be_focused(),
                "merge": merging,
                "comment": commenting,
                "dismiss": dismissed,
                "undo": lambda: expect(page.get_by_role("status")).to_contain_text("Reopened."),
                "accept": accepting,
                "send": lambda: expect(page.get_by_role("status")).to_contain_text("Accepted."),
                "close": lambda: expect(page.locator("#rows")).to_be_visible(),
            },
        )
        assert watched.complaints == []


@pytest.mark.browser
async def test_the_keys_of_several_at_once(browser: Browser, address: str, desk: Desk) -> None:
    async with a_page(browser) as watched:
        page = watched.page
        await page.goto(f"{address}/?text=drops")
        await page.goto(f"{address}/?text=")
        await page.get_by_role("button", name="All of this view").click()
        await expect(page.locator("h1")).to_have_text("4 drafts at once")
        several = page.url

        async def helped() -> None:
            await expect(page.locator("#keys")).to_be_visible()
            await page.keyboard.press("Escape")
            await expect(page.locator("#keys")).to_be_hidden()

        async def closed() -> None:
            await expect(page.locator("#rows")).to_be_visible()
            await page.goto(several)
            await page.keyboard.press("r")
            await page.locator("#b-note").focus()
            await page.keyboard.type("all r of them")

        async def sent() -> None:
            await expect(page.locator("h1")).to_have_text("4 dismissed: routine")
            assert (await desk.get("/near-misses/nm-003"))["reason"] == "routine_hygiene"

        await walk(page, "bulk", {"help": helped, "close": closed, "send": sent})
        assert watched.complaints == []


@pytest.mark.browser
@pytest.mark.parametrize("place", ["/watching", "/setup", "/sources", "/report", "/near-misses/nm-000/export", "/none"])
async def test_the_keys_of_every_other_page(browser: Browser, address: str, place: str) -> None:
    async with a_page(browser) as watched:
        page = watched.page
        await page.goto(f"{address}/?text=draft")
        await page.goto(f"{address}{place}")

        async def helped() -> None:
            await expect(page.locator("#keys")).to_be_visible()
            await page.keyboard.press("Escape")
            await expect(page.locator("#keys")).to_be_hidden()
            await page.evaluate("document.activeElement.blur()")

        async def closed() -> None:
            await expect(page).to_have_url(f"{address}/?text=draft")

        await walk(page, "other", {"help": helped, "close": closed})


def test_every_screen_of_the_table_is_walked() -> None:
    walked = set(re.findall(r'walk\(\s*page,\s*"([a-z]+)"', Path(__file__).read_text(encoding="utf-8")))
    assert walked == set(get_args(Screen))
