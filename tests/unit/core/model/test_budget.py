"""The reviewer budget: which drafts of a team's week are folded."""

from __future__ import annotations

from datetime import UTC, datetime

from monitor.core.model.budget import NOBODY, BudgetedDraft, folded, team_of, week_of
from monitor.core.model.catalogue import Catalogue, Service
from monitor.core.model.events import DAY, Instant, to_instant
from monitor.core.model.near_miss import State

CATALOGUE = Catalogue({"a": Service("a", owner="team-x"), "b": Service("b", owner="team-x"), "c": Service("c")})
MONDAY = to_instant(datetime(2026, 3, 9, tzinfo=UTC))


def asked(name: str, rank: float, *, service: str = "a", state: State = State.DRAFT, after: int = 0) -> BudgetedDraft:
    return BudgetedDraft(name, service, state, rank, Instant(MONDAY + after))


def test_the_lowest_ranked_beyond_the_budget_are_folded() -> None:
    drafts = [asked(str(number), number) for number in range(5)]
    assert folded(drafts, CATALOGUE, 3) == {"0", "1"}


def test_order_does_not_matter_and_of_equals_the_newest_is_shown() -> None:
    drafts = [asked("old", 1), asked("new", 1, after=DAY), asked("high", 2)]
    assert folded(drafts, CATALOGUE, 2) == folded(drafts[::-1], CATALOGUE, 2) == {"old"}


def test_services_of_one_owner_share_a_budget_and_others_have_their_own() -> None:
    drafts = [asked("1", 3), asked("2", 2, service="b"), asked("3", 1, service="c"), asked("4", 1, service="unknown")]
    assert folded(drafts, CATALOGUE, 1) == {"2"}


def test_each_week_has_its_budget() -> None:
    drafts = [asked("this", 1), asked("next", 1, after=7 * DAY)]
    assert folded(drafts, CATALOGUE, 1) == frozenset()


def test_what_was_decided_or_begun_has_used_its_place() -> None:
    drafts = [
        asked("done", 0, state=State.ACCEPTED),
        asked("begun", 0, state=State.IN_REVIEW),
        asked("high", 2),
        asked("low", 1),
    ]
    assert folded(drafts, CATALOGUE, 3) == {"low"}
    assert folded(drafts, CATALOGUE, 1) == {"low", "high"}


def test_what_is_out_of_the_queue_uses_no_place() -> None:
    drafts = [asked("out", 9, state=State.WITHDRAWN), asked("gone", 9, state=State.MERGED), asked("in", 1)]
    assert folded(drafts, CATALOGUE, 1) == frozenset()


def test_no_budget_folds_nothing() -> None:
    assert folded([asked("1", 1), asked("2", 2)], CATALOGUE, 0) == frozenset()


def test_the_team_is_the_owner_else_the_service() -> None:
    assert [team_of(CATALOGUE, name) for name in ("a", "c", "x", None)] == ["team-x", "c", "x", NOBODY]


def test_a_week_begins_on_monday() -> None:
    assert week_of(MONDAY) == MONDAY == week_of(Instant(MONDAY + 7 * DAY - 1))
    assert week_of(Instant(MONDAY - 1)) == MONDAY - 7 * DAY
