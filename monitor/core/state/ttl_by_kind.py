"""How long the verdict needs each kind of event, besides what the rules ask for."""

from __future__ import annotations

from monitor.core.model.retention_policy import RETENTION

TTL_BY_KIND: dict[str, int] = {
    **dict.fromkeys(("impact.started", "impact.ended"), RETENTION.impact),
    **dict.fromkeys(("incident.opened", "incident.updated", "incident.closed"), RETENTION.impact),
    **dict.fromkeys(("maintenance.started", "maintenance.ended"), RETENTION.impact),
    **dict.fromkeys(("alert.fired", "alert.resolved", "alert.cancelled"), RETENTION.event),
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


def verdict_ttl(kind: str, mask: int) -> int:
    """How long every event is kept for the verdict's sake (microseconds); rules may want it for longer."""
    return TTL_BY_KIND.get(kind, RETENTION.change if kind.startswith("change.") else RETENTION.event)
