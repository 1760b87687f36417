"""What a page shows of feeds: the day from what the puller keeps, and why a service cannot be judged."""

from __future__ import annotations

import json

import pytest

from monitor.core.model.catalogue import Catalogue, Service
from monitor.core.model.catalogue import Feed as Named
from monitor.core.model.events import DAY, HOUR, MINUTE
from monitor.core.model.feed_views import FeedsView
from monitor.core.model.reasons import FeedStep
from monitor.feeds import day_strip as history
from monitor.feeds.overview import TROUBLE, overview
from monitor.feeds.queries import SETTLE, PulledFeed
from monitor.feeds.states import FeedName, Limits

NOW = 1_800_000_000_000_000 // DAY * DAY
FEED = PulledFeed(FeedName("checkout", "blackbox", "synthetic"), "http://p", "x", MINUTE, Limits(0, 0, False, False))
SHOP = Catalogue(
    {name: Service(name, user_facing=True) for name in ("checkout", "search", "account")} | {"db": Service("db")},
    feeds=(Named("search", source="pingdom"),),
)


def seen(past: str, behind: int = 0, trouble: str = "") -> FeedsView:
    cursors = {FEED.name.digest: json.dumps({"at": NOW - behind, "past": past, "past_step": MINUTE})}
    if trouble:
        cursors[FEED.name.digest + TROUBLE] = trouble
    return overview([FEED], cursors, SHOP, NOW + SETTLE)


def test_every_state_has_a_letter_and_comes_back() -> None:
    steps = [*FeedStep, FeedStep.CLEAR, FeedStep.CLEAR]
    assert history.read(history.write(steps), 100) == steps
    assert history.read(history.write(steps), 2) == steps[-2:]
    assert history.read("c3 nonsense ?2 c999999", 10) == [FeedStep.CLEAR] * 10


def test_a_cell_is_a_quarter_of_an_hour() -> None:
    (view,) = seen("c1320n30h1c89").feeds
    assert view.cells.count("clear") == 93
    assert view.cells[88:91] == ("blind", "blind", "hurt")
    assert view.blind == (("no_data", 30 * MINUTE),)


def test_what_was_not_looked_at_yet_is_at_the_end() -> None:
    (view,) = seen("c1440", behind=2 * HOUR).feeds
    assert view.cells == ("clear",) * 88 + ("none",) * 8


@pytest.mark.parametrize(
    ("past", "behind", "trouble", "why"),
    [
        ("c1440", 0, "", None),
        ("n1439c1", 0, "", None),
        ("c1380n60", 0, "", "blackbox: no_data"),
        ("c1380t40f20", 0, "", "blackbox: stale"),
        ("c1440", HOUR, "", "blackbox: behind"),
        ("c1440", HOUR, "timeout: no answer", "blackbox: timeout: no answer"),
    ],
)
def test_a_service_is_judged_by_a_feed_that_saw_something_lately(
    past: str, behind: int, trouble: str, why: str | None
) -> None:
    checkout = next(each for each in seen(past, behind, trouble).services if each.service == "checkout")
    assert checkout.why == why
    assert checkout.sources == (("blackbox",) if why is None else ())


def test_a_service_that_nothing_pulled_watches_says_so() -> None:
    found = {each.service: each.why for each in seen("c1440").services}
    assert found == {"account": "no feed", "checkout": None, "search": "only what is sent: pingdom"}
    (view,) = overview([FEED], {}, SHOP, NOW).feeds
    assert (view.behind, set(view.cells)) == (None, {"none"})
    checkout = overview([FEED], {FEED.name.digest: "nonsense"}, SHOP, NOW).services[1]
    assert checkout.why == "blackbox: not asked yet"
