"""Why and why not can be read for any event of a stream."""

from __future__ import annotations

import msgspec
import pytest

from monitor.core.matching.explain import Why
from monitor.core.model.events import Event, EventId
from monitor.lab.explain import NoSuchEvent, explain_event
from monitor.packs.language.regex import make_regex
from tests.unit.lab.stories import TICKET, shipped, shop, story


def explained(events: list[Event], source: str, event_id: str) -> Why:
    return explain_event(events, shipped(), shop(), EventId(source, event_id), make_regex)


def branch(why: Why, asked: str) -> Why:
    return next(part for part in why.parts if part.asked.startswith(asked))


def test_an_event_that_plays_a_part_says_which_and_what_was_opened() -> None:
    why = explained(story(), "tools", "back")
    rule = branch(why, "rule rollback-before-burn")
    assert rule.held
    assert "intervention" in rule.found
    decided = branch(why, "the engine's decisions")
    assert why.held
    assert any(part.asked.startswith("opened") and "as intervention" in part.found for part in decided.parts)


def test_a_condition_that_does_not_hold_is_shown_with_what_was_there() -> None:
    rule = branch(explained(story(), "tools", "new"), "rule rollback-before-burn")
    step = branch(rule, "intervention")
    assert not step.held
    assert [part.held for part in step.parts] == [True, True, False]


def test_why_not_names_the_reason_of_the_engine() -> None:
    why = explained(story(TICKET), "tools", "slow")
    decided = branch(why, "the engine's decisions")
    assert not why.held
    assert any(part.found.startswith("impact_seen") for part in decided.parts)


def test_an_event_that_nobody_wants_has_no_decisions() -> None:
    why = explained(story(), "blackbox", "probe#0")
    assert branch(why, "the engine's decisions").found == "none"
    assert not why.held


def test_an_unknown_event_is_refused() -> None:
    with pytest.raises(NoSuchEvent, match="no event tools nobody"):
        explained(story(), "tools", "nobody")


def test_of_a_rule_in_shadow_it_is_said_what_would_be() -> None:
    rules = [msgspec.structs.replace(rule, mode="shadow") for rule in shipped() if rule.name == "rollback-before-burn"]
    why = explain_event(story(), rules, shop(), EventId("tools", "slow"), make_regex)
    rule = branch(why, "rule rollback-before-burn")
    assert rule.held
    assert rule.found.startswith("hazard → in shadow, would be: draft nm_")
    assert "shadow" in branch(why, "the engine's decisions").parts[0].found


def test_the_short_form_says_of_far_rules_only_what_fails_first() -> None:
    why = explain_event(story(), shipped(), shop(), EventId("tools", "slow"), make_regex, full=False)
    far = branch(why, "rule redundancy-lost")
    assert far.parts == ()
    assert far.found.startswith("hazard: ")
    near = branch(why, "rule rollback-before-burn")
    assert [part.asked.partition(",")[0] for part in near.parts] == ["hazard", "actions within its window"]


def test_what_a_field_rests_on_is_shown() -> None:
    said = story()
    said[0] = msgspec.structs.replace(said[0], environment="Prod")
    why = explain_event(said, shipped(), shop(), said[0].event_id, make_regex)
    assert "environment by table of environments (said: Prod)" in [part.asked for part in why.parts]
