"""What can be set about the database, and how long it keeps things."""

from __future__ import annotations

from pydantic import Field

from monitor.core.model.events import DAY
from monitor.ports import Retention
from monitor.setting_types import Bytes, KeptFor, SettingsGroup

LONGEST_KEPT = 36_500 * DAY


class StoreSettings(SettingsGroup):
    """Where everything is kept."""

    database: str = Field(
        default="sqlite:///var/nearmiss.db",
        repr=False,
        pattern=r"^(sqlite:///.|postgresql://.)",
        description="The database: `sqlite:///PATH` or `postgresql://USER:PASSWORD@HOST/NAME`.",
        examples=["sqlite:///var/nearmiss.db"],
        json_schema_extra={"expected": "sqlite:///PATH or postgresql://USER:PASSWORD@HOST/NAME"},
    )


class RetentionSettings(SettingsGroup):
    """How long what is not a record is kept. Records, their trail and the counts are kept permanently."""

    events: KeptFor = Field(
        default=90 * DAY,
        ge=DAY,
        le=LONGEST_KEPT,
        description=(
            "TTL of events in journal and history, by event time; null keeps them. Unread events are never deleted."
        ),
        examples=["90d"],
        json_schema_extra={"expected": "at least 1d, or null, and at most 36500d"},
    )
    events_size: Bytes | None = Field(
        default=None,
        ge=1024**2,
        le=1024**5,
        description=(
            "Approximate size limit of stored events; the oldest are deleted first, none of the last day. null: "
            "no limit."
        ),
        examples=["500MiB"],
        json_schema_extra={"expected": "1MiB to 1024TiB, or null"},
    )
    rejects: KeptFor = Field(
        default=90 * DAY,
        ge=DAY,
        le=LONGEST_KEPT,
        description="TTL of rejects; null keeps them.",
        examples=["90d"],
        json_schema_extra={"expected": "at least 1d, or null, and at most 36500d"},
    )
    rejects_size: Bytes = Field(
        default=256 * 1024**2,
        ge=1024**2,
        le=1024**4,
        description=(
            "Size limit of rejects. One source may take a quarter of it, requests that were refused a sixteenth "
            "together; the oldest of the source over its share are deleted first."
        ),
        examples=["256MiB"],
        json_schema_extra={"expected": "1MiB to 1TiB"},
    )
    not_opened: KeptFor = Field(
        default=90 * DAY,
        ge=DAY,
        le=LONGEST_KEPT,
        description="TTL of the newest 10,000 decisions not to open; their counts stay. null keeps them.",
        examples=["90d"],
        json_schema_extra={"expected": "at least 1d, or null, and at most 36500d"},
    )

    def policy(self) -> Retention:
        """As the store takes it."""
        return Retention(self.events, self.rejects, self.not_opened, self.events_size)
