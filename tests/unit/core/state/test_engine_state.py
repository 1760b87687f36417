"""State as plain cells: it comes back whole, whatever the tools call their things."""

from __future__ import annotations

import pytest

from monitor.core.deciding.engine import Engine
from monitor.core.model.events import Event
from monitor.core.state.cells import StateError, restore
from tests.support.streams import PERSON, clear_feed, final, make_event, new_engine

ODD = ["plain", "with\x1fseparator", 'quo"ted', "new\nline", "colon:ed|piped", "ünï", ""]


def saved(engine: Engine) -> dict[str, bytes]:
    return {name: value for name, value in engine.take_changes().items() if value is not None}


def story(name: str) -> list[Event]:
    return [
        *clear_feed("shop", 0, 40, source=f"probe{name}"),
        make_event("alert.fired", 45, f"a{name}", subject=f"s{name}", severity="high", source=f"am{name}"),
        make_event("alert.resolved", 50, f"r{name}", subject=f"s{name}", source=f"am{name}"),
        make_event("change.flag_set", 52, f"f{name}", subject=f"s{name}", labels={"value": "on"}),
        make_event("change.configured", 55, f"c{name}", actor=PERSON, source=f"tool{name}"),
        make_event("alert.fired", 60, f"b{name}", subject=f"s{name}", severity="high", source=f"am{name}"),
        make_event("change.configured", 65, f"d{name}", actor=PERSON, source=f"tool{name}"),
    ]


@pytest.mark.parametrize("name", ODD)
def test_any_name_survives_a_restart(name: str) -> None:
    first, rest = story(name), [make_event("note.added", 900, f"end{name}", service="mail")]
    undisturbed = new_engine()
    expected = undisturbed.step(first) + undisturbed.step(rest) + undisturbed.end()
    engine = new_engine()
    decided = engine.step(first)
    again = new_engine(cells=saved(engine))
    decided += again.step(rest) + again.end()
    assert decided == expected
    assert final(decided)


def test_the_state_of_another_version_is_refused_with_a_way_out() -> None:
    cells = saved(new_engine())
    with pytest.raises(StateError, match="no readable header"):
        new_engine(cells={**cells, "meta:": b"\x93"})
    with pytest.raises(StateError, match="unknown kind"):
        new_engine(cells={**cells, "novel:x": b"\x90"})


def test_what_waits_for_the_watermark_survives_a_restart_but_for_what_was_put_aside() -> None:
    """The very first event that arrived too."""
    first, second = make_event("note.added", 0, "first"), make_event("note.added", 0, "second")
    engine = new_engine()
    engine.step([first, second])
    cells = saved(engine)
    assert [entry[4] for entry in restore(cells)[0].awaiting_watermark] == [first, second]
    assert [entry[4] for entry in restore(cells, {first.event_id})[0].awaiting_watermark] == [second]


def test_what_was_put_aside_is_not_remembered_after_a_restart() -> None:
    engine = new_engine()
    engine.step(story("x"))
    cells, aside = saved(engine), make_event("alert.fired", 45, "ax", source="amx").event_id
    kinds = ("alert.fired", "alert.resolved", "change.configured")
    kept, left = (
        {event.event_id for event in restore(cells, without)[0].memory.between(("db",), kinds, 0, 2**62)}
        for without in ((), {aside})
    )
    assert kept - left == {aside}
    assert left
