"""What began within the hour of an action is its consequence; what shares evidence is one event: the elder stays."""

from __future__ import annotations

import pytest

from monitor.core.deciding.episode_grouper import EpisodeGrouper
from monitor.core.matching.matcher import Matcher
from monitor.core.model.decisions import Decision, Ignore, Merge, Open
from monitor.core.model.events import Event, Instant
from monitor.core.model.reasons import NotOpened
from monitor.core.model.watermark import Timeline
from monitor.core.state.alerts import Track
from monitor.core.state.candidates import Candidate, CappedEvidence
from monitor.core.state.engine_state import EngineState
from monitor.core.state.episodes import Episode, reference_of
from monitor.packs.language.regex import make_regex
from tests.support.records import draft
from tests.support.streams import PERSON, START, acted_rule, make_event, shop
from tests.unit.core.deciding.test_verdict import decide


def at(minutes: float) -> Instant:
    return Instant(START + int(minutes * 60_000_000))


def hurt(since: float, until: float) -> list[Event]:
    return [
        make_event("impact.started", since, "down", service="shop"),
        make_event("impact.ended", until, "up", service="shop"),
    ]


def second(began: float) -> list[Event]:
    """Another alert on the database, somebody acts, it recovers."""
    return [
        make_event("alert.fired", began, "second", subject="slow", severity="high"),
        make_event("change.restarted", began + 5, "again", actor=PERSON),
        make_event("alert.resolved", began + 8, "well", subject="slow"),
    ]


def of_the_second(decided: list[object]) -> list[object]:
    opened = [it for it in decided if isinstance(it, Open) and it.draft.first_sign_at > at(80)]
    refused = [it.reason for it in decided if isinstance(it, Ignore) and "second" in {each.id for each in it.evidence}]
    return [*("draft" for _ in opened), *refused]


@pytest.mark.parametrize(
    ("began", "impact", "found"),
    [
        (120, hurt(90, 95), [NotOpened.IMPACT_IN_CHAIN]),
        (130, hurt(90, 95), [NotOpened.IMPACT_IN_CHAIN]),
        (131, hurt(90, 95), ["draft"]),
        (120, [], ["draft"]),
    ],
    ids=["within the hour", "on the hour", "later", "nobody was hurt"],
)
def test_what_followed_within_the_hour_from_an_action_that_did_not_save_users_is_no_near_miss(
    began: float, impact: list[Event], found: list[object]
) -> None:
    """The first story is acted on at minute 70; users are hit before the second begins."""
    assert of_the_second(decide(*impact, *second(began))) == found


# -- merges --------------------------------------------------------------------------------------------------------

SEEN = make_event("alert.fired", 10, "seen", severity="high", subject="disk")


def episode(name: str, opened: float | None, began: float = 10, **fields: object) -> Episode:
    told = None if opened is None else draft(f"nm-{name}", opened_at=at(opened))
    return Episode(name, ["db"], cited=[reference_of(SEEN)], first_sign_at=at(began), draft=told, **fields)  # type: ignore[arg-type]


def joined(*episodes: Episode) -> tuple[EngineState, list[Decision]]:
    """A candidate with the evidence that all of them cite comes in."""
    state, out = EngineState(Timeline()), list[Decision]()
    hazards, acts = CappedEvidence(), CappedEvidence()
    hazards.add(SEEN)
    acts.add(make_event("change.configured", 20, "act"))
    for each in episodes:
        state.add_episode(each)
    candidate = Candidate("new", "acted", "1", "k", "db", at(500), hazards, acts)
    state.add_candidate(candidate)
    matcher = Matcher([acted_rule()], shop(), state.last_values, make_regex)
    EpisodeGrouper(state, matcher, shop(), out).join(candidate)
    return state, out


def test_of_two_drafts_of_one_event_the_elder_stays_whatever_came_first() -> None:
    for order in (("a", "b"), ("b", "a")):
        opened = {"a": 300.0, "b": 200.0}
        state, out = joined(*(episode(name, opened[name]) for name in order))
        assert out == [Merge("nm-a", "nm-b", Instant(state.now))]
        assert list(state.episodes) == ["b"]
        kept = state.episodes["b"].draft
        assert kept is not None
        assert kept.id == "nm-b"


def test_a_draft_stays_with_the_event_although_another_began_earlier() -> None:
    state, out = joined(episode("a", None, began=5), episode("b", 200))
    (left,) = state.episodes.values()
    assert (left.id, left.first_sign_at, out) == ("b", at(5), [])
    assert left.draft is not None


def test_what_is_merged_into_a_withdrawn_draft_is_withdrawn_without_a_word() -> None:
    for withdrawn in ("a", "b"):
        state, out = joined(
            episode("a", 300, withdrawn=withdrawn == "a"), episode("b", 200, withdrawn=withdrawn == "b")
        )
        assert (out, state.episodes["b"].withdrawn) == ([], True)


def test_the_elder_goes_on_with_everything_that_the_younger_had() -> None:
    younger = episode("a", 300, others={"db|x": Track(1, 1)}, subjects=["x"])
    younger.services.append("api")
    younger.cited.append("test\x1fmore")
    state, _ = joined(younger, episode("b", 200, others={"db|y": Track(2, 2)}, subjects=["y"]))
    left = state.episodes["b"]
    assert left.services == ["db", "api"]
    assert left.subjects == ["y", "x", "disk"]
    assert left.cited == [reference_of(SEEN), "test\x1fmore", "test\x1fact"]
    assert sorted(left.others) == ["db|x", "db|y"]
    assert [each.id for each in state.episodes_citing(frozenset({"api"}))] == ["b"]


WEEK = 7 * 24 * 60


@pytest.mark.parametrize(("began", "is_same"), [(10 - WEEK, True), (9 - WEEK, False), (40, True)])
def test_a_candidate_joins_an_event_that_began_a_week_before_it_at_most(began: float, is_same: bool) -> None:
    state, _ = joined(episode("a", 200, began=began))
    assert list(state.episodes) == (["a"] if is_same else ["a", "new"])


@pytest.mark.parametrize(("safe", "is_same"), [(None, True), (10, True), (9, False)])
def test_a_shared_subject_joins_until_the_other_was_safe(safe: float | None, is_same: bool) -> None:
    other = episode("a", 200, began=0, subjects=["disk"], safe_at=None if safe is None else at(safe))
    other.cited.clear()
    state, _ = joined(other)
    assert list(state.episodes) == (["a"] if is_same else ["a", "new"])


def test_nothing_joins_what_is_closed_or_shares_nothing() -> None:
    assert list(joined(episode("a", 200, closed=True))[0].episodes) == ["a", "new"]
    other = episode("a", 200, subjects=["else"])
    other.cited.clear()
    assert list(joined(other)[0].episodes) == ["a", "new"]
