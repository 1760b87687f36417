"""Before and after: what appears, vanishes and changes between two packs, and why."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec

from monitor.core.model.conditions import Compare
from monitor.core.model.events import MINUTE
from monitor.core.model.rule import Intervention, Rule, Step
from monitor.decode.streams import arrival_order
from monitor.lab.backtest import Backtest
from monitor.lab.difference import Difference, differences
from monitor.packs.language.regex import make_regex
from tests.support.streams import BY_HUMAN, acted_rule
from tests.unit.lab.stories import TICKET, shipped, shop, story

NAME, GENERIC = "burn", "acted"
RULES = {
    NAME: acted_rule(
        name=NAME,
        title="Burn",
        generic=False,
        intervention=Intervention(Step(frozenset({"change.rolled_back"}), BY_HUMAN), 30 * MINUTE),
    ),
    GENERIC: acted_rule(),
}


def only(*names: str) -> list[Rule]:
    return [RULES[name] for name in names]


def changed(rule: Rule, **fields: object) -> Rule:
    return msgspec.structs.replace(rule, **fields)


def compared(before: Sequence[Rule], after: Sequence[Rule], *more: Mapping[str, object]) -> tuple[Difference, ...]:
    old, new = (Backtest(rules, shop(), make_regex, is_compared=True) for rules in (before, after))
    for event in arrival_order(story(*more)):
        new.want(old.step([event]))
        old.want(new.step([event]))
    new.want(old.end())
    old.want(new.end())
    return differences(old, new)


def test_the_same_pack_makes_no_difference() -> None:
    assert compared(shipped(), shipped()) == ()


def test_a_draft_vanishes_with_the_engine_s_reason() -> None:
    (rule,) = only(NAME)
    tight = changed(rule, intervention=msgspec.structs.replace(rule.intervention, within=5 * MINUTE))
    (change,) = compared([rule], [tight])
    assert (change.kind, change.after) == ("vanishes", None)
    assert change.why.startswith(f"{NAME}: no_intervention: no matching intervention")


def test_a_draft_whose_rule_is_gone_says_so() -> None:
    (change,) = compared(only(NAME), [])
    assert change.why == f"no rule is named {NAME}"


def test_a_draft_whose_hazard_nobody_wants_any_more_says_so() -> None:
    (rule,) = only(NAME)
    severe = msgspec.structs.replace(rule.hazard, where=Compare("severity", "one_of", ("critical",)))
    (change,) = compared([rule], [changed(rule, hazard=severe)])
    assert change.why == "no rule matches its events as a hazard"


def test_a_draft_appears_with_what_kept_it_away_before() -> None:
    (rule,) = only(NAME)
    tight = changed(rule, intervention=msgspec.structs.replace(rule.intervention, within=5 * MINUTE))
    (change,) = compared([tight], [rule])
    assert (change.kind, change.before) == ("appears", None)
    assert "no_intervention" in change.why


def test_a_rule_that_takes_over_changes_name_and_title() -> None:
    (change,) = compared(only(GENERIC), only(GENERIC, NAME))
    assert change.kind == "changes"
    assert f"rule: {GENERIC} → {NAME}" in change.what
    assert any(what.startswith("title: ") for what in change.what)


def test_going_live_is_a_change_of_mode_and_no_new_draft() -> None:
    (rule,) = only(NAME)
    (change,) = compared([changed(rule, mode="shadow")], [rule])
    assert (change.kind, change.what) == ("changes", ("mode: shadow → live",))


def test_what_stands_with_neither_is_no_difference() -> None:
    """One pack waits long enough to see the harm, the other one opens and withdraws."""
    (rule,) = only(NAME)
    hit = {**TICKET, "time": "2026-03-10T13:40:00Z", "began_at": "2026-03-10T13:39:00Z"}
    hasty = changed(rule, impact=msgspec.structs.replace(rule.impact, hold=10 * MINUTE))
    assert compared([rule], [hasty], hit) == ()


def test_a_draft_that_becomes_part_of_another_one_names_it() -> None:
    """Two alerts of one evening are two drafts of a rule that keys on the subject, and one of a rule that does not."""
    (rule,) = only(GENERIC)
    disk = {"source": "tools", "service": "payments", "environment": "production", "subject": "disk"}
    more = (
        {**disk, "id": "full", "time": "2026-03-10T13:00:00Z", "kind": "alert.fired", "severity": "high"},
        {**disk, "id": "clean", "time": "2026-03-10T13:10:00Z", "kind": "change.configured",
         "actor": {"id": "dev-1", "kind": "human"}},
        {**disk, "id": "ok", "time": "2026-03-10T13:12:00Z", "kind": "alert.resolved"},
    )  # fmt: skip
    (change,) = compared([rule], [changed(rule, correlate=("service",))], *more)
    assert change.kind == "vanishes"
    assert change.why.startswith("is part of nm_")
