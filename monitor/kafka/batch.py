"""Entries of several partitions, in the order in which they are handed out → one batch of the journal."""

from __future__ import annotations

from collections.abc import Sequence

from monitor.core.model.events import Event, Instant
from monitor.core.sharding.routing import Route
from monitor.kafka.messages import RecordContent
from monitor.kafka.partition_buffers import PartitionBuffer
from monitor.ports import Batch, Reject


def batch_of(
    taken: Sequence[tuple[PartitionBuffer, RecordContent]], reached: dict[str, int], *, at_head: bool
) -> Batch:
    """`reached`: where to go on after these. The batch's clock is the latest that an entry tells."""
    events: list[Event] = []
    bodies: list[bytes] = []
    routes: list[Route] = []
    rejects: list[Reject] = []
    clock: Instant | None = None
    for _, entry in taken:
        events += entry.events
        bodies += entry.bodies
        routes += [entry.route] * len(entry.events)
        rejects += entry.rejects
        if entry.clock is not None and (clock is None or entry.clock > clock):
            clock = entry.clock
    return Batch(tuple(events), reached, at_head, tuple(rejects), tuple(routes), clock=clock, bodies=tuple(bodies))
