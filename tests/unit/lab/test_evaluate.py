"""Cases are judged by the book: found, false, contradicting."""

from __future__ import annotations

import pytest

from monitor.core.model.catalogue import Catalogue
from monitor.core.model.decisions import Decision, Open, Withdraw
from monitor.core.model.events import Instant
from monitor.core.model.reasons import Withdrawn
from monitor.lab.cases import Case, Confidence, Expect, Label, read_case
from monitor.lab.evaluate import CaseOutcome, CaseResult, Figures, figures, judge, report, run_case
from monitor.lab.ledger import Ledger
from monitor.packs.language.regex import make_regex
from tests.unit.lab.drafts import draft
from tests.unit.lab.stories import SHOP, STORY, TICKET, shipped

EXPECT = Expect(drafts=1, hazard=("h1", "h2"), intervention=("i1",))


def case(label: Label = "near_miss", confidence: Confidence = "high") -> Case:
    return Case("one", label, Catalogue(), (), EXPECT, confidence=confidence)


def judged(label: Label, *decisions: Decision) -> CaseResult:
    return judge(case(label), ledger(*decisions))


def ledger(*decisions: Decision) -> Ledger:
    found = Ledger()
    found.record(decisions)
    return found


def test_a_near_miss_is_found_by_a_draft_that_cites_its_hazard_or_its_intervention() -> None:
    found = judged("near_miss", Open(draft("a", ["h2", "x"])))
    assert (found.ok, found.standing, found.false_drafts) == (True, 1, 0)
    assert (found.hazard_cited, found.intervention_cited, found.well_cited) == (1, 0, False)
    assert judged("near_miss", Open(draft("a", ["h1", "i1"]))).well_cited


def test_a_draft_about_something_else_is_false_even_beside_the_right_one() -> None:
    found = judged("near_miss", Open(draft("a", ["i1"])), Open(draft("b", ["n7"])))
    assert (found.ok, found.false_drafts) == (True, 1)
    assert judged("near_miss", Open(draft("b", ["n7"]))) == CaseResult("one", "near_miss", 1, 0, 1, 0, 0, False)


@pytest.mark.parametrize("label", ["impact", "not_near_miss"])
def test_every_standing_draft_of_another_case_is_false(label: Label) -> None:
    assert judged(label).ok
    found = judged(label, Open(draft("a", ["h1"])))
    assert (found.ok, found.false_drafts) == (False, 1)


def test_a_withdrawn_draft_and_one_in_shadow_do_not_stand() -> None:
    withdraw = Withdraw("a", Withdrawn.IMPACT_AFTERWARDS, Instant(1), ())
    found = judged("impact", Open(draft("a")), withdraw, Open(draft("b", mode="shadow")))
    assert (found.ok, found.standing, found.withdrawn, found.false_drafts) == (True, 0, 1, 0)


def outcome(label: Label, found: Ledger, confidence: Confidence = "high") -> CaseOutcome:
    one = case(label, confidence)
    return CaseOutcome(one, judge(one, found), found)


def test_the_figures_are_shares_of_what_they_say() -> None:
    outcomes = [
        outcome("near_miss", ledger(Open(draft("a", ["h1"])))),
        outcome("near_miss", ledger(Open(draft("b", ["zz"])))),
        outcome("impact", ledger(Open(draft("c")), Open(draft("d")))),
        outcome("impact", ledger()),
        outcome("not_near_miss", ledger(Open(draft("e"))), "low"),
    ]
    assert figures(outcomes) == Figures(precision=1 / 5, recall=1 / 2, contradiction_rate=1 / 2, well_cited=0)
    assert figures(outcomes, without="low") == Figures(
        precision=1 / 4, recall=1 / 2, contradiction_rate=1 / 2, well_cited=0
    )


def test_there_is_no_share_of_nothing() -> None:
    assert figures([]) == Figures(None, None, None, None)


def test_the_published_form_has_integers_for_counts() -> None:
    published = report([outcome("near_miss", ledger(Open(draft("a", ["h1", "i1"]))))])
    assert published == {
        "cases": [
            {
                "id": "one",
                "label": "near_miss",
                "standing": 1,
                "withdrawn": 0,
                "false_drafts": 0,
                "hazard_cited": 1,
                "intervention_cited": 1,
                "ok": True,
            }
        ],
        "precision": 1.0,
        "recall": 1.0,
        "contradiction_rate": None,
        "well_cited": 1.0,
        "without_low_confidence": {"precision": 1.0, "recall": 1.0, "contradiction_rate": None, "well_cited": 1.0},
    }


def test_each_case_runs_from_its_own_catalogue_and_events() -> None:
    expect = {"drafts": 1, "hazard": ["slow"], "intervention": ["back"]}
    saved = {"id": "saved", "label": "near_miss", "catalogue": SHOP, "events": STORY, "expect": expect}
    hit = {"id": "hit", "label": "impact", "catalogue": SHOP, "events": [*STORY, TICKET]}
    outcomes = [run_case(read_case(data), shipped(), make_regex) for data in (saved, hit)]
    assert [(one.judged.ok, one.judged.standing) for one in outcomes] == [(True, 1), (True, 0)]
    assert outcomes[0].judged.well_cited


def test_well_cited_is_a_share_of_those_found() -> None:
    both, half = ledger(Open(draft("a", ["h1", "i1"]))), ledger(Open(draft("b", ["h1"])))
    missed = ledger(Open(draft("c", ["zz"])))
    assert figures([outcome("near_miss", found) for found in (both, half, missed)]).well_cited == 1 / 2
