"""The events that flow while something fails, and what one engine that nothing happens to makes of them.

Their times lie ahead of the present, so that time goes on with the events alone: however long a fault lasts, no window
ends by the clock of the machine, and what comes out can be compared byte for byte. Same seed, same events.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from random import Random

import msgspec
import yaml

from monitor.core.deciding.engine import Engine, EngineSettings
from monitor.core.model.events import DAY, MINUTE, SECOND, Event, Instant
from monitor.decode.canonical import decode_line, encode
from monitor.lab.generator import STARTS_AT, StreamShape, catalogue_mapping, generate
from monitor.lab.ledger import Ledger
from monitor.packs.catalogue.loader import load_catalogue
from monitor.packs.language.regex import make_regex
from monitor.packs.weights import shipped_weights
from tests.support.shipped import read_shipped

LATENESS = 30 * MINUTE
"""What the service under test is set to: more event time than the quickest sender may be ahead of the slowest.

The events are sent up to a thousand times faster than they happened. That an outage lasts hours in their time makes
nothing late, since the senders wait for each other (`flow.py`): up to a quarter of an hour of it was measured.
"""
TOLERANCE = 60 * DAY
_COMPANIES = 12
_SERVICES = 50
_RATE = 1.0
_DISORDER = 0.05
_COPIES = 0.05
_MOST_LATE = 50 * SECOND
_MOST_REPEATED = 5 * MINUTE
_LAST_WINDOW = 9 * DAY
_STEP = 1000


class Stream(msgspec.Struct, frozen=True):
    """`lines` as they arrive, with copies and out of order; `clean` each once, in the order of event time.

    `last`: said at the very end, so far ahead that every window is over.
    """

    lines: list[bytes]
    clean: list[bytes]
    last: bytes
    copies: int
    displaced: int
    catalogue: Path
    identities: int


def ahead_of(now: Instant) -> Instant:
    """A midnight that is at least a day away."""
    return Instant(now + 2 * DAY - (now - STARTS_AT) % DAY)


def make_stream(count: int, seed: int, begin: Instant, directory: Path) -> Stream:
    """`count` different events of several companies that know nothing of each other, and copies of some of them."""
    random = Random(seed)
    clean = [encode(event) for event in _in_time(count, seed, begin)]
    arriving: list[tuple[int, int, bytes]] = []
    copies = displaced = 0
    newest = begin
    for number, line in enumerate(clean):
        newest = decode_line(line).time
        late = random.randrange(SECOND, _MOST_LATE) if random.random() < _DISORDER else 0
        displaced += late > 0
        arriving.append((newest + late, number, line))
        if random.random() < _COPIES:
            copies += 1
            arriving.append((newest + late + random.randrange(_MOST_REPEATED), count + number, line))
    arriving.sort()
    last = Event("the-end", "test", Instant(newest + _LAST_WINDOW), "note.added", title="nothing is open any more")
    return Stream(
        lines=[line for _, _, line in arriving],
        clean=clean,
        last=encode(last),
        copies=copies,
        displaced=displaced,
        catalogue=_write_catalogue(directory),
        identities=count + 1,
    )


def undisturbed(stream: Stream) -> list[bytes]:
    """The published lines of all drafts, by id: one engine, one process, no broker, no database, nothing twice."""
    engine, ledger = _given(stream.clean, stream.catalogue)
    said = decode_line(stream.last)
    # With the time of receipt that intake gives it: a leap ahead is believed at once then.
    ledger.record(engine.step([msgspec.structs.replace(said, received_at=said.time)]))
    return sorted(msgspec.json.encode(entry.line()) for entry in ledger.entries())


def by_then(lines: Sequence[bytes], catalogue: Path, until: Instant) -> list[bytes]:
    """The same for events that nothing follows until then."""
    engine, ledger = _given(lines, catalogue)
    ledger.record(engine.tick(until))
    return sorted(msgspec.json.encode(entry.line()) for entry in ledger.entries())


def _given(lines: Sequence[bytes], catalogue: Path) -> tuple[Engine, Ledger]:
    how = EngineSettings(lateness=LATENESS, weights=shipped_weights())
    engine = Engine(read_shipped(), load_catalogue(catalogue)[0], make_regex, how)
    ledger = Ledger()
    for start in range(0, len(lines), _STEP):
        ledger.record(engine.step([decode_line(line) for line in lines[start : start + _STEP]]))
        engine.forget_changes()
    return engine, ledger


def batches(lines: Sequence[bytes], size: int) -> list[bytes]:
    """Bodies of deliveries, some lines each."""
    return [b"\n".join(lines[start : start + size]) for start in range(0, len(lines), size)]


def _shape(company: int, count: int, seed: int) -> StreamShape:
    return StreamShape(
        events=count,
        services=_SERVICES,
        user_facing=5,
        rate=_RATE / _COMPANIES,
        candidates=0.03,
        disorder=0.0,
        bytes_each=0,
        seed=seed * _COMPANIES + company,
    )


def _in_time(count: int, seed: int, begin: Instant) -> list[Event]:
    found: list[Event] = []
    # More than is wanted of each, so that all of them have something to tell until the end.
    share = count * 11 // 10 // _COMPANIES + 50
    for company in range(_COMPANIES):
        found += (_placed(event, company, begin - STARTS_AT) for event in _events(_shape(company, share, seed)))
    return sorted(found, key=lambda event: (event.time, event.source, event.id))[:count]


def _events(shape: StreamShape) -> Iterator[Event]:
    return map(decode_line, generate(shape))


def _placed(event: Event, company: int, by: int) -> Event:
    """The event in its company and in its time."""

    def moved(at: Instant | None) -> Instant | None:
        return None if at is None else Instant(at + by)

    return msgspec.structs.replace(
        event,
        id=f"{company}-{event.id}",
        time=Instant(event.time + by),
        service=None if event.service is None else f"{company}-{event.service}",
        subject=None if event.subject is None else f"{company}-{event.subject}",
        expires_at=moved(event.expires_at),
        previous_expires_at=moved(event.previous_expires_at),
    )


def _write_catalogue(directory: Path) -> Path:
    services, feeds = {}, []
    for company in range(_COMPANIES):
        one = catalogue_mapping(_shape(company, 0, 0))
        facing, depends = one["user_facing"], one["depends_on"]
        assert isinstance(facing, list)
        assert isinstance(depends, dict)
        for name, below in depends.items():
            services[f"{company}-{name}"] = {
                "user_facing": name in facing,
                "depends_on": [f"{company}-{other}" for other in below],
            }
        feeds += [
            {"service": f"{company}-{name}", "source": "blackbox/main", "evidence": "synthetic", "freshness": "15m"}
            for name in facing
        ]
    path = directory / "companies.yaml"
    catalogue = {"services": services, "production": ["production"], "feeds": feeds}
    path.write_text(yaml.safe_dump(catalogue), encoding="utf-8")
    return path
