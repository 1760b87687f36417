"""Candidates and episodes in progress are found by key, rule, service and alert, for as long as they are open."""

from __future__ import annotations

from monitor.core.state.alerts import Track
from monitor.core.state.candidates import Candidate, CappedEvidence
from monitor.core.state.episodes import Episode
from monitor.core.state.open_work import OpenWork
from tests.support.streams import make_event


def candidate(name: str, key: str = "k", service: str = "db", **fields: object) -> Candidate:
    hazards = CappedEvidence()
    hazards.add(make_event("alert.fired", 0, f"{name}-hazard"))
    return Candidate(name, "r", "1", key, service, 0, hazards, CappedEvidence(), **fields)  # type: ignore[arg-type]


def test_of_one_key_the_newest_is_found() -> None:
    work = OpenWork()
    one, two = candidate("one"), candidate("two")
    work.add_candidate(one)
    work.add_candidate(two)
    assert (work.by_key, one.is_newest, two.is_newest) == ({("r", "k"): "two"}, False, True)
    work.remove_candidate(one)
    assert work.by_key == {("r", "k"): "two"}
    work.remove_candidate(two)
    assert work.by_key == {}


def test_one_that_is_not_the_newest_is_restored_as_that() -> None:
    work = OpenWork()
    work.add_candidate(candidate("two"))
    work.add_candidate(candidate("one", is_newest=False))
    assert work.by_key == {("r", "k"): "two"}
    again = work.candidates["two"]
    work.add_candidate(again)
    assert again.is_newest


def test_candidates_are_found_by_rule_service_and_alert() -> None:
    work = OpenWork()
    one, two = candidate("one", tracks={"db|disk": Track()}), candidate("two", "l")
    work.add_candidate(one)
    work.add_candidate(two)
    work.track_alert(two, "db|disk")
    two.tracks["db|disk"] = Track()
    assert work.open_by_rule == {"r": {"db": {"one", "two"}}}
    assert work.open_by_service == {"db": 2}
    assert work.by_alert == {"db|disk": {"one", "two"}}
    assert (work.is_watched("db"), work.is_watched("api"), work.is_watched(None)) == (True, False, False)
    work.remove_candidate(one)
    assert (work.open_by_rule, work.open_by_service) == ({"r": {"db": {"two"}}}, {"db": 1})
    assert work.by_alert == {"db|disk": {"two"}}
    work.remove_candidate(two)
    assert (work.open_by_rule, work.open_by_service, work.by_alert) == ({"r": {}}, {}, {})
    assert work.dirty == {"instance:one", "instance:two"}


def test_an_episode_that_is_closed_is_cited_and_no_longer_active() -> None:
    work = OpenWork()
    episode = Episode("e", ["db", "api"])
    work.add_episode(episode)
    assert (work.citing, work.active) == ({"db": {"e"}, "api": {"e"}},) * 2
    work.close_episode(episode)
    assert episode.closed
    assert (work.citing, work.active) == ({"db": {"e"}, "api": {"e"}}, {})
    work.register(episode)
    assert work.active == {}
    assert work.episodes_citing(frozenset({"api", "mail"})) == [episode]
    work.remove_episode(episode)
    assert (work.citing, work.episodes) == ({}, {})
    assert work.dirty == {"episode:e"}


def test_episodes_of_one_service_are_apart_and_in_order() -> None:
    work = OpenWork()
    for name in ("f", "e"):
        work.add_episode(Episode(name, ["db"]))
    assert [each.id for each in work.episodes_citing(frozenset({"db"}))] == ["e", "f"]
    work.remove_episode(work.episodes["e"])
    assert (work.citing, work.active) == ({"db": {"f"}},) * 2


def test_an_episode_that_cannot_be_judged_goes_with_its_candidates() -> None:
    work = OpenWork()
    work.add_candidate(candidate("one"))
    work.add_episode(Episode("e", ["db"], ["one", "gone"]))
    fault = work.fault_of((0, "wake", "e"))
    assert (fault.culprit, [event.id for event in fault.events]) == ("e", ["one-hazard"])
    assert (work.fault_of(None).culprit, work.fault_of(None).events) == (None, ())
    assert work.fault_of((0, "wake", "who")).events == ()
    work.drop_episode(work.episodes["e"])
    assert (work.candidates, work.episodes) == ({}, {})
