"""The queue of a prompt: oldest first, bounded, and nobody else's to read."""

from __future__ import annotations

from pathlib import Path

from monitor.core.model.events import Event, Instant
from monitor.decode.canonical import decode_line
from monitor.outbox.queue import Queue, queue_folder


def event(number: int) -> Event:
    return Event(id=f"n-{number}", source="cli/host", time=Instant(number), kind="note.added")


def test_what_was_added_is_read_oldest_first(tmp_path: Path) -> None:
    queue = Queue(tmp_path / "a" / "outbox")
    assert queue.waiting() == []
    for number in (10, 9, 11):
        assert queue.add(event(number)) == 0
    assert [decode_line(queue.read(path)).time for path in queue.waiting()] == [9, 10, 11]
    assert {path.stat().st_mode & 0o777 for path in queue.waiting()} == {0o600}
    assert (tmp_path / "a" / "outbox").stat().st_mode & 0o777 == 0o700


def test_the_oldest_go_when_it_is_full(tmp_path: Path) -> None:
    queue = Queue(tmp_path, most=2)
    assert [queue.add(event(number)) for number in (1, 2, 3)] == [0, 0, 1]
    assert [decode_line(queue.read(path)).time for path in queue.waiting()] == [2, 3]


def test_what_another_process_has_sent_is_empty(tmp_path: Path) -> None:
    queue = Queue(tmp_path)
    queue.add(event(1))
    (path,) = queue.waiting()
    queue.remove([path])
    queue.remove([path])
    assert queue.read(path) == b""


def test_the_folder_is_the_user_s_own() -> None:
    assert queue_folder({"XDG_STATE_HOME": "/s", "HOME": "/h"}) == Path("/s/nearmiss/outbox")
    assert queue_folder({"HOME": "/h"}) == Path("/h/.local/state/nearmiss/outbox")
