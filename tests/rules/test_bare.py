"""An organisation that set nothing up: no feeds, no people, no aliases, one tool. It works, and is less sure."""

from __future__ import annotations

import msgspec

from monitor.core.deciding.engine import Engine, EngineSettings
from monitor.core.model.catalogue import Catalogue
from monitor.core.model.decisions import Amend, Open
from monitor.core.model.events import Event
from monitor.core.model.near_miss import Draft
from monitor.decode.streams import arrival_order
from monitor.packs.language.regex import make_regex
from monitor.packs.weights import shipped_weights
from tests.unit.lab.stories import shipped, shop, story

TOLD = {"source": "pagerduty", "service": "payments", "environment": "production", "subject": "latency"}
ANSWERED = {**TOLD, "id": "ack", "time": "2026-03-10T12:03:00Z", "kind": "alert.acknowledged",
            "actor": {"id": "dev-1", "kind": "human"}}  # fmt: skip
AGREED = {**TOLD, "id": "inc", "time": "2026-03-10T12:02:00Z", "kind": "incident.opened", "subject": "INC-1",
          "severity": "high", "title": "payments is slow"}  # fmt: skip


def draft_of(events: list[Event], catalogue: Catalogue) -> Draft:
    engine = Engine(shipped(), catalogue, make_regex, EngineSettings(weights=shipped_weights()))
    decisions = [*engine.step(arrival_order(events)), *engine.end()]
    (one,) = {each.draft.id: each.draft for each in decisions if isinstance(each, Open | Amend)}.values()
    return one


def certainty(draft: Draft) -> float:
    """The log-odds of its reasons: near certainty probabilities are all alike."""
    return sum(reason.weight for reason in draft.reasons)


def test_with_nothing_set_up_there_is_a_draft_with_lower_confidence() -> None:
    whole = draft_of(story(ANSWERED, AGREED), shop())
    one_tool = [event for event in story() if event.kind != "impact.clear"]
    unnamed = [msgspec.structs.replace(event, actor=None, environment=None) for event in one_tool]
    bare = draft_of(unnamed, Catalogue())
    assert (whole.verdict, bare.verdict) == ("none", "unknown")
    assert bare.missing_evidence
    assert bare.probability is not None
    assert bare.probability > 0.4
    assert certainty(bare) < certainty(whole), "what was not set up speaks neither for nor against"
    assert (bare.service, bare.title.startswith("payments")) == ("payments", True)
