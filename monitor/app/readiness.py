"""Gathers the checks that the packages own into the readiness of the service. Checks nothing itself."""

from __future__ import annotations

from functools import partial

from monitor.app.journals import Journal
from monitor.app.metrics import Metrics
from monitor.ops.health import Readiness
from monitor.pipeline.health import evictions
from monitor.store.database import Store
from monitor.store.health import write_fault


def readiness_of(store: Store, journal: Journal, metrics: Metrics, *, reads_topics: bool) -> Readiness:
    """Without the store or the engine the service cannot work; memory and topics are remarks."""

    async def engine_fault() -> str | None:
        return journal.engine()

    readiness = Readiness()
    readiness.add("store", partial(write_fault, store))
    readiness.add("engine", engine_fault)
    readiness.add("memory", partial(evictions, metrics), is_remark=True)
    if reads_topics:
        readiness.add("topics", journal.trouble, is_remark=True)
    return readiness
