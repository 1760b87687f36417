"""Each boundary of the verdict policy: what lies on it counts, what lies a minute beyond does not."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from monitor.core.deciding.impact import onset
from monitor.core.deciding.safe_window import find_safe, window_end
from monitor.core.model.decisions import Ignore, Open, Withdraw
from monitor.core.model.events import DAY, HOUR, MINUTE, Event, Instant
from monitor.core.model.near_miss import Draft
from monitor.core.model.reasons import NotOpened, Withdrawn
from monitor.core.model.rule import Impact, Intervention, Rule, Step
from tests.support.streams import (
    BY_HUMAN,
    HUMAN_ACTIONS,
    PERSON,
    START,
    acted_rule,
    clear_feed,
    make_event,
    new_engine,
    run,
)

DAYS = 24 * 60
"""A day in minutes."""


def trouble(at: float = 60, name: str = "a", service: str = "db", subject: str = "full") -> list[Event]:
    """An alert, a person's action ten minutes later, and the recovery (safe) twenty minutes after the alert."""
    return [
        make_event("alert.fired", at, f"{name}-alert", service=service, subject=subject, severity="high"),
        make_event("change.scaled", at + 10, f"{name}-fix", service=service, actor=PERSON),
        make_event("alert.resolved", at + 20, f"{name}-fine", service=service, subject=subject),
    ]


def decide(*events: Event, rules: Sequence[Rule] = (), days: int = 10) -> list[object]:
    stream = [*events, *clear_feed("shop", -10 * 60, days * DAYS, 30)]
    engine = new_engine(list(rules) or [acted_rule()])
    return list(run(engine, sorted(stream, key=lambda event: (event.time, event.source, event.id))))


def drafts(decided: list[object]) -> list[Draft]:
    return [decision.draft for decision in decided if isinstance(decision, Open)]


def withdrawn(decided: list[object]) -> list[Withdrawn]:
    return [decision.reason for decision in decided if isinstance(decision, Withdraw)]


def refused(decided: list[object]) -> list[NotOpened]:
    return [decision.reason for decision in decided if isinstance(decision, Ignore)]


def hit(at: float, end: float | None = None, **fields: object) -> list[Event]:
    """Users were hit, as a probe saw it."""
    found = [make_event("impact.started", at, f"hit-{at}", service="shop", source="slo", **fields)]
    if end is not None:
        found.append(make_event("impact.ended", end, f"over-{end}", service="shop", source="slo"))
    return found


@pytest.mark.parametrize(("minutes_before", "counts"), [(5, True), (6, False)])
def test_impact_counts_from_five_minutes_before_the_first_sign(minutes_before: int, counts: bool) -> None:
    decided = decide(*trouble(60), *hit(10, 60 - minutes_before))
    assert (NotOpened.IMPACT_SEEN in refused(decided)) is counts


@pytest.mark.parametrize(("minutes", "expected"), [(DAYS, [Withdrawn.IMPACT_AFTERWARDS]), (DAYS + 1, [])])
def test_impact_counts_until_a_day_after_safe(minutes: int, expected: list[Withdrawn]) -> None:
    assert withdrawn(decide(*trouble(), *hit(80 + minutes))) == expected


@pytest.mark.parametrize(("minutes", "expected"), [(7 * DAYS, [Withdrawn.IMPACT_TIED]), (7 * DAYS + 1, [])])
def test_tied_impact_withdraws_for_a_week(minutes: int, expected: list[Withdrawn]) -> None:
    assert withdrawn(decide(*trouble(), *hit(80 + minutes, subject="full"))) == expected


@pytest.mark.parametrize(("minutes", "is_chain"), [(60, True), (61, False)])
def test_what_begins_within_an_hour_of_an_action_follows_from_it(minutes: int, is_chain: bool) -> None:
    decided = decide(*trouble(60), *trouble(70 + minutes, "b", service="api", subject="errors"))
    first, second = sorted(drafts(decided), key=lambda draft: draft.first_sign_at)
    assert (second.chain == (first.id,)) is is_chain


@pytest.mark.parametrize(("minutes", "opens"), [(15, True), (16, False)])
def test_an_action_on_a_sibling_needs_a_recovery_within_a_quarter_of_an_hour(minutes: int, opens: bool) -> None:
    anywhere = acted_rule(intervention=Intervention(Step(HUMAN_ACTIONS, BY_HUMAN), 4 * HOUR))
    decided = decide(
        make_event("alert.fired", 60, "alert", service="api", subject="errors", severity="high"),
        make_event("change.scaled", 70, "fix", service="side", actor=PERSON),
        make_event("alert.resolved", 70 + minutes, "fine", service="api", subject="errors"),
        rules=[anywhere],
    )
    assert bool(drafts(decided)) is opens
    assert (NotOpened.UNRELATED_INTERVENTION in refused(decided)) is not opens


@pytest.mark.parametrize(("minutes", "counts"), [(DAYS - 5, True), (DAYS - 4, False)])
def test_impact_whose_end_is_never_reported_ends_after_a_day(minutes: int, counts: bool) -> None:
    decided = decide(*trouble(60 + DAYS), *hit(60 + DAYS - minutes - 10))
    assert (NotOpened.IMPACT_SEEN in refused(decided)) is counts


def test_a_person_reports_an_hour_late() -> None:
    ticket = make_event("impact.started", 250, "ticket", service="shop", labels={"evidence": "ticket"})
    assert onset(ticket) == ticket.time - HOUR


@pytest.mark.parametrize(("days", "end"), [(3, 3 * DAY + HOUR), (30, 20 * MINUTE + 7 * DAY)])
def test_a_deadline_holds_the_window_for_an_hour_more_and_a_week_at_most(days: int, end: int) -> None:
    rule = acted_rule(impact=Impact(hold_through="expires_at"))
    alert, fix, fine = trouble(0)
    engine = new_engine([rule])
    due = make_event("alert.fired", 0, "due", subject="full", severity="high", expires_at=Instant(START + days * DAY))
    engine.step([due, fix, fine, make_event("note.added", 60, "later", service="mail")])
    (episode,) = engine.state.episodes.values()
    instances = list(engine.state.candidates.values())
    safe = find_safe(episode, instances, rule.settle, ())
    assert alert.time == due.time
    assert window_end(episode, safe.at, [rule], instances) == START + end


@pytest.mark.parametrize(("minutes", "count"), [(7 * DAYS, 1), (7 * DAYS + 1, 2)])
def test_a_candidate_joins_an_episode_of_the_week_before(minutes: int, count: int) -> None:
    """An alert of the same action joins the episode unless that began more than a week before."""
    rule = acted_rule(intervention=Intervention(Step(HUMAN_ACTIONS, BY_HUMAN), 14 * DAY), correlate=("subject",))
    decided = decide(
        make_event("alert.fired", 0, "first", subject="full", severity="high"),
        make_event("change.scaled", minutes - 30, "touch", actor=PERSON),
        make_event("alert.fired", minutes, "second", service="api", subject="slow", severity="high"),
        make_event("change.scaled", minutes + 10, "fix", actor=PERSON),
        make_event("alert.resolved", minutes + 20, "fine", subject="full"),
        make_event("alert.resolved", minutes + 20, "fine2", service="api", subject="slow"),
        rules=[rule],
        days=10,
    )
    assert len(drafts(decided)) == count


@pytest.mark.parametrize(("before", "counts"), [(120, True), (121, False)])
def test_a_report_that_nobody_can_place_counts_from_two_hours_before_the_first_sign(before: int, counts: bool) -> None:
    """Nobody knows whether a customer speaks of this; one who wrote in the morning does not speak of the evening."""
    told = make_event("impact.started", 60 - before, "told", service="d41757d3", labels={"evidence": "ticket"})
    decided = decide(told, *trouble())
    assert (NotOpened.IMPACT_SEEN in refused(decided)) is counts
    assert len(drafts(decided)) == (0 if counts else 1)


@pytest.mark.parametrize(
    ("at", "counts"),
    [(-1, False), (0, True), (20, True), (35, True), (36, False)],
    ids=["before the first sign", "at the first sign", "at the recovery", "15 minutes after it", "16 minutes after it"],
)
def test_a_check_that_recovered_and_was_never_heard_to_fail_counts_near_the_trouble(at: int, counts: bool) -> None:
    """It failed just before; one that recovers an hour later, or before all began, failed for another reason."""
    over = make_event("impact.ended", 60 + at, "up", service="shop", labels={"evidence": "synthetic"})
    decided = decide(*trouble(), over)
    assert (NotOpened.IMPACT_SEEN in refused(decided)) is counts
    posted = make_event("impact.ended", 60 + at, "up", service="shop", labels={"evidence": "status_post"})
    assert NotOpened.IMPACT_SEEN in refused(decide(*trouble(), posted)), "who posts an end had posted a beginning"
