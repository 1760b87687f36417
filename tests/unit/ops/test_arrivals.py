"""What is counted of deliveries, and that names which senders invent stay bounded."""

from __future__ import annotations

from msgspec.structs import replace

from monitor.core.model.events import DAY, HOUR, MINUTE, SECOND, Event, Instant
from monitor.core.model.reasons import Ignored, Rejected
from monitor.ops.arrivals import MOST_SOURCES, OTHER, Arrivals, SourceHour, SourceWord

NOW = Instant(20_000 * DAY + 5 * HOUR)


def event(source: str = "github/acme", kind: str = "change.merged", ago: int = 0, service: str | None = None) -> Event:
    return Event(id="e", source=source, time=Instant(NOW - ago), kind=kind, service=service)  # type: ignore[arg-type]


def test_events_count_for_the_source_that_they_name_and_refusals_for_the_door() -> None:
    arrivals = Arrivals()
    arrivals.delivered("github/acme", NOW, [event(ago=9 * SECOND), event(ago=2 * SECOND)])
    arrivals.delivered(
        "events",
        NOW,
        [event("probe", "impact.clear", service="shop")],
        {Rejected.NOT_JSON: 2},
        {Ignored.UNKNOWN_TYPE: 1},
        {"unknown_type": "type x"},
    )
    hours, words = arrivals.take()
    hour, day = NOW // HOUR, NOW // DAY
    assert hours == [
        SourceHour("github/acme", hour, 2, NOW, Instant(NOW - 2 * SECOND), 2 * SECOND),
        SourceHour("probe", hour, 1, NOW, NOW, 0),
        SourceHour("events", hour, 3, NOW),
    ]
    assert set(words) == {
        SourceWord("github/acme", day, "kind", "change.merged", 2),
        SourceWord("probe", day, "kind", "impact.clear", 1),
        SourceWord("probe", day, "watched", "shop", 1),
        SourceWord("events", day, "rejected", "not_json", 2),
        SourceWord("events", day, "ignored", "unknown_type", 1, "type x"),
    }
    assert arrivals.take() == ([], [])


def test_a_clock_that_is_ahead_is_told_by_what_the_source_said() -> None:
    capped = replace(event(ago=-5 * MINUTE), stated_time=Instant(NOW + HOUR))
    arrivals = Arrivals()
    arrivals.delivered("ci", NOW, [event(), capped, event()])
    ((hour,), _) = arrivals.take()
    assert (hour.newest, hour.least_lag) == (NOW + 5 * MINUTE, -HOUR)


def test_what_could_not_be_written_is_added_up() -> None:
    arrivals = Arrivals()
    arrivals.delivered("a", NOW, [event("a", ago=9)])
    taken = arrivals.take()
    arrivals.delivered("a", Instant(NOW + 1), [event("a", ago=3)])
    arrivals.put_back(*taken)
    hours, words = arrivals.take()
    assert hours == [SourceHour("a", NOW // HOUR, 2, Instant(NOW + 1), Instant(NOW - 3), 4)]
    assert [word.count for word in words] == [2]


def test_names_are_bounded() -> None:
    arrivals = Arrivals()
    arrivals.delivered("a", NOW, [event("a")])
    for number in range(3 * MOST_SOURCES):
        arrivals.delivered("x", NOW, [event(f"x{number}"), event(f"a/{number}")])
    names = {hour.source for hour in arrivals.take()[0]}
    assert len(names) == MOST_SOURCES + 1
    assert {"a", OTHER} <= names


def test_a_new_day_makes_room_for_other_names() -> None:
    arrivals = Arrivals()
    for number in range(MOST_SOURCES):
        arrivals.delivered("x", NOW, [event(f"x{number}")])
    arrivals.delivered("x", Instant(NOW + DAY), [event("late")])
    assert "late" in {hour.source for hour in arrivals.take()[0]}
