"""What a draft states: the margin in words, which evidence is shown, how sure it is, and its place in the queue."""

from __future__ import annotations

from typing import Any

import pytest

from monitor.core.deciding.draft_fields import (
    CONFIDENCE,
    MOST_CONTEXT,
    confidence_of,
    doubts_of,
    draft_id,
    explain_candidate,
    gather,
    instant,
    margin_of,
    rank_of,
    recurrence_key,
    subject_keys,
)
from monitor.core.model.events import MINUTE, Event, Instant
from monitor.core.model.near_miss import Cited, Margin
from monitor.core.model.reasons import Missing
from monitor.core.model.rule import Intervention, MarginSpec, Rule, Step
from monitor.core.state.candidates import Candidate, CappedEvidence
from tests.support.streams import START, acted_rule, make_event, new_engine, run
from tests.unit.core.deciding.test_verdict import story, the_draft


def rule(measure: str) -> Rule:
    return acted_rule(margin=MarginSpec(measure))  # type: ignore[arg-type]


def alert(minutes: float = 0, name: str = "a", **fields: Any) -> Event:
    return make_event("alert.fired", minutes, name, **fields)


def act(minutes: float, name: str = "fix", **fields: Any) -> Event:
    return make_event("change.scaled", minutes, name, **fields)


def at(minutes: float) -> Instant:
    return Instant(START + int(minutes * MINUTE))


def candidate(hazards: list[Event], actions: list[Event]) -> Candidate:
    found = Candidate("i", "acted", "1", "k", "db", 0, CappedEvidence(), CappedEvidence())
    for event in hazards:
        found.hazards.add(event)
    for event in actions:
        found.interventions.add(event)
    return found


# -- margin --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fields", "text"),
    [
        ({"value": 2, "limit": 6, "unit": "pods"}, "2 of 6 pods"),
        ({"value": 2, "limit": 6, "unit": "pods", "bound": "min"}, "2 of 6 pods left"),
        ({"value": 2, "limit": 6}, "2 of 6"),
        ({"value": 97, "limit": 100, "unit": "percent"}, "97% used"),
        ({"value": 97, "limit": 100, "unit": "%"}, "97% used"),
        ({"value": 3, "limit": 100, "unit": "%", "bound": "min"}, "3% left"),
        ({"value": 97, "limit": 200, "unit": "percent"}, "97 of 200 percent"),
        ({"value": 97, "limit": 100, "unit": "pods"}, "97 of 100 pods"),
    ],
)
def test_headroom_in_words(fields: dict[str, Any], text: str) -> None:
    margin = margin_of(rule("headroom"), [alert(**fields)], 1, act(10), START)
    assert margin is not None
    assert (margin.measure, margin.text, margin.value, margin.limit) == (
        "headroom", text, fields["value"], fields["limit"],
    )  # fmt: skip


def test_headroom_is_that_of_the_worst_measurement_and_of_the_last_of_equals() -> None:
    told = [alert(0, "a", value=5, limit=10), alert(1, "b", value=9, limit=10), alert(2, "c", value=18, limit=20)]
    margin = margin_of(rule("headroom"), told, 3, act(10), START)
    assert margin == Margin("headroom", 18, "", "18 of 20", 20)
    assert margin_of(rule("headroom"), [alert(0), alert(1, value=3)], 2, act(10), START) is None


@pytest.mark.parametrize(
    ("hazard", "action", "seconds", "text"),
    [
        (alert(expires_at=at(30)), act(10), 1200, "20 min before the deadline"),
        (alert(expires_at=at(10)), act(10), 0, "under 1 s before the deadline"),
        (alert(expires_at=at(5)), act(10), -300, "5 min after the deadline"),
        (alert(expires_at=at(30)), act(10, previous_expires_at=at(15)), 300, "5 min before the deadline"),
        (alert(), act(10, previous_expires_at=at(15)), 300, "5 min before the deadline"),
    ],
)
def test_how_much_was_left_to_the_deadline(hazard: Event, action: Event, seconds: float, text: str) -> None:
    assert margin_of(rule("deadline"), [hazard], 1, action, START) == Margin("deadline", seconds, "seconds", text)


def test_of_several_deadlines_the_first_counts_and_without_one_there_is_no_margin() -> None:
    told = [alert(0, "a", expires_at=at(40)), alert(1, "b", expires_at=at(30)), alert(2, "c")]
    margin = margin_of(rule("deadline"), told, 3, act(10), START)
    assert margin is not None
    assert margin.value == 20 * 60
    assert margin_of(rule("deadline"), [alert()], 1, act(10), START) is None


@pytest.mark.parametrize(("count", "text"), [(1, "seen once before action"), (2, "seen 2 times before action")])
def test_how_often_it_was_seen(count: int, text: str) -> None:
    assert margin_of(rule("count"), [alert()], count, act(10), START) == Margin("count", count, "times", text)


def test_how_long_it_took() -> None:
    took = Margin("elapsed", 600, "seconds", "10 min from first sign to action")
    assert margin_of(rule("elapsed"), [alert()], 1, act(10), START) == took


def test_what_is_its_own_intervention_took_no_time_unless_a_first_sign_came_before() -> None:
    kind = Step(frozenset({"change.blocked"}))
    itself = acted_rule(hazard=kind, intervention=Intervention(kind, 0, "same", itself=True))
    blocked = make_event("change.blocked", 10)
    assert margin_of(itself, [blocked], 1, blocked, blocked.time) is None
    assert margin_of(itself, [blocked], 1, blocked, START) is not None
    assert margin_of(acted_rule(), [alert(10)], 1, act(10), START + 10 * MINUTE) is not None


# -- identity ------------------------------------------------------------------------------------------------


def test_the_id_of_a_draft_is_that_of_its_key_and_its_first_hazard() -> None:
    """Ids are in links that people keep: they must never come out otherwise."""
    assert draft_id("db|k", alert()) == "nm_7f316043d7f75168a241"
    assert draft_id("db|k", alert()) == draft_id("db|k", alert(5))
    others = {draft_id("db|l", alert()), draft_id("db|k", alert(0, "b")), draft_id("db|k", alert(source="z"))}
    assert len(others | {draft_id("db|k", alert())}) == 4


def test_recurrences_are_counted_by_rule_and_service_and_by_the_subjects_of_signs_and_actions() -> None:
    assert recurrence_key(acted_rule(), "db") == "acted|db"
    draft = the_draft(list(run(new_engine([acted_rule()]), [*story(), make_event("note.added", 400, "end")])))
    assert subject_keys(draft) == ["db\x1ffull"]


# -- evidence ------------------------------------------------------------------------------------------------


def parts(cited: tuple[Cited, ...]) -> list[tuple[str, str]]:
    return [(known.role, known.event.id) for known in cited]


def test_an_event_that_plays_two_parts_is_cited_in_the_stronger_one() -> None:
    sign, fix, over, note = alert(), act(10), make_event("alert.resolved", 20, "over"), make_event("note.added", 5, "n")
    found = gather([candidate([sign], [fix]), candidate([sign, fix], [fix])], [note, over, sign], [over])
    assert parts(found.cited) == [("hazard", "a"), ("intervention", "fix"), ("recovery", "over"), ("context", "n")]
    assert found.omitted == {}


@pytest.mark.parametrize(("count", "omitted"), [(20, {}), (21, {"context": 1}), (30, {"context": 10})])
def test_of_much_context_the_first_and_the_last_ten_are_shown(count: int, omitted: dict[str, int]) -> None:
    notes = [make_event("note.added", n, f"n{n:02}") for n in range(count)]
    found = gather([candidate([alert()], [act(90)])], notes, [])
    shown = [known.event.id for known in found.cited if known.role == "context"]
    assert MOST_CONTEXT == 20
    assert found.omitted == omitted
    assert shown == [f"n{n:02}" for n in range(count) if n < 10 or n >= count - 10]


def test_what_candidates_left_out_is_counted_too() -> None:
    many = candidate([alert(n, f"a{n:02}") for n in range(23)], [act(30 + n, f"f{n:02}") for n in range(21)])
    found = gather([many, many], [], [])
    assert found.omitted == {"hazard": 6, "intervention": 2}


# -- confidence and rank -------------------------------------------------------------------------------------


def test_by_how_much_each_missing_piece_lowers_the_confidence() -> None:
    assert {str(name): factor for name, factor in CONFIDENCE.items()} == {
        "no_feed": 0.6,
        "feed_gap": 0.7,
        "truncated": 0.7,
        "no_resolve": 0.8,
        "safe_assumed": 0.9,
        "alert_cancelled": 0.7,
        "name_guessed": 0.9,
        "dependencies_unknown": 0.8,
        "no_path_to_users": 0.7,
        "service_unknown": 0.7,
        "environment_unknown": 0.9,
        "sibling_only": 0.6,
        "impact_unstated": 0.8,
        "time_marked": 0.8,
        "evicted": 0.6,
        "evidence_capped": 1.0,
    }
    assert set(CONFIDENCE) == set(Missing)


@pytest.mark.parametrize(
    ("missing", "generic", "confidence"),
    [
        ([], False, 1.0),
        ([], True, 0.8),
        ([Missing.NO_FEED], False, 0.6),
        ([Missing.NO_FEED, Missing.NO_RESOLVE], True, 0.38),
    ],
)
def test_the_confidence_is_a_product_of_two_digits(missing: list[str], generic: bool, confidence: float) -> None:
    assert confidence_of(missing, generic) == confidence


@pytest.mark.parametrize(
    ("event", "doubts"),
    [
        (alert(), []),
        (alert(environment=None), ["environment_unknown"]),
        (alert(marks=("time_in_future",)), ["time_marked"]),
        (alert(resolved_from={"service": "guess: 'x' names it"}), ["name_guessed"]),
        (alert(resolved_from={"service": "alias"}), []),
        (alert(resolved_from={"environment": "guess: 'x'"}), []),
    ],
)
def test_what_a_cited_event_leaves_open(event: Event, doubts: list[str]) -> None:
    assert doubts_of([alert(0, "other"), event]) == doubts


@pytest.mark.parametrize(
    ("severity", "rank"), [("critical", 5.0), ("high", 4.0), ("warning", 3.0), ("info", 2.0), (None, 3.0)]
)
def test_the_rank_of_each_severity(severity: str | None, rank: float) -> None:
    """One more than its place from below, for a rule of its own; where none is said it is that of a warning."""
    assert rank_of([alert(severity=severity)], 0, 1.0, False, 1.0) == rank


def test_the_gravest_hazard_and_the_one_closest_to_its_limit_count() -> None:
    told = [alert(severity="info", value=9, limit=10), alert(severity="critical", value=1, limit=10), alert()]
    assert rank_of(told, 0, 1.0, False, 1.0) == 5.9
    assert rank_of(told, 0, 1.0, False, 1 / 3) == 1.967


# -- explanation ---------------------------------------------------------------------------------------------


def test_why_a_rule_matched_in_lines() -> None:
    lines = explain_candidate(acted_rule(), candidate([alert(0.01)], [act(10.01)]), ["1 × “ack”"])
    assert lines == [
        "acted: hazard alert.fired on db at 2027-01-15T08:00:00Z [test a]",
        "acted: intervention change.scaled on db 10 min later [test fix]",
        "acted: 1 × “ack”",
    ]


def test_what_came_again_is_counted_and_the_place_of_a_hazard_without_a_service_is_the_candidates() -> None:
    again = candidate([alert(0, service=None), alert(1, "b")], [act(10), act(11, "c"), act(12, "d")])
    first, second = explain_candidate(acted_rule(), again, [])
    assert first == "acted: hazard alert.fired on db at 2027-01-15T08:00:00Z [test a] and 1 more"
    assert second.endswith("[test fix] and 2 more")


def test_a_moment_or_none() -> None:
    assert instant(None) is None
    assert instant(0) == Instant(0)
