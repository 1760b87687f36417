"""Every key of the language with what stands there by default and what it means: one table for all who need it.

The grammar reads the names, the reference page and the JSON Schema the words, so that none can know another language.
"""

from __future__ import annotations

from typing import NamedTuple


class Key(NamedTuple):
    """`default`: `required`, empty, or what stands there where the key is left away, as code."""

    name: str
    default: str
    meaning: str


RULE = (
    Key("rule", "required", "its name: lower-case words with hyphens, unique"),
    Key("title", "required", "a headline with placeholders (below)"),
    Key("family", "required", "`thats_weird`, `oops`, `mind_the_gap`, `margin` or `automation`"),
    Key("hazard", "required", "the event that shows danger: a [step](#a-step)"),
    Key(
        "intervention",
        "required",
        "what ends it: a step with `within` (or `itself`), and [relations](#relations-to-the-hazard)",
    ),
    Key("pattern", "", "a known pattern, such as `P09`"),
    Key("description", "", "for readers; it does not change the rule's version"),
    Key("kind", "`near_miss`", "or `exposure`, `lucky_escape`, `noticed_not_acted`"),
    Key("mode", "`live`", "`shadow`: counted, not shown; `digest`: shown in the digest only"),
    Key("generic", "`false`", "`true` for a catch-all: any specific rule names the episode before it"),
    Key(
        "correlate",
        "`[service, subject]`",
        "hazards with equal values form one candidate; one that lacks a field forms its own",
    ),
    Key("steps", "", "[further steps](#further-steps-and-absences) by name, with their counts"),
    Key("absent", "", "steps that must not happen"),
    Key("settle", "`10m`", "how long after the intervention it is assumed safe, if nothing reports it"),
    Key("impact", "", "how to look for [impact](#impact)"),
    Key(
        "margin",
        "`elapsed`",
        "how close it came: `elapsed` (first sign to action), `headroom` (value against limit), `deadline` (deadline "
        "minus time of the action), `count` (hazards before action)",
    ),
    Key("ask", "", "two to four questions for the reviewer: how and what"),
    Key("silence", "", "[checks](checks.md) that are right to be ignored here, by id, each with the reason"),
    Key("examples", "", "[streams](#examples) that must match, and that must not"),
)

STEP = (
    Key("kind", "required", "one or more event kinds"),
    Key(
        "environment",
        "`production`",
        "`production`: one in the catalogue's `production`, or none named; `elsewhere`: any other named one; `any`",
    ),
    Key("where", "", "a [condition](#conditions) on the event"),
)

RELATIONS = (
    Key(
        "services",
        "`siblings` (intervention), `same` (steps)",
        "on which service: `same`; `related` (the same, or one hop up or down the graph); `siblings` (also services "
        "that serve the same users, if recovery follows closely); `any`",
    ),
    Key(
        "same",
        "",
        "fields equal to the hazard's; `{labels.k8s_cluster: labels.cluster}` if names differ: the field here, then "
        "the hazard's, or a list of which one must be equal. A further step can be compared with the intervention: "
        "`{actor.id: intervention.actor.id}` is what the same person did",
    ),
    Key("differs", "", "fields present on both, with different values"),
    Key(
        "before",
        "",
        "times of the hazard, such as `expires_at` or `derived.opens_at`: the event is earlier",
    ),
    Key("after", "", "times of the hazard: the event is later"),
    Key(
        "spent",
        "",
        "the share of the time from the hazard to its `expires_at` that had passed: `{at_least: 0.9}`. 1 is the "
        "deadline, and any hazard after it",
    ),
)

INTERVENTION = (
    Key(
        "within",
        "required",
        "maximum time after the hazard, up to `14d`; up to `90d` if the hazard's `where` requires `expires_at` or "
        "`derived.time_left`. Such a hazard can do no harm before its deadline or the action, so impact is looked for "
        "from then on",
    ),
    Key(
        "itself",
        "`false`",
        "`true` if the hazard's own event ended it, such as a guardrail that refused or an automatic failover. Then "
        "`kind` may be omitted, and relations are not allowed",
    ),
)

BETWEEN = (
    Key(
        "since",
        "`hazard`",
        "start of the window: `hazard` (the first sign), `last_hazard`, `intervention` (the first), "
        "`last_intervention`, `safe`, or a step above (its first event; without one the window is empty), with an "
        "offset: `intervention - 14d`",
    ),
    Key("until", "`intervention`", "end of the window, inclusive"),
    Key(
        "remember",
        "`newest`",
        "what is remembered beyond a day: the `newest` 12 events of a kind on a service, or as many as the step "
        "counts; or `every` event that matches this step, up to 256, which costs memory on every service",
    ),
)

COUNTS = (
    Key("at_least", "`1`", "minimum number of events"),
    Key("at_most", "", "maximum number of events"),
    Key("optional", "`false`", "`true`: not required; only adds evidence"),
)

IMPACT = (
    Key("hold", "`2h`", "how long after safe to wait for impact, up to `7d`"),
    Key("through", "", "hold at least through `expires_at` or `previous_expires_at`, up to `7d` after safe"),
    Key(
        "evidence",
        "",
        "feeds that can see this harm, such as `synthetic`, `slo`, `audit_log`; default: any except audits",
    ),
)

EXAMPLE = (
    Key("name", "required", "what happens"),
    Key("expect", "required", "`draft`: exactly one draft stands at the end; `none`: no draft"),
    Key("reason", "", "with `none`: a reason that must be given, such as `cleared_before_action`"),
    Key("verdict", "", "with `draft`: `none` or `unknown`"),
    Key("title", "", "with `draft`: the expected title"),
    Key(
        "catalogue",
        "",
        "in short: `user_facing`, `production`, `depends_on`, `automation`, `hours` (`{shop: {zone: Europe/Berlin, "
        'opens: "08:00", closes: "18:00"}}`); services named here are known',
    ),
    Key(
        "events",
        "or `bodies`",
        "events in the canonical format. Times may be relative (`+5m`, `-14d`); `id` and `source` may be omitted; "
        "`every` and `until` repeat an event: `{time: -1h, kind: impact.clear, service: shop, every: 10m, until: "
        "+4h}`",
    ),
    Key(
        "bodies",
        "",
        "what tools send, read by their decoders: `{at: +5m, source: alertmanager, headers: {…}, body: {…}}`. In a "
        "body `{at}`, `{at-5m}` and `{at+1h}` are times; a body may be a mapping, a list or a text",
    ),
)
BODY = (
    Key("at", "required", "when it is sent, from the beginning of the example: `+5m`"),
    Key("source", "required", "the tool"),
    Key("headers", "", "those that carry meaning"),
    Key("body", "required", "what is sent"),
)


class OperatorWords(NamedTuple):
    names: tuple[str, ...]
    of: str
    meaning: str


OPERATOR_WORDS = (
    OperatorWords(
        ("prefix", "suffix", "contains"),
        "texts",
        "the text starts with, ends with or contains the operand, or one of a list",
    ),
    OperatorWords(
        ("matches",),
        "texts",
        "the regular expression matches somewhere (RE2: no look-around, no back references)",
    ),
    OperatorWords(
        ("above", "at_least", "below", "at_most"),
        "numbers, durations, times, `severity`, numeric labels",
        "the comparison holds; severities rank `info`, `warning`, `high`, `critical`",
    ),
    OperatorWords(("present",), "any", "the field is present (`true`) or absent (`false`)"),
    OperatorWords(("same_as", "differs_from"), "any", "another field of the event is present and equal, or different"),
)


def names(*tables: tuple[Key, ...]) -> tuple[str, ...]:
    """The names of the keys of these tables, in order."""
    return tuple(key.name for table in tables for key in table)


RULE_KEYS = names(RULE)
STEP_KEYS = names(STEP)
RELATION_KEYS = names(RELATIONS)
INTERVENTION_KEYS = names(STEP, INTERVENTION, RELATIONS)
ABSENT_KEYS = names(STEP, RELATIONS, BETWEEN)
BETWEEN_KEYS = names(STEP, RELATIONS, BETWEEN, COUNTS)
IMPACT_KEYS = names(IMPACT)
