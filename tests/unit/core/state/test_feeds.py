"""When a feed said that all is well: kept as times in slots of six hours, and as stretches that it looked back over."""

from __future__ import annotations

import pytest

from monitor.core.model.events import HOUR, MINUTE, Event
from monitor.core.state.feeds import SLOT, FeedKey, Feeds
from tests.support.streams import START, make_event

KEY = FeedKey("shop", "probe", None)
BEGIN = START - START % SLOT
"""The beginning of a slot."""


def report(minutes: float, **fields: object) -> Event:
    offset = (BEGIN - START) / MINUTE
    return make_event(
        "impact.clear", minutes + offset, f"c{minutes:g}", **{"service": "shop", "source": "probe", **fields}
    )


def at(minutes: float) -> int:
    return BEGIN + int(minutes * MINUTE)


def fed(*minutes: float) -> Feeds:
    feeds = Feeds()
    for minute in minutes:
        feeds.add(report(minute))
    return feeds


def test_reports_are_found_in_a_span_with_both_its_ends() -> None:
    reports = fed(350, 10, 370, 360, 800).reports(KEY)
    assert reports.between(at(10), at(360)) == [at(10), at(350), at(360)]
    assert reports.between(at(11), at(359)) == [at(350)]
    assert reports.between(at(371), at(799)) == []
    assert reports.between(at(0), at(2000)) == [at(10), at(350), at(360), at(370), at(800)]


@pytest.mark.parametrize(("minutes", "last"), [(9, None), (10, 10), (359, 350), (360, 360), (799, 370), (5000, 800)])
def test_the_newest_report_at_or_before_a_moment(minutes: float, last: float | None) -> None:
    assert fed(10, 350, 360, 370, 800).reports(KEY).last_before(at(minutes)) == (None if last is None else at(last))


def test_a_report_that_was_there_changes_nothing() -> None:
    feeds = fed(10, 20)
    feeds.clear_dirty()
    assert not feeds.add(report(10))
    assert not feeds.add(report(20))
    assert feeds.dirty == set()
    assert feeds.add(report(15))
    assert feeds.dirty == {(KEY, BEGIN // SLOT)}
    assert feeds.reports(KEY).between(at(0), at(99)) == [at(10), at(15), at(20)]


def test_each_slot_that_changed_is_named_once() -> None:
    feeds = fed(10, 20, 360, 30)
    first = BEGIN // SLOT
    assert feeds.dirty == {(KEY, first), (KEY, first + 1)}
    feeds.clear_dirty()
    feeds.add(report(40))
    feeds.add(report(50))
    assert feeds.dirty == {(KEY, first)}
    feeds.clear_dirty()
    feeds.add(report(370))
    assert feeds.dirty == {(KEY, first + 1)}


def test_a_stretch_that_a_report_looked_back_over_is_kept_once() -> None:
    feeds = Feeds()
    assert feeds.add(report(60, covers_from=at(10)))
    assert feeds.add(report(30, covers_from=at(5)))
    assert not feeds.add(report(60, covers_from=at(10)))
    assert feeds.spans(KEY) == [(at(5), at(30)), (at(10), at(60))]
    assert feeds.add(report(60, covers_from=at(20)))
    assert feeds.add(report(70, covers_from=at(70)))
    assert len(feeds.spans(KEY)) == 3
    assert (KEY, None) in feeds.dirty


def test_feeds_of_a_service_are_apart_by_source_and_evidence() -> None:
    feeds = Feeds()
    feeds.add(report(1, source="b"))
    feeds.add(report(1, source="a", labels={"evidence": "slo"}))
    feeds.add(report(1, source="a"))
    feeds.add(report(1, service="api"))
    assert [key[1:] for key, _ in feeds.of("shop")] == [("a", None), ("a", "slo"), ("b", None)]
    assert (len(feeds), feeds.knows(KEY), feeds.of("mail"), feeds.spans(KEY)) == (4, False, [], [])
    assert feeds.slot(KEY, 0) is None


def test_old_slots_are_forgotten_whole_and_a_feed_stays_known_by_its_newest() -> None:
    feeds = fed(10, 370, 730)
    feeds.clear_dirty()
    feeds.forget_before(BEGIN + SLOT)
    assert feeds.reports(KEY).between(at(0), at(999)) == [at(10), at(370), at(730)]
    feeds.forget_before(BEGIN + SLOT + 1)
    assert feeds.reports(KEY).between(at(0), at(999)) == [at(370), at(730)]
    assert feeds.dirty == {(KEY, BEGIN // SLOT)}
    feeds.forget_before(BEGIN + 1000 * HOUR)
    assert feeds.reports(KEY).between(at(0), at(999)) == [at(730)]


def test_stretches_are_forgotten_by_their_end() -> None:
    feeds = Feeds()
    feeds.add(report(30, covers_from=at(5)))
    feeds.add(report(60, covers_from=at(10)))
    feeds.clear_dirty()
    feeds.forget_before(at(30))
    assert (len(feeds.spans(KEY)), feeds.dirty) == (2, set())
    feeds.forget_before(at(31))
    assert (feeds.spans(KEY), feeds.dirty) == ([(at(10), at(60))], {(KEY, None)})


def test_for_the_byte_budget_a_slot_gives_up_what_was_reported_by_now() -> None:
    feeds = fed(10, 20, 30)
    feeds.add(report(370, covers_from=at(40)))
    feeds.clear_dirty()
    feeds.evict(KEY, BEGIN // SLOT, at(20))
    assert feeds.reports(KEY).between(at(0), at(999)) == [at(20), at(30), at(370)]
    feeds.evict(KEY, BEGIN // SLOT, at(31))
    assert feeds.slot(KEY, BEGIN // SLOT) is None
    feeds.evict(KEY, None, at(370))
    assert feeds.spans(KEY) == [(at(40), at(370))]
    feeds.evict(KEY, None, at(371))
    assert feeds.knows(KEY)
    feeds.evict(KEY, BEGIN // SLOT + 1, at(371))
    assert (feeds.knows(KEY), feeds.of("shop"), len(feeds)) == (False, [], 0)
    assert (KEY, None) in feeds.dirty
    feeds.add(report(380))
    assert (KEY, BEGIN // SLOT + 1) in feeds.dirty
