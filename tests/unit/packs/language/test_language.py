"""What the language can say, each by a small rule whose examples show where it holds and where it does not."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from monitor.located.nodes import Mapping, parse_located
from monitor.located.problems import Problems
from monitor.packs.examples.reader import read_examples
from monitor.packs.examples.runner import run_examples
from monitor.packs.language.grammar import read_rule
from monitor.packs.language.regex import make_regex

HEAD = """\
rule: said
title: "{hazard.kind_words} on {service}"
family: oops
"""


def failures(text: str) -> Iterator[str]:
    """What is wrong with a rule (without its head) and its examples."""
    problems = Problems()
    node = parse_located((HEAD + text).encode(), "said.yaml", problems)
    assert isinstance(node, Mapping)
    rule = read_rule(node, problems)
    examples = read_examples(node.get("examples"), "said", problems)
    yield from map(str, problems)
    if rule is not None:
        assert len({example.expect for example in examples}) == 2, "an example that holds, and one that does not"
        for result in run_examples([rule], examples, make_regex):
            if not result.passed:
                yield f"{result.example.name}: {result.failure}; {result.reasons}"


def wrong(text: str) -> list[str]:
    problems = Problems()
    node = parse_located((HEAD + text).encode(), "said.yaml", problems)
    assert node is not None
    assert read_rule(node, problems) is None
    return [str(problem) for problem in problems]


ITSELF = """\
correlate: [service]
hazard:
  kind: change.blocked
intervention: {itself: true, where: {derived.actor: automation}}
steps:
  again: {kind: change.blocked, since: intervention - 1d, until: intervention, at_least: 2}
examples:
  - name: a guard refuses twice
    expect: draft
    title: Blocked on db
    events:
      - {time: +0s, kind: change.blocked, service: db, subject: a, actor: {id: guard, kind: automation}}
      - {time: +1h, kind: change.blocked, service: db, subject: b, actor: {id: guard, kind: automation}}
  - name: one after the other, in one episode
    expect: draft
    events:
      - {time: +0s, kind: change.blocked, service: db, actor: {id: guard, kind: automation}}
      - {time: +1h, kind: change.blocked, service: db, actor: {id: guard, kind: automation}, every: 5m, until: +2h}
  - name: once is not enough
    expect: none
    reason: condition_not_met
    events:
      - {time: +0s, kind: change.blocked, service: db, actor: {id: guard, kind: automation}}
  - name: a person stopped it, not the guard
    expect: none
    reason: no_intervention
    events:
      - {time: +0s, kind: change.blocked, service: db, actor: {id: p, kind: human}}
      - {time: +1h, kind: change.blocked, service: db, actor: {id: p, kind: human}}
  - name: of two events neither is the intervention of the other
    expect: none
    events:
      - {time: +0s, kind: change.blocked, service: db, actor: {id: p, kind: human}}
      - {time: +1m, kind: change.blocked, service: api, actor: {id: guard, kind: automation}}
  - name: an exercise
    expect: none
    reason: drill
    events:
      - {time: +0s, kind: change.blocked, service: db, actor: {id: guard, kind: automation}, labels: {drill: "true"}}
      - {time: +1h, kind: change.blocked, service: db, actor: {id: guard, kind: automation}, labels: {drill: "true"}}
"""


IN_TIME = """\
correlate: [service]
hazard:
  kind: note.added
intervention:
  kind: change.rotated
  within: 14d
  same: {labels.old: [labels.serial, subject]}
  before: expires_at
  spent: {at_least: 0.9}
examples:
  - name: in the last tenth of the time that the notice gave
    expect: draft
    events: &late
      - {time: +0s, kind: note.added, service: db, subject: ca, labels: {serial: "7"}, expires_at: +10d}
      - {time: +9d1h, kind: change.rotated, service: db, labels: {old: "7"}}
  - name: the other field names it
    expect: draft
    events:
      - {time: +0s, kind: note.added, service: db, subject: ca, labels: {serial: "7"}, expires_at: +10d}
      - {time: +9d1h, kind: change.rotated, service: db, labels: {old: ca}}
  - name: in good time
    expect: none
    reason: unrelated_intervention
    events:
      - {time: +0s, kind: note.added, service: db, labels: {serial: "7"}, expires_at: +10d}
      - {time: +8d, kind: change.rotated, service: db, labels: {old: "7"}}
  - name: after the deadline
    expect: none
    reason: unrelated_intervention
    events:
      - {time: +0s, kind: note.added, service: db, labels: {serial: "7"}, expires_at: +10d}
      - {time: +10d1h, kind: change.rotated, service: db, labels: {old: "7"}}
  - name: a notice without a deadline
    expect: none
    reason: unrelated_intervention
    events:
      - {time: +0s, kind: note.added, service: db, labels: {serial: "7"}}
      - {time: +9d, kind: change.rotated, service: db, labels: {old: "7"}}
  - name: neither field is the one
    expect: none
    reason: unrelated_intervention
    events:
      - {time: +0s, kind: note.added, service: db, expires_at: +10d}
      - {time: +9d1h, kind: change.rotated, service: db}
"""

BEFORE_OPENING = """\
correlate: [service]
hazard:
  kind: alert.fired
  where: {derived.off_hours: true}
intervention:
  kind: change.restarted
  within: 1d
steps:
  fine: {kind: alert.resolved, same: subject, before: derived.opens_at, since: intervention, until: safe}
absent:
  early: {kind: alert.acknowledged, after: derived.opens_at, since: hazard, until: safe + 1d}
examples:
  - name: repaired before the desk opens
    expect: draft
    catalogue: &desk
      user_facing: [desk]
      hours: {desk: {zone: Europe/Berlin, opens: "08:00", closes: "18:00"}}
    events:
      - {time: "2026-03-10T03:00:00Z", kind: alert.fired, service: desk, subject: down}
      - {time: "2026-03-10T05:00:00Z", kind: change.restarted, service: desk}
      - {time: "2026-03-10T06:59:59Z", kind: alert.resolved, service: desk, subject: down}
      - {time: "2026-03-10T06:59:59Z", kind: alert.acknowledged, service: desk, subject: down}
  - name: seen only when the desk was open
    expect: none
    reason: absence_violated
    catalogue: *desk
    events:
      - {time: "2026-03-10T03:00:00Z", kind: alert.fired, service: desk, subject: down}
      - {time: "2026-03-10T05:00:00Z", kind: change.restarted, service: desk}
      - {time: "2026-03-10T06:59:59Z", kind: alert.resolved, service: desk, subject: down}
      - {time: "2026-03-10T07:00:01Z", kind: alert.acknowledged, service: desk, subject: down}
  - name: recovered when the desk was open
    expect: none
    reason: condition_not_met
    catalogue: *desk
    events:
      - {time: "2026-03-10T03:00:00Z", kind: alert.fired, service: desk, subject: down}
      - {time: "2026-03-10T05:00:00Z", kind: change.restarted, service: desk}
      - {time: "2026-03-10T07:00:00Z", kind: alert.resolved, service: desk, subject: down}
  - name: no hours are declared
    expect: none
    events:
      - {time: "2026-03-10T03:00:00Z", kind: alert.fired, service: desk, subject: down}
      - {time: "2026-03-10T05:00:00Z", kind: change.restarted, service: desk}
"""


IN_ORDER = """\
correlate: [service]
hazard: {kind: alert.fired}
intervention: {kind: change.restarted, within: 4h, services: same}
steps:
  tried: {kind: change.ran}
  called-in: {kind: responder.joined, since: tried, until: intervention}
  told: {kind: note.added, since: called-in + 5m, until: called-in + 1h, optional: true}
absent:
  alone: {kind: change.configured, since: tried + 1m, until: called-in}
  noise: {kind: alert.escalated, since: told, until: safe}
examples:
  - name: somebody tried, called for help, and it ended
    expect: draft
    events:
      - {time: +0s, kind: alert.fired, service: db}
      - {time: +5m, kind: change.configured, service: db}
      - {time: +10m, kind: change.ran, service: db}
      - {time: +20m, kind: responder.joined, service: db}
      - {time: +30m, kind: change.configured, service: db}
      - {time: +32m, kind: alert.escalated, service: db}
      - {time: +40m, kind: change.restarted, service: db}
  - name: help came first
    expect: none
    reason: condition_not_met
    events:
      - {time: +0s, kind: alert.fired, service: db}
      - {time: +9m, kind: responder.joined, service: db}
      - {time: +10m, kind: change.ran, service: db}
      - {time: +40m, kind: change.restarted, service: db}
  - name: something else was done between the two
    expect: none
    reason: absence_violated
    events:
      - {time: +0s, kind: alert.fired, service: db}
      - {time: +10m, kind: change.ran, service: db}
      - {time: +15m, kind: change.configured, service: db}
      - {time: +20m, kind: responder.joined, service: db}
      - {time: +40m, kind: change.restarted, service: db}
  - name: after what was told all had to be quiet
    expect: none
    reason: absence_violated
    events:
      - {time: +0s, kind: alert.fired, service: db}
      - {time: +10m, kind: change.ran, service: db}
      - {time: +20m, kind: responder.joined, service: db}
      - {time: +30m, kind: note.added, service: db}
      - {time: +32m, kind: alert.escalated, service: db}
      - {time: +40m, kind: change.restarted, service: db}
"""


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(IN_ORDER, id="steps-in-order"),
        pytest.param(ITSELF, id="its-own-intervention"),
        pytest.param(IN_TIME, id="in-the-last-tenth"),
        pytest.param(BEFORE_OPENING, id="before-opening"),
    ],
)
def test_a_rule_says_what_it_means(text: str) -> None:
    assert list(failures(text)) == []


@pytest.mark.parametrize(
    ("key", "told"),
    [
        ("within: 1h", "within relates two events, and with `itself: true` there is only one"),
        ("services: any", "services relates two events"),
        ("same: subject", "same relates two events"),
        ("kind: change.held", "no kind of the intervention is one of the hazard"),
        ("itself: yes", "itself is 'yes'; expected true or false"),
    ],
)
def test_its_own_intervention_has_nothing_to_be_related_to(key: str, told: str) -> None:
    written = key if key.startswith("itself") else f"itself: true, {key}"
    problems = wrong(f"hazard: {{kind: change.blocked}}\nintervention: {{{written}}}\n")
    assert any(told in problem and problem.startswith("said.yaml:5:") for problem in problems), problems


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("before: severity", "before needs a time, and severity is a text"),
        ("before: expires", "no event has a field 'expires'; expected a field of the format; try 'expires_at'"),
        ("before: {at: x}", "before is a mapping"),
        ("after: derived.time_left", "after needs a time, and derived.time_left is a duration"),
        ("spent: 0.9", "spent is '0.9'; expected a mapping with above, at_least, at_most or below"),
        ("spent: {atleast: 0.9}", "spent has no operator 'atleast'; expected one of above, at_least, at_most or below"),
        ("spent: {at_least: 90}", "at_least of spent is '90'; expected a share of the lead time"),
        ("spent: {at_least: most}", "at_least of spent is 'most'"),
        ("spent: {}", "spent is a mapping"),
        ("same: {subject: []}", "same is an empty list"),
        ("same: {subject: [subject, derived.actor]}", "derived.actor cannot be compared between events"),
        ("same: {subject: [{}]}", "same is a mapping; expected a field of the hazard"),
    ],
)
def test_relations_are_checked(line: str, told: str) -> None:
    problems = wrong(f"hazard: {{kind: note.added}}\nintervention:\n  kind: change.ran\n  within: 1h\n  {line}\n")
    assert any(told in problem and problem.startswith("said.yaml:8:") for problem in problems), problems


@pytest.mark.parametrize(
    ("where", "within", "told"),
    [
        (
            "severity: high",
            "15d",
            "within is 15d; expected more than zero and at most 14d; try `within: 14d`, or a hazard that needs",
        ),
        ("derived.time_left: {below: 30d}", "91d", "within is 91d; expected more than zero and at most 90d"),
        ("derived.time_left: {below: 30d}", "0s", "within is 0s; expected more than zero"),
    ],
)
def test_a_window_is_bounded_by_what_the_hazard_speaks_of(where: str, within: str, told: str) -> None:
    (problem,) = wrong(
        f"hazard: {{kind: note.added, where: {{{where}}}}}\nintervention: {{kind: change.ran, within: {within}}}\n"
    )
    assert told in problem


def test_a_notice_may_wait_for_three_months() -> None:
    hazard = "hazard: {kind: note.added, where: {expires_at: {present: true}}}\n"
    problems = Problems()
    text = HEAD + hazard + "intervention: {kind: change.ran, within: 90d}\n"
    node = parse_located(text.encode(), "said.yaml", problems)
    assert node is not None
    rule = read_rule(node, problems)
    assert rule is not None
    assert rule.has_deadline


@pytest.mark.parametrize(
    ("steps", "told"),
    [
        ("{a: {kind: change.ran, since: b}, b: {kind: note.added}}", "since is 'b'; expected hazard, intervention,"),
        ("{a: {kind: change.ran, since: a}}", "since is 'a'; expected hazard,"),
        (
            "{seen: {kind: change.ran}, b: {kind: note.added, since: sen}}",
            "perhaps with a duration: `hazard - 30m`; try 'seen'",
        ),
        (
            "{a: {kind: change.ran}, b: {kind: note.added, since: a - 15d}}",
            "since lies 15d from a; expected at most 14d",
        ),
        ("{a: {kind: change.ran}, b: {kind: note.added, since: a + 1h, until: a}}", "since is not before until"),
        ("{safe: {kind: change.ran}}", "'safe' is a reserved anchor; expected a name of its own"),
    ],
)
def test_a_window_is_measured_from_a_step_above(steps: str, told: str) -> None:
    problems = wrong(f"hazard: {{kind: note.added}}\nintervention: {{kind: change.ran, within: 1h}}\nsteps: {steps}\n")
    assert any(told in problem and problem.startswith("said.yaml:6:") for problem in problems), problems
