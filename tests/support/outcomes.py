"""What became of a run, written into a file when it has ended: for the step that repeats what failed.

A file is there only if pytest came to its end; what was collected and did not run shows in it.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import pytest


class Outcomes:
    """Of the process that hands out the tests, not of its workers."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._collected: set[str] = set()
        self._ended: set[str] = set()
        self._failed: set[str] = set()
        self._passed: set[str] = set()
        self._broken = 0

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        self._collected.update(item.nodeid for item in session.items)

    @pytest.hookimpl(optionalhook=True)
    def pytest_xdist_node_collection_finished(self, ids: Sequence[str]) -> None:
        self._collected.update(ids)

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        self._broken += report.failed

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.failed:
            self._failed.add(report.nodeid)
        elif report.when == "call" and report.passed:
            self._passed.add(report.nodeid)

    def pytest_runtest_logfinish(self, nodeid: str) -> None:
        self._ended.add(nodeid)

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self, session: pytest.Session, exitstatus: int) -> None:
        stats = session.config.pluginmanager.getplugin("terminalreporter").stats
        said = {
            "exit": int(exitstatus),
            "failed": sorted(self._failed),
            "passed": sorted(self._passed - self._failed),
            "not ended": len(self._collected - self._ended) + self._broken,
            "counts": {name: len(stats.get(name, ())) for name in ("failed", "error", "passed", "skipped")},
        }
        self._path.parent.mkdir(parents=True, exist_ok=True)
        self._path.write_text(json.dumps(said), encoding="utf-8")
