"""Whose queue somebody looks at: one team's, chosen once and kept for the person; the address says it."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from monitor.core.model.catalogue import Catalogue, Service
from monitor.review.auth import Account, Auth
from monitor.review.permissions import Access, Grants
from tests.review.conftest import HOST, Desk
from tests.support import records

CATALOGUE = Catalogue(
    services={
        "payments-db": Service("payments-db", owner="storage"),
        "payments": Service("payments", owner="money"),
        "search": Service("search", owner="finding"),
    }
)


def draft(name: str, service: str, **more: Any) -> Any:
    return records.draft(name, service=service, services=(service,), title=f"{name} was close", **more)


@pytest.fixture
async def team_desk(desk: Desk) -> Desk:
    desk.ask_at_most(2, CATALOGUE)
    several = [draft(f"st-{number}", "payments-db", rank=float(number)) for number in range(4)]
    await desk.put(*several, draft("mo-1", "payments"), draft("se-1", "search"))
    return desk


async def seen(http: httpx.AsyncClient, path: str = "/") -> tuple[str, set[str]]:
    """The address in the end, and which drafts it shows."""
    answer = await http.get(path, follow_redirects=True)
    assert answer.status_code == 200, answer.text
    names = ("st-0", "st-1", "st-2", "st-3", "mo-1", "se-1")
    return str(answer.url).removeprefix(HOST), {name for name in names if f'id="row-{name}"' in answer.text}


async def test_a_team_chosen_once_is_kept_and_the_address_says_it(team_desk: Desk) -> None:
    http = team_desk.http
    assert await seen(http) == ("/", {"st-3", "st-2", "mo-1", "se-1"})
    assert await seen(http, "/?team=money") == ("/?team=money", {"mo-1"})
    assert await seen(http) == ("/?team=money", {"mo-1"})
    assert await seen(http, "/?show=all") == ("/?show=all&team=money", {"mo-1"})
    assert (await seen(http, "/?team=*"))[1] == {"st-3", "st-2", "mo-1", "se-1"}
    assert (await seen(http))[0] == "/"


async def test_a_row_says_its_team_and_the_fold_counts_the_team_s_own(team_desk: Desk) -> None:
    html = (await team_desk.http.get("/?team=storage")).text
    assert 'href="/?team=storage" title="Drafts of this team">storage</a>' in html
    assert "2 more drafts are folded" in html
    assert "folded" not in (await team_desk.http.get("/?team=money")).text
    assert (await seen(team_desk.http, "/?show=folded&team=storage"))[1] == {"st-0", "st-1"}


async def test_what_was_handed_over_is_the_other_team_s_too(team_desk: Desk) -> None:
    body = {"move": "hand_over", "team": "finding"}
    assert (await team_desk.http.post("/api/v1/near-misses/mo-1/settle", json=body)).status_code == 200
    assert (await seen(team_desk.http, "/?team=finding"))[1] == {"se-1", "mo-1"}
    assert "<dt>Team</dt><dd>finding</dd>" in (await team_desk.http.get("/near-misses/mo-1")).text


async def test_the_next_draft_is_the_team_s_next(team_desk: Desk) -> None:
    await seen(team_desk.http, "/?team=storage")
    step = await team_desk.http.get("/near-misses/st-3/step/next")
    assert step.headers["location"] == "/near-misses/st-2"
    step = await team_desk.http.get("/near-misses/st-2/step/next")
    assert step.headers["location"] == "/", "what comes after it is another team's"


async def test_each_person_has_their_own_and_begins_with_their_teams(team_desk: Desk) -> None:
    """Two people at one browser: the second is not shown what the first chose, and nobody sees beyond their access."""
    everywhere = Grants(Access.REVIEWER, {"money": Access.LEAD})
    accounts = (
        Account("ada", "on-call", "a long secret of ada", everywhere),
        Account("bob", "on-call", "a long secret of bob", Grants(None, {"storage": Access.REVIEWER})),
    )
    app = team_desk.build(Auth(accounts))
    async with team_desk.client(app) as http:
        ada, bob = [httpx.BasicAuth(each.name, each.secret) for each in accounts]
        http.auth = ada
        assert await seen(http) == ("/?team=mine", {"mo-1"})
        assert (await seen(http, "/?team=finding"))[1] == {"se-1"}
        assert (await seen(http))[0] == "/?team=finding"
        http.auth = bob
        assert await seen(http) == ("/", {"st-3", "st-2"})
        assert (await seen(http, "/?team=finding"))[1] == set()
        http.auth = ada
        assert (await seen(http))[0] == "/?team=finding"


async def test_a_team_that_the_catalogue_no_longer_knows_is_not_kept(team_desk: Desk) -> None:
    await seen(team_desk.http, "/?team=money")
    team_desk.catalogue = Catalogue(services={"search": Service("search", owner="finding")})
    assert (await seen(team_desk.http))[0] == "/"
