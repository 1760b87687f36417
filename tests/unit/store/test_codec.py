"""What is stored comes back as it was, and text that no database can hold is made holdable."""

from __future__ import annotations

import pytest

from monitor.core.model.decisions import Ignore
from monitor.core.model.events import EventId, Instant
from monitor.core.model.reasons import NotOpened
from monitor.store.codec import (
    decode_draft,
    decode_event,
    decode_events,
    decode_ignore,
    encode_draft,
    encode_event,
    encode_events,
    encode_ignore,
    plain,
)
from tests.support.records import BASE, draft, event


def test_drafts_come_back() -> None:
    for each in (draft(), draft(verdict="unknown"), draft(service=None, margin=None, evidence=(), coverage=())):
        again = decode_draft(encode_draft(each))
        assert again == each
        assert isinstance(again.first_sign_at, Instant)


def test_events_come_back() -> None:
    events = (event("a", "note.added", 1, marks=("time_in_future",)), event("b", "alert.fired", 2, expires_at=BASE))
    assert decode_events(encode_events(events)) == events
    assert [decode_event(encode_event(each)) for each in events] == list(events)


def test_what_was_not_opened_comes_back() -> None:
    ignored = Ignore(NotOpened.DRILL, BASE, ("r",), None, (EventId("s", "1"),), "an exercise")
    assert decode_ignore(encode_ignore(ignored)) == ignored


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("plain", "plain"),
        ("größer \N{FIRE}", "größer \N{FIRE}"),
        ("a\0b", "a\N{REPLACEMENT CHARACTER}b"),
        ("\ud800", "\N{REPLACEMENT CHARACTER}" * 3),
    ],
)
def test_text_is_made_holdable(text: str, expected: str) -> None:
    assert plain(text) == expected
