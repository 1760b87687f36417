"""Which hazards and actions become one candidate, and until when each may join: what a draft cites in the end."""

from __future__ import annotations

from typing import Any

import pytest

from monitor.core.deciding.engine import EngineSettings
from monitor.core.model.decisions import Amend, Decision, Ignore, Open
from monitor.core.model.events import HOUR, MINUTE, Event
from monitor.core.model.near_miss import Draft
from monitor.core.model.reasons import Missing, NotOpened
from monitor.core.model.rule import Intervention, Pair, Rule, Step
from monitor.core.weighing.weights import reasoned
from tests.support.streams import (
    BY_HUMAN,
    HUMAN_ACTIONS,
    MACHINE,
    PERSON,
    START,
    acted_rule,
    clear_feed,
    make_event,
    new_engine,
    run,
    saved,
)

BY_SERVICE = acted_rule(correlate=("service",))
DELETED = acted_rule(hazard=Step(frozenset({"change.deleted"})))


def alert(at: float, name: str = "alert", **fields: Any) -> Event:
    return make_event("alert.fired", at, name, **{"subject": "full", "severity": "high", **fields})


def over(at: float, name: str = "fine", **fields: Any) -> Event:
    return make_event("alert.resolved", at, name, **{"subject": "full", **fields})


def act(at: float, name: str = "act", **fields: Any) -> Event:
    return make_event("change.scaled", at, name, **{"actor": PERSON, **fields})


def decide(*events: Event, rule: Rule | None = None) -> list[Decision]:
    stream = [*events, *clear_feed("shop", 0, 900)]
    engine = new_engine([rule or acted_rule()])
    return run(engine, sorted(stream, key=lambda event: (event.time, event.source, event.id)))


def cited(decided: list[Decision], role: str) -> list[str]:
    """What the draft cites in the end in one part."""
    drafts: list[Draft] = [each.draft for each in decided if isinstance(each, Open | Amend)]
    return [known.event.id for known in drafts[-1].evidence if known.role == role]


def reasons(decided: list[Decision]) -> dict[str, str]:
    """By the event that it is about, the reason why nothing was opened."""
    return {each.evidence[0].id: str(each.reason) for each in decided if isinstance(each, Ignore)}


# -- actions -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("minutes", "joins"), [(300, True), (301, False)])
def test_an_action_joins_until_the_window_of_the_hazard_ends(minutes: float, joins: bool) -> None:
    """Four hours after the alert at minute 60."""
    decided = decide(alert(60), act(70), act(minutes, "later"))
    assert ("later" in cited(decided, "intervention")) is joins


@pytest.mark.parametrize(("minutes", "joins"), [(340, True), (341, False)])
def test_the_last_hazard_before_the_first_action_counts(minutes: float, joins: bool) -> None:
    decided = decide(alert(60), alert(100, "again"), act(110), act(minutes, "later"))
    assert ("later" in cited(decided, "intervention")) is joins


@pytest.mark.parametrize(("minutes", "joins"), [(440, True), (441, False)])
def test_a_hazard_that_joins_keeps_the_candidate_open_for_longer(minutes: float, joins: bool) -> None:
    decided = decide(alert(60), act(70), alert(200, "again"), act(minutes, "later"))
    assert cited(decided, "hazard") == ["alert", "again"]
    assert ("later" in cited(decided, "intervention")) is joins


def test_an_action_on_an_alert_that_is_over_does_not_join() -> None:
    decided = decide(alert(60), act(70), over(80), act(81, "later"))
    assert cited(decided, "intervention") == ["act"]
    assert cited(decide(alert(60), act(70), over(80), act(80, "a-later")), "intervention") == ["act", "a-later"]


@pytest.mark.parametrize(("minutes", "joins"), [(200, True), (201, False)])
def test_without_an_alert_an_action_joins_until_the_window_was_judged(minutes: float, joins: bool) -> None:
    """The action at 70, ten minutes to settle, a hold of two hours."""
    gone = make_event("change.deleted", 60, "gone")
    decided = decide(gone, act(70), act(minutes, "a-later"), rule=DELETED)
    assert ("a-later" in cited(decided, "intervention")) is joins


def test_an_exercise_is_no_action_and_is_named() -> None:
    decided = decide(alert(60), act(70, "drill", labels={"drill": "true"}))
    assert reasons(decided) == {"drill": "drill", "alert": "no_intervention"}
    later = decide(alert(60), act(70), act(80, "drill", labels={"drill": "true"}))
    assert cited(later, "intervention") == ["act"]


def test_what_automation_does_or_what_names_no_service_is_no_action_of_this_rule() -> None:
    assert reasons(decide(alert(60), act(70, actor=MACHINE))) == {"alert": "no_intervention"}
    assert reasons(decide(alert(60), act(70, service=None))) == {"alert": "no_intervention"}


@pytest.mark.parametrize(
    ("subjects", "subject", "opens"),
    [(("a",), "a", True), (("a",), "b", False), (("a", "b"), "b", True), (("a", "b"), "c", False)],
)
def test_an_action_that_fits_one_hazard_of_a_key_fits_the_candidate(
    subjects: tuple[str, ...], subject: str, opens: bool
) -> None:
    same = Intervention(Step(HUMAN_ACTIONS, BY_HUMAN), 4 * HOUR, pairs=(Pair("subject", "subject"),))
    rule = acted_rule(correlate=("service",), intervention=same)
    alerts = [alert(60 + n, f"alert-{name}", subject=name) for n, name in enumerate(subjects)]
    decided = decide(*alerts, act(70, subject=subject), rule=rule)
    assert any(isinstance(each, Open) for each in decided) is opens
    if not opens:
        assert set(reasons(decided).values()) == {"unrelated_intervention"}
    again = decide(*alerts, act(70, subject=subjects[0]), act(75, "later", subject=subject), rule=rule)
    assert ("later" in cited(again, "intervention")) is opens


def test_a_second_action_next_door_takes_the_doubt_away() -> None:
    """The first was on a sibling only."""
    stream = [alert(60, service="api", subject="errors"), over(75, service="api", subject="errors")]
    rule = acted_rule(intervention=Intervention(Step(HUMAN_ACTIONS, BY_HUMAN), 4 * HOUR))
    (alone,) = [each.draft for each in decide(*stream, act(70, service="side"), rule=rule) if isinstance(each, Open)]
    both = decide(*stream, act(70, service="side"), act(72, "near", service="db"), rule=rule)
    (near,) = [each.draft for each in both if isinstance(each, Open)]
    assert Missing.SIBLING_ONLY in alone.missing_evidence
    assert Missing.SIBLING_ONLY not in near.missing_evidence


@pytest.mark.parametrize(("minutes", "opens"), [(69, False), (70, True), (85, True), (86, False)])
def test_a_recovery_close_after_an_action_on_a_sibling(minutes: float, opens: bool) -> None:
    rule = acted_rule(intervention=Intervention(Step(HUMAN_ACTIONS, BY_HUMAN), 4 * HOUR))
    stream = [
        alert(60, service="api", subject="errors"),
        alert(60, "other", service="api", subject="never", severity="high"),
        act(70, service="side"),
        over(minutes, service="api", subject="errors"),
    ]
    decided = decide(*stream, rule=msg_by_service(rule))
    assert any(isinstance(each, Open) for each in decided) is opens


def msg_by_service(rule: Rule) -> Rule:
    return acted_rule(correlate=("service",), intervention=rule.intervention)


# -- hazards -------------------------------------------------------------------------------------------------


def test_alerts_of_one_key_are_one_candidate_and_of_another_key_their_own() -> None:
    stream = [alert(60), alert(61, "again"), alert(62, "cpu", subject="cpu"), act(70)]
    assert cited(decide(*stream), "hazard") == ["alert", "again", "cpu"]
    explained = next(each.draft.explanation for each in decide(*stream) if isinstance(each, Open))
    assert [line for line in explained if "1 more" in line] == [explained[0]]


@pytest.mark.parametrize(("kind", "subject", "joins"), [("alert", "full", True), ("alert", "cpu", False)])
def test_after_its_window_only_an_alert_that_fires_again_goes_on_with_it(kind: str, subject: str, joins: bool) -> None:
    """The window ends at minute 200; the key is the service alone."""
    decided = decide(alert(60), act(70), over(80), alert(260, "again", subject=subject), rule=BY_SERVICE)
    assert ("again" in cited(decided, "hazard")) is joins
    before = decide(alert(60), act(70), over(80), alert(190, "again", subject=subject), rule=BY_SERVICE)
    assert "again" in cited(before, "hazard")


def test_a_hazard_without_a_service_outside_production_or_of_an_exercise_is_named() -> None:
    decided = decide(
        alert(60, "nowhere", service=None),
        alert(61, "staging", environment="staging"),
        alert(62, "drill", labels={"drill": "yes"}),
        alert(63, "mild", severity="info"),
        act(70),
    )
    assert reasons(decided) == {"nowhere": "no_service", "staging": "non_production", "drill": "drill"}


@pytest.mark.parametrize(("count", "named"), [(256, 0), (257, 1), (260, 4)])
def test_of_too_many_hazards_the_oldest_are_named_and_forgotten(count: int, named: int) -> None:
    decided = decide(*(alert(n / 10, f"a{n:03}", subject=f"s{n}") for n in range(count)))
    gone = [each for each in decided if isinstance(each, Ignore) and each.reason is NotOpened.TOO_MANY_OPEN]
    assert [each.evidence[0].id for each in gone] == [f"a{n:03}" for n in range(named)]
    assert all(each.detail == "too many hazards of this kind on this service" for each in gone)
    assert len(reasons(decided)) == count


def test_announced_work_that_covers_one_sign_of_two_covers_nothing() -> None:
    work = make_event("maintenance.started", 30, "work", service="db")
    ordinary = [alert(60), alert(61, "again"), act(70), over(80)]
    assert reasons(decide(work, *ordinary))["alert"] == "covered_by_maintenance"
    graver = [alert(60), alert(61, "again", severity="critical"), act(70), over(80)]
    assert cited(decide(work, *graver), "hazard") == ["alert", "again"]


@pytest.mark.parametrize(("ended", "reason"), [(69, "cleared_before_action"), (70, None)])
def test_an_alert_that_ended_before_the_action_came_is_named(ended: float, reason: str | None) -> None:
    decided = decide(alert(60), over(ended, "a-fine"), act(70))
    assert reasons(decided).get("alert") == reason


def test_an_action_that_came_late_meets_what_stood_then() -> None:
    engine = new_engine([acted_rule()])
    note = make_event("note.added", 90, "later", service="mail")
    decided = [*engine.step([alert(60), alert(61, "cpu", subject="cpu"), over(65), note]), *engine.step([act(70)])]
    decided += engine.end()
    assert cited(decided, "hazard") == ["cpu"]
    assert reasons(decided) == {"alert": "cleared_before_action"}


def test_a_firing_that_came_late_had_ended_by_the_first_recovery_after_it() -> None:
    engine = new_engine([acted_rule()])
    first = [over(65), over(75, "second"), act(70), make_event("note.added", 90, "later", service="mail")]
    decided = [*engine.step(sorted(first, key=lambda each: each.time)), *engine.step([alert(60)]), *engine.end()]
    assert reasons(decided) == {"alert": "cleared_before_action"}


def test_what_is_no_alert_stands_although_an_alert_of_its_subject_is_over() -> None:
    decided = decide(make_event("change.deleted", 60, "gone", subject="full"), over(65), act(70), rule=DELETED)
    assert cited(decided, "hazard") == ["gone"]


def test_an_action_from_before_every_hazard_of_a_candidate_does_not_join_it_late() -> None:
    engine = new_engine([BY_SERVICE])
    decided = engine.step([alert(60), act(70), make_event("note.added", 75, "n")])
    decided += engine.step([act(50, "early")])
    decided += engine.step([over(80), *clear_feed("shop", 81, 900)]) + engine.end()
    assert cited(decided, "intervention") == ["act"]


def test_it_is_safe_when_every_alert_that_joined_is_over() -> None:
    """The second fires more than an hour after the action: only the candidate that it joined follows it."""
    second = {"subject": "other", "severity": "high"}
    decided = decide(
        alert(60),
        act(70),
        over(80),
        alert(150, "second", **second),
        over(170, "late", subject="other"),
        rule=BY_SERVICE,
    )
    (draft,) = [each.draft for each in decided if isinstance(each, Open)]
    assert draft.safe_at == START + 170 * MINUTE


def test_after_a_restart_an_action_joins_though_no_hazard_waits_any_more() -> None:
    """The hazard's window of half an hour is over; the candidate is still to be judged."""
    rule = acted_rule(intervention=Intervention(Step(HUMAN_ACTIONS, BY_HUMAN), 30 * MINUTE))
    first = [alert(60), act(70), alert(75, "again"), over(78), make_event("note.added", 120, "n", service="mail")]
    rest = [act(100, "more"), make_event("note.added", 130, "m", service="mail"), *clear_feed("shop", 131, 900)]
    whole, engine = new_engine([rule]), new_engine([rule])
    expected = whole.step(first) + whole.step(rest) + whole.end()
    decided = engine.step(first)
    again = new_engine([rule], cells=saved({}, engine))
    decided += again.step(rest) + again.end()
    assert decided == expected
    assert cited(decided, "hazard") == ["alert", "again"]


def test_what_lay_around_begins_five_minutes_before_the_first_sign() -> None:
    before = [
        make_event("incident.opened", at, f"i{at}", subject=f"{at}", labels={"impact": "none"}) for at in (54, 55)
    ]
    assert cited(decide(*before, alert(60), act(70), over(80)), "context") == ["i55"]


def test_a_reviewer_gets_five_questions_at_most_those_of_the_naming_rule_first() -> None:
    generic = acted_rule(ask=("g1", "g2", "s1"))
    specific = acted_rule(name="specific", generic=False, ask=("s1", "s2", "s3", "s4"))
    engine = new_engine([generic, specific])
    decided = run(engine, [alert(60), act(70), over(80)])
    (draft,) = [each.draft for each in decided if isinstance(each, Open)]
    assert draft.questions == ("s1", "s2", "s3", "s4", "g1")


def test_what_the_net_caught_outlives_a_restart() -> None:
    settings = EngineSettings(weights=reasoned(live=0.02, digest=0.01))
    first, rest = [alert(60), act(70), over(80)], [make_event("note.added", 900, "n", service="mail")]
    whole, engine = new_engine([], settings=settings), new_engine([], settings=settings)
    expected = whole.step(first) + whole.step(rest) + whole.end()
    decided = engine.step(first)
    again = new_engine([], settings=settings, cells=saved({}, engine))
    decided += again.step(rest) + again.end()
    assert [each for each in decided if isinstance(each, Open)]
    assert decided == expected
