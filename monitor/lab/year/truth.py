"""The truth of a synthetic year, one JSON line a story: label, expected verdict, events.

Knows nothing of drafts.
"""

from __future__ import annotations

from typing import Literal

import msgspec

from monitor.core.model.events import EventId, Instant
from monitor.core.model.near_miss import Family, Verdict
from monitor.decode.times import time_as_text

Label = Literal["near_miss", "impact", "trap"]


class Truth(msgspec.Struct, frozen=True):
    """One story. `verdict` is None where what the feeds saw allows more than one."""

    story: str
    plot: str
    label: Label
    service: str
    at: Instant
    until: Instant
    family: Family | None = None
    mode: Literal["live", "digest"] = "live"
    verdict: Verdict | None = None
    hazard: tuple[EventId, ...] = ()
    intervention: tuple[EventId, ...] = ()
    impact: tuple[EventId, ...] = ()

    @property
    def cited(self) -> frozenset[EventId]:
        """Any of these in a draft says that it is about this story."""
        return frozenset((*self.hazard, *self.intervention, *self.impact))

    def line(self) -> bytes:
        """As a line of a ledger."""
        return msgspec.json.encode(self, enc_hook=time_as_text)


class PlotResult(msgspec.Struct, frozen=True):
    """Result of a plot: events of the hazard, events of the intervention, and when it was safe."""

    hazard: tuple[EventId, ...]
    intervention: tuple[EventId, ...]
    safe_at: Instant
