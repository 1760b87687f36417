"""Facts from the past: what is evicted afterwards changes no step of an event; a late predecessor counts."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import msgspec
import pytest

from monitor.core.deciding.engine import Engine
from monitor.core.matching.last_values import MOST_VALUES
from monitor.core.model.conditions import Compare
from monitor.core.model.decisions import Decision, Open
from monitor.core.model.events import DAY, Event
from monitor.core.model.packing import pack, unpack
from monitor.core.model.rule import Clause, Intervention, Point, Rule, Step
from monitor.core.state.chunks import Chunk
from monitor.core.state.event_series import Ttl
from monitor.core.state.memory import Memory
from tests.support.streams import acted_rule, clear_feed, make_event, new_engine, saved, shop

RESTART = make_event("change.restarted", 300, "restart")


def put_back() -> Rule:
    """A setting that was put back, and a restart afterwards."""
    return acted_rule(
        name="put-back",
        correlate=("service",),
        hazard=Step(frozenset({"change.configured"}), Compare("derived.put_back", "equals", (True,))),
        intervention=Intervention(Step(frozenset({"change.restarted"})), DAY),
    )


def worse() -> Rule:
    return acted_rule(
        name="worse",
        correlate=("service",),
        hazard=Step(frozenset({"alert.fired"}), Compare("derived.trend", "equals", ("worse",))),
        intervention=Intervention(Step(frozenset({"change.restarted"})), DAY),
    )


def configured(minutes: float, revision: str) -> Event:
    return make_event("change.configured", minutes, subject="pool", labels={"revision": revision})


def measured(minutes: float, value: float) -> Event:
    return make_event("alert.fired", minutes, subject="disk", value=value, bound="max")


FEED = clear_feed("shop", 0, 20 * 60, 30)
PUT_BACK = [configured(1, "r1"), configured(2, "r2"), configured(3, "r1")]
PUSHED_OUT = [*PUT_BACK, *(configured(10 + n, f"r{9 + n}") for n in range(MOST_VALUES + 5))]
WORSE = [measured(1, 1.0), measured(10, 2.0)]
LEARNED_LATE = [*WORSE, make_event("note.added", 200, service="mail"), measured(5, 3.0)]
PUT_BACK_LATE = [PUT_BACK[0], PUT_BACK[2], make_event("note.added", 200, service="mail"), PUT_BACK[1]]


def opened(
    rules: Sequence[Rule], first: Sequence[Event], change: Callable[[Engine, dict[str, bytes]], Engine]
) -> list[Decision]:
    """The drafts of a story that ends with a restart; in between the engine is changed."""
    engine, cells = new_engine(rules), dict[str, bytes]()
    decided: list[Decision] = []
    for event in first:
        decided += engine.step([event])
        saved(cells, engine)
    engine = change(engine, cells)
    decided += engine.step([RESTART, *(event for event in FEED if event.time > RESTART.time)]) + engine.end()
    return [each for each in decided if isinstance(each, Open)]


@pytest.mark.parametrize(
    ("rule", "story", "drafts"),
    [(put_back, PUSHED_OUT, 1), (worse, LEARNED_LATE, 1), (put_back, PUT_BACK_LATE, 1)],
    ids=["pushed out", "worse by what came late", "put back by what came late"],
)
def test_a_stop_changes_no_part_that_an_event_plays(rule: Callable[[], Rule], story: list[Event], drafts: int) -> None:
    def stop(engine: Engine, cells: dict[str, bytes]) -> Engine:
        return new_engine([rule()], cells=saved(cells, engine))

    undisturbed = opened([rule()], story, lambda engine, cells: engine)
    assert len(undisturbed) == drafts
    if story is not PUSHED_OUT:
        in_order = sorted(story, key=lambda event: event.time)
        assert opened([rule()], in_order, lambda engine, cells: engine) == undisturbed
    assert opened([rule()], story, stop) == undisturbed


@pytest.mark.parametrize(
    ("rule", "story"), [(put_back, PUSHED_OUT), (worse, LEARNED_LATE)], ids=["pushed out", "learned late"]
)
def test_new_words_of_a_rule_change_no_part_that_an_event_plays(rule: Callable[[], Rule], story: list[Event]) -> None:
    renamed = msgspec.structs.replace(rule(), title="other words", version="2")

    def reload(engine: Engine, cells: dict[str, bytes]) -> Engine:
        engine.replace([renamed], shop())
        return engine

    def restart(engine: Engine, cells: dict[str, bytes]) -> Engine:
        return new_engine([renamed], cells=saved(cells, engine))

    undisturbed = opened([renamed], story, lambda engine, cells: engine)
    assert opened([rule()], story, reload) == opened([rule()], story, restart) == undisturbed


def test_a_further_step_is_what_it_was_when_the_episode_is_judged() -> None:
    """However much has changed between the action and the end of the window."""
    step = Step(frozenset({"change.configured"}), Compare("derived.put_back", "equals", (True,)))
    rule = acted_rule(
        intervention=Intervention(Step(frozenset({"change.restarted"})), DAY),
        clauses=(Clause("put-back", step, Point("hazard"), Point("safe")),),
    )
    alert = make_event("alert.fired", 0, "alert", severity="high")
    restart = make_event("change.restarted", 5, "restart")
    engine = new_engine([rule])
    decided = engine.step([alert, *PUT_BACK, restart, *PUSHED_OUT[len(PUT_BACK) :]]) + engine.end()
    assert [type(each) for each in decided] == [Open]


@pytest.mark.parametrize("by_restart", [False, True], ids=["reload", "restart"])
def test_what_other_rules_ask_first_is_told_and_kept(by_restart: bool) -> None:
    """Of events that were remembered for another rule; what came late before them counts."""
    before, after = [acted_rule(intervention=Intervention(Step(frozenset({"change.configured"})), DAY))], [put_back()]
    learned_late = [configured(0.2, "r1"), configured(0.4, "r2")]

    def change(engine: Engine, cells: dict[str, bytes]) -> Engine:
        if by_restart:
            engine = new_engine(after, cells=saved(cells, engine))
        else:
            engine.replace(after, shop())
        engine.step(learned_late)
        return engine

    def change_and_stop(engine: Engine, cells: dict[str, bytes]) -> Engine:
        return new_engine(after, cells=saved(cells, change(engine, cells)))

    story = [*PUT_BACK, make_event("note.added", 200, service="mail")]
    decided = opened(before, story, change)
    assert decided == opened(before, story, change_and_stop)
    assert len(decided) == 1


def test_state_in_which_nothing_is_told_is_read_and_told_of() -> None:
    """As an earlier program wrote it: what was before is looked up once more, and written down."""
    engine, cells = new_engine([worse()]), dict[str, bytes]()
    engine.step([*WORSE, make_event("note.added", 200, service="mail")])
    for name, value in saved(cells, engine).items():
        if name.startswith("facts:"):
            chunk = unpack(value, Chunk)
            assert [facts for facts, _ in chunk.derived] == [{"trend": None}, {"trend": "worse"}]
            cells[name] = pack(Chunk(chunk.until, chunk.events))
    again = new_engine([worse()], cells=dict(cells))
    saved(cells, again)
    written = [unpack(value, Chunk).derived for name, value in cells.items() if name.startswith("facts:")]
    assert written == [[], [({"trend": None}, [0]), ({"trend": "worse"}, [1])]]
    once_more = new_engine([worse()], cells=dict(cells))
    assert not [name for name in saved({}, once_more) if name.startswith("facts:")]


def test_what_is_told_of_an_event_goes_with_it() -> None:
    memory = Memory()
    first, second = measured(0, 1.0), measured(600, 2.0)
    for event in (first, second):
        memory.add(event, 1, {"trend": "same"})
    memory.evict(second.time, lambda service, kind, mask: Ttl(0, 0, 0))
    (kept,) = memory.remask(lambda event, derived: (1, derived))
    assert (kept.event, kept.derived, kept.is_news) == (second, {"trend": "same"}, False)
    assert memory.add(first, 1).is_new
    assert [each.derived for each in memory.remask(lambda event, derived: (1, derived))] == [None, {"trend": "same"}]
