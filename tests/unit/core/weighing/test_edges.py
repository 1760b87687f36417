"""Features at the edge of what gives them: exactly on it, and a step beyond."""

from __future__ import annotations

import math

import pytest

from monitor.core.model.events import DAY, MINUTE, Actor, Event, Instant
from monitor.core.weighing.net import Net
from monitor.core.weighing.observed import Observed
from monitor.core.weighing.option import Caught
from monitor.core.weighing.shared import same_thing
from monitor.core.weighing.weights import reasoned
from tests.support.streams import MACHINE, PERSON, START, make_event, shop
from tests.unit.core.weighing.test_features import (
    DAYS,
    HOURS,
    OTHER,
    act,
    alert,
    caught,
    daily,
    deployed,
    flag,
    note,
    over,
    scaled,
    weigh,
    work,
)


def new_net() -> Net:
    return Net(Observed(), shop(), reasoned(live=0.5, digest=1e-9))


def in_this_order(*events: Event, late: int = 0) -> tuple[Net, Caught | None]:
    """As `caught`, in the order of arrival; the last `late` of them are told to come late."""
    net, found = new_net(), []
    for place, event in enumerate(events):
        found += net.observe(event, late=place >= len(events) - late)
    return net, found[-1] if found else None


def rare(gap: float) -> float:
    """How rare it is that somebody restarts a service of which nothing is known within so many minutes."""
    return -math.log10(1 - math.exp(-4 / 14 * gap / DAYS))


def due(at: float, days: float, name: str = "alert") -> Event:
    """An alert at a minute whose deadline is so many days after START."""
    return alert(at, name, expires_at=Instant(START + int(days * DAY)))


def acknowledged(at: float, subject: str = "other") -> Event:
    return make_event("alert.acknowledged", at, f"ack{at:g}", subject=subject, actor=PERSON)


def started(at: float, **fields: object) -> Event:
    return make_event("change.started", at, f"started{at:g}", actor=PERSON, **fields)


def renewal(left: float, life: float | None, at: float = 10) -> Event:
    now = START + int(at * MINUTE)
    ends = {} if life is None else {"expires_at": Instant(now + int(life * DAY))}
    return act("rotated", at, subject="cert", previous_expires_at=Instant(now + int(left * DAY)), **ends)


AGAIN = [alert(), alert(60, "again"), act(at=100)]
"""The alert is seen again after an hour."""

ALERTS: list[tuple[str, float | None, list[Event]]] = [
    # what followed
    ("recovered", -math.log10(150 / 240), [alert(), act(at=90), over(240)]),
    ("recovered", -math.log10(120 / 130), [alert(), act(at=10), over(130)]),
    ("recovered", -math.log10(140 / 210), [alert(), act(at=70), over(210)]),
    ("recovered", -1.0, [alert(), act(at=40), over(170)]),
    ("recovered", math.log10(2), [alert(), act(at=0.5), over(1)]),
    ("came_back", None, [alert(), over(5), alert(10, "a-flap"), act(at=10), over(20)]),
    ("page_taken", 0.5, [alert(), acknowledged(0), act()]),
    ("page_taken", 0.5, [*AGAIN, acknowledged(20)]),
    ("page_taken", 0.5, [*AGAIN, acknowledged(60)]),
    ("page_taken", 0.5, [*AGAIN, acknowledged(90)]),
    ("page_taken", None, [*AGAIN, acknowledged(91)]),
    ("page_taken", None, [*AGAIN, acknowledged(59)]),
    ("same_person", 1.0, [alert(service="api"), act(), make_event("note.added", 20, "why", actor=PERSON)]),
    ("same_person", 1.0, [alert(), act(at=2 * DAYS), make_event("note.added", 0, "why", actor=PERSON)]),
    ("same_person", 1.0, [alert(), act(), make_event("note.added", -10, "why", actor=PERSON)]),
    ("same_person", None, [alert(), act(), make_event("note.added", -11, "why", actor=PERSON)]),
    # the act
    ("outside_production", 1.5, [alert(), act(environment="staging")]),
    ("corrective", 1.0, [alert(), flag(10, "off")]),
    ("deadline", 1.0, [alert(), renewal(6.9, 365)]),
    ("deadline", -1.0, [alert(), renewal(7, 365)]),
    ("deadline", 1.0, [alert(), renewal(6.9, None)]),
    ("deadline", -1.0, [alert(), renewal(3.7, 30)]),
    ("deadline", 1.0, [alert(), renewal(3.5, 30)]),
    ("deadline", 1.5, [alert(), renewal(0.9, 30)]),
    ("deadline", 1.0, [alert(), renewal(1, 30)]),
    # the gap
    ("rare_act", rare(10), [alert(), act(at=10)]),
    ("rare_act", rare(2), [alert(), act(at=1)]),
    ("rare_act", rare(2), [alert(), alert(10, "a-again"), act(at=10)]),
    ("rare_act", 2.104, [alert(service="db"), act(service="api", at=20)]),
    ("rare_act", rare(4), [alert(), acknowledged(6, "disk"), act(at=10)]),
    ("rare_act", rare(10), [alert(), acknowledged(0, "disk"), act(at=10)]),
    ("rare_act", 1.683, [due(0, 2.125), act(at=2 * DAYS)]),
    ("rare_act", 2.157, [due(0, 2 + 1 / 144), act(at=2 * DAYS)]),
    ("rare_act", 0.545, [due(0, 10), act(at=2 * DAYS)]),
    ("rare_act", 1.169, [due(0, 1), act(at=1000)]),
    # the deadline
    ("deadline", 1.0, [due(-185 * DAYS, 15), act("rotated", 0)]),
    ("deadline", -1.0, [due(-180 * DAYS, 20), act(at=0)]),
    ("deadline", None, [due(-10, 7), act(at=0)]),
    ("deadline", None, [due(-10, 14), act(at=0)]),
    ("deadline", 1.0, [due(-10, 1), act("rotated", 0)]),
    ("deadline", 1.5, [due(-10, 0), act("rotated", 0)]),
    # what was under way
    ("begun", 1.0, [alert(), started(-1, labels={"version": "7"}), deployed(10, "7")]),
    ("begun", -1.0, [alert(), started(-1.1, labels={"version": "7"}), deployed(10, "7")]),
    ("begun", -1.0, [alert(), started(-5, labels={"commit": "c"}), act("deployed", labels={"commit": "c"})]),
    ("begun", -1.0, [alert(), started(-5, labels={"commit": "c"}), deployed(10, "c")]),
    ("begun", None, [alert(), started(-5, labels={"commit": "d"}), act("deployed", labels={"commit": "c"})]),
    ("begun", None, [alert(), started(-5), act("deployed")]),
    ("begun", -1.0, [alert(), started(-5, subject="web"), act("deployed", subject="web")]),
    ("begun", None, [alert(), started(-5, subject="api"), act("deployed", subject="web")]),
    ("begun", None, [alert(), started(10 - 4 * HOURS, subject="web"), act("deployed", subject="web")]),
    ("begun", -1.0, [alert(), started(10.1 - 4 * HOURS, subject="web"), act("deployed", subject="web")]),
    ("begun", None, [alert(), make_event("change.merged", -5, subject="web"), act("deployed", subject="web")]),
    ("begun", -1.0, [alert(), act("deployed", began_at=Instant(START - 5 * MINUTE))]),
    (
        "begun",
        -1.0,
        [alert(), started(-5, labels={"version": "7"}), started(5, labels={"version": "7"}), deployed(10, "7")],
    ),
    # what was undone
    ("undone_soon", 0.7, [flag(5, "on"), alert(), flag(10, "off")]),
    ("undone_soon", 0.7 * (1 - 1 / 2.2), [flag(-40, "on"), alert(), flag(10, "off")]),
    ("caused", 1.0, [flag(0, "on"), alert(-1), flag(10, "off")]),
    ("caused", None, [flag(0, "on"), alert(-1.1), flag(10, "off")]),
    ("caused", None, [flag(0, "on"), alert(5, severity="info"), flag(10, "off")]),
    ("caused", 1.0, [flag(0, "on"), alert(5, severity="warning"), flag(10, "off")]),
    ("caused", 1.0, [flag(0, "on"), note(5, title="odd"), alert(-9), flag(10, "off")]),
    ("caused", None, [flag(0, "on"), note(5, title="odd", service="api"), alert(-9), flag(10, "off")]),
    # what stood beside it
    ("agree", 1.0, [alert(), alert(1, "b", subject="cpu", severity="warning"), act()]),
    ("agree", 0.0, [alert(), alert(1, "b", subject="cpu", severity="info"), act()]),
    ("agree", 0.0, [alert(), alert(1, "b", subject="cpu", environment="staging"), act()]),
    ("agree", 0.0, [alert(), alert(1, "b", subject="cpu", service="api"), act()]),
    ("agree", 1.0, [alert(), note(2), act()]),
    ("agree", 3.0, [alert(), *(alert(1, f"b{n}", subject=f"s{n}") for n in range(9)), act()]),
    (
        "others_came",
        None,
        [alert(), *(make_event("alert.silenced", n + 10, f"s{n}", subject="disk") for n in (0.1, 1, 2)), act()],
    ),
    ("announced", None, [work("ended", -25), act(), alert()]),
]


@pytest.mark.parametrize(("feature", "value", "story"), ALERTS, ids=[f"{name}={value}" for name, value, _ in ALERTS])
def test_of_an_alert(feature: str, value: float | None, story: list[Event]) -> None:
    found = weigh(*story, kind="alert")
    assert found.get(feature) == (None if value is None else pytest.approx(value, abs=0.002))


OF_OTHERS: list[tuple[str, str, float | None, list[Event]]] = [
    ("note", "same_person", 1.0, [note(title="the totals look wrong"), act()]),
    ("note", "confirmed", None, [note(), act(), note(10, "again")]),
    ("record", "same_person", 1.0, [make_event("incident.opened", 0, "inc", subject="I", actor=PERSON), act()]),
    ("record", "same_person", None, [make_event("incident.opened", 0, "inc", subject="I", actor=OTHER), act()]),
    ("record", "sign_names_trouble", -0.5, [make_event("incident.opened", 0, "inc", subject="I", title="x"), act()]),
    ("failed", "severity", 0.1, [make_event("change.failed", 0, "f"), act()]),
    ("failed", "severity", 0.4, [make_event("change.failed", 0, "f"), act("held")]),
    ("failed", "severity", 0.4, [make_event("change.failed", 0, "f"), act("rolled_back")]),
    ("change", "undone_soon", 1.0, [flag(0, "on"), flag(5, "off")]),
    ("change", "undone_soon", 1 - math.log10(0.2) / 2.2, [flag(0, "on"), flag(0.5, "off")]),
    ("change", "undone_soon", 1 - math.log10(0.4) / 2.2, [flag(0, "on"), flag(2, "off")]),
    ("change", "done_elsewhere", 1.0, [scaled(0, 12), scaled(4, 6), scaled(0, 12, service="side", name="b")]),
    ("change", "done_elsewhere", 1.0, [scaled(0, 12), scaled(4, 6), scaled(34, 12, service="side")]),
    ("change", "done_elsewhere", None, [scaled(0, 12), scaled(4, 6), scaled(-1, 12, service="side")]),
    ("change", "usual_pairing", 1.5, [e for n in range(9) for e in (flag(n * DAYS, "on"), flag(n * DAYS + 5, "off"))]),
    ("itself", "usual_pairing", 1.5, [act("held", n * DAYS, subject="plan", title="x") for n in range(9)]),
    ("itself", "deadline", 1.0, [renewal(6.9, 365)]),
]


@pytest.mark.parametrize(
    ("kind", "feature", "value", "story"),
    OF_OTHERS,
    ids=[f"{kind}-{name}={value}" for kind, name, value, _ in OF_OTHERS],
)
def test_of_another_sign(kind: str, feature: str, value: float | None, story: list[Event]) -> None:
    found = weigh(*story, kind=kind)
    assert found.get(feature) == (None if value is None else pytest.approx(value, abs=0.002))


@pytest.mark.parametrize(
    ("sign", "acted", "same"),
    [
        ({"subject": "a"}, {"subject": "a"}, True),
        ({"subject": "a"}, {"subject": "b"}, False),
        ({}, {}, False),
        ({"labels": {"image": "i"}}, {"labels": {"image": "i"}}, True),
        ({"labels": {"host": "h"}}, {"labels": {"node": "h"}}, True),
        ({"labels": {"image": "i"}}, {"subject": "i"}, True),
        ({"labels": {"image": "i"}}, {"labels": {"previous": "i"}}, True),
        ({"labels": {"image": "i"}}, {"labels": {"from_version": "i"}}, True),
        ({"labels": {"image": "i"}}, {"labels": {"contains": "i"}}, True),
        ({"labels": {"contains": "i"}}, {"subject": "i"}, True),
        ({"labels": {"contains": "i"}}, {"labels": {"reverts": "i"}}, True),
        ({"labels": {"contains": "i"}}, {"subject": "j"}, False),
        ({"labels": {"team": "t"}}, {"labels": {"team": "t"}}, False),
    ],
)
def test_which_sign_and_act_name_one_thing(sign: dict[str, object], acted: dict[str, object], same: bool) -> None:
    assert same_thing(make_event("alert.fired", 0, **sign), make_event("change.ran", 1, **acted)) is same  # type: ignore[arg-type]


# -- what comes late, and what only a rule pairs ---------------------------------------------------------------


@pytest.mark.parametrize(("at", "recovered"), [(8, True), (7.9, False), (10, True)])
def test_an_end_that_is_told_late_counts_from_two_minutes_before_the_act(at: float, recovered: bool) -> None:
    net, candidate = in_this_order(alert(), act(), over(at))
    assert candidate is not None
    assert ("recovered" in net.sequel.settle(candidate).values) is recovered


def test_a_sibling_that_never_recovered_is_no_option_in_the_end() -> None:
    net, candidate = caught(alert(service="side"), act(service="api"))
    assert net.sequel.outcomes(candidate) == []
    alone = net.sequel.settle(candidate)
    assert alone.reasons == ()
    assert alone.log_odds == pytest.approx(net.weights.log_odds(alone.option.values) - 4)


def test_a_note_at_a_sibling_is_no_option() -> None:
    net = new_net()
    assert net.sequel.outcomes(net.compare(act(service="api"), [note(service="side")])) == []
    assert len(net.sequel.outcomes(net.compare(act(service="api"), [note(service="db")]))) == 1


@pytest.mark.parametrize(
    ("verb", "value", "thin"),
    [("scaled", 12.0, True), ("scaled", 11.0, False), ("ran", 12.0, False), ("scaled", None, False)],
)
def test_automation_that_scales_to_its_limit_has_little_left(verb: str, value: float | None, thin: bool) -> None:
    net, grown = new_net(), act(verb, actor=MACHINE, value=value, limit=12.0)
    (option,) = net.compare(grown, [alert()]).options
    assert ("thin" in option.values) is thin


def test_an_act_that_is_counted_already_is_not_counted_against_itself() -> None:
    story = [*daily("restart main", 3), alert(), act(title="restart main")]
    net, candidate = caught(*story)
    (again,) = net.compare(candidate.act, [story[-2]]).options
    assert again.values["familiar"] == pytest.approx(candidate.options[0].values["familiar"], abs=0.01)


@pytest.mark.parametrize(("hours", "met"), [(6, True), (6.1, False)])
def test_a_sign_that_comes_late_meets_the_acts_of_six_hours(hours: float, met: bool) -> None:
    _, candidate = in_this_order(act(at=hours * HOURS), alert(), late=1)
    assert (candidate is not None) is met


@pytest.mark.parametrize(("hours", "met"), [(6, True), (6.1, False)])
def test_a_change_that_comes_late_may_be_what_an_act_undid(hours: float, met: bool) -> None:
    _, candidate = in_this_order(flag(hours * HOURS, "off"), flag(0, "on"), late=1)
    assert (candidate is not None and candidate.undone is not None) is met


def test_what_comes_late_counts_no_candidate_twice() -> None:
    net, _ = in_this_order(alert(-5, "first"), act(), alert(-1, "second", subject="cpu"), late=1)
    (habits,) = net.observed.habits.values()
    assert habits.candidates == {0: 1}


def test_a_sign_that_comes_in_time_offers_no_earlier_act() -> None:
    _, candidate = in_this_order(act(), alert(20))
    assert candidate is None


def test_there_and_back_within_announced_work_is_what_the_work_consists_of() -> None:
    begins = make_event("maintenance.started", -5, "begins", labels={"scope": "db"})
    switched = [act("failed_over", 0, subject="cp"), alert(1), act("restored", 40, subject="cp")]
    assert weigh(*switched)["reversal"] == 1.0
    inside = weigh(begins, *switched)
    assert (inside["reversal"], inside["caused"]) == (0.0, 0.0)
    assert (
        weigh(switched[0], make_event("maintenance.started", 0.5, "later", labels={"scope": "db"}), *switched[1:])[
            "reversal"
        ]
        == 1.0
    )


def test_a_login_and_a_name_of_the_same_words_are_one_person() -> None:
    gwen, login = Actor("Gwen Price", "human"), Actor("gwen.price", "human")
    story = [note(0, title="deadlocks, something is wrong", actor=gwen), act(actor=login)]
    assert weigh(*story)["same_person"] == 1.0
    assert "same_person" not in weigh(story[0], act(actor=Actor("gwen.prince", "human")))
