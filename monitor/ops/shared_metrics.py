"""What several parts count, so that it belongs to none of them: what arrives, what fails, who is refused."""

from __future__ import annotations

from collections.abc import Iterable

from monitor.core.model.reasons import Ignored, Rejected
from monitor.ops.arrivals import Arrivals
from monitor.ops.instruments import Instruments

REFUSED = ("401", "403", "408", "413", "421", "429", "503")
PARTS = (
    "reload",
    "housekeeping",
    "queue_metrics",
    "feeds",
    "sources",
    "pulls",
    "chat",
    "coverage",
    "closing",
    "backlog",
)


class SharedMetrics:
    """The base of the metrics of each part; a part adds its own."""

    def __init__(self, make: Instruments) -> None:
        self.events_received = make.counter_by_name(
            "nearmiss_events_received_total", "Events received, by kind of source.", "source"
        )
        self.events_accepted = make.counter("nearmiss_events_accepted_total", "Events stored in the journal.")
        self.events_rejected = make.counter_by(
            "nearmiss_events_rejected_total", "Input that was rejected.", "reason", Rejected
        )
        self.events_ignored = make.counter_by(
            "nearmiss_events_ignored_total", "Input without an event, by intention.", "reason", Ignored
        )
        self.arrivals = Arrivals()
        self.silent_sources = make.gauge_by_name(
            "nearmiss_silent_sources",
            "Sources that are silent for longer than they usually are, by kind of source.",
            "source",
        )
        self.requests_refused = make.counter_by(
            "nearmiss_requests_refused_total", "Refused requests.", "status", REFUSED
        )
        self.store_unavailable = make.counter(
            "nearmiss_store_unavailable_total", "Failed database calls that are retried."
        )
        self.part_failures = make.counter_by(
            "nearmiss_part_failures_total", "Failures of optional parts, which are restarted.", "part", PARTS
        )
        self._waiting = 0

    def know_sources(self, sources: Iterable[str]) -> None:
        """Create the label values of these kinds of source at zero."""
        kinds = list(sources)
        self.events_received.know(kinds)
        self.silent_sources.know(kinds)

    def episodes_waiting(self) -> int:
        """Episodes whose hold has not passed, as the engines of this process told last."""
        return self._waiting
