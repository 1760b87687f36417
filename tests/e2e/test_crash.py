"""Whatever moment the service is killed at, nothing that it acknowledged is lost and nothing is doubled."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from random import Random
from typing import Any

import httpx
import pytest

from tests.support.replaying import replayed
from tests.support.service import Service
from tests.support.waiting import until

pytestmark = pytest.mark.faults

KILLS = 12
BATCH = 30
LONGEST_DELAY = 0.04
"""Seconds from the start of a request to the kill: long enough to meet the append, the answer and the commit."""


def _batches(lines: Sequence[bytes]) -> Iterator[bytes]:
    for start in range(0, len(lines), BATCH):
        yield b"\n".join(lines[start : start + BATCH])


def _send(service: Service, body: bytes) -> dict[str, Any] | None:
    """The answer, or None where the service died before it answered."""
    try:
        response = service.post("/ingest/events", body, content_type="application/x-ndjson")
    except httpx.TransportError:
        return None
    assert response.status_code == 202, response.text
    answer: dict[str, Any] = response.json()
    assert answer["rejected"] == []
    return answer


def _send_and_kill(service: Service, body: bytes, delay: float) -> None:
    sending = threading.Thread(target=_send, args=(service, body))
    sending.start()
    threading.Event().wait(delay)
    service.kill()
    sending.join()


@pytest.mark.timeout(600)
def test_killed_at_random_points(make_service: Any, lines: list[bytes], tmp_path: Path) -> None:
    random = Random(20)
    service = make_service().start()
    batches = list(_batches(lines))
    dying = set(random.sample(range(len(batches)), KILLS))
    for number, body in enumerate(batches):
        if number in dying:
            _send_and_kill(service, body, random.uniform(0, LONGEST_DELAY))
            service.start()
        # A sender repeats what was not acknowledged, until it is.
        until(partial(_send, service, body), f"batch {number} is taken")
    expected = replayed(lines, tmp_path)
    assert len(expected) >= 13

    def agreed() -> bool:
        found = {item["id"]: item for item in service.near_misses()}
        return all(found.get(line["id"], {}).get("state") == line["state"] for line in expected)

    until(agreed, "the drafts of the service are those of a replay")
    found = {item["id"]: item for item in service.near_misses()}
    assert found.keys() == {line["id"] for line in expected}
    for line in expected:
        assert {name: found[line["id"]][name] for name in line} == line
    again = [_send(service, body) for body in batches]
    assert sum(answer["accepted"] for answer in again if answer) == 0
    assert sum(answer["duplicates"] for answer in again if answer) == len(lines)
    assert service.stop() == 0


def test_stopped_in_the_middle(make_service: Any, lines: list[bytes], tmp_path: Path) -> None:
    """SIGTERM ends with code 0, answers what is under way, and the next start goes on where this one ended."""
    service = make_service().start()
    batches = list(_batches(lines))
    acknowledged: list[dict[str, Any]] = []

    def send_until_it_is_gone() -> None:
        for body in batches:
            answer = _send(service, body)
            if answer is None:
                return
            acknowledged.append(answer)

    sending = threading.Thread(target=send_until_it_is_gone)
    sending.start()
    until(lambda: len(acknowledged) > len(batches) // 3, "a third of the stream was taken")
    assert service.stop() == 0
    sending.join()
    service.start()
    again = [_send(service, body) for body in batches]
    taken = sum(answer["accepted"] for answer in acknowledged)
    known = sum(answer["duplicates"] for answer in again if answer)
    assert known >= taken
    assert sum(answer["accepted"] for answer in again if answer) == len(lines) - known
    expected = {line["id"]: line["state"] for line in replayed(lines, tmp_path)}
    until(
        lambda: {item["id"]: item["state"] for item in service.near_misses()} == expected,
        "the drafts of the service are those of a replay",
    )
    assert service.stop() == 0
