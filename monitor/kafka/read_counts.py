"""Counts what was read from topics, by source."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from monitor.core.model.events import Event, Instant
from monitor.core.model.reasons import Ignored, Rejected
from monitor.kafka.messages import RecordContent
from monitor.kafka.metrics import KafkaMetrics
from monitor.kafka.partition_buffers import PartitionBuffer


def count_read(taken: Sequence[tuple[PartitionBuffer, RecordContent]], now: Instant, metrics: KafkaMetrics) -> None:
    """Events, rejects and omissions of entries that are handed out."""
    events: dict[str, list[Event]] = {}
    refused: dict[str, Counter[Rejected]] = {}
    ignored: dict[str, Counter[Ignored]] = {}
    for buffer, entry in taken:
        events.setdefault(buffer.source, []).extend(entry.events)
        if entry.rejects:
            reasons = refused.setdefault(buffer.source, Counter())
            reasons.update(Rejected(reject.reason) for reject in entry.rejects)
        if entry.ignored:
            ignored.setdefault(buffer.source, Counter()).update(entry.ignored)
    for source, found in events.items():
        no, none = refused.get(source, Counter()), ignored.get(source, Counter())
        metrics.events_received.inc(source.partition("/")[0], len(found) + no.total() + none.total())
        for reason, count in none.items():
            metrics.events_ignored.inc(reason, count)
        metrics.arrivals.delivered(source, now, found, no, none)
