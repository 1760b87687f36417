"""A power cut keeps what was synced and nothing else: what was answered with 202 is there, records and journal fit."""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from monitor.store.database import Store
from tests.support.power import Power
from tests.support.service import Service

_WRITER = """
import sqlite3, sys
path, synchronous = sys.argv[1:]
connection = sqlite3.connect(path, isolation_level=None)
connection.execute("PRAGMA journal_mode = WAL")
connection.execute(f"PRAGMA synchronous = {synchronous}")
connection.execute("CREATE TABLE IF NOT EXISTS t (n INTEGER)")
for number in range(50):
    connection.execute("INSERT INTO t VALUES (?)", (number,))
sys.stdout.write("acknowledged\\n"); sys.stdout.flush()
sys.stdin.read()
"""


def rows(path: Path) -> int:
    connection = sqlite3.connect(path)
    try:
        return int(connection.execute("SELECT count(*) FROM t").fetchone()[0])
    except sqlite3.OperationalError:
        return 0
    finally:
        connection.close()


@pytest.mark.parametrize(("synchronous", "left"), [("FULL", 50), ("NORMAL", 0), ("OFF", 0)])
def test_the_trial_tells_the_settings_apart(tmp_path: Path, synchronous: str, left: int) -> None:
    """Only FULL syncs the log at each commit; with the others the table itself may be gone."""
    power = Power(tmp_path)
    command = [sys.executable, "-c", _WRITER, str(tmp_path / "t.db"), synchronous]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    with subprocess.Popen(command, env=os.environ | power.environment, **pipes) as writer:  # type: ignore[call-overload]
        assert writer.stdout.readline() == b"acknowledged\n"
        left_over = power.after_the_cut(tmp_path / "after")
        writer.kill()
    assert (rows(left_over / "t.db") == 50) is (left == 50)


async def test_everything_acknowledged_survives_the_loss_of_all_unsynced_writes(tmp_path: Path) -> None:
    power = Power(tmp_path)
    service = Service(tmp_path, "--database", f"sqlite:///{tmp_path / 'n.db'}", environment=power.environment)
    acknowledged = []
    try:
        service.start()
        for number in range(60):
            event = {"id": f"e{number}", "source": "power", "time": "2026-03-10T12:00:00Z", "kind": "alert.fired"}
            body = json.dumps({**event, "service": f"s{number}", "severity": "high"}).encode()
            if service.post("/ingest/events", body).status_code == 202:
                acknowledged.append(f"e{number}")
            if number % 20 == 0:
                # Whenever it happens: here, while the engine commits what it has read.
                await survives(power.after_the_cut(tmp_path / f"after-{number}"), acknowledged)
        await survives(power.after_the_cut(tmp_path / "after"), acknowledged)
    finally:
        service.close()
    assert len(acknowledged) == 60


async def survives(directory: Path, acknowledged: list[str]) -> None:
    """A service can start there, and everything that was acknowledged is read."""
    async with Store(f"sqlite:///{directory / 'n.db'}") as store:
        await store.binding.check()
        found = (await store.inspection.inspect(full=True)).problems
        assert not found
        batch = await store.journal.read({}, 1000)
    assert [event.id for event in batch.events] == acknowledged
