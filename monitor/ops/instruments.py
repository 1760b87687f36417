"""Makes the instruments of one registry, so that a package declares its metrics without the library behind them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from monitor.ops.labelled import CounterBy, CounterByName, Decisions, GaugeByName, Label


class Instruments:
    """`help` is what the reference says of a metric."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.registry = registry

    def counter(self, name: str, help: str) -> Counter:
        return Counter(name, help, registry=self.registry)

    def gauge(self, name: str, help: str) -> Gauge:
        return Gauge(name, help, registry=self.registry)

    def info(self, name: str, help: str, *labels: str) -> Gauge:
        """A gauge that is 1 for the values of its labels."""
        return Gauge(name, help, labels, registry=self.registry)

    def histogram(self, name: str, help: str, buckets: Sequence[float]) -> Histogram:
        """Of seconds; `buckets` are its upper bounds."""
        return Histogram(name, help, registry=self.registry, buckets=buckets)

    def counter_by(self, name: str, help: str, label: str, values: Iterable[Label]) -> CounterBy[Label]:
        return CounterBy(self.registry, name, help, label, values)

    def counter_by_name(self, name: str, help: str, label: str) -> CounterByName:
        return CounterByName(self.registry, name, help, label)

    def gauge_by_name(self, name: str, help: str, label: str) -> GaugeByName:
        return GaugeByName(self.registry, name, help, label)

    def decisions(self, name: str, help: str) -> Decisions:
        return Decisions(self.registry, name, help)
