"""While nothing can be stored intake says so, nothing acknowledged is lost, and afterwards it goes on by itself."""

from __future__ import annotations

import resource
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.conftest import MakeService
from tests.support.postgres import PostgresServer, postgres_server, postgres_url
from tests.support.replaying import replayed
from tests.support.service import Service
from tests.support.waiting import until

__all__ = ["postgres_server", "postgres_url"]

pytestmark = pytest.mark.faults

BATCH = 200


def _batches(lines: Sequence[bytes]) -> Iterator[bytes]:
    for start in range(0, len(lines), BATCH):
        yield b"\n".join(lines[start : start + BATCH])


def _take(service: Service, body: bytes) -> int:
    """The status; of a 503 also that it says when to come back."""
    response = service.post("/ingest/events", body, content_type="application/x-ndjson")
    if response.status_code == 503:
        assert int(response.headers["retry-after"]) > 0
        assert response.json()["reason"] == "unavailable"
    return response.status_code


def _same_as_replay(service: Service, lines: list[bytes], directory: Path) -> None:
    expected = {line["id"]: line["state"] for line in replayed(lines, directory)}

    def found() -> dict[str, Any]:
        return {item["id"]: item["state"] for item in service.near_misses()}

    until(lambda: found() == expected, "the drafts of the service are those of a replay")


def test_a_full_disk_pauses_intake_and_it_resumes(
    make_service: MakeService, lines: list[bytes], tmp_path: Path
) -> None:
    service = make_service().start()
    batches = list(_batches(lines))
    half = len(batches) // 2
    assert {_take(service, body) for body in batches[:half]} == {202}
    service.limit_file_size(4096)
    until(lambda: _take(service, batches[half]) == 503, "intake says that nothing can be stored")
    assert service.metric("nearmiss_intake_paused") == 1
    # A reject would not be kept either, so it is not acknowledged.
    until(lambda: _take(service, b"{broken") == 503, "a reject is not acknowledged")
    service.limit_file_size(resource.RLIM_INFINITY)
    until(lambda: _take(service, batches[half]) == 202, "intake resumes by itself")
    assert service.metric("nearmiss_intake_paused") == 0
    assert {_take(service, body) for body in batches[half:]} == {202}
    until(service.is_ready, "the service is ready again")
    _same_as_replay(service, lines, tmp_path)
    assert service.stop() == 0


@pytest.mark.postgresql
def test_a_database_that_goes_away_pauses_intake_and_it_resumes(
    make_service: MakeService,
    lines: list[bytes],
    tmp_path: Path,
    postgres_server: PostgresServer,
    postgres_url: str,
) -> None:
    service = make_service("--database", postgres_url).start()
    batches = list(_batches(lines))
    half = len(batches) // 2
    assert {_take(service, body) for body in batches[:half]} == {202}
    postgres_server.stop()
    try:
        until(lambda: _take(service, batches[half]) == 503, "intake says that nothing can be stored")
        until(lambda: service.get("/readyz").status_code == 503, "the service is not ready")
        assert service.get("/healthz").status_code == 200
        assert service.get("/metrics").status_code == 200
        assert service.get("/api/v1/near-misses").status_code == 503
    finally:
        postgres_server.start()
    until(lambda: _take(service, batches[half]) == 202, "intake resumes by itself")
    assert {_take(service, body) for body in batches[half:]} == {202}
    until(service.is_ready, "the service is ready again")
    _same_as_replay(service, lines, tmp_path)
    assert service.stop() == 0
