"""The remark of the readiness on memory: nothing before the first eviction, then what was evicted, counted by kind."""

from __future__ import annotations

from monitor.app.metrics import Metrics
from monitor.core.model.reasons import StateKind
from monitor.pipeline.health import evictions


async def test_without_evictions_there_is_no_remark() -> None:
    assert await evictions(Metrics()) is None


async def test_the_remark_counts_what_was_evicted_and_names_the_setting() -> None:
    metrics = Metrics()
    metrics.evicted.inc(StateKind.EVENTS, 1_200)
    assert await evictions(metrics) == (
        f"evicted for `engine_memory` since the start: 1,200 {StateKind.EVENTS}; see nearmiss_evicted_total"
    )
