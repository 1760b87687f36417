"""How many events the engine takes before others are answered."""

from __future__ import annotations

import pytest

from monitor.pipeline.loop import slice_after


@pytest.mark.parametrize(
    ("size", "seconds", "expected"),
    [
        pytest.param(100, 0.0, 100, id="too quick to measure"),
        pytest.param(100, 0.01, 100, id="quick enough"),
        pytest.param(100, 0.1, 25, id="four times too long"),
        pytest.param(100, 60.0, 1, id="one at least"),
        pytest.param(1, 0.0001, 2, id="it grows slowly"),
        pytest.param(80, 0.0001, 100, id="up to the most"),
    ],
)
def test_a_slice_follows_what_the_one_before_took(size: int, seconds: float, expected: int) -> None:
    assert slice_after(size, seconds, 100) == expected
