"""The rule language as a JSON Schema (draft 2020-12) for editors, made of the tables that the grammar reads.

It says what a rule looks like. What only reading the whole rule can tell (placeholders, regular expressions, windows
that fit) is for `nearmiss rules check`.
"""

from __future__ import annotations

import re
from typing import Any, get_args

from monitor.core.model.events import EARLIEST_AT, KINDS, to_text
from monitor.core.model.near_miss import Family, Mode, RecordKind
from monitor.core.model.rule import MOST_COUNTED, Reach, Where
from monitor.decode.catalogues import CLOCK, DAYS, SHORT_KEYS
from monitor.packs.examples.reader import NO_DRAFT_VERDICTS, REASONS, Expect
from monitor.packs.language import keys
from monitor.packs.language.conditions import FIELD_OPERATORS, GROUPS, ORDER_OPERATORS, TEXT_OPERATORS
from monitor.packs.language.grammar import MARGINS, MOMENTS, NAME, REMEMBER, STEP_NAME, THROUGH
from monitor.packs.language.keys import Key
from monitor.packs.language.regex import LONGEST_PATTERN
from monitor.packs.language.relations import ACTED, MOST_SPENT
from monitor.packs.language.schema import DERIVED, WORDS, FieldType, known_fields, time_fields, type_of
from monitor.packs.language.silences import SILENCEABLE
from monitor.packs.language.titles import LONGEST_TITLE

DIALECT = "https://json-schema.org/draft/2020-12/schema"
Schema = dict[str, Any]

_END = r"\Z"
_UNIT = r"\d{1,9}(?:ms|[smhd])"
_DURATION = rf"^(?:{_UNIT})+$"
_LINK = re.compile(r"\[([^]]*)\]\([^)]*\)")


def schema() -> Schema:
    """The whole schema, for one rule file. The same on every call; the caller may change it."""
    own = {field for field in known_fields() if not field.startswith("derived.")}
    return {
        "$schema": DIALECT,
        "title": "A rule of nearmiss",
        "description": "What a hazard is, what ends it, what must and must not happen around it.",
        **_object(_RULE, keys.RULE),
        "$defs": {
            "text": {"type": "string", "minLength": 1, "pattern": r"\S"},
            "scalar": {"type": ["string", "number", "boolean"]},
            "duration": {"type": "string", "pattern": _DURATION, "examples": ["90s", "30m", "1h30m", "14d"]},
            "signed_duration": {"type": "string", "pattern": _DURATION.replace("^", "^-?")},
            "moment": {"type": "string", "pattern": _point(), "examples": ["hazard", "intervention - 14d"]},
            "kind": {"enum": sorted(KINDS)},
            "field": _field_name(known_fields()),
            "own_field": _field_name(own),
            "time_field": {"enum": sorted(time_fields())},
            "own_fields": {"anyOf": [_ref("own_field"), _list(_ref("own_field"))]},
            "relation": _relation(_ref("own_fields")),
            "step_relation": _relation({"anyOf": [_ref("own_fields"), _acted(own)]}),
            "condition": _condition(),
            **{f"value_{name}": _value(name) for name in get_args(FieldType)},
            **{f"value_of_{field.replace('.', '_')}": _words(field) for field in WORDS},
            "intervention": _intervention(),
            "between": _object(_FURTHER, keys.STEP, keys.RELATIONS, keys.BETWEEN, keys.COUNTS),
            "absence": _object(_FURTHER, keys.STEP, keys.RELATIONS, keys.BETWEEN),
            "example": _object(_EXAMPLE, keys.EXAMPLE),
            "body": _object(_BODY, keys.BODY),
            "event": _event(),
        },
    }


def _ref(name: str) -> Schema:
    return {"$ref": f"#/$defs/{name}"}


def _list(item: Schema) -> Schema:
    return {"type": "array", "items": item, "minItems": 1}


def _whole(pattern: re.Pattern[str]) -> str:
    """A pattern that is matched from the beginning, as JSON Schema writes it."""
    return f"^{pattern.pattern.removesuffix(_END)}$"


def _several(item: Schema) -> Schema:
    """A list, or a single value written bare."""
    return {"anyOf": [item, _list(item)]}


def _object(values: dict[str, Schema], *tables: tuple[Key, ...]) -> Schema:
    """A mapping with the keys of these tables, and no others. Raises KeyError where a key has no schema."""
    known = [key for table in tables for key in table]
    return {
        "type": "object",
        "properties": {key.name: {"description": _plain(key), **values[key.name]} for key in known},
        "required": [key.name for key in known if key.default == "required"],
        "additionalProperties": False,
    }


def _plain(key: Key) -> str:
    default = f"; default: {key.default}" if key.default not in ("", "required") else ""
    return (_LINK.sub(r"\1", key.meaning) + default).replace("`", "")


def _field_name(names: set[str] | frozenset[str]) -> Schema:
    return {"anyOf": [{"enum": sorted(names)}, {"type": "string", "pattern": r"^labels\.."}]}


def _point() -> str:
    """A moment, or the first event of a step: which names there are only the whole rule can tell."""
    moment = rf"(?:{'|'.join(MOMENTS)})(?:\s*[+-]\s*(?:{_UNIT})+)?"
    step = rf"{STEP_NAME.pattern.removesuffix(_END)}(?:\s+[+-]\s+(?:{_UNIT})+)?"
    return rf"^\s*(?:{moment}|{step})\s*$"


def _relation(theirs: Schema) -> Schema:
    """Field names, or a mapping from the step's field to what it is held against."""
    fields = {"type": "object", "propertyNames": _ref("own_field"), "additionalProperties": theirs}
    return _several({"anyOf": [_ref("own_field"), fields]})


def _acted(own: set[str]) -> Schema:
    """A field of the intervention, which only a further step can name."""
    fields = [ACTED + field for field in sorted(own)]
    return {"anyOf": [{"enum": fields}, {"type": "string", "pattern": rf"^{re.escape(ACTED)}labels\.."}]}


def _condition() -> Schema:
    groups: dict[str, Schema] = {
        "any": _list(_ref("condition")),
        "all": _list(_ref("condition")),
        "not": _ref("condition"),
    }
    fields = {field: _of(field) for field in sorted(known_fields())}
    return {
        "type": "object",
        "properties": {**{name: groups[name] for name in GROUPS}, **fields},
        "patternProperties": {r"^labels\..": _ref("value_text")},
        "additionalProperties": False,
        "minProperties": 1,
    }


def _of(field: str) -> Schema:
    if field in WORDS:
        return _ref(f"value_of_{field.replace('.', '_')}")
    meaning = DERIVED.get(field.removeprefix("derived."))
    described = {"description": meaning[1].replace("`", "")} if meaning and field.startswith("derived.") else {}
    return {**described, **_ref(f"value_{type_of(field)}")}


def _value(field_type: FieldType) -> Schema:
    """What may stand beside a field of this type: a value, a list of values, or operators."""
    plain: dict[FieldType, Schema] = {
        "text": _several(_ref("scalar")),
        "number": _several({"type": "number"}),
        "truth": _several({"type": "boolean"}),
    }
    ordered: dict[FieldType, Schema] = {
        "text": {"type": "number"},
        "number": {"type": "number"},
        "time": {"type": "string", "format": "date-time", "examples": [to_text(EARLIEST_AT)]},
        "duration": _ref("signed_duration"),
    }
    operators = _operators(ordered.get(field_type), is_text=field_type == "text")
    return {"anyOf": [plain[field_type], operators]} if field_type in plain else operators


def _words(field: str) -> Schema:
    """A field that holds one of a few words; only severities have an order."""
    word: Schema = {"enum": list(WORDS[field])}
    operators = _operators(word if field == "severity" else {"type": "number"}, is_text=True)
    return {"anyOf": [_several(word), operators]}


def _operators(ordered: Schema | None, *, is_text: bool) -> Schema:
    found: dict[str, Schema] = {"present": {"type": "boolean"}}
    found |= {name: _ref("field") for name in sorted(FIELD_OPERATORS)}
    if is_text:
        texts = _several({"type": ["string", "number", "boolean"], "minLength": 1})
        pattern = {"type": ["string", "number", "boolean"], "minLength": 1, "maxLength": LONGEST_PATTERN}
        found |= {name: pattern if name == "matches" else texts for name in sorted(TEXT_OPERATORS)}
    if ordered is not None:
        found |= dict.fromkeys(sorted(ORDER_OPERATORS), ordered)
    return {"type": "object", "properties": found, "additionalProperties": False, "minProperties": 1}


def _intervention() -> Schema:
    """Another event within a window, or the hazard's own."""
    whole = _object(_STEP, keys.STEP, keys.INTERVENTION, keys.RELATIONS)
    whole.pop("required")
    alone = dict.fromkeys(keys.names(keys.RELATIONS), False) | {"within": False}
    return {
        **whole,
        "if": {"properties": {"itself": {"const": True}}, "required": ["itself"]},
        "then": {"properties": alone},
        "else": {"required": ["kind", "within"]},
    }


def _event() -> Schema:
    """An event of an example: of the canonical format, with times that may be relative."""
    return {
        "type": "object",
        "properties": {
            "time": {"type": ["string", "number"]},
            "kind": _ref("kind"),
            "labels": {"type": "object"},
            "severity": {"enum": list(WORDS["severity"])},
            "bound": {"enum": list(WORDS["bound"])},
            "every": _ref("duration"),
        },
        "required": ["time", "kind"],
    }


def _catalogue() -> Schema:
    names = _several(_ref("scalar"))
    clock = {"type": "string", "pattern": _whole(CLOCK)}
    hours = {
        "type": "object",
        "properties": {
            "zone": _ref("text"),
            "opens": clock,
            "closes": clock,
            "days": _several({"enum": list(DAYS)}),
        },
        "required": ["zone", "opens", "closes"],
    }
    known: dict[str, Schema] = {
        "user_facing": names,
        "production": names,
        "automation": names,
        "depends_on": {"type": "object", "additionalProperties": names},
        "hours": {"type": "object", "additionalProperties": hours},
    }
    return {
        "type": "object",
        "properties": {name: known[name] for name in sorted(SHORT_KEYS)},
        "additionalProperties": False,
    }


_SPENT: Schema = {
    "type": "object",
    "properties": {name: {"type": "number", "minimum": 0, "maximum": MOST_SPENT} for name in sorted(ORDER_OPERATORS)},
    "additionalProperties": False,
    "minProperties": 1,
}

_STEP: dict[str, Schema] = {
    "kind": _several(_ref("kind")),
    "environment": {"enum": list(get_args(Where))},
    "where": _ref("condition"),
    "within": _ref("duration"),
    "itself": {"type": "boolean"},
    "services": {"enum": list(get_args(Reach))},
    "same": _ref("relation"),
    "differs": _ref("relation"),
    "before": _several(_ref("time_field")),
    "after": _several(_ref("time_field")),
    "spent": _SPENT,
    "since": _ref("moment"),
    "until": _ref("moment"),
    "remember": {"enum": list(REMEMBER)},
    "at_least": {"type": "integer", "minimum": 0, "maximum": MOST_COUNTED},
    "at_most": {"type": "integer", "minimum": 1, "maximum": MOST_COUNTED},
    "optional": {"type": "boolean"},
}

_FURTHER: dict[str, Schema] = {**_STEP, "same": _ref("step_relation"), "differs": _ref("step_relation")}

_IMPACT: dict[str, Schema] = {
    "hold": _ref("duration"),
    "through": {"enum": list(THROUGH)},
    "evidence": _several(_ref("text")),
}

_EXAMPLE: dict[str, Schema] = {
    "name": _ref("text"),
    "expect": {"enum": list(get_args(Expect))},
    "reason": {"enum": sorted(REASONS)},
    "verdict": {"enum": list(NO_DRAFT_VERDICTS)},
    "title": _ref("text"),
    "catalogue": _catalogue(),
    "events": _list(_ref("event")),
    "bodies": _list(_ref("body")),
}

_BODY: dict[str, Schema] = {
    "at": _ref("text"),
    "source": _ref("text"),
    "headers": {"type": "object"},
    "body": {"type": ["object", "array", "string"]},
}


def _named(step: str) -> Schema:
    steps = {_whole(STEP_NAME): _ref(step)}
    return {"type": "object", "patternProperties": steps, "additionalProperties": False, "minProperties": 1}


_RULE: dict[str, Schema] = {
    "rule": {"type": "string", "pattern": _whole(NAME)},
    "title": {"type": "string", "minLength": 1, "maxLength": LONGEST_TITLE},
    "family": {"enum": list(get_args(Family))},
    "hazard": _object(_STEP, keys.STEP),
    "intervention": _ref("intervention"),
    "pattern": _ref("text"),
    "description": _ref("text"),
    "kind": {"enum": list(get_args(RecordKind))},
    "mode": {"enum": list(get_args(Mode))},
    "generic": {"type": "boolean"},
    "correlate": _ref("own_fields"),
    "steps": _named("between"),
    "absent": _named("absence"),
    "settle": _ref("duration"),
    "impact": _object(_IMPACT, keys.IMPACT),
    "margin": {"enum": list(MARGINS)},
    "ask": _several(_ref("text")),
    "silence": {"type": "object", "propertyNames": {"enum": list(SILENCEABLE)}, "additionalProperties": _ref("text")},
    "examples": {"type": "array", "items": _ref("example")},
}
