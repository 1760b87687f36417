"""What can be set about the engine while it runs: how long it waits, how much it remembers, when it reloads."""

from __future__ import annotations

from pydantic import Field

from monitor.core.model.events import SECOND
from monitor.setting_types import Bytes, Microseconds, SettingsGroup


class PipelineSettings(SettingsGroup):
    """The pace and the size of the engine. Durations are microseconds, sizes bytes."""

    watch_every: Microseconds = Field(
        default=5 * SECOND,
        description="How often rules and catalogue are checked for changes; `0s`: only on SIGHUP.",
        examples=["5s"],
    )
    lateness: Microseconds = Field(
        default=60 * SECOND,
        description="How late an event may arrive and still be processed in order.",
        examples=["1m"],
    )
    engine_memory: Bytes = Field(
        default=1024**3,
        ge=16 * 1024**2,
        description=(
            "The most that an engine remembers, as it counts it. From nine tenths on the least worth is evicted: see "
            "[Memory](../how-to/deploy.md#memory). With a shared topic, of all partitions together."
        ),
        examples=["512MiB"],
        json_schema_extra={"expected": "at least 16MiB"},
    )
