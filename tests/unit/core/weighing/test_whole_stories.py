"""The whole evidence of some stories, figure by figure: whoever changes one changes `whole_stories.json` too.

Each tells what happened before on the services (`month`), what stood when somebody acted, and what followed.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest

from monitor.core.model.catalogue import Catalogue
from monitor.core.model.events import DAY, MINUTE, Actor, Event, Instant
from monitor.core.weighing.net import Net
from monitor.core.weighing.observed import Observed
from monitor.core.weighing.option import Caught
from monitor.core.weighing.weights import reasoned
from tests.support.streams import MACHINE, PERSON, START, make_event, shop

HOURS = 60
DAYS = 24 * HOURS
"""In minutes."""
OTHER = Actor(id="p2", kind="human")
LEAST = 1e-9


def alert(at: float, name: str = "alert", **fields: Any) -> Event:
    return make_event("alert.fired", at, name, **{"subject": "disk", "severity": "high", **fields})


def over(at: float, name: str = "over", **fields: Any) -> Event:
    return make_event("alert.resolved", at, name, **{"subject": "disk", **fields})


def did(verb: str, at: float, name: str = "act", **fields: Any) -> Event:
    return make_event(f"change.{verb}", at, name, **{"actor": PERSON, **fields})


def month() -> list[Event]:
    """Four weeks on three services: an alert every third day that clears by itself or after a restart, releases by two
    people, a flag, a job of automation, a note and an incident.
    """
    found: list[Event] = []
    for day in range(-28, 0):
        at = day * DAYS
        if day % 3 == 0:
            found += [alert(at, f"disk{day}"), over(at + 25 + day % 2, f"disk-over{day}")]
        if day % 6 == 0:
            found.append(did("restarted", at + 9, f"restart{day}", title="restart the writer", subject="writer"))
        if day % 5 == 0:
            found.append(did("deployed", at + 10 * HOURS, f"d{day}", service="api", labels={"version": f"{day}"}))
        if day % 7 == 0:
            found.append(alert(at + 5 * HOURS, f"lag{day}", service="shop", subject="lag", severity="warning"))
            found.append(over(at + 6 * HOURS, f"lag-over{day}", service="shop", subject="lag"))
            found.append(did("scaled", at + 5.2 * HOURS, f"s{day}", service="shop", subject="web", value=4.0 + day % 4))
        if day % 4 == 0:
            found.append(did("ran", at + 3 * HOURS, f"job{day}", actor=MACHINE, title="rotate the logs"))
            found.append(
                did("configured", at + 11 * HOURS, f"c{day}", actor=OTHER, subject="pool", title="pool 4 to 5")
            )
    found.append(make_event("note.added", -9 * DAYS, "old-note", title="totals look odd", actor=OTHER))
    found.append(make_event("incident.opened", -8 * DAYS, "old-inc", service="api", subject="INC-0"))
    found.append(make_event("incident.closed", -8 * DAYS + 60, "old-inc-over", service="api", subject="INC-0"))
    return found


def rotated(at: float, days: float, life: float, **fields: Any) -> Event:
    ends = Instant(START + int(at * MINUTE) + int(days * DAY))
    renewed = Instant(START + int(at * MINUTE) + int(life * DAY))
    return did("rotated", at, previous_expires_at=ends, expires_at=renewed, subject="cert", **fields)


PLAIN = [
    alert(0, title="disk of main nearly full", value=95.0, limit=100.0),
    alert(4, "cpu", subject="cpu", severity="critical"),
    make_event("alert.acknowledged", 6, "ack", subject="disk", actor=PERSON),
    make_event("responder.joined", 7, "came", actor=OTHER),
    did("restarted", 10, title="restart the writer, disk is full", subject="writer"),
    make_event("note.added", 14, "why", actor=PERSON),
    over(22),
    alert(80, "again"),
]
AROUND = [
    alert(0, "next-door", service="api", subject="errors"),
    alert(5, "upstream", service="shop", subject="lag", severity="warning"),
    alert(6, "mild", subject="noise", severity="info"),
    alert(7, "staging", subject="canary", environment="staging"),
    make_event("change.failed", 8, "failed", subject="rollout"),
    make_event("note.added", 9, "odd", title="why are totals wrong?", subject="totals", actor=OTHER),
    make_event("note.added", 10, "plain", title="looking", subject="look", service="api", actor=PERSON),
    make_event("incident.opened", 12, "inc", subject="INC-1", labels={"impact": "none"}, actor=OTHER),
    did("configured", 20, title="pool of db to 9", subject="pool"),
    over(50, "next-door-over", service="api", subject="errors"),
    make_event("note.added", 60, "confirmed", subject="totals", actor=OTHER),
]
FLAG = [
    did("flag_set", -200, "on", subject="new-cart", labels={"value": "on"}, actor=OTHER),
    alert(-150, "after", subject="errors", severity="critical"),
    make_event("maintenance.started", -100, "work", labels={"scope": "shop"}, service=None),
    did("flag_set", 0, subject="new-cart", labels={"value": "off"}),
    over(3, subject="errors"),
]
UNPROMPTED = [
    did("flag_set", -3 * DAYS, "on", subject="new-cart", labels={"value": "on"}, actor=OTHER),
    did("flag_set", 0, subject="new-cart", labels={"value": "off"}),
]
RELEASE = [
    did("deployed", -2 * DAYS, "one", subject="web", labels={"version": "1"}),
    did("deployed", -40, "two", subject="web", labels={"version": "2"}),
    alert(-30, subject="errors", labels={"version": "2", "alertname": "ErrorsHigh"}),
    did("deployed", 0, subject="web", labels={"version": "1", "previous": "2"}),
    over(5, subject="errors", labels={"alertname": "ErrorsHigh"}),
]
FORWARD = [
    make_event("change.started", -50, "begun", labels={"version": "7"}, subject="web"),
    alert(-30, subject="errors"),
    make_event("change.merged", -10, "merged", labels={"version": "7"}, subject="pr/7"),
    did("deployed", 0, subject="web", labels={"version": "7"}),
    over(200, subject="errors"),
]
RENEWED = [rotated(0, 2.5, 90)]
RENEWED_TODAY = [
    alert(-60, "expiring", subject="cert", expires_at=Instant(START + DAY // 2), severity="warning"),
    rotated(0, 0.5, 365),
    over(1, subject="cert"),
]
HELD = [
    make_event("change.started", -20, "plan", subject="plan"),
    make_event("change.failed", -10, "elsewhere", subject="rollout"),
    alert(-5, "near", subject="errors", environment="staging"),
    did("held", 0, subject="plan", title="hold the rollout, wrong region"),
]
ROBOT = [
    alert(-4, severity="critical", value=3.0, limit=6.0, bound="min"),
    did("failed_over", 0, actor=MACHINE, title="failover", subject="disk"),
    over(2),
]
SLIP = [
    did("scaled", -6, "wrong", subject="web", value=12.0),
    did("scaled", 0, subject="web", value=6.0),
    did("scaled", 5, "right", service="side", subject="web", value=12.0),
]
STRANGER = [
    alert(-20, "lone", service="who", environment=None),
    did("ran", 0, service="who", environment=None, title="planned upgrade of who"),
    over(100, "lone-over", service="who"),
]
SIBLING = [
    alert(-30, "beside", service="side", subject="queue", severity="critical"),
    did("restarted", 0, service="api"),
    over(20, "beside-over", service="side", subject="queue"),
]
CROWDED = [
    *(alert(-60 + n, f"crowd{n}", subject=f"s{n}", severity=("high", "warning", None)[n % 3]) for n in range(9)),
    *(make_event("alert.silenced", -30 + n, f"quiet{n}", subject="s0") for n in range(3)),
    did("ran", 0, title="purge s0", subject="s0"),
    over(4, subject="s0"),
]
BUSY = [
    event
    for n in range(7)
    for event in (
        alert(-70 + 8 * n, f"busy{n}", subject=f"b{n}"),
        did("ran", -68 + 8 * n, f"did{n}" if n < 6 else "act", subject=f"b{n}"),
        over(-66 + 8 * n, f"busy-over{n}", subject=f"b{n}"),
    )
]
STORIES: dict[str, list[Event]] = {
    "an alert and a restart": PLAIN,
    "signs all around": AROUND,
    "a flag goes off in announced work": FLAG,
    "a flag goes off with nothing amiss": UNPROMPTED,
    "a version comes back": RELEASE,
    "a release that was under way": FORWARD,
    "a certificate is renewed in time": RENEWED,
    "a certificate is renewed on its last day": RENEWED_TODAY,
    "a rollout is held": HELD,
    "automation fails over": ROBOT,
    "undone here, done there": SLIP,
    "a service that nobody knows": STRANGER,
    "a sibling recovers": SIBLING,
    "a crowd of alerts": CROWDED,
    "a busy hour": BUSY,
}


def evidence(story: list[Event], before: list[Event], catalogue: Catalogue) -> list[list[object]]:
    """Of each option of the act, as known in the end: its sign, how near, figures, what is cited, log odds."""
    weights = reasoned(live=0.5, digest=LEAST)
    net = Net(Observed(), catalogue, weights)
    found: dict[str, Caught] = {}
    for event in sorted([*before, *story], key=lambda event: (event.time, event.source, event.id)):
        found |= {caught.act.id: caught for caught in net.observe(event)}
    caught = found["act"]
    cited = {option.kind + option.key: [event.id for event in option.cited] for option in caught.options}
    return [
        [
            option.kind,
            option.relation,
            {name: round(value, 3) for name, value in sorted(values.items())},
            cited[option.kind + option.key],
            round(weights.log_odds(values), 2),
        ]
        for option, values in net.sequel.outcomes(caught)
    ]


def catalogue_of(kind: str) -> Catalogue:
    """With domains: `wide` has the three services of the shop in one of five domains."""
    known = shop()
    if kind == "plain":
        return known
    services = {name: msgspec.structs.replace(service, domain=name[:2]) for name, service in known.services.items()}
    for name in ("shop", "api", "db"):
        services[name] = msgspec.structs.replace(services[name], domain="cart")
    return msgspec.structs.replace(known, services=services)


EXPECTED: dict[str, list[list[object]]] = msgspec.json.decode(
    Path(__file__).with_name("whole_stories.json").read_bytes()
)
"""By story, and by what came before: of each option its sign, how near it is, the figures, what is cited, log odds."""


@pytest.mark.parametrize("name", EXPECTED)
def test_the_figures_of_a_story(name: str) -> None:
    story, _, when = name.rpartition(", ")
    before = [] if when == "alone" else month()
    assert (
        evidence(STORIES[story], before, catalogue_of("wide" if when == "in a domain" else "plain")) == EXPECTED[name]
    )


def test_every_story_is_told_alone_and_after_a_month() -> None:
    assert {f"{name}, {when}" for name in STORIES for when in ("alone", "after a month")} <= EXPECTED.keys()
