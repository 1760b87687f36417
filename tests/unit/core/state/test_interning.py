"""What remembered events have in common is there once, and equal to what was read."""

from __future__ import annotations

import pytest

from monitor.core.matching.facts import DerivedFacts
from monitor.core.model.events import Event
from monitor.core.state.interning import Interner
from monitor.decode.canonical import decode_line

LINE = (
    b'{"id":"%d","source":"argocd/main","time":"2026-03-01T10:00:00Z","kind":"change.deployed","service":"shop",'
    b'"environment":"production","subject":"shop/deployment","title":"shop deployed","labels":{"team":"blue team"}}'
)


def test_what_equals_that_of_one_of_its_kind_becomes_one_and_stays_equal() -> None:
    interner = Interner()
    first, second, untouched = (decode_line(LINE % number) for number in (1, 2, 2))
    first = interner.intern(first, None)
    second = interner.intern(second, first)
    for field in ("source", "service", "environment", "subject", "title", "labels"):
        assert getattr(first, field) is getattr(second, field)
    assert second == untouched


def test_the_event_that_was_given_is_frozen() -> None:
    one, given, untouched = (decode_line(LINE.replace(b"blue team", team) % 1) for team in (b"blue", b"red", b"red"))
    labels = given.labels
    assert Interner().intern(given, one) == untouched
    assert given == untouched
    assert given.labels is labels
    assert given.source is not one.source


def test_names_are_shared_with_other_services_and_kinds() -> None:
    interner = Interner()
    first, other = decode_line(LINE % 1), decode_line(LINE.replace(b'"shop"', b'"cart"') % 2)
    first, other = interner.intern(first, None), interner.intern(other, None)
    assert other.source is first.source
    assert other.environment is first.environment
    assert other.service == "cart"


def test_of_labels_that_differ_the_equal_values_become_one() -> None:
    interner = Interner()
    one = decode_line(LINE.replace(b'{"team":"blue team"}', b'{"team":"blue team","zone":"b 1","old":"x y"}') % 1)
    other = decode_line(LINE.replace(b'{"team":"blue team"}', b'{"zone":"b 2","team":"blue team","new":"x y"}') % 2)
    other = interner.intern(other, one)
    assert other.labels["team"] is one.labels["team"]
    assert list(other.labels.items()) == [("zone", "b 2"), ("team", "blue team"), ("new", "x y")]
    assert one.labels == {"team": "blue team", "zone": "b 1", "old": "x y"}


def test_labels_in_another_order_are_equal_all_the_same() -> None:
    interner = Interner()
    one = decode_line(LINE.replace(b'{"team":"blue team"}', b'{"team":"a","zone":"b"}') % 1)
    other = decode_line(LINE.replace(b'{"team":"blue team"}', b'{"zone":"b","team":"a"}') % 2)
    other = interner.intern(other, one)
    assert one.labels == other.labels == {"team": "a", "zone": "b"}
    assert list(other.labels) == ["zone", "team"]


@pytest.mark.parametrize("like", [None, decode_line(LINE % 9)])
def test_what_is_absent_stays_absent(like: Event | None) -> None:
    event = decode_line(b'{"id":"1","source":"s","time":"2026-03-01T10:00:00Z","kind":"note.added"}')
    same = decode_line(b'{"id":"1","source":"s","time":"2026-03-01T10:00:00Z","kind":"note.added"}')
    assert Interner().intern(event, like) == same


def test_what_is_like_one_that_lacks_a_field_keeps_it() -> None:
    like = decode_line(b'{"id":"1","source":"s","time":"2026-03-01T10:00:00Z","kind":"note.added"}')
    event, untouched = decode_line(LINE % 1), decode_line(LINE % 1)
    assert Interner().intern(event, like) == untouched


def test_texts_that_are_seen_once_do_not_pile_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("monitor.core.state.interning.MOST_SHARED", 10)
    interner = Interner()
    for number in range(100):
        event = decode_line((LINE % number).replace(b'"shop"', b'"shop-%d"' % number))
        assert interner.intern(event, None).service == f"shop-{number}"
        assert len(interner._texts) <= 10 + 3


def test_what_was_told_of_many_is_there_once() -> None:
    interner = Interner()
    first, second = interner.facts({"repeats": 0.0}), interner.facts({"repeats": 0.0})
    assert first is second
    assert interner.facts({"repeats": 1.0}) == {"repeats": 1.0}


def test_of_facts_that_all_differ_some_65_thousand_are_known_then_it_begins_anew() -> None:
    """What is seen once only would fill the memory."""
    interner = Interner()
    first, *others, last = (DerivedFacts(repeats=float(number)) for number in range(65_537))
    for each in (first, *others):
        interner.facts(each)
    assert interner.facts(DerivedFacts(first)) is first
    interner.facts(last)
    assert interner.facts(DerivedFacts(first)) is not first
