"""What is counted at the door."""

from __future__ import annotations

from monitor.ops.instruments import Instruments
from monitor.ops.shared_metrics import SharedMetrics

_APPEND_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5)


class IntakeMetrics(SharedMetrics):
    """What arrives by webhook."""

    def __init__(self, make: Instruments) -> None:
        super().__init__(make)
        self.events_duplicates = make.counter("nearmiss_events_duplicates_total", "Duplicate events.")
        self.journal_append_seconds = make.histogram(
            "nearmiss_journal_append_seconds", "Duration of an append to the journal.", _APPEND_SECONDS
        )
        self.backlog_bytes = make.gauge("nearmiss_backlog_bytes", "Size of events that the engine has still to read.")
        self.backlog_events = make.gauge("nearmiss_backlog_events", "Events that the engine has still to read.")
        self.backlog_limit = make.gauge("nearmiss_backlog_limit_bytes", "The bound on them: `backlog_limit`.")
        self.backlog_refused = make.counter(
            "nearmiss_backlog_refused_total", "Deliveries refused with 503, since too much of their sender is unread."
        )
        self.intake_paused = make.gauge(
            "nearmiss_intake_paused", "1 while ingest answers 503 because nothing can be stored."
        )
