"""The made-up year: one seed gives the same events, and what it claims about itself can be counted in it."""

from __future__ import annotations

import re
from collections import Counter
from functools import lru_cache
from itertools import pairwise
from random import Random

import msgspec
import pytest

from monitor.core.model.events import DAY, HOUR, MINUTE, Event, EventId
from monitor.decode.canonical import decode_line, encode
from monitor.lab.year import rhythm
from monitor.lab.year.agenda import NoRoom
from monitor.lab.year.organisation import found_organisation
from monitor.lab.year.plots import PLOTS
from monitor.lab.year.plots.plot import Plot
from monitor.lab.year.scene import StoryScene
from monitor.lab.year.shape import YearShape
from monitor.lab.year.stream import Year
from monitor.lab.year.traps import TRAPS
from monitor.lab.year.traps.trap import Trap
from monitor.lab.year.truth import Truth
from monitor.lab.year.world import World

SHAPE = YearShape(days=42, near_misses=20)
pytestmark = pytest.mark.timeout(600)


@lru_cache(maxsize=1)
def told() -> tuple[Year, tuple[Event, ...]]:
    year = Year(SHAPE)
    return year, tuple(event for batch in year.batches() for event in batch)


def once() -> dict[EventId, Event]:
    return {event.event_id: event for event in told()[1]}


def truths(label: str) -> list[Truth]:
    return [truth for truth in told()[0].truths if truth.label == label]


def test_the_same_seed_gives_the_same_events_and_another_gives_others() -> None:
    first, again, other = (
        [event for batch in Year(shape).batches() for event in batch]
        for shape in (YearShape(days=14), YearShape(days=14), YearShape(days=14, seed=2))
    )
    assert first == again
    assert first != other


def test_no_body_of_a_tool_is_refused() -> None:
    assert [(refusal.reason, refusal.detail) for _, refusal in told()[0].world.refused] == []


@pytest.mark.parametrize("seed", range(2, 8))
def test_every_plot_and_every_trap_can_be_told_whatever_the_tools_are(seed: int) -> None:
    organisation = found_organisation(YearShape(seed=seed))
    kinds: tuple[Plot | Trap, ...] = (*PLOTS, *TRAPS)
    for kind in kinds:
        world = World(organisation, seed, 0.25)
        part = next(
            part
            for part in organisation.parts.values()
            if organisation.facing_above(part.name) and (isinstance(kind, Trap) or kind.fits(part))
        )
        scene = StoryScene(world, kind.name, part, rhythm.midnight(20), Random(seed))
        kind.tell(scene)
        assert scene.events, kind.name
        assert world.refused == [], kind.name


def test_a_year_has_sixty_near_misses_forty_five_incidents_and_260_traps() -> None:
    year = Year(YearShape())
    starts = [start for day in range(365) for start in year._agenda.of_day(day)]
    words = Counter(start.name.partition(" ")[0] for start in starts)
    assert words == {"near": 60, "incident": 45, "trap": 260}


def test_every_near_miss_can_be_cited_by_its_danger_and_by_what_ended_it() -> None:
    events = once()
    assert len(truths("near_miss")) == 20
    for truth in truths("near_miss"):
        for part in (truth.hazard, truth.intervention):
            delivered = [event_id for event_id in part if event_id in events]
            assert delivered, truth.story
            assert {told()[0].story_of(event_id) for event_id in delivered} == {truth.story}


def test_a_quarter_of_the_recoveries_is_told_by_nobody() -> None:
    world = told()[0].world
    assert world.recoveries > 1_000
    assert 0.22 < world.recoveries_unsaid / world.recoveries < 0.28


def test_who_acts_is_drawn_without_a_look_at_who_was_paged() -> None:
    """In a year of stories the person who acts took the page no more often than anybody of the team would by chance."""
    year, _ = told()
    world, organisation = year.world, year.organisation
    same = 0
    for number in range(2_000):
        part = list(organisation.parts.values())[number % len(organisation.parts)]
        scene = StoryScene(world, "", part, rhythm.midnight(number % 300), Random(number))
        same += scene.somebody() == scene.on_call()
    smallest = min(len(team) for team in organisation.by_team.values())
    assert same / 2_000 < 1.0 / smallest


def test_tools_spell_the_name_of_a_service_each_in_its_own_way() -> None:
    year, _ = told()
    spelt = [len(set(part.names.values())) for part in year.organisation.parts.values()]
    assert sum(spelt) / len(spelt) > 2
    one = Year(msgspec.structs.replace(SHAPE, names="one"))
    assert {len(set(part.names.values())) for part in one.organisation.parts.values()} == {1}


def test_a_person_has_another_id_in_each_tool() -> None:
    for person in told()[0].organisation.people:
        assert len({person.login, person.email, person.paging, person.chat}) == 4


def test_the_catalogue_lists_most_people_and_never_all() -> None:
    organisation = told()[0].organisation
    listed = {one.person for one in organisation.catalogue.people}
    assert 0.5 < len(listed) / len(organisation.people) < 0.9


def test_alerts_that_stand_see_ordinary_releases_beside_them() -> None:
    """Coincidence is no rarity: releases of the day fall into alerts that have nothing to do with them."""
    beside = [truth for truth in truths("trap") if "beside" in truth.plot or "neighbour" in truth.plot]
    assert len(beside) >= 5


def test_some_alerts_come_back() -> None:
    fired = Counter((event.source, event.subject) for event in once().values() if event.kind == "alert.fired")
    assert sum(count >= 10 for count in fired.values()) >= 3


def test_holds_of_the_calendar_say_so() -> None:
    year, _ = told()
    part = next(iter(year.organisation.parts.values()))
    trap = next(trap for trap in TRAPS if trap.name == "quiet weeks")
    scene = StoryScene(World(year.organisation, 1, 0.25), "", part, rhythm.midnight(3), Random(1))
    trap.tell(scene)
    (held,) = [event for event in scene.events if event.kind == "change.held"]
    assert held.labels["reason"] == "calendar"


def test_feeds_are_renamed_and_retired() -> None:
    watches = [watch for seed in range(1, 9) for watch in Year(YearShape(days=60, seed=seed)).organisation.watches]
    assert any(watch.renamed != watch.source for watch in watches)
    assert any(watch.ends_on < 60 for watch in watches)


def test_the_cluster_scales_all_day_by_itself() -> None:
    scaled = [event for event in once().values() if event.kind == "change.scaled"]
    by_machines = [event for event in scaled if event.actor is not None and event.actor.kind == "automation"]
    hours = {event.time // HOUR % 24 for event in by_machines}
    assert len(by_machines) > 100 * SHAPE.days
    assert len(hours) == 24


def test_most_days_are_boring() -> None:
    year, _ = told()
    days = {(truth.at - rhythm.STARTS_AT) // DAY for truth in year.truths if truth.label != "trap"}
    boring = Year(YearShape(days=60))
    stories = sum(any(start.label != "trap" for start in boring._agenda.of_day(day)) for day in range(60))
    assert stories < 30
    assert len(days) > 5


def test_incidents_keep_away_from_near_misses_of_the_same_users() -> None:
    users = told()[0].organisation.facing_above
    for near in truths("near_miss"):
        for hurt in truths("impact"):
            close = near.at - DAY < hurt.at < near.at + DAY
            assert not (close and users(near.service) & users(hurt.service)), (near.story, hurt.story)


def test_feeds_are_silent_while_users_fare_badly() -> None:
    year, events = told()
    clear = {(event.service, event.time) for event in events if event.kind == "impact.clear"}
    assert clear
    for service, spans in year.world.outages.items():
        for begins, ends in spans:
            assert not [at for name, at in clear if name == service and begins <= at <= ends]


def test_every_impact_is_told_by_somebody() -> None:
    assert len(truths("impact")) >= 5
    events = once()
    for truth in truths("impact"):
        at_the_end = truth.until > rhythm.midnight(SHAPE.days - 2)
        assert at_the_end or any(event_id in events for event_id in truth.impact), truth.story


def test_what_is_delivered_comes_late_twice_and_out_of_order() -> None:
    _, events = told()
    assert len(events) - len(once()) > 100
    assert sum(event.received_at is not None for event in events) > 20
    assert sum(later.time < earlier.time for earlier, later in pairwise(events)) > 500


def test_every_event_can_be_read_as_any_other() -> None:
    _, events = told()
    for event in events[:: len(events) // 3_000]:
        assert decode_line(encode(event)) == event


def test_the_truth_is_written_one_line_a_story() -> None:
    for truth in told()[0].truths:
        line = truth.line()
        assert b"\n" not in line
        written = msgspec.json.decode(line)
        assert written["label"] in {"near_miss", "impact", "trap"}
        assert written["at"].endswith("Z")


def test_no_text_of_the_year_says_what_it_is() -> None:
    """Nothing that a tool or a person writes in it calls a thing a near miss, a trap, or spared."""
    telling = re.compile(r"near[ _-]?miss|trap\b|false alarm|averted|just in time|almost|false positive", re.IGNORECASE)
    for event in once().values():
        text = " ".join((event.title or "", event.subject or "", *event.labels.values()))
        assert not telling.search(text.replace("PoolAlmostUsedUp", "")), event


def test_the_verdict_is_left_open_where_a_feed_slept_or_began_in_the_window() -> None:
    verdicts = Counter(truth.verdict for truth in truths("near_miss"))
    assert set(verdicts) <= {"none", "unknown", None}
    assert verdicts["none"]


def test_too_many_near_misses_do_not_fit() -> None:
    with pytest.raises(NoRoom, match="no room"):
        Year(YearShape(days=14, services=60, near_misses=500))


def test_days_begin_on_a_monday_and_people_work_on_weekdays() -> None:
    assert rhythm.midnight(0) % (7 * DAY) == 4 * DAY
    merged = [event for event in told()[1] if event.kind == "change.merged"]
    weekend = sum((event.time - rhythm.STARTS_AT) // DAY % 7 > 4 for event in merged)
    assert weekend < 0.1 * len(merged)
    assert MINUTE < HOUR
