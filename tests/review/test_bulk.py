"""Several drafts at once: shown first, then done one by one, each with its line in the trail, and all of it undone."""

from __future__ import annotations

import re
from html import unescape

import httpx
import pytest
from playwright.async_api import expect

from monitor.core.model.catalogue import Catalogue, Service
from monitor.core.model.near_miss import Dismissal
from monitor.review.auth import Account, Auth
from monitor.review.bulk import MOST, REASONS
from monitor.review.permissions import Access, Grants
from tests.review.conftest import Desk
from tests.support import records
from tests.support.browser import a_browser, a_page, serving

CATALOGUE = Catalogue(services={"search": Service("search", owner="finding")})


@pytest.fixture
async def full(desk: Desk) -> Desk:
    desk.ask_at_most(0, CATALOGUE)
    await desk.put(
        *(records.draft(f"nm-{number}", title=f"Disk {number} was close", rank=9.0 - number) for number in range(4)),
        records.draft("other", service="search", services=("search",), title="The index was close"),
    )
    return desk


def offered(html: str) -> list[str]:
    return [unescape(each) for each in re.findall(r'name="item" value="([^"]+)"', html)]


async def post(http: httpx.AsyncClient, status: int = 200, **form: str | list[str]) -> str:
    answer = await http.post("/bulk", data=form)
    assert answer.status_code == status, answer.text
    return " ".join(answer.text.split())


async def states(desk: Desk) -> dict[str, str]:
    return {each["id"]: each["state"] for each in (await desk.get("/near-misses"))["items"]}


async def test_the_preview_says_how_many_and_which_and_does_nothing(full: Desk) -> None:
    html = (await full.http.get("/bulk?id=nm-0&id=nm-2&id=nobody")).text
    assert offered(html) == ["1:nm-0", "1:nm-2"]
    assert "<span data-count>2</span> <span data-noun>drafts</span> at once" in html
    assert "Disk 2 was close" in html
    assert set((await states(full)).values()) == {"draft"}
    view = (await full.http.get("/bulk?by=view&service=search")).text
    assert offered(view) == ["1:other"]
    assert (await full.http.get("/bulk")).headers["location"] == "/"


async def test_each_has_its_own_line_and_all_of_it_is_undone(full: Desk) -> None:
    done = await post(full.http, do="dismiss", reason="routine_hygiene", note="Monday", item=["1:nm-0", "1:nm-1"])
    assert "2 dismissed: routine" in done.lower()
    found = await states(full)
    assert [found[f"nm-{number}"] for number in range(3)] == ["dismissed", "dismissed", "draft"]
    for name in ("nm-0", "nm-1"):
        (line,) = [
            each for each in (await full.get(f"/near-misses/{name}/audit"))["items"] if each["action"] == "dismiss"
        ]
        assert (line["reason"], line["note"], line["by"]) == ("routine_hygiene", "Monday", "reviewer")
    undone = await post(full.http, do="reopen", item=offered(done))
    assert "2 reopened" in undone
    assert (await states(full))["nm-0"] == (await states(full))["nm-1"] == "reopened"


async def test_a_snooze_is_undone_too(full: Desk) -> None:
    done = await post(full.http, do="snooze", days="7", item=["1:nm-0", "1:nm-1"])
    assert (await full.get("/near-misses/nm-0"))["returns_at"] == "2026-02-09T08:30:00Z"
    await post(full.http, do="wake", item=offered(done))
    assert (await full.get("/near-misses/nm-0"))["returns_at"] is None


async def test_what_changed_meanwhile_is_left_alone_and_told(full: Desk) -> None:
    await full.accept("nm-1")
    await full.http.post("/api/v1/near-misses/nm-2/comments", json={"text": "Wait"})
    done = await post(full.http, do="dismiss", reason="planned_work", item=["1:nm-0", "1:nm-1", "1:nm-2"])
    assert "1 left alone" in done
    assert "Reviewer accepted it" in done
    assert (await states(full))["nm-1"] == "accepted"
    assert (await states(full))["nm-2"] == "dismissed", "a comment changes nothing that was shown"


@pytest.mark.parametrize(
    ("form", "said"),
    [
        ({"do": "dismiss", "item": ["1:nm-0"]}, "Choose a reason."),
        ({"do": "dismiss", "reason": "had_user_impact", "item": ["1:nm-0"]}, "Choose a reason."),
        ({"do": "accept", "item": ["1:nm-0"]}, "Choose what to do with them."),
        ({"do": "dismiss", "reason": "planned_work"}, "Choose at least one draft."),
        ({"do": "dismiss", "reason": "planned_work", "item": ["nm-0"]}, "Choose the drafts again."),
        ({"do": "dismiss", "reason": "planned_work", "item": [f"1:nm-{n}" for n in range(MOST + 1)]}, "at most 200"),
    ],
)
async def test_a_wrong_order_does_nothing_and_says_what_is_wrong(
    full: Desk, form: dict[str, str | list[str]], said: str
) -> None:
    assert said in await post(full.http, 422, **form)
    assert set((await states(full)).values()) == {"draft"}
    assert Dismissal.HAD_USER_IMPACT not in REASONS


async def test_another_team_s_drafts_are_not_there(full: Desk) -> None:
    account = Account("bob", "on-call", "a long secret of bob", Grants(None, {"finding": Access.REVIEWER}))
    async with full.client(full.build(Auth((account,)))) as http:
        http.auth = httpx.BasicAuth(account.name, account.secret)
        assert offered((await http.get("/bulk?id=nm-0&id=other")).text) == ["1:other"]
        done = await post(http, do="dismiss", reason="planned_work", item=["1:nm-0", "1:other"])
        assert "1 dismissed" in done
        assert "Disk 0" not in done
    assert (await states(full))["nm-0"] == "draft"
    viewer = Account("eve", "viewer", "a long secret of eve", Grants(Access.VIEWER))
    async with full.client(full.build(Auth((viewer,)))) as http:
        http.auth = httpx.BasicAuth(viewer.name, viewer.secret)
        assert (await http.post("/bulk", data={"do": "dismiss"})).status_code == 403


@pytest.mark.browser
async def test_by_the_keyboard_from_the_queue_and_back(full: Desk) -> None:
    async with a_browser() as browser, serving(full.app) as address, a_page(browser) as watched:
        page = watched.page
        await page.goto(address)
        for key in ("j", "x", "j", "x", "j", "b"):
            await page.keyboard.press(key)
        await expect(page.locator("h1")).to_have_text("2 drafts at once")
        await page.get_by_role("checkbox", name="The index was close").uncheck()
        await expect(page.locator("h1")).to_have_text("1 draft at once")
        await page.keyboard.press("r")
        await page.keyboard.press("Enter")
        await expect(page.locator("h1")).to_contain_text("1 dismissed: routine")
        await page.get_by_role("button", name="Undo for it").click()
        await expect(page.locator("h1")).to_contain_text("1 reopened")
        assert watched.complaints == []
    assert (await states(full))["nm-0"] == "reopened"
