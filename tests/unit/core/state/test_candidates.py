"""A candidate: what is kept of much evidence, and until when its danger stands."""

from __future__ import annotations

import pytest

from monitor.core.model.events import Event
from monitor.core.state.alerts import Track
from monitor.core.state.candidates import Candidate, CappedEvidence, correlation_key
from tests.support.streams import make_event


def event(minutes: float, **fields: object) -> Event:
    return make_event("alert.fired", minutes, f"e{minutes:g}", **fields)


def evidence(*minutes: float) -> CappedEvidence:
    found = CappedEvidence()
    for minute in minutes:
        found.add(event(minute))
    return found


def kept(found: CappedEvidence) -> list[str]:
    return [each.id for each in found.events]


@pytest.mark.parametrize(("count", "omitted"), [(1, 0), (10, 0), (11, 0), (20, 0), (21, 1), (30, 10)])
def test_the_first_and_the_last_ten_are_kept_and_the_rest_is_counted(count: int, omitted: int) -> None:
    in_order, backwards = evidence(*range(count)), evidence(*reversed(range(count)))
    shown = [f"e{n}" for n in range(count) if n < 10 or n >= count - 10]
    for found in (in_order, backwards):
        assert (kept(found), found.omitted, found.count) == (shown, omitted, count)
        assert (found.earliest.id, found.latest.id) == ("e0", f"e{count - 1}")


def test_what_comes_late_takes_its_place() -> None:
    found = evidence(*range(0, 40, 2))
    found.add(event(3))
    assert kept(found) == [f"e{n}" for n in (0, 2, 3, 4, 6, 8, 10, 12, 14, 16, 20, 22, 24, 26, 28, 30, 32, 34, 36, 38)]
    assert found.omitted == 1


@pytest.mark.parametrize(
    ("minutes", "knows"),
    [(0, True), (9, True), (12, True), (22, True), (31, True), (9.5, True), (8.5, False), (22.5, False), (40, False)],
)
def test_what_falls_into_the_gap_is_counted_already(minutes: float, knows: bool) -> None:
    """Of 32 the events 10 to 21 are only counted."""
    assert evidence(*range(32)).knows(event(minutes)) is knows


def test_without_a_gap_only_what_is_there_is_known() -> None:
    assert evidence(*range(20)).knows(event(9))
    assert not evidence(*range(20)).knows(event(9.5))
    assert not evidence(*range(10)).knows(event(10))


def test_no_evidence_is_false() -> None:
    assert not CappedEvidence()
    assert evidence(0)


def candidate(tracks: dict[str, Track]) -> Candidate:
    return Candidate("i", "r", "1", "k", "db", 0, evidence(5, 6), CappedEvidence(), tracks)


def ended(minutes: float | None) -> Track:
    track = Track()
    track.observe(event(0))
    if minutes is not None:
        track.observe(make_event("alert.resolved", minutes))
    return track


@pytest.mark.parametrize(
    ("tracks", "live"),
    [({}, True), ({"a": ended(5)}, False), ({"a": ended(None)}, True), ({"a": ended(5), "b": ended(None)}, True)],
)
def test_a_danger_stands_while_one_of_its_alerts_fires_or_without_any(tracks: dict[str, Track], live: bool) -> None:
    assert candidate(tracks).live_at(event(10).time) is live


def test_a_candidate_begins_with_its_first_hazard_and_is_about_all_subjects() -> None:
    found = candidate({})
    assert found.first_sign_at == event(5).time
    assert (found.sibling_only, found.is_newest, found.hold, found.episode) == (True, True, None, "")
    found.hazards.add(event(7, subject="disk"))
    found.interventions.add(event(8, subject="pool"))
    assert found.subjects() == {"disk", "pool"}


def test_a_key_needs_every_value() -> None:
    assert correlation_key(["db", 4]) == "db\x1f4"
    assert correlation_key(["db", None]) is None
    assert correlation_key([]) == ""


def test_of_21_the_one_between_is_counted_already() -> None:
    assert evidence(*range(21)).knows(event(10))
    assert not evidence(*range(20)).knows(event(9.5))
