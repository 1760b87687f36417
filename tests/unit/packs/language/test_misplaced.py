"""A key that stands where there is none of its name: the hint recognises the spelling and says where it belongs."""

from __future__ import annotations

import pytest

from tests.unit.packs.written import spoilt

WHERE = "  where:\n    severity: {at_least: high}\n    not: {labels.drill: {present: true}}\n"
HAZARD = "  kind: alert.fired\n"
SEEN = "seen: {"


@pytest.mark.parametrize(
    ("old", "new", "place", "hint"),
    [
        (WHERE, "  severity: critical\n", "6:3", "`where: {severity: critical}`, since it is a field of the event"),
        (WHERE, "  severty: critical\n", "6:3", "`where: {severity: critical}` (did you mean 'severity', a field of"),
        (WHERE, "  labels: {tier: gold}\n", "6:3", "`where: {labels.tier: gold}`, and so for each label"),
        (WHERE, "  labels.tier: gold\n", "6:3", "`where: {labels.tier: gold}`, since it is a field of the event"),
        (WHERE, "  actor: human\n", "6:3", "`where: {derived.actor: human}` (did you mean 'derived.actor', a field"),
        (WHERE, "  time_left: {below: 7d}\n", "6:3", "`where: {derived.time_left: …}` (did you mean 'derived.time_le"),
        (WHERE, "  title: 'a: b'\n", "6:3", "`where: {title: …}`, since it is a field of the event"),
        (WHERE, "  were: {severity: high}\n", "6:3", "'where' (did you mean that?)"),
        (WHERE, "  within: 30m\n", "6:3", "`within:` under `intervention:`"),
        (WHERE, "  when: {severity: high}\n", "6:3", "'where' (did you mean that?)"),
        ("since: hazard - 30m", "from: hazard - 30m", "19:33", "'since' (did you mean that?)"),
        (WHERE, "  witin: 30m\n", "6:3", "`within:` under `intervention:` (did you mean that?)"),
        (WHERE, "  services: same\n", "6:3", "`services:` under `intervention:`, a step or an absence"),
        (WHERE, "  settle: 5m\n", "6:3", "`settle:` at the top of the rule"),
        (WHERE, "  kinds: alert.fired\n", "6:3", "removing it"),
        (WHERE, "  colour: red\n", "6:3", "removing it"),
        (
            HAZARD,
            f"{HAZARD}  severty: critical\n",
            "6:3",
            "`severity: critical` under `where:` (did you mean 'severity'",
        ),
        (
            "  within: 30m\n",
            "  within: 30m\n  severty: high\n",
            "13:3",
            "`severity: high` under `where:` (did you mean",
        ),
        ("  within: 30m\n", "  witin: 30m\n", "12:3", "'within' (did you mean that?)"),
        (SEEN, f"{SEEN}sevrity: high, ", "16:10", "`where: {severity: high}` (did you mean 'severity', a field of"),
        ("page: {", "page: {sevrity: high, ", "19:10", "`where: {severity: high}` (did you mean 'severity', a field"),
        ("page: {", "page: {at_least: 1, ", "19:10", "`at_least:` under a step"),
        ("settle: 5m", "severity: high", "20:1", "`where: {severity: high}` under `hazard:` or another step, since"),
        ("settle: 5m", "where: {severity: high}", "20:1", "`where:` under `hazard:`, `intervention:`, a step or"),
        ("settle: 5m", "setle: 5m", "20:1", "'settle' (did you mean that?)"),
        ("hold: 2h", "settle: 2h", "21:10", "`settle:` at the top of the rule"),
        ("hold: 2h", "severity: high", "21:10", "removing it"),
    ],
)
def test_the_hint_names_the_key_and_where_it_belongs(old: str, new: str, place: str, hint: str) -> None:
    told = [problem for problem in spoilt(old, new) if "has no key" in problem.message]
    assert [f"{problem.line}:{problem.column}" for problem in told] == [place]
    assert told[0].hint.startswith(hint), told[0].hint


@pytest.mark.parametrize("written", ["severty: critical", "severity: critical", "actor: human", "labels: {tier: gold}"])
def test_the_line_that_is_offered_is_right(written: str) -> None:
    (problem,) = spoilt(WHERE, f"  {written}\n")
    offered = problem.hint.split("`")[1]
    assert spoilt(WHERE, f"  {offered}\n") == []
