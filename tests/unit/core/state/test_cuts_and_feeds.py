"""What was cut by the byte budget, which reports of a feed are known, and which other alerts an episode follows."""

from __future__ import annotations

from typing import Any

from monitor.core.model.events import MINUTE, Event
from monitor.core.model.retention_policy import RETENTION
from monitor.core.model.verdict_policy import POLICY
from monitor.core.model.watermark import BEGINNING
from monitor.core.state.cuts import OTHERS, Cuts
from monitor.core.state.episodes import Episode
from monitor.core.state.feeds import FeedKey, Feeds
from tests.support.streams import START, make_event

AT = START + 10 * MINUTE


def test_a_cut_drops_what_lies_before_it_where_it_was_made() -> None:
    cuts = Cuts()
    assert not cuts.drops(make_event("alert.fired", 0))
    cuts.cut("db", AT, (), evidence=False, is_blind=False)
    found = [cuts.drops(make_event("alert.fired", minute)) for minute in (9, 10, 11)]
    assert found == [True, False, False]
    assert not cuts.drops(make_event("alert.fired", 9, service="api"))
    assert not cuts.drops(make_event("impact.started", 9))
    assert (cuts.lost_before(["db"]), cuts.lost_before(["api"])) == (AT, BEGINNING)


def test_a_cut_of_evidence_is_of_evidence_and_may_be_blind() -> None:
    cuts = Cuts()
    cuts.cut("db", AT, (), evidence=True, is_blind=False)
    assert cuts.drops(make_event("impact.started", 9))
    assert not cuts.drops(make_event("alert.fired", 9))
    assert cuts.blind_until == BEGINNING
    cuts.cut("db", AT, (), evidence=True, is_blind=True)
    assert cuts.blind_until == AT


def test_a_cut_of_all_others_spares_those_of_the_catalogue() -> None:
    cuts = Cuts()
    cuts.cut(OTHERS, AT, ["db"], evidence=False, is_blind=False)
    assert cuts.drops(make_event("alert.fired", 9, service="stranger"))
    assert cuts.drops(make_event("alert.fired", 9, service=None))
    assert not cuts.drops(make_event("alert.fired", 9, service="db"))
    assert (cuts.lost_before(["db"]), cuts.lost_before(["db", "stranger"])) == (BEGINNING, AT)
    assert cuts.others_until == AT


def test_a_service_that_came_into_the_catalogue_keeps_the_cut_that_it_had_as_a_stranger() -> None:
    cuts = Cuts()
    cuts.cut(OTHERS, AT, ["db"], evidence=False, is_blind=False)
    cuts.cut(OTHERS, AT + MINUTE, ["db", "new"], evidence=False, is_blind=False)
    found = [cuts.drops(make_event("alert.fired", minute, service="new")) for minute in (9, 10)]
    assert found == [True, False]
    assert not cuts.drops(make_event("alert.fired", 9, service="db"))


def test_a_cut_survives_as_a_cell_until_nothing_that_old_is_written() -> None:
    cuts, again = Cuts(), Cuts()
    cuts.cut("db", AT, (), evidence=False, is_blind=False)
    assert cuts.dirty == {"db"}
    cell = cuts.cell("db")
    assert cell is not None
    again.restore("db", cell)
    assert again.drops(make_event("alert.fired", 9))
    assert again.dirty == set()
    again.forget_before(AT)
    assert again.cell("db") is not None
    again.forget_before(AT + 1)
    assert again.cell("db") is None


def clear(minute: float, **fields: Any) -> Event:
    return make_event("impact.clear", minute, source="probe", **fields)


def test_a_report_counts_once_in_whatever_order_they_come() -> None:
    feeds = Feeds()
    assert [feeds.add(clear(minute)) for minute in (5, 7, 7, 3, 5, 9)] == [True, True, False, True, False, True]
    ((_, reports),) = feeds.of("db")
    assert [(at - START) // MINUTE for at in reports.between(START + 5 * MINUTE, START + 7 * MINUTE)] == [5, 7]
    assert reports.last_before(START + 7 * MINUTE) == START + 7 * MINUTE
    assert reports.last_before(START + 7 * MINUTE - 1) == START + 5 * MINUTE
    assert reports.last_before(START + 3 * MINUTE - 1) is None


def test_a_report_of_a_past_span_counts_once() -> None:
    feeds = Feeds()
    assert feeds.add(clear(5, covers_from=START))
    assert not feeds.add(clear(5, covers_from=START))
    assert feeds.spans(FeedKey("db", "probe", None)) == [(START, START + 5 * MINUTE)]
    assert not feeds.add(clear(5, covers_from=START + 5 * MINUTE))


def fired(minute: float, subject: str = "s", severity: str = "critical") -> Event:
    return make_event("alert.fired", minute, f"{subject}@{minute}", subject=subject, severity=severity)


def episode() -> Episode:
    return Episode(id="e", services=["db"], first_sign_at=START, action_times=[START + 30 * MINUTE])


def test_an_episode_follows_grave_alerts_from_its_first_sign_until_soon_after_the_last_action() -> None:
    late = 30 + POLICY.grave_within / MINUTE
    told = {minute: episode().observe_alert("k", fired(minute)) for minute in (-1, 0, 30, late, late + 1)}
    assert told == {-1: False, 0: True, 30: True, late: True, late + 1: False}
    assert not episode().observe_alert("k", fired(1, severity="info"))
    assert not episode().observe_alert("k", make_event("alert.resolved", 1))


def test_an_episode_follows_so_many_other_alerts_and_no_more() -> None:
    one = episode()
    told = [one.observe_alert(str(number), fired(1, str(number))) for number in range(RETENTION.most_tracks + 1)]
    assert told == [True] * RETENTION.most_tracks + [False]
    assert one.observe_alert("0", make_event("alert.resolved", 2))
