"""Builders and hypothesis strategies of event streams for tests of the engine."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from hypothesis import strategies as st

from monitor.core.deciding.engine import Engine
from monitor.core.model.catalogue import Catalogue, Service
from monitor.core.model.conditions import Compare, Condition
from monitor.core.model.decisions import Decision
from monitor.core.model.events import DAY, HOUR, MINUTE, SECOND, Actor, Event, Instant
from monitor.core.model.rule import Clause, Impact, Intervention, MarginSpec, Pair, Point, Rule, Step
from monitor.lab.ledger import Ledger
from monitor.packs.language.regex import make_regex

START = 1_800_000_000 * SECOND

_DID = "deployed rolled_back configured flag_set scaled restarted failed_over deleted restored rotated ran held"
HUMAN_ACTIONS = frozenset(f"change.{did}" for did in _DID.split())
BY_HUMAN: Condition = Compare("actor.kind", "equals", ("human",))


def make_event(kind: str, minutes: float, name: str | None = None, **fields: Any) -> Event:
    """An event so many minutes after START; its id is the kind and minute unless named."""
    at = Instant(START + int(minutes * MINUTE))
    fields.setdefault("service", "db")
    fields.setdefault("environment", "production")
    return Event(id=name or f"{kind}@{minutes:g}", source=fields.pop("source", "test"), time=at, kind=kind, **fields)  # type: ignore[arg-type]


PERSON = Actor(id="p1", kind="human")
MACHINE = Actor(id="bot", kind="automation")


def clear_feed(service: str, start: float, end: float, every: float = 10, source: str = "probe") -> list[Event]:
    """Reports of a feed that sees nothing wrong, in minutes."""
    count = int((end - start) / every) + 1
    return [
        make_event("impact.clear", start + n * every, f"clear-{service}-{n}", service=service, source=source)
        for n in range(count)
    ]


def shop() -> Catalogue:
    """shop (users) -> api -> db; mail stands alone; side also serves the shop."""
    services = {
        "shop": Service("shop", depends_on=("api", "side"), user_facing=True),
        "api": Service("api", depends_on=("db",)),
        "db": Service("db"),
        "side": Service("side"),
        "mail": Service("mail"),
    }
    return Catalogue(services=services, production=frozenset({"production"}))


def acted_rule(**changes: Any) -> Rule:
    """An alert of at least high severity, and a person's change on a related service within four hours."""
    fields: dict[str, Any] = {
        "name": "acted",
        "title": "{service}: {intervention.kind_words} {elapsed} after {hazard.title}",
        "family": "margin",
        "hazard": Step(frozenset({"alert.fired"}), Compare("severity", "one_of", ("high", "critical"))),
        "intervention": Intervention(Step(HUMAN_ACTIONS, BY_HUMAN), 4 * HOUR),
        "version": "1",
        "generic": True,
    }
    return Rule(**{**fields, **changes})


def law_rules() -> list[Rule]:
    """A small pack that uses every mechanism: generic and specific rules, steps before and after, pairs, counts."""
    flag = Rule(
        name="flag",
        title="flag",
        family="oops",
        version="1",
        hazard=Step(frozenset({"change.flag_set"})),
        intervention=Intervention(
            Step(frozenset({"change.flag_set"})), 30 * MINUTE, "same", (Pair("subject", "subject"),)
        ),
        clauses=(
            Clause(
                "quiet", Step(frozenset({"alert.fired"})), Point("safe"), Point("safe", HOUR), at_least=0, at_most=0
            ),
        ),
        impact=Impact(hold=HOUR),
    )
    acked = acted_rule(
        name="acked",
        generic=False,
        clauses=(
            Clause("ack", Step(frozenset({"alert.acknowledged"})), Point("hazard"), Point("intervention"), "related"),
        ),
    )
    silenced = Rule(
        name="silenced",
        title="silenced",
        family="mind_the_gap",
        version="1",
        hazard=Step(frozenset({"alert.silenced"})),
        intervention=Intervention(Step(HUMAN_ACTIONS, BY_HUMAN), 2 * DAY, "related"),
        clauses=(
            Clause(
                "thrice",
                Step(frozenset({"alert.silenced"})),
                Point("intervention", -2 * DAY),
                Point("intervention"),
                "same",
                (Pair("subject", "subject"),),
                2,
            ),
        ),
        margin=MarginSpec("count"),
    )
    by_itself = Rule(
        name="by-itself",
        title="by itself",
        family="automation",
        version="1",
        hazard=Step(frozenset({"change.rolled_back", "change.flag_set"})),
        intervention=Intervention(Step(frozenset({"change.rolled_back"})), 0, "same", itself=True),
        correlate=("service",),
        clauses=(
            Clause("again", Step(frozenset({"change.configured"})), Point("hazard", -HOUR), Point("hazard", HOUR)),
        ),
    )
    in_order = acted_rule(
        name="in-order",
        generic=False,
        clauses=(
            Clause("seen", Step(frozenset({"note.added", "alert.silenced"})), Point("hazard", -HOUR), Point("safe")),
            Clause(
                "quiet",
                Step(frozenset({"change.flag_set", "change.deleted"})),
                Point("step", 0, "seen"),
                Point("safe", HOUR),
                at_least=0,
                at_most=0,
            ),
        ),
    )
    return [acted_rule(), flag, acked, silenced, by_itself, in_order, *last_values_rules()]


def last_values_rules() -> list[Rule]:
    """Rules that ask what was before: rollbacks, what was put back, trends, lifetimes and repeats."""
    worse = Compare("derived.trend", "equals", ("worse",))
    put_back = Compare("derived.put_back", "equals", (True,))
    again = Compare("derived.repeats", "at_least", (1.0,))
    young = Compare("derived.lifetime_left", "above", (0.2,))
    return [
        acted_rule(
            name="worse",
            hazard=Step(frozenset({"alert.fired"}), worse),
            intervention=Intervention(
                Step(frozenset({"change.configured", "change.deleted", "change.restored"}), put_back), DAY
            ),
        ),
        acted_rule(
            name="again",
            hazard=Step(frozenset({"alert.fired", "note.added"}), again),
            intervention=Intervention(
                Step(frozenset({"change.deployed"}), Compare("derived.rollback", "equals", (True,))), DAY
            ),
        ),
        acted_rule(
            name="young",
            hazard=Step(frozenset({"note.added"})),
            intervention=Intervention(Step(frozenset({"change.rotated"}), young), 2 * DAY),
        ),
    ]


_KINDS = [
    "alert.fired",
    "alert.fired",
    "alert.fired",
    "alert.resolved",
    "alert.resolved",
    "alert.cancelled",
    "alert.acknowledged",
    "alert.silenced",
    "change.deployed",
    "change.rolled_back",
    "change.flag_set",
    "change.configured",
    "change.configured",
    "change.deleted",
    "change.rotated",
    "note.added",
    "incident.opened",
    "incident.closed",
    "impact.started",
    "impact.ended",
    "impact.clear",
    "impact.clear",
    "impact.clear",
    "maintenance.started",
    "maintenance.ended",
]


@st.composite
def events(draw: st.DrawFn, horizon_minutes: int = 3 * 24 * 60) -> Event:
    kind = draw(st.sampled_from(_KINDS))
    minutes = draw(st.one_of(st.integers(0, 600), st.integers(0, horizon_minutes)))
    labels: dict[str, str] = {}
    if kind.startswith("incident."):
        labels["impact"] = draw(st.sampled_from(["none", "users", "unknown"]))
    if kind == "change.deployed":
        labels["version"] = draw(st.sampled_from(["1", "2"]))
    if kind == "change.flag_set":
        labels["value"] = draw(st.sampled_from(["on", "off"]))
    if kind == "change.configured":
        labels["revision"] = draw(st.sampled_from(["r1", "r2"]))
    measured = draw(st.sampled_from([None, 1.0, 2.0])) if kind == "alert.fired" else None
    renewed = kind == "change.rotated"
    return make_event(
        kind,
        minutes,
        draw(st.sampled_from([f"e{n}" for n in range(10_000)])),
        source=draw(st.sampled_from(["a", "b"])),
        service=draw(st.sampled_from(["db", "db", "api", "shop", "mail", None])),
        environment=draw(st.sampled_from(["production", "production", "staging", None])),
        subject=draw(st.sampled_from(["s1", "s1", "s2", None])),
        severity=draw(st.sampled_from(["critical", "high", "warning", None])),
        actor=draw(st.sampled_from([PERSON, PERSON, MACHINE, None])),
        labels=labels,
        value=measured,
        bound=None if measured is None else draw(st.sampled_from(["max", "min"])),
        expires_at=Instant(START + draw(st.integers(1, 9)) * DAY) if renewed else None,
        previous_expires_at=Instant(START + draw(st.integers(0, 4)) * DAY) if renewed else None,
    )


def noises(since_minute: int = -60) -> st.SearchStrategy[list[Event]]:
    """Other people's alerts: ordinary, of a source and of subjects of their own, recovered or not."""

    @st.composite
    def one(draw: st.DrawFn) -> list[Event]:
        at = draw(st.integers(since_minute, since_minute + 4 * 24 * 60))
        name, subject = f"noise{draw(st.integers(0, 10_000))}", f"noise-{draw(st.integers(0, 3))}"
        where = {"service": draw(st.sampled_from(["db", "api", "shop", "mail"])), "subject": subject, "source": "noise"}
        severity = draw(st.sampled_from(["warning", "info", None]))
        fired = make_event("alert.fired", at, name, severity=severity, **where)
        over = make_event("alert.resolved", at + draw(st.integers(1, 600)), f"{name}-over", **where)
        return [fired, over] if draw(st.booleans()) else [fired]

    return st.lists(one(), max_size=25).map(
        lambda found: list({event.id: event for pair in found for event in pair}.values())
    )


def streams(max_size: int = 60) -> st.SearchStrategy[list[Event]]:
    """Streams of events with distinct identities, sorted by event time, with a feed that covers the first day."""
    return st.lists(events(), min_size=1, max_size=max_size, unique_by=lambda event: (event.source, event.id)).map(
        lambda found: sorted([*found, *clear_feed("shop", -30, 24 * 60, 30)], key=_in_time)
    )


@st.composite
def histories(draw: st.DrawFn) -> list[Event]:
    """Streams in which the same few things change and are measured again and again, some minutes apart."""
    told = st.sampled_from(["1", "2", "3"])
    stream = []
    for place in range(draw(st.integers(4, 14))):
        kind = draw(st.sampled_from(["change.configured", "change.deployed", "alert.fired", "note.added"]))
        labels = {"change.configured": "revision", "change.deployed": "version"}
        measured = draw(st.sampled_from([1.0, 2.0, 3.0])) if kind == "alert.fired" else None
        stream.append(
            make_event(
                kind,
                5 * place,
                f"e{place}",
                subject="s",
                severity="high",
                actor=PERSON,
                labels={labels[kind]: draw(told)} if kind in labels else {},
                value=measured,
                bound=None if measured is None else "max",
            )
        )
    return stream


def _in_time(event: Event) -> tuple[int, str, str]:
    return (event.time, event.source, event.id)


def new_engine(rules: Sequence[Rule] | None = None, catalogue: Catalogue | None = None, **more: Any) -> Engine:
    return Engine(
        law_rules() if rules is None else rules, shop() if catalogue is None else catalogue, make_regex, **more
    )


def saved(cells: dict[str, bytes], engine: Engine) -> dict[str, bytes]:
    """Put the changes of an engine into `cells`, as a store does; gives a copy of them all, to resume from."""
    for name, value in engine.take_changes().items():
        if value is None:
            cells.pop(name, None)
        else:
            cells[name] = value
    return dict(cells)


def run(engine: Engine, stream: Iterable[Event], end: bool = True) -> list[Decision]:
    decided = engine.step(list(stream))
    return decided + engine.end() if end else decided


def final(decided: Iterable[Decision]) -> dict[str, dict[str, object]]:
    """What stands in the end, by draft id, apart from when it was decided."""
    ledger = Ledger()
    ledger.record(decided)
    return {str(entry.draft.id): entry.line() for entry in ledger.entries()}
