"""Readiness: all checks have a say, and one that breaks or hangs is not ready."""

from __future__ import annotations

import asyncio
import json

import pytest
import structlog

from monitor.ops.health import Readiness


async def good() -> str | None:
    return None


async def bad() -> str | None:
    return "the engine does not run"


async def broken() -> str | None:
    raise ConnectionError("postgresql://user:password@host")


async def hanging() -> str | None:
    await asyncio.Event().wait()
    return None


async def test_ready_when_every_check_is_content() -> None:
    readiness = Readiness()
    readiness.add("store", good)
    readiness.add("engine", good)
    report = await readiness.report()
    assert report.status == 200
    assert json.loads(report.body) == {"ready": True, "checks": {"store": "ok", "engine": "ok"}}


async def test_one_discontent_check_is_enough_and_says_why() -> None:
    readiness = Readiness()
    readiness.add("store", good)
    readiness.add("engine", bad)
    report = await readiness.report()
    assert report.status == 503
    assert report.checks == {"store": "ok", "engine": "the engine does not run"}


async def test_a_check_that_breaks_is_logged_and_gives_no_secret_away() -> None:
    readiness = Readiness()
    readiness.add("store", broken)
    with structlog.testing.capture_logs() as logs:
        report = await readiness.report()
    assert report.checks == {"store": "failed with ConnectionError"}
    assert logs[0]["check"] == "store"


async def test_a_check_that_hangs_does_not_hang_the_answer() -> None:
    readiness = Readiness(timeout=0.0)
    readiness.add("store", hanging)
    report = await readiness.report()
    assert (report.status, report.checks) == (503, {"store": "no answer within 0 s"})


async def test_without_checks_it_is_ready() -> None:
    assert (await Readiness().report()).ready


async def test_two_checks_cannot_have_one_name() -> None:
    readiness = Readiness()
    readiness.add("store", good)
    with pytest.raises(ValueError, match="store exists already"):
        readiness.add("store", good)


async def test_a_remark_is_told_and_does_not_count() -> None:
    readiness = Readiness()
    readiness.add("engine", good)
    readiness.add("topics", bad, is_remark=True)

    report = await readiness.report()

    assert (report.ready, report.checks["topics"]) == (True, "the engine does not run")
