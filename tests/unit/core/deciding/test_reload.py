"""Other rules while the engine is at work: what waits on, what begins anew, and what is named."""

from __future__ import annotations

import pytest

from monitor.core.model.decisions import Ignore, Open
from monitor.core.model.events import HOUR, Event
from monitor.core.model.reasons import NotOpened
from monitor.core.model.rule import Intervention, Rule, Step
from tests.support.streams import BY_HUMAN, HUMAN_ACTIONS, PERSON, acted_rule, make_event, new_engine, shop

STORY = [
    make_event("alert.fired", 60, "alert", subject="full", severity="high", title="disk nearly full"),
    make_event("change.scaled", 70, "grow", actor=PERSON),
    make_event("alert.resolved", 80, "fine", subject="full"),
    make_event("note.added", 100, "later", service="mail"),
]


def reload(before: list[Rule], after: list[Rule], after_events: int, story: list[Event] = STORY) -> list[object]:
    engine = new_engine(before)
    decided: list[object] = [*engine.step(story[:after_events])]
    decided += engine.replace(after, shop())
    return [*decided, *engine.step(story[after_events:]), *engine.end()]


def test_a_rule_that_changed_in_its_hold_opens_its_draft_by_its_new_words() -> None:
    changed = acted_rule(version="2", title="new words for {service}")
    decided = reload([acted_rule()], [changed], len(STORY))
    (opened,) = [each for each in decided if isinstance(each, Open)]
    assert opened.draft.title == "New words for db"
    assert opened.draft.rule_versions == {"acted": "2"}
    assert not [each for each in decided if isinstance(each, Ignore)]


def test_a_rule_that_is_taken_out_in_its_hold_is_named_once() -> None:
    decided = reload([acted_rule()], [], len(STORY))
    (ignored,) = [each for each in decided if isinstance(each, Ignore)]
    assert (ignored.reason, ignored.rules, ignored.service) == (NotOpened.RULE_GONE, ("acted",), "db")
    assert list(ignored.evidence) == [STORY[0].event_id]


def test_a_rule_that_no_longer_fits_is_named_too() -> None:
    strict = acted_rule(version="2", intervention=Intervention(Step(frozenset({"change.deleted"})), 4 * HOUR))
    decided = reload([acted_rule()], [strict], len(STORY))
    assert NotOpened.RULE_GONE in [each.reason for each in decided if isinstance(each, Ignore)]


def test_what_waits_under_a_rule_that_stays_waits_on() -> None:
    other = acted_rule(name="other", generic=False, title="another")
    decided = reload([acted_rule(), other], [acted_rule()], len(STORY))
    (opened,) = [each for each in decided if isinstance(each, Open)]
    assert opened.draft.rules == ("acted",)


def test_a_hazard_meets_its_intervention_after_the_reload() -> None:
    decided = reload([acted_rule()], [acted_rule(version="2")], 1)
    assert [type(each) for each in decided] == [Open]


@pytest.mark.parametrize("by_restart", [False, True], ids=["reload", "restart"])
def test_what_a_longer_window_wants_survives_a_stop(by_restart: bool) -> None:
    """Written under the short window, it would have been forgotten before the long one asks for it."""
    days = acted_rule(version="2", intervention=Intervention(Step(HUMAN_ACTIONS, BY_HUMAN), 72 * HOUR))
    engine = new_engine([acted_rule()])
    cells: dict[str, bytes] = {}

    def save() -> dict[str, bytes]:
        cells.update({name: value or b"" for name, value in engine.take_changes().items()})
        return {name: value for name, value in cells.items() if value}

    engine.step(STORY[:1])
    engine.step([make_event("note.added", 10 * 60, "tick", service="mail")])
    if by_restart:
        engine = new_engine([days], cells=save())
    else:
        save()
        engine.replace([days], shop())
    for hour in (26, 40, 50):
        engine.step([make_event("impact.started", hour * 60, f"at-{hour}", service="mail")])
        save()
    again = new_engine([days], cells=save())
    again.step([make_event("change.scaled", 51 * 60, "grow", actor=PERSON)])
    assert [type(each) for each in again.end()] == [Open]
