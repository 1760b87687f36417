"""Everything that is decided in some stories, field by field: whoever changes one changes `whole_drafts.json` too.

Evidence is named by its ids, times are minutes after the start, and fields that say nothing are left out.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest

from monitor.core.deciding.engine_settings import EngineSettings
from monitor.core.model.decisions import Decision, Late
from monitor.core.model.events import MINUTE, Event, Instant
from monitor.core.weighing.weights import reasoned
from tests.support.streams import (
    MACHINE,
    PERSON,
    START,
    acted_rule,
    clear_feed,
    law_rules,
    make_event,
    new_engine,
)

DAYS = 24 * 60
"""In minutes."""
INSTANTS = (
    *("first_sign_at", "noticed_at", "intervened_at", "safe_at", "opened_at", "window_from", "window_to", "at"),
    *("told_from", "told_to"),
)


def alert(at: float, name: str = "alert", **fields: Any) -> Event:
    return make_event("alert.fired", at, name, **{"subject": "full", "severity": "high", "title": "disk", **fields})


def over(at: float, name: str = "fine", **fields: Any) -> Event:
    return make_event("alert.resolved", at, name, **{"subject": "full", **fields})


def act(at: float, name: str = "act", verb: str = "scaled", **fields: Any) -> Event:
    return make_event(f"change.{verb}", at, name, **{"actor": PERSON, **fields})


def hit(at: float, name: str = "hit", **fields: Any) -> Event:
    return make_event("impact.started", at, name, **{"service": "shop", **fields})


def trouble(at: float, name: str = "", **fields: Any) -> list[Event]:
    return [alert(at, f"alert{name}", **fields), act(at + 10, f"act{name}"), over(at + 20, f"fine{name}", **fields)]


WATCHED = clear_feed("shop", -600, 4 * DAYS, 30)
"""Somebody looked for four days."""
STORIES: dict[str, list[Event]] = {
    "nothing else": [*trouble(60), *WATCHED],
    "noticed and talked about": [
        *trouble(60, value=95.0, limit=100.0, unit="percent"),
        make_event("note.added", 50, "early", title="odd", actor=PERSON),
        make_event("alert.acknowledged", 65, "ack", subject="full", actor=PERSON),
        make_event("note.added", 75, "note", title="growing it", actor=PERSON),
        make_event("responder.joined", 81, "too-late", actor=PERSON),
        make_event("incident.opened", 66, "inc", subject="INC-1", labels={"impact": "none"}),
        make_event("incident.closed", 90, "inc-over", subject="INC-1"),
        *WATCHED,
    ],
    "nobody looked": [*trouble(60), alert(61, "cpu", subject="cpu", environment=None)],
    "three times in a month": [*trouble(60, "1"), *trouble(10 * DAYS, "2"), *trouble(25 * DAYS, "3")],
    "two rules": [
        *trouble(60),
        make_event("alert.acknowledged", 65, "ack", subject="full", actor=PERSON),
        act(40, "on", "flag_set", subject="cart", labels={"value": "on"}),
        act(50, "off", "flag_set", subject="cart", labels={"value": "off"}),
        *WATCHED,
    ],
    "one thing leads to another": [*trouble(60), *trouble(120, "2", service="api", subject="errors"), *WATCHED],
    "users were hit": [*trouble(60), *trouble(100, "2", service="api", subject="errors"), hit(130), *WATCHED],
    "users were hit by what followed": [
        *trouble(60), *trouble(120, "2", service="api", subject="errors"), hit(400), *WATCHED,
    ],
    "users were hit days later": [*trouble(60), hit(3 * DAYS, labels={"change": "act"}), *WATCHED],
    "impact was announced": [*trouble(60), hit(100, labels={"planned": "true"}), *WATCHED],
    "announced too late to know": [
        *trouble(60),
        make_event("maintenance.started", 30, "work", service="db", received_at=Instant(START + 500 * MINUTE)),
        *WATCHED,
    ],
    "an alert that fires on": [
        *trouble(60), alert(85, "again"), over(95, "fine-again"), alert(300, "much-later"), *WATCHED,
    ],
    "nobody acted in time": [
        alert(0), alert(1, "cleared", subject="cpu"), over(5, "c", subject="cpu"), act(400, service="mail"),
        alert(10, "cleared-first", subject="mem", service="api"), over(12, "m", subject="mem", service="api"),
        act(20, "after", service="api"),
    ],
    "automation by itself": [
        make_event("change.rolled_back", 30, "back", actor=MACHINE),
        make_event("change.configured", 10, "conf", subject="x", actor=MACHINE),
        *WATCHED,
    ],
    "silenced thrice": [
        *(make_event("alert.silenced", 60 * n, f"quiet{n}", subject="lag", actor=PERSON) for n in range(4)),
        act(300), *WATCHED,
    ],
    "much of everything": [
        *(alert(60 + n, f"a{n:02}") for n in range(25)),
        *(make_event("note.added", 70 + n, f"n{n:02}", title="x", actor=PERSON) for n in range(25)),
        *(act(90 + n, f"f{n:02}") for n in range(25)),
        over(130),
        *WATCHED,
    ],
    "a sibling helps": [
        alert(60, service="api", subject="errors"), act(70, service="side"),
        over(80, service="api", subject="errors"), *WATCHED,
    ],
    "two alerts of one act": [
        alert(60), alert(62, "cpu", service="api", subject="cpu"), act(70), over(75),
        over(90, "cpu-fine", service="api", subject="cpu"), *WATCHED,
    ],
}  # fmt: skip
LATE: dict[str, list[Event]] = {
    "the alert came late": [alert(60)],
    "the act came late": [act(70)],
    "the recovery came late": [over(80)],
    "impact came late": [hit(100)],
    "an incident came late": [make_event("incident.opened", 100, "inc", service="api", labels={"impact": "users"})],
}


def event_time(kind: str, value: object) -> object:
    return round((int(str(value)) - START) / MINUTE, 2) if kind in INSTANTS and value is not None else value


def plain(decision: Decision) -> dict[str, object]:
    """A decision without what says nothing; a draft's evidence by its ids."""
    told: dict[str, Any] = msgspec.to_builtins(decision, enc_hook=int)
    if (draft := told.pop("draft", None)) is not None:
        told |= draft
        for name in ("hold",):
            told[name] = told[name] / MINUTE
        told["evidence"] = [f"{each['role']} {each['event']['id']}" for each in told["evidence"]]
        told["coverage"] = [f"{each['source']} {each['reports']} {each['detail']}" for each in told["coverage"]]
        told["reasons"] = [f"{each['feature']} {each['weight']}" for each in told["reasons"]]
        for name in ("schema_version", "rule_versions", "questions"):
            del told[name]
    elif told["type"] in ("ignore", "withdraw"):
        told["evidence"] = [each["id"] if "id" in each else each["event"]["id"] for each in told["evidence"]]
    return {name: event_time(name, value) for name, value in told.items() if value not in (None, [], {}, "", False)}


def decided(name: str) -> list[dict[str, object]]:
    story, _, how = name.rpartition(", ")
    rules = law_rules() if how != "one rule" else [acted_rule()]
    settings = EngineSettings(weights=reasoned(0.15, 0.1)) if how == "weighed" else EngineSettings()
    engine = new_engine(rules, settings=settings)
    if story in LATE:
        (late,) = LATE[story]
        first = [event for event in STORIES["nothing else"] if event.id != late.id]
        found = [*engine.step(in_order(first)), *engine.step([late])]
    else:
        found = engine.step(in_order(STORIES[story]))
    found += engine.end()
    return [plain(each) for each in found if not isinstance(each, Late)]


def in_order(events: list[Event]) -> list[Event]:
    return sorted(events, key=lambda event: (event.received_at or event.time, event.source, event.id))


NAMES = [
    *(f"{story}, {how}" for story in STORIES for how in ("one rule", "all rules", "weighed")),
    *(f"{story}, one rule" for story in LATE),
]
EXPECTED: dict[str, list[dict[str, object]]] = msgspec.json.decode(
    Path(__file__).with_name("whole_drafts.json").read_bytes()
)


@pytest.mark.parametrize("name", NAMES)
def test_what_is_decided(name: str) -> None:
    assert msgspec.json.decode(msgspec.json.encode(decided(name))) == EXPECTED[name]
