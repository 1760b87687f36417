"""What a draft says of a further step that held."""

from __future__ import annotations

import pytest

from monitor.core.deciding.clauses import say_met
from monitor.core.model.rule import Clause, Point, Step


@pytest.mark.parametrize(
    ("at_least", "at_most", "count", "words"),
    [
        (0, 0, 0, "no “told”, as required"),
        (0, None, 0, "0 × “told”, not required"),
        (2, None, 3, "3 × “told”, at least 2 required"),
        (2, 4, 3, "3 × “told”, at least 2 required, at most 4 allowed"),
        (0, 4, 3, "3 × “told”, at most 4 allowed"),
    ],
)
def test_what_was_seen_stands_beside_what_the_rule_asks(
    at_least: int, at_most: int | None, count: int, words: str
) -> None:
    step = Step(frozenset({"note.added"}))
    clause = Clause("told", step, Point("hazard"), Point("safe"), at_least=at_least, at_most=at_most)
    assert say_met(clause, count) == words
