"""A `where:` mapping → a condition of the core; types are checked so that a comparison that can never hold is an error.

Knows nothing of rules.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from monitor.core.model.conditions import All, AnyOf, Compare, Condition, Not, Operator, Scalar
from monitor.core.model.events import SEVERITIES, to_instant
from monitor.located.form import DURATION_HELP, as_duration, duration, name_of, truth_of
from monitor.located.nodes import Listing, Mapping, Node
from monitor.located.nodes import Scalar as ScalarNode
from monitor.located.problems import Problems, listed, meant, nearest
from monitor.packs.language.regex import LONGEST_PATTERN, BadPattern, make_regex
from monitor.packs.language.schema import ORDERED, WORDS, FieldType, suggest, type_of

TEXT_OPERATORS: frozenset[Operator] = frozenset({"prefix", "suffix", "contains", "matches"})
ORDER_OPERATORS: frozenset[Operator] = frozenset({"above", "at_least", "below", "at_most"})
FIELD_OPERATORS: frozenset[Operator] = frozenset({"same_as", "differs_from"})
OPERATORS: frozenset[str] = TEXT_OPERATORS | ORDER_OPERATORS | FIELD_OPERATORS | {"present"}
MOST_COMPARISONS = 500
MOST_OPERANDS = 1_000
GROUP_SAMPLE = "[{severity: critical}, {labels.tier: gold}]"
GROUPS = ("any", "all", "not")
_INSTEAD = {
    "equals": "writing the value itself, `field: value`",
    "one_of": "writing a list, `field: [a, b]`",
    "in": "writing a list, `field: [a, b]`",
    "regex": "'matches'",
    "==": "writing the value itself, `field: value`",
    "!=": "writing the value under `not:`, `not: {field: value}`",
    "min": "'at_least'",
    "max": "'at_most'",
    ">=": "'at_least'",
    ">": "'above'",
    "<=": "'at_most'",
    "<": "'below'",
    "exists": "'present'",
}


def read_step_where(node: Node, problems: Problems) -> Condition | None:
    """The whole condition of a step, within the bounds of what an event may cost."""
    found = read_where(node, problems)
    if found is not None and (count := _comparisons(found)) > MOST_COMPARISONS:
        expected = f"at most {MOST_COMPARISONS}, since every event of the kind is asked"
        problems.error(node.place, f"a condition of {count} comparisons", expected, "several rules, or lists of values")
    return found


def _comparisons(condition: Condition) -> int:
    if isinstance(condition, Compare):
        return 1
    return sum(map(_comparisons, (condition.part,) if isinstance(condition, Not) else condition.parts))


def read_where(node: Node, problems: Problems) -> Condition | None:
    """The condition of a mapping, all of whose lines must hold; None where nothing usable stands there."""
    if not isinstance(node, Mapping):
        expected = "a mapping of `field: value` that all hold"
        problems.error(node.place, f"a condition is {name_of(node)}", expected, "`{severity: high}`")
        return None
    if not node.entries:
        problems.error(node.place, "a condition is empty", "at least one `field: value`", "removing it")
        return None
    parts = []
    for key, (written, value) in node.entries.items():
        part = _read_group(key, value, problems) if key in GROUPS else _read_field(written, value, problems)
        if part is not None:
            parts.append(part)
    if not parts:
        return None
    return parts[0] if len(parts) == 1 else All(tuple(parts))


def _read_group(key: str, node: Node, problems: Problems) -> Condition | None:
    if key == "not":
        inner = read_where(node, problems)
        return None if inner is None else Not(inner)
    if not isinstance(node, Listing) or not node.items:
        problems.error(node.place, f"{key} is {name_of(node)}", "a list of conditions", f"`{key}: {GROUP_SAMPLE}`")
        return None
    read = (read_where(item, problems) for item in node.items)
    parts = tuple(part for part in read if part is not None)
    if not parts:
        return None
    return AnyOf(parts) if key == "any" else All(parts)


def check_field(written: ScalarNode, problems: Problems) -> FieldType | None:
    """The type of a field that was written somewhere; a problem and None where there is no such field."""
    found = type_of(written.text)
    if found is None:
        problems.error(
            written.place, f"no event has a field {written.text!r}", "a field of the format", suggest(written.text)
        )
    return found


def check_own_field(written: ScalarNode, problems: Problems) -> bool:
    """Whether a relation between events may name the field: derived facts belong to one event's condition."""
    if check_field(written, problems) is None:
        return False
    if written.text.startswith("derived."):
        message = f"{written.text} cannot be compared between events"
        problems.error(written.place, message, "a field of the event itself", "a condition under `where:`")
        return False
    return True


def _read_field(written: ScalarNode, node: Node, problems: Problems) -> Condition | None:
    field_type = check_field(written, problems)
    if field_type is None:
        return None
    field = written.text
    if isinstance(node, Mapping):
        return _read_operators(field, field_type, node, problems)
    items = node.items if isinstance(node, Listing) else [node]
    if not items:
        problems.error(node.place, f"{field} has an empty list", "at least one value", f"`{field}: {{present: true}}`")
        return None
    if field_type in ("time", "duration"):
        problems.error(node.place, f"{field} is compared for equality", "a comparison", _sample(field, field_type))
        return None
    if _too_many(field, node, items, problems):
        return None
    read = [_value(field, field_type, item, problems) for item in items]
    values = tuple(value for value in read if value is not None)
    if len(values) != len(read):
        return None
    return Compare(field, "equals" if len(values) == 1 else "one_of", values)


def _read_operators(field: str, field_type: FieldType, node: Mapping, problems: Problems) -> Condition | None:
    if not node.entries:
        expected = f"one of {listed(OPERATORS)}"
        problems.error(node.place, f"{field} has no operator", expected, f"`{field}: {{present: true}}`")
        return None
    parts: list[Condition] = []
    for name, (written, operand) in node.entries.items():
        if name not in OPERATORS:
            hint = _INSTEAD.get(name) or meant(name, OPERATORS, _sample(field, field_type))
            problems.error(written.place, f"there is no operator {name!r}", f"one of {listed(OPERATORS)}", hint)
            continue
        part = _read_operator(field, field_type, written, operand, problems)
        if part is not None:
            parts.append(part)
    if not parts:
        return None
    return parts[0] if len(parts) == 1 else All(tuple(parts))


def _read_operator(
    field: str, field_type: FieldType, written: ScalarNode, operand: Node, problems: Problems
) -> Condition | None:
    name = written.text
    if name == "present":
        if isinstance(operand, ScalarNode) and isinstance(operand.value, bool):
            return Compare(field, "present", (operand.value,))
        hint = f"`present: {truth_of(operand)}`"
        problems.error(operand.place, f"present is {name_of(operand)}", "true or false", hint)
        return None
    for operator in FIELD_OPERATORS:
        if name == operator:
            return _other_field(field, operator, operand, problems)
    for operator in TEXT_OPERATORS:
        if name == operator:
            if field_type == "text":
                return _text(field, operator, operand, problems)
            message = f"{name} is for texts and {field} is a {field_type}"
            problems.error(written.place, message, _usual(field_type), _sample(field, field_type))
            return None
    for operator in ORDER_OPERATORS:
        if name == operator:
            return _order(field, field_type, operator, written, operand, problems)
    raise AssertionError(name)


def _usual(field_type: FieldType) -> str:
    return "the value itself" if field_type == "truth" else f"one of {listed(ORDER_OPERATORS)}"


def _sample(field: str, field_type: FieldType) -> str:
    """A line about the field that is right."""
    if field in WORDS:
        return f"`{field}: {WORDS[field][0]}`"
    value = {
        "text": "some text",
        "number": "{above: 10}",
        "time": "{above: 2026-01-31T12:00:00Z}",
        "duration": "{below: 30m}",
        "truth": "true",
    }[field_type]
    return f"`{field}: {value}`"


def _other_field(field: str, operator: Operator, operand: Node, problems: Problems) -> Condition | None:
    if not isinstance(operand, ScalarNode):
        hint = f"`{operator}: subject`"
        problems.error(operand.place, f"{operator} is {name_of(operand)}", "the name of another field", hint)
        return None
    return Compare(field, operator, (operand.text,)) if check_field(operand, problems) else None


def _too_many(field: str, node: Node, items: Sequence[Node], problems: Problems) -> bool:
    if len(items) <= MOST_OPERANDS:
        return False
    problems.error(node.place, f"{field} has {len(items)} values", f"at most {MOST_OPERANDS}", "a prefix, or a label")
    return True


def _text(field: str, operator: Operator, operand: Node, problems: Problems) -> Condition | None:
    items = operand.items if isinstance(operand, Listing) and operator != "matches" else [operand]
    if _too_many(field, operand, items, problems):
        return None
    texts = [item for item in items if isinstance(item, ScalarNode) and item.value is not None and item.text]
    if len(texts) != len(items) or not items:
        hint = f'`{operator}: "some text"`'
        problems.error(operand.place, f"{operator} is {name_of(operand)}", "a text that is not empty", hint)
        return None
    if operator == "matches":
        try:
            make_regex(texts[0].text)
        except BadPattern as error:
            hint = (
                "`contains:` with a list of texts, or a shorter pattern"
                if len(texts[0].text) > LONGEST_PATTERN
                else "a pattern without look-around or back references (RE2), or `contains:` for a plain text"
            )
            problems.error(operand.place, f"not a regular expression: {error}", "RE2 syntax", hint)
            return None
    return Compare(field, operator, tuple(item.text for item in texts))


def _order(
    field: str, field_type: FieldType, operator: Operator, written: ScalarNode, operand: Node, problems: Problems
) -> Condition | None:
    if field_type == "truth":
        problems.error(written.place, f"{operator} cannot order {field}", "true or false", f"`{field}: true`")
        return None
    found = _operand(field, field_type, operand)
    if found is None:
        expected = {
            "time": "a time such as 2026-01-31T12:00:00Z",
            "duration": DURATION_HELP + ", negative for the past",
        }.get(field_type, f"one of {listed(SEVERITIES)}" if field == "severity" else "a number")
        right = {
            "time": "2026-01-31T12:00:00Z",
            "duration": as_duration(operand),
        }.get(field_type, _severity(operand) if field == "severity" else "10")
        problems.error(
            operand.place, f"{operator} of {field} is {name_of(operand)}", expected, f"`{{{operator}: {right}}}`"
        )
        return None
    return Compare(field, operator, (found,))


def _severity(operand: Node) -> str:
    """Which severity somebody meant who wrote another word."""
    text = operand.text.strip().lower() if isinstance(operand, ScalarNode) else ""
    return nearest(text, SEVERITIES) or "high"


def _operand(field: str, field_type: FieldType, operand: Node) -> Scalar | None:
    if not isinstance(operand, ScalarNode):
        return None
    if field_type == "time":
        try:
            return float(to_instant(datetime.fromisoformat(operand.text)))
        except ValueError:
            return None
    if field_type == "duration":
        span = duration(operand.text)
        return None if span is None else float(span)
    if field == "severity":
        return operand.text if operand.text in SEVERITIES else None
    if field_type in ORDERED or field_type == "text":
        number = operand.value
        return float(number) if isinstance(number, int | float) and not isinstance(number, bool) else None
    return None


def _value(field: str, field_type: FieldType, node: Node, problems: Problems) -> Scalar | None:
    """One value to be equal to, of the field's type. Texts are taken as they were written (`1.10` stays `1.10`)."""
    words = WORDS.get(field)
    if isinstance(node, ScalarNode) and node.value is not None:
        if words is not None:
            if node.text in words:
                return node.text
            expected = f"one of {listed(words)}" if len(words) < 10 else "one of the kinds of the event format"
            problems.error(
                node.place, f"{field} is never {node.text!r}", expected, meant(node.text, words, f"{words[0]!r}")
            )
            return None
        if field_type == "text":
            return node.text
        value = node.value
        if field_type == "truth" and isinstance(value, bool):
            return value
        if field_type == "number" and isinstance(value, int | float) and not isinstance(value, bool):
            return float(value)
    expected = {"truth": "true or false", "number": "a number"}.get(field_type, "a text")
    hint = f"`{field}: {truth_of(node)}`" if field_type == "truth" else _sample(field, field_type)
    problems.error(node.place, f"{field} is compared with {name_of(node)}", expected, hint)
    return None
