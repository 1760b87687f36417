"""Drafts of the past: which count as repeats, and until when impact in their window is still asked for."""

from __future__ import annotations

import pytest

from monitor.core.model.events import DAY, MINUTE, Instant
from monitor.core.model.watermark import Timeline
from monitor.core.state.engine_state import EngineState
from monitor.core.state.episodes import Episode, PastDraft
from monitor.core.state.event_series import Ttl
from tests.support.records import draft
from tests.support.streams import PERSON, START, acted_rule, clear_feed, make_event, new_engine, shop

KEY = "db\x1fdisk"
NOON = START - START % DAY + DAY // 2


def remembering(*ago: int) -> EngineState:
    """Drafts of one key that opened so long before START, named by it."""
    state = EngineState(Timeline())
    for age in ago:
        state.remember_recurrence(KEY, START - age, str(age))
    return state


@pytest.mark.parametrize(
    ("ago", "counts"),
    [(180 * DAY + 1, False), (180 * DAY, True), (1, True), (0, False)],
)
def test_a_repeat_opened_in_the_180_days_before(ago: int, counts: bool) -> None:
    assert bool(remembering(ago).repeats(KEY, START)) is counts
    assert remembering(ago).repeats("db\x1fmemory", START) == []


def test_with_a_new_draft_those_of_more_than_180_days_ago_are_forgotten() -> None:
    state = remembering(180 * DAY + 1, 180 * DAY, 90 * DAY, 0)
    assert state.recurrences[KEY] == [
        (START - 180 * DAY, f"{180 * DAY}"),
        (START - 90 * DAY, f"{90 * DAY}"),
        (START, "0"),
    ]


def test_a_draft_that_is_told_again_counts_once() -> None:
    assert remembering(5, 5).repeats(KEY, START) == ["5"]


def test_the_newest_fifty_of_a_key_are_kept_in_order() -> None:
    state = remembering(*range(60))
    assert state.repeats(KEY, START + 1) == [str(ago) for ago in range(49, -1, -1)]


@pytest.mark.parametrize(("late", "kept"), [(0, True), (1, False)])
def test_repeats_go_180_days_after_the_newest_of_their_key(late: int, kept: bool) -> None:
    midnight = NOON - DAY // 2
    state = EngineState(Timeline())
    state.remember_recurrence(KEY, midnight - 180 * DAY - late - DAY, "older")
    state.remember_recurrence(KEY, midnight - 180 * DAY - late, "newest")
    # What is due is due since the last midnight.
    state.evict_expired(NOON, lambda *_: Ttl(0, 0, 0), str)
    assert (KEY in state.recurrences) is kept
    assert f"recurrence:{KEY}" in state.dirty
    assert state.evicted_at == midnight


@pytest.mark.parametrize(("late", "kept"), [(0, True), (1, False)])
def test_a_draft_of_the_past_goes_400_days_after_its_window(late: int, kept: bool) -> None:
    end = NOON - DAY // 2 - 400 * DAY - late
    state = EngineState(Timeline())
    state.past_drafts["nm"] = PastDraft(["db"], end - DAY, end)
    state.evict_expired(NOON, lambda *_: Ttl(0, 0, 0), str)
    assert ("nm" in state.past_drafts) is kept
    assert ("past:nm" in state.dirty) is not kept


def over(withdrawn: bool = False, services: tuple[str, ...] = ("db", "api"), has_draft: bool = True) -> EngineState:
    """An episode of the database from minute 1 to 9 is over, whose draft tells of these services."""
    state = EngineState(Timeline())
    told = draft("nm", services=services) if has_draft else None
    episode = Episode("e", ["db"], window_from=1, window_to=9, draft=told, withdrawn=withdrawn)
    state.add_episode(episode)
    state.keep_draft(episode)
    return state


def test_of_an_episode_that_is_over_the_services_and_the_window_of_its_draft_stay() -> None:
    assert over().past_drafts == {"nm": PastDraft(["db", "api"], 1, 9)}
    assert over(services=()).past_drafts == {"nm": PastDraft(["db"], 1, 9)}
    assert "past:nm" in over().dirty


def test_what_was_withdrawn_or_never_a_draft_leaves_nothing() -> None:
    assert over(withdrawn=True).past_drafts == {}
    assert over(has_draft=False).past_drafts == {}


def test_a_draft_that_is_forgotten_is_written_down() -> None:
    state = over()
    state.dirty.clear()
    state.forget_draft("nm")
    assert (state.past_drafts, state.dirty) == ({}, {"past:nm"})


def test_event_time_never_goes_back() -> None:
    state = EngineState(Timeline())
    assert state.now == 0
    for moment in (5, 3):
        state.advance_to(moment)
    assert state.now == 5


def test_sizes_tell_what_is_open_and_what_stands() -> None:
    engine = new_engine([acted_rule()], catalogue=shop())
    assert set(engine.gauges().values()) == {0}
    before, fired = clear_feed("shop", 0, 40), make_event("alert.fired", 20, severity="high")
    engine.step([*before, fired, make_event("note.added", 45)])
    sizes = engine.gauges()
    assert (sizes["open_instances"], sizes["open_episodes"], sizes["feeds"]) == (1, 0, 1)
    # The newest minute waits for what is late.
    assert sizes["pending_events"] == 1


def test_an_episode_is_open_until_it_takes_no_more_and_its_draft_stands_until_withdrawn() -> None:
    engine = new_engine([acted_rule()], catalogue=shop())
    story = [
        *clear_feed("shop", 0, 400),
        make_event("alert.fired", 60, subject="full", severity="high"),
        make_event("change.scaled", 70, actor=PERSON),
        make_event("alert.resolved", 80, subject="full"),
    ]
    hurt = make_event("impact.started", 2000, service="shop", began_at=Instant(START + 130 * MINUTE))
    found = []
    for until in (75, 300, 1990, 2005):
        engine.step([event for event in [*story, hurt] if until - 230 < (event.time - START) / MINUTE <= until])
        engine.step([make_event("note.added", until + 2, service="mail")])
        sizes = engine.gauges()
        found.append((sizes["open_episodes"], sizes["standing_drafts"]))
    assert found == [(1, 0), (1, 1), (0, 1), (0, 0)]
