"""What a restart brings back holds each event once, as what was stopped did."""

from __future__ import annotations

from collections import defaultdict

import msgspec

from monitor.core.deciding.engine import Engine, EngineSettings
from monitor.core.model.events import Event, EventId
from monitor.core.state.memory import Memory
from monitor.core.state.sharing import Sharing
from monitor.core.weighing.observed import Observed
from monitor.core.weighing.place import ServiceMemory
from monitor.decode.canonical import decode_line
from monitor.lab.generator import StreamShape, generate, make_catalogue
from monitor.packs.language.regex import make_regex
from monitor.packs.weights import shipped_weights
from tests.support.shipped import read_shipped
from tests.support.streams import make_event, saved

SHAPE = StreamShape(
    events=600, services=8, user_facing=2, rate=0.02, candidates=0.1, disorder=0.0, bytes_each=0, seed=1
)


def engine_of(cells: dict[str, bytes] | None = None) -> Engine:
    rules, settings = read_shipped(), EngineSettings(weights=shipped_weights())
    return Engine(rules, make_catalogue(SHAPE), make_regex, settings, cells)


def everywhere(engine: Engine) -> list[Event]:
    """Each event of the state, once for each place that holds it."""
    state = engine.state
    found = [event for service, kind, _ in state.memory.sizes() for event, _ in state.memory.entries(service, kind)]
    for place in state.observed.places.values():
        found += [event for sign in place.signs for event in (sign.first, sign.last)] + place.changes + place.responses
    for caught in state.observed.caught.values():
        found += [caught.act, *([caught.undone] if caught.undone else [])]
        found += [event for option in caught.options for event in option.cited]
    for instance in state.candidates.values():
        found += instance.hazards.events + instance.interventions.events
    for episode in state.episodes.values():
        found += [cited.event for cited in episode.draft.evidence] if episode.draft is not None else []
    return found


def objects(engine: Engine) -> dict[EventId, set[int]]:
    by_identity: dict[EventId, set[int]] = defaultdict(set)
    for event in everywhere(engine):
        by_identity[event.event_id].add(id(event))
    return by_identity


def test_after_a_restart_no_event_lies_there_more_often_than_before() -> None:
    engine = engine_of()
    engine.step([decode_line(line) for line in generate(SHAPE)])
    again = engine_of(saved({}, engine))
    before, after = objects(engine), objects(again)
    assert len(everywhere(engine)) > len(before)
    assert before.keys() == after.keys()
    assert sum(map(len, after.values())) <= sum(map(len, before.values()))
    assert sorted(everywhere(again), key=str) == sorted(everywhere(engine), key=str)


def test_only_what_says_the_same_is_shared() -> None:
    remembered = make_event("change.deployed", 1, "one", labels={"version": "1"})
    other = msgspec.structs.replace(remembered, labels={"version": "2"})
    memory, observed = Memory(), Observed()
    memory.add(remembered, 0, None)
    observed.places["shop"] = place = ServiceMemory(
        "shop", changes=[msgspec.structs.replace(remembered)], responses=[other]
    )
    Sharing(memory, observed, {}, {}).restored("place", "shop")
    assert place.changes[0] is remembered
    assert place.responses == [other]


def test_events_are_read_before_what_shares_them() -> None:
    """Copies that come first would take room that nothing later fits into."""
    engine, read = engine_of(), list[str]()
    engine.step([decode_line(line) for line in generate(SHAPE)])

    class Noting(dict[str, bytes]):
        def __getitem__(self, name: str) -> bytes:
            read.append(name.partition(":")[0])
            return super().__getitem__(name)

    engine_of(Noting(sorted(saved({}, engine).items(), reverse=True)))
    others = [place for place, kind in enumerate(read) if kind in ("place", "caught", "instance", "episode")]
    assert others
    assert max(place for place, kind in enumerate(read) if kind == "facts") < min(others)
