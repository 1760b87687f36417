"""Who is slowed when the engine has more to read than it can: the flood first, and nobody by the names of others."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.app.metrics import Metrics
from monitor.intake.backlog import LEAST, MOST_NAMES, Backlog, TooMuchUnread
from monitor.intake.senders import IntakeAccess
from monitor.ports import Unavailable, Unhandled

LIMIT = 1000 * LEAST
ACCESS = IntakeAccess({"pagerduty/acme": ("a-secret",)})


class Waits:
    """What waits in a journal, as the test says; `away`: it cannot be asked."""

    def __init__(self, **found: int) -> None:
        self.found = {name.replace("_", "/"): Unhandled(1, size) for name, size in found.items()}
        self.away = False

    async def by_source(self) -> dict[str, Unhandled]:
        if self.away:
            raise Unavailable("injected")
        return self.found


def backlog(limit: int = LIMIT) -> tuple[Backlog, Metrics]:
    metrics = Metrics()
    return Backlog(limit, ACCESS.is_proved, metrics), metrics


def is_taken(door: Backlog, source: str, count: int = 1) -> bool:
    try:
        door.admit({source: count}, count * LEAST)
    except TooMuchUnread:
        return False
    return True


def flood(door: Backlog, names: Iterator[str]) -> int:
    """Send until the next name is refused; how many were taken."""
    taken = 0
    while is_taken(door, next(names)):
        taken += 1
        assert taken <= LIMIT // LEAST, "there is no end to it"
    return taken


def always(name: str) -> Iterator[str]:
    while True:
        yield name


def ever_new() -> Iterator[str]:
    number = 0
    while True:
        yield f"stranger-{number}/x"
        number += 1


def test_a_flood_is_slowed_and_who_sends_little_is_not() -> None:
    door, metrics = backlog()
    assert is_taken(door, "shop/checkout")
    taken = flood(door, always("stranger/a"))
    assert 300 < taken < 500, "strangers share half of the limit, and one of them gets most of that"
    assert metrics.registry.get_sample_value("nearmiss_backlog_refused_total") == 1
    assert all(is_taken(door, "shop/checkout") for _ in range(100))
    assert not is_taken(door, "stranger/a")


def test_ever_new_names_gain_nothing() -> None:
    door, _ = backlog()
    assert is_taken(door, "shop/checkout")
    assert flood(door, ever_new()) < 500
    assert not is_taken(door, "stranger-new/x")
    assert is_taken(door, "shop/checkout")


def test_names_that_are_told_apart_are_bounded() -> None:
    door, _ = backlog(1000 * LIMIT)
    for number in range(MOST_NAMES):
        assert is_taken(door, f"shop-{number}/x")
    late = Waits(late_one=1001 * LIMIT)
    door._held = door._by_sender(late.found)
    assert not is_taken(door, "another/one"), "all who came later are one"
    assert not is_taken(door, "late/one")


def test_who_showed_a_secret_is_not_slowed_by_strangers() -> None:
    door, _ = backlog()
    flood(door, ever_new())
    assert sum(is_taken(door, "pagerduty/acme/team") for _ in range(300)) == 300


def test_strangers_are_let_in_although_who_showed_a_secret_floods() -> None:
    door, _ = backlog()
    assert is_taken(door, "shop/checkout")
    assert flood(door, always("pagerduty/acme")) > 600
    assert is_taken(door, "shop/checkout")


def test_a_body_is_taken_whole_or_not_at_all() -> None:
    door, _ = backlog()
    flood(door, always("stranger/a"))
    with pytest.raises(TooMuchUnread, match="stranger/a wait to be read"):
        door.admit({"stranger/a": 1, "shop/checkout": 1}, 2 * LEAST)
    door.admit({"shop/checkout": 1}, LEAST)


def test_a_body_without_events_waits_for_nobody() -> None:
    door, _ = backlog()
    flood(door, always("stranger/a"))
    door.admit({}, 100)


def test_of_a_body_that_names_very_many_sources_only_some_are_looked_at() -> None:
    """It is done in the event loop; the others count as one."""
    looked: list[str] = []

    def is_proved(source: str) -> bool:
        looked.append(source)
        return False

    door = Backlog(LIMIT * 1000, is_proved, Metrics())
    door.admit({f"s{number}/x": 1 for number in range(40_000)}, 40_000 * LEAST)
    assert len(looked) == MOST_NAMES
    assert door._total(everybody=True) == 40_000 * LEAST


async def test_what_was_read_makes_room_again() -> None:
    door, metrics = backlog()
    flood(door, always("stranger/a"))
    await door.measure(Waits(stranger_a=10 * LEAST))
    assert metrics.registry.get_sample_value("nearmiss_backlog_bytes") == 10 * LEAST
    assert metrics.registry.get_sample_value("nearmiss_backlog_events") == 1
    assert is_taken(door, "stranger/a")


async def test_what_others_took_in_counts() -> None:
    door, _ = backlog()
    await door.measure(Waits(stranger_a=600 * LEAST))
    assert not is_taken(door, "stranger/a")


async def test_what_cannot_be_measured_is_still_counted() -> None:
    door, _ = backlog()
    flood(door, always("stranger/a"))
    waits = Waits()
    waits.away = True
    with pytest.raises(Unavailable):
        await door.measure(waits)
    assert not is_taken(door, "stranger/a")


@given(st.lists(st.tuples(st.sampled_from(["shop/a", "b/b", "c/c", "pagerduty/acme", "new"]), st.integers(1, 50))))
def test_no_mixture_passes_the_limit_by_more_than_a_body(sent: list[tuple[str, int]]) -> None:
    door, _ = backlog()
    taken = sum(count for source, count in sent if is_taken(door, source, count))
    assert taken * LEAST <= LIMIT + 50 * LEAST
