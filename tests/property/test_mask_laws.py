"""What an event plays is what each step's condition says of it alone, whichever function was made to ask it."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.core.matching import masks
from monitor.core.matching.facts import EventFacts
from monitor.core.matching.last_values import LastValues
from monitor.core.matching.matcher import Matcher
from monitor.core.matching.predicates import compile_condition
from monitor.core.model.conditions import Compare, Condition, Not
from monitor.core.model.events import DAY, HOUR, Actor, Event, Instant
from monitor.packs.language.regex import make_regex
from tests.support.shipped import read_shipped
from tests.support.streams import make_event, shop

RULES = read_shipped()
CATALOGUE = shop()
STEPS = Matcher(RULES, CATALOGUE, LastValues(), make_regex).steps


def comparisons(condition: Condition | None) -> Iterator[Compare]:
    if isinstance(condition, Compare):
        yield condition
    elif isinstance(condition, Not):
        yield from comparisons(condition.part)
    elif condition is not None:
        for part in condition.parts:
            yield from comparisons(part)


@cache
def asked(kind: str) -> dict[str, list[str]]:
    """The fields that steps ask of a kind, and words that they look for there."""
    found: dict[str, set[str]] = {}
    for step in STEPS:
        for compare in comparisons(step.step.where) if kind in step.kinds else ():
            words = {str(operand) for operand in compare.operands if isinstance(operand, str)}
            found.setdefault(compare.field, set()).update(words)
    return {field: [*sorted(words), "12", "else"] for field, words in sorted(found.items())}


@st.composite
def events(draw: st.DrawFn) -> Event:
    kind = draw(st.sampled_from(sorted({kind for step in STEPS for kind in step.kinds})))
    words = asked(kind)
    names = [field.removeprefix("labels.") for field in words if field.startswith("labels.")]
    labels = {
        name: draw(st.sampled_from(words.get(f"labels.{name}", ["yes"])))
        for name in draw(st.sets(st.sampled_from([*names, "drill", "team"]), max_size=4))
    }
    number = st.none() | st.sampled_from((0.0, 1.0, 5.0, 92.0, 100.0))
    moment = st.none() | st.sampled_from([Instant(2 * HOUR), Instant(3 * DAY)])
    text = st.none() | st.sampled_from(["api/disk-full", "backup-nightly", "certificate/api", "else"])
    actor = st.none() | st.builds(
        Actor, st.just("p"), st.sampled_from(["human", "automation"]), st.none() | st.booleans()
    )
    return make_event(
        kind,
        1,
        environment=draw(st.sampled_from([None, "production", "staging"])),
        severity=draw(st.sampled_from([None, "info", "warning", "high", "critical"])),
        bound=draw(st.sampled_from([None, None, "max", "min", "expected"])),
        unit=draw(st.none() | st.sampled_from(words.get("unit", ["percent"]))),
        subject=draw(text),
        title=draw(text),
        actor=draw(actor),
        value=draw(number),
        limit=draw(number),
        expires_at=draw(moment),
        previous_expires_at=draw(moment),
        labels=labels,
    )


def bits_of(event: Event) -> int:
    """The mask by each step's own condition, one after the other."""
    facts = EventFacts(CATALOGUE, LastValues(), event)
    counts = CATALOGUE.counts(event.environment) is not False
    mask = 0
    for step in STEPS:
        if event.kind in step.kinds and compile_condition(step.step.where, make_regex)(event, facts):
            if step.step.environment == "any" or (step.step.environment == "production") is counts:
                mask |= step.bit
            elif step.step.environment == "production":
                mask |= step.non_production_bit
    return mask


@pytest.fixture(scope="module")
def matcher() -> Iterator[Matcher]:
    """Makes a function for what comes a second time."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(masks, "WORTH_A_FUNCTION", 2)
        patch.setattr(masks, "MOST_FUNCTIONS", 10_000)
        yield Matcher(RULES, CATALOGUE, LastValues(), make_regex)


@settings(max_examples=400)
@given(event=events())
def test_every_function_says_what_each_condition_says(matcher: Matcher, event: Event) -> None:
    expected = bits_of(event)
    assert [matcher.match(event)[0] for _ in range(3)] == [expected] * 3


def test_a_sender_of_labels_at_random_makes_no_more_functions_than_are_bounded() -> None:
    made = 0
    function = masks._function

    def counting(*given: object) -> masks.MaskOf:
        nonlocal made
        made += 1
        return function(*given)  # type: ignore[arg-type]  # whatever it is called with

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(masks, "_function", counting)
        patch.setattr(masks, "WORTH_A_FUNCTION", 2)
        patch.setattr(masks, "MOST_FUNCTIONS", 4)
        matcher = Matcher(RULES, CATALOGUE, LastValues(), make_regex)
        at_first = made
        names = sorted(field.removeprefix("labels.") for field in asked("alert.fired") if field.startswith("labels."))
        for name in names:
            event = make_event("alert.fired", 1, labels={name: "x"})
            assert [matcher.match(event)[0] for _ in range(3)] == [bits_of(event)] * 3
    assert len(names) > 4
    assert 4 <= made - at_first <= 8, "the steps behind the index by value are functions of their own"
