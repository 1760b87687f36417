"""The event value: which identities fit, and how its times are written."""

from __future__ import annotations

from datetime import UTC, datetime

import msgspec
import pytest

from monitor.core.model.events import SECOND, Event, Instant, to_datetime, to_instant, to_text
from monitor.core.model.packing import pack, unpack


@pytest.mark.parametrize(("length", "fits"), [(0, False), (1, True), (255, True), (256, False)])
def test_an_identity_has_one_to_255_characters(length: int, fits: bool) -> None:
    written = pack(Event("x" * length, "tool", Instant(0), "note.added"))
    if fits:
        assert unpack(written, Event).id == "x" * length
    else:
        with pytest.raises(msgspec.ValidationError, match="length"):
            unpack(written, Event)


def test_a_time_beyond_the_calendar_is_its_first_or_last_moment() -> None:
    assert to_datetime(2**62) == datetime.max.replace(tzinfo=UTC)
    assert to_datetime(-(2**62)) == datetime.min.replace(tzinfo=UTC)
    assert to_datetime(0) == datetime(1970, 1, 1, tzinfo=UTC)


def test_a_time_is_written_in_utc_with_microseconds_only_where_there_are_any() -> None:
    assert to_text(5 * SECOND) == "1970-01-01T00:00:05Z"
    assert to_text(5 * SECOND + 7) == "1970-01-01T00:00:05.000007Z"
    assert to_text(None) is None
    assert to_instant(datetime(1970, 1, 2, 0, 0, 1, 5, tzinfo=UTC)) == 86_401 * SECOND + 5
    with pytest.raises(ValueError, match="no offset"):
        to_instant(datetime(2026, 1, 1))  # noqa: DTZ001
