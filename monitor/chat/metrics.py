"""What is counted of chats and mail."""

from __future__ import annotations

from monitor.core.model.reasons import ChatRequest, Sent
from monitor.ops.instruments import Instruments
from monitor.ops.shared_metrics import SharedMetrics
from monitor.review.metrics import ReviewMetrics


class ChatMetrics(SharedMetrics):
    """Messages, and what chats ask for."""

    def __init__(self, make: Instruments) -> None:
        super().__init__(make)
        self.chat_letters = make.counter_by(
            "nearmiss_chat_letters_total", "Messages to chats and mail, by outcome.", "outcome", Sent
        )
        self.chat_requests = make.counter_by(
            "nearmiss_chat_requests_total", "Requests from chats, by what became of them.", "outcome", ChatRequest
        )
        self.foretold = make.counter(
            "nearmiss_foretold_incidents_total", "Incidents that resemble earlier near misses."
        )
        self.chat_waiting = make.gauge("nearmiss_chat_waiting", "Messages that wait for chats and mail.")
        self.chat_failing = make.gauge(
            "nearmiss_chat_failing_destinations", "Destinations that failed at their last try."
        )


class OfficeMetrics(ChatMetrics, ReviewMetrics):
    """Both: what is decided and reported in chats counts like on the pages."""
