"""What an engine is given beside its rules and its catalogue, as one value."""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from monitor.core.model.events import SECOND, Instant
from monitor.core.weighing.weights import Weights

Met = Callable[[str, Instant], None]


class EngineSettings(msgspec.Struct, frozen=True):
    """`lateness`: how far behind the newest event another may arrive and still be in its place (microseconds).

    `weights`: how evidence is weighed; without them every candidate of a rule gives a draft, and nothing else does.
    `external_watermark`: ticks alone move the watermark, since several engines share one. `state_bytes`: the most that
    is remembered; beyond it the least worth is evicted. None: no limit. `met`: gets the rule and the event time
    wherever a candidate could be made, and none is made.
    """

    lateness: int = 60 * SECOND
    external_watermark: bool = False
    weights: Weights | None = None
    state_bytes: int | None = None
    met: Met | None = None
