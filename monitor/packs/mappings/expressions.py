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

_AT_ONCE = frozenset({"length", "not_null", "type"})
"""Functions that do not look into what they are given,"""
_WHOLE = frozenset({"contains", "to_string"})
"""and those that look at all that is in it, however deep."""

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
    return _quick(tree) or _evaluated(tree)


def is_conditional(written: str) -> bool:
    """Whether an expression that compiles is `condition && value`."""
    kind: str = jmespath.compile(written).parsed["type"]
    return kind == "and_expression"


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


def _quick(tree: dict[str, Any]) -> Find | None:
    """A function of its own for the frequent forms: `a.b`, `a[0].b`, `a || b`, `list[?key=='x'].value | [0]`."""
    kind = tree["type"]
    if kind == "field":
        return _of_field(tree["value"])
    if kind in ("subexpression", "index_expression"):
        return _chain([_quick(child) for child in tree["children"]])
    if kind == "index":
        return _of_index(tree["value"])
    if kind == "identity":
        return _itself
    if kind == "or_expression":
        return _either([_quick(child) for child in tree["children"]])
    if kind == "pipe":
        return _lookup(*tree["children"])
    return None


def _itself(document: Any, _budget: Budget) -> Any:
    return document


def _of_field(name: str) -> Find:
    def find(document: Any, budget: Budget) -> Any:
        budget.spend()
        return document.get(name) if isinstance(document, dict) else None

    return find


def _of_index(index: int) -> Find:
    def find(document: Any, budget: Budget) -> Any:
        budget.spend()
        if not isinstance(document, list) or not -len(document) <= index < len(document):
            return None
        return document[index]

    return find


def _chain(steps: list[Find | None]) -> Find | None:
    known = tuple(step for step in steps if step)
    if len(known) < len(steps):
        return None

    def find(document: Any, budget: Budget) -> Any:
        for step in known:
            document = step(document, budget)
        return document

    return find


def _either(parts: list[Find | None]) -> Find | None:
    left, right = parts
    if left is None or right is None:
        return None

    def find(document: Any, budget: Budget) -> Any:
        found = left(document, budget)
        is_false = found is None or found is False or found in ("", [], {})
        return right(document, budget) if is_false else found

    return find


def _lookup(projection: dict[str, Any], picked: dict[str, Any]) -> Find | None:
    """The value of the first item of a list whose key has this text."""
    if projection["type"] != "filter_projection" or picked["type"] != "index_expression":
        return None
    base, value, comparison = projection["children"]
    start, index = picked["children"]
    if start["type"] != "identity" or index["type"] != "index" or index["value"] != 0:
        return None
    if comparison["type"] != "comparator" or comparison["value"] != "eq":
        return None
    key, literal = comparison["children"]
    if key["type"] != "field" or literal["type"] != "literal" or not isinstance(literal["value"], str):
        return None
    items, get = _quick(base), _quick(value)
    if items is None or get is None:
        return None
    name, wanted = key["value"], literal["value"]

    def find(document: Any, budget: Budget) -> Any:
        found = items(document, budget)
        if not isinstance(found, list):
            return None
        budget.spend(len(found))
        for item in found:
            if isinstance(item, dict) and item.get(name) == wanted and (said := get(item, budget)) is not None:
                return said
        return None

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


def _has_order(value: Any) -> bool:
    """Numbers and texts, as the library has it."""
    return isinstance(value, int | float | str) and not isinstance(value, bool)


class _Bounded(TreeInterpreter):  # type: ignore[misc]  # the library comes without types
    """Counts every step, and refuses to make what is much larger than the body.

    What is made may hold the same thing many times; `_weights` counts it as if each were a copy, since
    comparing or printing it walks through all of them.
    """

    def __init__(self, budget: Budget) -> None:
        super().__init__()
        self._budget = budget
        self._weights: dict[int, tuple[Any, int]] = {}
        self._sizes: dict[int, tuple[Any, int]] = {}

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
        self._walk(str(node["value"]), arguments)
        made = self._functions.call_function(node["value"], arguments)
        if isinstance(made, str) and not any(made is argument for argument in arguments):
            self._make(len(made))
        return made

    def visit_comparator(self, node: dict[str, Any], value: Any) -> Any:
        left, right = (self.visit(child, value) for child in node["children"])
        if isinstance(left, list | dict) and isinstance(right, list | dict):
            self._budget.spend(min(self._size(left), self._size(right)) // 8)
        compare = self.COMPARATOR_FUNC[node["value"]]
        if node["value"] in self._EQUALITY_OPS:
            return compare(left, right)
        return compare(left, right) if _has_order(left) and _has_order(right) else None

    def _walk(self, name: str, arguments: list[Any]) -> None:
        """Spend what a function looks at: it may be called for each of many that are all the same large thing."""
        for argument in arguments:
            if isinstance(argument, str):
                self._budget.spend(len(argument) // 64)
            elif isinstance(argument, list | dict) and name not in _AT_ONCE:
                self._budget.spend(self._size(argument) if name in _WHOLE else len(argument))

    def _size(self, value: Any) -> int:
        """How many values there are in it, what it holds twice counted twice."""
        if not isinstance(value, list | dict):
            return 1
        if (known := self._sizes.get(id(value))) is not None:
            return known[1]
        size = 1 + sum(map(self._size, value.values() if isinstance(value, dict) else value))
        self._sizes[id(value)] = (value, size)
        return size

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
