"""What is still watched: read from the cells of a real engine, of one that has everything and of one that shares."""

from __future__ import annotations

import pytest

from monitor.core.model.events import HOUR
from monitor.ports import Commit
from monitor.store.database import Store
from tests.support.records import MONDAY
from tests.support.streams import PERSON, START, acted_rule, clear_feed, make_event, new_engine

FIRED = make_event("alert.fired", 0, "fired", subject="errors", severity="high", title="Errors rise")
ACTED = make_event("change.restarted", 5, "acted", actor=PERSON)
RECOVERED = make_event("alert.resolved", 10, "recovered", subject="errors")


@pytest.mark.parametrize("scope", [None, "shard-3"])
async def test_a_candidate_is_watched_until_its_window_ends(store: Store, scope: str | None) -> None:
    """Its moment is that by which the engine judges it; afterwards it is a draft, and nothing is watched any more."""
    engine = new_engine([acted_rule()])
    owner = await store.engine_store.acquire("engine")

    async def commit() -> None:
        cells = engine.take_changes()
        await store.engine_store.commit(
            Commit((), {} if scope else cells, {}, owner.epoch, MONDAY, scopes={scope: cells} if scope else {})
        )

    engine.step([*clear_feed("api", -10, 20), FIRED])
    await commit()
    assert await store.awaited.awaited(10) == []
    engine.step([ACTED, RECOVERED, *clear_feed("api", 30, 60)])
    await commit()
    (found,) = await store.awaited.awaited(10)
    assert (found.services, found.hazard, found.act) == (("db",), FIRED, ACTED)
    assert found.rules == (acted_rule().name,)
    assert found.judged_at == RECOVERED.time + acted_rule().impact.hold
    assert await store.awaited.awaited(0) == []

    engine.step(clear_feed("api", 70, 24 * 60, every=60))
    await commit()
    assert found.judged_at < START + 24 * HOUR
    assert await store.awaited.awaited(10) == []
