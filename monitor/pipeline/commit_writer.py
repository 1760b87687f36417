"""Writes commits, one at a time, while the engine goes on with what follows."""

from __future__ import annotations

import asyncio
from functools import partial

from monitor.ops.tasks import Aside
from monitor.pipeline.lease import Lease
from monitor.pipeline.metrics import PipelineMetrics
from monitor.pipeline.quarantine import Quarantine
from monitor.pipeline.tally import Tally
from monitor.ports import Commit, EngineStore


class CommitWriter:
    """Tells lease, quarantine and tally what came through."""

    def __init__(
        self, store: EngineStore, lease: Lease, quarantine: Quarantine, metrics: PipelineMetrics, tally: Tally
    ) -> None:
        self._store, self._lease, self._quarantine = store, lease, quarantine
        self._metrics, self._tally = metrics, tally
        self._writing: Aside[bool] = Aside()

    @property
    def is_under_way(self) -> bool:
        return self._writing.is_under_way

    def begin(self, commit: Commit, events: int, stop: asyncio.Event) -> None:
        """Write it beside everything else; `is_written` has been asked for the one before."""
        self._writing.begin("commit", self.write(commit, events, stop))

    async def is_written(self) -> bool:
        """False when the last commit did not come through until the stop: the next start reads the same events again.

        Raises Fenced.
        """
        return await self._writing.result() is not False

    async def drop(self) -> None:
        """End what is under way."""
        await self._writing.drop()

    async def write(self, commit: Commit, events: int, stop: asyncio.Event) -> bool:
        """False when the store stayed away until the stop. Raises Fenced."""
        elapsed = asyncio.get_running_loop().time
        began = elapsed()
        # The same commit again, not a new one: were the first after all carried out, the second changes nothing.
        committed = await self._lease.retry("commit", partial(self._store.commit, commit), stop)
        if committed is None:
            return False
        self._lease.has_committed()
        self._quarantine.is_kept(commit.rejects)
        self._metrics.commits.inc()
        self._metrics.commit_duration.observe(elapsed() - began)
        self._tally.count(commit, events, committed)
        return True
