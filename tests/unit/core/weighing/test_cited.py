"""What is cited beside a sign as part of its story, and how a question about a change names what is reverted."""

from __future__ import annotations

import pytest

from monitor.core.model.events import Event
from tests.unit.core.weighing.test_features import act, alert, caught, note, weigh


def merged(at: float) -> Event:
    return act("merged", at, subject="c730", title="typo")


@pytest.mark.parametrize(("asked_about", "named"), [("c730", 1.0), ("c731", None)])
def test_who_asks_about_a_change_names_what_is_reverted_later(asked_about: str, named: float | None) -> None:
    revert = act("merged", subject="c731x", title='Revert "typo"', labels={"reverts": "c730"})
    asked = note(title="what is this line doing, it is wrong", subject=asked_about)
    assert weigh(merged(-60), asked, revert, kind="note").get("same_thing") == named


@pytest.mark.parametrize(
    ("beside", "is_cited"),
    [
        (alert(-20 * 60, "beside", subject="pods", severity="warning", title="six pods pending"), False),
        (alert(-20 * 60, "beside", subject="pods", severity="warning", title="volume predicted full in a day"), True),
        (alert(-120, "beside", subject="pods", severity="warning", title="six pods pending"), True),
        (alert(-121, "beside", subject="pods", severity="warning", title="six pods pending"), False),
        (alert(-20 * 60, "beside", subject="pods", severity="high", title="six pods pending"), True),
    ],
    ids=["another matter", "in the same words", "two hours before", "longer before", "grave"],
)
def test_what_stood_beside_is_cited_where_it_is_one_story(beside: Event, is_cited: bool) -> None:
    _, candidate = caught(beside, alert(title="volume 96 % used"), act(at=1))
    assert (beside.event_id in [event.event_id for event in candidate.cited()]) is is_cited
