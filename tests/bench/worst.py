"""`python -m tests.bench.worst`: the worst mixed load against a service that may take 512 MB, beside honest senders.

Runs the honest stream through a service of its own first, and then again beside strangers: ever new services with large
labels, bodies of bare numbers, groups of thousands, uploads that never end, connections that stay idle. Prints one
JSON object: the drafts of the honest senders must be the same, and what was evicted has names.
"""

from __future__ import annotations

import argparse
import gzip
import json
import random
import resource
import socket
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import msgspec

from monitor.core.model.events import HOUR, MINUTE, SECOND, Instant, to_text
from monitor.core.model.reasons import StateKind
from monitor.decode.canonical import encode
from monitor.demo.story import CATALOGUE, story
from monitor.ops.clock import SystemClock
from tests.support.service import Service
from tests.support.waiting import until

MIB = 1 << 20
PARTS = 6
"""The honest stream comes in so many deliveries; all but the first arrive late, while strangers are at work,"""
LATE = 20 * HOUR
"""by as much as this: what comes a day late and more is refused, with strangers or without."""
AGO = 5 * MINUTE
"""So long ago the story ended. What closes it is newer, so that event time has passed all of its windows."""
STRANGERS = 3
BODY = 30
"""Events in one body of a stranger, each of some 16 KB."""
UPLOADS = 12
IDLE = 100
PATIENCE = 120.0
"""Seconds."""
MOST_LOG = 6_000
CRASH = "Fatal Python error"
"""A crash of the interpreter begins with it: what it was, and which thread it was in."""


class Figures(msgspec.Struct, frozen=True):
    """`peak`: the most memory, in MB; `evicted`: by kind; `sent`: what strangers sent, by status of the answer.

    `lost`: drafts of honest senders that are gone or named otherwise; `changed`: those that say something else;
    `unchanged`: all is the same. `failure`: how it ended, or the first traceback of its log; `slowest`: seconds that
    `/healthz` took at most.
    """

    limit: int
    peak: float
    alive: bool
    failure: str
    honest: int
    lost: int
    changed: list[dict[str, Any]]
    unchanged: bool
    evicted: dict[str, int]
    sent: dict[str, int]
    slowest: float


def drafts(service: Service) -> list[dict[str, Any]]:
    """The records on services of the catalogue, without what depends on when they were written."""
    kept = ("id", "service", "verdict", "state", "rules", "probability", "missing_evidence")
    found = [{name: each.get(name) for name in kept} for each in service.near_misses()]
    return sorted(
        (each for each in found if not str(each["service"]).startswith("stranger")), key=lambda each: each["id"]
    )


def stories(found: list[dict[str, Any]]) -> set[tuple[object, ...]]:
    """What was found, without how sure of it one could be."""
    return {(each["id"], each["service"], each["state"], *each["rules"]) for each in found}


def deliveries(now: Instant) -> list[bytes]:
    """The story until some hours ago at once, and the rest in parts."""
    events = story(Instant(now - AGO))
    first = [encode(event) for event in events if event.time < now - LATE]
    rest = [encode(event) for event in events if event.time >= now - LATE]
    size = len(rest) // (PARTS - 1) + 1
    return [b"\n".join(lines) for lines in (first, *(rest[at : at + size] for at in range(0, len(rest), size)))]


def deliver(service: Service, body: bytes) -> None:
    def is_taken() -> bool:
        return service.post("/ingest/events", body).status_code == 202

    until(is_taken, "the honest delivery is taken", within=120)


def is_read(service: Service) -> bool:
    accepted = service.metric("nearmiss_events_accepted_total")
    return service.metric("nearmiss_events_processed_total") >= accepted


def settle(service: Service, within: float = 120) -> None:
    """Wait until everything was read, late deliveries too, and event time is beyond the story and all its windows."""
    now = SystemClock().now()
    note = {"id": f"end-{now}", "source": "test/end", "time": to_text(now), "kind": "note.added", "title": "the end"}
    deliver(service, json.dumps(note).encode())

    def has_passed() -> bool:
        watermark = service.metric("nearmiss_watermark_timestamp_seconds")
        return is_read(service) and watermark * SECOND >= now - MINUTE - SECOND

    until(has_passed, "the engine has read everything, and time has passed it", within=within)


class Strangers:
    """Threads that send whatever costs most, until told to stop."""

    def __init__(self, address: str) -> None:
        self._address = address
        self._stop = threading.Event()
        self.sent: dict[str, int] = {}
        self.slowest = 0.0
        work = [*[self._flood] * STRANGERS, self._odd, self._stay, self._ask]
        self._threads = [threading.Thread(target=each, args=(number,), daemon=True) for number, each in enumerate(work)]

    @contextmanager
    def at_work(self) -> Iterator[None]:
        for thread in self._threads:
            thread.start()
        try:
            yield
        finally:
            self._stop.set()
            for thread in self._threads:
                thread.join(60)

    def _note(self, what: object) -> None:
        self.sent[str(what)] = self.sent.get(str(what), 0) + 1

    def _post(self, http: httpx.Client, path: str, body: bytes, **headers: str) -> None:
        try:
            self._note(http.post(self._address + path, content=body, headers=headers).status_code)
        except httpx.HTTPError as error:
            self._note(type(error).__name__)

    def _flood(self, number: int) -> None:
        """Alerts, actions and incidents on services that nobody knows, with labels as large as they may be."""
        chance, count = random.Random(number), 0
        kinds = (
            "alert.fired",
            "change.rolled_back",
            "change.deployed",
            "alert.resolved",
            "incident.opened",
            "note.added",
        )
        with httpx.Client(timeout=30, trust_env=False) as http:
            while not self._stop.is_set():
                events = []
                for _ in range(BODY):
                    count += 1
                    name = f"{number}-{count}"
                    events.append(
                        {
                            "id": name,
                            "source": f"test/stranger-{count % 50}",
                            "time": to_text(SystemClock().now() - chance.randrange(1_200) * SECOND),
                            "kind": chance.choice(kinds),
                            "service": f"stranger-{number}-{count // 3}",
                            "environment": "production",
                            "subject": f"thing-{name}",
                            "severity": "critical",
                            "actor": {"id": name, "kind": "human"},
                            "labels": {f"label{n}": f"{chance.random()}" + "x" * 3_900 for n in range(4)},
                        }
                    )
                self._post(http, "/ingest/events", json.dumps(events).encode())

    def _odd(self, _: int) -> None:
        numbers = gzip.compress(b"[" + b",".join([b"1"] * 500_000) + b"]")
        alert = {
            "status": "firing",
            "labels": {"alertname": "Full", "padding": "x" * 600},
            "startsAt": "2026-03-01T12:00:00Z",
        }
        count = 0
        with httpx.Client(timeout=30, trust_env=False) as http:
            while not self._stop.is_set():
                count += 1
                self._post(http, "/ingest/events", numbers, **{"content-encoding": "gzip"})
                alerts = [{**alert, "fingerprint": f"{count}-{n}"} for n in range(2_000)]
                self._post(
                    http,
                    "/ingest/alertmanager",
                    json.dumps({"version": "4", "status": "firing", "alerts": alerts}).encode(),
                )

    def _stay(self, _: int) -> None:
        """Connections that ask nothing, and uploads that stop before their end."""
        address = urlsplit(self._address)
        while not self._stop.is_set():
            kept = []
            for number in range(IDLE + UPLOADS):
                try:
                    kept.append(connection := socket.create_connection((str(address.hostname), address.port), 5))
                    if number < UPLOADS:
                        head = f"POST /ingest/events HTTP/1.1\r\nhost: localhost\r\ncontent-length: {5 * MIB}\r\n\r\n"
                        connection.sendall(head.encode() + b"x" * (4 * MIB))
                except OSError:
                    self._note("cut off")
            self._stop.wait(5)
            for connection in kept:
                connection.close()

    def _ask(self, _: int) -> None:
        with httpx.Client(timeout=30, trust_env=False) as http:
            while not self._stop.wait(0.2):
                began = time.monotonic()
                try:
                    http.get(self._address + "/healthz")
                except httpx.HTTPError as error:
                    self._note(f"healthz: {type(error).__name__}")
                self.slowest = max(self.slowest, time.monotonic() - began)


def started(folder: Path, memory: int) -> Service:
    folder.mkdir()
    limit = {"NEARMISS_ENGINE_MEMORY": str(memory), "MALLOC_ARENA_MAX": "2"}
    arguments = ("--database", f"sqlite:///{folder / 'nearmiss.db'}", "--catalogue", str(CATALOGUE))
    service = Service(folder, *arguments, environment=limit).start()
    # Whether it answers in time is measured, by who asks `/healthz`; here only what it answers counts.
    service.http.timeout = httpx.Timeout(PATIENCE)
    return service


def failure_of(service: Service) -> str:
    """Empty where it is alive and nothing failed."""
    assert service.process is not None
    if (code := service.process.poll()) is not None:
        before, found, after = service.log().rpartition(CRASH)
        return (
            f"it ended with {code}: {before[-MOST_LOG:]}{found}{after[:MOST_LOG]}"
            if found
            else (f"it ended with {code}: {after[-MOST_LOG:]}")
        )
    before, found, after = service.log().partition("Traceback")
    return f"{before[-200:]}{found}{after[:MOST_LOG]}" if found else ""


def measure(seconds: float, limit: int, memory: int, folder: Path) -> Figures:
    """`limit`: MB of address space; `memory`: bytes of the engine's budget."""
    parts = deliveries(SystemClock().now())
    alone, beside = started(folder / "alone", memory), started(folder / "beside", memory)
    try:
        deliver(alone, parts[0])
        # From here on event time is now, and all that comes is late, with strangers or without.
        settle(alone)
        for part in parts[1:]:
            deliver(alone, part)
        assert beside.process is not None
        resource.prlimit(beside.process.pid, resource.RLIMIT_AS, (limit * 10**6, resource.RLIM_INFINITY))
        deliver(beside, parts[0])
        settle(beside)
        strangers = Strangers(beside.address)
        with strangers.at_work():
            for part in parts[1:]:
                time.sleep(seconds / PARTS)
                try:
                    deliver(beside, part)
                except httpx.HTTPError:
                    sys.exit(failure_of(beside) or "the honest delivery found no answer, and the service is alive")
            time.sleep(seconds / PARTS)
        # Both at last, since time has gone on meanwhile.
        settle(beside, within=600)
        settle(alone)
        found, expected = drafts(beside), drafts(alone)
        evicted = {str(kind): int(beside.metric(f'nearmiss_evicted_total{{kind="{kind}"}}')) for kind in StateKind}
        return Figures(
            limit=limit,
            peak=beside.peak_memory() / 1e6,
            alive=not (failure := failure_of(beside)),
            failure=failure,
            honest=len(expected),
            lost=len(stories(expected) - stories(found)),
            changed=[each for each in found if each not in expected],
            unchanged=found == expected,
            evicted={kind: count for kind, count in evicted.items() if count},
            sent=strangers.sent,
            slowest=strangers.slowest,
        )
    finally:
        alone.close()
        beside.close()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=600.0)
    parser.add_argument("--limit", type=int, default=512, help="MB of address space")
    parser.add_argument("--engine-memory", type=int, default=32 * MIB, help="bytes")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        found = measure(given.seconds, given.limit, given.engine_memory, Path(folder))
    print(json.dumps(msgspec.to_builtins(found), indent=2))
    if not (found.alive and found.unchanged and found.evicted):
        sys.exit("the service did not hold")


if __name__ == "__main__":
    main()
