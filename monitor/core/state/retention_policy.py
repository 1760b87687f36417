"""For how long the verdict needs each kind of event, whatever the rules ask for."""

from __future__ import annotations

from monitor.core.model.events import DAY, HOUR
from monitor.core.model.rule import LONGEST_HOLD, LONGEST_WINDOW
from monitor.core.state.episodes import LONGEST_EPISODE

LOOK_BACK = LONGEST_WINDOW + LONGEST_HOLD + DAY
"""A verdict reaches back to the first sign: a hazard's window and a hold later it is still asked for."""
MEMORY_HORIZON = 25 * HOUR
CHANGE_HORIZON = 6 * HOUR
"""Changes are wanted by rules alone; so long they are kept at least, for what comes late or twice."""
SWEEP_EVERY = DAY
KEPT_TOGETHER = 16 * DAY

ALWAYS_KEPT: dict[str, int] = {
    **dict.fromkeys(("impact.started", "impact.ended"), LOOK_BACK),
    **dict.fromkeys(("incident.opened", "incident.updated", "incident.closed"), LOOK_BACK),
    **dict.fromkeys(("maintenance.started", "maintenance.ended"), LOOK_BACK),
    **dict.fromkeys(("alert.fired", "alert.resolved", "alert.cancelled"), MEMORY_HORIZON),
}
"""Kinds that the verdict may need whether or not a rule asks for them, and for how long (microseconds)."""

CONTEXT_KINDS = (
    "alert.acknowledged",
    "alert.escalated",
    "note.added",
    "responder.paged",
    "responder.joined",
    "incident.opened",
    "incident.updated",
    "incident.closed",
    "change.held",
)
"""What a draft cites beside its steps, of the services where a hazard waits."""
CONTEXT_HORIZON = LONGEST_EPISODE + 2 * DAY
"""An episode, and the longest usual hold: a draft that opens later cites less of what lay around it."""


def kept_for(kind: str, mask: int) -> int:
    """How long every event is kept for the verdict's sake (microseconds); rules may want it for longer."""
    return ALWAYS_KEPT.get(kind, CHANGE_HORIZON if kind.startswith("change.") else MEMORY_HORIZON)
