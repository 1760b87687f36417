"""One real event, one draft: which earlier draft tells of the same, and which drafts are links of one chain."""

from __future__ import annotations

from typing import Any

import pytest

from monitor.core.deciding.episode_grouper import EpisodeGrouper
from monitor.core.deciding.same_event import same_event
from monitor.core.deciding.withdrawals import Withdrawals
from monitor.core.matching.matcher import Matcher
from monitor.core.model.decisions import Decision, Withdraw
from monitor.core.model.events import Event, Instant
from monitor.core.model.reasons import Withdrawn
from monitor.core.model.watermark import Timeline
from monitor.core.state.engine_state import EngineState
from monitor.core.state.episodes import Episode
from monitor.packs.language.regex import make_regex
from tests.support.records import draft
from tests.support.streams import START, acted_rule, make_event, shop

WEEK = 7 * 24 * 60


def at(minutes: float) -> Instant:
    return Instant(START + int(minutes * 60_000_000))


def told(began: float, safe: float | None, name: str = "other", service: str = "db", **fields: Any) -> Episode:
    """An episode with a draft, from its first sign until it was safe; without that its window ended at minute 1000."""
    values: dict[str, Any] = {
        "first_sign_at": at(began),
        "safe_at": None if safe is None else at(safe),
        "window_to": at(1000),
        "draft": draft(f"nm-{name}", services=(service,)),
        "action_times": [at(began + 5)],
        **fields,
    }
    return Episode(name, [service], **values)


def state_of(*episodes: Episode, events: tuple[Event, ...] = ()) -> EngineState:
    state = EngineState(Timeline())
    for event in events:
        state.memory.add(event, 0)
    for episode in episodes:
        state.add_episode(episode)
    return state


def same(new: Episode, *others: Episode, events: tuple[Event, ...] = (), weighed: bool = True) -> str | None:
    found = same_event(state_of(new, *others, events=events), shop(), new, at(2000), weighed=weighed)
    return None if found is None else found.id


def new(began: float, safe: float | None = None, **fields: Any) -> Episode:
    return told(began, began + 10 if safe is None else safe, "new", draft=None, **fields)


@pytest.mark.parametrize(
    ("began", "is_same"),
    [(130, True), (131, False), (60, True), (-40, True), (-41, False)],
)
def test_spans_on_one_service_within_half_an_hour_of_each_other_are_one_event(began: float, is_same: bool) -> None:
    """The other began at minute 0 and was safe at 100; the new one takes ten minutes."""
    assert same(new(began), told(0, 100)) == ("other" if is_same else None)


def test_without_a_moment_that_was_safe_the_window_counts() -> None:
    assert same(new(1030), told(0, None)) == "other"
    assert same(new(1031), told(0, None)) is None
    open_one = Episode("new", ["db"], first_sign_at=at(-500), window_to=at(-30))
    assert same(open_one, told(0, 100)) == "other"
    open_one.window_to = at(-31)
    assert same(open_one, told(0, 100)) is None


@pytest.mark.parametrize(("began", "is_same"), [(WEEK, True), (WEEK + 1, False)])
def test_an_event_takes_no_longer_than_a_week(began: float, is_same: bool) -> None:
    assert same(new(began), told(0, 2 * WEEK)) == ("other" if is_same else None)
    assert same(new(-began, safe=0), told(0, 2 * WEEK)) == ("other" if is_same else None)


def test_what_has_no_draft_or_was_withdrawn_or_closed_or_lies_elsewhere_is_no_other() -> None:
    assert same(new(60), told(0, 100, draft=None)) is None
    assert same(new(60), told(0, 100, withdrawn=True)) is None
    assert same(new(60), told(0, 100, closed=True)) is None
    assert same(new(60), told(0, 100, service="mail")) is None
    assert same(new(60)) is None
    assert same(new(60), told(0, 100), weighed=False) is None


def record(closed: float | None = 300, **fields: object) -> tuple[Event, ...]:
    opened = make_event("incident.opened", 100, "i", subject="INC", **fields)
    if closed is None:
        return (opened,)
    return opened, make_event("incident.closed", closed, "j", subject="INC", **fields)


@pytest.mark.parametrize(
    ("elder", "younger", "is_same"),
    [(70, 300, True), (69, 300, False), (70, 301, False), (300, 70, True), (300, 69, False), (301, 70, False)],
)
def test_drafts_that_began_while_one_incident_was_open_or_half_an_hour_before_are_one_event(
    elder: float, younger: float, is_same: bool
) -> None:
    found = same(new(younger), told(elder, elder), events=record(), weighed=False)
    assert found == ("other" if is_same else None)


def test_an_incident_that_is_never_closed_joins_for_a_day() -> None:
    day = 24 * 60
    assert same(new(100 + day), told(100, 100), events=record(None), weighed=False) == "other"
    assert same(new(101 + day), told(100, 100), events=record(None), weighed=False) is None
    long_one = record(100 + 3 * day)
    assert same(new(100 + day), told(100, 100), events=long_one, weighed=False) == "other"
    assert same(new(101 + day), told(100, 100), events=long_one, weighed=False) is None


def test_a_record_joins_only_what_began_on_its_own_service() -> None:
    elsewhere = record(service="mail")
    assert same(new(120), told(110, 110), events=elsewhere, weighed=False) is None
    of_nobody = record(service=None)
    assert same(new(120), told(110, 110), events=of_nobody, weighed=False) is None


# -- chains --------------------------------------------------------------------------------------------------------


def chain(*episodes: Episode) -> tuple[Withdrawals, list[Decision]]:
    state, out = state_of(*episodes), list[Decision]()
    return Withdrawals(
        state,
        shop(),
        EpisodeGrouper(state, Matcher([acted_rule()], shop(), state.last_values, make_regex), shop(), out),
        out,
    ), out


@pytest.mark.parametrize(
    ("acted", "service", "follows"),
    [
        (40, "db", True),
        (39, "db", False),
        (99, "db", True),
        (100, "db", False),
        (101, "db", False),
        (70, "shop", False),
        (70, "mail", False),
    ],
)
def test_what_begins_within_the_hour_after_an_action_follows_from_it(acted: float, service: str, follows: bool) -> None:
    later = told(100, 110, "later", service="db")
    first = told(0, 50, "first", service=service, action_times=[at(1), at(acted)])
    withdrawals, _ = chain(first, later)
    assert [episode.id for episode in withdrawals.predecessors(later)] == (["first"] if follows else [])


def test_what_happens_to_users_follows_from_an_action_on_what_they_depend_on() -> None:
    later, first = told(100, 110, "later", service="shop"), told(0, 50, "first", action_times=[at(70)])
    withdrawals, _ = chain(first, later)
    assert [episode.id for episode in withdrawals.predecessors(later)] == ["first"]


def test_when_the_chain_hurt_users_the_drafts_before_go_too_each_once() -> None:
    later = told(100, 110, "later")
    near: dict[str, Any] = {"action_times": [at(70)]}
    withdrawals, out = chain(
        later, told(0, 50, "a", **near), told(0, 50, "b", withdrawn=True, **near), told(0, 50, "c", draft=None, **near)
    )
    evidence = make_event("impact.started", 105, service="shop")
    for _ in range(2):
        withdrawals.withdraw_chain(later, [evidence], at(120))
    gone = [(found.draft_id, found.reason) for found in out if isinstance(found, Withdraw)]
    assert gone == [("nm-a", Withdrawn.IMPACT_IN_CHAIN)]
