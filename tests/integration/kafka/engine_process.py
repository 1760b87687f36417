"""The engine on Kafka and SQLite as a process of its own, for a test to kill.

Its arguments are the database, the address of the broker and the topic; it decides nothing.
"""

from __future__ import annotations

import asyncio
import sys

from monitor.app.metrics import Metrics
from monitor.core.deciding.engine import Engine
from monitor.core.model.events import MINUTE
from monitor.demo.story import CATALOGUE
from monitor.kafka.offset_committer import OffsetCommitter
from monitor.kafka.settings import KafkaSettings
from monitor.kafka.source import KafkaReader
from monitor.ops.clock import SystemClock
from monitor.packs.catalogue.loader import load_catalogue
from monitor.packs.language.regex import make_regex
from monitor.packs.rules.loader import load_rules
from monitor.packs.rules.shipped import shipped_rules
from monitor.pipeline.loop import EngineLoop, LoopSettings
from monitor.store.database import open_store


async def run(database: str, bootstrap: str, topic: str) -> None:
    rules = load_rules(shipped_rules()).rules
    catalogue, _ = load_catalogue(CATALOGUE)
    settings = KafkaSettings(bootstrap=bootstrap, topics={topic: "events"}, journal=topic, group=f"{topic}-group")
    clock, metrics = SystemClock(), Metrics()
    async with open_store(database) as store:
        loop = EngineLoop(
            KafkaReader(settings, clock, metrics, future_tolerance=5 * MINUTE),
            OffsetCommitter(store.engine_store, settings, clock),
            lambda saved: Engine(rules, catalogue, make_regex, cells=saved.cells),
            clock,
            metrics,
            # Many small commits, so that a kill falls between and into them.
            LoopSettings(read_events=40, commit_events=60, commit_seconds=0.05),
            owner="test",
            keeps_history=True,
        )
        await loop.run(asyncio.Event())


if __name__ == "__main__":
    asyncio.run(run(*sys.argv[1:]))
