"""The page on setup: what is missing and what it brings, what is being learnt, and what nobody explained."""

from __future__ import annotations

import httpx
import pytest

from monitor.core.matching.coverage import Arrived, Blind, Looked
from monitor.core.model.catalogue import Alias, Catalogue, Feed, PersonId, Service
from monitor.core.model.events import DAY, Instant
from monitor.core.resolving.unmatched import Unmatched, UnmatchedReport
from monitor.review.auth import Account, Auth
from monitor.review.permissions import Access, Grants
from monitor.review.setup import Setup
from monitor.review.web import build_app
from tests.review.conftest import HOST, Desk
from tests.support import records

WHOLE = Catalogue(
    {"shop": Service("shop", user_facing=True)},
    frozenset({"production"}),
    feeds=(Feed("shop"),),
    aliases=(Alias("shop", "name", "shop-web"),),
    people=(PersonId("ann", "U1", "slack"),),
)


def looked(
    sources: dict[str, int], kinds: dict[str, int], *, blind: tuple[Blind, ...] = (), until: Instant | None = None
) -> Looked:
    unknown = Unmatched("shp", 3, ("grafana",), "shop")
    person = Unmatched("U0123456", 1, ("slack",))
    words = UnmatchedReport(sum(sources.values()), 0, (unknown,), (), (), (), (person,))
    arrived = Arrived(words.events, 61, sources, kinds, records.MONDAY, records.MONDAY, blind, words)
    return Looked(records.MONDAY, Instant(records.MONDAY - 30 * DAY), arrived, False, until)


def names(setup: Setup) -> list[str]:
    return [gap.name for gap in setup.gaps]


def test_what_is_missing_by_what_is_there() -> None:
    assert names(Setup()) == ["feeds", "catalogue", "people"]
    two = {"grafana": 2, "github": 1}
    acts = {"alert.fired": 2, "change.deployed": 1}
    assert names(Setup(WHOLE, looked(two, acts))) == []
    assert names(Setup(WHOLE, looked({"grafana": 2}, acts))) == ["tools"]
    assert names(Setup(WHOLE, looked({"grafana": 2, "nearmiss": 1}, acts))) == ["tools"], "reports are no tool"
    assert names(Setup(WHOLE, looked(two, {"alert.fired": 3}))) == ["changes"]
    assert names(Setup(Catalogue(), looked(two, acts | {"impact.clear": 1}))) == ["catalogue", "people"]
    bare = Catalogue({"shop": Service("shop", user_facing=True)})
    assert names(Setup(bare, looked(two, acts))) == ["feeds", "aliases", "people", "production"]


def test_it_learns_until_a_moment() -> None:
    until = Instant(records.MONDAY + DAY)
    learning = Setup(WHOLE, looked({}, {}, until=until))
    assert learning.learning_until(records.MONDAY) == until
    assert learning.learning_until(until) is None
    assert Setup(WHOLE).learning_until(records.MONDAY) is None


@pytest.fixture
def client(desk: Desk) -> httpx.AsyncClient:
    blind = (Blind("odd-rule", "hazard", ("alert.fired",), 7), Blind("other", "told", ("note.added",), 0))
    found = looked({"grafana": 4}, {"alert.fired": 4}, blind=blind, until=Instant(records.MONDAY + 9 * DAY))
    app = build_app(
        desk.store.near_misses, desk.store.journal, desk.clock, desk.metrics, setup=lambda: Setup(WHOLE, found)
    )
    return desk.client(app)


async def test_the_page_lists_blind_rules_and_words(client: httpx.AsyncClient) -> None:
    html = (await client.get("/setup")).text
    assert "59 of 61 rules can match" in html
    assert "<td>odd-rule</td><td>hazard</td><td>7 arrived, none matched</td>" in html
    assert "<td>other</td><td>told</td><td>none arrived (note.added)</td>" in html
    assert "<code>shp</code>, 3 events of grafana; resembles <code>shop</code>" in html
    assert "<code>U0123456</code>, 1 event of slack" in html
    assert "Only grafana sends events." in html
    assert "Still learning what is usual here, until" in html


async def test_the_queue_says_that_it_learns_and_what_is_missing(client: httpx.AsyncClient, desk: Desk) -> None:
    html = (await client.get("/")).text
    assert "Still learning what is usual here" in html
    assert "Only grafana sends events." in html
    await desk.put(records.draft())
    html = (await client.get("/")).text
    assert "Still learning what is usual here" in html, "also beside drafts: they are less certain meanwhile"
    assert "Only grafana" not in html
    assert "Still learning" not in (await client.get("/?show=all")).text


async def test_before_the_first_look_the_page_says_so(desk: Desk) -> None:
    html = (await desk.http.get(f"{HOST}/setup")).text
    assert "has not been looked at yet" in html
    assert "No feed says whether users are fine." in html
    assert "Everything works without these, with lower confidence." in html


async def test_who_may_see_one_team_sees_no_name_of_another(desk: Desk) -> None:
    catalogue = Catalogue({name: Service(name, owner=owner) for name, owner in (("shop", "retail"), ("pay", "money"))})
    found = looked({"grafana": 4}, {"alert.fired": 4})
    texts = {}
    for team in ("retail", "money"):
        account = Account("bob", "on-call", "a long secret of bob", Grants(None, {team: Access.VIEWER}))
        app = build_app(
            desk.store.near_misses, desk.store.journal, desk.clock, desk.metrics, Auth((account,)),
            setup=lambda: Setup(catalogue, found),
        )  # fmt: skip
        async with desk.client(app) as http:
            http.auth = httpx.BasicAuth(account.name, account.secret)
            texts[team] = (await http.get("/setup")).text
    assert "<code>shp</code>" in texts["retail"]
    assert "<code>shp</code>" not in texts["money"]
    assert "1 more, for people who may see all teams" in texts["money"]
    assert all("U0123456" not in text for text in texts.values())
