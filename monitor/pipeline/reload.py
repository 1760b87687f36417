"""Reads the rules and the catalogue again when somebody asks or a file changed; what is broken changes nothing.

Decides when to read and whether to take what was read. Reading runs in a thread, so that webhooks are answered
meanwhile. Must not know how files are found or what is in them.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Hashable

import msgspec

from monitor.ops.logs import get_logger
from monitor.pipeline.current_pack import Current, Pack

_log = get_logger("pack")


class Read(msgspec.Struct, frozen=True):
    """What was read: a pack, or what is wrong with the files, a line each."""

    pack: Pack | None
    errors: tuple[str, ...] = ()


class Reloader:
    """Keeps `current` up to date with the files.

    A change is taken once two looks in a row saw the same, so that a file is not read while it is being written.
    """

    def __init__(
        self, current: Current, read: Callable[[], Read], marks: Callable[[], Hashable], every: float | None
    ) -> None:
        """`marks` says, cheaply, whether files may have changed. `every`: seconds between looks; None looks never."""
        self._current = current
        self._read = read
        self._marks = marks
        self._every = every
        self._tried: Hashable | None = current.pack.marks
        self._seen = current.pack.marks
        self._is_blind = False

    async def run(self, stop: asyncio.Event, asked: asyncio.Event) -> None:
        """Until `stop` is set; whoever sets it sets `asked` too, so that it is noticed at once."""
        while not stop.is_set():
            try:
                async with asyncio.timeout(self._every):
                    await asked.wait()
            except TimeoutError:
                await self.look()
                continue
            asked.clear()
            if not stop.is_set():
                marks = await self._look_at_files()
                if marks is not None:
                    self._tried = self._seen = marks
                await self.reload("asked")

    async def look(self) -> None:
        """Reload if files changed and now stand still."""
        now = await self._look_at_files()
        if now is None:
            return
        still, self._seen = now == self._seen, now
        if still and now != self._tried:
            self._tried = now
            await self.reload("changed")

    async def _look_at_files(self) -> Hashable | None:
        """None where they cannot be looked at: a directory vanished meanwhile, or there are too many open files."""
        try:
            marks = await asyncio.to_thread(self._marks)
        except OSError as error:
            if not self._is_blind:
                self._current.keep((f"the files cannot be looked at: {error}",))
            self._is_blind = True
            return None
        if self._is_blind:
            self._is_blind, self._tried = False, None  # what was missed meanwhile is read, and that it is right is said
        return marks

    async def reload(self, why: str) -> None:
        """Read everything again, and take it if it is right and says something new."""
        _log.info("pack_reload", why=why)
        try:
            read = await asyncio.to_thread(self._read)
        except Exception as error:  # noqa: BLE001 - whatever breaks while files are read, the service goes on as it was
            _log.error("pack_reading_broke", exc_info=error)
            read = Read(None, (f"reading failed: {type(error).__name__}: {error}",))
        if read.pack is None:
            self._current.keep(read.errors)
        elif read.pack.says_the_same(self._current.pack):
            self._current.confirm(read.pack.marks)
        else:
            self._current.put(read.pack)
