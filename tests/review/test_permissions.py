"""The one table of who may do what: every route by every access, on the real app; and other teams' records."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, cast

import httpx
import pytest
from fastapi.routing import APIRoute

from monitor.chat.pages import build_chat_pages
from monitor.core.model.catalogue import Catalogue, Service
from monitor.review.auth import Account, Auth
from monitor.review.permissions import ROUTES, Access, Grants
from monitor.review.sign_in.people import SignIn
from tests.review.conftest import Desk
from tests.support import records

CATALOGUE = Catalogue({
    "payments-db": Service("payments-db", owner="payments"),
    "payments": Service("payments", owner="payments"),
    "search": Service("search", owner="search"),
})  # fmt: skip
SECRET = "correct horse battery "
MOVES = "/api/v1/near-misses/nm-1"
CHAT = {"GET /shift", "GET /shift.md", "GET /told", "GET /chat"}
OPEN = {"GET /login", "POST /login", "GET /login/oidc", "GET /login/callback"}
PEOPLE = {
    **{str(access): Grants(access) for access in Access},
    "payments-lead": Grants(teams={"payments": Access.LEAD}),
    "search-reviewer": Grants(teams={"search": Access.REVIEWER}),
}


@pytest.fixture
def guarded(desk: Desk) -> Desk:
    """The desk with one account for each access, and one for each of two teams."""
    desk.catalogue = CATALOGUE
    auth = Auth([Account(name, name, SECRET + name, grants) for name, grants in PEOPLE.items()])
    desk.app = desk.build(sign_in=SignIn(auth, desk.clock, desk.store.access))
    desk.http = desk.client(desk.app)
    return desk


async def ask(desk: Desk, name: str, method: str, path: str, **sent: object) -> httpx.Response:
    return await desk.http.request(method, path, auth=(name, SECRET + name), **sent)  # type: ignore[arg-type]  # of httpx


def routes(desk: Desk) -> Iterator[str]:
    chat = build_chat_pages(cast(Any, None), cast(Any, None), cast(Any, None))
    for included in (*desk.app.routes, *chat.routes):
        router = getattr(included, "original_router", None)
        for route in (included,) if router is None else router.routes:
            if isinstance(route, APIRoute) and route.methods:
                yield from (f"{method} {route.path}" for method in route.methods)


def test_the_table_has_every_route_and_no_other(guarded: Desk) -> None:
    assert set(routes(guarded)) - OPEN == set(ROUTES)


@pytest.mark.parametrize("access", Access)
async def test_every_route_asks_the_table(guarded: Desk, access: Access) -> None:
    await guarded.put(records.draft())
    given = {"record_id": "nm-1", "direction": "next", "decision": "accept", "form": "comments"}
    for route, needed in ROUTES.items():
        if route == "GET /events" or route in CHAT:
            continue  # a stream that does not end; pages of another part, for every viewer
        method, _, template = route.partition(" ")
        path = re.sub(r"\{(\w+)\}", lambda match: given.get(match[1], "none"), template)
        answer = await ask(guarded, access, method, path)
        assert (answer.status_code == 403) == (access.height < needed.height), (route, answer.status_code)


async def test_the_stream_asks_it_too(guarded: Desk) -> None:
    guarded.app.state.live.close()
    assert (await ask(guarded, "viewer", "GET", "/events")).status_code in (200, 503)
    assert (await guarded.http.get("/events")).status_code == 401


async def test_another_teams_record_is_not_there(guarded: Desk) -> None:
    await guarded.put(records.draft("nm-1"), records.draft("nm-2", service="search", services=("search",)))
    for name, mine, other in (("payments-lead", "nm-1", "nm-2"), ("search-reviewer", "nm-2", "nm-1")):
        listed = (await ask(guarded, name, "GET", "/api/v1/near-misses")).json()["items"]
        assert [each["id"] for each in listed] == [mine]
        table = (await ask(guarded, name, "GET", "/api/v1/export.csv")).text
        assert mine in table
        assert other not in table
        queue = (await ask(guarded, name, "GET", "/")).text
        assert f"row-{mine}" in queue
        assert f"row-{other}" not in queue
        assert (await ask(guarded, name, "GET", f"/api/v1/near-misses/{mine}")).status_code == 200
        assert (await ask(guarded, name, "GET", f"/api/v1/near-misses/{other}")).status_code == 404
        moved = await ask(
            guarded, name, "POST", f"/api/v1/near-misses/{other}/settle", json={"move": "snooze", "days": 1}
        )
        assert moved.status_code == 404
    assert (await guarded.store.near_misses.get("nm-1")).version == 1


async def test_a_service_that_bears_the_name_of_a_team_is_its_owners(guarded: Desk) -> None:
    """A list shows what the record's own page shows, and no more: also where a service is called as another's team."""
    guarded.catalogue = Catalogue({
        "payments": Service("payments", owner="search"),
        "billing": Service("billing", owner="payments"),
    })  # fmt: skip
    await guarded.put(
        records.draft("nm-1", service="payments", services=("payments",)),
        records.draft("nm-2", service="billing", services=("billing",)),
        records.draft("nm-3", service="search", services=("search",)),
    )
    for name, mine in (("payments-lead", {"nm-2"}), ("search-reviewer", {"nm-1", "nm-3"})):
        listed = (await ask(guarded, name, "GET", "/api/v1/near-misses")).json()["items"]
        assert {each["id"] for each in listed} == mine
        for number in (1, 2, 3):
            shown = await ask(guarded, name, "GET", f"/api/v1/near-misses/nm-{number}")
            assert (shown.status_code == 200) == (f"nm-{number}" in mine)


async def test_who_sees_one_record_of_a_service_sees_not_the_others(guarded: Desk) -> None:
    await guarded.put(records.draft("nm-1"), records.draft("nm-2", title="The failover key had expired"))
    over = {"move": "hand_over", "team": "search"}
    await ask(guarded, "lead", "POST", "/api/v1/near-misses/nm-1/settle", json=over)
    page = await ask(guarded, "search-reviewer", "GET", "/near-misses/nm-1")
    assert page.status_code == 200
    assert "failover key" not in page.text
    assert "failover key" in (await ask(guarded, "payments-lead", "GET", "/near-misses/nm-1")).text


async def test_a_merge_tells_nothing_of_another_teams_records(guarded: Desk) -> None:
    await guarded.put(records.draft("nm-1"), records.draft("nm-2", service="search", services=("search",)))
    said = []
    for into in ("nm-2", "nm-none"):
        body = {"move": "merge", "into": into}
        answer = await ask(guarded, "payments-lead", "POST", "/api/v1/near-misses/nm-1/settle", json=body)
        form = await ask(guarded, "payments-lead", "POST", "/near-misses/nm-1/settle", data=body)
        said.append((answer.status_code, answer.json()["errors"], form.status_code))
    assert said[0] == said[1]
    assert said[0][0] == 422
    assert (await guarded.store.near_misses.get("nm-1")).merged_into is None


async def test_a_record_that_was_shared_is_read_by_other_teams_and_moved_by_its_own(guarded: Desk) -> None:
    await guarded.put(records.draft("nm-1"))
    for share, status, refused in (("team", 404, 404), ("organisation", 200, 403), ("public", 200, 403)):
        sent = {"move": "share", "share": share}
        assert (await ask(guarded, "payments-lead", "POST", f"{MOVES}/settle", json=sent)).status_code == 200
        for path in ("/near-misses/nm-1", "/api/v1/near-misses/nm-1", "/near-misses/nm-1/export"):
            assert (await ask(guarded, "search-reviewer", "GET", path)).status_code == status, (share, path)
        for path, body in (
            ("settle", {"move": "snooze", "days": "1"}),
            ("settle", sent),
            ("comments", {"text": "mine"}),
            ("decision", {"decision": "dismiss", "reason": "duplicate"}),
        ):
            moved = await ask(guarded, "search-reviewer", "POST", f"{MOVES}/{path}", json=body)
            assert moved.status_code == refused, (share, path)
    assert (await ask(guarded, "search-reviewer", "GET", "/api/v1/near-misses")).json()["items"] == []


async def test_a_record_that_was_handed_over_is_seen_by_both_teams(guarded: Desk) -> None:
    await guarded.put(records.draft())
    over = {"move": "hand_over", "team": "search"}
    assert (
        await ask(guarded, "payments-lead", "POST", "/api/v1/near-misses/nm-1/settle", json=over)
    ).status_code == 200
    assert (await ask(guarded, "search-reviewer", "GET", "/near-misses/nm-1")).status_code == 200


@pytest.mark.parametrize(("name", "status"), [("reviewer", 403), ("lead", 200), ("payments-lead", 200)])
async def test_to_share_takes_a_lead(guarded: Desk, name: str, status: int) -> None:
    await guarded.put(records.draft())
    body = {"move": "share", "share": "public"}
    assert (await ask(guarded, name, "POST", "/api/v1/near-misses/nm-1/settle", json=body)).status_code == status
    form = await ask(guarded, name, "POST", "/near-misses/nm-1/settle", data=body)
    assert form.status_code == (303 if status == 200 else 403)


def test_nobody_gives_what_they_do_not_have() -> None:
    lead = Grants(teams={"payments": Access.LEAD})
    assert Grants(teams={"payments": Access.REVIEWER}).at_most(lead)
    assert not Grants(teams={"search": Access.VIEWER}).at_most(lead)
    assert not Grants(Access.VIEWER).at_most(lead)
    assert lead.at_most(Grants(Access.ADMIN))
