"""What the net catches becomes a candidate: a late act finds the alert's recovery, which came before it."""

from __future__ import annotations

from monitor.core.deciding.engine import EngineSettings
from monitor.core.model.decisions import Open
from monitor.core.weighing.weights import reasoned
from tests.support.streams import PERSON, clear_feed, make_event, new_engine

WEIGHED = EngineSettings(weights=reasoned(live=0.02, digest=0.01))


def test_an_act_that_arrives_after_the_recovery_still_has_the_recovery_in_its_draft() -> None:
    fired = make_event("alert.fired", 60, "lag", subject="lag", severity="high")
    over = make_event("alert.resolved", 90, "over", subject="lag")
    act = make_event("change.rolled_back", 75, "rollback", actor=PERSON, title="roll back the migration")
    feed = clear_feed("shop", 0, 600)
    engine = new_engine([], settings=WEIGHED)
    engine.step(sorted([fired, over, *feed[:13]], key=lambda event: event.time))
    decided = engine.step([act]) + engine.step(feed[13:]) + engine.end()
    (draft,) = (decision.draft for decision in decided if isinstance(decision, Open))
    assert [cited.event.id for cited in draft.evidence if cited.role == "recovery"] == ["over"]
    assert draft.safe_at == over.time
