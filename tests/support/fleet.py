"""Processes of the service that are kept alive the way a supervisor does it: what dies is started again.

Each start logs in to the database under a name of its own, so that the database can tell who wrote what. Decides who is
started and when; must not know what a test does to them.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Self

import asyncpg  # type: ignore[import-untyped]  # comes without types
import httpx

from tests.support.network import fetch_from_inside
from tests.support.ports import free_ports
from tests.support.service import without_settings

_LOOK_EVERY = 0.1
_AFTER_A_FAILED_START = 1.0
_STOP_SECONDS = 40.0
_ANSWER_SECONDS = 30.0
_LOGINS = """
DO $$ BEGIN
    FOR life IN 1..{lives} LOOP
        IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = '{name}_' || life) THEN
            EXECUTE format('CREATE ROLE %I SUPERUSER LOGIN', '{name}_' || life);
        END IF;
    END LOOP;
END $$
"""


class Member:
    """One process of the service, over all its lives. Use it through a fleet.

    `prefix`: what it is started with, when it lives in a network namespace of its own.
    """

    def __init__(
        self,
        name: str,
        arguments: Sequence[str],
        environment: Mapping[str, str],
        directory: Path,
        *,
        database: str,
        prefix: Sequence[str] = (),
    ) -> None:
        self.name = name
        self.lives = 0
        self.failed_starts = 0
        self.is_wanted = False
        self.process: subprocess.Popen[bytes] | None = None
        [self._port] = free_ports(1)
        self.address = f"http://127.0.0.1:{self._port}"
        self._arguments = (*arguments, "--port", str(self._port))
        self._environment = {**without_settings(os.environ), **environment}
        self._database = database
        self._prefix = tuple(prefix)
        self._log = directory / f"{name}.log"

    @property
    def runs(self) -> bool:
        return self.process is not None and self.process.poll() is None

    @property
    def login(self) -> str:
        """Whom the database knows this life as."""
        return f"{self.name.replace('-', '_')}_{self.lives}"

    def spawn(self) -> None:
        self.lives += 1
        user, _, rest = self._database.removeprefix("postgresql://").partition("@")
        assert user
        assert rest
        database = f"postgresql://{self.login}@{rest}"
        command = (*self._prefix, sys.executable, "-m", "monitor.cli.main", "run", *self._arguments)
        with self._log.open("ab") as log:
            self.process = subprocess.Popen(
                (*command, "--database", database),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=log,
                env=self._environment,
            )

    def kill(self) -> None:
        """As a power cut would: no handler runs."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()

    def signal(self, number: signal.Signals) -> None:
        assert self.process is not None
        self.process.send_signal(number)

    def is_ready(self) -> bool:
        answer = self._get("/readyz")
        return answer is not None and answer[0] == 200

    def metric(self, name: str) -> float:
        """What it tells of itself; 0 while it does not answer."""
        answer = self._get("/metrics")
        for line in answer[1].splitlines() if answer else ():
            if line.startswith(f"{name} "):
                return float(line.rpartition(" ")[2])
        return 0.0

    def _get(self, path: str) -> tuple[int, str] | None:
        if self._prefix:
            return fetch_from_inside(self._prefix, self.address + path, _ANSWER_SECONDS)
        try:
            answer = httpx.get(self.address + path, timeout=_ANSWER_SECONDS, trust_env=False)
        except httpx.TransportError:
            return None
        return answer.status_code, answer.text

    def said(self) -> str:
        """All that its lives logged."""
        return self._log.read_text(encoding="utf-8", errors="replace") if self._log.exists() else ""


class Fleet:
    """Members that are started again when they end, until they are not wanted any more. Use it with `with`."""

    def __init__(self, members: Sequence[Member] = ()) -> None:
        self.members = list(members)
        self._end = threading.Event()
        self._lock = threading.Lock()
        self._watch = threading.Thread(target=self._keep_alive, name="supervisor")

    def start(self, *members: Member) -> None:
        with self._lock:
            for member in members:
                if member not in self.members:
                    self.members.append(member)
                member.is_wanted = True
                member.spawn()

    def kill(self, member: Member) -> None:
        """Kill it; the supervisor starts it again."""
        with self._lock:
            member.kill()

    def dismiss(self, member: Member, *, by: signal.Signals = signal.SIGTERM) -> None:
        """Ask it to end, and do not start it again. Does not wait."""
        with self._lock:
            member.is_wanted = False
            if member.runs:
                member.signal(by)

    def __enter__(self) -> Self:
        self._watch.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._end.set()
        self._watch.join()
        for member in self.members:
            member.is_wanted = False
            if member.runs:
                member.signal(signal.SIGCONT)
                member.signal(signal.SIGTERM)
        for member in self.members:
            if member.process is None:
                continue
            try:
                member.process.wait(_STOP_SECONDS)
            except subprocess.TimeoutExpired:
                member.kill()

    def _keep_alive(self) -> None:
        while not self._end.wait(_LOOK_EVERY):
            failed = False
            with self._lock:
                for member in self.members:
                    if member.is_wanted and not member.runs:
                        by_itself = member.process is not None and member.process.returncode != -signal.SIGKILL
                        member.failed_starts += by_itself
                        failed |= by_itself
                        member.spawn()
            if failed:
                self._end.wait(_AFTER_A_FAILED_START)


async def allow_logins(url: str, member: str, lives: int) -> None:
    """Let each of so many lives of a member log in under its own name, with all rights."""
    connection = await asyncpg.connect(url)
    try:
        await connection.execute(_LOGINS.format(name=member.replace("-", "_"), lives=lives))
    finally:
        await connection.close()
