"""What the net caught, as a candidate that can join an episode: its shape, its signs as hazards, its act."""

from __future__ import annotations

from monitor.core.matching.facts import actor_kind
from monitor.core.model.catalogue import Catalogue
from monitor.core.state.alerts import Track, alert_key
from monitor.core.state.candidates import Candidate, CappedEvidence
from monitor.core.weighing.option import Caught
from monitor.core.weighing.shapes import hold_of, shape_of


def candidate_of(caught: Caught, catalogue: Catalogue) -> Candidate:
    """The candidate, with the alerts that it follows as far as its own evidence tells."""
    act, cited = caught.act, caught.cited()
    shape = shape_of(caught, caught.options[0], actor_kind(act, catalogue))
    candidate = Candidate(
        id=caught.id,
        rule=shape.name,
        version=shape.version,
        key=caught.id,
        service=cited[0].service or act.service or "",
        accepts_until=act.time,
        hazards=CappedEvidence(),
        interventions=CappedEvidence(),
        sibling_only=False,
        hold=hold_of(caught),
    )
    for event in cited:
        candidate.hazards.add(event)
        if event.kind == "alert.fired":
            candidate.tracks.setdefault(alert_key(event), Track()).observe(event)
    candidate.interventions.add(act)
    return candidate
