"""The saved state goes as the engine is made of it."""

from __future__ import annotations

from monitor.core.model.events import DAY
from monitor.pipeline.draining import draining
from monitor.ports import Saved
from tests.support.streams import PERSON, clear_feed, make_event, new_engine, run


def test_an_engine_made_of_draining_cells_is_the_same_and_leaves_none() -> None:
    engine = new_engine()
    run(engine, [make_event("alert.fired", 500 + n, subject=f"s{n}", severity="high") for n in range(50)], end=False)
    run(engine, clear_feed("shop", 560, 600), end=False)
    cells = {name: value for name, value in engine.take_changes().items() if value is not None}
    saved = Saved(dict(cells), {}, 1, scopes={"part": {}, "shard/001": dict(cells)})
    restored = new_engine(cells=draining(saved).cells)
    assert saved.cells == {}
    assert restored.gauges() == new_engine(cells=cells).gauges() == engine.gauges()
    person = make_event("change.rolled_back", 601, actor=PERSON)
    assert restored.step([person]) == engine.step([person])
    assert restored.tick(engine.state.timeline.newest + 3 * DAY) == engine.tick(engine.state.timeline.newest + 3 * DAY)  # type: ignore[arg-type]
    assert len(draining(saved).scopes["shard/001"]) == len(cells)
    new_engine(cells=draining(saved).scopes["shard/001"])
    assert saved.scopes["shard/001"] == {}
