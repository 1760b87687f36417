"""Is it working: kinds and reasons by source, services that nobody watches, rules that cannot match."""

from __future__ import annotations

import pytest

from monitor.core.model.catalogue import Catalogue, Feed, Service
from monitor.core.model.events import DAY, HOUR, MINUTE, SECOND, Instant
from monitor.ops.arrivals import UP, SourceHour, SourceWord
from monitor.ops.source_report import WEEK, RejectCount, Watched, lag_words, source_report
from tests.support.shipped import read_shipped

NOW = Instant(20_000 * DAY + 5 * HOUR)
TODAY = NOW // DAY
CATALOGUE = Catalogue(
    {name: Service(name, user_facing=name != "db") for name in ("shop", "search", "mail", "help", "db")},
    feeds=(Feed("mail", "probe"),),
)


def test_what_gave_no_event_is_told_with_its_newest_sentence() -> None:
    hours = [SourceHour("github", NOW // HOUR, 3, NOW)]
    words = [
        SourceWord("github", TODAY - 1, "ignored", "not_relevant", 9, "a"),
        SourceWord("github", TODAY - 1, "ignored", "unknown_type", 1, "old"),
        SourceWord("github", TODAY, "ignored", "unknown_type", 2, "new"),
        SourceWord("github", TODAY, "rejected", "not_json", 1, ""),
        SourceWord("github", TODAY, "kind", "change.merged", 1),
    ]
    (row,) = source_report(hours, words, CATALOGUE, (), NOW).sources
    assert row.kinds == (("change.merged", 1),)
    assert row.reasons == (
        RejectCount("unknown_type", 3, "new", False),
        RejectCount("not_json", 1, "", False),
        RejectCount("not_relevant", 9, "a", True),
    )


def test_a_source_that_is_configured_and_never_delivered_is_shown() -> None:
    hours = [SourceHour("github/acme", NOW // HOUR, 3, NOW)]
    report = source_report(hours, (), CATALOGUE, (), NOW, ("github", "pagerduty"))
    assert [(row.state.source, row.state.last_at) for row in report.sources] == [
        ("github/acme", NOW),
        ("pagerduty", None),
    ]


def test_late_events_are_no_proof_of_a_wrong_clock() -> None:
    assert lag_words(3 * DAY) == "events arrive at least 3 d late"
    assert lag_words(-5 * SECOND) == "its clock is 5 s ahead"
    assert lag_words(SECOND // 2) == "events arrive at once"


def test_a_service_is_watched_by_who_told_about_impact_since_yesterday() -> None:
    words = [
        SourceWord("probe", TODAY - 1, "watched", "Shop", 1),
        SourceWord("slo", TODAY, "watched", "shop", 1),
        SourceWord("probe", TODAY - 3, "watched", "search", 1),
    ]
    week_old = [SourceHour(UP, (NOW - WEEK) // HOUR, 0, NOW)]
    assert source_report(week_old, words, CATALOGUE, (), NOW).services == (
        Watched("help", (), "no feed reports on its users"),
        Watched("mail", (), "the catalogue names probe, which sent nothing in a week"),
        Watched("search", (), "its feeds said nothing for 3 days"),
        Watched("shop", ("probe", "slo")),
    )


def test_a_rule_cannot_match_while_its_kinds_do_not_arrive() -> None:
    one = next(rule for rule in read_shipped() if not rule.hazard.kinds & rule.intervention.step.kinds)
    (hazard, *_), (act, *_) = sorted(one.hazard.kinds), sorted(one.intervention.step.kinds)
    seen = [SourceWord("a", TODAY, "kind", hazard, 1)]
    assert source_report((), seen, CATALOGUE, (one,), NOW).silent_rules == (one.name,)
    seen.append(SourceWord("a", TODAY, "kind", act, 1))
    assert source_report((), seen, CATALOGUE, (one,), NOW).silent_rules == ()
    assert source_report((), (), CATALOGUE, (one,), NOW).silent_rules == ()


@pytest.mark.parametrize(
    ("up", "in_two_weeks", "in_a_week"),
    [
        (None, "yet", "yet"),
        (0, "yet", "yet"),
        (HOUR, "yet", "yet"),
        (2 * HOUR, "in 1 h 30 min", "in 1 h 30 min"),
        (3 * DAY, "in 3 d", "in 3 d"),
        (WEEK, "in 7 d", "in a week"),
        (14 * DAY, "in two weeks", "in a week"),
        (50 * DAY, "in two weeks", "in a week"),
    ],
)
def test_silence_is_said_of_no_longer_than_anybody_listened(up: int | None, in_two_weeks: str, in_a_week: str) -> None:
    now = Instant(NOW + 30 * MINUTE)
    hours = [] if up is None else [SourceHour(UP, (now - up) // HOUR, 0, now), SourceHour(UP, now // HOUR, 0, now)]
    report = source_report(hours, (), CATALOGUE, (), now, ("pagerduty",))
    assert (report.ever(), report.ever(WEEK)) == (in_two_weeks, in_a_week)
    (mail,) = [each for each in report.services if each.service == "mail"]
    assert mail.why == f"the catalogue names probe, which sent nothing {in_a_week}"
