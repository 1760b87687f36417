"""The clocks: what they tell, and that the manual one moves only by hand."""

from __future__ import annotations

import pytest

from monitor.core.model.events import SECOND, Instant, to_datetime
from monitor.ops import clock as module
from monitor.ops.clock import ManualClock, SystemClock


def test_the_system_clock_tells_microseconds_since_1970() -> None:
    assert to_datetime(SystemClock().now()).year >= 2024


def test_the_monotonic_clock_never_goes_back() -> None:
    clock = SystemClock()
    seen = [clock.monotonic() for _ in range(100)]
    assert seen == sorted(seen)


class Machine:
    """A machine whose wall clock can be set."""

    def __init__(self) -> None:
        self.wall = 1_767_268_800.0
        self.measured = 100.0

    def time_ns(self) -> int:
        return round(self.wall * 1_000_000_000)

    def perf_counter(self) -> float:
        return self.measured

    def pass_by(self, seconds: float) -> None:
        self.wall += seconds
        self.measured += seconds


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch) -> Machine:
    machine = Machine()
    monkeypatch.setattr(module, "time", machine)
    return machine


def test_a_step_back_is_followed_once_it_has_lasted(machine: Machine) -> None:
    clock = SystemClock()
    before = clock.now()
    machine.wall -= 6 * 3600
    machine.pass_by(60)
    assert clock.now() == before + 60 * SECOND
    machine.pass_by(3599)
    assert clock.now() == before + 3659 * SECOND
    machine.pass_by(1)
    assert clock.now() == before + (3660 - 6 * 3600) * SECOND
    machine.pass_by(1)
    assert clock.now() == before + (3661 - 6 * 3600) * SECOND


def test_a_step_back_that_is_taken_back_leaves_no_trace(machine: Machine) -> None:
    clock = SystemClock()
    before = clock.now()
    for _ in range(3):
        machine.wall -= 7200
        machine.pass_by(1800)
        clock.now()
        machine.wall += 7200
        machine.pass_by(1)
        clock.now()
    assert clock.now() == before + 5403 * SECOND


def test_steps_ahead_and_small_ones_are_followed_at_once(machine: Machine) -> None:
    clock = SystemClock()
    before = clock.now()
    machine.wall += 7200
    assert clock.now() == before + 7200 * SECOND
    machine.wall -= 5
    assert clock.now() == before + 7195 * SECOND


def test_a_manual_clock_stands_still_until_it_is_moved() -> None:
    clock = ManualClock(Instant(1_000))
    assert (clock.now(), clock.now()) == (1_000, 1_000)
    assert clock.advance(3 * SECOND) == clock.now() == 3_001_000
    assert clock.monotonic() == 3.0


def test_a_manual_clock_does_not_advance_backwards_but_can_be_set() -> None:
    clock = ManualClock(Instant(1_000))
    with pytest.raises(ValueError, match="does not go back"):
        clock.advance(-1)
    clock.set(5)
    assert clock.now() == 5
