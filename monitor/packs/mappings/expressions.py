"""JMESPath → callables with bounds: an expression is compiled once, cannot loop, and what it makes cannot grow.

The one home of the library. Knows nothing of mappings.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import jmespath
from jmespath.exceptions import JMESPathError
from jmespath.functions import Functions
from jmespath.visitor import TreeInterpreter

from monitor.core.model.reasons import Rejected
from monitor.decode.mapped import Budget, Find
from monitor.decode.outcome import Unreadable

LONGEST_EXPRESSION = 400
DEEPEST_EXPRESSION = 40
LARGEST_MADE = 20_000
"""Items of a list, or characters of a text, that an expression may make out of what is in the body."""

_MAKERS = frozenset(
    {
        "filter_projection",
        "flatten",
        "function_expression",
        "multi_select_dict",
        "multi_select_list",
        "projection",
        "slice",
        "value_projection",
    }
)
"""What gives a list or an object that is not in the body as it is."""

_FUNCTIONS: frozenset[str] = frozenset(Functions.FUNCTION_TABLE)
_FAILURES = (JMESPathError, ValueError, TypeError, ArithmeticError, LookupError, AttributeError, RecursionError)


class BadExpression(ValueError):
    """No JMESPath, or beyond its bounds. `at` is the place in the expression, counted from 1; 0 for all of it."""

    def __init__(self, said: str, at: int = 0) -> None:
        super().__init__(said)
        self.at = at


def compile_expression(written: str) -> Find:
    """What the expression finds in a document. Raises BadExpression.

    An expression that does not fit a document, such as `length(a)` where `a` is null, finds nothing there.
    """
    if len(written) > LONGEST_EXPRESSION:
        raise BadExpression(f"{len(written)} characters; at most {LONGEST_EXPRESSION}")
    try:
        tree: dict[str, Any] = jmespath.compile(written).parsed
    except JMESPathError as error:
        raise BadExpression(_said(error), _position(error)) from None
    except RecursionError:
        raise BadExpression("nested too deeply") from None
    deepest, unknown = _survey(tree)
    if deepest > DEEPEST_EXPRESSION:
        raise BadExpression(f"nested deeper than {DEEPEST_EXPRESSION} levels")
    if unknown:
        raise BadExpression(f"there is no function {unknown}()", written.find(unknown) + 1)
    steps = _plain_path(tree)
    return _evaluated(tree) if steps is None else _walked(steps)


def _said(error: JMESPathError) -> str:
    token = getattr(error, "token_value", None) or getattr(error, "lexer_value", None)
    if getattr(error, "token_type", "") is None or not token:
        return "it ends too early"
    return f"unexpected {token!r}"


def _position(error: JMESPathError) -> int:
    return int(getattr(error, "lex_position", getattr(error, "lexer_position", -1)) or 0) + 1


def _children(tree: dict[str, Any]) -> Iterator[dict[str, Any]]:
    return (child for child in tree.get("children", ()) if isinstance(child, dict))


def _survey(tree: dict[str, Any]) -> tuple[int, str]:
    """How deep it is, and the first function in it that does not exist."""
    deepest, unknown, level = 0, "", [tree]
    while level:
        deepest += 1
        called = [str(node["value"]) for node in level if node["type"] == "function_expression"]
        unknown = unknown or next((name for name in called if name not in _FUNCTIONS), "")
        level = [child for node in level for child in _children(node)]
    return deepest, unknown


def _plain_path(tree: dict[str, Any]) -> tuple[str, ...] | None:
    """The names of `a.b.c`, by far the most frequent form; None for any other."""
    if tree["type"] == "field":
        return (tree["value"],)
    if tree["type"] != "subexpression":
        return None
    parts = [_plain_path(child) for child in tree["children"]]
    return None if None in parts else tuple(name for part in parts if part for name in part)


def _walked(steps: tuple[str, ...]) -> Find:
    def find(document: Any, budget: Budget) -> Any:
        budget.spend(len(steps))
        for name in steps:
            if not isinstance(document, dict):
                return None
            document = document.get(name)
        return document

    return find


def _evaluated(tree: dict[str, Any]) -> Find:
    def find(document: Any, budget: Budget) -> Any:
        if budget.helper is None:
            budget.helper = _Bounded(budget)
        try:
            return budget.helper.visit(tree, document)
        except _FAILURES:
            return None

    return find


class _Bounded(TreeInterpreter):  # type: ignore[misc]  # the library comes without types
    """Counts every step, and refuses to make what is much larger than the body.

    What is made may hold the same thing many times; `_weights` counts it as if each were a copy, since whoever
    compares or prints it walks through all of them.
    """

    def __init__(self, budget: Budget) -> None:
        super().__init__()
        self._budget = budget
        self._weights: dict[int, tuple[Any, int]] = {}

    def visit(self, node: dict[str, Any], *args: Any, **kwargs: Any) -> Any:
        self._budget.spend()
        made = super().visit(node, *args, **kwargs)
        if node["type"] in _MAKERS and isinstance(made, list | dict):
            self._weigh(made)
        return made

    def visit_flatten(self, node: dict[str, Any], value: Any) -> Any:
        base = self.visit(node["children"][0], value)
        if not isinstance(base, list):
            return None
        self._make(sum(len(item) if isinstance(item, list) else 1 for item in base))
        return [each for item in base for each in (item if isinstance(item, list) else (item,))]

    def visit_function_expression(self, node: dict[str, Any], value: Any) -> Any:
        arguments = [self.visit(child, value) for child in node["children"]]
        if node["value"] == "join" and len(arguments) == 2 and isinstance(arguments[1], list):
            glue, parts = arguments
            size = sum(len(part) for part in parts if isinstance(part, str))
            self._make(size + (len(glue) * len(parts) if isinstance(glue, str) else 0))
        made = self._functions.call_function(node["value"], arguments)
        if isinstance(made, str) and not any(made is argument for argument in arguments):
            self._make(len(made))
        return made

    def _weigh(self, made: Any) -> None:
        parts = made.values() if isinstance(made, dict) else made
        known = self._weights
        weight = sum(known[id(part)][1] if id(part) in known else 1 for part in parts)
        self._make(weight)
        known[id(made)] = (made, weight)

    def _make(self, size: int) -> None:
        if size > LARGEST_MADE:
            detail = f"an expression makes something of {size:,} items or characters; at most {LARGEST_MADE:,}"
            raise Unreadable(Rejected.MAPPING_OVERRUN, detail)
        self._budget.spend(size // 16)
