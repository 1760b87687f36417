"""What is counted of drafts that wait for people, and of what people did."""

from __future__ import annotations

from monitor.core.model.near_miss import ReportKind
from monitor.ops.instruments import Instruments
from monitor.ops.shared_metrics import SharedMetrics

_REVIEW_SECONDS = (60, 300, 900, 3600, 4 * 3600, 8 * 3600, 86_400, 3 * 86_400, 7 * 86_400, 30 * 86_400)


class ReviewMetrics(SharedMetrics):
    """The queue, decisions and reports."""

    def __init__(self, make: Instruments) -> None:
        super().__init__(make)
        self.undecided_drafts = make.gauge("nearmiss_undecided_drafts", "Drafts waiting for review.")
        self.folded_drafts = make.gauge("nearmiss_folded_drafts", "Drafts folded beyond the review budget.")
        self.oldest_undecided_age = make.gauge(
            "nearmiss_oldest_undecided_age_seconds", "Age of the oldest draft waiting for review."
        )
        self.decisions = make.decisions("nearmiss_decisions_total", "Decisions on drafts.")
        self.review_latency = make.histogram(
            "nearmiss_review_latency_seconds", "Time from opening to decision.", _REVIEW_SECONDS
        )
        self.reports = make.counter_by("nearmiss_reports_total", "Reports by people, by kind.", "kind", ReportKind)
