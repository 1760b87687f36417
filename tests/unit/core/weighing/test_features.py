"""Each feature of the evidence in a story in which it appears, and in one in which it does not."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import msgspec
import pytest

from monitor.core.model.events import DAY, MINUTE, Actor, Event, Instant
from monitor.core.weighing.features import FEATURES
from monitor.core.weighing.net import Net
from monitor.core.weighing.observed import Observed
from monitor.core.weighing.option import Caught
from monitor.core.weighing.weights import reasoned
from tests.support.streams import MACHINE, PERSON, START, make_event, shop

HOURS = 60
DAYS = 24 * HOURS
"""In minutes."""
OTHER = Actor(id="p2", kind="human")


def caught(*events: Event) -> tuple[Net, Caught]:
    """What the net makes of the last act of a story; nothing is too unlikely here."""
    net = Net(Observed(), shop(), reasoned(live=0.5, digest=1e-9))
    found: list[Caught] = []
    for event in sorted(events, key=lambda event: (event.time, event.source, event.id)):
        found += net.observe(event)
    return net, found[-1]


def weigh(
    *events: Event, kind: str | None = None, recognised: Mapping[str, Sequence[Event]] | None = None
) -> dict[str, float]:
    """The values of the best option, or of the best of one kind of sign."""
    net, candidate = caught(*events)
    if kind is not None:
        options = [option for option in candidate.options if option.kind == kind]
        candidate = msgspec.structs.replace(candidate, options=options)
    return net.sequel.settle(candidate, recognised).values


def alert(at: float = 0, name: str = "alert", **fields: object) -> Event:
    return make_event("alert.fired", at, name, **{"subject": "disk", "severity": "high", **fields})


def note(at: float = 0, name: str = "note", **fields: object) -> Event:
    return make_event("note.added", at, name, **{"subject": "totals", "actor": PERSON, **fields})


def act(kind: str = "restarted", at: float = 10, **fields: object) -> Event:
    name = str(fields.pop("name", f"act-{at:g}"))
    return make_event(f"change.{kind}", at, name, **{"actor": PERSON, **fields})


def over(at: float, name: str = "over", **fields: object) -> Event:
    return make_event("alert.resolved", at, name, **{"subject": "disk", **fields})


def flag(at: float, value: str, **fields: object) -> Event:
    return act("flag_set", at, subject="new-cart", labels={"value": value}, **fields)


def deployed(at: float, version: str, **fields: object) -> Event:
    return act("deployed", at, labels={"version": version}, **fields)


def started(at: float, version: str) -> Event:
    return make_event("change.started", at, f"started-{at:g}", labels={"version": version}, actor=PERSON)


def expiring(days: float) -> Event:
    """An alert, a year before the deadline minus so many days, that still stands when somebody acts."""
    return alert(expires_at=Instant(START + int(days * DAY) + 10 * MINUTE))


def episode(at: float, subject: str = "disk") -> list[Event]:
    """The alert, a restart a minute later, and the recovery."""
    return [
        alert(at, f"alert-{at:g}", subject=subject),
        act(at=at + 1, subject=subject),
        over(at + 3, f"over-{at:g}", subject=subject),
    ]


def flapping(*starts: float) -> list[Event]:
    """The alert fires at these minutes and clears two minutes later, each time with nobody acting."""
    return [e for at in starts for e in (alert(at, f"flap-{at:g}"), over(at + 2, f"flapped-{at:g}"))]


def history() -> list[Event]:
    """The alert fired and cleared with nobody acting."""
    return [alert(-9 * DAYS, "old"), over(-9 * DAYS + 20, "old-over")]


def standings(service: str) -> list[Event]:
    """The alert fired and cleared on three days."""
    return [
        event
        for day in (3, 2, 1)
        for event in (
            alert(-day * DAYS, f"{service}-{day}", service=service),
            over(-day * DAYS + 20, f"{service}-{day}-over", service=service),
        )
    ]


def daily(title: str, days: int) -> list[Event]:
    """The same act on some days before, with nothing beside it."""
    return [act(at=-day * DAYS, name=f"daily-{day}", title=title) for day in range(days, 0, -1)]


def work(what: str, at: float, **fields: object) -> Event:
    return make_event(f"maintenance.{what}", at, f"work-{what}", **fields)


def response(what: str, at: float, **fields: object) -> Event:
    return make_event(f"alert.{what}", at, f"{what}-{at:g}", **{"actor": PERSON, **fields})


def run(at: float, version: str, subject: str) -> Event:
    """A deployment by a tool that gives each run a number."""
    return act("deployed", at, subject=subject, labels={"version": version})


def scaled(at: float, workers: float, **fields: object) -> Event:
    return act("scaled", at, subject="workers", value=workers, **fields)


FEW_ADDRESSES = alert(service="side", title="free addresses below ten")
STORIES: list[tuple[str, float | None, list[Event]]] = [
    ("bias", 1.0, [alert(), act()]),
    ("reversal", 1.0, [alert(), act("rolled_back")]),
    ("reversal", 1.0, [alert(), act("restored")]),
    ("reversal", 1.0, [deployed(-300, "1"), deployed(-60, "2"), alert(), deployed(10, "1")]),
    ("reversal", 1.0, [run(-300, "1", "run 1"), run(-60, "2", "run 2"), alert(), run(10, "1", "run 3")]),
    ("reversal", None, [run(-300, "1", "web"), run(-60, "2", "worker"), alert(), run(10, "1", "web")]),
    ("reversal", 1.0, [flag(-60, "on"), alert(), flag(10, "off")]),
    ("reversal", 0.4, [alert(), act("merged", title='Revert "new cart"')]),
    ("reversal", None, [alert(), act()]),
    ("reversal", 1.0, [alert(), act("configured", title="previous settings of main applied again")]),
    ("reversal", 1.0, [alert(), act("configured", title="put back the old limits")]),
    ("reversal", 1.0, [alert(), act("configured", title="main back on the last good config")]),
    ("reversal", None, [alert(), act("configured", title="settings of main applied")]),
    ("corrective", 1.0, [alert(), act()]),
    ("corrective", -0.5, [alert(), flag(10, "on")]),
    ("corrective", None, [alert(), deployed(10, "1")]),
    ("stopped", 1.0, [alert(), act("held")]),
    ("stopped", None, [alert(), act()]),
    ("automation", 1.0, [alert(), act("rolled_back", actor=MACHINE)]),
    ("automation", None, [alert(), act("rolled_back")]),
    ("automatic_rescue", 1.0, [alert(), act("failed_over", actor=MACHINE)]),
    ("automatic_rescue", None, [alert(), act("failed_over")]),
    ("routine", 1.0, [alert(), act(title="planned upgrade")]),
    ("routine", None, [alert(), act(title="restart the writer")]),
    *(
        ("routine", 1.0, [alert(), act("held", title=said)])
        for said in ("cancelled, newer commit", "no changes, discarded", "plan only, closed", "waiting for approval")
    ),
    ("routine", None, [alert(title="nightly dump of db failed"), act()]),
    ("routine", 1.0, [alert(title="exercise: primary of db is gone"), act()]),
    ("severity", 1.0, [alert(severity="critical"), act()]),
    ("corrective", 0.0, [alert(title="db heap 93 %"), act("configured", title="tag resources with cost centre")]),
    ("corrective", 1.0, [alert(title="db heap 93 %"), act("configured", title="heap of the cost centre raised")]),
    ("corrective", 1.0, [alert(title="db heap 93 %"), act("configured", title="db")]),
    ("corrective", 1.0, [alert(title="db heap 93 %"), act("restarted", title="rolling the cost centre pods")]),
    ("severity", 0.75, [alert(severity="high"), act()]),
    ("severity", 0.4, [alert(severity="warning"), act()]),
    ("severity", 0.4, [alert(severity=None), act()]),
    ("severity", 0.1, [alert(severity="info"), act()]),
    ("note", 1.0, [make_event("note.added", 0, "odd", title="odd", actor=PERSON), act()]),
    ("note", None, [alert(), act()]),
    ("sign_names_trouble", -0.5, [note(title="can I scale it down at night, it is slow anyway?"), act()]),
    ("sign_names_trouble", -0.5, [note(title="strange log line, harmless though"), act()]),
    ("sign_names_trouble", -0.5, [note(title="scaled down the old one"), act()]),
    ("sign_names_trouble", 1.0, [note(title="it is down"), act()]),
    ("routine", None, [alert(), act(title="raise the quota of smtp-daily")]),
    ("routine", 1.0, [alert(), act("scaled", title="4 to 9 (campaign)")]),
    ("routine", 1.0, [alert(), act("scaled", title="grow the volume (quarterly plan)")]),
    ("routine", 1.0, [alert(), flag(10, "off", title="new-cart off after the demo")]),
    ("sign_names_trouble", 1.0, [note(title="totals do not match the ledger"), act()]),
    ("sign_names_trouble", 1.0, [note(title="please don't send the file"), act()]),
    ("routine", 1.0, [alert(), act("restored", title="dump imported on dev")]),
    ("routine", 1.0, [alert(), act("restored", title="restore test of the week")]),
    ("corrective", 1.0, [alert(), act("flag_set", subject="new-cart", title="targeting of new-cart (off)")]),
    ("corrective", 1.0, [alert(), act("flag_set", subject="new-cart", title="new-cart -> off")]),
    ("corrective", -0.5, [alert(), act("flag_set", subject="new-cart", title="turned on new-cart")]),
    ("act_names_trouble", 1.0, [alert(), act(title="restart the stuck writer")]),
    ("act_names_trouble", None, [alert(), act(title="restart the writer")]),
    ("act_names_trouble", None, [alert(), act("rolled_back", title="stuck", actor=MACHINE)]),
    ("sign_names_trouble", 1.0, [note(title="the totals look wrong"), act()]),
    ("sign_names_trouble", -0.5, [note(title="totals"), act()]),
    ("sign_names_trouble", None, [alert(title="totals wrong"), act()]),
    ("confirmed", 1.0, [note(), act(), note(20, "again")]),
    ("confirmed", None, [note(), act(), note(20, "again", actor=OTHER)]),
    ("record", 1.0, [make_event("incident.opened", 0, "inc", subject="INC-1"), act()]),
    ("record", 1.5, [make_event("incident.opened", 0, "inc", subject="INC-1", labels={"impact": "none"}), act()]),
    ("undone_soon", 1.0, [flag(0, "on"), flag(5, "off")]),
    ("undone_soon", 1 - 1 / 2.2, [flag(0, "on"), flag(50, "off")]),
    ("undone_soon", 0.0, [flag(0, "on"), flag(6 * DAYS, "off")]),
    ("outside_production", 1.0, [alert(environment="staging"), act()]),
    ("outside_production", 0.3, [alert(environment="staging"), act(subject="disk")]),
    ("outside_production", 0.3, [alert(environment="staging"), act("held")]),
    ("outside_production", None, [alert(), act()]),
    ("same_thing", 1.0, [alert(), act(subject="disk")]),
    ("same_thing", 1.0, [alert(labels={"node": "n7"}), act(labels={"node": "n7"})]),
    ("same_thing", 1.0, [alert(labels={"version": "4"}), act(labels={"previous": "4"})]),
    ("same_thing", None, [alert(), act(subject="pool")]),
    ("same_thing", 1.0, [alert(title="canary 25.13.39: errors"), act("held", title="25.13.39 aborted", subject="x")]),
    ("same_thing", None, [alert(title="canary 25.13.39: errors"), act("held", title="25.13.38 aborted", subject="x")]),
    ("same_thing", None, [alert(title="10.1.2.3 unreachable"), act(title="restart 10.1.2.3", subject="x")]),
    ("neighbour", 1.0, [alert(service="api"), act()]),
    ("neighbour", None, [alert(), act()]),
    ("sibling", 1.0, [alert(service="side"), act(service="api"), over(55, service="side")]),
    ("sibling", None, [alert(service="api"), act(service="api")]),
    (
        "sibling",
        0.5,
        [FEW_ADDRESSES, act(service="api", title="fewer nodes to free addresses"), over(55, service="side")],
    ),
    ("sibling", 1.0, [FEW_ADDRESSES, act(service="api", title="fewer addresses a node"), over(55, service="side")]),
    ("page_taken", 1.0, [alert(), make_event("alert.acknowledged", 5, "ack", subject="disk", actor=OTHER), act()]),
    ("page_taken", 0.5, [alert(), make_event("alert.acknowledged", 5, "ack", subject="x", actor=OTHER), act()]),
    ("page_taken", None, [alert(), act()]),
    ("same_person", 1.0, [alert(), make_event("alert.acknowledged", 5, "ack", subject="disk", actor=PERSON), act()]),
    ("same_person", 1.0, [alert(), act(), make_event("note.added", 20, "why", actor=PERSON)]),
    ("same_person", None, [alert(), act(), make_event("note.added", 20, "why", actor=OTHER)]),
    ("others_came", 0.75, [alert(), make_event("responder.joined", 5, "came", actor=OTHER), act()]),
    (
        "others_came",
        1.0,
        [
            alert(),
            *(make_event("responder.joined", n, f"c{n}", actor=Actor(id=f"p{n}", kind="human")) for n in range(4)),
            act(),
        ],
    ),
    (
        "others_came",
        1.0,
        [alert(), *(make_event("alert.silenced", n, f"s{n}", subject="disk") for n in range(1, 4)), act()],
    ),
    (
        "others_came",
        None,
        [alert(), *(make_event("alert.silenced", n, f"s{n}", subject="disk") for n in range(1, 3)), act()],
    ),
    ("agree", 0.0, [alert(), act()]),
    ("agree", 1.0, [alert(), alert(1, "b", subject="cpu"), act()]),
    ("agree", math.log2(3), [alert(), alert(1, "b", subject="cpu"), alert(2, "c", subject="queue"), act()]),
    ("recovered", 1.0, [alert(), act(at=90), over(100)]),
    ("recovered", -math.log10(0.5), [alert(), act(at=10), over(20)]),
    ("recovered", 2.0, [alert(), act(at=2 * DAYS), over(2 * DAYS + 1)]),
    ("recovered", -1.0, [alert(), act(at=10), over(10 + 121)]),
    ("recovered", None, [alert(), act(at=10), make_event("alert.cancelled", 20, "gone", subject="disk")]),
    ("came_back", 1.0, [alert(), act(), over(20), alert(20 + 119, "again")]),
    ("came_back", None, [alert(), act(), over(20), alert(20 + 120, "again")]),
    ("came_back", 1.0, [alert(), act(), over(20), alert(30, "flaps"), over(40, "over-again")]),
    ("clears_alone", 0.0, [alert(), act()]),
    ("clears_alone", 2 / 3 - 0.5, [*history(), alert(), act()]),
    ("clears_alone", 1 / 3 - 0.5, [*history(), act(at=-9 * DAYS + 10), alert(), act()]),
    ("rare_sign", 0.7, [alert(), act()]),
    ("rare_act", -math.log10(4 / 14 * 10 / DAYS), [alert(), act()]),
    ("deadline", 1.0, [expiring(6.9), act("rotated")]),
    ("deadline", 1.5, [expiring(0.9), act("rotated")]),
    ("deadline", 0.3, [expiring(0.9), act("restarted")]),
    ("deadline", None, [expiring(7.1), act()]),
    ("deadline", None, [expiring(13.9), act()]),
    ("deadline", -1.0, [expiring(14.1), act()]),
    ("thin", 1.0, [alert(value=90.0, limit=100.0), act()]),
    ("thin", None, [alert(value=89.0, limit=100.0), act()]),
    ("thin", None, [alert(value=100.0, limit=100.0), act()]),
    ("thin", 1.0, [alert(value=3.0, limit=6.0, bound="min"), act()]),
    ("begun", 1.0, [alert(), started(5, "7"), deployed(10, "7")]),
    ("begun", -1.0, [started(-5, "7"), alert(), deployed(10, "7")]),
    ("begun", None, [alert(), deployed(4, "7")]),
    ("begun", -1.0, [alert(), deployed(3.9, "7")]),  # nobody answers an alert with a release so soon
    ("caused", 1.0, [flag(-10, "on"), alert(), flag(10, "off")]),
    ("caused", 1.0, [*standings("db"), flag(-10, "on"), alert(), flag(10, "off")]),
    ("caused", 0.34, [*standings("db"), flag(-600, "on"), alert(), flag(10, "off")]),
    ("caused", None, [alert(-15), flag(-10, "on"), flag(10, "off")]),
    ("unknown_service", 1.0, [alert(service="who"), act(service="who")]),
    ("unknown_service", None, [alert(), act()]),
    ("usual_pairing", 0.0, [alert(), act()]),
    ("common_sign", 0.0, [alert(), act()]),
    ("common_sign", math.log2(1 + 2.93) / 2, [*standings("db"), alert(), act()]),
    ("common_sign", math.log2(1 + 2.93) / 2, [*standings("side"), alert(), act()]),
    ("common_sign", 0.0, [*standings("db"), alert(subject="memory"), act()]),
    ("shared_words", 1.0, [alert(title="nightly dump of main failed"), act("ran", title="dump main once more")]),
    ("shared_words", 1.0, [alert(labels={"alertname": "VolumesFillUp"}), act("ran", title="purge a volume")]),
    ("shared_words", None, [alert(title="main restarted twice"), act(title="main restarted")]),
    ("shared_words", None, [alert(title="latency of main"), act(title="configure the pool of main")]),
    ("unrecovered", 1.0, [*standings("side"), alert(), act()]),
    ("unrecovered", None, [*standings("side"), alert(), act(), over(20)]),
    ("unrecovered", None, [*standings("side")[2:], alert(), act()]),
    ("familiar", 0.0, [alert(), act(title="restart main")]),
    ("familiar", math.log2(1 + 2.93) / 2, [*daily("restart main", 3), alert(), act(title="restart main")]),
    ("familiar", 0.0, [*daily("restart main", 3), alert(), act(title="raise the pool of main")]),
    ("familiar", 0.0, [*daily("restart main", 3), alert(), act("rolled_back", title="restart main")]),
    ("announced", 2.5, [work("started", -20), alert(), act()]),
    ("announced", 1.0, [alert(-30), work("started", -20), act()]),
    ("announced", 2.5, [work("started", -20, labels={"scope": "api"}), alert(), act()]),
    ("rare_act", None, [work("started", -20), alert(), act()]),
    ("rare_act", 1.86, [alert(), deployed(3, "7")]),
    ("rare_act", 1.86, [alert(), deployed(20, "7")]),
    ("rare_act", 1.57, [alert(), deployed(40, "7")]),
    ("rare_act", 3.23, [alert(), act("restarted", 3)]),
    ("undone_soon", None, [act("started", 0, subject="run"), act("configured", 4, subject="run"), alert(-1)]),
    ("announced", None, [work("started", -20), work("ended", -5), alert(), act()]),
    ("announced", None, [work("started", -20, labels={"scope": "side"}), alert(), act()]),
    ("announced", 2.5, [note(-60, title="I will turn it on now"), flag(-30, "on"), alert(), flag(10, "off")]),
    ("announced", None, [note(-60, title="it is on"), flag(-30, "on"), alert(), flag(10, "off")]),
    ("announced", None, [note(-60, title="I will", actor=OTHER), flag(-30, "on"), alert(), flag(10, "off")]),
    ("announced", None, [note(-271, title="I will turn it on"), flag(-30, "on"), alert(), flag(10, "off")]),
    ("announced", None, [alert(), note(5, title="I will restart it"), act()]),
    ("announced", 2.5, [note(-60, title="load test from ten to eleven"), alert(), act()]),
    ("announced", 1.0, [alert(-70), note(-60, title="drill until noon", actor=OTHER), act()]),
    ("announced", 1.0, [alert(-70), note(-60, title="Failure Friday starts", actor=OTHER), act()]),
    ("announced", 1.0, [alert(-70), note(-60, title="fault injection until noon", actor=OTHER), act()]),
    ("announced", None, [alert(-70), note(-60, title="is this a drill?", actor=OTHER), act()]),
    ("announced", None, [alert(-490), note(-480, title="drill until noon", actor=OTHER), act()]),
    ("announced", 2.5, [note(-60, title="scaling db up for Easter as planned", actor=OTHER), alert(), act("scaled")]),
    ("announced", None, [note(-60, title="scaling db up for Easter as planned", actor=OTHER), alert(), act()]),
    ("announced", None, [note(-250, title="scaling db up as planned", actor=OTHER), alert(), act("scaled")]),
    ("announced", None, [note(-60, title="scaling db up, unplanned", actor=OTHER), alert(), act("scaled")]),
    ("routine", 1.0, [note(-60, title="load test from ten to eleven"), alert(), act()]),
    ("routine", 2.5, [flag(-30, "on", title="flag on (exercise)"), alert(), flag(10, "off")]),
    ("called_harmless", 1.0, [alert(), note(3, title="nothing to do, the old one"), act()]),
    ("called_harmless", 3.0, [alert(), note(3, title="rack is cold, false alarm"), act()]),
    ("called_harmless", None, [alert(), note(3, title="that was no false alarm"), act()]),
    ("called_harmless", 3.0, [alert(), note(3, title="exporter bug, the number is wrong"), act()]),
    ("called_harmless", 3.0, [alert(), note(3, title="hash is signed, looks like FP"), act()]),
    ("clears_alone", 0.8, [*flapping(-90, -60, -30), alert(), act()]),
    ("clears_alone", 0.8, [*flapping(-9, -6, -3), alert(), act()]),
    ("clears_alone", 0.4, [*flapping(-500, -450, -400, -60, -30), alert(), act()]),
    ("called_harmless", 1.0, [alert(), response("acknowledged", 3, title="known issue", subject="disk"), act()]),
    ("called_harmless", None, [alert(), response("acknowledged", 3, title="known issue", subject="heap"), act()]),
    ("called_harmless", None, [note(-3, title="nothing to do"), alert(), act()]),
    ("called_harmless", None, [alert(), note(3, title="no idea what that is"), act()]),
    ("unprompted", 1 / 2.2, [flag(0, "on"), flag(50, "off")]),
    ("unprompted", None, [flag(0, "on"), alert(10), flag(50, "off")]),
    ("unprompted", 1 / 2.2, [alert(-10), flag(0, "on"), flag(50, "off")]),
    ("unprompted", 0.62, [*standings("db"), flag(-600, "on"), alert(), flag(10, "off")]),
    (
        "unprompted",
        None,
        [act("configured", 0, subject="x", title="9 to 4"), act("configured", 50, subject="x", title="4 to 9")],
    ),
    ("done_elsewhere", 1.0, [scaled(0, 12), scaled(4, 6), scaled(9, 12, service="side")]),
    ("done_elsewhere", 1.0, [scaled(0, 12), scaled(2, 12, service="side"), scaled(4, 6)]),
    ("done_elsewhere", None, [scaled(0, 12), scaled(4, 6), scaled(9, 8, service="side")]),
    ("done_elsewhere", None, [alert(), scaled(0, 12), scaled(16, 6), scaled(20, 12, service="side")]),
    ("done_elsewhere", None, [scaled(0, 12), scaled(4, 6), scaled(35, 12, service="side")]),
    ("done_elsewhere", None, [scaled(0, 12), scaled(4, 6), scaled(9, 12, service="side", actor=OTHER)]),
    ("done_elsewhere", None, [alert(), scaled(0, 12), scaled(4, 6, actor=OTHER), scaled(9, 12, service="side")]),
    ("net_rate", 0.0, [alert(), act()]),
    ("learning", 0.0, [alert(), act()]),
]


@pytest.mark.parametrize(
    ("feature", "value", "story"),
    STORIES,
    ids=[f"{name}={value}" for name, value, _ in STORIES],
)
def test_a_feature_has_its_value_in_its_story(feature: str, value: float | None, story: list[Event]) -> None:
    kinds = {
        "note": "note",
        "sign_names_trouble": "note",
        "confirmed": "note",
        "record": "record",
        "undone_soon": "change",
        "unprompted": "change",
        "done_elsewhere": "change",
    }
    found = weigh(*story, kind=kinds.get(feature, "alert") if value is not None else None)
    assert found.get(feature) == (None if value is None else pytest.approx(value, abs=0.01))


@pytest.mark.parametrize("story", [story for _, value, story in STORIES if value is not None])
def test_every_reason_is_a_whole_sentence(story: list[Event]) -> None:
    net, candidate = caught(*story)
    for option in candidate.options:
        alone = msgspec.structs.replace(candidate, options=[option])
        for reason in net.sequel.settle(alone, None).reasons:
            assert "  " not in reason.text
            assert not reason.text.endswith(" ")


def test_how_soon_a_change_was_undone_is_told_beside_an_alert_too() -> None:
    net, candidate = caught(flag(-30, "on"), alert(), flag(10, "off"))
    alone = msgspec.structs.replace(candidate, options=[o for o in candidate.options if o.kind == "alert"])
    assert "the change was undone 40 min later" in [reason.text for reason in net.sequel.settle(alone, None).reasons]


@pytest.mark.parametrize(
    ("at", "said", "is_danger"),
    [
        (-60, "drill until noon", False),
        (-60, "is this a drill?", True),
        (-480, "drill", False),
        (-481, "drill", True),
        (5, "drill", True),
    ],
    ids=["before it", "a question", "in the morning", "the day before", "after it"],
)
def test_what_begins_in_a_drill_is_no_danger(at: float, said: str, is_danger: bool) -> None:
    found: list[Caught] = []
    net = Net(Observed(), shop(), reasoned(live=0.5, digest=1e-9))
    for event in sorted((note(at, title=said, actor=OTHER), alert(), act()), key=lambda event: event.time):
        found += net.observe(event)
    assert any(option.kind == "alert" for one in found for option in one.options) is is_danger


def test_every_feature_has_a_story() -> None:
    assert set(FEATURES) == {name for name, _, _ in STORIES} | {"recognised"}


def test_a_rule_that_recognises_the_pattern_is_evidence() -> None:
    assert weigh(alert(), act(), recognised={"full-averted": [alert()]})["recognised"] == 1.0
    assert "recognised" not in weigh(alert(), act())


@pytest.mark.parametrize(
    ("kind", "hazard", "speaks"),
    [
        ("alert", alert(), True),
        ("change", alert(), False),
        ("change", flag(-30, "on"), True),
        ("alert", flag(-30, "on"), False),
        ("change", make_event("responder.paged", 2, "page"), True),
    ],
    ids=["its alert", "another sign than its alert", "the change undone", "not the change undone", "no sign at all"],
)
def test_a_rule_speaks_for_the_sign_that_it_is_about(kind: str, hazard: Event, speaks: bool) -> None:
    found = weigh(flag(-30, "on"), alert(), flag(10, "off"), kind=kind, recognised={"some-rule": [hazard]})
    assert ("recognised" in found) == speaks
