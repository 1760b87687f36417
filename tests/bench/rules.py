"""What an event costs with many rules that mostly do not want it, against few."""

from __future__ import annotations

import time
from collections.abc import Sequence
from itertools import islice

import msgspec

from monitor.core.deciding.engine import Engine
from monitor.core.model.conditions import All, Compare, Condition
from monitor.core.model.events import HOUR, Event
from monitor.core.model.rule import Impact, Intervention, Rule, Step
from monitor.decode.canonical import decode_line
from monitor.lab.generator import StreamShape, generate, make_catalogue
from monitor.packs.language.regex import make_regex

_BATCH = 1_000


class RulesFigures(msgspec.Struct, frozen=True):
    """Microseconds of processor time an event in the engine alone, with few and with many rules, and the ratio."""

    events: int
    few: int
    many: int
    cost_few: float
    cost_many: float
    ratio: float


def synthetic_rules(count: int) -> list[Rule]:
    """Rules as a large organisation writes them: each for its own service, team, alert or version."""
    return [_rule(number) for number in range(count)]


def _rule(number: int) -> Rule:
    own: Condition = (
        Compare("service", "equals", (f"service-{number * 7 % 2000:04d}",)),
        Compare("labels.team", "equals", (f"squad-{number}",)),
        All((Compare("subject", "equals", (f"Special-{number}",)), Compare("severity", "at_least", ("high",)))),
        All((Compare("labels.version", "equals", (f"{number}.0",)), Compare("title", "contains", ("canary",)))),
    )[number % 4]
    kinds = (frozenset({"alert.fired"}), frozenset({"change.deployed"}), frozenset({"alert.fired", "note.added"}))
    return Rule(
        name=f"synthetic-{number}",
        title="{hazard.title}",
        family="oops",
        hazard=Step(kinds[number % 3], own),
        intervention=Intervention(Step(frozenset({"change.rolled_back", "change.restarted"}), own), within=HOUR),
        version=str(number),
        impact=Impact(hold=HOUR),
    )


def measure(events: int, few: int = 10, many: int = 200, rounds: int = 3) -> RulesFigures:
    """The best of some rounds, taken in turns. Decoding is left out, which makes the ratio the harder one."""
    shape = StreamShape(events)
    stream = [decode_line(line) for line in generate(shape)]
    best = {few: float("inf"), many: float("inf")}
    for _ in range(rounds):
        for count, known in best.items():
            best[count] = min(known, _run(stream, synthetic_rules(count), shape))
    cost_few, cost_many = (best[count] / events * 1e6 for count in (few, many))
    return RulesFigures(events, few, many, cost_few, cost_many, cost_many / cost_few)


def _run(stream: Sequence[Event], rules: Sequence[Rule], shape: StreamShape) -> float:
    engine = Engine(rules, make_catalogue(shape), make_regex)
    rest = iter(stream)
    started = time.process_time()
    while batch := list(islice(rest, _BATCH)):
        engine.step(batch)
    engine.end()
    return time.process_time() - started
