"""Housekeeping at fixed event times: what expired is looked for once a day, and after the last event never."""

from __future__ import annotations

import pytest

from monitor.core.deciding.engine import Engine
from monitor.core.model.events import DAY, MINUTE
from monitor.core.state.engine_state import EngineState
from tests.support.streams import START, make_event, new_engine

MIDNIGHT = (START - START % DAY + DAY - START) / MINUTE
"""The first after START, in minutes after it."""


@pytest.fixture
def looked(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The moments at which expired state was looked for, in minutes after the first midnight."""
    found: list[int] = []
    original = EngineState.evict_expired

    def noting(state: EngineState, now: int, *more: object) -> None:
        found.append(round((now - START) / MINUTE - MIDNIGHT))
        original(state, now, *more)  # type: ignore[arg-type]

    monkeypatch.setattr(EngineState, "evict_expired", noting)
    return found


def step(engine: Engine, *minutes: float) -> None:
    engine.step([make_event("note.added", MIDNIGHT + at) for at in minutes])


def test_expired_state_is_looked_for_once_a_day(looked: list[int]) -> None:
    step(new_engine(), -300, *range(60, 1380, 60), *range(1440 + 60, 2 * 1440, 60))
    assert looked == [-300, 60, 1500]


def test_nothing_is_evicted_after_the_last_event(looked: list[int]) -> None:
    engine = new_engine()
    step(engine, -300, 60)
    looked.clear()
    engine.end()
    assert looked == []
