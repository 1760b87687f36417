"""The budget in bytes: who gives up how much of what, first what is least worth, and all of it by name."""

from __future__ import annotations

import pytest

from monitor.core.deciding.engine_settings import EngineSettings
from monitor.core.model.catalogue import Catalogue
from monitor.core.model.decisions import Decision, Evicted, Ignore
from monitor.core.model.events import MINUTE, Event, Instant
from monitor.core.model.reasons import NotOpened, StateKind
from monitor.core.model.watermark import Timeline
from monitor.core.state.byte_budget import FIRST, FULL, LOW, ByteBudget, HeldBytes
from monitor.core.state.costs import ENTRY, text_bytes
from monitor.core.state.engine_state import EngineState
from monitor.core.state.episodes import Episode, PastDraft
from monitor.core.state.holdings import HOLDINGS, Evictable, least
from monitor.core.weighing.habits import Habits, Rate, Standings
from monitor.core.weighing.place import ServiceMemory
from tests.support.streams import PERSON, START, acted_rule, clear_feed, make_event, new_engine, shop


def held(**sizes: int) -> HeldBytes:
    found = HeldBytes()
    for unit, size in sizes.items():
        found.add(unit, StateKind.EVENTS, size)
    return found


@pytest.mark.parametrize(
    ("sizes", "target", "level"),
    [
        ({"a": 10, "b": 20, "c": 90}, 60, 30),
        ({"a": 10, "b": 20, "c": 90}, 120, 90),
        ({"a": 10, "b": 20, "c": 90}, 30, 10),
        ({"a": 10, "b": 20, "c": 90}, 29, 9),
        ({"a": 40, "b": 40}, 60, 30),
        ({"a": 40}, 0, 0),
        ({"a": 40}, 100, 40),
        ({}, 100, 0),
    ],
)
def test_the_large_pay_for_the_small(sizes: dict[str, int], target: int, level: int) -> None:
    assert held(**sizes).level(target) == level


def test_what_is_held_is_a_sum_over_units_and_kinds() -> None:
    found = held(a=3, b=4)
    found.add("a", StateKind.FEEDS, 5)
    assert (found.total, found.units["a"].total()) == (12, 8)


def test_the_first_in_order_that_are_together_enough_are_chosen() -> None:
    entries = [Evictable("s", (n,), 10, n) for n in (3, 1, 2)]
    assert [[entry.what for entry in least(entries, over)] for over in (0, 1, 10, 11, 99)] == [
        [], [1], [1], [1, 2], [1, 2, 3],
    ]  # fmt: skip


def test_between_nine_tenths_and_three_quarters_of_the_budget() -> None:
    assert (FULL, LOW) == (0.9, 0.75)
    assert [str(kind) for kind in FIRST] == [
        "events", "places", "habits", "last_values", "feeds", "past_drafts", "closed_episodes",
    ]  # fmt: skip


# -- entries, and what dropping them does --------------------------------------------------------------------


def entries(state: EngineState, kind: StateKind, now: int = START) -> list[tuple[str, tuple[object, ...], int]]:
    return [(entry.service, entry.order, entry.size) for entry in HOLDINGS[kind].entries(state, now)]


def state() -> EngineState:
    return EngineState(Timeline())


def test_a_place_gives_up_signs_and_events_by_their_last_moment() -> None:
    here = state()
    place = here.observed.places["db"] = ServiceMemory("db")
    place.fired(make_event("alert.fired", 1, "a", subject="x"), production=True)
    place.fired(make_event("alert.fired", 2, "b", subject="y"), production=True)
    place.ended(make_event("alert.resolved", 9, subject="x"))
    place.changed(make_event("change.ran", 5, "c"))
    place.responded(make_event("note.added", 6, "n"))
    place.orphans["z"] = 1
    found = list(HOLDINGS[StateKind.PLACES].entries(here, START))
    assert [(entry.order[0] - START) // MINUTE for entry in found] == [9, 2, 5, 6]
    assert [entry.size for entry in found] == [420 + 478 + 57 + 57] * 2 + [421, 421]
    HOLDINGS[StateKind.PLACES].drop(here, found[1:3])
    assert ([sign.key for sign in place.signs], place.changes, len(place.responses)) == (["x"], [], 1)
    assert here.observed.dirty == {"place:db"}
    HOLDINGS[StateKind.PLACES].drop(here, [found[0], found[3]])
    assert here.observed.places == {}


def test_habits_give_up_what_was_counted_least() -> None:
    here = state()
    here.observed.habits["d"] = Habits(
        START, {"abc": Rate(4.0, START)}, {"xy": START}, {"Lag": Standings(1.0, 2.0, START)}, {}
    )
    assert entries(here, StateKind.HABITS, START) == [
        ("d", (0.0, "d", "paired", "xy"), 110 + 58),
        ("d", (4.0, "d", "pair", "abc"), 110 + 200 + 2 * 59),
        ("d", (3.0, "d", "standing", "Lag"), 110 + 200 + 2 * 59),
        ("d", (0.0, "d", "began", ""), 900 + 2 * 57),
    ]
    found = list(HOLDINGS[StateKind.HABITS].entries(here, START))
    HOLDINGS[StateKind.HABITS].drop(here, found[:2])
    habits = here.observed.habits["d"]
    assert (habits.paired_on, habits.pairs, [*habits.standings]) == ({}, {}, ["Lag"])
    HOLDINGS[StateKind.HABITS].drop(here, found[2:])
    assert here.observed.habits == {}
    assert here.observed.dirty == {"habits:d", "pair:d\x1eabc", "standing:d\x1eLag"}


def test_feeds_give_up_what_they_reported_by_now() -> None:
    here = state()
    for event in (
        *clear_feed("shop", 0, 20),
        make_event("impact.clear", 5, "look", service="shop", covers_from=Instant(START - 1)),
    ):
        here.feeds.add(event)
    key, other = sorted(here.feeds, key=lambda key: key.source)
    found = {entry.service: 0 for entry in HOLDINGS[StateKind.FEEDS].entries(here, START)}
    assert found == {}
    here.now = START + 30 * MINUTE
    told = list(HOLDINGS[StateKind.FEEDS].entries(here, here.now))
    assert [entry.what[0].source for entry in told] == ["probe", "test", "test"]
    HOLDINGS[StateKind.FEEDS].drop(here, told[:1])
    assert not here.feeds.knows(key)
    assert here.feeds.knows(other)


def test_drafts_of_the_past_and_their_repeats() -> None:
    here = state()
    here.past_drafts["nm"] = PastDraft(["db"], START, START + 9)
    here.recurrences["acted|api"] = [(START, "n1"), (START + 5, "n2")]
    here.recurrences["db\x1fdisk"] = [(START + 7, "n1")]
    assert entries(here, StateKind.PAST_DRAFTS) == [
        ("db", (START + 9, "past", "nm"), 420 + 58 + 58),
        ("api", (START + 5, "recurrence", "acted|api"), 110 + 2 * 65 + 2 * 258),
        ("db", (START + 7, "recurrence", "db\x1fdisk"), 110 + 2 * 63 + 258),
    ]
    HOLDINGS[StateKind.PAST_DRAFTS].drop(here, list(HOLDINGS[StateKind.PAST_DRAFTS].entries(here, START))[:2])
    assert (here.past_drafts, [*here.recurrences]) == ({}, ["db\x1fdisk"])


def test_closed_episodes_by_the_end_of_their_window_and_open_ones_by_their_beginning() -> None:
    here = state()
    here.add_episode(Episode("open", ["db"], first_sign_at=3, window_to=9))
    here.add_episode(closed := Episode("closed", ["api"], first_sign_at=1, window_to=5))
    here.close_episode(closed)
    assert entries(here, StateKind.CLOSED_EPISODES) == [("api", (5, "closed"), 2000 + 59)]
    assert entries(here, StateKind.CANDIDATES) == [("db", (3, "open"), 2000 + 58)]


# -- the engine under a budget --------------------------------------------------------------------------------


def flood(service: str, count: int, start: float = 0) -> list[Event]:
    return [
        make_event("change.configured", start + n, f"{service}{n:04}", service=service, subject=f"s{n}", actor=PERSON)
        for n in range(count)
    ]


def under(limit: int | None, *events: Event) -> list[Decision]:
    rule = acted_rule()
    engine = new_engine([rule], settings=EngineSettings(state_bytes=limit))
    return [*engine.step(sorted(events, key=lambda e: (e.time, e.source, e.id))), *engine.end()]


def test_without_a_budget_nothing_is_evicted() -> None:
    assert not [each for each in under(None, *flood("db", 300)) if isinstance(each, Evicted)]


def test_a_flood_evicts_what_is_oldest_where_it_came_from() -> None:
    hazard = make_event("alert.fired", 0, "quiet", service="mail", severity="high")
    decided = under(80_000, hazard, *flood("db", 300, 1))
    gone = [each for each in decided if isinstance(each, Evicted)]
    assert {str(each.kind) for each in gone} <= {"events", "places"}
    assert gone
    ends = [each for each in decided if isinstance(each, Ignore) and each.evidence[0].id == "quiet"]
    assert [each.reason for each in ends] == [NotOpened.NO_INTERVENTION]


def test_a_hazard_that_was_evicted_is_named() -> None:
    hazard = make_event("alert.fired", 0, "old", severity="high")
    alerts = [make_event("alert.fired", n, f"a{n:04}", severity="info", subject=f"s{n}") for n in range(1, 200)]
    decided = under(100_000, hazard, *alerts)
    reasons = [
        (each.reason, each.detail) for each in decided if isinstance(each, Ignore) and each.evidence[0].id == "old"
    ]
    assert reasons == [(NotOpened.EVICTED, "the engine's memory budget was reached before its window ended")]


def test_units_are_services_of_the_catalogue_domains_and_all_others() -> None:
    known = Catalogue(shop().services)
    budget = ByteBudget(state(), known, 1000, [])
    assert [budget._unit(name) for name in ("db", "around:mail", "who")] == ["db", "around:mail", ""]


def test_what_one_event_adds_is_bounded_from_above() -> None:
    here = state()
    budget = ByteBudget(here, shop(), 1000, [])
    budget.took(make_event("note.added", 0, "n"), [])
    assert here.grown == 3 * 421 + 800
    free = state()
    ByteBudget(free, shop(), None, []).took(make_event("note.added", 0, "n"), [])
    assert free.grown == 0


def test_last_values_by_the_newest_of_each_key() -> None:
    """Each value costs 160 bytes and its text, each key 100 beside the entry and twice its text."""
    here = state()
    for minute, version in ((1, "1"), (2, "22")):
        here.record_last_values(make_event("change.deployed", minute, f"v{minute}", labels={"version": version}))
    found = {entry[1][1]: entry for entry in entries(here, StateKind.LAST_VALUES) if entry[1][1] == "version"}
    key = "db|production"
    said = sum(160 + text_bytes(version) for version in ("1", "22"))
    order = (START + 2 * MINUTE, "version", key)
    assert found == {"version": ("db", order, ENTRY + 100 + 2 * text_bytes(key) + said)}


def test_one_event_that_waits_thinned_is_said_once() -> None:
    large = make_event("change.configured", 1, "large", actor=PERSON, labels={"text": "x" * 40_000})
    gone = [each for each in under(20_000, large) if isinstance(each, Evicted)]
    assert [(str(each.kind), each.count) for each in gone if str(each.kind) == "waiting"] == [("waiting", 1)]
