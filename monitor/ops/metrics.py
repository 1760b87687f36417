"""The catalogue of metrics: every one is an attribute, every label value known in advance exists at zero.

A misspelt metric or label value fails type checking. `docs/reference/metrics.md` lists what is here, and a test
compares the two.
"""

from __future__ import annotations

from collections.abc import Iterable

from prometheus_client import CollectorRegistry, ProcessCollector, disable_created_metrics
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest

from monitor.ops.metric_groups import (
    ChatMetrics,
    EngineMetrics,
    FeedMetrics,
    IntakeMetrics,
    KafkaMetrics,
    ProgramMetrics,
    ReviewMetrics,
    StoreMetrics,
)

CONTENT_TYPE = CONTENT_TYPE_LATEST

# A second series for each counter that tells when it was created helps nobody here and doubles the answer.
disable_created_metrics()  # type: ignore[no-untyped-call]  # the library has no annotation there


class Metrics(
    IntakeMetrics, FeedMetrics, EngineMetrics, StoreMetrics, KafkaMetrics, ChatMetrics, ReviewMetrics, ProgramMetrics
):
    """Every metric of the program, in a registry of its own unless one is given.

    `sources` are the kinds of source that can be decoded ("pagerduty"), `rules` the ids of the loaded rules.
    """

    def __init__(
        self,
        registry: CollectorRegistry | None = None,
        *,
        sources: Iterable[str] = (),
        rules: Iterable[str] = (),
        version: str = "unknown",
    ) -> None:
        self.registry = CollectorRegistry(auto_describe=True) if registry is None else registry
        IntakeMetrics.__init__(self, self.registry)
        FeedMetrics.__init__(self, self.registry)
        EngineMetrics.__init__(self, self.registry)
        StoreMetrics.__init__(self, self.registry)
        KafkaMetrics.__init__(self, self.registry)
        ChatMetrics.__init__(self, self.registry)
        ReviewMetrics.__init__(self, self.registry)
        ProgramMetrics.__init__(self, self.registry, version)
        ProcessCollector(registry=self.registry)
        self.know_sources(sources)
        self.know_rules(rules)

    def know_rules(self, rules: Iterable[str]) -> None:
        """Create the label values of these rules at zero and count them as the rules in use."""
        names = list(rules)
        self.drafts_opened.know(names)
        self.rules_loaded.set(len(names))

    def render(self) -> bytes:
        """The metrics in Prometheus' text format (`CONTENT_TYPE`)."""
        return generate_latest(self.registry)
