"""Values as one line of YAML: read again, they are what they were."""

from __future__ import annotations

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from monitor.located.flow import flow
from monitor.located.nodes import parse_located, plain
from monitor.located.problems import Problems

TEXTS = st.text(st.characters(codec="utf-8", categories=("L", "N", "P", "S", "Z", "Cc")), max_size=20)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS.filter(bool), inner, max_size=3),
    max_leaves=10,
)


@given(st.dictionaries(TEXTS.filter(bool), VALUES, max_size=4))
def test_what_is_pasted_is_read_as_it_was(written: dict[str, object]) -> None:
    problems = Problems()
    node = parse_located(f"entries:\n  - {flow(written)}\n".encode(), "x", problems)
    assert [str(problem) for problem in problems] == []
    assert node is not None
    assert plain(node) == {"entries": [written]}


@pytest.mark.parametrize(
    ("value", "line"),
    [
        ({"step": "1m", "floor": "30 requests", "samples": 8}, "{step: 1m, floor: 30 requests, samples: 8}"),
        ({"service": "on", "all": True}, "{service: 'on', all: true}"),
        ({"service": "it's"}, "{service: 'it''s'}"),
        ({"codes": ["200", 3, 0.5, None]}, "{codes: ['200', 3, 0.5, null]}"),
    ],
)
def test_quotes_stand_only_where_they_are_needed(value: dict[str, object], line: str) -> None:
    assert flow(value) == line
    assert yaml.safe_load(line) == value
