"""What was before is a function of the set of events: neither their order, nor copies, nor what comes later matter."""

from __future__ import annotations

import random

from hypothesis import given
from hypothesis import strategies as st

from monitor.core.matching.facts import DERIVED, EventFacts
from monitor.core.matching.last_values import LastValues
from monitor.core.model.events import DAY, Event
from monitor.core.model.watermark import BEGINNING
from tests.support.streams import events, shop

STREAMS = st.lists(events(), min_size=1, max_size=50, unique_by=lambda event: (event.source, event.id))


def last_values_of(stream: list[Event]) -> LastValues:
    last_values = LastValues()
    for event in stream:
        last_values.record(event)
    return last_values


@given(STREAMS, st.integers(0, 2**32))
def test_order_and_copies_do_not_matter(stream: list[Event], seed: int) -> None:
    mixed = [*stream, *stream[::2]]
    random.Random(seed).shuffle(mixed)
    assert last_values_of(mixed).tables == last_values_of(stream).tables


@given(STREAMS)
def test_a_fact_depends_only_on_what_came_before_the_event(stream: list[Event]) -> None:
    everything = last_values_of(stream)
    for event in stream:
        earlier = last_values_of([other for other in stream if other.time < event.time])
        for name in DERIVED:
            alone, later = EventFacts(shop(), earlier, event), EventFacts(shop(), everything, event)
            assert alone.get(name) == later.get(name), name


@given(STREAMS, st.integers(1, 100))
def test_what_is_old_is_forgotten_as_if_every_key_had_been_looked_at(stream: list[Event], days: int) -> None:
    lazy, careful = LastValues(), LastValues()
    for event in stream:
        for last_values in (lazy, careful):
            last_values.record(event)
        careful._heard_since = dict.fromkeys(careful._heard_since, BEGINNING)
        moment = event.time + days * DAY
        assert lazy.forget_before(moment) == careful.forget_before(moment)
    assert lazy.tables == careful.tables
