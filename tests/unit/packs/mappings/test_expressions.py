"""JMESPath with bounds: what is found, what is refused when it is compiled, and what is stopped while it runs."""

from __future__ import annotations

from typing import Any

import jmespath
import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.core.model.reasons import Rejected
from monitor.decode.mapped import Budget
from monitor.decode.outcome import Unreadable
from monitor.packs.mappings.expressions import LARGEST_MADE, LONGEST_EXPRESSION, BadExpression, compile_expression

BODY = {"a": {"b": [{"name": "x", "value": 1}, {"name": "y", "value": 2}]}, "s.t": "dotted", "n": None, "t": "text"}


@pytest.mark.parametrize(
    ("expression", "found"),
    [
        ("t", "text"),
        ("a.b[0].name", "x"),
        ("a.b[?name=='y'].value | [0]", 2),
        ('"s.t"', "dotted"),
        ("a.c.d", None),
        ("t.deeper", None),
        ("n || t", "text"),
        ("join(', ', a.b[].name)", "x, y"),
        ("length(n)", None),  # an expression that does not fit the body finds nothing
        ("join(',', t)", None),
        ("a.b[*].value > `1`", None),
    ],
)
def test_what_is_found(expression: str, found: Any) -> None:
    assert compile_expression(expression)(BODY, Budget()) == found


@pytest.mark.parametrize(
    ("expression", "said"),
    [
        ("service-name", "unexpected '-'"),
        ("a[", "it ends too early"),
        ("", "it ends too early"),
        ("size(a)", "there is no function size()"),
        ("a" * (LONGEST_EXPRESSION + 1), f"at most {LONGEST_EXPRESSION}"),
        ("[" * 60 + "a" + "]" * 60, "nested deeper than"),
        ("!" * 300 + "a", "nested deeper than"),
    ],
)
def test_what_is_refused(expression: str, said: str) -> None:
    with pytest.raises(BadExpression) as refusal:
        compile_expression(expression)
    assert said in str(refusal.value)


@pytest.mark.parametrize(
    "expression",
    [
        "|".join(["[@,@][]"] * 17),  # a list that doubles each time
        "|".join(["[@,@]"] * 37),  # the same, nested: small in memory, endless to print
        "|".join(["{a: @, b: @}"] * 30),
        "|".join(["join('x',[@,@])"] * 18),
    ],
)
def test_what_grows_is_stopped(expression: str) -> None:
    with pytest.raises(Unreadable) as refusal:
        compile_expression(expression)("text", Budget())
    assert refusal.value.reason is Rejected.MAPPING_OVERRUN
    assert f"at most {LARGEST_MADE:,}" in refusal.value.detail


def test_a_body_cannot_make_an_expression_grow() -> None:
    body = {"glue": "x" * 100_000, "parts": ["y"] * 10_000}
    with pytest.raises(Unreadable, match="mapping_overrun"):
        compile_expression("join(glue, parts)")(body, Budget())
    with pytest.raises(Unreadable, match="mapping_overrun"):
        compile_expression("[parts,parts,parts][]")(body, Budget())


_MANY = "[@,@,@,@,@,@,@,@]|[@,@,@,@,@,@,@,@]|[]|[@,@,@,@,@,@,@,@]|[]"
"""The same document 512 times, which costs little to make."""


@pytest.mark.parametrize(
    "looks",
    [
        "[?max(a)==`1`]",
        "[?sum(a)==`1`]",
        "[?a==b]",
        "[?a!=b]",
        "[?contains(a,`-1`)]",
        "[?sort(few)==few && min(a)==`1`]",
        "to_string(@)",
    ],
)
def test_to_look_at_one_large_thing_again_and_again_is_stopped(looks: str) -> None:
    """A function that walks through a list costs what the list has, not one step."""
    a, b = [list(range(1_000, 41_000)) for _ in range(2)]
    with pytest.raises(Unreadable) as refusal:
        compile_expression(f"{_MANY}|{looks}")({"a": a, "b": b, "few": [1, 2]}, Budget())
    assert refusal.value.reason is Rejected.MAPPING_OVERRUN


def test_to_look_at_a_large_thing_once_is_not_stopped() -> None:
    body = {"a": list(range(40_000)), "b": list(range(40_000)), "t": "x", "u": "y"}
    for looks in ("max(a)", "a==b", "contains(a, `5`)", "length(a)", "t<u", "[0]"):
        compile_expression(looks)(body, budget := Budget())
        assert budget.left > 0
    assert compile_expression("t<u")(body, Budget()) is True
    assert compile_expression("a<b")(body, Budget()) is None


def test_the_steps_of_a_body_are_counted_over_all_expressions() -> None:
    budget = Budget(100)
    one, other = compile_expression("a.b[*].name"), compile_expression("t")
    one(BODY, budget)
    assert 0 < budget.left < 100
    with pytest.raises(Unreadable) as refusal:
        for _ in range(100):
            other(BODY, budget)
    assert refusal.value.reason is Rejected.MAPPING_OVERRUN


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-2, 2) | st.sampled_from(["", "x", "y"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["a", "b", "key"]), inner, max_size=3),
    max_leaves=12,
)
QUICK = [
    "a",
    "a.b",
    "a[0]",
    "a[-1].b",
    "a.b[1]",
    "a || b",
    "a.b || b || key",
    "a[?key=='x'].b | [0]",
    "a[?key=='x'] | [0]",
]


@pytest.mark.parametrize("expression", QUICK)
@given(document=JSON)
def test_frequent_forms_find_what_the_library_finds(expression: str, document: Any) -> None:
    assert compile_expression(expression)(document, Budget()) == jmespath.search(expression, document)
