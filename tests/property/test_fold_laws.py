"""The fold that is kept up is the fold that is made anew, whatever changed on the way."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from monitor.core.model.budget import BudgetedDraft, Fold, folded, order_of
from monitor.core.model.catalogue import Catalogue, Service
from monitor.core.model.events import DAY, Instant
from monitor.core.model.near_miss import State

CATALOGUE = Catalogue({"a": Service("a", owner="x"), "b": Service("b", owner="x")})
MOVED = Catalogue({"a": Service("a", owner="x"), "b": Service("b", owner="y")})

asked = st.builds(
    BudgetedDraft,
    id=st.sampled_from([f"nm-{number}" for number in range(8)]),
    service=st.sampled_from(["a", "b", "c", None]),
    state=st.sampled_from([State.DRAFT, State.DRAFT, State.IN_REVIEW, State.ACCEPTED, State.WITHDRAWN]),
    rank=st.sampled_from([0.5, 1.0, 2.0]),
    opened_at=st.sampled_from([Instant(0), Instant(DAY), Instant(30 * DAY)]),
    place=st.sampled_from([0, 0, 5]),
)
changes = st.tuples(st.sets(st.sampled_from([f"nm-{number}" for number in range(8)]), max_size=2), st.lists(asked))


@given(st.lists(asked), st.lists(changes, max_size=6), st.integers(1, 3))
def test_kept_up_and_made_anew_are_the_same(
    first: list[BudgetedDraft], steps: list[tuple[set[str], list[BudgetedDraft]]], budget: int
) -> None:
    fold = Fold(first, CATALOGUE, budget)
    known = {draft.id: draft for draft in first}
    for gone, drafts in steps:
        fold.put(gone, drafts)
        known = {name: draft for name, draft in known.items() if name not in gone} | {each.id: each for each in drafts}
        waiting = {name for name, draft in known.items() if draft.state is State.DRAFT}
        assert fold.beyond == folded(known.values(), CATALOGUE, budget)
        assert fold.shown == waiting - fold.beyond
        assert fold.waiting == len(waiting)
        keys = {name: order_of(each.place, each.rank, each.opened_at, name) for name, each in known.items()}
        assert fold.in_order == tuple(sorted(keys[name] for name in fold.beyond))
    assert fold.under(MOVED).beyond == folded(known.values(), MOVED, budget)
