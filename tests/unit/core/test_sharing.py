"""What remembered events have in common is there once, and equal to what was read."""

from __future__ import annotations

import pytest

from monitor.core.sharing import Sharing
from monitor.decode.canonical import decode_line

LINE = (
    b'{"id":"%d","source":"argocd/main","time":"2026-03-01T10:00:00Z","kind":"change.deployed","service":"shop",'
    b'"environment":"production","subject":"shop/deployment","title":"shop deployed","labels":{"team":"blue team"}}'
)


def test_equal_texts_become_one_and_stay_equal() -> None:
    sharing = Sharing()
    first, second, untouched = (decode_line(LINE % number) for number in (1, 2, 2))
    sharing.share(first)
    sharing.share(second)
    for field in ("source", "service", "environment", "subject", "title", "labels"):
        assert getattr(first, field) is getattr(second, field)
    assert second == untouched


def test_labels_in_another_order_are_equal_all_the_same() -> None:
    sharing = Sharing()
    one = decode_line(LINE.replace(b'{"team":"blue team"}', b'{"team":"a","zone":"b"}') % 1)
    other = decode_line(LINE.replace(b'{"team":"blue team"}', b'{"zone":"b","team":"a"}') % 2)
    sharing.share(one)
    sharing.share(other)
    assert one.labels == other.labels == {"team": "a", "zone": "b"}
    assert list(other.labels) == ["zone", "team"]


def test_what_is_absent_stays_absent() -> None:
    event = decode_line(b'{"id":"1","source":"s","time":"2026-03-01T10:00:00Z","kind":"note.added"}')
    same = decode_line(b'{"id":"1","source":"s","time":"2026-03-01T10:00:00Z","kind":"note.added"}')
    Sharing().share(event)
    assert event == same


def test_texts_that_are_seen_once_do_not_pile_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("monitor.core.sharing.MOST_SHARED", 10)
    sharing = Sharing()
    for number in range(100):
        event = decode_line((LINE % number).replace(b"shop deployed", b"%d deployed" % number))
        sharing.share(event)
        assert event.title == f"{number} deployed"
        assert len(sharing._texts) <= 10 + 6
        assert len(sharing._labels) <= 11


def test_what_was_told_of_many_is_there_once() -> None:
    sharing = Sharing()
    first, second = sharing.told({"repeats": 0.0}), sharing.told({"repeats": 0.0})
    assert first is second
    assert sharing.told({"repeats": 1.0}) == {"repeats": 1.0}
