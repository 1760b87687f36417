"""What is counted of feeds that are pulled."""

from __future__ import annotations

from monitor.core.model.reasons import FeedFailure, FeedStep
from monitor.ops.instruments import Instruments
from monitor.ops.shared_metrics import SharedMetrics


class FeedMetrics(SharedMetrics):
    """How each step came out, and how far behind the slowest is."""

    def __init__(self, make: Instruments) -> None:
        super().__init__(make)
        self.feed_steps = make.counter_by(
            "nearmiss_feed_steps_total",
            "Steps of pulled feeds, by state; most are reasons to be blind.",
            "state",
            FeedStep,
        )
        self.feed_failures = make.counter_by(
            "nearmiss_feed_failures_total",
            "Failed queries of pulled feeds; they are repeated.",
            "reason",
            FeedFailure,
        )
        self.feed_lag = make.gauge("nearmiss_feed_lag_seconds", "How far the slowest pulled feed is behind the clock.")
