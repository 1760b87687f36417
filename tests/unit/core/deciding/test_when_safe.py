"""The moments of one episode: since when it was dangerous, when it was safe, and how long it is watched after that."""

from __future__ import annotations

import pytest

from monitor.core.deciding.impact import IncidentView, Span
from monitor.core.deciding.safe_window import (
    danger_since,
    find_safe,
    harmless_for,
    is_report,
    latest_safe,
    window_end,
)
from monitor.core.model.conditions import Compare
from monitor.core.model.events import DAY, HOUR, MINUTE, Event, Instant
from monitor.core.model.reasons import Missing
from monitor.core.model.rule import Clause, Impact, Point, Rule, Step
from monitor.core.state.alerts import Track
from monitor.core.state.candidates import Candidate, CappedEvidence
from monitor.core.state.episodes import Episode
from tests.support.streams import START, acted_rule, make_event

SETTLE = 30 * MINUTE


def at(minutes: float) -> Instant:
    return Instant(START + int(minutes * MINUTE))


def evidence(*events: Event) -> CappedEvidence:
    found = CappedEvidence()
    for event in events:
        found.add(event)
    return found


def candidate(*hazards: Event, actions: tuple[float, ...] = (10,), rule: str = "acted", **fields: object) -> Candidate:
    acted = evidence(*(make_event("change.configured", minute) for minute in actions))
    hazard = evidence(*(hazards or (make_event("alert.fired", 0),)))
    return Candidate("i", rule, "1", "k", "db", 0, hazard, acted, **fields)  # type: ignore[arg-type]


def track(fired: float | None = 0, resolved: float | None = None, cancelled: float | None = None) -> Track:
    first, over, out = (None if minute is None else at(minute) for minute in (fired, resolved, cancelled))
    return Track(first, first, over, out)


def incident(closed: float | None) -> IncidentView:
    span = Span(at(0), at(0 if closed is None else closed), make_event("incident.opened", 0), planned=False)
    return IncidentView(span, "none", None if closed is None else at(closed))


def safe(
    *tracks: Track,
    actions: tuple[float, ...] = (10, 20),
    closed: tuple[float | None, ...] = (),
    others: Track | None = None,
) -> tuple[float, list[str]]:
    """In minutes, and what had to be assumed."""
    here = candidate(actions=actions, tracks={str(n): each for n, each in enumerate(tracks)})
    episode = Episode("e", ["db"], others={} if others is None else {"other": others})
    found = find_safe(episode, [here], SETTLE, [incident(each) for each in closed])
    return (found.at - START) / MINUTE, list(found.missing)


def test_with_every_alert_recovered_it_is_safe_at_the_last_recovery() -> None:
    assert safe(track(resolved=25)) == (25, [])
    assert safe(track(resolved=25), track(resolved=40)) == (40, [])
    assert safe(track(resolved=25), others=track(resolved=50)) == (50, [])


def test_a_recovery_counts_from_the_first_action_on_and_until_a_day_after_the_last() -> None:
    assert safe(track(resolved=10)) == (10, [])
    assert safe(track(resolved=9.9)) == (50, [Missing.SAFE_ASSUMED])
    assert safe(track(resolved=20 + 24 * 60)) == (20 + 24 * 60, [])
    assert safe(track(resolved=21 + 24 * 60)) == (50, [Missing.NO_RESOLVE])


def test_without_any_word_it_is_safe_so_long_after_the_last_action() -> None:
    assert safe() == (50, [Missing.SAFE_ASSUMED])
    assert safe(actions=(10,)) == (40, [Missing.SAFE_ASSUMED])


def test_an_alert_that_fires_on_is_no_recovery_and_one_taken_out_neither() -> None:
    assert safe(track()) == (50, [Missing.NO_RESOLVE])
    assert safe(track(fired=60)) == (90, [Missing.NO_RESOLVE])
    assert safe(track(cancelled=30)) == (50, [Missing.ALERT_CANCELLED])
    assert safe(track(cancelled=30), track()) == (50, [Missing.ALERT_CANCELLED, Missing.NO_RESOLVE])
    # What recovered later than that is a later moment all the same.
    assert safe(track(resolved=70), track()) == (70, [Missing.NO_RESOLVE])


def test_an_alert_that_fires_for_days_counts_until_a_day_after_the_last_action() -> None:
    assert safe(track(fired=30 * 60)) == (20 + 24 * 60, [Missing.NO_RESOLVE])


def test_within_a_week_of_actions_the_settling_after_the_last_goes_beyond_the_limit() -> None:
    week = 7 * 24 * 60
    assert safe(actions=(0, week)) == (week + 30, [Missing.SAFE_ASSUMED])


def test_a_closed_incident_says_that_it_was_over() -> None:
    assert safe(closed=(30,)) == (30, [])
    assert safe(closed=(20,)) == (20, [])
    assert safe(closed=(15, 35)) == (35, [])
    assert safe(actions=(10,), closed=(10,)) == (10, [])
    assert safe(closed=(20 + 24 * 60,)) == (20 + 24 * 60, [])
    assert safe(track(), closed=(30,)) == (30, [Missing.NO_RESOLVE])
    assert safe(track(resolved=60), track(), closed=(30,)) == (60, [Missing.NO_RESOLVE])


@pytest.mark.parametrize("closed", [19, 9, None, 21 + 24 * 60])
def test_an_incident_closed_before_the_last_action_or_much_later_says_nothing(closed: float | None) -> None:
    assert safe(closed=(closed,)) == (50, [Missing.SAFE_ASSUMED])


def test_an_incident_closed_while_an_alert_still_fires_says_nothing() -> None:
    assert safe(track(fired=40), closed=(39,)) == (70, [Missing.NO_RESOLVE])
    assert safe(track(fired=40), closed=(40,)) == (40, [Missing.NO_RESOLVE])


def test_no_moment_is_safe_later_than_a_day_after_the_last_action_or_a_week_after_the_first() -> None:
    assert latest_safe([at(0), at(60)]) == at(60) + DAY
    assert latest_safe([at(0), at(0) + 6 * DAY]) == at(0) + 7 * DAY
    assert latest_safe([at(0), at(0) + 6 * DAY + 1]) == at(0) + 7 * DAY


# -- before the action ---------------------------------------------------------------------------------------------


def report(said: str | None = "near_miss", kind: str = "note.added") -> Event:
    return make_event(kind, 5, labels={} if said is None else {"report": said})


def test_a_report_is_a_persons_note_that_says_so() -> None:
    assert is_report(report())
    assert is_report(report("noticed_not_acted"))
    assert not is_report(report("question"))
    assert not is_report(report(None))
    assert not is_report(report(kind="alert.fired"))


def test_the_danger_stands_since_the_earliest_beginning_that_a_hazard_tells() -> None:
    long_ago = make_event("note.added", 100, "a", began_at=at(-50))
    lately = make_event("note.added", 100, "b", began_at=at(99))
    assert danger_since([candidate(lately, long_ago)]) == at(-50)
    assert danger_since([candidate(lately), candidate(long_ago)]) == at(-50)
    assert danger_since([candidate(make_event("note.added", 100, began_at=at(100)))]) is None
    assert danger_since([candidate(make_event("note.added", 100))]) is None


def test_of_an_exposure_the_time_before_it_was_found_is_left_out() -> None:
    here = candidate(make_event("note.added", 100, began_at=at(-50)))
    assert danger_since([here], [acted_rule()]) == at(-50)
    assert danger_since([here], [acted_rule(kind="exposure")]) is None


DEADLINE = acted_rule(hazard=Step(frozenset({"alert.fired"}), Compare("expires_at", "above", (0,))))


def expiring(minutes: float) -> Event:
    return make_event("alert.fired", 0, expires_at=at(minutes))


@pytest.mark.parametrize(
    ("deadline", "acted", "harmless"),
    [(300, 60, 60), (60, 300, 60), (-20, 60, 0)],
)
def test_a_deadline_harms_when_it_comes_or_when_somebody_acts(deadline: float, acted: float, harmless: float) -> None:
    assert DEADLINE.has_deadline
    found = harmless_for([candidate(expiring(deadline), actions=(acted,))], [DEADLINE])
    assert found == harmless * MINUTE


def test_a_candidate_without_a_deadline_may_harm_from_the_first_sign() -> None:
    late = candidate(expiring(300), actions=(60,))
    assert harmless_for([late, candidate(actions=(60,))], [DEADLINE, acted_rule()]) == 0
    assert harmless_for([candidate(expiring(300), actions=(60,))], [acted_rule()]) == 0
    assert harmless_for([candidate(actions=(60,))], [DEADLINE]) == 0
    beside = candidate(make_event("alert.fired", 30), actions=(60,))
    assert harmless_for([late, beside], [DEADLINE, acted_rule()]) == 30 * MINUTE


# -- after it was safe ---------------------------------------------------------------------------------------------


def end(*candidates: Candidate, rules: tuple[Rule, ...] = (acted_rule(),), safe_at: float = 30) -> float:
    """In minutes."""
    found = window_end(Episode("e", ["db"]), at(safe_at), rules, candidates or [candidate()])
    return (found - START) / MINUTE


def test_it_is_watched_for_the_longest_hold_of_its_rules() -> None:
    assert end() == 30 + 120
    both = (candidate(), candidate(rule="other"))
    assert end(*both, rules=(acted_rule(), acted_rule(name="other", impact=Impact(hold=5 * HOUR)))) == 30 + 300
    assert end(candidate(hold=7 * MINUTE)) == 37


@pytest.mark.parametrize(
    ("deadline", "watched"),
    [(400, 460), (30, 150), (100, 160), (80, 150), (60 * 24 * 30, 30 + 60 * 24 * 7)],
)
def test_it_is_watched_through_a_deadline_and_an_hour_but_for_no_more_than_a_week(
    deadline: float, watched: float
) -> None:
    rule = acted_rule(impact=Impact(hold_through="expires_at"))
    assert end(candidate(expiring(deadline)), rules=(rule,)) == watched
    assert end(candidate(expiring(deadline))) == 150


def test_a_deadline_that_came_before_it_was_safe_is_not_watched_through() -> None:
    rule = acted_rule(impact=Impact(hold=10 * MINUTE, hold_through="expires_at"))
    assert [end(candidate(expiring(deadline)), rules=(rule,)) for deadline in (29, 30, 31)] == [40, 40, 91]


def test_after_a_rotation_the_deadline_of_what_was_replaced_counts() -> None:
    rule = acted_rule(impact=Impact(hold_through="expires_at"))
    rotated = make_event("change.rotated", 0, expires_at=at(999), previous_expires_at=at(300))
    assert end(candidate(rotated), rules=(rule,)) == 360


def after(point: Point, *more: Clause) -> Rule:
    quiet = Clause("quiet", Step(frozenset({"alert.fired"})), Point("safe"), point, at_least=0, at_most=0)
    return acted_rule(clauses=(*more, quiet))


def test_every_further_steps_window_is_waited_for() -> None:
    two = candidate(actions=(10, 20))
    assert end(two, rules=(after(Point("safe", 3 * HOUR)),)) == 30 + 180
    assert end(two, rules=(after(Point("safe", HOUR)),)) == 150
    assert end(two, rules=(after(Point("intervention", 3 * HOUR)),)) == 20 + 180
    assert end(two, rules=(after(Point("last_intervention", 4 * HOUR)),)) == 20 + 240
    assert end(two, rules=(after(Point("hazard", 9 * HOUR)),)) == 150
    first = Clause("first", Step(frozenset({"alert.fired"})), Point("safe"), Point("safe", HOUR))
    assert end(two, rules=(after(Point("step", 3 * HOUR, "first"), first),)) == 30 + 240
