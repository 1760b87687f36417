"""What an operator can have set up wrong, against every command that opens a database: one line, whose cure works."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple, Protocol

import pytest
from sqlalchemy import Connection

from monitor.cli.main import cli, run
from monitor.ports import Unavailable
from monitor.store.database import Store
from monitor.store.health import write_fault
from tests.support.postgres import PostgresServer

COMMANDS = [
    ("run", "--port", "0"),
    ("db", "check"),
    ("db", "upgrade"),
    ("db", "accept-journal"),
    ("rejects", "list"),
    ("rejects", "requeue", "--all"),
    ("rewind", "--to", "2026-01-01T00:00:00Z", "--dry-run"),
    ("topics", "halted"),
    ("rules", "backtest"),
]


Limited = tuple[Callable[[str], None], str]


class Nearmiss(Protocol):
    def __call__(self, *arguments: str, url: str) -> Said: ...


class Said(NamedTuple):
    code: int
    stderr: str

    @property
    def line(self) -> str:
        """The one line of an error: never a traceback."""
        assert self.code in (1, 2), self.stderr
        lines = [line for line in self.stderr.splitlines() if re.match(r"(nearmiss|Error): ", line)]
        assert len(lines) == 1, self.stderr
        assert "Traceback" not in self.stderr
        return lines[0]


@pytest.fixture
def nearmiss(capfd: pytest.CaptureFixture[str]) -> Nearmiss:
    """Runs a command as the entry point does; what it raises beyond that would be a traceback."""

    def command(*arguments: str, url: str) -> Said:
        capfd.readouterr()
        try:
            code = run([*arguments, "--database", url])
        except SystemExit as ending:
            code = int(ending.code or 0)
        return Said(code, capfd.readouterr().err)

    return command


@pytest.fixture
def limited(postgres_server: PostgresServer, empty_postgres_url: str) -> Iterator[tuple[Callable[[str], None], str]]:
    """A database that is upgraded by its owner and used by a role without any rights; statements are run in it."""
    name = empty_postgres_url.rpartition("/")[2]
    role = f"app_{name}"
    address = re.sub(r"//[^@/]*@", f"//{role}:secret@", empty_postgres_url)

    def execute(statement: str) -> None:
        postgres_server.execute_in(name, statement.format(role=role, name=name))

    postgres_server.execute(f"CREATE ROLE {role} LOGIN PASSWORD 'secret'")
    execute("REVOKE CREATE ON SCHEMA public FROM PUBLIC")
    yield execute, address
    execute("DROP OWNED BY {role}")
    postgres_server.execute(f"DROP ROLE {role}")


def test_without_create_the_upgrade_says_what_to_grant(nearmiss: Nearmiss, limited: Limited) -> None:
    execute, url = limited
    line = nearmiss("db", "upgrade", url=url).line
    for grant in re.findall(r"GRANT [^;]*", line):
        execute(grant)
    assert nearmiss("db", "upgrade", url=url).code == 0
    assert nearmiss("db", "check", url=url).code == 0


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_without_a_right_on_the_tables_each_command_says_what_to_grant(
    nearmiss: Nearmiss, limited: Limited, empty_postgres_url: str, command: tuple[str, ...]
) -> None:
    execute, url = limited
    assert nearmiss("db", "upgrade", url=empty_postgres_url).code == 0
    line = nearmiss(*command, url=url).line
    for grant in re.findall(r"GRANT [^;]*", line):
        execute(grant)
    if command[0] != "run":
        assert "GRANT" not in nearmiss(*command, url=url).stderr


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_an_option_that_the_address_cannot_take_is_named(
    nearmiss: Nearmiss, empty_postgres_url: str, command: tuple[str, ...]
) -> None:
    line = nearmiss(*command, url=f"{empty_postgres_url}?ssl=require").line
    assert "sslmode=require" in line


@pytest.mark.parametrize("command", [*COMMANDS[:1], *COMMANDS[2:3]], ids=" ".join)
def test_another_programs_table_of_that_name_is_named(
    nearmiss: Nearmiss,
    postgres_server: PostgresServer,
    empty_postgres_url: str,
    command: tuple[str, ...],
) -> None:
    postgres_server.execute_in(empty_postgres_url.rpartition("/")[2], "CREATE TABLE audit (id int)")
    line = nearmiss(*command, url=empty_postgres_url).line
    assert "audit" in line or "db upgrade" in line


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_a_directory_in_place_of_a_file_is_named(nearmiss: Nearmiss, tmp_path: Path, command: tuple[str, ...]) -> None:
    assert str(tmp_path) in nearmiss(*command, url=f"sqlite:///{tmp_path}").line


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_a_file_that_is_no_database_is_named(nearmiss: Nearmiss, tmp_path: Path, command: tuple[str, ...]) -> None:
    path = tmp_path / "n.db"
    path.write_bytes(b"no database" * 1000)
    (tmp_path / "n-journal.db").write_bytes(b"no database" * 1000)
    assert "not a database" in nearmiss(*command, url=f"sqlite:///{path}").line


async def test_ready_means_that_something_can_be_written(tmp_path: Path) -> None:
    async with Store(f"sqlite:///{tmp_path / 'n.db'}") as store:
        await store.prove_write()
        assert await write_fault(store) is None
        assert (await store.binding.look()).problem is None


@pytest.mark.parametrize("name", ["n.db", "n-journal.db"])
async def test_a_full_disk_is_not_ready_although_it_can_be_read(tmp_path: Path, name: str) -> None:
    async with Store(f"sqlite:///{tmp_path / 'n.db'}") as store:
        database = store.journal_database if "journal" in name else store.records_database

        def full(connection: Connection) -> None:
            connection.exec_driver_sql("PRAGMA query_only = ON")

        await database._threads["write"].run(full)
        await store.ping()
        with pytest.raises(Unavailable, match="read-only"):
            await store.prove_write()
        fault = await write_fault(store)
        assert fault is not None
        assert fault.startswith("nothing can be stored: ")


def test_output_that_nobody_reads_is_no_failure(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(cli, "main", raising(BrokenPipeError()))
    assert run(["rejects", "list"]) == 0
    assert capfd.readouterr().err == ""


def raising(error: Exception) -> Callable[..., object]:
    def raises(**_: object) -> object:
        raise error

    return raises
