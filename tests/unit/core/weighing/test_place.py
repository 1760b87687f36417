"""What a service remembers: when an alert is the same one again, what ends it, and when it is forgotten."""

from __future__ import annotations

from typing import Any

import pytest

from monitor.core.model.events import DAY, MINUTE, Event, Instant
from monitor.core.weighing.habits import Rate
from monitor.core.weighing.place import ServiceMemory, sign_rate_key
from monitor.core.weighing.signs import GRAVE, Sign, alert_name, alert_sign_key, habit_key, severity_of, sign_of
from tests.support.streams import START, make_event
from tests.unit.core.weighing.test_features import DAYS, HOURS, act, alert, deployed, note, over

JUST = 1 / 60_000_000
"""A microsecond, in minutes."""


def at(minutes: float) -> Instant:
    return Instant(START + round(minutes * MINUTE))


def place(*events: Event, production: bool = True) -> ServiceMemory:
    """After alerts, recoveries, incidents, notes, changes, and what people did, in this order."""
    found = ServiceMemory("db")
    for event in events:
        if event.kind == "alert.fired":
            found.fired(event, production=production)
        elif event.kind in ("alert.resolved", "alert.cancelled"):
            found.ended(event)
        elif event.kind.startswith("incident."):
            found.record(event, production=production)
        elif event.kind == "note.added":
            found.noted(sign_of(event, "note", "db", production=True))
        elif event.kind.startswith("change."):
            found.changed(event)
        else:
            found.responded(event)
    return found


def began(here: ServiceMemory) -> list[float]:
    return [(sign.began - START) / MINUTE for sign in here.signs]


def only(here: ServiceMemory) -> Sign:
    (sign,) = here.signs
    return sign


# -- one alert, or another -----------------------------------------------------------------------------------------


def test_an_alert_that_fires_again_while_it_stands_is_one_sign_and_keeps_the_gravest_word() -> None:
    sign = only(place(alert(0, severity="warning"), alert(10, "b"), alert(5, "c", severity="critical")))
    assert (sign.began, sign.seen_at, sign.severity) == (at(0), at(10), 1.0)
    assert [event.id for event in sign.events] == ["alert", "b"]
    assert [event.id for event in only(place(alert(5), alert(0, "early"))).events] == ["early", "alert"]


@pytest.mark.parametrize(("again", "signs"), [(3 * DAYS - JUST, 1), (3 * DAYS, 2)])
def test_three_days_after_it_was_last_seen_it_is_another(again: float, signs: int) -> None:
    assert len(place(alert(0), alert(again, "b")).signs) == signs
    assert len(place(alert(0), alert(DAYS, "a"), alert(DAYS + again, "b")).signs) == signs


@pytest.mark.parametrize(("early", "signs"), [(-30, 1), (-30 - JUST, 2)])
def test_a_firing_that_comes_late_is_the_same_from_half_an_hour_before(early: float, signs: int) -> None:
    assert len(place(alert(0), alert(early, "b")).signs) == signs


@pytest.mark.parametrize(
    ("again", "signs", "came_back", "stands"),
    [
        (5, [0], None, False),
        (10, [0], None, False),
        (10 + JUST, [0], None, True),
        (40 - JUST, [0], None, True),
        (40, [0, 40], 40, True),
        (130 - JUST, [0, 130 - JUST], 130 - JUST, True),
        (130, [0, 130], None, True),
    ],
    ids=["before its end", "at its end", "flaps", "still flaps", "comes back", "still comes back", "is another"],
)
def test_after_its_end_an_alert_flaps_comes_back_or_is_another(
    again: float, signs: list[float], came_back: float | None, stands: bool
) -> None:
    here = place(alert(0), over(10), alert(again, "again"))
    assert [sign.began for sign in here.signs] == [at(each) for each in signs]
    assert here.signs[0].came_back_at == (None if came_back is None else at(came_back))
    assert (here.signs[-1].ended is None) is stands
    assert len(here.signs[0].flaps) == (1 if stands and len(signs) == 1 else 0)


def test_ten_flaps_are_remembered() -> None:
    story = [each for n in range(12) for each in (over(n * 10 + 5), alert(n * 10 + 10, f"f{n}"))]
    assert len(only(place(alert(0), *story)).flaps) == 10


@pytest.mark.parametrize(("ended", "is_over"), [(-JUST, False), (0, True), (60, True), (60 + JUST, False)])
def test_a_recovery_that_came_first_ends_what_fired_in_the_hour_before(ended: float, is_over: bool) -> None:
    assert (only(place(over(ended), alert(0))).ended is not None) is is_over


def test_a_cancelling_that_came_first_is_not_remembered() -> None:
    cancelled = make_event("alert.cancelled", 5, subject="disk")
    assert only(place(cancelled, alert(0))).ended is None


# -- what ends a sign ----------------------------------------------------------------------------------------------


def test_a_recovery_ends_its_alert_and_a_cancelling_too_but_by_another_name() -> None:
    assert (only(place(alert(0), over(9))).ended, only(place(alert(0), over(9))).cancelled) == (at(9), False)
    gone = only(place(alert(0), make_event("alert.cancelled", 9, subject="disk")))
    assert (gone.ended, gone.cancelled) == (at(9), True)


def test_the_last_end_counts_and_none_before_the_beginning() -> None:
    assert only(place(alert(0), over(9), over(12, "b"))).ended == at(12)
    assert only(place(alert(0), over(9), over(7, "b"))).ended == at(9)
    assert only(place(alert(5), over(4))).ended is None
    assert only(place(alert(5), over(5))).ended == at(5)
    here = place(alert(0), over(9))
    assert here.ended(over(9, "again")) is None


def test_a_recovery_without_a_subject_ends_the_newest_that_stands_of_its_source() -> None:
    here = place(
        alert(0, "a", subject="one"),
        alert(1, "b", subject="two"),
        alert(2, "c", subject="three", source="other"),
        over(5, subject=None),
    )
    assert [sign.ended for sign in here.signs] == [None, at(5), None]
    assert [sign.ended for sign in place(alert(0), over(5, subject="else")).signs] == [None]
    assert place(over(5, subject=None)).signs == []


def opened(minutes: float = 0, **fields: object) -> Event:
    return make_event("incident.opened", minutes, f"i{minutes}", **{"subject": "INC", **fields})


def closed(minutes: float = 30, **fields: object) -> Event:
    return make_event("incident.closed", minutes, f"j{minutes}", **{"subject": "INC", **fields})


@pytest.mark.parametrize(("again", "signs"), [(3 * DAYS - JUST, 1), (3 * DAYS, 2)])
def test_a_record_that_is_opened_again_within_three_days_is_one_sign(again: float, signs: int) -> None:
    assert len(place(opened(), opened(again)).signs) == signs
    assert len(place(opened(), closed(), opened(again)).signs) == 2


def test_a_record_says_whether_it_harms_and_when_it_is_over() -> None:
    assert only(place(opened(), closed())).ended == at(30)
    assert not only(place(opened())).said_harmless
    assert only(
        place(opened(), make_event("incident.updated", 5, subject="INC", labels={"impact": "none"}))
    ).said_harmless
    users = make_event("incident.updated", 6, subject="INC", labels={"impact": "users"})
    assert not only(place(opened(labels={"impact": "none"}), users)).said_harmless
    assert place(closed()).signs == []


def test_a_note_on_an_alert_or_record_that_is_over_is_no_sign_and_ends_with_it() -> None:
    about = {"subject": "disk"}
    assert [sign.kind for sign in place(alert(0), over(9), note(9, **about)).signs] == ["alert"]
    assert [sign.kind for sign in place(alert(0), over(9), note(8, **about)).signs] == ["alert", "note"]
    assert [sign.kind for sign in place(alert(0), over(9), note(9, source="x", **about)).signs] == ["alert", "note"]
    assert [sign.kind for sign in place(opened(), closed(), note(30, subject="INC")).signs] == ["record"]
    here = place(alert(0), note(5, **about), note(6, "other", subject="else"), over(9))
    assert [(sign.kind, sign.ended) for sign in here.signs] == [("alert", at(9)), ("note", at(9)), ("note", None)]
    assert [sign.ended for sign in place(opened(), note(5, subject="INC"), closed()).signs] == [at(30), at(30)]


# -- what is found again -------------------------------------------------------------------------------------------


def test_a_sign_is_found_by_its_key_and_the_nearest_beginning() -> None:
    here = place(alert(0, "a"), over(1), alert(200, "b"), alert(100, "c", subject="else"))
    assert began(here) == [0, 100, 200]
    for moment, found in ((90, 0), (100, 0), (101, 200), (999, 200)):
        sign = here.sign("alert", "disk", at(moment))
        assert sign is not None
        assert sign.began == at(found)
    assert here.sign("record", "disk", at(0)) is None
    assert here.latest("alert", "none") is None


def test_the_signs_that_stand_at_a_moment_are_told_the_oldest_first() -> None:
    here = place(alert(0, "a"), over(10), alert(5, "b", subject="else"))
    for moment, standing in ((-JUST, []), (0, [0]), (5, [0, 5]), (12, [0, 5]), (12 + JUST, [5])):
        assert [(sign.began - START) // MINUTE for sign in here.standing(at(moment))] == standing


def test_of_too_many_signs_one_that_is_over_goes_before_one_that_stands() -> None:
    story = [alert(n, f"a{n}", subject=f"s{n}") for n in range(200)]
    here = place(*story, over(300, subject="s7"), alert(400, "one more", subject="one more"))
    assert len(here.signs) == 200
    assert (here.latest("alert", "s7"), here.signs[0].key) == (None, "s0")
    here = place(*story, alert(400, "one more", subject="one more"))
    assert (here.signs[0].key, len(here.signs)) == ("s1", 200)


def test_changes_are_known_once_and_in_their_order() -> None:
    here = place(act(at=5, name="b"), act(at=1, name="a"))
    assert not here.changed(act(at=5, name="b"))
    assert here.changed(act(at=5, name="c"))
    assert [event.id for event in here.changes] == ["a", "b", "c"]
    assert [event.id for event in here.changes_before(act(at=5, name="b"))] == ["a"]
    assert [event.id for event in here.acts_since(at(5))] == ["b", "c"]
    merged = make_event("change.merged", 6, "merged")
    assert here.changed(merged)
    assert merged not in here.acts_since(at(5))


def test_the_oldest_change_goes_first_when_there_are_too_many() -> None:
    here = place(*(act(at=n, name=f"c{n}") for n in range(61)))
    assert (here.changes[0].id, len(here.changes)) == ("c1", 60)


# -- what is forgotten ---------------------------------------------------------------------------------------------

NOW = 200 * DAYS


@pytest.mark.parametrize(
    ("story", "days"),
    [
        ((alert(0), over(30)), 3 + 30 / DAYS),
        ((alert(0),), 3 + 3),
        ((alert(0), alert(60, "b")), 3 + 3 + 60 / DAYS),
        ((alert(0, expires_at=at(20 * DAYS)),), 20 + 3),
        ((alert(0, expires_at=at(150 * DAYS)),), 120),
        ((alert(0, expires_at=at(20 * DAYS)), over(30)), 3 + 30 / DAYS),
    ],
    ids=["ended", "untold", "seen again", "deadline", "far deadline", "deadline that was met"],
)
def test_a_sign_is_forgotten_when_nothing_can_ask_for_it(story: tuple[Event, ...], days: float) -> None:
    here = place(*story)
    assert here.evict(at(days * DAYS))
    assert len(here.signs) == 1
    assert not here.evict(at(days * DAYS) + 1)
    assert here.signs == []


def test_outside_production_a_sign_stands_for_a_day_and_is_kept_for_three_more() -> None:
    here = place(alert(0, environment="staging"), production=False)
    assert here.evict(at(4 * DAYS))
    assert not here.evict(at(4 * DAYS) + 1)


@pytest.mark.parametrize(
    ("event", "days"),
    [
        (act(at=0), 7),
        (deployed(0, "1"), 90),
        (make_event("change.deployed", 0, "no version"), 7),
        (make_event("alert.acknowledged", 0), 3),
        (make_event("alert.silenced", 0), 14),
    ],
    ids=["a change", "a release", "a release of nobody knows what", "a response", "a silence"],
)
def test_a_change_or_response_is_forgotten_when_nothing_can_ask_for_it(event: Event, days: float) -> None:
    here = place(event)
    assert here.evict(at(days * DAYS))
    assert not here.evict(at(days * DAYS) + 1)


@pytest.mark.parametrize(("hours", "remembered"), [(1, True), (1 + JUST / HOURS, False)])
def test_a_recovery_that_waits_for_its_firing_is_forgotten_after_an_hour(hours: float, remembered: bool) -> None:
    here = place(over(0), make_event("alert.acknowledged", 0))
    assert here.evict(at(hours * HOURS))
    assert bool(here.orphans) is remembered


def test_a_rate_that_has_faded_is_forgotten() -> None:
    here = place()
    here.count("x", at(0))
    here.count("x", at(0))
    assert here.rates == {"x": Rate(2.0, at(0))}
    assert here.evict(at(21 * DAYS))
    assert not here.evict(at(0) + 1000 * DAY)


# -- what it is called ---------------------------------------------------------------------------------------------


def test_what_ends_a_sign_is_no_cancelling_but_a_cancelling() -> None:
    assert not only(place(over(5), alert(0))).cancelled
    assert not only(place(opened(), closed())).cancelled
    noted = place(opened(), note(5, subject="INC"), closed())
    assert [sign.cancelled for sign in noted.signs] == [False, False]
    assert not only(place(alert(0), make_event("alert.cancelled", 5, subject="disk"), alert(9, "again"))).cancelled


def test_it_is_told_whether_a_note_is_a_sign() -> None:
    assert place(alert(0)).noted(sign_of(note(5, subject="disk"), "note", "db", production=True))
    assert not place(alert(0), over(3)).noted(sign_of(note(5, subject="disk"), "note", "db", production=True))


def test_a_sign_stands_from_its_very_beginning() -> None:
    sign = only(place(alert(0), over(5)))
    assert [sign.stands(at(minute)) for minute in (-JUST, 0, 7, 7 + JUST)] == [False, True, True, False]


def test_events_of_two_sources_are_two_even_by_one_name() -> None:
    assert len(only(place(alert(0, "a"), alert(5, "a", source="other"))).events) == 2
    assert len(only(place(alert(0, "a"))).events) == 1


@pytest.mark.parametrize(
    ("fields", "name"),
    [
        ({"labels": {"alertname": "DiskFull"}, "title": "disk of db full"}, "DiskFull"),
        ({"title": "disk full"}, "disk full"),
        ({"title": "db disk full"}, "~ disk full"),
        ({"title": "db disk full", "service": None}, "db disk full"),
        ({}, "disk"),
        ({"subject": None}, "test"),
    ],
)
def test_an_alert_is_called_the_same_wherever_it_fires(fields: dict[str, Any], name: str) -> None:
    assert alert_name(alert(0, **fields)) == name


@pytest.mark.parametrize(
    ("fields", "key"),
    [
        ({"labels": {"alertname": "DiskFull"}, "title": "full"}, "disk"),
        ({"labels": {"alertname": "DiskFull"}, "title": "full", "subject": None}, "DiskFull"),
        ({"title": "full", "subject": None}, "full"),
        ({"subject": None}, "test"),
    ],
)
def test_the_events_of_an_alert_belong_together_by_the_narrowest_name(fields: dict[str, Any], key: str) -> None:
    assert alert_sign_key(alert(0, **fields)) == key


@pytest.mark.parametrize(
    ("title", "counted"),
    [("the totals are wrong", "trouble"), ("that is odd", "trouble"), ("coffee is ready", "plain")],
)
def test_of_notes_it_is_counted_whether_they_speak_of_trouble(title: str, counted: str) -> None:
    assert habit_key(sign_of(note(0, title=title), "note", "db", production=True)) == f"sign\x1fnote\x1f{counted}"


def test_signs_are_counted_as_grave_from_seven_tenths_on() -> None:
    assert (sign_rate_key(GRAVE), sign_rate_key(0.69)) == ("sign:grave", "sign:mild")
    assert [severity_of(alert(0, severity=said)) for said in ("critical", "high", "warning", "info", None, "odd")] == [
        1.0, 0.75, 0.4, 0.1, 0.4, 0.4,
    ]  # fmt: skip
