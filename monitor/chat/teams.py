"""Who is told what, where and when: teams with their channels, addresses, time zone and quiet hours, as values."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

import msgspec

from monitor.core.model.budget import team_of
from monitor.core.model.catalogue import Catalogue
from monitor.core.model.events import Instant, to_datetime, to_instant

EVERYBODY = "*"
"""The team that stands for all that are not named."""

Span = tuple[time, time]
"""From, to on the clock of a place; a span whose end is not later than its beginning goes over midnight."""


class Team(msgspec.Struct, frozen=True):
    """`channel` of Slack; `to` are addresses of other chats by the name of their destination, and so are `webhooks`."""

    name: str
    channel: str | None = None
    to: dict[str, str] = {}
    webhooks: dict[str, str] = {}
    """Told of foretold incidents, and of nothing else."""
    zone: str = "UTC"
    daily: time = time(9)
    weekly: int = 1
    """ISO weekday of the weekly digest; 0: none."""
    quiet: Span | None = None
    shift: Span | None = (time(18), time(9))
    calendar: str | None = None


class Teams(msgspec.Struct, frozen=True):
    by_name: Mapping[str, Team]

    def of(self, catalogue: Catalogue, service: str | None) -> Team | None:
        """The team that answers for a service, under its own name; None where nobody is to be told."""
        return self.named(team_of(catalogue, service))

    def named(self, name: str) -> Team | None:
        found = self.by_name.get(name)
        if found is None and (everybody := self.by_name.get(EVERYBODY)) is not None:
            return msgspec.structs.replace(everybody, name=name)
        return found

    def in_channel(self, channel: str) -> list[Team]:
        return [team for team in self.by_name.values() if team.channel == channel]


def local(team: Team, moment: int) -> datetime:
    """The moment on the team's clocks."""
    return to_datetime(moment).astimezone(ZoneInfo(team.zone))


def at(team: Team, day: datetime, clock: time) -> Instant:
    """The moment of a clock time on a day. One that a change of the clocks leaves out comes as much later."""
    return to_instant(datetime.combine(day.date(), clock, ZoneInfo(team.zone)))


def not_in_quiet(team: Team, moment: Instant) -> Instant:
    """The moment itself, or the end of the quiet hours in which it lies."""
    if team.quiet is None:
        return moment
    begins, ends = team.quiet
    here = local(team, moment)
    for back in (1, 0):
        day = here - timedelta(days=back)
        start = at(team, day, begins)
        end = at(team, day + timedelta(days=ends <= begins), ends)
        if start <= moment < end:
            return end
    return moment
