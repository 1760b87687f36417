"""Why a draft opened: its evidence and coverage, and what became of it."""

from __future__ import annotations

import msgspec
import pytest

from monitor.core.deciding.engine import Engine
from monitor.core.matching.explain import Why
from monitor.core.model.rule import Rule
from monitor.decode.catalogues import catalogue_from_mapping
from monitor.decode.streams import BASE_AT, expand
from monitor.lab.explain_draft import NoSuchDraft, explain_draft
from monitor.lab.ledger import Ledger
from monitor.packs.language.regex import make_regex
from tests.unit.packs.written import GOOD, read

CATALOGUE = catalogue_from_mapping({"user_facing": ["web"], "production": ["prod"], "depends_on": {"web": ["api"]}})
SILENCES: list[dict[str, object]] = [
    {"id": f"s{day}", "time": f"-{day}d", "kind": "alert.silenced", "service": "api"} for day in (1, 2, 3)
]
STORY: list[dict[str, object]] = [
    *SILENCES,
    {"id": "probe", "source": "probe", "kind": "impact.clear", "service": "web", "time": "-1h", "every": "10m",
     "until": "+6h", "labels": {"evidence": "synthetic"}},
    {"id": "bad", "time": "+0s", "kind": "alert.fired", "service": "api", "environment": "prod", "subject": "a",
     "severity": "high", "labels": {"cluster": "c"}},
    {"id": "fix", "time": "+5m", "kind": "change.restarted", "service": "api", "environment": "prod", "subject": "a",
     "labels": {"k8s_cluster": "c"}, "actor": {"id": "x", "kind": "human"}},
    {"id": "ok", "time": "+9m", "kind": "alert.resolved", "service": "api", "environment": "prod", "subject": "a"},
]  # fmt: skip
TICKET: dict[str, object] = {
    "id": "ticket", "time": "+5h", "kind": "impact.started", "service": "web", "environment": "prod",
    "began_at": "+6m", "labels": {"evidence": "ticket"},
}  # fmt: skip


@pytest.fixture
def rule() -> Rule:
    found, problems = read(GOOD)
    assert problems == []
    assert found is not None
    return found


def explained(rule: Rule, story: list[dict[str, object]]) -> Why:
    events = expand(story, BASE_AT).events
    engine, ledger = Engine([rule], CATALOGUE, make_regex), Ledger()
    ordered = sorted(events, key=lambda event: event.time)
    ledger.record([*engine.step(ordered), *engine.end()])
    (entry,) = ledger.entries()
    return explain_draft(events, [rule], CATALOGUE, entry.draft.id, make_regex)


def lines(why: Why) -> list[str]:
    return [f"{why.asked}: {why.found}", *(line for part in why.parts for line in lines(part))]


def test_the_tree_has_what_matched_the_evidence_and_who_looked(rule: Rule) -> None:
    why = explained(rule, STORY)
    told = "\n".join(lines(why))
    assert why.held
    assert "verdict none" in why.found
    for words in ("hazard alert.fired on api", "example bad alert.fired", "probe on web: ", "clear throughout"):
        assert words in told


def test_a_withdrawn_draft_says_because_of_what(rule: Rule) -> None:
    why = explained(rule, [*STORY, TICKET])
    assert not why.held
    assert "withdrawn" in why.parts[-1].asked
    assert "ticket impact.started" in why.parts[-1].parts[0].asked


def test_an_unknown_draft_is_told_which_there_are(rule: Rule) -> None:
    with pytest.raises(NoSuchDraft, match="there are: none"):
        explain_draft([], [rule], CATALOGUE, "nm_1", make_regex)


def test_a_draft_that_a_rule_in_shadow_would_open_is_explained_too(rule: Rule) -> None:
    quiet = msgspec.structs.replace(rule, mode="shadow")
    live = explained(rule, STORY)
    draft_id = live.asked.partition(":")[0]
    events = expand(STORY, BASE_AT).events
    assert explain_draft(events, [quiet], CATALOGUE, draft_id, make_regex).asked == live.asked
