"""Each constant of the weighing: what lies on the boundary still counts, what lies beyond does not."""

from __future__ import annotations

import math

import pytest

from monitor.core.model.catalogue import Catalogue, Service
from monitor.core.model.events import DAY, HOUR, MINUTE, Event, Instant
from monitor.core.weighing.acts import undoing
from monitor.core.weighing.habits import PAIR_HALF_LIFE, RATE_HALF_LIFE, Habits, Rate, Standings, act_rate, per_day
from monitor.core.weighing.net import Net, renewed_near
from monitor.core.weighing.observed import Observed
from monitor.core.weighing.place import ServiceMemory
from monitor.core.weighing.shapes import hold_of
from monitor.core.weighing.signs import sign_of
from monitor.core.weighing.weights import likelihood, probability
from monitor.packs.weights import shipped_weights
from tests.support.streams import PERSON, START, make_event
from tests.unit.core.weighing.test_features import DAYS, HOURS, act, alert, caught, deployed, flag, note, over, weigh


@pytest.mark.parametrize(
    ("kind", "event", "ended", "minutes"),
    [
        ("note", make_event("note.added", 0), None, 3 * DAYS),
        ("failed", make_event("change.failed", 0), None, DAYS),
        ("record", make_event("incident.opened", 0), None, 3 * DAYS),
        ("record", make_event("incident.opened", 0), 30, 0),
        ("alert", alert(), None, 3 * DAYS),
        ("alert", alert(), 30, 2),
        ("alert", alert(environment="staging"), None, DAYS),
        ("alert", alert(environment="staging"), 30, DAYS),
        ("alert", alert(expires_at=Instant(START + 20 * DAY)), None, 21 * DAYS),
    ],
)
def test_a_sign_stands_until(kind: str, event: Event, ended: int | None, minutes: int) -> None:
    """So many minutes after its beginning, or after its end."""
    production = event.environment == "production"
    sign = sign_of(event, kind, "db", production=production)  # type: ignore[arg-type]  # one of the literals
    if ended is not None:
        sign.end(event.time + ended * MINUTE, cancelled=False)
    until = event.time + ((ended or 0) + minutes) * MINUTE
    assert (sign.stands(until), sign.stands(until + 1)) == (True, False)


@pytest.mark.parametrize(("minutes", "signs"), [(29, 1), (30, 2)])
def test_an_alert_that_fires_again_within_half_an_hour_flaps(minutes: int, signs: int) -> None:
    place = ServiceMemory("db")
    place.fired(alert(0), production=True)
    place.ended(over(10))
    place.fired(alert(10 + minutes, "again"), production=True)
    assert len(place.signs) == signs


@pytest.mark.parametrize(("hours", "ended"), [(1, True), (1.1, False)])
def test_a_recovery_that_came_before_its_firing_is_remembered_for_an_hour(hours: float, ended: bool) -> None:
    place = ServiceMemory("db")
    place.ended(over(hours * HOURS))
    assert (place.fired(alert(0), production=True).ended is not None) is ended


@pytest.mark.parametrize(("minutes", "undone"), [(7 * DAYS, True), (7 * DAYS + 1, False)])
def test_a_flag_goes_back_within_a_week(minutes: float, undone: bool) -> None:
    assert (undoing(flag(minutes, "off"), [flag(0, "on")]).change is not None) is undone


def scaled(at: float, value: float) -> Event:
    return act("scaled", at, subject="pool", value=value)


@pytest.mark.parametrize(("minutes", "undone"), [(120, True), (121, False)])
def test_a_size_is_put_back_within_two_hours(minutes: int, undone: bool) -> None:
    before = [scaled(-60, 4.0), scaled(0, 8.0)]
    assert bool(undoing(scaled(minutes, 4.0), before).strength) is undone


@pytest.mark.parametrize(("others", "undone"), [(5, True), (6, False)])
def test_a_version_comes_back_if_it_was_among_the_last_six(others: int, undone: bool) -> None:
    before = [deployed(n, str(n)) for n in range(others + 1)]
    assert bool(undoing(deployed(100, "0"), before).strength) is undone


@pytest.mark.parametrize(
    ("running", "then", "strength"),
    [
        ("2026.10.2", "2026.10.1", 0.8),
        ("v2.10.0", "v2.9.1", 0.8),
        ("2026.10.2", "2026.10.3", 0.0),
        ("2.1", "2.01", 0.0),
        ("2.10.0", "2.9", 0.0),
        ("web-2.1", "api-2.0", 0.0),
        ("9f2c1ab", "0d989aa", 0.0),
    ],
)
def test_a_lower_version_is_taken_for_an_older_one(running: str, then: str, strength: float) -> None:
    assert undoing(deployed(10, then), [deployed(0, running)]).strength == strength


@pytest.mark.parametrize(
    ("old", "new", "undone"),
    [(-89, -6.9, True), (-91, -6.9, False), (-30, -7.1, False)],
    ids=["ran months ago", "forgotten", "has run for a week"],
)
def test_a_version_of_months_ago_comes_back_after_a_release_of_this_week(old: float, new: float, undone: bool) -> None:
    place = ServiceMemory("db")
    for event in (deployed(old * DAYS, "1"), deployed(new * DAYS, "2")):
        place.changed(event)
    place.evict(START)
    assert bool(undoing(deployed(0, "1"), place.changes).strength) is undone


def test_of_old_releases_a_place_remembers_the_last_two_of_each_thing() -> None:
    place = ServiceMemory("db")
    for day in range(20, 0, -1):
        place.changed(deployed(-day * DAYS, str(day)))
        place.changed(act("restarted", -day * DAYS + 1, name=f"restart-{day}"))
    place.evict(START)
    kept = [event.labels.get("version") for event in place.changes if event.kind == "change.deployed"]
    assert kept == ["9", "8", "7", "6", "5", "4", "3", "2", "1"]


@pytest.mark.parametrize(("minutes", "undone"), [(DAYS, True), (DAYS + 1, False)])
def test_a_change_is_stopped_within_a_day_of_its_start(minutes: int, undone: bool) -> None:
    start = make_event("change.started", 0, subject="plan")
    assert (undoing(act("held", minutes, subject="plan"), [start]).change is not None) is undone


@pytest.mark.parametrize(("minutes", "reaches"), [(DAYS, True), (DAYS + 1, False)])
def test_a_note_reaches_next_door_for_a_day(minutes: int, reaches: bool) -> None:
    note = make_event("note.added", 0, "odd", service="api", actor=PERSON)
    _, candidate = caught(note, alert(minutes - 1), act(at=minutes))
    assert ("note" in {option.kind for option in candidate.options}) is reaches


@pytest.mark.parametrize(("minutes", "holds"), [(45, True), (46, False)])
def test_a_sibling_recovers_within_three_quarters_of_an_hour(minutes: int, holds: bool) -> None:
    values = weigh(alert(service="side"), act(service="api"), over(10 + minutes, service="side"))
    assert ("recovered" in values) is holds


def acknowledged(at: float, **fields: object) -> Event:
    return make_event("alert.acknowledged", at, "ack", actor=PERSON, **{"subject": "disk", **fields})


@pytest.mark.parametrize(("at", "taken"), [(-90, True), (-91, False), (10 + 120, True), (10 + 121, False)])
def test_a_page_is_taken_from_before_the_sign_until_after_the_act(at: float, taken: bool) -> None:
    assert ("page_taken" in weigh(alert(), act(), acknowledged(at))) is taken


@pytest.mark.parametrize(("at", "taken"), [(30, True), (31, False), (-1, False)])
def test_another_page_is_the_same_within_half_an_hour(at: float, taken: bool) -> None:
    assert ("page_taken" in weigh(alert(), act(at=60), acknowledged(at, subject="other"))) is taken


@pytest.mark.parametrize(("at", "came"), [(-10, True), (-11, False), (70, True), (71, False)])
def test_who_was_called_around_the_sign_and_the_act_came(at: float, came: bool) -> None:
    joined = make_event("responder.joined", at, "came", actor=PERSON)
    assert ("others_came" in weigh(alert(), act(), joined)) is came


@pytest.mark.parametrize(("at", "wrote"), [(10 + 120, True), (10 + 121, False)])
def test_the_actor_wrote_about_it_until_two_hours_later(at: float, wrote: bool) -> None:
    note = make_event("note.added", at, "why", actor=PERSON)
    assert ("same_person" in weigh(alert(), act(), note)) is wrote


@pytest.mark.parametrize(("at", "wrote"), [(10 - 2 * DAYS, True), (10 - 2 * DAYS - 1, False)])
def test_the_actor_wrote_about_it_at_most_two_days_before(at: float, wrote: bool) -> None:
    note = make_event("note.added", at, "why", actor=PERSON)
    assert ("same_person" in weigh(alert(-2.5 * DAYS), act(), note, kind="alert")) is wrote


@pytest.mark.parametrize(("at", "confirmed"), [(10 + 6 * HOURS, True), (10 + 6 * HOURS + 1, False)])
def test_the_reporter_confirms_it_within_six_hours(at: float, confirmed: bool) -> None:
    assert ("confirmed" in weigh(note(), act(), note(at, "again"))) is confirmed


@pytest.mark.parametrize(("begun_at", "begun"), [(-3 * DAYS + 11, True), (-3 * DAYS + 10, False)])
def test_work_was_begun_less_than_three_days_before_it_took_effect(begun_at: float, begun: bool) -> None:
    start = make_event("change.started", begun_at, "started", labels={"version": "7"})
    assert ("begun" in weigh(start, alert(), deployed(10, "7"), kind="alert")) is begun


def renewed(days: float, life: float) -> Event:
    at = START + 10 * MINUTE
    return act("rotated", previous_expires_at=Instant(at + int(days * DAY)), expires_at=Instant(at + int(life * DAY)))


@pytest.mark.parametrize(
    ("days", "life", "near"),
    [(6.9, 365, True), (7, 365, False), (0.11 * 30, 30, True), (0.13 * 30, 30, False)],
)
def test_a_renewal_is_near_under_a_week_and_an_eighth_of_the_life(days: float, life: float, near: bool) -> None:
    assert renewed_near(renewed(days, life)) is near


def test_rates_halve_in_three_weeks_and_habits_in_sixty_days() -> None:
    assert Rate(4.0, START).value(START + 21 * DAY, RATE_HALF_LIFE) == 2.0
    assert Rate(4.0, START).value(START + 60 * DAY, PAIR_HALF_LIFE) == 2.0


def test_without_history_the_prior_stands_in_for_four_days() -> None:
    assert per_day(None, START, START, 1.0) == 1.0
    assert per_day(None, START + 4 * DAY, START, 1.0) == 0.5
    assert per_day(Rate(4.0, START + 4 * DAY), START + 4 * DAY, START, 1.0) == 1.0


def test_what_is_seldom_done_anywhere_is_rare_here_too() -> None:
    habits, month = Habits(began=START), START + 30 * DAY
    assert habits.usual_rate("restart", START, 0.25, 100) == 0.25
    assert habits.usual_rate("restart", month, 0.25, 1) == pytest.approx(15 / 90)
    assert habits.usual_rate("restart", month, 0.25, 100) == pytest.approx(15 / 3060)
    habits.acted("restart", month)
    assert habits.usual_rate("restart", month, 0.25, 100) == pytest.approx(16 / 3060)
    assert act_rate(None, START, START, 0.25) == 0.25
    assert act_rate(None, month, START, 0.25) == pytest.approx(1 / 34)
    assert act_rate(Rate(3.0, month), month, START, 0.005) == pytest.approx(4 / 230)


def test_a_pairing_counts_once_in_half_a_day_on_one_service() -> None:
    habits = Habits()
    assert [habits.pair("key", "db", START + hours * HOUR) for hours in (0, 12, 13)] == [True, False, True]
    assert habits.pair("key", "api", START + HOUR)


def test_learning_ends_after_a_fortnight() -> None:
    habits = Habits(began=START)
    assert [habits.still_learning(START + days * DAY) for days in (0, 7, 14)] == [1.0, 0.5, 0.0]


def test_candidates_are_counted_for_a_fortnight() -> None:
    habits = Habits(began=START - 100 * DAY)
    for _ in range(14):
        habits.count_candidate(START)
    assert habits.net_rate(START + 14 * DAY) == pytest.approx(math.log10(2))
    assert habits.net_rate(START + 15 * DAY) == 0.0


def test_how_an_alert_ends_is_known_from_its_last_thirty_standings() -> None:
    standings = Standings()
    for _ in range(100):
        standings.add(START, acted_on=False)
    assert standings.alone == pytest.approx(30)
    standings.add(START, acted_on=True)
    assert standings.clears_alone == pytest.approx((29 + 1) / (30 + 2) - 0.5)


@pytest.mark.parametrize(("days", "known"), [(180, True), (180.1, False)])
def test_how_an_alert_ends_is_forgotten_half_a_year_after_it_last_did(days: float, known: bool) -> None:
    habits = Habits(began=START)
    habits.standings["LagHigh"] = Standings()
    for at in (START, START - DAY):  # the second came late
        habits.standings["LagHigh"].add(at, acted_on=True)
    habits.evict(START + int(days * DAY))
    assert ("LagHigh" in habits.standings) is known


@pytest.mark.parametrize(
    ("events", "hours"),
    [
        ((alert(), act("ran")), 2),
        ((note(), act("ran")), 24),
        ((note(), act("restarted")), 2),
        ((act("deleted", at=0, subject="table"), act("restored", at=10, subject="table")), 24),
    ],
)
def test_slow_harm_is_waited_for_unless_an_alert_can_tell_that_it_is_over(events: list[Event], hours: int) -> None:
    _, candidate = caught(*events)
    assert hold_of(candidate) == hours * HOUR


def test_a_domain_in_which_nothing_is_left_begins_anew() -> None:
    observed = Observed()
    for service in ("db", "gone"):
        observed.habits_to_teach(f"of {service}").began = START
    observed.places["db"] = ServiceMemory("db", rates={"change.deployed:human": Rate(1.0, START)})
    observed.evict(START + DAY, lambda service: f"of {service}")
    assert list(observed.habits) == ["of db"]
    assert observed.cell("habits", "of gone") is None


def test_what_is_learned_of_one_domain_says_nothing_of_another() -> None:
    catalogue = Catalogue(services={name: Service(name, domain=name) for name in ("db", "far")})
    net = Net(Observed(), catalogue, shipped_weights())
    for day in range(20):
        net.observe(alert(day * DAYS, f"a{day}"))
        net.observe(act(at=day * DAYS + 1, name=f"r{day}"))
        net.observe(over(day * DAYS + 2, f"a{day}"))
    assert net.observed.habits_of("db").pairs
    assert net.observed.habits_of("db").standings
    assert net.observed.habits_of("far") == Habits()


def test_a_place_remembers_so_many_changes_responses_and_signs() -> None:
    place = ServiceMemory("db")
    for n in range(201):
        place.changed(act(at=n, name=f"c{n}"))
        place.responded(make_event("alert.acknowledged", n, f"r{n}"))
        place.fired(alert(n, f"a{n}", subject=f"s{n}"), production=True)
    assert (len(place.changes), len(place.responses), len(place.signs)) == (60, 120, 200)


@pytest.mark.parametrize(
    ("chance", "word"),
    [
        (0.9, "very likely"),
        (0.89, "likely"),
        (0.7, "likely"),
        (0.69, "more likely than not"),
        (0.5, "more likely than not"),
        (0.49, "possible"),
        (0.25, "possible"),
        (0.24, "unlikely"),
    ],
)
def test_a_probability_is_said_in_a_word(chance: float, word: str) -> None:
    assert likelihood(chance) == word


def test_log_odds_are_a_probability() -> None:
    assert probability(0) == 0.5
    assert probability(math.log(3)) == pytest.approx(0.75)


def test_counts_reach_back_as_long_as_a_half_life_means() -> None:
    """Sixty days of half-life are as good as 86.6 days in full; the first day counts as one."""
    habits = Habits(began=START)
    assert habits.days_known(START) == habits.days_known(START + DAY) == 1.0
    assert habits.days_known(START + 50 * DAY) == 50.0
    assert habits.days_known(START + 1000 * DAY) == pytest.approx(86.56, abs=0.01)


def test_a_day_of_candidates_is_dropped_after_a_fortnight_and_a_day() -> None:
    habits = Habits(began=START)
    habits.count_candidate(START)
    habits.count_candidate(START + 15 * DAY)
    assert sorted(habits.candidates) == [0, 15]
    habits.count_candidate(START + 16 * DAY)
    assert sorted(habits.candidates) == [15, 16]
