"""The bundled stream shows what the monitor is for: each kind of near miss it tells is found, and no incident is."""

from __future__ import annotations

from functools import cache

from monitor.core.deciding.engine import Engine
from monitor.core.model.events import DAY, MINUTE, Event, Instant
from monitor.core.model.near_miss import State
from monitor.core.model.reasons import Withdrawn
from monitor.demo.story import CATALOGUE, story
from monitor.lab.ledger import DraftEntry, Ledger
from monitor.packs.catalogue.loader import load_catalogue
from monitor.packs.language.regex import make_regex
from tests.support.shipped import read_shipped

NOW = Instant(1_792_000_000_000_000)


@cache
def _played() -> list[DraftEntry]:
    catalogue, problems = load_catalogue(CATALOGUE)
    assert problems == ()
    ledger = Ledger()
    # No tick and no end: what stands must stand at once when the stream was played into a live service.
    ledger.record(Engine(read_shipped(), catalogue, make_regex).step(story(NOW)))
    return list(ledger.entries())


def _standing() -> list[DraftEntry]:
    return [entry for entry in _played() if entry.stands]


def test_the_stream_ends_about_now_and_never_lies_in_the_future() -> None:
    events = story(NOW)
    assert NOW - 5 * MINUTE < max(event.time for event in events) <= NOW
    assert min(event.time for event in events) >= NOW - 7 * DAY


def test_every_event_has_an_identity_of_its_own() -> None:
    events: list[Event] = story(NOW)
    assert len({event.event_id for event in events}) == len(events)


def test_each_service_is_in_the_catalogue() -> None:
    catalogue, _ = load_catalogue(CATALOGUE)
    assert {event.service for event in story(NOW)} <= set(catalogue.services)


def test_each_of_the_told_near_misses_is_found_by_its_own_rule() -> None:
    assert sorted(entry.draft.rules[0] for entry in _standing()) == [
        "called-in-expert",
        "deletion-rescued",
        "deploy-watcher-aborts",
        "flag-flipped-back",
        "full-averted",
        "odd-report-answered",
        "page-and-manual-fix",
        "redundancy-lost",
        "redundancy-lost",
        "renewed-with-thin-margin",
        "rollback-before-burn",
        "silenced-then-fixed",
        "staging-failure-production-held",
    ]


def test_neither_incident_leaves_a_draft() -> None:
    cited = {cited.event.id for entry in _standing() for cited in entry.draft.evidence}
    assert not {event_id for event_id in cited if event_id.startswith(("a-", "b-"))}


def test_the_one_that_customers_wrote_about_is_taken_back() -> None:
    withdrawn = [entry for entry in _played() if entry.state == State.WITHDRAWN]
    assert [(entry.draft.service, entry.reason) for entry in withdrawn] == [("account", Withdrawn.IMPACT_IN_WINDOW)]


def test_where_no_feed_looks_the_verdict_is_a_persons() -> None:
    assert [entry.draft.service for entry in _standing() if entry.draft.verdict == "unknown"] == ["partner-api"]
