"""The sources page and its JSON: what arrives, what was not understood, and what nobody watches."""

from __future__ import annotations

import httpx

from monitor.core.model.catalogue import Catalogue, Service
from monitor.core.model.events import DAY, HOUR, SECOND, Instant, to_text
from monitor.ops.arrivals import UP, SourceHour, SourceWord
from monitor.review.auth import Account, Auth
from monitor.review.permissions import Access, Grants
from tests.review.conftest import Desk
from tests.support.shipped import read_shipped


async def arrive(desk: Desk) -> None:
    now = desk.clock.now()
    here = now // HOUR
    hours = [SourceHour(UP, here - ago, 0, now) for ago in range(60)]
    hours += [SourceHour("github", here - ago, 5, Instant(now - ago * HOUR)) for ago in range(6, 60)]
    hours.append(SourceHour("probe", here, 1, now, now, -90 * SECOND))
    words = [
        SourceWord("github", now // DAY, "ignored", "unknown_type", 3, "type '<new>' is none that we know"),
        SourceWord("github", now // DAY, "kind", "change.merged", 270),
        SourceWord("probe", now // DAY, "watched", "shop", 1),
    ]
    await desk.store.sources.add(hours, words, now)


async def test_silence_and_what_was_not_understood_are_shown(desk: Desk) -> None:
    rules = read_shipped()
    desk.known = (Catalogue({name: Service(name, user_facing=True) for name in ("shop", "search")}), rules)
    await arrive(desk)
    told = await desk.get("/sources")
    github, probe = told["sources"]
    assert github["silent_seconds"] == 6 * 3600
    assert github["last_at"] == to_text(Instant(desk.clock.now() - 6 * HOUR))
    assert github["kinds"] == {"change.merged": 270}
    assert github["reasons"][0]["understood"] is False
    assert (probe["lag_seconds"], probe["silent_seconds"]) == (-90, None)
    assert [(each["service"], each["sources"]) for each in told["services"]] == [("search", []), ("shop", ["probe"])]
    assert len(told["silent_rules"]) > 20

    page = await desk.http.get("/sources")
    assert page.status_code == 200
    assert "1 source is silent for longer than usual" in page.text
    assert "type &#39;&lt;new&gt;&#39; is none that we know" in page.text
    assert "no feed reports on its users" in page.text
    assert "1 min 30 s ahead" in page.text


async def test_nothing_that_arrived_is_said(desk: Desk) -> None:
    page = await desk.http.get("/sources")
    assert "Nothing has arrived yet." in page.text
    now = desk.clock.now()
    await desk.store.sources.add([SourceHour(UP, (now - 14 * DAY) // HOUR + 1, 0, now)], (), now)
    page = await desk.http.get("/sources")
    assert "Nothing has arrived in two weeks." in page.text


def one_team(desk: Desk, team: str) -> httpx.AsyncClient:
    account = Account("bob", "on-call", "a long secret of bob", Grants(None, {team: Access.VIEWER}))
    http = desk.client(desk.build(Auth((account,))))
    http.auth = httpx.BasicAuth(account.name, account.secret)
    return http


async def test_who_may_see_one_team_sees_no_service_and_no_text_of_another(desk: Desk) -> None:
    owners = {"shop": "retail", "search": "finding"}
    services = {name: Service(name, user_facing=True, owner=owner) for name, owner in owners.items()}
    desk.known = (Catalogue(services), ())
    await arrive(desk)
    async with one_team(desk, "retail") as http:
        told = (await http.get("/api/v1/sources")).json()
        page = (await http.get("/sources")).text
    assert [each["service"] for each in told["services"]] == ["shop"]
    assert [each["source"] for each in told["sources"]] == ["github", "probe"]
    reasons = [each for source in told["sources"] for each in source["reasons"]]
    assert [(each["reason"], each["count"], each["detail"]) for each in reasons] == [("unknown_type", 3, "")]
    assert "search" not in page
    assert "none that we know" not in page
    assert "Services of your teams." in page
