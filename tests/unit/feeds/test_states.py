"""What a step says, and which events follow from a run of steps: each boundary by example."""

from __future__ import annotations

import math

import pytest

from monitor.core.model.events import HOUR, MINUTE, Event, Instant, to_text
from monitor.core.model.reasons import FeedStep
from monitor.feeds.states import Cursor, FeedName, Limits, advance, report_every, state_of

NAME = FeedName("checkout", "sloth", "slo", "production")
LIMITS = Limits(floor=30, samples=8, has_counts=True, has_requests=True)
WELL = {"burn": 0.2, "requests": 500.0, "samples": 10.0, "age": 12.0}
START = 1_800_000_000_000_000 // HOUR * HOUR
STATES = {"c": FeedStep.CLEAR, "h": FeedStep.HURT, ".": FeedStep.NO_DATA}


@pytest.mark.parametrize(
    ("change", "state"),
    [
        ({}, FeedStep.CLEAR),
        ({"burn": 1.0}, FeedStep.CLEAR),
        ({"burn": 1.01}, FeedStep.BETWEEN),
        ({"burn": 14.39}, FeedStep.BETWEEN),
        ({"burn": 14.4}, FeedStep.HURT),
        ({"burn": None}, FeedStep.NO_DATA),
        ({"burn": math.nan}, FeedStep.NOT_A_NUMBER),
        ({"burn": math.inf}, FeedStep.NOT_A_NUMBER),
        ({"requests": 30.0}, FeedStep.CLEAR),
        ({"requests": 29.9}, FeedStep.BELOW_FLOOR),
        ({"requests": None}, FeedStep.BELOW_FLOOR),
        # An idle service: nothing divided by nothing.
        ({"requests": 0.0, "burn": math.nan}, FeedStep.BELOW_FLOOR),
        ({"requests": math.nan}, FeedStep.NOT_A_NUMBER),
        ({"samples": 8.0}, FeedStep.CLEAR),
        # An exporter that died three minutes ago: the ratio over five minutes still looks well.
        ({"samples": 7.0, "age": 100.0}, FeedStep.TOO_FEW_SAMPLES),
        ({"samples": None}, FeedStep.NO_DATA),
        ({"age": 120.0}, FeedStep.CLEAR),
        ({"age": 121.0}, FeedStep.STALE),
        ({"age": None}, FeedStep.STALE),
    ],
)
def test_a_step_of_a_budget(change: dict[str, float | None], state: FeedStep) -> None:
    parts = {name: value for name, value in (WELL | change).items() if value is not None}
    assert state_of(parts, LIMITS) is state


@pytest.mark.parametrize(
    ("lowest", "newest", "state"),
    [
        (1.0, 1.0, FeedStep.CLEAR),
        (0.0, 0.0, FeedStep.HURT),
        # A probe failed within the last minutes, and the newest one succeeded.
        (0.0, 1.0, FeedStep.BETWEEN),
    ],
)
def test_a_step_of_a_probe(lowest: float, newest: float, state: FeedStep) -> None:
    limits = Limits(floor=30, samples=8, has_counts=True, has_requests=False)
    assert state_of({"lowest": lowest, "newest": newest, "samples": 8.0, "age": 1.0}, limits) is state


@pytest.mark.parametrize(
    ("parts", "state"),
    [
        ({"clear": 1.0}, FeedStep.CLEAR),
        ({"hurt": 1.0}, FeedStep.HURT),
        ({"clear": 1.0, "hurt": 1.0}, FeedStep.HURT),
        ({}, FeedStep.NO_DATA),
    ],
)
def test_a_step_of_own_queries(parts: dict[str, float], state: FeedStep) -> None:
    assert state_of(parts, Limits(floor=30, samples=8, has_counts=False, has_requests=False)) is state


def run(text: str, cursor: Cursor | None = None, every: int = 5 * MINUTE) -> tuple[Cursor, list[Event]]:
    return advance(NAME, cursor or Cursor(START), MINUTE, [STATES[letter] for letter in text], every)


def told(events: list[Event]) -> list[str]:
    """Kind, and from which minute to which."""
    lines = []
    for event in events:
        since = event.covers_from if event.kind == "impact.clear" else event.began_at
        assert since is not None
        lines.append(f"{event.kind} {(since - START) // MINUTE}-{(event.time - START) // MINUTE}")
    return lines


@pytest.mark.parametrize(
    ("steps", "expected"),
    [
        ("cccc", []),
        ("ccccc", ["impact.clear 0-5"]),
        ("cccccccccc", ["impact.clear 0-5", "impact.clear 5-10"]),
        # A clean stretch ends where anything else begins, and is reported then.
        ("ccc.", ["impact.clear 0-3"]),
        ("ccch", ["impact.clear 0-3"]),
        ("ccccc.", ["impact.clear 0-5"]),
        ("......", []),
        # One step is no impact, two are; it began with the first.
        ("h", []),
        ("hh", ["impact.started 0-2"]),
        ("h.h.h", []),
        ("hchchc", ["impact.clear 1-2", "impact.clear 3-4"]),
        ("hhhh", ["impact.started 0-2"]),
        # One clear step does not end it, two do; it ended where the first began.
        ("hhch", ["impact.started 0-2"]),
        ("hhc.c", ["impact.started 0-2"]),
        ("hhcc", ["impact.started 0-2", "impact.ended 0-2"]),
        ("hhccc.", ["impact.started 0-2", "impact.ended 0-2", "impact.clear 2-5"]),
        ("hh..", ["impact.started 0-2"]),
    ],
)
def test_the_events_of_a_run_of_steps(steps: str, expected: list[str]) -> None:
    assert told(run(steps)[1]) == expected


def test_an_event_says_what_it_rests_on() -> None:
    ((clear,), (started,)) = run("ccccc")[1], run("hh")[1]
    assert clear == Event(
        id=f"impact.clear/{NAME.digest}/{to_text(START)}/{to_text(START + 5 * MINUTE)}",
        source="sloth",
        time=Instant(START + 5 * MINUTE),
        kind="impact.clear",
        service="checkout",
        environment="production",
        labels={"evidence": "slo"},
        covers_from=Instant(START),
    )
    assert started.subject == f"feed/{NAME.digest}"
    assert started.began_at == START


@pytest.mark.parametrize("cut", range(1, 20))
def test_the_same_steps_give_the_same_events_however_they_are_divided(cut: int) -> None:
    steps = "ccchhc.cchhhhcccccc.cc"
    whole_cursor, whole = run(steps)
    cursor, first = run(steps[:cut])
    cursor, second = run(steps[cut:], cursor)
    assert ([*first, *second], cursor) == (whole, whole_cursor)


def test_another_feed_has_other_ids() -> None:
    others = [FeedName("checkout", "sloth", "slo"), FeedName("checkout", "sloth", "synthetic", "production")]
    assert len({name.digest for name in (NAME, *others)}) == 3


@pytest.mark.parametrize(
    ("freshness", "minutes"), [(None, 5), (12 * MINUTE, 5), (10 * MINUTE, 5), (7 * MINUTE, 3), (MINUTE, 1)]
)
def test_reports_come_twice_within_the_freshness(freshness: int | None, minutes: int) -> None:
    assert report_every(freshness, MINUTE) == minutes * MINUTE
