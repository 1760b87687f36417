"""What is counted of tools that are pulled."""

from __future__ import annotations

from monitor.core.model.reasons import FeedFailure
from monitor.ops.instruments import Instruments
from monitor.ops.shared_metrics import SharedMetrics


class PullMetrics(SharedMetrics):
    """Requests that failed."""

    def __init__(self, make: Instruments) -> None:
        super().__init__(make)
        self.pull_failures = make.counter_by(
            "nearmiss_pull_failures_total",
            "Failed requests to tools that are pulled; they are repeated.",
            "reason",
            FeedFailure,
        )
