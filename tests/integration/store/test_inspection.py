"""What does not fit together in a database is said in words that tell what to do, and looking changes nothing."""

from __future__ import annotations

import asyncio
import json
import uuid

import asyncpg  # type: ignore[import-untyped]  # comes without types
import pytest
from sqlalchemy import delete, insert, update

from monitor.cli.main import run
from monitor.core.model.decisions import Open
from monitor.core.model.events import Event
from monitor.ports import Commit, Halt, MissingRight
from monitor.store.database import Store, open_for_reading
from monitor.store.history import EVER
from monitor.store.journal import PARTITION
from monitor.store.tables import audit, engine_positions, journal_head, near_misses
from tests.support.postgres import USER, PostgresServer
from tests.support.records import BASE, draft, event


async def fill(store: Store) -> None:
    await store.journal.append([event(f"e{n}", "note.added", n) for n in range(5)])
    saved = await store.engine_store.acquire("engine")
    await store.engine_store.commit(Commit((Open(draft()),), {}, {PARTITION: 4}, saved.epoch, BASE))


def looked_at(url: str, capfd: pytest.CaptureFixture[str], *options: str) -> tuple[int, dict[str, object]]:
    capfd.readouterr()
    try:
        code = run(["db", "check", "--database", url, "--format", "json", *options])
    except SystemExit as end:
        code = int(end.code or 0)
    found: dict[str, object] = json.loads(capfd.readouterr().out)
    return code, found


async def test_what_is_well_is_counted(store: Store) -> None:
    await fill(store)
    await store.topics.halt(Halt("alerts", BASE, "nothing can be read"))

    found = await store.inspection.inspect(full=True)

    assert found.problems == ()
    assert (found.unread, found.positions) == (2, {PARTITION: 4})
    assert (found.rows["journal"], found.rows["near_misses"], found.rows["audit"]) == (5, 1, 1)
    assert found.total_bytes > found.events_bytes > 0
    # The server of the tests is quick rather than safe, and that is remarked.
    assert tuple(each for each in found.remarks if "fsync = off" not in each) == (
        "topic alerts is halted: nothing can be read",
        "the last owner is engine, epoch 1",
    )


async def test_a_journal_that_does_not_fit_is_named(store: Store) -> None:
    await fill(store)
    async with store.records_database.writing() as connection:
        await connection.execute(update(engine_positions).values(position=12))
    async with store.journal_database.writing() as connection:
        await connection.execute(update(journal_head).values(position=3))

    behind, beyond = (await store.inspection.inspect()).problems

    assert "the journal has entry 5, but its counter stands at 3" in behind
    assert "has read the journal up to entry 11, but the journal ends at entry 3" in beyond


async def test_records_that_do_not_fit_are_named(store: Store) -> None:
    await fill(store)
    async with store.records_database.writing() as connection:
        await connection.execute(delete(audit))
        await connection.execute(update(near_misses).values(draft=b"{"))

    assert (await store.inspection.inspect()).problems == ("1 records have no trail; restore a backup",)
    assert "cannot be read" in (await store.inspection.inspect(full=True)).problems[1]


def test_the_command(store_url: str, capfd: pytest.CaptureFixture[str]) -> None:
    async def prepare(position: int) -> None:
        async with Store(store_url) as store, store.records_database.writing() as connection:
            await connection.execute(delete(engine_positions))
            await connection.execute(insert(engine_positions), {"partition": PARTITION, "position": position})

    asyncio.run(prepare(1))
    code, found = looked_at(store_url, capfd)
    assert (code, found["ok"], found["problems"]) == (0, True, [])
    assert run(["db", "check", "--database", store_url]) == 0
    assert capfd.readouterr().out.endswith("no problems found\n")

    asyncio.run(prepare(9))
    code, found = looked_at(store_url, capfd, "--full")
    assert (code, found["ok"]) == (1, False)


def test_a_damaged_file_is_named(sqlite_url: str, capfd: pytest.CaptureFixture[str]) -> None:
    async def prepare() -> None:
        async with Store(sqlite_url) as store:
            await store.journal.append([event(f"e{n}", "note.added", n, title="x" * 500) for n in range(500)])

    asyncio.run(prepare())
    path = sqlite_url.removeprefix("sqlite:///").replace("nearmiss.db", "nearmiss-journal.db")
    with open(path, "r+b") as file:  # noqa: PTH123 - to write in its middle
        file.seek(40 * 4096)
        file.write(b"\xff" * 4096)

    code, found = looked_at(sqlite_url, capfd)

    assert code == 1
    assert "a page is damaged" in str(found["problems"])


def test_a_user_who_may_create_no_temporary_tables_is_told_what_to_grant(
    postgres_server: PostgresServer, postgres_url: str
) -> None:
    user, name = f"user_{uuid.uuid4().hex}", postgres_url.rpartition("/")[2]
    theirs = postgres_url.replace(f"//{USER}@", f"//{user}@")
    postgres_server.execute(f"CREATE ROLE {user} LOGIN; REVOKE TEMPORARY ON DATABASE {name} FROM PUBLIC")
    asyncio.run(_let_in(postgres_url, user))

    told = asyncio.run(_refusal(theirs))
    grant = f'GRANT TEMPORARY ON DATABASE "{name}" TO "{user}"'
    assert grant in told
    assert asyncio.run(_problems(theirs)) == (told,)

    postgres_server.execute(grant)
    assert asyncio.run(_kept(theirs, event("e1", "note.added", 1))) == ["e1"]


async def _let_in(url: str, user: str) -> None:
    connection = await asyncpg.connect(url)
    for things in ("TABLES", "SEQUENCES"):
        await connection.execute(f"GRANT ALL ON ALL {things} IN SCHEMA public TO {user}")
    await connection.close()


async def _refusal(url: str) -> str:
    store = Store(url)
    with pytest.raises(MissingRight) as refused:
        await store.open()
    await store.close()
    return str(refused.value)


async def _problems(url: str) -> tuple[str, ...]:
    async with open_for_reading(url) as store:
        return (await store.inspection.inspect()).problems


async def _kept(url: str, *events: Event) -> list[str]:
    async with Store(url) as store:
        saved = await store.engine_store.acquire("engine")
        await store.engine_store.commit(Commit((), {}, {}, saved.epoch, BASE, history=events))
        return [each.id async for each in store.history.events(*EVER)]


async def test_a_server_that_does_not_sync_is_remarked(postgres_server: PostgresServer, postgres_url: str) -> None:
    name = postgres_url.rpartition("/")[2]
    async with Store(postgres_url) as store:
        assert not [each for each in (await store.inspection.inspect()).remarks if "synchronous_commit" in each]
    await asyncio.to_thread(postgres_server.execute, f'ALTER DATABASE "{name}" SET synchronous_commit = off')
    async with Store(postgres_url) as store:
        remarks = (await store.inspection.inspect()).remarks
    assert [each for each in remarks if "synchronous_commit = off: a power cut loses" in each]
