"""The clock of the machine jumps by hours and days: no window ends by it, and what happens keeps its time.

The process under test sees another wall clock than the machine has, by libfaketime; time that is measured goes on as it
does. Where that library is missing it says that it did not run.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from email.utils import parsedate_to_datetime
from pathlib import Path
from random import Random

import msgspec
import pytest

from monitor.core.model.events import DAY, HOUR, MINUTE, SECOND, Actor, Event, Instant
from monitor.decode.canonical import decode_line, encode
from monitor.ops.clock import SystemClock
from tests.faults.proof import difference, drafts
from tests.faults.stream import Stream, batches, by_then, make_stream
from tests.support.service import Service
from tests.support.waiting import until

EVENTS = 12_000
JUMPS = 10
LATENESS_SECONDS = 20
WAIT_SECONDS = 90.0
_LIBRARIES = ("/usr/lib/*/faketime/libfaketime.so.1", "/usr/lib*/faketime/libfaketime.so.1")
_ALL_OVER = 12 * DAY

pytestmark = [pytest.mark.faults, pytest.mark.long, pytest.mark.timeout(600)]


class OtherTime:
    """How far the wall clock of a process is off, in seconds."""

    def __init__(self, library: Path, directory: Path) -> None:
        self._file = directory / "offset"
        self.set(0)
        self.environment = {
            "LD_PRELOAD": str(library),
            "FAKETIME_TIMESTAMP_FILE": str(self._file),
            "FAKETIME_CACHE_DURATION": "1",
            "DONT_FAKE_MONOTONIC": "1",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
            "NO_FAKE_STAT": "1",
        }

    def set(self, seconds: int) -> None:
        changed = self._file.with_suffix(".new")
        changed.write_text(f"{seconds:+d}\n", encoding="utf-8")
        changed.replace(self._file)


@pytest.fixture
def other_time(tmp_path: Path) -> OtherTime:
    found = [path for pattern in _LIBRARIES for path in Path("/").glob(pattern.removeprefix("/"))]
    if not found:
        pytest.skip("did not run: libfaketime is missing (install faketime)")
    return OtherTime(found[0], tmp_path)


@pytest.fixture
def stream(tmp_path: Path, seed: int) -> Stream:
    """Some hours of events that end now, so that many windows are open."""
    trial = make_stream(EVENTS, seed, Instant(0), tmp_path)
    end = decode_line(trial.clean[-1]).time
    return make_stream(EVENTS, seed, Instant(SystemClock().now() - end), tmp_path)


@pytest.fixture
def service(stream: Stream, other_time: OtherTime, tmp_path: Path) -> Iterator[Service]:
    environment = {**other_time.environment, "NEARMISS_LATENESS": f"{LATENESS_SECONDS}s"}
    service = Service(
        tmp_path,
        *("--database", f"sqlite:///{tmp_path / 'nearmiss.db'}", "--catalogue", str(stream.catalogue)),
        environment=environment,
    )
    yield service
    service.close()


def _send(service: Service, body: bytes) -> None:
    answer = service.post("/ingest/events", body, content_type="application/x-ndjson")
    assert (answer.status_code, answer.json()["rejected"]) == (202, [])


def _caught(number: int, at: Instant) -> list[bytes]:
    """Somebody deploys and takes it back a second later."""
    service = f"{number % 12}-service-{number:04d}"
    deployed = Event(
        id=f"live-{number}-1",
        source="argocd/main",
        time=at,
        kind="change.deployed",
        service=service,
        environment="production",
        subject=f"{service}/deployment",
        title="deployed by hand",
        actor=Actor(id=f"person-{number}", kind="human"),
        labels={"version": "2"},
    )
    back = msgspec.structs.replace(
        deployed,
        id=f"live-{number}-2",
        time=Instant(at + SECOND),
        kind="change.rolled_back",
        title="taken back",
        labels={},
    )
    return [encode(deployed), encode(back)]


def _clock_of(service: Service) -> float:
    """What time it is for the process, in seconds."""
    return parsedate_to_datetime(service.get("/healthz").headers["date"]).timestamp()


def test_the_clock_jumps(
    service: Service,
    stream: Stream,
    other_time: OtherTime,
    tmp_path: Path,
    seed: int,
    record_property: Callable[[str, object], None],
) -> None:
    clock, random = SystemClock(), Random(seed)
    began_at = clock.monotonic()
    service.start()
    for body in batches(stream.clean, 1000):
        _send(service, body)
    lines = list(stream.clean)

    def behind() -> float:
        return clock.now() / SECOND - service.metric("nearmiss_watermark_timestamp_seconds")

    until(lambda: 0 < behind() < 2 * LATENESS_SECONDS, "the clock lets time go on", within=WAIT_SECONDS)
    for number in range(JUMPS):
        jump = random.choice((-DAY, -6 * HOUR, -HOUR, HOUR, 6 * HOUR, DAY, 3 * DAY)) + random.randrange(MINUTE)
        other_time.set(jump // SECOND)
        _until_it_is(service, clock, jump)
        for part in _caught(number, clock.now()):
            processed = service.metric("nearmiss_events_processed_total")
            _send(service, part)
            lines.append(part)
            _until_more(service, processed)
        assert behind() > 0, "time went on by a clock that had jumped"
        other_time.set(0)
        _until_it_is(service, clock, 0)
    assert service.stop() == 0
    url = f"sqlite:///{tmp_path / 'nearmiss.db'}"
    early = set(drafts(url)) - set(by_then(lines, stream.catalogue, clock.now()))
    assert not early, f"opened before its time, or otherwise: {sorted(early)[:2]}"
    opened = len(drafts(url))

    other_time.set(_ALL_OVER // SECOND)
    service.start()
    expected = by_then(lines, stream.catalogue, Instant(clock.now() + _ALL_OVER))
    until(lambda: len(service.near_misses()) >= len(expected), "all windows are over", within=WAIT_SECONDS)
    assert service.stop() == 0
    found = drafts(url)
    assert found == expected, difference(found, expected)
    figures = {"jumps": JUMPS, "events": len(lines), "drafts": len(found), "opened before the last start": opened}
    for name, value in {**figures, "seconds": round(clock.monotonic() - began_at)}.items():
        record_property(name, value)


def _until_it_is(service: Service, clock: SystemClock, off: int) -> None:
    def agrees() -> bool:
        return abs(_clock_of(service) - (clock.now() + off) / SECOND) < 5

    until(agrees, "the process has the other time", within=WAIT_SECONDS)


def _until_more(service: Service, processed: float) -> None:
    until(
        lambda: service.metric("nearmiss_events_processed_total") > processed, "it was processed", within=WAIT_SECONDS
    )
