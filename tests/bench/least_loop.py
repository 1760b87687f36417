"""What any engine in Python does at the least: decodes, orders, remembers and forgets; no rule, no verdict, no reason.

The floor under `nearmiss replay`: what lies above it is what rules, judgement and drafts cost.
"""

from __future__ import annotations

import gc
import sys
from collections import deque
from itertools import islice
from pathlib import Path

from monitor.core.model.events import DAY, HOUR, MINUTE, Event
from monitor.decode.canonical import decode_lines

LATENESS = MINUTE
REMEMBERED = DAY + HOUR
WAITS = 6 * HOUR
BLOCK = 1000


class Least:
    """Event-time order within the lateness, a day of events by service and kind, alerts that wait for somebody."""

    def __init__(self) -> None:
        self.newest = 0
        self.count = 0
        self.feeds: dict[tuple[str | None, str, str | None], list[int]] = {}
        self.pending: list[tuple[int, str, str, Event]] = []
        self.remembered: dict[str | None, dict[str, deque[Event]]] = {}
        self.alerts: dict[tuple[str | None, str | None], Event] = {}
        self.waiting: deque[Event] = deque()

    def take(self, events: list[Event]) -> None:
        for event in events:
            at = event.time
            if event.kind == "impact.clear":
                self.feeds.setdefault((event.service, event.source, event.labels.get("evidence")), []).append(at)
            else:
                self.pending.append((at, event.source, event.id, event))
            self.newest = max(self.newest, at)
        self.count += len(events)
        self.pending.sort()
        watermark, place = self.newest - LATENESS, 0
        for moment, _, _, event in self.pending:
            if moment >= watermark:
                break
            self.remember(event)
            place += 1
        del self.pending[:place]

    def remember(self, event: Event) -> None:
        at, kind = event.time, event.kind
        kept = self.remembered.setdefault(event.service, {}).setdefault(kind, deque())
        kept.append(event)
        while kept[0].time < at - REMEMBERED:
            kept.popleft()
        if kind == "alert.fired":
            self.alerts[event.service, event.subject] = event
            self.waiting.append(event)
            while self.waiting[0].time < at - WAITS:
                gone = self.waiting.popleft()
                if self.alerts.get((gone.service, gone.subject)) is gone:
                    del self.alerts[gone.service, gone.subject]
        elif kind == "alert.resolved":
            self.alerts.pop((event.service, event.subject), None)


def main() -> None:
    gc.freeze()
    gc.set_threshold(100_000, 20, 100)  # as the command does
    least = Least()
    with Path(sys.argv[1]).open("rb") as file:
        while block := [line.rstrip(b"\n") for line in islice(file, BLOCK)]:
            events = decode_lines(block)
            assert events is not None, "a line of the benchmark's stream is of the regular form"
            least.take(events)
    print(least.count)


if __name__ == "__main__":
    main()
