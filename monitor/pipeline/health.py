"""What the engines of this process had to evict; a remark of the readiness."""

from __future__ import annotations

from monitor.pipeline.metrics import EngineMetrics


async def evictions(metrics: EngineMetrics) -> str | None:
    """One line that counts them by kind; None before the first."""
    evicted = {str(kind): int(count) for kind, count in metrics.evicted.totals.items() if count}
    counted = ", ".join(f"{count:,} {kind}" for kind, count in evicted.items())
    return f"evicted for `engine_memory` since the start: {counted}; see nearmiss_evicted_total" if counted else None
