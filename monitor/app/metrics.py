"""Every metric of the program: those that the packages own, gathered, and those of the process as a whole.

A misspelt metric or label value fails type checking. `docs/reference/metrics.md` lists what is here, and a test
compares the two.
"""

from __future__ import annotations

import platform
from collections.abc import Iterable

from monitor.chat.metrics import OfficeMetrics
from monitor.feeds.metrics import FeedMetrics
from monitor.intake.metrics import IntakeMetrics
from monitor.kafka.metrics import KafkaMetrics
from monitor.ops.exposition import Registry, new_registry, text_of, watch_process
from monitor.ops.instruments import Instruments
from monitor.ops.labelled import Closed
from monitor.ops.shared_metrics import SharedMetrics
from monitor.pipeline.metrics import PipelineMetrics
from monitor.pullers.metrics import PullMetrics


class ConnectionMetrics(SharedMetrics):
    """What the server closes."""

    def __init__(self, make: Instruments) -> None:
        super().__init__(make)
        self.connections_closed = make.counter_by(
            "nearmiss_connections_closed_total", "Connections closed by a limit.", "reason", Closed
        )


class Metrics(
    IntakeMetrics,
    FeedMetrics,
    PullMetrics,
    PipelineMetrics,
    KafkaMetrics,
    OfficeMetrics,
    ConnectionMetrics,
):
    """All of them, in a registry of its own unless one is given.

    `sources` are the kinds of source that can be decoded ("pagerduty"), `rules` the ids of the loaded rules.
    """

    def __init__(
        self,
        registry: Registry | None = None,
        *,
        sources: Iterable[str] = (),
        rules: Iterable[str] = (),
        version: str = "unknown",
    ) -> None:
        self.registry = new_registry() if registry is None else registry
        make = Instruments(self.registry)
        super().__init__(make)
        self.build_info = make.info("nearmiss_build_info", "Always 1; the labels tell what runs.", "version", "python")
        self.build_info.labels(version, platform.python_version()).set(1)
        watch_process(self.registry)
        self.know_sources(sources)
        self.know_rules(rules)

    def render(self) -> bytes:
        """The metrics in Prometheus' text format (`CONTENT_TYPE`)."""
        return text_of(self.registry)
