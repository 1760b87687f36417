"""For how long the verdict needs each kind of event, whatever the rules ask for."""

from __future__ import annotations

from monitor.core.model.events import DAY, HOUR
from monitor.core.model.rule import LONGEST_HOLD, LONGEST_WINDOW
from monitor.core.state.episodes import LONGEST_EPISODE

IMPACT_TTL = LONGEST_WINDOW + LONGEST_HOLD + DAY
"""A verdict reaches back to the first sign: a hazard's window and a hold later it is still asked for."""
EVENT_TTL = 25 * HOUR
CHANGE_TTL = 6 * HOUR
"""Changes are wanted by rules alone; so long they are kept at least, for what comes late or twice."""
EVICT_EVERY = DAY
LONG_TTL = 16 * DAY

TTL_BY_KIND: dict[str, int] = {
    **dict.fromkeys(("impact.started", "impact.ended"), IMPACT_TTL),
    **dict.fromkeys(("incident.opened", "incident.updated", "incident.closed"), IMPACT_TTL),
    **dict.fromkeys(("maintenance.started", "maintenance.ended"), IMPACT_TTL),
    **dict.fromkeys(("alert.fired", "alert.resolved", "alert.cancelled"), EVENT_TTL),
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
CONTEXT_TTL = LONGEST_EPISODE + 2 * DAY
"""An episode, and the longest usual hold: a draft that opens later cites less of what lay around it."""


def verdict_ttl(kind: str, mask: int) -> int:
    """How long every event is kept for the verdict's sake (microseconds); rules may want it for longer."""
    return TTL_BY_KIND.get(kind, CHANGE_TTL if kind.startswith("change.") else EVENT_TTL)
