"""The whole stretch of time as one stream in the order of arrival, and what really happened in it.

Runs the agenda, lets the feeds report, and delivers as networks do: copies, disorder, delay and loss.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterator
from random import Random

import msgspec

from monitor.core.model.events import DAY, HOUR, MINUTE, SECOND, Event, Instant
from monitor.lab.year import rhythm
from monitor.lab.year.agenda import Agenda, Start
from monitor.lab.year.organisation import Organisation, Watch, found_organisation
from monitor.lab.year.scene import Harm, Planted, Scene, World
from monitor.lab.year.shape import Shape

BATCH = 2_000
_MAY_BE_LOST = frozenset({"alert.resolved", "alert.acknowledged", "change.started", "change.merged", "responder.paged"})
"""What is lost is what a story can do without: nobody can find a near miss of which nothing was told."""

_QUIET_DAYS = 40
"""Each feed falls silent about once in so many days."""


class Year:
    """A made-up stretch of time. `batches` may be run through once; the truth is whole when it has ended."""

    def __init__(self, shape: Shape) -> None:
        """Raises NoRoom where the true stories do not fit."""
        self.shape = shape
        self.organisation: Organisation = found_organisation(shape.services, shape.seed)
        self._world = World(self.organisation, shape.seed)
        self._agenda = Agenda(shape, self.organisation)
        self._random = Random(f"delivery {shape.seed}")  # noqa: S311 - repeatable, not secret
        self._arriving: list[tuple[int, int, Event]] = []
        self._order = 0
        self.day = 0

    @property
    def planted(self) -> list[Planted]:
        return self._world.planted

    @property
    def harms(self) -> list[Harm]:
        return self._world.harms

    def story_of(self, event: Event) -> str:
        """Which story told the event; empty where it is the report of a feed."""
        return self._world.story_of(event.event_id)

    def batches(self) -> Iterator[list[Event]]:
        """All events in the order of arrival; `day` tells how far it has come."""
        batch: list[Event] = []
        for day in range(self.shape.days):
            self.day = day
            starts = self._agenda.of_day(day)
            self._tell(starts, day)
            self._report(day)
            until = rhythm.midnight(day + 1)
            while self._arriving and self._arriving[0][0] < until:
                batch.append(heapq.heappop(self._arriving)[2])
                if len(batch) == BATCH:
                    yield batch
                    batch = []
        # What stories of the last days would have told later is never heard: a stream ends in the middle of things.
        yield batch
        self.day = self.shape.days

    def _tell(self, starts: list[Start], day: int) -> None:
        for start in starts:
            random = Random(f"story {self.shape.seed} {day} {start.number} {start.at}")  # noqa: S311 - not secret
            scene = Scene(self._world, start.name, start.service, Instant(start.at), random)
            start.story(scene)
            for event in scene.events:
                self._send(event)

    def _send(self, event: Event) -> None:
        random, shape = self._random, self.shape
        chance = random.random()
        arrives = event.time + random.randrange(SECOND)
        if event.kind in _MAY_BE_LOST and random.random() < shape.lost:
            return
        if chance < shape.late:
            arrives = event.time + random.randrange(2 * MINUTE, 5 * HOUR)
            event = msgspec.structs.replace(event, received_at=Instant(arrives))
        elif chance < shape.late + shape.disordered:
            arrives = event.time + random.randrange(SECOND, 50 * SECOND)
        self._push(arrives, event)
        if random.random() < shape.copied:
            self._push(arrives + random.randrange(SECOND, 10 * MINUTE), event)

    def _push(self, arrives: int, event: Event) -> None:
        self._order += 1
        heapq.heappush(self._arriving, (arrives, self._order, event))

    # -- feeds -------------------------------------------------------------------------------------------------

    def _report(self, day: int) -> None:
        start, end = rhythm.midnight(day), rhythm.midnight(day + 1)
        for place, watch in enumerate(self.organisation.watches):
            offset = place * 7 * SECOND % watch.every
            for at in range(start + offset, end, watch.every):
                if self._looks(watch, place, day, at):
                    self._push(at + SECOND, _clear(watch, at))

    def _looks(self, watch: Watch, place: int, day: int, at: int) -> bool:
        """Whether the feed is awake and users of its service are well."""
        quiet = (day + 3 * place + self.shape.seed) % _QUIET_DAYS == 0
        if quiet and at % DAY > DAY // 3 + place % 5 * HOUR:
            return False
        outages = self._world.outages.get(watch.service)
        return outages is None or not any(begins <= at <= ends for begins, ends in outages)


def _clear(watch: Watch, at: int) -> Event:
    return Event(
        id=f"{watch.service}-{at // SECOND:x}",
        source=watch.source,
        time=Instant(at),
        kind="impact.clear",
        service=watch.service,
        environment="production",
        labels={"evidence": watch.evidence},
    )
