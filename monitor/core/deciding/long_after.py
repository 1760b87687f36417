"""Impact that is reported after the engine stopped following a draft: found by service and window.

Of such drafts only their services and their window are known. Whether people decided on one is the store's business.
"""

from __future__ import annotations

from collections.abc import Iterable

from monitor.core.deciding.draft_fields import cite
from monitor.core.deciding.impact import TOLD_EVIDENCE, Span, incidents, is_planned, onset
from monitor.core.deciding.reach import reach_of, serves_only
from monitor.core.model.catalogue import Catalogue
from monitor.core.model.decisions import Withdraw
from monitor.core.model.events import Event, Instant
from monitor.core.model.reasons import Withdrawn
from monitor.core.state.engine_state import EngineState


def contradictions(state: EngineState, catalogue: Catalogue, event: Event, now: int) -> list[Withdraw]:
    """The drafts in whose window and scope users were hit, by what this event reports."""
    span = _span(state, catalogue, event, now)
    if span is None:
        return []
    known = event.service if event.service is not None and catalogue.knows(event.service) else None
    if known is None:
        concerned = None
    elif event.kind.startswith("incident."):
        concerned = catalogue.along(known)
    else:
        concerned = catalogue.downward(known)
    found = []
    for draft_id, past in sorted(state.past_drafts.items()):
        if not span.overlaps(past.window_from, past.window_to):
            continue
        in_scope = concerned is None or not concerned.isdisjoint(past.services)
        if in_scope or _beside(event, past.services, catalogue) or _may_concern(past.services, span, catalogue):
            reason = Withdrawn.PLANNED_WORK if span.planned else Withdrawn.IMPACT_IN_WINDOW
            found.append(Withdraw(draft_id, reason, Instant(now), tuple(cite([event], "impact"))))
            state.forget_draft(draft_id)
    return found


def _beside(event: Event, services: Iterable[str], catalogue: Catalogue) -> bool:
    """Whether people tell it of a service whose users are all those of services that depend on these."""
    if event.service is None or not (
        event.kind.startswith("incident.") or event.labels.get("evidence") in TOLD_EVIDENCE
    ):
        return False
    return serves_only(event.service, frozenset().union(*map(catalogue.upward, services)), catalogue)


def _may_concern(services: Iterable[str], span: Span, catalogue: Catalogue) -> bool:
    """Whether a name that has no place in the catalogue may mean something that users were hit in."""
    if all(catalogue.knows(service) for service in services):
        return False
    reach = reach_of(services, catalogue)
    reached = reach.along if span.event.kind.startswith("incident.") else reach.scope
    return span.event.service in reached or (bool(reach.strangers) and not span.planned)


def _span(state: EngineState, catalogue: Catalogue, event: Event, now: int) -> Span | None:
    """From when to when users were hit, as far as the event says; None where it does not say that they were."""
    if catalogue.counts(event.environment) is False:
        return None
    if not event.kind.startswith("incident."):
        return Span(onset(event), event.time, event, is_planned(event))
    around = [event.service] if event.service is not None else []
    views = (view for view in incidents(state.memory, catalogue, around, now) if view.impact == "users")
    return next((view.span for view in views if view.span.start <= event.time <= view.span.end), None)
