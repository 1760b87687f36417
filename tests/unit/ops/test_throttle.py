"""Guessing is slowed by its keys, honest logins never are, and lines that outsiders cause are sampled."""

from __future__ import annotations

import pytest

from monitor.core.model.events import SECOND
from monitor.ops.clock import ManualClock
from monitor.ops.sampling import Sampler
from monitor.ops.throttle import Throttle, network_of


def test_a_key_may_fail_so_often_at_once_and_then_now_and_then() -> None:
    clock = ManualClock(0)
    throttle = Throttle(clock, burst=3, every=5.0)
    for _ in range(3):
        assert throttle.wait("a") == 0
        throttle.failed("a", "b")
    assert throttle.wait("a") == throttle.wait("c", "b") == 5.0
    assert throttle.wait("c") == 0
    clock.advance(5 * SECOND)
    assert throttle.wait("a") == 0
    throttle.failed("a")
    assert throttle.wait("a") == 5.0
    clock.advance(15 * SECOND)
    for _ in range(3):
        assert throttle.wait("a") == 0
        throttle.failed("a")
    assert throttle.wait("a") == 5.0


def test_what_proved_itself_is_known() -> None:
    throttle = Throttle(ManualClock(0), burst=1, every=1.0)
    throttle.passed("Basic good")
    assert throttle.is_known("Basic good")
    assert not throttle.is_known("Basic bad")


def test_what_is_remembered_is_bounded() -> None:
    throttle = Throttle(ManualClock(0), burst=1, every=1.0)
    for number in range(10_000):
        throttle.failed(f"address {number}")
        throttle.passed(f"proof {number}")
    assert throttle.wait("address 0") == 0
    assert throttle.wait("address 9999") == 1.0
    assert not throttle.is_known("proof 0")
    assert throttle.is_known("proof 9999")


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("unknown", "unknown"),
    ],
)
def test_addresses_that_one_party_may_choose_among_are_one_key(address: str, network: str) -> None:
    assert network_of(address) == network


def test_one_line_of_a_kind_and_the_number_of_the_others() -> None:
    clock = ManualClock(0)
    sampler = Sampler(clock, every=10.0)
    assert [sampler.take("a") for _ in range(4)] == [0, None, None, None]
    assert sampler.take("b") == 0
    clock.advance(10 * SECOND)
    assert sampler.take("a") == 3
    clock.advance(10 * SECOND)
    assert sampler.take("a") == 0
