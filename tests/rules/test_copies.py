"""The shipped rules over a made-up organisation of which many events come once more, long after their time."""

from __future__ import annotations

from random import Random

import pytest

from monitor.core.deciding.engine import Engine
from monitor.core.model.events import HOUR, MINUTE, Event
from monitor.decode.canonical import decode_line
from monitor.lab.generator import StreamShape, generate, make_catalogue
from monitor.lab.ledger import Ledger
from monitor.packs.language.regex import make_regex
from tests.support.shipped import read_shipped

RULES = read_shipped()
BATCH = 100


def lines(shape: StreamShape, stream: list[Event]) -> list[dict[str, object]]:
    """What became of the drafts, when the stream comes in this order."""
    engine, ledger = Engine(RULES, make_catalogue(shape), make_regex), Ledger()
    for start in range(0, len(stream), BATCH):
        ledger.record(engine.step(stream[start : start + BATCH]))
    ledger.record(engine.end())
    return [entry.line() for entry in ledger.entries()]


@pytest.mark.parametrize("seed", [1, 2])
def test_copies_that_come_after_the_lateness_change_no_draft(seed: int) -> None:
    shape = StreamShape(20_000, services=60, user_facing=12, rate=0.3, candidates=0.06, bytes_each=0, seed=seed)
    stream = [decode_line(line) for line in generate(shape)]
    chance = Random(seed)
    arrivals = [(int(event.time), event) for event in stream]
    arrivals += [(event.time + chance.randrange(20 * MINUTE, HOUR), event) for event in stream if chance.random() < 0.2]
    arrivals.sort(key=lambda arrival: arrival[0])
    once = lines(shape, sorted(stream, key=lambda event: event.time))
    assert len(once) > 10
    assert lines(shape, [event for _, event in arrivals]) == once
