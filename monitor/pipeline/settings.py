"""What can be set about the engine while it runs: how long it waits, how much it remembers, when it reloads."""

from __future__ import annotations

from pydantic import Field

from monitor.core.model.events import DAY, HOUR, SECOND
from monitor.setting_types import Bytes, Microseconds, SettingsGroup


class PipelineSettings(SettingsGroup):
    """The pace and the size of the engine. Durations are microseconds, sizes bytes."""

    watch_every: Microseconds = Field(
        default=5 * SECOND,
        le=DAY,
        description="How often rules and catalogue are checked for changes; `0s`: only on SIGHUP.",
        examples=["5s"],
        json_schema_extra={"expected": "a duration such as 5s, at most 1d; 0s for none"},
    )
    lateness: Microseconds = Field(
        default=60 * SECOND,
        le=6 * HOUR,
        description="How late an event may arrive and still be processed in order.",
        examples=["1m"],
        json_schema_extra={"expected": "a duration such as 30s or 2m, at most 6h"},
    )
    engine_memory: Bytes = Field(
        default=1024**3,
        ge=16 * 1024**2,
        le=1024**4,
        description=(
            "The most that an engine remembers, as it counts it. From nine tenths on the least worth is evicted: see "
            "[Memory](../how-to/deploy.md#memory). With a shared topic, of all partitions together."
        ),
        examples=["512MiB"],
        json_schema_extra={"expected": "16MiB to 1TiB"},
    )
