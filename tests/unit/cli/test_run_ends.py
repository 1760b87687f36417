"""However the service ends, it says why: no end without a line."""

from __future__ import annotations

import faulthandler
import socket
from typing import Any, cast

import pytest

from monitor.cli import main, run
from monitor.ops.tasks import TaskFailed


@pytest.mark.parametrize(
    ("error", "said"),
    [
        pytest.param(BrokenPipeError(32, "Broken pipe"), "stopped: a connection broke", id="a connection"),
        pytest.param(SystemExit(3), "SystemExit(3)", id="a library that exits"),
        pytest.param(MemoryError(), "MemoryError()", id="no memory"),
        pytest.param(RuntimeError("no more threads"), "no more threads", id="no thread"),
        pytest.param(BaseExceptionGroup("parts", [SystemExit(2)]), "SystemExit(2)", id="a group"),
        pytest.param(TaskFailed("engine", AssertionError()), "task engine failed: AssertionError()", id="no words"),
        pytest.param(TaskFailed("engine", OSError("gone")), "stopped: gone", id="a task"),
    ],
)
def test_whatever_ends_the_service_is_said(
    error: BaseException, said: str, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    async def ending(*_: Any) -> None:
        raise error

    def command(**_: Any) -> None:
        with socket.socket() as listener:
            run.start(cast("Any", None), cast("Any", None), listener, cast("Any", None))

    monkeypatch.setattr(run, "serve", ending)
    monkeypatch.setattr(main.cli, "main", command)
    lines: list[str] = []
    monkeypatch.setattr(run._log, "critical", lambda event, **facts: lines.append(f"{event} {facts}"), raising=False)
    try:
        code: object = main.run([])
    except BaseException as raised:  # noqa: BLE001 - what the interpreter would end with
        code = raised
    assert code != 0
    assert said in capfd.readouterr().err + "".join(lines)
    assert faulthandler.is_enabled()
