"""Says what to try for a key that its part of a rule does not have: `where:`, another part, or another spelling.

Knows the names of all keys and fields; adds no problems.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from monitor.located.nodes import Mapping, Node, Scalar
from monitor.located.problems import listed, meant, nearest
from monitor.packs.language.keys import ABSENT_KEYS, BETWEEN_KEYS, IMPACT_KEYS, INTERVENTION_KEYS, RULE_KEYS, STEP_KEYS
from monitor.packs.language.schema import nearest_field, type_of

_PARTS = {
    "`hazard:`": STEP_KEYS,
    "`intervention:`": INTERVENTION_KEYS,
    "`impact:`": IMPACT_KEYS,
    "a step": BETWEEN_KEYS,
    "an absence": ABSENT_KEYS,
}
_KEYS = frozenset(RULE_KEYS).union(*_PARTS.values())
_OTHER_WORDS = {"from": "since", "to": "until", "when": "where", "if": "where", "during": "within"}
"""What people write for a key, without looking like it."""
_PLAIN = re.compile(r"[A-Za-z0-9][\w.+-]{0,40}\Z")
"""Values that a hint repeats: one word, which needs no quotes in YAML."""


def in_step(part: Mapping, key: str, free: Sequence[str]) -> str:
    """For a hazard, an intervention, a step or an absence; `free` are the keys that it could still have."""
    return _in_part(part, key, free, "")


def in_rule(part: Mapping, key: str, free: Sequence[str]) -> str:
    """For the top of a rule."""
    return _in_part(part, key, free, " under `hazard:` or another step")


def in_impact(_part: Mapping, key: str, free: Sequence[str]) -> str:
    """For how to look for harm, where no field of an event can stand."""
    return _home(key) or meant(key, free, "removing it")


def _in_part(part: Mapping, key: str, free: Sequence[str], below: str) -> str:
    value = part.entries[key][1]
    if key == "labels" and isinstance(value, Mapping) and value.entries:
        label, (_, first) = next(iter(value.entries.items()))
        return f"{_line(part, f'labels.{label}', first)}{below}, and so for each label"
    if type_of(key) is not None:
        return f"{_line(part, key, value)}{below}, since it is a field of the event"
    if home := _home(key):
        return home
    if (other := _OTHER_WORDS.get(key)) in free:
        return f"{other!r} (did you mean that?)"
    offers = {}
    # What is there already was hardly meant once more.
    if elsewhere := nearest(key, _KEYS.difference(free, part.entries)):
        offers[elsewhere] = f"{_home(elsewhere)} (did you mean that?)"
    if (field := nearest_field(key)) and field not in _KEYS:
        # Under its last word, too: `time_left` looks little like `derived.time_left`.
        hint = f"{_line(part, field, value)}{below} (did you mean {field!r}, a field of the event?)"
        offers |= {field: hint, field.rpartition(".")[2]: hint}
    if own := nearest(key, free):
        offers[own] = meant(key, (own,), "")
    return offers.get(nearest(key, offers), "removing it")


def _line(part: Mapping, field: str, value: Node) -> str:
    """The condition on this field as a rule would write it."""
    said = value.text if isinstance(value, Scalar) and _PLAIN.match(value.text) else "…"
    return f"`{field}: {said}` under `where:`" if "where" in part.entries else f"`where: {{{field}: {said}}}`"


def _home(key: str) -> str:
    """Where a key of the language belongs; empty for a word that is none."""
    if key in RULE_KEYS:
        return f"`{key}:` at the top of the rule"
    parts = [part for part, keys in _PARTS.items() if key in keys]
    return f"`{key}:` under {listed(parts)}" if parts else ""
