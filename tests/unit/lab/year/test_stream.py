"""The made-up year: one seed gives the same events, its rates are what it promises, and its truth is told."""

from __future__ import annotations

from collections import Counter
from functools import lru_cache
from itertools import pairwise

import pytest

from monitor.core.model.events import DAY, HOUR, Event, EventId
from monitor.decode.canonical import decode_line, encode
from monitor.lab.year import rhythm
from monitor.lab.year.agenda import NoRoom
from monitor.lab.year.planted import PLOTS
from monitor.lab.year.shape import Shape
from monitor.lab.year.stream import Year

SHAPE = Shape(days=56, planted=30)


@lru_cache(maxsize=1)
def told() -> tuple[Year, tuple[Event, ...]]:
    year = Year(SHAPE)
    return year, tuple(event for batch in year.batches() for event in batch)


def once(events: tuple[Event, ...]) -> dict[EventId, Event]:
    return {event.event_id: event for event in events}


def test_the_same_seed_gives_the_same_events_and_another_gives_others() -> None:
    short = Shape(days=35, planted=2)
    first, again, other = (
        [event for batch in Year(shape).batches() for event in batch]
        for shape in (short, short, Shape(days=35, planted=2, seed=2))
    )
    assert first == again
    assert first != other


def test_a_day_has_some_400_alerts_and_40_deployments_to_production() -> None:
    events = once(told()[1]).values()
    alerts = sum(event.kind == "alert.fired" for event in events)
    deployed = sum(event.kind == "change.deployed" and event.environment == "production" for event in events)
    assert 360 <= alerts / SHAPE.days <= 440
    assert 36 <= deployed / SHAPE.days <= 46


def test_a_year_has_sixty_near_misses_and_twenty_five_incidents() -> None:
    assert (Shape().near_misses, Shape().incidents) == (60, 25)


def test_every_event_that_makes_a_near_miss_is_delivered() -> None:
    year, events = told()
    known = once(events)
    assert len(year.planted) == 30
    for planted in year.planted:
        assert planted.hazard
        assert planted.intervention
        for event_id in (*planted.hazard, *planted.intervention):
            assert year.story_of(known[event_id]) == planted.name


def test_every_pattern_that_events_can_show_is_told_by_a_plot() -> None:
    shape = Shape(days=120, planted=60)
    patterns: Counter[str] = Counter()
    for batch in (year := Year(shape)).batches():
        del batch
    patterns.update(planted.pattern for planted in year.planted)
    assert sorted(patterns) == sorted({f"P{number:02d}" for number in range(1, 45)} - {"P05"})
    assert sum(patterns.values()) == 60
    assert len(PLOTS) <= 60


def test_incidents_keep_away_from_what_is_planted() -> None:
    year, _ = told()
    catalogue = year.organisation.catalogue
    for planted in year.planted:
        for harm in year.harms:
            close = planted.at - DAY <= harm.at <= planted.at + 2 * DAY
            assert not (close and catalogue.upward(planted.service) & catalogue.upward(harm.service))


def test_what_is_delivered_comes_late_twice_and_out_of_order_and_some_of_it_never() -> None:
    _, events = told()
    copies = len(events) - len(once(events))
    late = sum(event.received_at is not None for event in events)
    disordered = sum(later.time < earlier.time for earlier, later in pairwise(events))
    kinds = Counter(event.kind for event in once(events).values())
    assert copies > 100
    assert late > 50
    assert disordered > 500
    assert kinds["alert.resolved"] < kinds["alert.fired"]


def test_every_event_can_be_read_as_any_other() -> None:
    _, events = told()
    for event in events[:: len(events) // 5_000]:
        assert decode_line(encode(event)) == event


def test_feeds_are_silent_while_users_fare_badly() -> None:
    year, events = told()
    clear = {(event.service, event.time) for event in events if event.kind == "impact.clear"}
    for face, spans in year._world.outages.items():
        for begins, ends in spans:
            assert not [at for service, at in clear if service == face and begins <= at <= ends]


def test_days_have_23_and_25_hours_where_the_clocks_change() -> None:
    lengths = Counter((rhythm.midnight(day + 1) - rhythm.midnight(day)) // HOUR for day in range(365))
    assert lengths == {24: 363, 23: 1, 25: 1}


def test_people_work_on_weekdays() -> None:
    _, events = told()
    by_day = Counter((event.time - rhythm.midnight(0)) // DAY % 7 for event in events if event.kind == "change.merged")
    assert by_day[5] + by_day[6] < 0.1 * sum(by_day.values())


def test_too_many_near_misses_do_not_fit() -> None:
    with pytest.raises(NoRoom, match=r"do not fit|no room"):
        Year(Shape(days=30, services=60, planted=500))
