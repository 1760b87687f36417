"""The ledger ends where a store would, whatever the decisions were on the way."""

from __future__ import annotations

import pytest

from monitor.core.model.decisions import Amend, Ignore, Late, Merge, Open, Withdraw
from monitor.core.model.events import EventId, Instant
from monitor.core.model.near_miss import Cited, State
from monitor.core.model.reasons import NotOpened, Withdrawn
from monitor.lab.ledger import Ledger
from tests.unit.lab.drafts import draft, event

AT = Instant(5)


def test_opening_twice_changes_nothing() -> None:
    ledger = Ledger()
    ledger.record([Open(draft("a", title="first")), Open(draft("a", title="second"))])
    assert [entry.draft.title for entry in ledger.entries()] == ["first"]


def test_an_amendment_replaces_the_machines_part() -> None:
    ledger = Ledger()
    ledger.record([Open(draft("a", title="first")), Amend(draft("a", title="second"))])
    assert [entry.draft.title for entry in ledger.entries()] == ["second"]


def test_a_withdrawn_draft_keeps_its_reason_and_stays_withdrawn() -> None:
    ledger = Ledger()
    evidence = (Cited("impact", event("i1")),)
    ledger.record([Open(draft("a")), Withdraw("a", Withdrawn.IMPACT_AFTERWARDS, AT, evidence), Amend(draft("a"))])
    (entry,) = ledger.entries()
    assert (entry.state, entry.reason, entry.impact) == (State.WITHDRAWN, Withdrawn.IMPACT_AFTERWARDS, evidence)
    assert entry.line()["state"] == "withdrawn"
    assert entry.line()["reason"] == "impact_afterwards"
    assert ledger.standing() == []


def test_a_merged_draft_names_the_one_that_it_became_part_of() -> None:
    ledger = Ledger()
    ledger.record([Open(draft("a")), Open(draft("b")), Merge("b", "a", AT)])
    assert [entry.draft.id for entry in ledger.standing()] == ["a"]
    assert list(ledger.entries())[1].line()["merged_into"] == "a"


def test_a_draft_in_shadow_mode_does_not_stand() -> None:
    ledger = Ledger()
    ledger.record([Open(draft("a", mode="shadow")), Open(draft("b", mode="digest"))])
    assert [entry.draft.id for entry in ledger.standing()] == ["b"]


def test_entries_come_by_opening_time_and_id() -> None:
    ledger = Ledger()
    ledger.record([Open(draft("c", opened_at=2)), Open(draft("b", opened_at=1)), Open(draft("a", opened_at=2))])
    assert [entry.draft.id for entry in ledger.entries()] == ["b", "a", "c"]


def test_what_was_not_opened_is_counted_by_reason() -> None:
    ledger = Ledger()
    ignore = Ignore(NotOpened.NO_INTERVENTION, AT, ("r",), None, (), "")
    ledger.record([ignore, ignore, Late(EventId("s", "e"), AT, 1)])
    assert ledger.not_opened == {NotOpened.NO_INTERVENTION: 2}
    assert ledger.late == 1


@pytest.mark.parametrize("decision", [Amend(draft("x")), Merge("x", "y", AT)])
def test_a_decision_about_an_unknown_draft_is_a_broken_invariant(decision: Amend | Merge) -> None:
    with pytest.raises(LookupError, match="never opened"):
        Ledger().record([decision])


def test_more_drafts_than_are_held_in_memory_read_back_as_they_were(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("monitor.lab.ledger.IN_MEMORY", 1_000)
    ledger = Ledger()
    drafts = [draft(f"d{number:03d}", opened_at=number) for number in range(200)]
    ledger.record([Open(each) for each in drafts])
    ledger.record([Withdraw(drafts[7].id, Withdrawn.IMPACT_AFTERWARDS, AT, ())])
    assert [entry.draft for entry in ledger.entries()] == drafts
    assert ledger.states() == {State.DRAFT: 199, State.WITHDRAWN: 1}
    assert [entry.draft.id for entry in ledger.entries() if entry.reason] == ["d007"]
