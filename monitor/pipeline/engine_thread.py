"""An engine at work on a thread of its own: one for everything, or those of a part's shards.

The only place that knows the two apart.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

from monitor.core.deciding.engine import Engine
from monitor.core.model.decisions import Decision
from monitor.core.model.events import Event, Instant
from monitor.core.sharding.routing import Route
from monitor.core.sharding.shards import Cells, Shards
from monitor.ops.side_thread import Beside
from monitor.pipeline.current_pack import Pack
from monitor.ports import Saved

_ENGINES = Beside("engine")
"""Where engines work, one at a time. In the event loop a slice would let everybody wait; on a machine without a free
core, or while a body is read in a thread, for ten times as long as it takes by itself."""
MakeEngine = Callable[[Saved], Engine | Shards]
"""An engine with the loaded rules that goes on from what was saved: one for everything, or those of a part's shards."""


class ThreadedEngine:
    """What is awaited is done on the thread."""

    def __init__(self, engine: Engine | Shards) -> None:
        self._engine = engine

    @classmethod
    async def made(cls, make: MakeEngine, saved: Saved) -> ThreadedEngine:
        return cls(await _ENGINES.do(make, saved))

    async def step(self, events: Sequence[Event], routes: Sequence[Route]) -> tuple[list[Decision], float]:
        """What was decided, and how many seconds it took."""
        engine, elapsed = self._engine, asyncio.get_running_loop().time

        def step() -> tuple[list[Decision], float]:
            # The engine's time alone: how long the event loop was busy is no reason for a smaller slice.
            began = elapsed()
            decided = engine.step(events, routes) if isinstance(engine, Shards) else engine.step(events)
            return decided, elapsed() - began

        return await _ENGINES.do(step)

    async def tick(self, until: Instant) -> list[Decision]:
        return await _ENGINES.do(self._engine.tick, until)

    async def replace(self, pack: Pack) -> list[Decision]:
        """Go by another pack; what was decided by that."""
        return await _ENGINES.do(self._engine.replace, pack.rules, pack.catalogue, pack.compiled, pack.weights)

    async def take_changes(self) -> tuple[Cells, dict[str, Cells]]:
        """Cells that changed since the last call, and those by scope; None deletes one."""
        if isinstance(self._engine, Shards):
            return {}, await _ENGINES.do(self._engine.take_changes)
        return await _ENGINES.do(self._engine.take_changes), {}

    @property
    def watermark(self) -> Instant | None:
        return self._engine.watermark

    def gauges(self) -> dict[str, float]:
        return self._engine.gauges()
