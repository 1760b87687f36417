"""Hints at phrases that blame: they show while somebody types, stop nobody, and are a list of each organisation."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from playwright.async_api import Browser, expect

from monitor.review.hints import HINTS
from monitor.review.web import build_app
from monitor.settings import load_settings
from tests.review.conftest import Desk
from tests.support import records
from tests.support.browser import a_browser, a_page, serving


@pytest.fixture
async def browser() -> AsyncIterator[Browser]:
    async with a_browser() as opened:
        yield opened


def test_each_hint_is_a_sentence_that_blames_nobody_itself() -> None:
    for phrase, hint in HINTS.items():
        assert phrase == phrase.lower().strip()
        assert hint.endswith(".")
        assert not any(other in hint.lower() for other in HINTS), hint


def test_an_organisation_has_its_own_list(tmp_path: Path) -> None:
    file = tmp_path / "nearmiss.yaml"
    file.write_text("blaming_phrases: {operator error: Say what the screen showed.}\n", encoding="utf-8")
    assert load_settings({}, {}).blaming_phrases is None
    assert load_settings({"config": str(file)}, {}).blaming_phrases == {"operator error": "Say what the screen showed."}


@pytest.mark.browser
async def test_a_hint_comes_and_goes_and_the_text_is_sent_as_it_is(desk: Desk, browser: Browser) -> None:
    await desk.put(records.draft(), records.draft("nm-2"))
    async with serving(desk.app) as address, a_page(browser) as watched:
        page = watched.page
        await page.goto(f"{address}/near-misses/nm-1")
        field = page.locator("#f-why_near_miss")
        hint = page.locator("#decide .hint--words")
        await field.press_sequentially("They should  Have looked")
        await expect(hint).to_have_text(f"“should have”: {HINTS['should have']}")
        await field.fill("The shoulder haven was closed")
        await expect(hint).to_be_hidden()
        await field.fill("He didn’t see it; it was human error")
        await expect(hint).to_contain_text("human error")
        await page.keyboard.press("Control+Enter")
        await expect(page.get_by_role("status").first).to_contain_text("Accepted.")
        await page.goto(address)
        await page.locator("#row-nm-2 .row__link").focus()
        await page.keyboard.press("c")
        await page.locator("#row-nm-2 textarea").fill("Somebody forgot it")
        await expect(page.locator("#row-nm-2 .hint--words")).to_contain_text("forgot")
        assert watched.complaints == []
    assert (await desk.get("/near-misses/nm-1"))["answers"]["why_near_miss"] == "He didn’t see it; it was human error"


@pytest.mark.browser
async def test_what_an_organisation_lists_stays_text_and_stands_for_itself(desk: Desk, browser: Browser) -> None:
    own = {"a.c (x)": '<img src=x onerror="alert(1)">'}
    app = build_app(desk.store.near_misses, desk.store.journal, desk.clock, desk.metrics, hints=own)
    async with serving(app) as address, a_page(browser) as watched:
        page = watched.page
        await page.goto(f"{address}/report")
        field = page.locator("textarea").first
        await field.fill("abc (x) should have")
        await expect(page.locator(".hint--words")).to_have_count(0)
        await field.fill("it was a.c (x)")
        await expect(page.locator(".hint--words")).to_have_text(f"“a.c (x)”: {own['a.c (x)']}")
        assert watched.complaints == []
