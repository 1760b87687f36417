"""What is still watched, on its page and where the queue is empty."""

from __future__ import annotations

from monitor.core.model.catalogue import Catalogue, Service
from monitor.core.model.events import HOUR, SECOND, Instant
from monitor.ports.queue import Awaited
from monitor.review.web import build_app
from tests.review.conftest import Desk
from tests.support import records

JUDGED_AT = Instant(records.MONDAY + HOUR)
CATALOGUE = Catalogue(services={"payments-db": Service("payments-db", owner="storage")})


class Engines:
    """Tells what is watched, and how often it was asked."""

    def __init__(self) -> None:
        self.asked = 0

    async def awaited(self, most: int) -> list[Awaited]:
        self.asked += 1
        told = [each.event for each in records.evidence()]
        whole = Awaited("ep-1", ("payments-db",), ("disk",), told[1], told[7], JUDGED_AT)
        return [whole, Awaited("ep-2", ("search",), (), None, None, None)][:most]


async def test_each_is_shown_with_its_moment_and_asked_for_once_in_a_while(desk: Desk) -> None:
    engines = Engines()
    desk.catalogue = CATALOGUE
    desk.app = build_app(
        desk.store.near_misses,
        desk.store.journal,
        desk.clock,
        desk.metrics,
        awaiting=engines,
        budget=desk.app.state.review.budget,
    )
    async with desk.client(desk.app) as http:
        page = (await http.get("/watching")).text
        for told in (
            "Disk of pg-3 is 91 % full and fills up in 40 minutes",
            "judged at 2 Feb 2026, 09:30 UTC",
            "being looked at",
            "Dropped the orphaned replication slot on pg-3",
            'aria-current="page">Watching <span class="tab__count">2</span>',
        ):
            assert told in page
        empty = (await http.get("/")).text
        assert "2 candidates wait for the end of the hold, the first until 2 Feb 2026, 09:30 UTC" in " ".join(
            empty.split()
        )
        assert 'href="/watching"' in empty
        assert engines.asked == 1
        narrow = (await http.get("/watching?team=storage")).text
        assert "Disk of pg-3" in narrow
        assert "being looked at" not in narrow
        desk.clock.advance(6 * SECOND)
        await http.get("/watching")
        assert engines.asked == 2


async def test_where_nothing_is_watched_there_is_no_tab(desk: Desk) -> None:
    assert "/watching" not in (await desk.http.get("/")).text
    assert "Nothing is watched" in (await desk.http.get("/watching")).text
