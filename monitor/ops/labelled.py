"""Metrics with one label: the values that are known in advance exist at zero, and no other makes a new series.

A misspelt value of a closed list fails type checking.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from enum import StrEnum
from typing import Generic, TypeVar

from prometheus_client import CollectorRegistry, Counter, Gauge

from monitor.core.model.near_miss import Dismissal, Move

Label = TypeVar("Label", bound=str)

OTHER = "other"
NO_REASON = "none"

_WITHOUT_PLAIN_COUNT = frozenset(
    {Move.DISMISS, Move.WITHDRAW}
)  # the one is counted by reason, the other is the machine's


class Closed(StrEnum):
    """Why a connection was closed by us: without an answer, before a request was read, or in the middle of one."""

    HEAD_LATE = "head_late"  # no whole head of a request in time
    EVICTED = "evicted"  # it asked nothing yet, and another one came when all were taken
    STALLED = "stalled"  # it did not read its answer
    FULL = "full"  # all were busy
    MALFORMED = "malformed"  # what it sent is no HTTP, or can be read in two ways


class CounterBy(Generic[Label]):
    """A counter with one label whose values are a closed list."""

    def __init__(self, registry: CollectorRegistry, name: str, help: str, label: str, values: Iterable[Label]) -> None:
        counter = Counter(name, help, [label], registry=registry)
        self._children = {value: counter.labels(str(value)) for value in values}

        self.totals = dict.fromkeys(self._children, 0.0)

    def inc(self, value: Label, amount: float = 1) -> None:
        """Raises KeyError for a value outside of the list, which is a defect of the caller."""
        self._children[value].inc(amount)
        self.totals[value] += amount


class CounterByName:
    """A counter with one label whose values are told at start; any other value counts as "other"."""

    def __init__(self, registry: CollectorRegistry, name: str, help: str, label: str) -> None:
        self._counter = Counter(name, help, [label], registry=registry)
        self._children = {OTHER: self._counter.labels(OTHER)}

    def know(self, values: Iterable[str]) -> None:
        """Create these label values at zero, beside those that are known already."""
        for value in sorted(values):
            if value not in self._children:
                self._children[value] = self._counter.labels(value)

    def inc(self, value: str, amount: float = 1) -> None:
        self._children.get(value, self._children[OTHER]).inc(amount)

    def total(self) -> int:
        """Over all values, since the process started."""
        samples = (sample for metric in self._counter.collect() for sample in metric.samples)
        return int(sum(sample.value for sample in samples if sample.name.endswith("_total")))


class GaugeByName:
    """A gauge with one label whose values are told at start; any other value counts as "other"."""

    def __init__(self, registry: CollectorRegistry, name: str, help: str, label: str) -> None:
        self._gauge = Gauge(name, help, [label], registry=registry)
        self._children = {OTHER: self._gauge.labels(OTHER)}

    def know(self, values: Iterable[str]) -> None:
        """Create these label values at zero, beside those that are known already."""
        for value in sorted(values):
            if value not in self._children:
                self._children[value] = self._gauge.labels(value)

    def show(self, numbers: Mapping[str, float]) -> None:
        """These and nothing else: what is not named is zero."""
        for value, child in self._children.items():
            child.set(numbers.get(value, 0))
        self._children[OTHER].set(sum(number for value, number in numbers.items() if value not in self._children))


class Decisions:
    """What people decided: each legal move, and for a dismissal each reason of the closed list."""

    def __init__(self, registry: CollectorRegistry, name: str, help: str) -> None:
        counter = Counter(name, help, ["decision", "reason"], registry=registry)
        pairs: list[tuple[Move, str]] = [(move, NO_REASON) for move in Move if move not in _WITHOUT_PLAIN_COUNT]
        pairs += [(Move.DISMISS, reason.value) for reason in Dismissal]
        self._children = {pair: counter.labels(*pair) for pair in pairs}

    def inc(self, decision: Move, reason: str | None = None) -> None:
        """`reason` counts only for a dismissal. Raises KeyError for a reason outside of the closed list."""
        self._children[decision, str(reason) if decision is Move.DISMISS else NO_REASON].inc()
