"""Finds what an event of an example most likely means to say otherwise: keys and words that would become labels.

The decoder keeps what it does not know as a label, since tools add fields whenever they like; a person who writes an
example has misspelt it. Knows the fields of events and adds warnings; must not know what the decoder makes of them.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import get_args

from monitor.core.model.events import Actor, ActorKind, Bound, Event, Severity
from monitor.located.checks import Check
from monitor.located.nodes import Mapping, Scalar
from monitor.located.problems import Problem, Problems, listed, meant, nearest

FIELDS: tuple[str, ...] = (*Event.__struct_fields__, "every", "until")
ACTOR_FIELDS: tuple[str, ...] = Actor.__struct_fields__
_WORDS: dict[str, tuple[str, ...]] = {"severity": get_args(Severity), "bound": get_args(Bound)}
_LABEL = "labels."
_PLAIN = re.compile(r"[A-Za-z0-9][\w.+-]{0,40}\Z")
"""Values that a hint repeats: one word, which needs no quotes in YAML."""


def find_slips(event: Mapping, problems: Problems) -> list[Problem]:
    """A warning for each key of an event that is no field of events, and for each word that its field does not take."""
    found = _keys(event, "an event", FIELDS, "a field of the event format, or a key of `labels:`", problems)
    found += _words(event, _WORDS, problems)
    actor = event.get("actor")
    if isinstance(actor, Mapping):
        found += _keys(actor, "an actor", ACTOR_FIELDS, listed(ACTOR_FIELDS), problems)
        found += _words(actor, {"kind": get_args(ActorKind)}, problems)
    return found


def _keys(part: Mapping, what: str, fields: Collection[str], expected: str, problems: Problems) -> list[Problem]:
    # What is there already was hardly meant once more.
    free = set(fields).difference(part.entries)
    found = []
    for key, (at, value) in part.entries.items():
        if key not in fields:
            said = value.text if isinstance(value, Scalar) and _PLAIN.match(value.text) else "…"
            close = "" if key.startswith(_LABEL) else nearest(key, free)
            hint = f"`{close}: {said}` (did you mean that?)" if close else _label(part, key.removeprefix(_LABEL), said)
            message = f"{what} has no key {key!r}: it is kept as a label"
            found.append(problems.warning(Check.EVENT_SLIP, at.place, message, expected, hint))
    return found


def _label(part: Mapping, name: str, said: str) -> str:
    return f"`{name}: {said}` under `labels:`" if "labels" in part.entries else f"`labels: {{{name}: {said}}}`"


def _words(part: Mapping, allowed: dict[str, tuple[str, ...]], problems: Problems) -> list[Problem]:
    found = []
    for field, words in allowed.items():
        value = part.get(field)
        if isinstance(value, Scalar) and value.value is not None and value.text.strip().lower() not in words:
            message = f"{field} is {value.text!r}: it is kept as a label, and the event has no {field}"
            hint = meant(value.text, words, f"`{field}: {words[-1]}`")
            found.append(problems.warning(Check.EVENT_SLIP, value.place, message, listed(words), hint))
    return found
