"""A located mapping → one rule of the core, with every problem of the file collected.

Knows the words of the rule language; not where files lie, and not how a rule runs.
"""

from __future__ import annotations

import re
from typing import Literal, cast, get_args

import msgspec

from monitor.core.model.conditions import needs
from monitor.core.model.events import KINDS, MINUTE
from monitor.core.model.near_miss import Family, Mode, RecordKind
from monitor.core.model.rule import (
    DEADLINE_FIELDS,
    LONGEST_DEADLINE_WINDOW,
    LONGEST_HOLD,
    LONGEST_WINDOW,
    MOST_COUNTED,
    Anchor,
    Clause,
    Impact,
    Intervention,
    MarginSpec,
    Point,
    Reach,
    Rule,
    Step,
    Where,
)
from monitor.located.form import DURATION_HELP, Form, as_duration, duration, name_of, say_duration, text_of
from monitor.located.nodes import Mapping, Node, Scalar
from monitor.located.problems import Problems, listed, meant
from monitor.packs.language.conditions import check_own_field, read_step_where
from monitor.packs.language.keys import (
    ABSENT_KEYS,
    BETWEEN_KEYS,
    IMPACT_KEYS,
    INTERVENTION_KEYS,
    RELATION_KEYS,
    RULE_KEYS,
    STEP_KEYS,
)
from monitor.packs.language.misplaced import in_impact, in_rule, in_step
from monitor.packs.language.relations import limits, pairs, spent
from monitor.packs.language.titles import check_title
from monitor.packs.language.version import version_of

NAME = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*\Z")
STEP_NAME = re.compile(r"[a-z][a-z0-9]*([-_][a-z0-9]+)*\Z")
MOMENTS = tuple(anchor for anchor in get_args(Anchor) if anchor != "step")
_POINT = re.compile(rf"({'|'.join(MOMENTS)})(?:\s*([+-])\s*(\S+))?\Z")
_STEP_POINT = re.compile(r"([a-z][a-z0-9]*(?:[-_][a-z0-9]+)*)(?:\s+([+-])\s+(\S+))?\Z")
MARGINS = get_args(Literal["headroom", "deadline", "elapsed", "count"])
THROUGH = ("expires_at", "previous_expires_at")
REMEMBER = ("newest", "every")
"""What is remembered of the events of a further step that are more than a day old."""
MOST_STEPS = 30
PARTS = {
    "hazard": "{kind: alert.fired}",
    "intervention": "{kind: change.restarted, within: 30m}",
}
"""What the parts of a rule may look like, for who left one away."""
STEP_SAMPLE = "{seen: {kind: alert.acknowledged}}"
KIND_HELP = "one or several kinds of the event format, such as alert.fired"


def read_rule(node: Node, problems: Problems) -> Rule | None:
    """The rule, or None when the file has errors (they are among the problems)."""
    before = problems.errors
    form = Form(node, problems, "a rule", RULE_KEYS, in_rule)
    if not isinstance(node, Mapping):
        return None
    name = _name(form, "rule")
    title = form.text("title", "a one-line headline", '"{hazard.title} on {service}"', required=True)
    if form.has("title"):
        check_title(title, form.place_of("title"), problems)
    hazard = _step(_part(form, "hazard", STEP_KEYS))
    intervention = _intervention(_part(form, "intervention", INTERVENTION_KEYS), hazard)
    steps: list[str] = []
    clauses = (*_clauses(form, "steps", steps), *_clauses(form, "absent", steps))
    _check_names(form, clauses)
    pattern = form.text("pattern", "the name of a known pattern, such as P09", "P09")
    description = form.text("description", "a sentence or two", "What makes it a near miss, for readers.")
    family = cast(Family, form.choice("family", get_args(Family)))
    kind = cast(RecordKind, form.choice("kind", get_args(RecordKind), "near_miss"))
    mode = cast(Mode, form.choice("mode", get_args(Mode), "live"))
    margin = cast(Literal["elapsed"], form.choice("margin", MARGINS, "elapsed"))
    generic, correlate, impact = form.flag("generic"), _correlate(form), _impact(form)
    settle, ask = _settle(form), form.texts("ask", "a question", '["How did you notice?"]')
    if problems.errors > before:
        return None
    try:
        rule = Rule(
            name=name,
            title=title,
            family=family,
            hazard=hazard,
            intervention=intervention,
            version="",
            pattern=pattern,
            description=description,
            kind=kind,
            mode=mode,
            generic=generic,
            correlate=correlate,
            clauses=clauses,
            settle=settle,
            impact=impact,
            margin=MarginSpec(margin),
            ask=ask,
        )
    except ValueError as error:  # an invariant of the core that has no place of its own
        hint = "`nearmiss rules new NAME`, and changing it step by step"
        problems.error(form.place, str(error).removeprefix(f"rule {name}: "), "a rule that can match", hint)
        return None
    return msgspec.structs.replace(rule, version=version_of(rule))


def _name(form: Form, key: str) -> str:
    expected = "a name in lower-case words with hyphens, such as rollback-before-burn"
    name = form.text(key, expected, "rollback-before-burn", required=True)
    if name and not NAME.match(name):
        hint = f"`{key}: {_as_name(name)}`"
        form.problems.error(form.place_of(key), f"{name!r} cannot be a name", expected, hint)
    return name


def _as_name(text: str) -> str:
    """The name that comes nearest to what was written: `Page and fix` is `page-and-fix`."""
    name = re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-0123456789")
    return name if NAME.match(name) and len(name) > 2 else "rollback-before-burn"


def _part(form: Form, key: str, keys: tuple[str, ...]) -> Form | None:
    node = form.get(key)
    if node is None:
        form.missing(key, f"a mapping with {listed(keys)}", PARTS[key])
        return None
    return Form(node, form.problems, f"the {key}", keys, in_step)


def _step(form: Form | None) -> Step:
    if form is None:
        return Step(frozenset())
    where = form.get("where")
    return Step(
        kinds=form.choices("kind", KINDS, KIND_HELP, "alert.fired"),
        where=None if where is None else read_step_where(where, form.problems),
        environment=cast(Where, form.choice("environment", get_args(Where), "production")),
    )


def _intervention(form: Form | None, hazard: Step) -> Intervention:
    if form is None:
        return Intervention(Step(frozenset()), 0)
    if form.flag("itself"):
        return _itself(form, hazard)
    before = form.problems.errors
    within = form.span("within")
    if form.problems.errors == before and not 0 < within <= LONGEST_WINDOW:
        _check_long_window(form, within, needs(hazard.where, DEADLINE_FIELDS))
    reach = cast(Reach, form.choice("services", get_args(Reach), "siblings"))
    return Intervention(_step(form), within, reach, pairs(form), limits=limits(form), spent=spent(form))


def _check_long_window(form: Form, within: int, has_deadline: bool) -> None:
    longest = LONGEST_DEADLINE_WINDOW if has_deadline else LONGEST_WINDOW
    if 0 < within <= longest:
        return
    hint = f"`within: {say_duration(longest) if within else '30m'}`"
    if within > longest and not has_deadline:
        far = say_duration(LONGEST_DEADLINE_WINDOW)
        hint = f"{hint}, or a hazard that needs `expires_at` or `derived.time_left`, which may wait for {far}"
    expected = f"more than zero and at most {say_duration(longest)}"
    form.problems.error(form.place_of("within"), f"within is {say_duration(within)}", expected, hint)


def _itself(form: Form, hazard: Step) -> Intervention:
    """The hazard's own event is the intervention; what is not said of it is as for the hazard."""
    for key in ("within", *RELATION_KEYS):
        if form.has(key):
            message = f"{key} relates two events, and with `itself: true` there is only one"
            form.problems.error(form.place_of(key), message, "one of the two", f"removing `{key}:`")
    where = form.get("where")
    step = Step(
        kinds=form.choices("kind", KINDS, KIND_HELP, min(hazard.kinds, default="alert.fired"))
        if form.has("kind")
        else hazard.kinds,
        where=None if where is None else read_step_where(where, form.problems),
        environment=cast(Where, form.choice("environment", get_args(Where), hazard.environment)),
    )
    if hazard.kinds and step.kinds and not step.kinds & hazard.kinds:
        message = "no kind of the intervention is one of the hazard, so that no event can be both"
        form.problems.error(form.place_of("kind"), message, f"{listed(hazard.kinds)}", "removing `kind:`")
    return Intervention(step, 0, "same", itself=True)


def _correlate(form: Form) -> tuple[str, ...]:
    if not form.has("correlate"):
        return ("service", "subject")
    found = []
    for node in form.several("correlate"):
        field = text_of(node, form.problems, "correlate", "a field of the hazard", "`correlate: [service, subject]`")
        if field is not None and isinstance(node, Scalar) and check_own_field(node, form.problems):
            if field in found:
                form.problems.error(node.place, f"correlate names {field!r} twice", "each field once", "removing it")
            found.append(field)
    if not found and not form.several("correlate"):
        form.problems.error(form.place_of("correlate"), "correlate is empty", "at least one field", "`[service]`")
    return tuple(found)


def _clauses(form: Form, key: str, steps: list[str]) -> list[Clause]:
    """The steps or the absences; `steps` are the names of those before, from which a window may be measured."""
    node = form.get(key)
    if node is None:
        return []
    if not isinstance(node, Mapping) or not node.entries:
        form.problems.error(
            node.place, f"{key} is {name_of(node)}", "a mapping of named steps", f"`{key}: {STEP_SAMPLE}`"
        )
        return []
    if len(node.entries) > MOST_STEPS:
        form.problems.error(node.place, f"{len(node.entries)} of {key}", f"at most {MOST_STEPS}", "several rules")
        return []
    absent = key == "absent"
    keys = ABSENT_KEYS if absent else BETWEEN_KEYS
    found = []
    for written, value in node.entries.values():
        found.append(_clause(written.text, value, keys, absent, steps, form.problems))
        if not absent:
            steps.append(written.text)
    return found


def _clause(name: str, node: Node, keys: tuple[str, ...], absent: bool, steps: list[str], problems: Problems) -> Clause:
    form = Form(node, problems, f"{'absence' if absent else 'step'} {name!r}", keys, in_step)
    if not STEP_NAME.match(name):
        expected = "lower-case words with hyphens"
        problems.error(form.place, f"{name!r} cannot be the name of a step", expected, f"`{_as_name(name)}: {{…}}`")
    if name in MOMENTS:
        problems.error(form.place, f"{name!r} is a reserved anchor", "a name of its own", f"'{name}-seen'")
    since = _point(form, "since", Point("hazard"), steps)
    until = _point(form, "until", Point("intervention"), steps)
    if (since.anchor, since.step) == (until.anchor, until.step) and since.offset >= until.offset:
        hint = f"`since: {_say_point(msgspec.structs.replace(until, offset=until.offset - 30 * MINUTE))}`"
        problems.error(form.place_of("since"), "since is not before until", "an earlier time", hint)
    at_least: int | None = 0 if absent else 1
    at_most: int | None = 0 if absent else None
    if not absent:
        optional = form.flag("optional")
        if optional and form.has("at_least"):
            hint = "removing `at_least:`"
            problems.error(form.place_of("at_least"), "an optional step has no at_least", "one of the two", hint)
        at_least = 0 if optional else form.count("at_least", 1, MOST_COUNTED)
        at_most = form.count("at_most", None, MOST_COUNTED)
        if at_most is not None and at_least is not None and at_most < at_least:
            message = f"at_most {at_most} is below at_least {at_least}"
            problems.error(form.place_of("at_most"), message, "a larger number", f"`at_most: {at_least}`")
        if at_most == 0:
            hint = f"`absent: {{{name}: {{kind: …}}}}`"
            problems.error(form.place_of("at_most"), "a step that must not happen", "it under `absent:`", hint)
    return Clause(
        name=name,
        step=_step(form) if isinstance(node, Mapping) else Step(frozenset()),
        since=since,
        until=until,
        reach=cast(Reach, form.choice("services", get_args(Reach), "same")),
        pairs=pairs(form, further=True),
        at_least=at_least or 0,
        at_most=at_most,
        limits=limits(form),
        spent=spent(form),
        every=form.choice("remember", REMEMBER, "newest") == "every",
    )


def _point(form: Form, key: str, default: Point, steps: list[str]) -> Point:
    node = form.get(key)
    if node is None:
        return default
    text = node.text.strip() if isinstance(node, Scalar) else ""
    found = _POINT.match(text) or _STEP_POINT.match(text)
    known = (*MOMENTS, *steps)
    if found is None or found[1] not in known:
        hint = meant(found[1] if found else "", known, f"`{key}: {default.anchor}`")
        expected = f"{listed(known)}, perhaps with a duration: `hazard - 30m`"
        form.problems.error(node.place, f"{key} is {name_of(node)}", expected, hint)
        return default
    name, sign, length = found.groups()
    anchor = name if name in MOMENTS else "step"
    offset = 0 if length is None else duration(length)
    if offset is None or offset < 0:
        hint = f"`{key}: {name} {sign} {as_duration(Scalar(node.place, length, length))}`"
        form.problems.error(node.place, f"{length!r} is no duration", DURATION_HELP, hint)
        return default
    if offset > LONGEST_WINDOW:
        longest = say_duration(LONGEST_WINDOW)
        message = f"{key} lies {say_duration(offset)} from {name}"
        expected, hint = f"at most {longest}: what is older is not remembered", f"`{key}: {name} {sign} {longest}`"
        form.problems.error(node.place, message, expected, hint)
        return default
    step = "" if name in MOMENTS else name
    return Point(anchor=cast(Anchor, anchor), offset=-offset if sign == "-" else offset, step=step)


def _say_point(point: Point) -> str:
    """A point as a rule writes it: `hazard - 30m`."""
    name = point.step or point.anchor
    return f"{name} {'-' if point.offset < 0 else '+'} {say_duration(abs(point.offset))}" if point.offset else name


def _settle(form: Form) -> int:
    settle = form.span("settle", 10 * MINUTE)
    if settle > LONGEST_HOLD:
        form.problems.error(form.place_of("settle"), f"settle is {say_duration(settle)}", "at most 7d", "`settle: 7d`")
    return settle


def _impact(form: Form) -> Impact:
    node = form.get("impact")
    if node is None:
        return Impact()
    part = Form(node, form.problems, "impact", IMPACT_KEYS, in_impact)
    hold = part.span("hold", Impact().hold)
    if hold > LONGEST_HOLD:
        part.problems.error(part.place_of("hold"), f"hold is {say_duration(hold)}", "at most 7d", "`hold: 7d`")
    through = part.choice("through", THROUGH) if part.has("through") else ""
    evidence = part.texts(
        "evidence", "a kind of evidence, such as synthetic, slo, ticket or audit_log", "[synthetic, slo]"
    )
    return Impact(hold, cast(Literal["", "expires_at"], through), frozenset(evidence))


def _check_names(form: Form, clauses: tuple[Clause, ...]) -> None:
    names = [clause.name for clause in clauses]
    for name in sorted({name for name in names if names.count(name) > 1}):
        hint = f"'no-{name}'"
        form.problems.error(
            form.place_of("absent"), f"{name!r} is the name of a step as well", "a name of its own", hint
        )
