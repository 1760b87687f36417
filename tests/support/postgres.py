"""A real PostgreSQL for tests: one server on a free loopback port, a fresh database for each test that asks.

Knows how to find, start, stop and clone; nothing of what the product keeps, besides the call that makes its tables.
"""

from __future__ import annotations

import asyncio
import os
import pwd
import shutil
import subprocess
import tempfile
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import asyncpg  # type: ignore[import-untyped]  # comes without types
import pytest

from monitor.store.migrations import upgrade
from tests.support.ports import free_port

USER = "nearmiss"
TEMPLATE = "nearmiss_template"
MISSING = "PostgreSQL is not installed; install it with: apt-get install postgresql (or run: make test)"
# Nothing of a test has to survive a power cut.
SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "fsync": "off",
    "full_page_writes": "off",
    "max_connections": "60",
    "shared_buffers": "32MB",
    "log_min_messages": "warning",
}


class PostgresServer:
    """One server. Port and data stay the same over stop and start.

    `also_at`: a further address of this machine to listen at, for whoever is in its network.
    """

    def __init__(self, also_at: str = "") -> None:
        self._also_at = also_at
        self._binaries = _binaries()
        # pytest's own folders are closed to the account that the server runs under.
        self._folder = Path(tempfile.mkdtemp(prefix="nearmiss-postgres-"))
        self._account = _account()
        self._port = free_port()
        if self._account is not None:
            os.chown(self._folder, self._account.pw_uid, self._account.pw_gid)

    def initialise(self) -> None:
        """Make the files of an empty server."""
        data = str(self._folder / "data")
        self._run("initdb", "-D", data, "-U", USER, "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync")
        if self._also_at:
            with (self._folder / "data" / "pg_hba.conf").open("a") as access:
                access.write("host all all samenet trust\n")

    def start(self) -> None:
        """Start it and return when it takes connections. Fails the test run when it does not come up."""
        options = " ".join(f"-c {name}='{value}'" for name, value in {**SETTINGS, **self._where}.items())
        self._control("start", "-o", options, "-l", str(self._folder / "server.log"))

    def stop(self) -> None:
        """Stop the server whose number is in our own data folder, cutting its connections."""
        self._control("stop", "-m", "fast")

    def crash(self) -> None:
        """Let it end as in a power cut: nothing is written down any more, and the next start recovers from its log."""
        self._control("stop", "-m", "immediate")

    def url(self, name: str, host: str = "127.0.0.1") -> str:
        return f"postgresql://{USER}@{host}:{self._port}/{name}"

    @property
    def _where(self) -> dict[str, object]:
        addresses = SETTINGS["listen_addresses"] + (f",{self._also_at}" if self._also_at else "")
        return {"port": self._port, "listen_addresses": addresses}

    @contextmanager
    def watched(self) -> Iterator[None]:
        """Whatever becomes of the test run, also when it is killed: the server ends with it, and its folder goes.

        A process of its own waits for the end of a pipe that only the test run holds open.
        """
        script = 'read -r _; "$0" stop -w -s -m immediate -D "$1/data"; rm -rf "$1"'
        watch = subprocess.Popen(
            ("sh", "-c", script, str(self._binaries / "pg_ctl"), str(self._folder)),
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            cwd="/",
            # An interrupt from the keyboard is for the tests: they end first, then the server.
            start_new_session=True,
            **self._as_account(),
        )
        try:
            yield
        finally:
            watch.communicate()

    def execute(self, statement: str) -> None:
        """Run one statement in the server's own database."""
        asyncio.run(self._execute(statement, "postgres"))

    def execute_in(self, database: str, statement: str) -> None:
        """Run one statement in a database."""
        asyncio.run(self._execute(statement, database))

    async def _execute(self, statement: str, database: str) -> None:
        connection = await asyncpg.connect(self.url(database))
        try:
            await connection.execute(statement)
        finally:
            await connection.close()

    def _control(self, action: str, *arguments: str) -> None:
        self._run("pg_ctl", action, "-w", "-t", "60", "-s", "-D", str(self._folder / "data"), *arguments)

    def _run(self, program: str, *arguments: str) -> None:
        # The server inherits what it is started with: a pipe would stay open as long as it lives.
        with (self._folder / "set-up.log").open("ab") as log:
            done = subprocess.run(
                (str(self._binaries / program), *arguments),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=self._folder,
                env={"PATH": os.environ.get("PATH", ""), "LC_ALL": "C"},
                check=False,
                **self._as_account(),
            )
        if done.returncode != 0:
            told = "\n".join(path.read_text(encoding="utf-8", errors="replace") for path in self._folder.glob("*.log"))
            pytest.fail(f"PostgreSQL: {program} failed: {told[-2000:]}", pytrace=False)

    def _as_account(self) -> dict[str, Any]:
        """PostgreSQL refuses to run as root."""
        if self._account is None:
            return {}
        return {"user": self._account.pw_uid, "group": self._account.pw_gid, "extra_groups": []}


@contextmanager
def running(server: PostgresServer) -> Iterator[PostgresServer]:
    """Set up and started, with the template database; stopped at the end."""
    with server.watched():
        server.initialise()
        server.start()
        server.execute(f"CREATE DATABASE {TEMPLATE}")
        asyncio.run(upgrade(server.url(TEMPLATE)))
        yield server
        server.stop()


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[PostgresServer]:
    """A running server with a template database that has all tables."""
    with running(PostgresServer()) as server:
        yield server


@pytest.fixture
def empty_postgres_url(postgres_server: PostgresServer) -> Iterator[str]:
    """A database without any tables, for one test."""
    yield from fresh_database(postgres_server, "template0")


@pytest.fixture
def postgres_url(postgres_server: PostgresServer) -> Iterator[str]:
    """A database with all tables and nothing in them, for one test."""
    yield from fresh_database(postgres_server, TEMPLATE)


def fresh_database(server: PostgresServer, template: str) -> Iterator[str]:
    """The address of a database that was copied from the template and goes at the end."""
    name = f"test_{uuid.uuid4().hex}"
    server.execute(f"CREATE DATABASE {name} TEMPLATE {template}")
    yield server.url(name)
    server.execute(f"DROP DATABASE {name} WITH (FORCE)")


def _binaries() -> Path:
    """The folder of the newest PostgreSQL. Fails the test run with one line when there is none."""
    versions = [path.parent for path in Path("/usr/lib/postgresql").glob("*/bin/initdb")]
    if versions:
        return max(versions, key=lambda path: float(path.parent.name))
    if found := shutil.which("initdb"):
        return Path(found).parent
    if config := shutil.which("pg_config"):
        told = subprocess.run((config, "--bindir"), capture_output=True, text=True, check=True)
        folder = Path(told.stdout.strip())
        if (folder / "initdb").exists():
            return folder
    pytest.fail(MISSING, pytrace=False)


def _account() -> pwd.struct_passwd | None:
    """Whom to run the server as; None for the one who runs the tests."""
    if os.geteuid() != 0:
        return None
    known = {entry.pw_name: entry for entry in pwd.getpwall()}
    return known.get("postgres") or known["nobody"]
