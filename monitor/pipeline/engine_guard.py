"""What becomes of an exception of the engine: an event is put aside, it remembers less, or the service stops."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from monitor.core.model.events import Event
from monitor.core.model.faults import memory_ended
from monitor.core.state.cells import StateError
from monitor.pipeline.lease import StartOver
from monitor.pipeline.metrics import PipelineMetrics
from monitor.pipeline.quarantine import Quarantine
from monitor.ports import Clock

LEAST_MEMORY = 16 * 1024**2


class EngineGuard:
    """`memory`: bytes that the engine may remember."""

    def __init__(self, quarantine: Quarantine, clock: Clock, metrics: PipelineMetrics, memory: int) -> None:
        self._quarantine, self._clock, self._metrics = quarantine, clock, metrics
        self._memory = memory

    @property
    def memory(self) -> int:
        return self._memory

    @contextmanager
    def around(self, batch: Sequence[Event]) -> Iterator[None]:
        """Whatever the engine fails at is put aside. Raises StartOver, for the rest to go on from the last commit.

        Where nothing can be blamed the error goes through: it is no event's fault. Where memory ends nothing is blamed
        as long as the engine could remember less. Raises MemoryError.
        """
        try:
            yield
        except StateError:
            raise
        except Exception as error:
            no_memory = memory_ended(error)
            could_shrink = no_memory and self._memory > LEAST_MEMORY
            if not could_shrink and self._quarantine.blame(error, batch, self._clock.now()):
                raise StartOver(str(error)) from error
            if no_memory:
                raise MemoryError(str(error)) from error
            raise

    def remember_less(self) -> bool:
        """Memory ended: half as much from now on. False where it was the least already."""
        self._metrics.out_of_memory.inc()
        if self._memory <= LEAST_MEMORY:
            return False
        self._memory = max(self._memory // 2, LEAST_MEMORY)
        return True
