"""Whatever a person writes, the loader tells problems; it never fails."""

from __future__ import annotations

import json

from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.core.model.rule import Rule
from monitor.located.nodes import parse_located
from monitor.located.problems import Problem, Problems
from monitor.packs.catalogue.loader import read_catalogue
from tests.unit.packs.written import GOOD, load

LINES = GOOD.splitlines()
PIECES = [
    "",
    "{}",
    "[]",
    "- x",
    "~",
    "true",
    "-1",
    "30m",
    "1e9",
    "{a: {b: c}}",
    "&a [*a]",
    "*b",
    "'",
    "é",
    "\t",
    ": ",
    "{",
    "]",
]


def load_as_both(body: bytes) -> tuple[Rule | None, list[Problem]]:
    """What is made of a file, whole, and what of it as a catalogue."""
    rule, problems = load(body)
    of_catalogue = Problems()
    node = parse_located(body, "fuzz.yaml", Problems())
    if node is not None:
        read_catalogue(node, of_catalogue)
    return rule, [*problems, *of_catalogue]


def told(rule: Rule | None, problems: list[Problem]) -> None:
    assert rule is not None or any(problem.is_error for problem in problems)
    for problem in problems:
        assert problem.line >= 1
        assert problem.expected
        assert problem.hint
        assert "\n" not in str(problem)


@settings(max_examples=50)
@given(
    st.lists(st.tuples(st.integers(0, len(LINES) - 1), st.sampled_from(["drop", "double", "cut", "swap"])), max_size=4)
)
def test_lines_dropped_doubled_cut_or_swapped(changes: list[tuple[int, str]]) -> None:
    lines = list(LINES)
    for place, change in changes:
        at = min(place, len(lines) - 1)
        if change == "drop" and len(lines) > 1:
            del lines[at]
        elif change == "double":
            lines.insert(at, lines[at])
        elif change == "cut":
            lines[at] = lines[at][: len(lines[at]) // 2]
        else:
            lines[at], lines[0] = lines[0], lines[at]
    told(*load_as_both("\n".join(lines).encode()))


@settings(max_examples=50)
@given(st.integers(0, len(LINES) - 1), st.sampled_from(PIECES), st.integers(0, 60))
def test_values_replaced_by_what_nobody_expects(line: int, piece: str, extra: int) -> None:
    lines = list(LINES)
    key, colon, _ = lines[line].partition(":")
    lines[line] = f"{key}{colon} {piece}{' ' * (extra % 3)}"
    told(*load_as_both("\n".join(lines).encode()))


@settings(max_examples=50)
@given(st.integers(0, len(GOOD)), st.binary(max_size=6), st.integers(0, 6))
def test_bytes_put_in_and_taken_out(at: int, inserted: bytes, removed: int) -> None:
    body = GOOD.encode()
    told(*load_as_both(body[:at] + inserted + body[at + removed :]))


@settings(max_examples=40)
@given(st.binary(max_size=80))
def test_any_bytes(body: bytes) -> None:
    told(*load_as_both(body))


VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=8)
    | st.sampled_from(["30m", "alert.fired"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=5,
)


KEYS = [
    *("rule", "title", "family", "hazard", "intervention", "steps", "absent", "impact", "examples", "correlate", "ask"),
    *("margin", "settle", "services", "production", "feeds", "depends_on"),
]
INNER = st.dictionaries(
    st.sampled_from(["kind", "where", "within", "same", "since", "hold", "events", "hours"]), VALUES
)
ITEMS = st.lists(st.dictionaries(st.sampled_from(["name", "expect", "events", "catalogue", "service"]), VALUES))


@settings(max_examples=50)
@given(st.dictionaries(st.sampled_from(KEYS), INNER | ITEMS | VALUES))
def test_any_shape(data: dict[str, object]) -> None:
    told(*load_as_both(json.dumps(data).encode()))
