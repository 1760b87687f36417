"""What an engine is given beside its rules and its catalogue, as one value."""

from __future__ import annotations

import msgspec

from monitor.core.model.events import SECOND
from monitor.core.weighing.weights import Weights


class EngineSettings(msgspec.Struct, frozen=True):
    """`lateness`: how far behind the newest event another may arrive and still be in its place (microseconds).

    `weights`: how evidence is weighed; without them every candidate of a rule gives a draft, and nothing else does.
    `external_watermark`: ticks alone move the watermark, since several engines share one. `state_bytes`: the most that
    is remembered; beyond it the least worth is evicted. None: no limit.
    """

    lateness: int = 60 * SECOND
    external_watermark: bool = False
    weights: Weights | None = None
    state_bytes: int | None = None
