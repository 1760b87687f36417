"""Which feeds looked through a window, and which left a gap: the coverage behind "no impact"."""

from __future__ import annotations

from collections.abc import Iterable

import pytest

from monitor.core.deciding.impact import Window, coverage
from monitor.core.model.catalogue import Catalogue, Feed, Service
from monitor.core.model.events import MINUTE, Event, Instant
from monitor.core.model.reasons import Missing
from monitor.core.state.feeds import Feeds
from tests.support.streams import START, make_event, shop


def at(minutes: float) -> Instant:
    return Instant(START + int(minutes * MINUTE))


HALF_HOUR = Window(at(0), at(30))


def feed(*minutes: float, service: str = "shop", source: str = "probe", evidence: str | None = None) -> list[Event]:
    labels = {} if evidence is None else {"evidence": evidence}
    return [make_event("impact.clear", when, service=service, source=source, labels=labels) for when in minutes]


def looked(since: float, until: float, service: str = "shop") -> Event:
    return make_event("impact.clear", until, service=service, source="probe", covers_from=at(since))


def fed(*events: Event) -> Feeds:
    feeds = Feeds()
    for event in events:
        feeds.add(event)
    return feeds


def seen(
    *events: Event, feeds: Iterable[Feed] = (), window: Window = HALF_HOUR, evidence: Iterable[str] = ()
) -> tuple[list[tuple[bool, str]], tuple[str, ...]]:
    """Of each feed whether it looked throughout, with its words; and what is missing."""
    known = Catalogue(shop().services, frozenset({"production"}), tuple(feeds))
    scope = known.upward("db")
    found = coverage(fed(*events), known, scope, frozenset({"db"}), frozenset(evidence), window)
    assert found.clear is (found.missing == ())
    return [(report.clear, report.detail) for report in found.reports], found.missing


CLEAR = (True, "clear throughout")


@pytest.mark.parametrize(
    ("minutes", "told"),
    [
        ((0, 10, 20, 30), CLEAR),
        ((10, 20), CLEAR),
        ((-1, 11, 21, 31), (False, "first report after the window began")),
        ((0, 9.9, 19.8), (False, "stopped before the window ended")),
        ((0, 10, 30), CLEAR),
        ((0, 5, 10, 20, 25, 30), CLEAR),
        ((0, 5, 10, 20.1, 25, 30), (False, "silent for longer than its freshness")),
        ((15,), (False, "reported once: cadence unknown")),
    ],
)
def test_a_feed_by_its_own_cadence(minutes: tuple[float, ...], told: tuple[bool, str]) -> None:
    """At the edges one interval may lack, in between two; the interval is the median of those in the window."""
    early = feed(-30, -20)
    assert seen(*early, *feed(*minutes))[0] == [told]


@pytest.mark.parametrize(
    ("minutes", "told"),
    [
        ((15,), CLEAR),
        ((14,), (False, "stopped before the window ended")),
        ((16,), (False, "first report after the window began")),
        ((0, 15, 30), CLEAR),
        ((0, 16, 30), (False, "silent for longer than its freshness")),
    ],
)
def test_a_feed_by_the_freshness_that_the_catalogue_gives_it(
    minutes: tuple[float, ...], told: tuple[bool, str]
) -> None:
    named = Feed("shop", freshness=15 * MINUTE)
    assert seen(*feed(*minutes), feeds=[named])[0] == [told]


def test_what_a_feed_said_is_shown_with_its_figures() -> None:
    known = shop()
    found = coverage(fed(*feed(0, 5, 12, 17, 22, 30)), known, known.upward("db"), frozenset(), frozenset(), HALF_HOUR)
    (report,) = found.reports
    assert (report.source, report.service, report.reports) == ("probe", "shop", 6)
    assert (report.first_at, report.last_at) == (at(0), at(30))
    assert (report.longest_gap, report.freshness) == (8 * MINUTE, 10 * MINUTE)
    assert found.unfed == ()


def test_a_feed_that_was_silent_in_the_window_has_no_figures() -> None:
    known = shop()
    found = coverage(fed(*feed(-30, -20)), known, known.upward("db"), frozenset(), frozenset(), HALF_HOUR)
    (report,) = found.reports
    assert (report.reports, report.first_at, report.last_at, report.longest_gap, report.freshness) == (0, *[None] * 4)
    assert (report.clear, report.detail) == (False, "silent")


@pytest.mark.parametrize(
    ("pieces", "clear"),
    [
        ([(0, 30)], True),
        ([(-5, 30)], True),
        ([(0, 29)], True),
        ([(0, 28)], False),
        ([(1, 30)], False),
        ([(0, 15), (15, 30)], True),
        ([(0, 15), (16, 30)], True),
        ([(0, 15), (17, 30)], False),
        ([(0, 25), (5, 10), (25, 31)], True),
    ],
)
def test_reports_that_look_back_leave_no_hole(pieces: list[tuple[float, float]], clear: bool) -> None:
    """Each is good for a minute more."""
    named = Feed("shop", freshness=MINUTE)
    reports, missing = seen(*(looked(since, until) for since, until in pieces), feeds=[named])
    assert [known for known, _ in reports] == [clear]
    assert missing == (() if clear else (str(Missing.FEED_GAP),))


def test_a_look_back_that_ends_a_moment_before_the_window_leaves_a_hole() -> None:
    window = Window(at(0), at(30) + 1)
    assert seen(looked(0, 30), window=window)[1] == (str(Missing.FEED_GAP),)


def test_a_look_back_counts_together_with_the_regular_reports() -> None:
    """By the catalogue each is good for five minutes; a regular one also for the five before it."""
    named = Feed("shop", freshness=5 * MINUTE)
    assert seen(looked(0, 10), *feed(20, 28), feeds=[named])[0] == [(True, "one report covers the whole window")]
    assert seen(looked(0, 9), *feed(20, 28), feeds=[named])[0][0][0] is False
    assert seen(looked(0, 10), *feed(20, 24), feeds=[named])[0][0][0] is False


def test_every_feed_that_speaks_for_the_harm_has_to_have_looked() -> None:
    whole, half = feed(0, 10, 20, 30), feed(0, 5, 10, source="other")
    assert seen(*whole, *half) == ([(False, "stopped before the window ended"), CLEAR], (str(Missing.FEED_GAP),))
    assert seen(*whole, *feed(0, 10, 20, 30, source="other"))[1] == ()


@pytest.mark.parametrize(
    ("service", "evidence", "asked", "reports"),
    [
        ("shop", None, (), 1),
        ("shop", "audit_log", (), 0),
        ("shop", "audit_log", ("audit_log",), 1),
        ("shop", "slo", ("audit_log",), 0),
        ("shop", None, ("audit_log",), 0),
        ("db", "audit_log", ("audit_log",), 1),
        ("db", None, (), 0),
        ("api", "audit_log", ("audit_log",), 0),
        ("mail", None, (), 0),
    ],
)
def test_which_feeds_can_see_the_harm(service: str, evidence: str | None, asked: tuple[str, ...], reports: int) -> None:
    """Those of the services that users see; of what is cited only where the rule names its evidence."""
    found, missing = seen(*feed(0, 10, 20, 30, service=service, evidence=evidence), evidence=asked)
    assert len(found) == reports
    assert (str(Missing.NO_FEED) in missing) is not bool(reports)


@pytest.mark.parametrize(
    ("named", "words"),
    [
        (Feed("shop", source="old"), [(False, "never reported"), CLEAR]),
        (Feed("shop", source="probe"), [CLEAR]),
        (Feed("shop"), [CLEAR]),
        (Feed("shop", evidence="slo"), [(False, "never reported"), CLEAR]),
        (Feed("shop", evidence="audit_log"), [CLEAR]),
        (Feed("api", source="old"), [CLEAR]),
    ],
)
def test_a_feed_that_the_catalogue_names_and_that_never_spoke_is_a_gap(
    named: Feed, words: list[tuple[bool, str]]
) -> None:
    assert sorted(seen(*feed(0, 10, 20, 30), feeds=[named])[0]) == sorted(words)


def test_a_named_feed_without_a_source_is_shown_as_any() -> None:
    known = Catalogue(shop().services, feeds=(Feed("shop", evidence="slo", freshness=7),))
    found = coverage(Feeds(), known, known.upward("db"), frozenset(), frozenset(), HALF_HOUR)
    (report,) = found.reports
    assert (report.source, report.evidence, report.reports, report.freshness, report.clear) == (
        "any source", "slo", 0, 7, False,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("last", "every", "counts"),
    [(-60, 10, True), (-61, 10, False), (-80, 20, True), (-81, 20, False), (-60, 15, True), (-61, 15, False)],
)
def test_a_feed_retires_after_an_hour_or_four_intervals(last: int, every: int, counts: bool) -> None:
    found, _ = seen(*feed(last - every, last, source="old"), *feed(0, 10, 20, 30))
    assert len(found) == 1 + counts


@pytest.mark.parametrize(
    ("named", "counts"),
    [
        (Feed("shop"), True),
        (Feed("shop", source="old"), True),
        (Feed("api", source="old"), False),
        (Feed("shop", source="probe"), False),
    ],
)
def test_a_feed_that_the_catalogue_names_never_retires(named: Feed, counts: bool) -> None:
    found, _ = seen(*feed(-900, -890, source="old"), *feed(0, 10, 20, 30), feeds=[named])
    assert ((False, "silent") in found) is counts


@pytest.mark.parametrize(
    ("events", "counts"),
    [
        (feed(-10), False),
        (feed(-10, -5), True),
        (feed(15), False),
        (feed(31, 32), False),
        ([looked(-20, -10)], False),
        ([looked(-20, 0)], True),
        ([looked(30, 40)], True),
        ([looked(31, 40)], False),
        ([looked(0, 40), looked(50, 60)], True),
    ],
    ids=["spoke once", "spoke twice", "spoke once in it", "began later", "looked before", "up to it", "from its end",
         "after it", "over it, and later again"],
)  # fmt: skip
def test_a_feed_that_is_no_feed_of_the_window(events: list[Event], counts: bool) -> None:
    assert len(seen(*events)[0]) == counts


def test_a_service_that_users_see_without_a_feed_is_named() -> None:
    services = {"a": Service("a", ("c",), user_facing=True), "b": Service("b", ("c",), user_facing=True)}
    known = Catalogue({**services, "c": Service("c")})
    feeds = fed(*feed(0, 10, 20, 30, service="a"))
    found = coverage(feeds, known, known.upward("c"), frozenset({"c"}), frozenset(), HALF_HOUR)
    assert (found.clear, found.unfed, found.missing) == (True, ("b",), ())


@pytest.mark.parametrize(("looked_until", "missing"), [(None, ()), (30, ()), (29, (str(Missing.TRUNCATED),)), (31, ())])
def test_a_window_behind_the_end_of_the_stream_was_not_looked_at(
    looked_until: int | None, missing: tuple[str, ...]
) -> None:
    window = Window(at(0), at(30), None if looked_until is None else at(looked_until))
    assert seen(*feed(0, 10, 20, 30), window=window)[1] == missing
