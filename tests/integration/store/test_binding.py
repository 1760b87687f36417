"""A journal and records of different backups: refused before anything is taken in, until an operator decides."""

from __future__ import annotations

import asyncio
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from monitor.cli.main import cli
from monitor.core.model.events import DAY, HOUR, Instant
from monitor.ports import Commit, Retention
from monitor.store.database import Store
from monitor.store.journal import JournalLost
from tests.support.streams import START, make_event

DAYS_LATER = Instant(START + 3 * DAY)


class Site:
    """One SQLite database that is used as the service uses it."""

    def __init__(self, directory: Path) -> None:
        self.records, self.journal = directory / "n.db", directory / "n-journal.db"
        self.url = f"sqlite:///{self.records}"
        self._count = 0

    async def works(self, events: int, *, reads: bool = True, prunes: bool = False) -> list[str]:
        """Start, take events in, have the engine read to the end, and stop; the ids that were read."""
        async with Store(self.url) as store:
            await store.binding.check()
            for _ in range(events):
                self._count += 1
                await store.journal.append([make_event("note.added", self._count, f"n{self._count}")])
            if not reads:
                return []
            saved = await store.engine_store.acquire("test")
            batch = await store.journal.read(saved.positions, 1000)
            self.lost = batch.lost
            await store.engine_store.commit(Commit((), {}, batch.positions, saved.epoch, DAYS_LATER))
            if prunes:
                await store.retention.prune(Retention(events=HOUR), DAYS_LATER)
            return [event.id for event in batch.events]

    def keep(self, path: Path) -> Path:
        kept = path.with_suffix(".kept")
        shutil.copy(path, kept)
        return kept

    def restore(self, path: Path) -> None:
        for name in ("-wal", "-shm"):
            path.with_name(path.name + name).unlink(missing_ok=True)
        shutil.copy(path.with_suffix(".kept"), path)

    def nearmiss(self, *arguments: str) -> tuple[int, str]:
        result = CliRunner().invoke(cli, [*arguments, "--database", self.url])
        return result.exit_code, result.output + result.stderr


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return Site(tmp_path)


async def test_an_older_journal_is_refused_at_every_start(site: Site) -> None:
    await site.works(3)
    site.keep(site.journal)
    assert await site.works(5) == ["n4", "n5", "n6", "n7", "n8"]
    site.restore(site.journal)
    for _ in range(3):
        with pytest.raises(JournalLost, match=r"older backup.*accept-journal"):
            await site.works(1)


def test_the_service_says_so_in_one_line_before_it_takes_anything(site: Site) -> None:
    asyncio.run(site.works(3))
    site.keep(site.journal)
    asyncio.run(site.works(5))
    site.restore(site.journal)
    command = [sys.executable, "-m", "monitor.cli.main", "run", "--port", "0", "--database", site.url]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert (ended.returncode, ended.stdout) == (1, "")
    (line,) = [line for line in ended.stderr.splitlines() if line.startswith("nearmiss: ")]
    assert "nearmiss db accept-journal" in line
    assert "Traceback" not in ended.stderr


async def test_accepting_says_what_it_costs_and_everything_after_it_is_read(site: Site) -> None:
    await site.works(3)
    site.keep(site.journal)
    await site.works(5)
    site.restore(site.journal)
    async with Store(site.url) as store:
        joint = await store.binding.look()
        assert joint.problem is not None
        assert "reads on after entry 3, the last that there is" in joint.cost
        await store.binding.accept()
    assert await site.works(2) == ["n9", "n10"]


def test_the_command_changes_nothing_without_yes(site: Site) -> None:
    assert site.nearmiss("db", "upgrade")[0] == 0
    assert "fit" in site.nearmiss("db", "accept-journal")[1]
    site.keep(site.journal)
    other = Site(site.records.parent / "other")
    assert other.nearmiss("db", "upgrade")[0] == 0
    asyncio.run(site.works(2))
    shutil.copy(other.journal, site.journal.with_suffix(".kept"))
    site.restore(site.journal)
    code, said = site.nearmiss("db", "accept-journal")
    assert (code, "another journal" in said, "nothing was changed" in said) == (1, True, True)
    assert site.nearmiss("db", "check")[0] == 1
    assert site.nearmiss("db", "accept-journal", "--yes")[0] == 0
    assert site.nearmiss("db", "check")[0] == 0


async def test_an_older_journal_is_known_by_its_generation_where_its_end_is_not_behind(site: Site) -> None:
    await site.works(3)
    site.keep(site.journal)
    await site.works(2, reads=False)
    site.restore(site.journal)
    with pytest.raises(JournalLost, match="the journal was opened 1 times, but the records saw it opened 2 times"):
        await site.works(0)


async def test_older_records_read_again_and_count_what_retention_removed(site: Site) -> None:
    await site.works(2)
    site.keep(site.records)
    await site.works(4, prunes=True)
    site.restore(site.records)
    assert await site.works(1) == ["n7"]
    assert site.lost == 4
    await site.works(1)
    assert site.lost == 0


async def test_what_was_read_before_it_was_removed_is_no_gap(site: Site) -> None:
    await site.works(4, prunes=True)
    assert await site.works(1) == ["n5"]
    assert site.lost == 0
