"""The year as one stream in order of arrival, and its truth.

Runs the agenda, everyday traffic and feeds, and delivers as networks do: duplicates, disorder, delay and loss.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterator
from random import Random

import msgspec

from monitor.core.model.events import DAY, HOUR, MINUTE, SECOND, Event, EventId, Instant
from monitor.core.model.near_miss import Verdict
from monitor.decode.registry import decode
from monitor.lab.year import harm, rhythm
from monitor.lab.year.agenda import Agenda, Start
from monitor.lab.year.bodies import shipping
from monitor.lab.year.everyday import Everyday
from monitor.lab.year.organisation import FeedWatch, Organisation, found_organisation
from monitor.lab.year.plots.plot import Plot
from monitor.lab.year.scene import StoryScene
from monitor.lab.year.shape import YearShape
from monitor.lab.year.truth import PlotResult, Truth
from monitor.lab.year.world import Ids, World

BATCH = 2_000
_MAY_BE_LOST = frozenset({"alert.resolved", "alert.acknowledged", "change.started", "change.merged", "responder.paged"})
"""Kinds that delivery may lose without making a near miss undetectable."""

_QUIET_DAYS = 40
"""Each feed falls silent for some hours about once in so many days."""

_BEFORE, _AFTER = HOUR, DAY


class Year:
    """A synthetic year. Consume `batches` once; the truth is complete at the end."""

    def __init__(self, shape: YearShape) -> None:
        """Raises NoRoom where the stories do not fit."""
        self.shape = shape
        self.organisation: Organisation = found_organisation(shape)
        self.world = World(self.organisation, shape.seed, shape.unsaid)
        self._agenda = Agenda(shape, self.organisation)
        self._everyday = Everyday(self.world, shape)
        self._random = Random(f"delivery {shape.seed}")  # noqa: S311 - repeatable, not secret
        self._arriving: list[tuple[int, int, Event]] = []
        self._order = 0
        self.day = 0

    @property
    def truths(self) -> list[Truth]:
        return self.world.truths

    def story_of(self, event_id: EventId) -> str:
        """The event's story; empty for everyday traffic."""
        return self.world.stories.get(event_id, "")

    def batches(self) -> Iterator[list[Event]]:
        """All events in order of arrival; `day` is the progress."""
        batch: list[Event] = []
        for day in range(self.shape.days):
            self.day = day
            for start in self._agenda.of_day(day):
                self._tell(start)
            for event in self._everyday.of_day(day):
                self._send(event)
            self._report(day)
            until = rhythm.midnight(day + 1)
            while self._arriving and self._arriving[0][0] < until:
                batch.append(heapq.heappop(self._arriving)[2])
                if len(batch) == BATCH:
                    yield batch
                    batch = []
        # What would have been told after the last day is never heard: a stream ends in the middle of things.
        yield batch
        self.day = self.shape.days

    # -- stories -----------------------------------------------------------------------------------------------

    def _tell(self, start: Start) -> None:
        random = Random(f"story {self.shape.seed} {start.name}")  # noqa: S311 - repeatable, not secret
        scene = StoryScene(self.world, start.name, start.part, start.at, random)
        truth = self._truth(start, scene)
        self.world.truths.append(truth)
        for event in scene.events:
            self.world.stories[event.event_id] = start.name
            self._send(event)

    def _truth(self, start: Start, scene: StoryScene) -> Truth:
        plot = start.plot
        truth = Truth(start.name, plot.name, start.label, start.part.name, start.at, start.at)
        if not isinstance(plot, Plot):
            told = plot.tell(scene)
            return msgspec.structs.replace(truth, until=scene.at, impact=told)
        told_plot: PlotResult = plot.tell(scene)
        first = min(event.time for event in scene.events)
        impact: Ids = ()
        if start.label == "impact":
            way, impact = harm.hit_users(scene, told_plot, self._danger_began(scene, told_plot))
            truth = msgspec.structs.replace(truth, plot=f"{plot.name}, told by {way}")
        return msgspec.structs.replace(
            truth,
            at=first,
            until=told_plot.safe_at,
            family=plot.family,
            mode=plot.mode,
            verdict="users" if start.label == "impact" else self._verdict(start, first, told_plot.safe_at),
            hazard=told_plot.hazard,
            intervention=told_plot.intervention,
            impact=impact,
        )

    def _danger_began(self, scene: StoryScene, told: PlotResult) -> Instant:
        dangers = frozenset(told.hazard)
        return Instant(min(event.time for event in scene.events if event.event_id in dangers))

    def _verdict(self, start: Start, begins: Instant, safe_at: Instant) -> Verdict | None:
        """What the feeds allow: none where all users were watched, unknown where none were, else either."""
        users = self.organisation.facing_above(start.part.name)
        if not users:
            return None
        states = {self._watched(service, begins - _BEFORE, safe_at + _AFTER) for service in users}
        if states == {True}:
            return "none"
        return "unknown" if states == {False} else None

    def _watched(self, service: str, begins: int, ends: int) -> bool | None:
        """Whether a feed reported through that time, or none did; None where it began, ended, or slept within it."""
        for place, watch in enumerate(self.organisation.watches):
            if watch.service != service:
                continue
            days = range((begins - rhythm.STARTS_AT) // DAY, (ends - rhythm.STARTS_AT) // DAY + 1)
            if days.start >= watch.ends_on:
                return None  # it spoke once: whether that counts is a matter of taste
            broken = any(
                day >= watch.ends_on
                or self._sleeps(place, day)
                or (day == watch.renamed_on and watch.renamed != watch.source)
                for day in days
            )
            return None if broken or days.stop > self.shape.days else True
        return False

    # -- delivery ----------------------------------------------------------------------------------------------

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
            if day >= watch.ends_on:
                continue
            offset = place * 7 * SECOND % watch.every
            for at in range(start + offset, end, watch.every):
                if not (self._sleeps(place, day) and at % DAY > DAY // 3) and not self._is_out(watch.service, at):
                    self._push(at + SECOND, self._clear(watch, day, Instant(at)))

    def _sleeps(self, place: int, day: int) -> bool:
        return (day + 3 * place + self.shape.seed) % _QUIET_DAYS == 0

    def _is_out(self, service: str, at: int) -> bool:
        return any(begins <= at <= ends for begins, ends in self.world.outages.get(service, ()))

    def _clear(self, watch: FeedWatch, day: int, at: Instant) -> Event:
        source = watch.renamed if day >= watch.renamed_on else watch.source
        name = self.organisation.parts[watch.service].names["console"]
        body = shipping.own(
            source,
            f"{name}-{at // SECOND:x}",
            "impact.clear",
            at,
            service=name,
            environment=self.organisation.habits.environment,
            labels={"evidence": watch.evidence},
        )
        return decode(body.source, body.bytes, body.headers, at).events[0]
