"""Faults are really put in, one at a time; and each boundary of the verdict's policy is noticed by a test beside it.

The whole of core, decode and store is tried by `make mutants`.
"""

from __future__ import annotations

import ast
import os
import subprocess
import time

import pytest

from tests.mutation.__main__ import chosen, in_children, passes
from tests.mutation.equivalent import EQUIVALENT
from tests.mutation.mutations import Mutation, Mutator, files, mutated, mutations_of
from tests.mutation.warm import Waits

WATERMARK, ITS_TESTS = "monitor/core/model/watermark.py", "tests/unit/core/model/test_watermark.py"
POLICY = "monitor/core/model/verdict_policy.py"


@pytest.mark.parametrize(
    ("source", "changed"),
    [
        ("a < b", ["a <= b"]),
        ("a is None", ["a is not None"]),
        ("a and b", ["a or b"]),
        ("not a", ["a"]),
        ("a - 5", ["a - 10", "a + 5"]),
        ("f(0)", ["f(1)"]),
        ("f(True)", ["f(False)"]),
        ("min(a)", ["max(a)"]),
        ("'a' + b", []),
        ("never = 2**62", []),
        ("zip(a, b, strict=True)", []),
        ("def f(a: int=3) -> int:\n    assert a > 1", ["def f(a: int=6) -> int:\n    assert a > 1"]),
        ("class A(frozen=True):\n    a: int = 3", ["class A(frozen=True):\n    a: int = 6"]),
    ],
)
def test_each_place_is_changed_by_itself(source: str, changed: list[str]) -> None:
    counted = Mutator(None)
    counted.visit(ast.parse(source))
    assert [ast.unparse(mutated(source.encode(), number)) for number in range(len(counted.found))] == changed
    with pytest.raises(IndexError):
        mutated(source.encode(), len(changed))


def test_a_seed_draws_the_same_mutations_again() -> None:
    assert chosen(["monitor/core"], 20, 1) == chosen(["monitor/core"], 20, 1)
    assert chosen(["monitor/core"], 20, 1) != chosen(["monitor/core"], 20, 2)
    assert {mutation.file for mutation in chosen([POLICY], 500, 1)} == {POLICY}
    assert not [file for file in files() if "migrations" in file]


def test_what_is_said_to_change_nothing_can_be_put_in() -> None:
    """Else the reason stands for a place that is no more."""
    assert set(EQUIVALENT) <= {(it.file, it.what) for file, _ in EQUIVALENT for it in mutations_of(file)}
    assert all(EQUIVALENT.values())


def test_without_a_fault_the_tests_pass() -> None:
    """Else everything would count as noticed."""
    assert passes(Mutation(POLICY, 10_000, 0, "no such place"), ["tests/unit/core/model/test_budget.py"]) is False
    assert passes(None, ["tests/unit/core/model/test_budget.py"])


@pytest.mark.parametrize(
    "mutation", list(mutations_of(POLICY)), ids=lambda mutation: f"{mutation.line}-{mutation.what}"
)
def test_every_boundary_of_the_verdict_is_noticed(mutation: Mutation) -> None:
    assert not passes(
        mutation, ["tests/unit/core/deciding/test_verdict_policy.py", "tests/unit/core/deciding/test_verdict.py"]
    )


def test_in_one_process_a_fault_is_asked_of_the_tests_that_come_by_it() -> None:
    """The tests of durations come by none of its lines, and say nothing of it."""
    faults = [Mutation(it.file, it.number, it.line, it.what) for it in mutations_of(WATERMARK)]
    named = {it.by.partition("::")[0] for it in in_children(faults, [ITS_TESTS], 2) if it.by}
    assert named == {ITS_TESTS}
    elsewhere = in_children(faults, ["tests/unit/core/model/test_durations.py"], 2)
    assert not [it for it in elsewhere if it.by]


def test_what_waits_is_told_from_what_computes() -> None:
    with subprocess.Popen(["cat"], stdin=subprocess.PIPE) as idle:
        waits, works = Waits(idle.pid), Waits(os.getpid())
        assert not waits.longer_than(60)
        assert not works.longer_than(60)
        began = time.process_time()
        while time.process_time() < began + 0.05:
            pass
        assert waits.longer_than(0)
        assert not works.longer_than(0)
