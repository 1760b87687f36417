"""The rule that anybody would write first, to compare with: some sign of trouble, then a person changes something near.

It gets the same engine and therefore the same verdict; what the shipped rules add must show against it.
"""

from __future__ import annotations

from monitor.core.model.conditions import Compare
from monitor.core.model.events import DAY, KINDS
from monitor.core.model.rule import Intervention, Rule, Step

_ON_ITS_WAY = frozenset({"change.merged", "change.started", "change.failed"})

BASELINE = "any alert, note or record, then a human change nearby within a day"

TRIVIAL = Rule(
    name="anything-then-a-change",
    title="{hazard.title} on {service}, then someone changed something",
    family="margin",
    version="trivial",
    correlate=("service",),
    hazard=Step(frozenset({"alert.fired", "note.added", "incident.opened"}), environment="any"),
    intervention=Intervention(
        Step(
            frozenset(kind for kind in KINDS if kind.startswith("change.")) - _ON_ITS_WAY,
            Compare("derived.actor", "equals", ("human",)),
        ),
        within=DAY,
        reach="related",
    ),
)
"""Any alert, note or incident, then within a day a change by a person on the same or a connected service."""
