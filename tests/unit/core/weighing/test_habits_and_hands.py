"""Habits and hands: what is usual here, whose hand an account is, and what people's words and undoings say."""

from __future__ import annotations

import math

import msgspec
import pytest

from monitor.core.weighing.net import Net
from monitor.core.weighing.observed import Observed
from monitor.core.weighing.weights import reasoned
from tests.support.streams import MACHINE, PERSON, make_event, shop
from tests.unit.core.weighing.test_features import (
    DAYS,
    HOURS,
    act,
    alert,
    caught,
    deployed,
    episode,
    note,
    over,
    scaled,
    weigh,
)


def test_what_people_do_at_this_time_of_the_week_is_less_of_a_coincidence_to_rule_out() -> None:
    weeks = [act(at=120 - 7 * day * DAYS, name=f"week-{day}", service="side") for day in range(8, 0, -1)]
    usual, unusual = weigh(*weeks, alert(), act(at=120)), weigh(*weeks, alert(720), act(at=840))
    assert usual["rare_act"] < unusual["rare_act"]


@pytest.mark.parametrize(
    ("kinds", "hands"), [(("deployed", "configured", "flag_set"), True), (("deployed", "configured"), False)]
)
def test_an_account_that_does_everything_is_the_hands_of_people(kinds: tuple[str, ...], hands: bool) -> None:
    before = [act(kind, -day * DAYS, name=kind, actor=MACHINE) for day, kind in enumerate(kinds, 1)]
    story = [*before, alert(), act(actor=MACHINE)]
    if hands:
        assert "automation" not in weigh(*story)
    else:
        with pytest.raises(IndexError):  # what automation does all day is no candidate
            caught(*story)


@pytest.mark.parametrize(
    ("kind", "by_people", "candidates"), [("configured", 0, 1), ("configured", 1, 0), ("scaled", 0, 0)]
)
def test_where_no_person_ever_changes_anything_a_bot_is_nobody_in_particular(
    kind: str, by_people: int, candidates: int
) -> None:
    net = Net(Observed(), shop(), reasoned(live=0.5, digest=1e-9))
    before = [act(at=-60, name=f"person-{n}") for n in range(by_people)]
    found = [net.observe(event) for event in (*before, alert(), act(kind, actor=MACHINE))]
    assert len(found[-1]) == candidates


def test_what_the_catalogue_calls_automation_stays_automation() -> None:
    listed = msgspec.structs.replace(shop(), automation=frozenset({"bot"}))
    net = Net(Observed(), listed, reasoned(live=0.5, digest=1e-9))
    kinds = ("deployed", "configured", "flag_set")
    story = [act(kind, -day * DAYS, name=kind, actor=MACHINE) for day, kind in enumerate(kinds, 1)]
    found = [net.observe(event) for event in (*reversed(story), alert(), act(actor=MACHINE))]
    assert not any(found)


@pytest.mark.parametrize(("days", "cited"), [(7, True), (8, False)])
def test_what_is_there_every_few_days_does_not_say_when_this_began(days: int, cited: bool) -> None:
    before = [alert(-day * DAYS, f"old-{day}") for day in range(days, 0, -1)]
    ends = [over(-day * DAYS + 5, f"over-{day}") for day in range(days, 0, -1)]
    _, candidate = caught(*before, *ends, alert(-60, "common"), alert(0, "rare", subject="memory"), act())
    assert candidate.options[0].key == "memory"
    assert ("common" in {event.id for event in candidate.cited()}) is cited


def test_an_act_that_happens_all_the_time_is_less_of_a_coincidence_to_rule_out() -> None:
    often = [act(at=-minute, name=f"r{minute}") for minute in range(60, 10 * DAYS, 3 * HOURS)]
    assert weigh(*often, alert(), act(at=60))["rare_act"] < weigh(alert(), act(at=60))["rare_act"] - 0.5


def test_a_pairing_that_is_seen_again_is_a_habit() -> None:
    assert weigh(*episode(0))["usual_pairing"] == 0.0
    assert weigh(*(event for day in range(5) for event in episode(day * DAYS)))["usual_pairing"] > 0.5


def test_a_value_that_is_put_back_is_known_by_the_title_alone() -> None:
    """Few tools say what a setting was before."""
    there = act("configured", 0, subject="pool", title="pool size 40 to 400")
    back = act("configured", 50, subject="pool", title="pool size 400 to 40")
    other = act("configured", 50, subject="pool", title="pool size 400 to 60")
    assert weigh(there, back)["reversal"] == 1.0
    assert "reversal" not in weigh(alert(), there, other)


def test_undone_here_and_done_there_is_an_undoing_though_nobody_told_what_it_was_before() -> None:
    """The slip needs no alert: who took it back and did it elsewhere knew."""
    assert weigh(scaled(0, 12), scaled(4, 6), scaled(9, 12, service="side"))["reversal"] == 1.0
    assert "reversal" not in weigh(scaled(0, 12), scaled(4, 6), kind="change")


@pytest.mark.parametrize(
    "title", ["why is the total of main twice as high?", "is that right?", "no log line since nine, should not be"]
)
def test_a_person_who_wonders_reports_something(title: str) -> None:
    assert weigh(note(title=title), act(), kind="note")["sign_names_trouble"] == 1.0


def test_many_candidates_a_day_lower_each_and_most_in_the_first_fortnight() -> None:
    values = weigh(*(event for n in range(12) for event in episode(n * 5, f"s{n}")))
    assert values["net_rate"] == pytest.approx(math.log10(1 + 5 / 4 * 11), abs=0.01)
    assert values["learning"] == pytest.approx(math.log10(1 + 5 / 4 * 11) - 1, abs=0.01)


@pytest.mark.parametrize(("subject", "signs"), [("totals", ["note"]), ("disk", [])])
def test_a_note_on_an_alert_speaks_no_longer_than_the_alert_stands(subject: str, signs: list[str]) -> None:
    net = Net(Observed(), shop(), reasoned(live=0.5, digest=1e-9))
    for event in (alert(), note(2, subject=subject), over(20), note(21, "after", subject="disk")):
        net.observe(event)
    found = net.observe(act("ran", 200))
    assert [option.kind for candidate in found for option in candidate.options] == signs


def test_a_merge_that_reverts_is_undone_with_its_deployment() -> None:
    revert = make_event("change.merged", 12, "revert", labels={"version": "3", "reverts": "2"}, actor=PERSON)
    _, candidate = caught(deployed(-60, "1"), deployed(-5, "2"), alert(), revert, deployed(15, "3"))
    assert candidate.undone is not None
    assert candidate.undone.labels["version"] == "2"
    _, forward = caught(deployed(-60, "1"), deployed(-5, "2"), alert(), deployed(15, "3"))
    assert forward.undone is None
