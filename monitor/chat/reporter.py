"""Makes the reports from what the store holds, tells them when they are due, and warns of incidents that were foretold.

Decides what is looked up; what a report says and when it is due are pure modules of their own.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Collection
from functools import partial

import msgspec

from monitor.chat.alerts import ALERTS, LOOKED
from monitor.chat.bulletin import Bulletin
from monitor.chat.calendars import Calendars
from monitor.chat.metrics import ChatMetrics
from monitor.chat.planner import bulletin_letters
from monitor.chat.schedule import Due, Occasion, current, due, last
from monitor.chat.sending import BulletinLetter
from monitor.chat.shift import FRESH, LOOK_BACK, REPEATS, Shift, ShiftFacts, aftermath, digest, weather
from monitor.chat.teams import EVERYBODY, Team, Teams
from monitor.chat.told import AROUND, WITHIN, Earlier, earlier, is_incident, told_bulletin
from monitor.chat.webhook_sender import incident_body
from monitor.core.model.budget import team_of
from monitor.core.model.catalogue import Catalogue
from monitor.core.model.events import DAY, MINUTE, Event, Instant
from monitor.core.model.near_miss import UNDECIDED
from monitor.core.resolving.resolver import Resolver
from monitor.ops.logs import get_logger
from monitor.ops.stop import stopped_within
from monitor.ops.tasks import restarted
from monitor.ports import Clock, FeedCursors, NearMisses, Query, Record, Unavailable
from monitor.ports.chat import EventHistory, Foretold, Letter, Outbox

PAUSE_SECONDS = 15.0
MOST_EVENTS = 100_000
"""Of one report; the newest count."""
MOST_RECORDS = 2_000
CURSOR = "chat/told"
OLDEST_IMPACT = DAY
"""Impact that began longer ago is history: a replay or a late import."""

_DIGESTS = (Occasion.DAILY, Occasion.WEEKLY)
"""These wait for the end of quiet hours; what belongs to a shift does not."""
_OTHER = frozenset({"maintenance.started", "maintenance.ended", "change.rotated"})
_STANDS = frozenset({"accepted", "dismissed", "draft", "in_review", "reopened"})
_log = get_logger("chat")


class Reporter:
    """`teams` may be empty: then the pages still show everything."""

    def __init__(
        self,
        past: EventHistory,
        near_misses: NearMisses,
        outbox: Outbox,
        cursors: FeedCursors,
        teams: Teams,
        catalogue: Callable[[], Catalogue],
        clock: Clock,
        metrics: ChatMetrics,
        address: str,
    ) -> None:
        self._past, self._near_misses, self._outbox, self._cursors = past, near_misses, outbox, cursors
        self.teams, self._catalogue, self._clock = teams, catalogue, clock
        self._metrics, self.address = metrics, address
        self.calendars = Calendars()
        self._told: set[str] = set()

    def now(self) -> Instant:
        return self._clock.now()

    def team(self, name: str) -> Team:
        """A team by its name, also one that nobody configured: a report can be looked at all the same."""
        return self.teams.named(name) or Team(name)

    def names(self) -> list[str]:
        """Teams of the settings and owners of the catalogue."""
        owners = {service.owner for service in self._catalogue().services.values() if service.owner}
        return sorted({*self.teams.by_name, *owners} - {EVERYBODY})

    async def run(self, stop: asyncio.Event) -> None:
        """Tell what is due until `stop`."""

        async def rounds() -> None:
            while not stop.is_set():
                try:
                    await self.tell()
                    await self.warn()
                except Unavailable as error:
                    self._metrics.store_unavailable.inc()
                    _log.debug("chat_waits", why=str(error))
                await stopped_within(stop, PAUSE_SECONDS)

        await restarted(rounds, stop, "chat reports", partial(self._metrics.part_failures.inc, "chat"))

    async def tell(self) -> int:
        """Write what is due now into the outbox, once; how many letters. Raises Unavailable."""
        now, told = self._clock.now(), 0
        for name, team in self.teams.by_name.items():
            for one in due(team, await self.calendars.shifts(team, now), now):
                if one.key not in self._told:
                    bulletin = await self.bulletin(team, one, now)
                    told += await self._outbox.hand_out(
                        (), self._letters(team, one.key, bulletin, now, quiet=one.occasion in _DIGESTS)
                    )
                    self._told.add(one.key)
                    _log.info("chat_report", team=name, occasion=str(one.occasion))
        return told

    async def bulletin(self, team: Team, one: Due, now: Instant) -> Bulletin:
        match one.occasion:
            case Occasion.BEFORE:
                return await self.weather(team, one.shift, now)
            case Occasion.AFTER:
                return await self.aftermath(team, one.shift, now)
            case Occasion.DAILY:
                return digest(await self.facts(team, one.shift.begins, now, ()), one.shift.begins, now, "Near misses")
            case Occasion.WEEKLY:
                facts = await self.facts(team, one.shift.begins, now, ())
                return digest(facts, one.shift.begins, now, "The week in near misses")

    async def weather(self, team: Team, shift: Shift, now: Instant, address: str | None = None) -> Bulletin:
        since = Instant(now - LOOK_BACK)
        return weather(await self.facts(team, since, now, ALERTS | LOOKED | _OTHER, address), shift, now)

    async def aftermath(self, team: Team, shift: Shift, now: Instant, address: str | None = None) -> Bulletin:
        since = Instant(min(shift.begins, now) - DAY)
        return aftermath(await self.facts(team, since, now, ALERTS | LOOKED, address), shift)

    async def around_now(self, team: Team, address: str | None = None) -> list[Bulletin]:
        """The shift that runs or comes next, and the one before it: what the page and the command show.

        `address`: the address at which readers find this service; None: the one that the settings give.
        """
        now = self._clock.now()
        shifts = await self.calendars.shifts(team, now)
        next_one = current(shifts, now) or Shift(now, Instant(now + DAY))
        last_one = last(shifts, now) or Shift(Instant(now - DAY), now)
        ahead = await self.weather(team, next_one, now, address)
        return [ahead, await self.aftermath(team, last_one, now, address)]

    async def facts(
        self, team: Team, since: Instant, now: Instant, kinds: Collection[str], address: str | None = None
    ) -> ShiftFacts:
        """What a report is made of. Raises Unavailable."""
        catalogue = self._catalogue()
        events: list[Event] = []
        if kinds:
            until = Instant(now + MINUTE)
            events = await _listed(self._past.events(since, until, kinds=kinds))
            freshest = max((feed.freshness or FRESH for feed in catalogue.feeds), default=FRESH)
            seen = self._past.events(
                Instant(now - min(2 * freshest, DAY)), until, kinds=("impact.clear", "impact.ended")
            )
            events = sorted([*events, *await _listed(seen)], key=lambda event: event.time)
        open_ones = await self._records(Query(states=tuple(sorted(UNDECIDED))))
        recent = await self._records(Query(opened_since=Instant(min(since, now - REPEATS))))
        records = {record.draft.id: record for record in (*recent, *open_ones)}
        resolved = Resolver(catalogue).all(events)
        return ShiftFacts(team, catalogue, resolved, list(records.values()), address or self.address)

    async def warn(self) -> int:
        """Look at the impact that arrived since the last time; how many incidents resemble earlier near misses."""
        cursor = await self._cursors.load(CURSOR)
        after = None if cursor is None else msgspec.json.decode(cursor, type=tuple[int, int])
        found, place = await self._past.arrived(after, ("impact.started",), 200)
        warned = 0
        for event in found:
            if is_incident(event) and self._clock.now() - event.time <= OLDEST_IMPACT:
                warned += await self._warn_of(event)
        if place != after:
            await self._cursors.save(CURSOR, self._clock.now(), msgspec.json.encode(place).decode())
        return warned

    async def _warn_of(self, event: Event) -> bool:
        catalogue = self._catalogue()
        resolver = Resolver(catalogue)
        impact = resolver.resolve(event)
        kinds = ("alert.fired", *_CHANGES)
        before = self._past.events(Instant(impact.time - AROUND), Instant(impact.time + 1), kinds=kinds)
        around = resolver.all(await _listed(before))
        since = Instant(impact.time - WITHIN)
        records = await self._records(Query(opened_since=since))
        stand = [record for record in records if str(record.state) in _STANDS]
        found = earlier(impact, around, stand)
        if not found:
            return False
        now = self._clock.now()
        told = Foretold(
            f"{impact.source}|{impact.id}"[:400],
            now,
            impact.service,
            impact.title or "Users are hit",
            msgspec.json.encode(found),
        )
        team = self.teams.of(catalogue, impact.service)
        bulletin = told_bulletin(impact, found, self.address)
        letters: list[Letter] = []
        if team is not None:
            key = f"told:{told.key}"
            letters += self._letters(team, key, bulletin, now, quiet=False)
            body = incident_body(told.key, impact, found, self.address) if team.webhooks else b""
            letters += [Letter(name, key, key, body, now, now) for name in team.webhooks]
        fresh = await self._outbox.remember_told(told, letters)
        if fresh:
            self._metrics.foretold.inc()
            _log.info("foretold", service=impact.service, earlier=len(found))
        return fresh

    async def told(self, limit: int = 50) -> list[tuple[Foretold, list[Earlier]]]:
        """For the page, newest first."""
        return [(told, msgspec.json.decode(told.body, type=list[Earlier])) for told in await self._outbox.told(limit)]

    def team_name(self, service: str | None) -> str:
        return team_of(self._catalogue(), service)

    def _letters(self, team: Team, key: str, bulletin: Bulletin, now: Instant, *, quiet: bool) -> list[Letter]:
        body = msgspec.json.encode(BulletinLetter(team.name, bulletin))
        return bulletin_letters(team, key, body, now, quiet=quiet)

    async def _records(self, query: Query) -> list[Record]:
        found: list[Record] = []
        after: str | None = None
        while len(found) < MOST_RECORDS:
            page = await self._near_misses.page(query, after, 200)
            found += page.records
            after = page.next
            if after is None:
                break
        return found


_CHANGES = (
    "change.deployed", "change.rolled_back", "change.configured", "change.flag_set", "change.scaled",
    "change.restarted", "change.failed_over", "change.deleted", "change.restored", "change.rotated", "change.ran",
)  # fmt: skip


async def _listed(events: AsyncIterator[Event]) -> list[Event]:
    found: list[Event] = []
    async for event in events:
        found.append(event)
        if len(found) > MOST_EVENTS:
            del found[: MOST_EVENTS // 10]
    return found
