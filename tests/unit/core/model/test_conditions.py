"""What a condition reads, needs, is looked up by, and how it is said."""

from __future__ import annotations

import pytest

from monitor.core.model.conditions import (
    NO_FACTS,
    All,
    AnyOf,
    Compare,
    Condition,
    Not,
    fields_of,
    index_key,
    needs,
    read,
    say,
    say_value,
)
from monitor.core.model.events import DAY, HOUR, MINUTE, SECOND
from tests.support.streams import PERSON, make_event

YES, NO = Compare("service", "equals", ("api",)), Compare("service", "equals", ("db",))


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("subject", "a", "'a'"),
        ("labels.x", True, "true"),
        ("labels.x", False, "false"),
        ("value", 2.0, "2"),
        ("derived.time_left", 2 * DAY + 6 * HOUR + 5 * MINUTE, "2d6h"),
        ("derived.time_left", -90 * SECOND, "-1m30s"),
        ("derived.time_left", 0, "0s"),
        ("expires_at", 0, "1970-01-01T00:00:00Z"),
        ("derived.opens_at", 0, "1970-01-01T00:00:00Z"),
    ],
)
def test_a_value_in_words(field: str, value: object, said: str) -> None:
    assert say_value(field, value) == said


@pytest.mark.parametrize(
    ("compare", "said"),
    [
        (Compare("subject", "present", (True,)), "subject is present"),
        (Compare("subject", "present", (False,)), "subject is absent"),
        (Compare("subject", "one_of", ("a", "b")), "subject is one of 'a', 'b'"),
        (Compare("value", "at_least", (3,)), "value at least 3"),
    ],
)
def test_a_comparison_in_words(compare: Compare, said: str) -> None:
    assert say(compare) == said


def test_what_a_condition_reads() -> None:
    same = Compare("labels.a", "same_as", ("labels.b",))
    assert fields_of(All((same, Not(YES)))) == {"labels.a", "labels.b", "service"}
    assert fields_of(YES) == {"service"}
    assert fields_of(None) == frozenset()


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        (None, False),
        (YES, True),
        (Compare("subject", "equals", ("a",)), False),
        (Compare("service", "present", (True,)), True),
        (Compare("service", "present", (False,)), False),
        (Not(Compare("service", "present", (False,))), True),
        (Not(Compare("service", "present", (True,))), False),
        (Not(Compare("subject", "present", (False,))), False),
        (Not(YES), False),
        (All((Compare("subject", "equals", ("a",)), YES)), True),
        (AnyOf((Compare("subject", "equals", ("a",)), YES)), False),
        (AnyOf((YES, NO)), True),
        (AnyOf(()), False),
    ],
)
def test_whether_a_condition_needs_a_field(condition: Condition | None, expected: bool) -> None:
    assert needs(condition, frozenset({"service"})) is expected


def test_an_index_is_the_equality_with_the_fewest_values() -> None:
    two = Compare("subject", "one_of", ("a", "b"))
    assert index_key(All((two, YES))) == ("service", ("api",))
    assert index_key(two) == ("subject", ("a", "b"))
    none: list[Condition | None] = [
        None,
        Not(YES),
        AnyOf((YES, YES)),
        Compare("subject", "prefix", ("a",)),
        Compare("derived.actor", "equals", ("human",)),
    ]
    assert [index_key(each) for each in none] == [None] * len(none)


def test_a_field_is_read_from_the_event_its_actor_its_labels_or_the_facts() -> None:
    acted = make_event("change.ran", 0, actor=PERSON, subject="a", labels={"x": "1"})
    names = ("subject", "labels.x", "labels.y", "actor.id", "actor.kind", "derived.drill")
    assert [read(name, acted, NO_FACTS) for name in names] == ["a", "1", None, "p1", "human", None]
    assert read("actor.id", make_event("note.added", 0), NO_FACTS) is None
    with pytest.raises(KeyError, match="colour"):
        read("colour", acted, NO_FACTS)


def test_a_difference_is_read_of_both_fields_and_an_equality_is_no_index_without_parts() -> None:
    assert fields_of(Compare("subject", "differs_from", ("title",))) == {"subject", "title"}
    assert index_key(All(())) is None
    one, other = Compare("subject", "equals", ("a",)), Compare("service", "equals", ("b",))
    assert index_key(All((one, other))) == ("service", ("b",))
