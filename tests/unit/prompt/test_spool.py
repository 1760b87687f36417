"""The spool of a prompt: oldest first, bounded, and nobody else's to read."""

from __future__ import annotations

from pathlib import Path

from monitor.core.model.events import Event, Instant
from monitor.decode.canonical import decode_line
from monitor.prompt.spool import Spool, spool_folder


def event(number: int) -> Event:
    return Event(id=f"n-{number}", source="cli/host", time=Instant(number), kind="note.added")


def test_what_was_added_is_read_oldest_first(tmp_path: Path) -> None:
    spool = Spool(tmp_path / "a" / "spool")
    assert spool.waiting() == []
    for number in (10, 9, 11):
        assert spool.add(event(number)) == 0
    assert [decode_line(spool.read(path)).time for path in spool.waiting()] == [9, 10, 11]
    assert {path.stat().st_mode & 0o777 for path in spool.waiting()} == {0o600}
    assert (tmp_path / "a" / "spool").stat().st_mode & 0o777 == 0o700


def test_the_oldest_go_when_it_is_full(tmp_path: Path) -> None:
    spool = Spool(tmp_path, most=2)
    assert [spool.add(event(number)) for number in (1, 2, 3)] == [0, 0, 1]
    assert [decode_line(spool.read(path)).time for path in spool.waiting()] == [2, 3]


def test_what_another_process_has_sent_is_empty(tmp_path: Path) -> None:
    spool = Spool(tmp_path)
    spool.add(event(1))
    (path,) = spool.waiting()
    spool.remove([path])
    spool.remove([path])
    assert spool.read(path) == b""


def test_the_folder_is_the_user_s_own() -> None:
    assert spool_folder({"XDG_STATE_HOME": "/s", "HOME": "/h"}) == Path("/s/nearmiss/spool")
    assert spool_folder({"HOME": "/h"}) == Path("/h/.local/state/nearmiss/spool")
