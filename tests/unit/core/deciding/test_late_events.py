"""Late events: offering twice is offering once, only what can change is looked at again, and recoveries count."""

from __future__ import annotations

from unittest import mock

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.core.deciding.candidate_maker import CandidateMaker
from monitor.core.deciding.engine import EngineSettings
from monitor.core.model.conditions import Compare
from monitor.core.model.decisions import Amend, Decision, Ignore, Late, Open
from monitor.core.model.events import HOUR, Event
from monitor.core.model.near_miss import Draft
from monitor.core.model.reasons import NotOpened
from monitor.core.model.rule import Clause, Intervention, Point, Rule, Step
from monitor.core.state.candidates import MOST_FIRST, MOST_LAST
from monitor.core.weighing.weights import reasoned
from tests.support.streams import PERSON, acted_rule, clear_feed, make_event, new_engine

HOW = EngineSettings(weights=reasoned(live=0.02, digest=0.01))


def acknowledged() -> Rule:
    """Wants an acknowledgement between the alert and the end."""
    ack = Clause("ack", Step(frozenset({"alert.acknowledged"})), Point("hazard"), Point("safe"), at_least=1)
    return acted_rule(clauses=(ack,))


def tale(alerts: int, actions: int) -> list[Event]:
    """Many alerts of one subject, then many actions, then the recovery."""
    fired = [make_event("alert.fired", 60 + n * 0.5, f"a{n}", subject="full", severity="high") for n in range(alerts)]
    acted = [make_event("change.configured", 90 + n * 0.5, f"c{n}", actor=PERSON) for n in range(actions)]
    ack = make_event("alert.acknowledged", 70, "ack", actor=PERSON, subject="full")
    return [*fired, ack, *acted, make_event("alert.resolved", 120, "fine", subject="full")]


def acks(count: int) -> list[Event]:
    return [make_event("alert.acknowledged", 71 + n, f"late{n}", actor=PERSON, subject="full") for n in range(count)]


def decide(story: list[Event], late: list[Event], rule: Rule, settings: EngineSettings | None = None) -> list[Decision]:
    """The late events arrive an hour after the recovery, before the window has ended; a feed looked throughout."""
    feed = clear_feed("shop", 0, 400)
    engine = new_engine([rule], settings=settings or EngineSettings())
    before = [event for event in feed if event.time <= feed[18].time]
    decided = engine.step(sorted([*story, *before], key=lambda e: (e.time, e.source, e.id)))
    decided += engine.step(late)
    return decided + engine.step(feed[19:]) + engine.end()


def last_draft(decided: list[Decision]) -> Draft:
    return [decision.draft for decision in decided if isinstance(decision, Open | Amend)][-1]


def parts(draft: Draft) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for cited in draft.evidence:
        found.setdefault(cited.role, []).append(cited.event.id)
    return {role: ids for role, ids in found.items() if role in ("hazard", "intervention", "recovery")}


@pytest.mark.parametrize("settings", [EngineSettings(), HOW], ids=["rules alone", "weighed"])
def test_six_late_acknowledgements_count_no_action_twice(settings: EngineSettings) -> None:
    story = tale(3, MOST_FIRST + MOST_LAST + 10)
    draft = last_draft(decide(story, acks(6), acknowledged(), settings))
    alone = last_draft(decide(story, [], acknowledged(), settings))
    assert parts(draft) == parts(alone)
    assert draft.omitted.get("intervention") == alone.omitted.get("intervention") == 10


@given(st.integers(1, 45), st.integers(1, 45), st.integers(0, 6), st.booleans())
def test_offering_twice_is_offering_once(alerts: int, actions: int, late: int, weighed: bool) -> None:
    settings = HOW if weighed else EngineSettings()
    story = tale(alerts, actions)
    draft = last_draft(decide(story, [*acks(late), *story], acknowledged(), settings))
    alone = last_draft(decide(story, [], acknowledged(), settings))
    assert parts(draft) == parts(alone)
    assert {role: n for role, n in draft.omitted.items() if role != "context"} == alone.omitted


def test_a_late_alert_is_offered_the_actions_after_it_and_nothing_else_is() -> None:
    """Fifty other alerts wait on the service; one action was tried and had nothing to do with them."""
    others = [make_event("alert.fired", 50 + n * 0.1, f"o{n}", subject=f"s{n}", severity="high") for n in range(50)]
    far = make_event("change.configured", 40, "early", actor=PERSON)
    late = make_event("alert.fired", 45, "late", subject="mine", severity="high")
    act = make_event("change.configured", 100, "act", actor=PERSON)
    moved = make_event("note.added", 200, "later", service="mail")
    for story, offers in (([far, *others], 0), ([far, act], 1), ([far, *others, act], 1)):
        engine = new_engine([acted_rule(correlate=("service", "subject"))])
        engine.step(sorted([*story, moved, *clear_feed("shop", 0, 200)], key=lambda e: e.time))
        with mock.patch.object(CandidateMaker, "offer", autospec=True, side_effect=CandidateMaker.offer) as offered:
            engine.step([late])
        assert offered.call_count == offers
        assert all([hazard.id for hazard in call.args[2]] == ["late"] for call in offered.call_args_list)


def test_an_alert_whose_firing_arrives_after_its_recovery_has_recovered() -> None:
    fired = make_event("alert.fired", 60, "fired", subject="full", severity="high")
    fine = make_event("alert.resolved", 70, "fine", subject="full")
    act = make_event("change.configured", 260, "act", actor=PERSON)
    feed = clear_feed("shop", 0, 600)
    for before, after in (([fired, fine, *feed[:26]], [act]), ([fine, *feed[:26]], [fired, act])):
        engine = new_engine([acted_rule()])
        decided = engine.step(before) + engine.step([*after, *feed[26:]]) + engine.end()
        ignored = [decision.reason for decision in decided if isinstance(decision, Ignore)]
        assert ignored == [NotOpened.CLEARED_BEFORE_ACTION]


def test_a_rollback_is_one_although_what_it_rolled_back_arrives_late() -> None:
    """Version 1 ran, version 2 comes late, version 1 runs again."""
    rule = acted_rule(
        intervention=Intervention(
            Step(frozenset({"change.deployed"}), Compare("derived.rollback", "equals", (True,))), 4 * HOUR
        )
    )
    old, new, again = (
        make_event("change.deployed", at, name, actor=PERSON, labels={"version": version})
        for at, name, version in ((10, "v1", "1"), (50, "v2", "2"), (80, "v1-again", "1"))
    )
    alert = make_event("alert.fired", 60, "alert", subject="full", severity="high")
    assert parts(last_draft(decide([old, alert, again], [new], rule)))["intervention"] == ["v1-again"]


def test_an_alert_that_came_late_recovers_also_where_its_story_went_on_without_it() -> None:
    """The episode of the change follows the alert before a candidate cites it: the recovery ends it for both."""
    undone = acted_rule(
        name="undone",
        hazard=Step(frozenset({"change.deployed"})),
        intervention=Intervention(Step(frozenset({"change.rolled_back"})), HOUR),
    )
    feed = clear_feed("shop", 0, 400, every=5)
    deployed = make_event("change.deployed", 55, "new", subject="db")
    back = make_event("change.rolled_back", 63, "back", subject="db", actor=PERSON)
    fired = make_event("alert.fired", 60, "late", subject="errors", severity="critical")
    fine = make_event("alert.resolved", 67, "fine", subject="errors")
    engine = new_engine([undone, acted_rule()])
    decided = engine.step([*feed[:12], deployed, back, feed[13]])
    decided += engine.step([fired, fine, *feed[14:]]) + engine.end()
    draft = last_draft(decided)
    assert draft.safe_at == fine.time
    assert draft.missing_evidence == ()


def told_by_its_end(began: float = 60) -> Event:
    return make_event(
        "alert.resolved", 80, "fine", subject="full", severity="high", began_at=make_event("note.added", began).time
    )


def acted_and_fine(*more: Event) -> list[Event]:
    acted = make_event("change.scaled", 70, "grow", actor=PERSON)
    return sorted([acted, told_by_its_end(), *more], key=lambda event: event.time)


SENT = make_event("alert.fired", 60, "sent", subject="full", severity="high")


def test_a_recovery_that_tells_its_beginning_makes_the_firing_known() -> None:
    draft = last_draft(decide(acted_and_fine(), [], acted_rule()))
    (hazard,) = parts(draft)["hazard"]
    assert hazard.startswith("began/full/")
    assert (draft.first_sign_at, draft.safe_at) == (SENT.time, told_by_its_end().time)
    assert draft.missing_evidence == ()


def test_a_firing_that_was_sent_is_told_by_nothing_else() -> None:
    assert parts(last_draft(decide(acted_and_fine(SENT), [], acted_rule())))["hazard"] == ["sent"]


def test_a_firing_that_comes_after_all_is_no_second_one() -> None:
    first = last_draft(decide(acted_and_fine(), [], acted_rule()))
    assert last_draft(decide(acted_and_fine(), [SENT], acted_rule())).evidence == first.evidence


@pytest.mark.parametrize("recovery", [told_by_its_end(80), told_by_its_end(-2000)])
def test_a_beginning_that_is_none_or_long_gone_tells_of_no_firing(recovery: Event) -> None:
    """What began more than a day ago may have been sent and evicted."""
    story = [make_event("change.scaled", 70, "grow", actor=PERSON), recovery]
    assert not [one for one in decide(story, [], acted_rule()) if isinstance(one, Open)]


def test_where_many_alerts_fired_none_is_taken_for_untold() -> None:
    """The eldest of them are evicted, so that nobody knows what was sent."""
    flood = [make_event("alert.fired", 61 + n / 100, f"n{n}", subject=f"s{n}", severity="info") for n in range(256)]
    assert not [one for one in decide(acted_and_fine(*flood), [], acted_rule()) if isinstance(one, Open)]


def test_a_late_step_without_any_hazard_is_merely_late() -> None:
    engine = new_engine([acknowledged()])
    engine.step([make_event("change.configured", 70, "act", actor=PERSON), make_event("note.added", 200, "n")])
    decided = engine.step([make_event("alert.acknowledged", 65, "late", actor=PERSON, subject="full")])
    assert [type(each) for each in decided] == [Late]


@pytest.mark.parametrize(("at_least", "at_most", "offers"), [(0, 0, 0), (0, None, 0), (2, None, 1)])
def test_only_what_was_missing_lets_an_action_be_tried_again(at_least: int, at_most: int | None, offers: int) -> None:
    """A note too many was seen already; where two are needed, one more may help."""
    until = (Point("hazard"), Point("intervention"))
    noted = Clause("noted", Step(frozenset({"note.added"})), *until, at_least=at_least, at_most=at_most)
    alone = Clause("never", Step(frozenset({"change.held"})), *until)
    engine = new_engine([acted_rule(clauses=(noted, alone))])
    fired = make_event("alert.fired", 60, "fired", subject="full", severity="high")
    acted = make_event("change.configured", 70, "act", actor=PERSON)
    engine.step([fired, make_event("note.added", 65, "n"), acted, make_event("note.added", 200, "m", service="mail")])
    with mock.patch.object(CandidateMaker, "offer", autospec=True, side_effect=CandidateMaker.offer) as offered:
        engine.step([make_event("note.added", 66, "late")])
    assert offered.call_count == offers


@pytest.mark.parametrize(("kind", "is_new"), [("alert.fired", False), ("alert.acknowledged", True)])
def test_only_the_firing_itself_is_known_from_its_recovery(kind: str, is_new: bool) -> None:
    engine = new_engine([acted_rule()])
    began = make_event("note.added", 55).time
    over = make_event("alert.resolved", 80, "over", subject="full", began_at=began, severity="high")
    engine.step([over, make_event("note.added", 200, "n", service="mail")])
    decided = engine.step([make_event(kind, 55, "late", subject="full", severity="high")])
    assert [type(each) for each in decided] == [Late] * is_new
