"""Runs tests under many mutations from one collection: each in a child, and only the tests that come by its line.

A plugin of the test runner. MUTATION_PLAN names a JSON file with what to try; MUTATION_ANSWERS gets a line for each.
"""

from __future__ import annotations

import ast
import builtins
import functools
import gc
import os
import signal
import time
import types
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import NoReturn

import hypothesis
import msgspec
import pytest
from _pytest.runner import runtestprotocol

from tests.mutation.bounds import bound_to
from tests.mutation.mutations import ROOT, mutated

hypothesis.settings.register_profile(
    "mutation",
    deadline=None,
    max_examples=10,
    database=None,
    derandomize=True,
    phases=(hypothesis.Phase.explicit, hypothesis.Phase.generate),
)

OPTIMIZED = 0x1
"""The flag of code that a function runs; modules and classes run theirs at import."""
PASSED, STOPPED = "passed", "never ended, or ended the process"
NOTE = "__a_test_came_by__"


class Plan(msgspec.Struct, frozen=True):
    """What is tried, as (file, number, line). `nearest` are each file's tests that are asked first; `idle` in s."""

    mutations: list[tuple[str, int, int]]
    nearest: dict[str, list[str]]
    jobs: int
    idle: float


class Answer(msgspec.Struct, frozen=True):
    """`by` is the test that failed; None where none did. `cold`: it has to be put in before the import."""

    file: str
    number: int
    by: str | None = None
    cold: bool = False


class Trace(msgspec.Struct, frozen=True):
    """By file and line which tests, by their place, came by; and how many seconds of the processor each took."""

    lines: dict[str, dict[int, list[int]]]
    seconds: list[float]
    failed: list[str]


def pytest_runtestloop(session: pytest.Session) -> bool | None:
    """Instead of one run: one to see which test comes by which line, then one for each mutation."""
    if not (path := os.environ.get("MUTATION_PLAN")):
        return None
    plan = msgspec.json.decode(Path(path).read_bytes(), type=Plan)
    _functions(), _memories()
    gc.freeze()  # else each child copies all pages at its first collection
    # In a child too: fixtures and memories stay as they were after the collection.
    trace = msgspec.json.decode(_in_child(lambda: _trace(session.items, plan.mutations)), type=Trace)
    assert not trace.failed, f"these fail without any mutation: {trace.failed}"
    with Path(os.environ["MUTATION_ANSWERS"]).open("wb", buffering=0) as answers:
        answers.writelines(msgspec.json.encode(answer) + b"\n" for answer in _answers(session.items, plan, trace))
    return True


def _answers(items: Sequence[pytest.Item], plan: Plan, trace: Trace) -> Iterator[Answer]:
    waiting = list(reversed(plan.mutations))
    running: dict[int, tuple[str, int, Waits, int]] = {}
    while waiting or running:
        while waiting and len(running) < plan.jobs:
            file, number, line = waiting.pop()
            if (changed := _changed(file, number)) is None:
                yield Answer(file, number, cold=True)
            elif tests := _in_order(items, trace, file, line, plan.nearest.get(file, ())):
                allowed = 20 + 5 * sum(trace.seconds[place] for place in tests)
                child, reads = _fork(functools.partial(_first_failed, items, tests, changed, allowed))
                running[child] = file, number, Waits(child), reads
            else:
                yield Answer(file, number)
        ended, _ = os.waitpid(-1, os.WNOHANG) if running else (0, 0)
        if ended:
            file, number, _, reads = running.pop(ended)
            with os.fdopen(reads, "rb") as told:
                by = told.read().decode() or STOPPED
            yield Answer(file, number, None if by == PASSED else by)
        elif running:
            for child, (_, _, waits, _) in running.items():
                if waits.longer_than(plan.idle):
                    os.kill(child, signal.SIGKILL)
            time.sleep(0.01)  # noqa: TID251


class Waits:
    """Since when a process has computed nothing: what waits for ever was put to it by a fault."""

    def __init__(self, process: int) -> None:
        self._stat = Path(f"/proc/{process}/stat")
        self._used = -1
        self._since = 0.0

    def longer_than(self, seconds: float) -> bool:
        now, fields = time.monotonic(), self._stat.read_text().rpartition(")")[2].split()  # noqa: TID251
        if (used := int(fields[11]) + int(fields[12])) != self._used:
            self._used, self._since = used, now
        return now - self._since > seconds


def _fork(work: Callable[[], bytes]) -> tuple[int, int]:
    """A child that does it, and where its answer is read; nothing is read where the child was stopped."""
    reads, writes = os.pipe()
    child = os.fork()
    if not child:
        _work(work, writes)
    os.close(writes)
    return child, reads


def _work(work: Callable[[], bytes], writes: int) -> NoReturn:
    try:
        quiet = os.open(os.devnull, os.O_WRONLY)
        os.dup2(quiet, 1)
        os.dup2(quiet, 2)
        with os.fdopen(writes, "wb") as told:
            told.write(work())
    finally:
        os._exit(0)


def _in_child(work: Callable[[], bytes]) -> bytes:
    child, reads = _fork(work)
    with os.fdopen(reads, "rb") as told:
        answer = told.read()
    os.waitpid(child, 0)
    return answer


def _passes(item: pytest.Item) -> bool:
    # Without a next item everything is torn down: the order of tests is another for each mutation.
    return not any(report.failed for report in runtestprotocol(item, log=False, nextitem=None))


def _first_failed(items: Sequence[pytest.Item], tests: Sequence[int], changed: Changed, seconds: float) -> bytes:
    bound_to(seconds)
    _put_in(changed)
    return next((items[place].nodeid for place in tests if not _passes(items[place])), PASSED).encode()


def _trace(items: Sequence[pytest.Item], mutations: Sequence[tuple[str, int, int]]) -> bytes:
    """One run with a note before each statement that is going to be changed: a tracer would see every line."""
    here: set[tuple[str, int]] = set()
    setattr(builtins, NOTE, lambda file, line: here.add((file, line)))
    found: dict[str, dict[int, list[int]]] = {file: {} for file, _, _ in mutations}
    # All at once: no function is found again after that.
    _put_in([it for file in found for it in _noting(file, {line for other, _, line in mutations if other == file})])
    seconds, failed = [], []
    for place, item in enumerate(items):
        here.clear()
        began = time.process_time()
        good = _passes(item)
        seconds.append(time.process_time() - began)
        if not good:
            failed.append(item.nodeid)
        for file, line in here:
            found[file].setdefault(line, []).append(place)
    return msgspec.json.encode(Trace(found, seconds, failed))


def _noting(file: str, lines: set[int]) -> Changed:
    """The functions of a module that note when they come by the statements of these lines."""
    before, after = _compiled(file, _tree(file)), _compiled(file, _with_notes(file, lines))
    return _replacing(str(ROOT / file), [(old, new) for old, new in _pairs(before, after) if old != new])


def _with_notes(file: str, lines: set[int]) -> ast.Module:
    tree = ast.parse((ROOT / file).read_bytes())
    wanted: dict[ast.stmt, list[int]] = {}
    for line in sorted(lines):
        around = [it for it in ast.walk(tree) if isinstance(it, ast.stmt) and it.lineno <= line <= _last(it)]
        wanted.setdefault(max(around, key=lambda it: it.lineno), []).append(line)
    for function in [it for it in ast.walk(tree) if isinstance(it, ast.FunctionDef | ast.AsyncFunctionDef)]:
        for node in ast.walk(function):
            for name in ("body", "orelse", "finalbody"):
                if isinstance(statements := getattr(node, name, None), list):
                    setattr(node, name, [it for each in statements for it in _noted(each, file, wanted)])
    return ast.fix_missing_locations(tree)


def _noted(statement: ast.stmt, file: str, wanted: dict[ast.stmt, list[int]]) -> list[ast.stmt]:
    notes = [ast.parse(f"{NOTE}({file!r}, {line})").body[0] for line in wanted.pop(statement, ())]
    return [*notes, statement]


def _last(statement: ast.stmt) -> int:
    return statement.end_lineno or statement.lineno


def _in_order(items: Sequence[pytest.Item], trace: Trace, file: str, line: int, nearest: Sequence[str]) -> list[int]:
    """The tests that come by the statement of this line: the nearest first, of those the quickest."""
    places = trace.lines[file].get(line, ())
    ranks = {
        place: next((rank for rank, name in enumerate(nearest) if items[place].nodeid.startswith(name)), len(nearest))
        for place in places
    }
    return sorted(places, key=lambda place: (ranks[place], trace.seconds[place]))


@functools.cache
def _tree(file: str) -> ast.Module:
    return ast.parse((ROOT / file).read_bytes())


Changed = list[tuple[types.FunctionType, types.CodeType]]


def _changed(file: str, number: int) -> Changed | None:
    """The functions that the mutation changes, with what they shall run; None where not only functions run it."""
    path = ROOT / file
    before, after = _compiled(file, _tree(file)), _compiled(file, mutated(path.read_bytes(), number))
    pairs = list(_pairs(before, after))
    differing = [old for old, new in pairs if not _same_alone(old, new)]
    if not all(code.co_flags & OPTIMIZED for code in differing):
        return None
    changed = _replacing(str(path), [(old, new) for old, new in pairs if old != new])
    reached = [old for _, new in changed for old, it in pairs for _, code in _pairs(new, new) if code is it]
    return changed if all(any(old is it for it in reached) for old in differing) else None


def _compiled(file: str, tree: ast.Module) -> types.CodeType:
    return compile(tree, str(ROOT / file), "exec", dont_inherit=True)


def _replacing(path: str, pairs: Sequence[tuple[types.CodeType, types.CodeType]]) -> Changed:
    """The functions that run the first of a pair, with the second."""
    return [
        (function, new)
        for function in _functions().get(path, ())
        for old, new in pairs
        if old == function.__code__ and old.co_firstlineno == function.__code__.co_firstlineno
    ]


@functools.cache
def _functions() -> dict[str, list[types.FunctionType]]:
    """All that were there after the collection, by the file that they came from."""
    found: dict[str, list[types.FunctionType]] = {}
    for it in gc.get_objects():
        if isinstance(it, types.FunctionType):
            found.setdefault(it.__code__.co_filename, []).append(it)
    return found


@functools.cache
def _memories() -> list[functools._lru_cache_wrapper[object]]:
    """What functions remember of earlier calls, as of whatever a module did at import."""
    return [it for it in gc.get_objects() if isinstance(it, functools._lru_cache_wrapper)]


def _pairs(before: types.CodeType, after: types.CodeType) -> Iterator[tuple[types.CodeType, types.CodeType]]:
    """What lies at the same place in both: the code, and what is nested in it."""
    yield before, after
    nested = [[const for const in code.co_consts if isinstance(const, types.CodeType)] for code in (before, after)]
    for old, new in zip(*nested, strict=True):
        yield from _pairs(old, new)


def _same_alone(one: types.CodeType, other: types.CodeType) -> bool:
    """Whether they are the same, what is nested in them left aside."""

    def alone(code: types.CodeType) -> tuple[object, ...]:
        consts = [(type(const), const) for const in code.co_consts if not isinstance(const, types.CodeType)]
        return code.co_code, consts, code.co_names, code.co_varnames

    return alone(one) == alone(other)


def _put_in(changed: Changed) -> None:
    for function, code in changed:
        function.__code__ = code
    for memory in _memories():
        memory.cache_clear()
