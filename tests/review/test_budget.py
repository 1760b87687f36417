"""The reviewer budget at the desk: what is folded in the queue, where it can be seen, and that it can be judged."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from playwright.async_api import Browser, expect

from monitor.core.model.catalogue import Catalogue, Service
from monitor.core.model.events import DAY
from monitor.core.model.near_miss import Dismissal, Move
from monitor.ports import Decide
from monitor.store.database import open_store
from tests.review.conftest import Desk
from tests.review.test_browser import CONTRAST, LOOKS
from tests.support import records
from tests.support.browser import a_browser, a_page, serving

ONE_TEAM = Catalogue({name: Service(name, owner="team-pay") for name in ("payments-db", "payments")})
FIVE = [records.draft(f"nm-{rank}", rank=float(rank)) for rank in range(5)]


async def page(desk: Desk, path: str) -> str:
    answer = await desk.http.get(path)
    assert answer.status_code == 200, answer.text
    return answer.text


def rows(html: str) -> list[str]:
    return re.findall(r'id="row-(nm-\d+)"', html)


async def test_the_queue_shows_the_highest_ranked_and_says_how_many_are_folded(desk: Desk) -> None:
    desk.ask_at_most(3)
    await desk.put(*FIVE)
    html = await page(desk, "/")
    assert rows(html) == ["nm-4", "nm-3", "nm-2"]
    assert "2 more drafts are folded" in html
    assert re.search(r"To review <span[^>]*>3<", html)
    assert re.search(r"Folded <span[^>]*>2<", html)


async def test_what_is_folded_is_listed_and_can_be_judged(desk: Desk) -> None:
    desk.ask_at_most(3)
    await desk.put(*FIVE)
    assert rows(await page(desk, "/?show=folded")) == ["nm-1", "nm-0"]
    assert (await desk.accept("nm-0")).status_code == 200
    # Judging a folded draft uses a place too: three are shown before, two remain to be judged now.
    assert rows(await page(desk, "/")) == ["nm-4", "nm-3"]


async def test_a_finished_week_stays_finished(desk: Desk) -> None:
    desk.ask_at_most(3)
    await desk.put(*FIVE)
    for name in ("nm-4", "nm-3", "nm-2"):
        await desk.accept(name)
    html = await page(desk, "/")
    assert rows(html) == []
    assert "Everything that was asked is judged" in html
    assert "2 more drafts are folded" in html


async def test_teams_and_weeks_have_their_own_budgets(desk: Desk) -> None:
    desk.ask_at_most(1, ONE_TEAM)
    await desk.put(
        records.draft("nm-1", rank=1.0),
        records.draft("nm-2", rank=2.0, service="payments"),
        records.draft("nm-3", rank=0.5, service="elsewhere"),
        records.draft("nm-4", rank=0.1, base=records.BASE + 8 * DAY),
    )
    assert rows(await page(desk, "/")) == ["nm-2", "nm-3", "nm-4"]


async def test_a_filter_shows_folded_drafts_too_and_marks_them(desk: Desk) -> None:
    desk.ask_at_most(3)
    await desk.put(*FIVE)
    html = await page(desk, "/?service=payments-db")
    assert len(rows(html)) == 5
    assert html.count(">Folded</span>") == 2


async def test_the_digest_is_never_folded(desk: Desk) -> None:
    desk.ask_at_most(1)
    await desk.put(*(records.draft(f"nm-{rank}", rank=float(rank), mode="digest") for rank in range(3)))
    assert len(rows(await page(desk, "/?show=digest"))) == 3
    assert "Folded" not in await page(desk, "/")


async def test_without_a_budget_nothing_is_folded(desk: Desk) -> None:
    await desk.put(*FIVE)
    html = await page(desk, "/")
    assert len(rows(html)) == 5
    assert "Folded" not in html
    assert "Nothing is folded" in await page(desk, "/?show=folded")


async def test_the_api_marks_and_selects_what_is_folded(desk: Desk) -> None:
    desk.ask_at_most(3)
    await desk.put(*FIVE)
    every = await desk.get("/near-misses")
    assert {item["id"]: item["folded"] for item in every["items"]} == {
        "nm-0": True,
        "nm-1": True,
        "nm-2": False,
        "nm-3": False,
        "nm-4": False,
    }
    for folded, expected in (("true", ["nm-1", "nm-0"]), ("false", ["nm-4", "nm-3", "nm-2"])):
        found = await desk.get("/near-misses", folded=folded)
        assert [item["id"] for item in found["items"]] == expected
    assert (await desk.get("/near-misses/nm-0"))["folded"] is True


async def test_after_a_decision_the_next_one_is_not_a_folded_one(desk: Desk) -> None:
    desk.ask_at_most(1)
    await desk.put(*FIVE[:2])
    await desk.accept("nm-1")
    banner = (await page(desk, "/near-misses/nm-1?done=accept")).partition("banner--good")[2].partition("</p>")[0]
    assert "Accepted" in banner
    assert "/near-misses/nm-0" not in banner


async def test_a_fold_that_is_known_follows_what_another_process_does(desk: Desk) -> None:
    desk.ask_at_most(2)
    await desk.put(*FIVE)
    assert rows(await page(desk, "/")) == ["nm-4", "nm-3"]
    async with open_store(f"sqlite:///{desk.file}") as elsewhere:
        move = Decide("nm-4", Move.DISMISS, "reviewer", records.MONDAY, reason=Dismissal.FALSE_ALARM)
        await elsewhere.near_misses.decide(move)
    assert rows(await page(desk, "/")) == ["nm-3"]
    await desk.put(records.draft("nm-0", rank=9.0))
    assert rows(await page(desk, "/")) == ["nm-0"]


async def test_a_draft_of_an_earlier_week_finds_the_places_of_its_week_taken(desk: Desk) -> None:
    desk.ask_at_most(1)
    earlier = records.BASE - 14 * DAY
    await desk.put(records.draft("nm-1", base=earlier), records.draft("nm-2"))
    await desk.accept("nm-1")
    assert rows(await page(desk, "/")) == ["nm-2"]
    await desk.put(records.draft("nm-3", base=earlier))
    assert rows(await page(desk, "/")) == ["nm-2"]
    assert rows(await page(desk, "/?show=folded")) == ["nm-3"]


async def test_a_known_fold_follows_the_catalogue(desk: Desk) -> None:
    desk.ask_at_most(1)
    await desk.put(records.draft("nm-1", rank=1.0), records.draft("nm-2", rank=2.0, service="payments"))
    assert rows(await page(desk, "/")) == ["nm-2", "nm-1"]
    desk.catalogue = ONE_TEAM
    assert rows(await page(desk, "/")) == ["nm-2"]


async def test_beyond_what_is_counted_the_tabs_say_so_and_the_budget_knows_better(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in ("monitor.store.near_misses", "monitor.review.views"):
        monkeypatch.setattr(f"{module}.COUNTED", 2)
    await desk.put(*FIVE, *(records.draft(f"nm-{name}", mode="digest") for name in (7, 8)))
    html = await page(desk, "/")
    for tab, count in (("To review", "2+"), ("Digest", "2"), ("All", "2+"), ("Accepted", "0")):
        assert re.search(rf"{tab} <span[^>]*>{re.escape(count)}<", html), tab
    desk.ask_at_most(3)
    assert re.search(r"To review <span[^>]*>3<", await page(desk, "/"))


async def test_more_folded_drafts_than_a_statement_names_are_still_left_out(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("monitor.store.queue_order.FEW", 1)
    for a_week in (1, 2):
        desk.ask_at_most(a_week)
        await desk.put(*FIVE)
        assert rows(await page(desk, "/")) == ["nm-4", "nm-3"][:a_week]
        assert rows(await page(desk, "/?show=folded")) == ["nm-3", "nm-2", "nm-1", "nm-0"][a_week - 1 :]


@pytest.fixture
async def browser() -> AsyncIterator[Browser]:
    async with a_browser() as opened:
        yield opened


@pytest.mark.browser
async def test_the_fold_is_seen_and_opened_in_both_themes_and_on_a_phone(
    browser: Browser, desk: Desk, tmp_path: Path
) -> None:
    desk.ask_at_most(3)
    await desk.put(*FIVE)
    async with serving(desk.app) as address:
        for name, (dark, width) in LOOKS.items():
            async with a_page(browser, dark=dark, width=width) as watched:
                await watched.page.goto(address)
                await expect(watched.page.locator(".row")).to_have_count(3)
                await watched.page.screenshot(path=tmp_path / f"fold-{name}.png", full_page=True)
                assert await watched.page.evaluate(CONTRAST) == [], name
                assert await watched.page.evaluate("document.documentElement.scrollWidth") <= width, name
                await watched.page.get_by_role("link", name="2 more drafts are folded").click()
                await expect(watched.page.locator(".row")).to_have_count(2)
                await watched.page.screenshot(path=tmp_path / f"folded-{name}.png", full_page=True)
                assert await watched.page.evaluate(CONTRAST) == [], name
                assert watched.complaints == []
        async with a_page(browser) as watched:
            await watched.page.goto(address)
            for judged in range(1, 4):
                await watched.page.keyboard.press("j")
                await watched.page.keyboard.press("d")
                await watched.page.keyboard.press("r")
                await expect(watched.page.locator(".row--decided")).to_have_count(judged)
            await watched.page.goto(address)
            await expect(watched.page.locator(".folded")).to_contain_text("Everything that was asked is judged")


async def test_many_decisions_since_the_last_look_are_caught_up_with(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Part by part, and not by reading every draft again: others would wait for that."""
    desk.ask_at_most(1)
    await desk.put(*FIVE)
    assert rows(await page(desk, "/")) == ["nm-4"]
    monkeypatch.setattr("monitor.store.asked._AT_ONCE", 2)
    monkeypatch.setattr("monitor.store.near_misses.everything", None)
    for name in ("nm-4", "nm-3", "nm-2"):
        await desk.decide(name, decision="dismiss", reason="routine_hygiene")
    await desk.put(records.draft("nm-9", rank=9.0, base=records.BASE + 8 * DAY))
    assert rows(await page(desk, "/")) == ["nm-9"]
    assert len(rows(await page(desk, "/?show=folded"))) == 2
