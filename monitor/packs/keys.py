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
    Key("rule", "required", "its name: lower-case words with hyphens, unique in the tree"),
    Key("title", "required", "one line that states what almost happened, with placeholders (below)"),
    Key("family", "required", "`thats_weird`, `oops`, `mind_the_gap`, `margin` or `automation`"),
    Key("hazard", "required", "which event is a sign of danger: a [step](#a-step)"),
    Key(
        "intervention",
        "required",
        "what ends it: a step with `within` (or `itself`), and [relations](#relations-to-the-hazard)",
    ),
    Key("pattern", "", "the name of a known pattern, such as `P09`"),
    Key("description", "", "for readers; it does not change the rule's version"),
    Key("kind", "`near_miss`", "or `exposure`, `lucky_escape`, `noticed_not_acted`"),
    Key("mode", "`live`", "`shadow`: counted, not shown; `digest`: shown in the digest only"),
    Key("generic", "`false`", "`true` for a catch-all: any specific rule names the episode before it"),
    Key(
        "correlate",
        "`[service, subject]`",
        "fields of the hazard; equal values make one instance. An event without one of them stands alone",
    ),
    Key("steps", "", "[further steps](#further-steps-and-absences) by name, with their counts"),
    Key("absent", "", "steps that must not happen"),
    Key("settle", "`10m`", "how long after the intervention it counts as safe where nothing else says so"),
    Key("impact", "", "how to look for [harm](#impact)"),
    Key(
        "margin",
        "`elapsed`",
        "how close it came: `elapsed` (first sign to action), `headroom` (value against limit), `deadline` (the "
        "deadline less the time of the action), `count` (how many hazards came first)",
    ),
    Key("ask", "", "two to four questions for the reviewer, after how and what"),
    Key("examples", "", "[streams](#examples) that must match and that must not"),
)

STEP = (
    Key("kind", "required", "one or several kinds of the event format"),
    Key(
        "environment",
        "`production`",
        "`production`: one that the catalogue counts, or none named; `elsewhere`: one that is named and does not "
        "count; `any`",
    ),
    Key("where", "", "a [condition](#conditions) on the event"),
)

RELATIONS = (
    Key(
        "services",
        "`siblings` (intervention), `same` (steps)",
        "on which service: `same`; `related` (the same, or one hop along the dependency graph in either direction); "
        "`siblings` (also services that serve the same users, if recovery follows closely); `any`",
    ),
    Key(
        "same",
        "",
        "fields that equal the hazard's; `{labels.k8s_cluster: labels.cluster}` where the names differ: the field "
        "here, then the hazard's, or a list of those of which one has to be equal. A further step may be held against "
        "the intervention: `{actor.id: intervention.actor.id}` is what the person did who acted",
    ),
    Key("differs", "", "fields that are there on both and differ"),
    Key(
        "before",
        "",
        "times that the hazard speaks of, such as `expires_at` or `derived.opens_at`: the event is earlier",
    ),
    Key("after", "", "likewise: the event is later"),
    Key(
        "spent",
        "",
        "how much of the time from the hazard to its `expires_at` had gone by: `{at_least: 0.9}`. 1 is the deadline "
        "itself; a hazard that came after its deadline has spent everything",
    ),
)

INTERVENTION = (
    Key(
        "within",
        "required",
        "at most so long after the hazard, up to `14d`, or up to `90d` where the hazard's `where` cannot hold without "
        "`expires_at` or `derived.time_left`. Such a hazard can harm nobody before its deadline or before somebody "
        "acts, and impact is looked for from then on",
    ),
    Key(
        "itself",
        "`false`",
        "`true` where the hazard's own event is what ended it, such as a guard that refused or a failover that worked "
        "by itself. Then `kind` may be left away, and relations have no place",
    ),
)

BETWEEN = (
    Key(
        "since",
        "`hazard`",
        "where the window begins: `hazard` (the first sign), `last_hazard`, `intervention` (the first), "
        "`last_intervention`, `safe`, or the name of a step above (its first event; where there is none the window "
        "holds nothing), with a duration: `intervention - 14d`",
    ),
    Key("until", "`intervention`", "where it ends, included"),
    Key(
        "remember",
        "`newest`",
        "what is remembered of more than a day ago: the `newest` 12 events of a kind on a service, or as many as the "
        "step counts; or `every` one that plays this step, up to 256, which takes memory on every service",
    ),
)

COUNTS = (
    Key("at_least", "`1`", "how many such events there must be"),
    Key("at_most", "", "how many there may be"),
    Key("optional", "`false`", "`true`: none is needed; the step only adds evidence"),
)

IMPACT = (
    Key("hold", "`2h`", "how long after safe to wait for harm, up to `7d`"),
    Key("through", "", "hold at least through `expires_at` or `previous_expires_at`, up to `7d` after safe"),
    Key(
        "evidence",
        "",
        "which feeds can see this harm, such as `synthetic`, `slo`, `audit_log`; none named: any but an audit",
    ),
)

EXAMPLE = (
    Key("name", "required", "what happens"),
    Key("expect", "required", "`draft`: exactly one draft stands at the end; `none`: none does"),
    Key("reason", "", "of `none`: the reason that must be among those given, such as `cleared_before_action`"),
    Key("verdict", "", "of `draft`: `none` (feeds saw that nobody was hit) or `unknown`"),
    Key("title", "", "of `draft`: the title it must have"),
    Key(
        "catalogue",
        "",
        "in short: `user_facing`, `production`, `depends_on`, `automation`, `hours` (`{shop: {zone: Europe/Berlin, "
        'opens: "08:00", closes: "18:00"}}`); services that are named are known',
    ),
    Key(
        "events",
        "required",
        "events of the canonical format. Times may be relative (`+5m`, `-14d`); `id` and `source` may be left away; "
        "`every` and `until` repeat an event: `{time: -1h, kind: impact.clear, service: shop, every: 10m, until: "
        "+4h}`",
    ),
)


class OperatorWords(NamedTuple):
    names: tuple[str, ...]
    of: str
    meaning: str


OPERATOR_WORDS = (
    OperatorWords(
        ("prefix", "suffix", "contains"),
        "texts",
        "the text begins, ends with or contains the operand, or one of a list",
    ),
    OperatorWords(
        ("matches",),
        "texts",
        "the regular expression is found in it (RE2: linear time, no look-around, no back references)",
    ),
    OperatorWords(
        ("above", "at_least", "below", "at_most"),
        "numbers, durations, times, `severity`, labels that spell a number",
        "the comparison holds; severities rank `info`, `warning`, `high`, `critical`",
    ),
    OperatorWords(("present",), "any", "the field is there (`true`) or is not (`false`)"),
    OperatorWords(
        ("same_as", "differs_from"), "any", "another field of the same event is there and equal, or different"
    ),
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
