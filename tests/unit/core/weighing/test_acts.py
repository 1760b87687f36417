"""Which earlier change an act undoes, by what its source says of it."""

from __future__ import annotations

from monitor.core.model.events import Event, Instant
from monitor.core.weighing.acts import Undoing, undoing


def merged(number: int, time: int, **labels: str) -> Event:
    subject = f"pull_request/acme/shop/{number}"
    return Event(
        id=f"{number}", source="github", time=Instant(time), kind="change.merged", subject=subject, labels=labels
    )


def test_a_merge_that_reverts_a_request_undoes_it_by_its_number() -> None:
    first, other, back = merged(811, 0), merged(11, 1), merged(812, 2, reverts="811")
    assert undoing(back, [first, other]) == Undoing(0.4, first)
    assert undoing(merged(812, 2, reverts="12"), [first, other]) == Undoing(0.4, None)
