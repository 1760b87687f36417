"""An event's time against its receipt."""

from __future__ import annotations

from monitor.core.model.events import DAY, MINUTE, SECOND, Event, Instant
from monitor.core.model.reasons import Mark
from monitor.decode.normalise import normalise

NOW = Instant(1_773_144_000 * SECOND)


def event(at: int, received_at: Instant | None = None, marks: tuple[str, ...] = ()) -> Event:
    return Event("a", "b", Instant(at), "alert.fired", received_at=received_at, marks=marks)


def test_the_time_of_receipt_is_filled_in() -> None:
    assert normalise(event(NOW - DAY), NOW, 5 * MINUTE) == event(NOW - DAY, NOW)


def test_an_earlier_receipt_is_kept_and_a_later_one_is_not_believed() -> None:
    relayed = event(NOW - DAY, Instant(NOW - MINUTE))
    assert normalise(relayed, NOW, 5 * MINUTE) is relayed
    assert normalise(event(NOW - DAY, Instant(NOW + DAY)), NOW, 5 * MINUTE).received_at == NOW


def test_a_little_ahead_is_a_clock_and_passes() -> None:
    assert normalise(event(NOW + 5 * MINUTE), NOW, 5 * MINUTE) == event(NOW + 5 * MINUTE, NOW)


def test_the_far_future_is_capped_and_marked_once() -> None:
    capped = normalise(event(NOW + 70 * 365 * DAY, marks=("leap_second",)), NOW, 5 * MINUTE)
    assert (capped.time, capped.received_at, capped.stated_time) == (NOW + 5 * MINUTE, NOW, NOW + 70 * 365 * DAY)
    assert capped.marks == ("leap_second", Mark.TIME_IN_FUTURE)
    assert normalise(capped, Instant(NOW - MINUTE), 0).marks == capped.marks


def test_an_event_is_never_changed_in_place() -> None:
    fresh, untouched = event(NOW - DAY), event(NOW - DAY)
    assert normalise(fresh, NOW, 5 * MINUTE).received_at == NOW
    assert fresh == untouched
