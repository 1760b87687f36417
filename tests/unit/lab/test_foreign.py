"""Stories of trades that nobody tuned to, told by the bodies of their tools: what is found, and what is left alone."""

from __future__ import annotations

import pytest

from monitor.core.model.near_miss import Mode
from monitor.lab.evaluate import run_case
from monitor.packs.language.regex import make_regex
from monitor.packs.weights import shipped_weights
from tests.support import foreign
from tests.support.foreign import Story
from tests.support.shipped import read_shipped

RULES = read_shipped()
WEIGHTS = shipped_weights()
NEAR: dict[Story, str] = {
    foreign.hospital: "interface-engine: 812 messages wait for pharmacy – 31 min in – restarted by a person",
    foreign.bank: "clearing: outgoing payment run on hold – before it took effect – held by a person",
    foreign.studio: "undone after 33 min – deployed by a person",
    foreign.broadcaster: "undone after 2 min – scaled by a person",
    foreign.airline: "flag seat-map-v3 – undone after 1 h 46 min – flag set by a person",
    foreign.accounting: "ledger: invoice run stopped – before it took effect – held by a person",
    foreign.call_centre: "phone-login: test login fails for 5 minutes – 40 min in – restarted by a person",
    foreign.warehouse: "label-printer: 2 of 5 workers are ready – 24 min in – restarted by a person",
}


@pytest.mark.parametrize("story", NEAR, ids=lambda story: story.__name__)
def test_a_near_miss_of_a_foreign_trade_is_found_and_told(story: Story) -> None:
    outcome = run_case(story(), RULES, make_regex, WEIGHTS)
    assert outcome.judged.found
    assert outcome.judged.well_cited
    (entry,) = outcome.ledger.standing()
    assert entry.draft.mode == "live"
    assert NEAR[story] in entry.draft.title


@pytest.mark.parametrize(
    ("story", "modes"),
    [
        (foreign.railway, []),
        (foreign.utility, []),
        (foreign.insurer, []),
        (foreign.university, []),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_impact_and_everyday_work_ask_nobody(story: Story, modes: list[Mode]) -> None:
    outcome = run_case(story(), RULES, make_regex, WEIGHTS)
    assert [entry.draft.mode for entry in outcome.ledger.standing()] == modes
