"""What a stop must not change in a stream of several days, where much is forgotten; the short ones are elsewhere."""

from __future__ import annotations

from pathlib import Path
from random import Random

import pytest
import yaml

from monitor.core.deciding.engine import Engine
from monitor.core.model.decisions import Ignore
from monitor.core.model.events import DAY
from monitor.core.model.packing import pack
from monitor.core.model.reasons import NotOpened
from monitor.core.model.rule import Intervention, Step
from monitor.decode.canonical import decode_line
from monitor.lab.generator import StreamShape, catalogue_mapping, generate
from monitor.packs.catalogue.loader import load_catalogue
from monitor.packs.language.regex import make_regex
from tests.support.shipped import compiled_shipped, read_shipped
from tests.support.streams import BY_HUMAN, HUMAN_ACTIONS, PERSON, acted_rule, make_event, new_engine, run, saved

BATCH = 100
BUSY = [
    pytest.param(5, 0.02, 0.1, 1, id="several-candidates-of-one-key"),
    pytest.param(5, 0.02, 0.1, 2, id="actions-that-are-counted-and-do-not-fit"),
    pytest.param(3, 0.02, 0.2, 1, id="episodes-that-are-looked-at-again-when-they-were-to-close"),
]


@pytest.mark.parametrize(("services", "rate", "candidates", "seed"), BUSY)
def test_a_stop_changes_nothing_in_a_busy_stream(
    tmp_path: Path, services: int, rate: float, candidates: float, seed: int
) -> None:
    """Stopped again and again, its cells given back in any order, as a database may give them."""
    shape = StreamShape(
        events=6000,
        services=services,
        user_facing=1,
        rate=rate,
        candidates=candidates,
        disorder=0.0,
        bytes_each=0,
        seed=seed,
    )
    path = tmp_path / "catalogue.yaml"
    path.write_text(yaml.safe_dump(catalogue_mapping(shape)), encoding="utf-8")
    rules, catalogue = read_shipped(), load_catalogue(path)[0]
    compiled = compiled_shipped()
    whole, stopped = (Engine(rules, catalogue, make_regex, compiled=compiled) for _ in range(2))
    cells: dict[str, bytes] = {}
    random = Random(seed)
    events = [decode_line(line) for line in generate(shape)]
    for start in range(0, len(events), BATCH):
        batch = events[start : start + BATCH]
        decided = stopped.step(batch)
        assert decided == whole.step(batch)
        whole.forget_changes()
        check_everything_is_saved(stopped, saved(cells, stopped))
        if random.random() < 0.3:
            shuffled = sorted(cells.items())
            random.shuffle(shuffled)
            stopped = Engine(rules, catalogue, make_regex, cells=dict(shuffled), compiled=compiled)
    assert stopped.end() == whole.end()


def check_everything_is_saved(engine: Engine, cells: dict[str, bytes]) -> None:
    """What is remembered of candidates and episodes is what the cells say."""
    remembered = {f"instance:{name}": pack(instance) for name, instance in engine.state.candidates.items()}
    remembered |= {f"episode:{name}": pack(episode) for name, episode in engine.state.episodes.items()}
    kept = {name: value for name, value in cells.items() if name.partition(":")[0] in ("instance", "episode")}
    assert kept == remembered


@pytest.mark.parametrize("stop", range(6))
def test_a_recovery_after_a_stop_is_not_that_of_an_alert_that_was_over(stop: int) -> None:
    """Its own recovery may be evicted by then; its outcome so far says when it was cleared."""
    rules = [acted_rule(intervention=Intervention(Step(HUMAN_ACTIONS, BY_HUMAN), 4 * DAY))]
    stream = [
        make_event("alert.fired", 0, "fired", subject="errors", severity="high"),
        make_event("alert.resolved", 60, "resolved", subject="errors"),
        make_event("note.added", 2 * 60, "soon"),
        make_event("note.added", 49 * 60, "later"),
        make_event("change.restarted", 50 * 60, "acted", actor=PERSON),
        make_event("alert.resolved", 51 * 60, "resolved-again", subject="errors"),
    ]
    whole = run(new_engine(rules), stream)
    assert [decision.reason for decision in whole if isinstance(decision, Ignore)] == [NotOpened.CLEARED_BEFORE_ACTION]
    engine, cells = new_engine(rules), dict[str, bytes]()
    for place, event in enumerate(stream):
        assert engine.step([event]) == []
        if place == stop:
            engine = new_engine(rules, cells=saved(cells, engine))
        saved(cells, engine)
    assert engine.end() == whole
