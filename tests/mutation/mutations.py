"""Every small fault that can be put into a module: boundaries moved, constants changed, conditions turned around.

A mutation is named by its module and its place in this order, so that a run can be had again.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import msgspec

ROOT = Path(__file__).parents[2]
PACKAGES = ("monitor/core", "monitor/decode", "monitor/store")

_COMPARISONS: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
}
_CALLS = {"min": "max", "max": "min", "any": "all", "all": "any"}


class Mutation(msgspec.Struct, frozen=True):
    """One fault. `file` is relative to the repository, `number` counts the places in it, `line` starts at 1."""

    file: str
    number: int
    line: int
    what: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line} {self.what}  ({self.file}#{self.number})"


class Mutator(ast.NodeTransformer):
    """Walks a module, counts the places, and changes the one asked for; None only counts."""

    def __init__(self, wanted: int | None) -> None:
        self._wanted = wanted
        self.found: list[tuple[int, str]] = []

    def _meet(self, node: ast.AST, what: str) -> bool:
        self.found.append((getattr(node, "lineno", 0), what))
        return len(self.found) - 1 == self._wanted

    def visit_Compare(self, node: ast.Compare) -> ast.AST:
        self.generic_visit(node)
        for place, operator in enumerate(node.ops):
            other = _COMPARISONS[type(operator)]
            if self._meet(node, f"{type(operator).__name__} for {other.__name__} in `{ast.unparse(node)}`"):
                node.ops[place] = other()
        return node

    def visit_BoolOp(self, node: ast.BoolOp) -> ast.AST:
        self.generic_visit(node)
        if self._meet(node, f"and for or, or the other way round, in `{ast.unparse(node)}`"):
            node.op = ast.Or() if isinstance(node.op, ast.And) else ast.And()
        return node

    def visit_UnaryOp(self, node: ast.UnaryOp) -> ast.AST:
        self.generic_visit(node)
        if isinstance(node.op, ast.Not) and self._meet(node, f"`{ast.unparse(node)}` without its not"):
            return node.operand
        return node

    def visit_BinOp(self, node: ast.BinOp) -> ast.AST:
        if ast.unparse(node) == "2 ** 62":
            return node  # for never: beyond every time, whatever it is
        self.generic_visit(node)
        counts = isinstance(node.op, ast.Add | ast.Sub) and not _is_text(node)
        if counts and self._meet(node, f"plus for minus, or the other way round, in `{ast.unparse(node)}`"):
            node.op = ast.Sub() if isinstance(node.op, ast.Add) else ast.Add()
        return node

    def visit_Constant(self, node: ast.Constant) -> ast.AST:
        value = node.value
        if isinstance(value, bool):
            if self._meet(node, f"{not value} for {value}"):
                return ast.copy_location(ast.Constant(not value), node)
        elif isinstance(value, int | float):
            other = value * 2 or 1
            if self._meet(node, f"{other} for {value}"):
                return ast.copy_location(ast.Constant(other), node)
        return node

    def visit_Call(self, node: ast.Call) -> ast.AST:
        self.generic_visit(node)
        name = node.func.id if isinstance(node.func, ast.Name) else ""
        if (other := _CALLS.get(name)) and self._meet(node, f"{other} for {name} in `{ast.unparse(node)}`"):
            node.func = ast.copy_location(ast.Name(other, ast.Load()), node.func)
        return node

    # Types and what is only said in an assertion, as that two lists are as long, decide nothing.

    def visit_AnnAssign(self, node: ast.AnnAssign) -> ast.AST:
        if node.value is not None:
            node.value = self.visit(node.value)
        return node

    def visit_arg(self, node: ast.arg) -> ast.AST:
        return node

    def visit_keyword(self, node: ast.keyword) -> ast.AST:
        return node if node.arg == "strict" else self.generic_visit(node)

    def visit_Assert(self, node: ast.Assert) -> ast.AST:
        return node

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        node.args.defaults = [self.visit(default) for default in node.args.defaults]
        node.body = [self.visit(statement) for statement in node.body]
        return node

    def visit_ClassDef(self, node: ast.ClassDef) -> ast.AST:
        node.body = [self.visit(statement) for statement in node.body]
        return node

    def visit_JoinedStr(self, node: ast.JoinedStr) -> ast.AST:
        return node


def _is_text(node: ast.BinOp) -> bool:
    return any(
        isinstance(side, ast.JoinedStr | ast.List | ast.Tuple) or _is_str(side) for side in (node.left, node.right)
    )


def _is_str(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and isinstance(node.value, str)


def files() -> list[str]:
    """The modules that are mutated, relative to the repository; migrations are history, and stay as they were run."""
    found = (path for package in PACKAGES for path in (ROOT / package).rglob("*.py"))
    return sorted(
        str(path.relative_to(ROOT)) for path in found if path.name != "__init__.py" and "migrations" not in path.parts
    )


def mutations_of(file: str) -> Iterator[Mutation]:
    """Every mutation of a module."""
    mutator = Mutator(None)
    mutator.visit(ast.parse((ROOT / file).read_bytes()))
    for number, (line, what) in enumerate(mutator.found):
        yield Mutation(file, number, line, what)


def mutated(source: bytes, number: int) -> ast.Module:
    """The module with one of its mutations. Raises IndexError where it has no such mutation."""
    mutator = Mutator(number)
    tree = mutator.visit(ast.parse(source))
    if number >= len(mutator.found):
        raise IndexError(f"there are {len(mutator.found)} mutations, not {number + 1}")
    changed: ast.Module = ast.fix_missing_locations(tree)
    return changed
