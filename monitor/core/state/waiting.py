"""Bounds in bytes what waits for the watermark: nothing of it was processed, so that nothing older can go instead.

Counts by second of event time, and only what is before the watermark's own second: so it neither matters where
batches end nor whether the process was restarted in between.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Literal

import msgspec

from monitor.core.model.events import SECOND, Event
from monitor.core.model.reasons import Mark
from monitor.core.state.costs import event_bytes

SHARE = 8
"""One part in so many of the byte budget may wait."""
LARGE = 2_048
"""Bytes of an event that gives up its labels when it is too much."""

Admitted = tuple[Event, Literal["whole", "thinned", "refused"]]


class Waiting:
    """`limit`: bytes. Beyond it large events lose their labels, and those of unknown services are refused.

    Beyond twice the limit everything is refused.
    """

    def __init__(self, limit: int, is_known: Callable[[str], bool], pending: Iterable[Event], watermark: int) -> None:
        self._limit = limit
        self._is_known = is_known
        self._by_second: dict[int, int] = {}
        self._total = 0
        self._passed = watermark // SECOND
        for event in pending:
            self._add(event.time // SECOND, event_bytes(event))

    def admit(self, event: Event, watermark: int) -> Admitted:
        """The event as it may wait."""
        passed = watermark // SECOND
        if passed > self._passed:
            self._passed = passed
            for second in [second for second in self._by_second if second <= passed]:
                self._total -= self._by_second.pop(second)
        second = event.time // SECOND
        if second <= passed:
            return event, "whole"
        size = event_bytes(event)
        if self._total + size <= self._limit:
            self._add(second, size)
            return event, "whole"
        if self._total + size > 2 * self._limit or not self._is_known(event.service or ""):
            return event, "refused"
        if size > LARGE:
            event = msgspec.structs.replace(
                event, labels={}, title=(event.title or "")[:200] or None, marks=(*event.marks, Mark.LABELS_EVICTED)
            )
            self._add(second, event_bytes(event))
            return event, "thinned"
        self._add(second, size)
        return event, "whole"

    def _add(self, second: int, size: int) -> None:
        if second > self._passed:
            self._by_second[second] = self._by_second.get(second, 0) + size
            self._total += size
