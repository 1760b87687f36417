"""A generated stream has the shape that was asked for, and is the same every time."""

from __future__ import annotations

from monitor.core.model.events import SECOND
from monitor.decode.canonical import decode_line
from monitor.decode.catalogues import catalogue_from_mapping
from monitor.lab.generator import StreamShape, catalogue_mapping, generate, make_catalogue

SHAPE = StreamShape(events=6_000, services=300, user_facing=30, rate=2.0)
LINES = list(generate(SHAPE))
EVENTS = [decode_line(line) for line in LINES]


def test_the_same_shape_gives_the_same_bytes_and_another_seed_others() -> None:
    assert list(generate(SHAPE)) == LINES
    assert list(generate(StreamShape(events=100, seed=2))) != list(generate(StreamShape(events=100, seed=3)))


def test_it_has_as_many_distinct_events_as_asked_of_about_the_size_asked() -> None:
    assert len({event.event_id for event in EVENTS}) == SHAPE.events
    assert 480 <= sum(map(len, LINES)) / len(LINES) <= 540


def test_events_come_late_as_often_as_asked_and_within_the_lateness() -> None:
    highest, late, furthest = 0, 0, 0
    for event in EVENTS:
        late += event.time < highest
        furthest = max(furthest, highest - event.time)
        highest = max(highest, event.time)
    assert 0.03 <= late / len(EVENTS) <= 0.07
    assert furthest < 60 * SECOND


def test_time_passes_at_about_the_rate_asked() -> None:
    span = (EVENTS[-1].time - EVENTS[0].time) / SECOND
    assert 1.0 <= len(EVENTS) / span <= 3.0


def test_people_step_in_now_and_then() -> None:
    saves = [event for event in EVENTS if event.kind in ("change.rolled_back", "change.rotated") and event.actor]
    assert 0.001 <= len(saves) / len(EVENTS) <= 0.02


def test_the_catalogue_survives_its_short_form() -> None:
    found = make_catalogue(SHAPE)
    again = catalogue_from_mapping(catalogue_mapping(SHAPE))
    assert again.services.keys() == found.services.keys()
    assert [again.is_user_facing(name) for name in found.services] == [
        found.is_user_facing(name) for name in found.services
    ]
    assert again.upward("service-0299") == found.upward("service-0299")
