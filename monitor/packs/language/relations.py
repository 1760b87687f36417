"""The lines of a step that relate its event to the hazard: `same`, `differs`, `before`, `after`, `spent`.

Knows nothing of windows and services.
"""

from __future__ import annotations

from typing import Literal, cast

from monitor.core.model.rule import Limit, Pair, Spent
from monitor.located.form import Form, name_of
from monitor.located.nodes import Listing, Mapping, Node, Scalar
from monitor.located.problems import Problems, listed, meant
from monitor.packs.language.conditions import ORDER_OPERATORS, check_field, check_own_field
from monitor.packs.language.schema import time_fields

MOST_SPENT = 10.0
ACTED = "intervention."


def pairs(form: Form, further: bool = False) -> tuple[Pair, ...]:
    """Fields that equal, or differ from, a field of the hazard: the lines `same` and `differs`.

    Those of a further step may name a field of the intervention: `{actor.id: intervention.actor.id}`.
    """
    found: list[Pair] = []
    for key, equal in (("same", True), ("differs", False)):
        for node in form.several(key):
            if isinstance(node, Mapping):
                # `{labels.k8s_cluster: labels.cluster}`: the field of this step, then that of the hazard.
                for theirs, held in node.entries.values():
                    acted = further and isinstance(held, Scalar) and held.text.startswith(ACTED)
                    found += _pair(key, theirs, _own(held) if acted else held, equal, acted, form.problems)
            elif isinstance(node, Scalar) and node.value is not None:
                if check_own_field(node, form.problems):
                    found.append(Pair(node.text, node.text, equal))
            else:
                expected = "field names, or `{field here: field of the hazard}`"
                form.problems.error(node.place, f"{key} is {name_of(node)}", expected, f"`{key}: [subject]`")
    return tuple(found)


def _own(node: Node) -> Scalar:
    """`intervention.actor.id` as the intervention itself has it: `actor.id`."""
    assert isinstance(node, Scalar)
    field = node.text.removeprefix(ACTED)
    return Scalar(node.place, field, field)


def _pair(key: str, theirs: Scalar, node: Node, equal: bool, acted: bool, problems: Problems) -> list[Pair]:
    """One field of the step beside one, or any of several, of the hazard, or one of the intervention."""
    fields = []
    items = node.items if isinstance(node, Listing) else [node]
    good = check_own_field(theirs, problems)
    for item in items:
        if not isinstance(item, Scalar) or item.value is None:
            problems.error(item.place, f"{key} is {name_of(item)}", "a field of the hazard", "`subject`")
        elif check_own_field(item, problems):
            fields.append(item.text)
    if not items:
        problems.error(node.place, f"{key} is an empty list", "at least one field of the hazard", "`[subject]`")
    if not good or not fields or len(fields) < len(items):
        return []
    of: Literal["hazard", "intervention"] = "intervention" if acted else "hazard"
    return [Pair(fields[0], theirs.text, equal, tuple(fields[1:]), of)]


def limits(form: Form) -> tuple[Limit, ...]:
    """Times of the hazard that the event must lie before, or after."""
    found = []
    for key, before in (("before", True), ("after", False)):
        for node in form.several(key):
            if not isinstance(node, Scalar) or node.value is None:
                expected = "a field of the hazard that is a time"
                form.problems.error(node.place, f"{key} is {name_of(node)}", expected, f"`{key}: expires_at`")
            elif (field_type := check_field(node, form.problems)) == "time":
                found.append(Limit(node.text, before))
            elif field_type is not None:
                message = f"{key} needs a time, and {node.text} is a {field_type}"
                form.problems.error(node.place, message, f"one of {listed(time_fields())}", "`expires_at`")
    return tuple(found)


def spent(form: Form) -> tuple[Spent, ...]:
    """Shares of the hazard's lead time: `{at_least: 0.9}`."""
    node = form.get("spent")
    if node is None:
        return ()
    if not isinstance(node, Mapping) or not node.entries:
        expected = f"a mapping with {listed(ORDER_OPERATORS)}"
        form.problems.error(node.place, f"spent is {name_of(node)}", expected, "`{at_least: 0.9}`")
        return ()
    found = [_spent(written, value, form.problems) for written, value in node.entries.values()]
    return tuple(one for one in found if one is not None)


def _spent(written: Scalar, node: Node, problems: Problems) -> Spent | None:
    if written.text not in ORDER_OPERATORS:
        hint = meant(written.text, ORDER_OPERATORS, "'at_least'")
        message = f"spent has no operator {written.text!r}"
        problems.error(written.place, message, f"one of {listed(ORDER_OPERATORS)}", hint)
        return None
    share = node.value if isinstance(node, Scalar) else None
    if isinstance(share, bool) or not isinstance(share, int | float) or not 0 <= share <= MOST_SPENT:
        expected = "a share of the lead time, such as 0.9; 1 is the deadline, more is after it"
        problems.error(
            node.place, f"{written.text} of spent is {name_of(node)}", expected, f"`{{{written.text}: 0.9}}`"
        )
        return None
    return Spent(cast(Literal["at_least"], written.text), float(share))
