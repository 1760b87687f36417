"""The page of the feeds: strips, what stands in their way, and the services that nothing pulled watches."""

from __future__ import annotations

from monitor.core.model.catalogue import Catalogue, Service
from monitor.core.model.events import HOUR, MINUTE
from monitor.core.model.feed_views import FeedsView, FeedView, Watch
from monitor.ports import Unavailable
from monitor.review.auth import Account, Auth
from monitor.review.permissions import Access, Grants
from tests.review.conftest import Desk

CELLS = ("none",) * 8 + ("clear",) * 60 + ("blind",) * 8 + ("hurt",) * 4 + ("clear",) * 16


def feed(**change: object) -> FeedView:
    told: dict[str, object] = {
        "service": "checkout",
        "environment": "production",
        "source": "blackbox",
        "evidence": "synthetic",
        "cells": CELLS,
        "blind": (("stale", 2 * HOUR),),
        "behind": MINUTE,
        "trouble": None,
        "last_hour": None,
    }
    return FeedView(**{**told, **change})  # type: ignore[arg-type]  # each is one of its fields


async def test_a_strip_says_in_words_what_it_draws(desk: Desk) -> None:
    desk.feeds = FeedsView((feed(),), (Watch("checkout", ("blackbox",), None), Watch("search", (), "no feed")))
    page = (await desk.http.get("/feeds")).text
    assert 'aria-label="clear 19 h, hurt 1 h, blind 2 h, not looked at 2 h"' in page
    assert page.count("<rect class=") == 5
    assert '<rect class="strip__hurt" x="76" y="0" width="4" height="6">' in page
    assert "<code>stale</code> for 2 h" in page
    assert "<strong>checkout</strong>: watched by blackbox" in page
    assert "<strong>search</strong>: no; no feed" in page
    assert "behind" not in page.split("</article>")[0]


async def test_what_stands_in_the_way_is_said(desk: Desk) -> None:
    desk.feeds = FeedsView(
        (
            feed(trouble="denied: <401>", behind=3 * HOUR),
            feed(source="sloth", behind=None, cells=("none",) * 96),
            feed(source="pyrra", behind=None, trouble="unreachable: no route"),
        ),
        (),
    )
    page = (await desk.http.get("/feeds")).text
    assert "denied: &lt;401&gt;" in page
    assert "It is 3 h behind." in page
    assert page.count("It was never asked") == 1
    assert "The catalogue has no user-facing service." in page


async def test_who_may_see_one_team_sees_no_feed_and_no_service_of_another(desk: Desk) -> None:
    owners = {"checkout": "retail", "search": "finding"}
    desk.catalogue = Catalogue({name: Service(name, user_facing=True, owner=each) for name, each in owners.items()})
    desk.feeds = FeedsView(
        (feed(), feed(service="search", source="lucene", trouble="denied by lucene.example")),
        (Watch("checkout", ("blackbox",), None), Watch("search", (), "no feed")),
    )
    for team, sees, not_this in (("retail", "blackbox", "lucene"), ("finding", "lucene", "blackbox")):
        account = Account("bob", "on-call", "a long secret of bob", Grants(None, {team: Access.VIEWER}))
        async with desk.client(desk.build(Auth((account,))), auth=(account.name, account.secret)) as http:
            page = (await http.get("/feeds")).text
        assert sees in page, team
        assert not_this not in page, team
    account = Account("bob", "on-call", "a long secret of bob", Grants(None, {"nobodys": Access.VIEWER}))
    async with desk.client(desk.build(Auth((account,))), auth=(account.name, account.secret)) as http:
        page = (await http.get("/feeds")).text
    assert "No feed of your teams is pulled here." in page
    assert "checkout" not in page


async def test_without_a_feed_the_page_says_how_to_find_some(desk: Desk) -> None:
    answer = await desk.http.get("/feeds")
    assert answer.status_code == 200
    assert "nearmiss feeds discover" in answer.text


async def test_a_store_that_is_away_is_a_page_that_says_so(desk: Desk) -> None:
    desk.feeds = Unavailable("the database is away")
    answer = await desk.http.get("/feeds", headers={"accept": "text/html"})
    assert answer.status_code == 503
