"""The conditions of a mapping: which field of a body has to say what; a located node → a test over documents."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from monitor.decode.lenient import as_text
from monitor.decode.mapped import Budget, Find, Test
from monitor.located.form import Form
from monitor.located.nodes import Listing, Mapping, Node, Scalar
from monitor.located.problems import Problems
from monitor.packs.language.regex import BadPattern, make_regex
from monitor.packs.mappings.values import SEARCHED, compiled, read_expression

OPERATORS = ("prefix", "suffix", "contains", "matches", "present", "not")
CONDITION_HELP = "a mapping of fields to what they must say, an expression that must be true, or a list of such"
SAMPLE = "`when: {state: [down, critical]}`"

Compare = Callable[[Any], bool]


def read_condition(node: Node | None, problems: Problems, looks: dict[str, Find]) -> Test | None:
    """The test; always true where there is no condition. `looks` gathers the places that are asked."""
    if node is None:
        return lambda _document, _budget: True
    if isinstance(node, Listing):
        return _any_of([read_condition(item, problems, looks) for item in node.items], node, problems)
    if isinstance(node, Scalar):
        found = read_expression(node, problems, "when")
        if found is None:
            return None
        looks[node.text] = found
        return _is_true(found)
    tests: list[tuple[Find, Compare]] = []
    for written, (key, expected) in node.entries.items():
        find = compiled(written, key.place, problems, "when")
        compare = _comparison(expected, problems)
        if find is not None and compare is not None:
            looks[written] = find
            tests.append((find, compare))
    if not node.entries:
        problems.error(node.place, "an empty condition", CONDITION_HELP, SAMPLE)
    return _all_of(tuple(tests)) if len(tests) == len(node.entries) else None


def _all_of(tests: tuple[tuple[Find, Compare], ...]) -> Test:
    def test(document: Any, budget: Budget) -> bool:
        return all(compare(find(document, budget)) for find, compare in tests)

    return test


def _any_of(tests: list[Test | None], node: Node, problems: Problems) -> Test | None:
    if not tests:
        problems.error(node.place, "an empty list of conditions", CONDITION_HELP, SAMPLE)
    several = tuple(test for test in tests if test)
    if not tests or len(several) < len(tests):
        return None
    return lambda document, budget: any(test(document, budget) for test in several)


def _is_true(find: Find) -> Test:
    def test(document: Any, budget: Budget) -> bool:
        found = find(document, budget)
        return found is not None and found is not False and found not in ("", [], {})

    return test


def _comparison(node: Node, problems: Problems) -> Compare | None:
    """Texts, numbers and truth values are compared as texts in any case; null is a field that says nothing."""
    if isinstance(node, Scalar):
        return _equals((node,))
    if isinstance(node, Listing):
        scalars = tuple(item for item in node.items if isinstance(item, Scalar))
        if scalars and len(scalars) == len(node.items):
            return _equals(scalars)
        problems.error(node.place, "a list that does not hold single values only", "values", "`[down, critical]`")
        return None
    return _operators(node, problems)


def _equals(allowed: tuple[Scalar, ...]) -> Compare:
    words = frozenset(_folded(each.value if isinstance(each.value, bool) else each.text) for each in allowed
                      if each.value is not None)  # fmt: skip
    nothing = any(each.value is None for each in allowed)

    def compare(found: Any) -> bool:
        if found in (None, "", [], {}):
            return nothing
        return any(_folded(each) in words for each in _several(found))

    return compare


def _operators(node: Mapping, problems: Problems) -> Compare | None:
    form = Form(node, problems, "a condition", OPERATORS)
    found = [compare for name in OPERATORS if form.has(name) and (compare := _operator(name, form, problems))]
    if not node.entries:
        problems.error(node.place, "an empty condition", "an operator", "`{prefix: incident.}`")
    if not found or len(found) < len(node.entries):
        return None
    several = tuple(found)
    return lambda value: all(compare(value) for compare in several)


def _operator(name: str, form: Form, problems: Problems) -> Compare | None:
    node = form.get(name)
    if node is None:
        return None
    if name == "present":
        wanted = form.flag("present")
        return lambda found: (found not in (None, "", [], {})) is wanted
    if name == "not":
        inner = _comparison(node, problems)
        return None if inner is None else lambda found: not inner(found)
    texts = form.texts(name, "a text, or a list of them", "incident.")
    if not texts:
        return None
    if name == "matches":
        return _matches(texts, form, problems)
    words = tuple(word.lower() for word in texts)
    if name == "prefix":
        return lambda found: any(_folded(each).startswith(words) for each in _several(found))
    if name == "suffix":
        return lambda found: any(_folded(each).endswith(words) for each in _several(found))
    return lambda found: any(word in _folded(each) for each in _several(found) for word in words)


def _matches(patterns: tuple[str, ...], form: Form, problems: Problems) -> Compare | None:
    tests = []
    for pattern in patterns:
        try:
            tests.append(make_regex(pattern))
        except BadPattern as error:
            message = f"matches: {pattern!r} is no pattern: {error}"
            problems.error(form.place_of("matches"), message, "a regular expression as RE2 has them", "'^DB-[0-9]+'")
            return None
    return lambda found: any(test(as_text(each)[:SEARCHED]) for each in _several(found) for test in tests)


def _several(found: Any) -> list[Any]:
    """The scalars of a value: a condition on a list holds where it holds for one of them."""
    items = found if isinstance(found, list) else [found]
    return [each for each in items if isinstance(each, str | int | float)]


def _folded(value: Any) -> str:
    return as_text(value).strip().lower()[:SEARCHED]
