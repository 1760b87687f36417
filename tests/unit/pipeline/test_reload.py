"""When files are read again, and what becomes of what was read."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import msgspec

from monitor.app.metrics import Metrics
from monitor.core.matching.last_values import LastValues
from monitor.core.matching.matcher import Matcher
from monitor.core.model.catalogue import Catalogue, Service
from monitor.core.model.events import SECOND
from monitor.decode.registry import tool_of, tools, use_own
from monitor.ops.clock import ManualClock
from monitor.packs.language.regex import make_regex
from monitor.pipeline.current_pack import Current, Pack
from monitor.pipeline.reload import Read, Reloader
from tests.support.streams import acted_rule

NOW = 1_800_000_000 * SECOND


def pack(name: str, marks: str = "", services: int = 1) -> Pack:
    catalogue = Catalogue({f"s{n}": Service(f"s{n}") for n in range(services)})
    rules = (acted_rule(name=name),)
    return Pack(rules, catalogue, name, str(services), Matcher(rules, catalogue, LastValues(), make_regex), marks=marks)


class Files:
    """A reloader over files that are values, and what it says."""

    def __init__(self) -> None:
        self.clock = ManualClock(NOW)
        self.metrics = Metrics()
        self.marks = "first"
        self.now: Callable[[], Read] = lambda: Read(pack("first", self.marks))
        self.reads = 0
        self.current = Current(pack("first", "first"), self.clock, self.metrics)
        self.look: Callable[[], str] = lambda: self.marks
        self.reloader = Reloader(self.current, self.read, lambda: self.look(), every=60)  # noqa: PLW0108 - tests change it

    def read(self) -> Read:
        self.reads += 1
        return self.now()

    def change(self, marks: str, read: Read) -> None:
        self.marks, self.now = marks, lambda: read

    def metric(self, name: str, **labels: str) -> float | None:
        return self.metrics.registry.get_sample_value(f"nearmiss_{name}", labels)


async def test_own_mappings_are_registered_with_the_pack_and_go_with_it() -> None:
    files = Files()
    mine = msgspec.structs.replace(tools()[0], name="my-probe", aliases=())
    try:
        files.change("second", Read(msgspec.structs.replace(pack("first"), tools=(mine,), tools_hash="a")))
        await files.reloader.reload("asked")
        assert files.current.number == 1, "the rules are the same, the mappings are not"
        assert tool_of("my-probe/x") is mine
        await files.reloader.reload("asked")
        assert files.current.number == 1
        files.change("third", Read(None, ("a mapping is broken",)))
        await files.reloader.reload("asked")
        assert tool_of("my-probe/x") is mine, "what is broken changes nothing"
        files.change("fourth", Read(pack("first")))
        await files.reloader.reload("asked")
        assert tool_of("my-probe/x") is None
    finally:
        use_own(())


async def test_a_change_is_taken_once_it_stands_still() -> None:
    files = Files()
    await files.reloader.look()
    files.change("second", Read(pack("second", "second")))
    await files.reloader.look()
    assert files.reads == 0, "the file may still be being written"
    await files.reloader.look()
    assert (files.current.pack.rules_hash, files.current.number) == ("second", 1)
    for _ in range(3):
        await files.reloader.look()
    assert files.reads == 1


async def test_a_file_that_keeps_changing_is_waited_for() -> None:
    files = Files()
    for turn in range(5):
        files.change(f"turn-{turn}", Read(pack("second", f"turn-{turn}")))
        await files.reloader.look()
    assert files.reads == 0
    await files.reloader.look()
    assert files.current.pack.rules_hash == "second"


async def test_what_is_broken_keeps_the_last_good_pack_and_says_so_once() -> None:
    files = Files()
    files.change("broken", Read(None, ("a.yaml:1:1: error: x", "a.yaml:2:1: error: y")))
    for _ in range(4):
        await files.reloader.look()
    assert files.reads == 1
    assert (files.current.pack.rules_hash, files.current.number) == ("first", 0)
    assert files.current.status.failed_at == NOW
    assert files.current.status.problems == ("a.yaml:1:1: error: x", "a.yaml:2:1: error: y")
    assert files.metric("pack_reload_failures_total") == 1
    assert files.metric("pack_last_reload_success") == 0
    assert files.metric("pack_info", rules="first", catalogue="1") == 1


async def test_what_is_mended_is_taken() -> None:
    files = Files()
    files.change("broken", Read(None, ("a.yaml:1:1: error: x",)))
    await files.reloader.look()
    await files.reloader.look()
    files.change("mended", Read(pack("second", "mended", services=2)))
    await files.reloader.look()
    await files.reloader.look()
    assert files.current.status.failed_at is None
    assert files.metric("pack_last_reload_success") == 1
    assert files.metric("pack_info", rules="second", catalogue="2") == 1
    assert files.metric("pack_info", rules="first", catalogue="1") is None, "one series at a time"
    assert files.metric("rules_loaded") == 1
    assert files.metric("drafts_opened_total", rule="second") == 0


async def test_the_same_content_again_is_no_new_pack() -> None:
    """Also after a mistake that was undone: then no problems found again, and nothing begins anew."""
    files = Files()
    before = files.current.pack.compiled
    files.change("broken", Read(None, ("a.yaml:1:1: error: x",)))
    await files.reloader.look()
    await files.reloader.look()
    files.change("back", Read(pack("first", "back")))
    await files.reloader.look()
    await files.reloader.look()
    assert files.current.number == 0
    assert files.current.pack.compiled is before
    assert (files.current.status.failed_at, files.metric("pack_last_reload_success")) == (None, 1)


async def test_a_reading_that_breaks_is_a_failure_and_no_end() -> None:
    files = Files()

    def fails() -> Read:
        raise OSError("the share went away")

    files.marks, files.now = "second", fails
    await files.reloader.look()
    await files.reloader.look()
    assert files.current.status.problems == ("reading failed: OSError: the share went away",)
    assert files.metric("pack_reload_failures_total") == 1


async def test_whoever_asks_is_served_at_once_and_without_a_change() -> None:
    files = Files()
    stop, asked = asyncio.Event(), asyncio.Event()
    files.now = lambda: Read(pack("second", "first"))
    reader = files.read

    def read_and_stop() -> Read:
        stop.set()
        asked.set()
        return reader()

    files.reloader._read = read_and_stop
    asked.set()
    await asyncio.wait_for(files.reloader.run(stop, asked), 10)
    assert (files.reads, files.current.pack.rules_hash) == (1, "second")


async def test_the_stop_ends_it_though_nobody_looks() -> None:
    files = Files()
    stop, asked = asyncio.Event(), asyncio.Event()
    reloader = Reloader(files.current, files.read, lambda: files.marks, every=None)
    stop.set()
    asked.set()
    await asyncio.wait_for(reloader.run(stop, asked), 10)
    assert files.reads == 0


async def test_files_that_cannot_be_looked_at_end_nothing_and_are_said_once() -> None:
    files = Files()
    look = files.look

    def vanished() -> str:
        raise OSError(24, "Too many open files")

    files.look = vanished
    for _ in range(3):
        await files.reloader.look()
    assert files.metric("pack_reload_failures_total") == 1
    (problem,) = files.current.status.problems
    assert problem == "the files cannot be looked at: [Errno 24] Too many open files"
    files.look = look
    for _ in range(2):
        await files.reloader.look()
    assert files.metric("pack_last_reload_success") == 1
    assert files.current.status.problems == ()
