"""The shift report: before a shift tonight's weather, after it what almost paged you. Pure: facts in, a bulletin out.

Says what the events say. What nobody reported is not in it, and the section on services that cannot be judged says so.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import msgspec

from monitor.chat.alerts import PAGING, Alert, alerts_of, standing
from monitor.chat.bulletin import Bulletin, Line, Section
from monitor.chat.slack_blocks import page_of
from monitor.chat.teams import EVERYBODY, Team, local
from monitor.core.model.budget import team_of
from monitor.core.model.catalogue import Catalogue
from monitor.core.model.durations import say_duration
from monitor.core.model.events import DAY, HOUR, Event, Instant
from monitor.core.model.near_miss import UNDECIDED, State
from monitor.ports import Record

LOOK_BACK = 7 * DAY
"""An alert that fired longer ago and never ended is taken for one whose end was lost."""
REPEATS = 14 * DAY
FRESH = HOUR
"""So old the last word of a feed may be, where the catalogue says nothing else."""
OUT = frozenset({State.MERGED, State.WITHDRAWN})


class Shift(msgspec.Struct, frozen=True):
    """A span of work, by the team's clocks."""

    begins: Instant
    ends: Instant


class ShiftFacts(msgspec.Struct, frozen=True):
    """What a report is made of: events by time with their names resolved, records, and the catalogue."""

    team: Team
    catalogue: Catalogue
    events: Sequence[Event]
    records: Sequence[Record]
    address: str = ""

    def is_mine(self, service: str | None) -> bool:
        return self.team.name == EVERYBODY or team_of(self.catalogue, service) == self.team.name

    @property
    def my_events(self) -> list[Event]:
        return [event for event in self.events if self.is_mine(event.service)]

    @property
    def my_records(self) -> list[Record]:
        return [each for each in self.records if each.state not in OUT and self.is_mine(each.draft.service)]


def weather(facts: ShiftFacts, shift: Shift, now: Instant) -> Bulletin:
    """Before a shift: what it inherits."""
    events = [event for event in facts.my_events if event.time <= now]
    still = standing(alerts_of(events))
    thin = [alert for alert in still if _is_below(alert.fired)]
    other = [alert for alert in still if alert not in thin]
    repeats = [
        each for each in facts.my_records if each.draft.repeat_of and each.draft.opened_at >= now - REPEATS
    ]  # fmt: skip
    sections = (
        Section("Still firing", _alert_lines(other, now), "No alert is firing."),
        Section("One failure from trouble", _alert_lines(thin, now), "No lost redundancy is known."),
        Section(
            "Silences and deadlines that end in this shift",
            tuple(_deadline(facts, event) for event in _ending(events, shift)),
            "None known.",
        ),
        Section("Maintenance", tuple(_maintenance(facts, events, now)), "None announced."),
        Section(
            "Repeats of the last 14 days",
            tuple(Line(_repeat(each), page_of(facts.address, each.draft.id)) for each in repeats),
            "None.",
        ),
        Section(
            "Cannot be judged tonight",
            tuple(Line(text) for text in _blind(facts, now)),
            "Every service that users see is watched.",
        ),
    )
    return Bulletin(f"Tonight’s weather: {_span(facts, shift)}", sections, _page(facts))


def aftermath(facts: ShiftFacts, shift: Shift) -> Bulletin:
    """After a shift: what nearly reached the person on call, and what there is to judge."""
    within = [event for event in facts.my_events if event.time < shift.ends]
    alerts = [alert for alert in alerts_of(within) if shift.begins <= alert.fired.time < shift.ends]
    muted = [each for each in alerts if each.is_muted and each.fired.severity in PAGING]
    unseen = [each for each in alerts if each.over_at is not None and not each.looked and each not in muted]
    records = facts.my_records
    saves = [each for each in records if _saved_by_automation(each) and _is_within(each.draft.intervened_at, shift)]
    waiting = [each for each in records if each.state in UNDECIDED and each.draft.mode == "live"]
    sections = (
        Section(
            "Muted alerts that would have paged",
            tuple(Line(f"{_named(each.fired)}{_lasted(each)}", each.fired.url) for each in muted),
            "None.",
        ),
        Section(
            "Cleared before anybody looked",
            tuple(Line(f"{_named(each.fired)}{_lasted(each)}", each.fired.url) for each in unseen),
            "None.",
        ),
        Section("Automation saved it", tuple(_record_line(facts, each) for each in saves), "Nothing known."),
        Section("Drafts to judge", tuple(_record_line(facts, each) for each in waiting), "All judged."),
    )
    return Bulletin(f"What almost paged you: {_span(facts, shift)}", sections, _page(facts))


def digest(facts: ShiftFacts, since: Instant, now: Instant, title: str) -> Bulletin:
    """What a day or a week brought: what was found, what was decided, and what waits."""
    records = [each for each in facts.my_records if each.draft.opened_at >= since]
    waiting = [each for each in facts.my_records if each.state in UNDECIDED]
    accepted = [each for each in records if each.state is State.ACCEPTED]
    live = tuple(_record_line(facts, each) for each in waiting if each.draft.mode == "live")
    quiet = tuple(_record_line(facts, each) for each in waiting if each.draft.mode == "digest")
    again = [each for each in records if each.draft.repeat_of]
    sections = (
        Section("To judge", live, "All judged."),
        Section("In the digest", quiet, "None."),
        Section("Accepted as near misses", tuple(_record_line(facts, each) for each in accepted), "None."),
        Section("Happened before", tuple(Line(_repeat(each), page_of(facts.address, each.draft.id)) for each in again)),
    )
    here = local(facts.team, now)
    return Bulletin(f"{title}, {here:%A} {here.day} {here:%B}", sections, _page(facts))


def _page(facts: ShiftFacts) -> str | None:
    return f"{facts.address.rstrip('/')}/shift" if facts.address else None


def _alert_lines(alerts: Iterable[Alert], now: Instant) -> tuple[Line, ...]:
    return tuple(
        Line(f"{_named(each.fired)}, for {say_duration(max(0, now - each.fired.time))}", each.fired.url)
        for each in alerts
    )


def _named(event: Event) -> str:
    """What an event is about, in its tool's words, with its service where those do not name it."""
    text = event.title or event.subject or event.kind
    service = event.service
    return text if service is None or service.casefold() in text.casefold() else f"{service}: {text}"


def _lasted(alert: Alert) -> str:
    if alert.over_at is None:
        return ", still firing"
    return f", gone after {say_duration(max(0, alert.over_at - alert.fired.time))}"


def _is_below(event: Event) -> bool:
    """Whether less is left than there should be, such as one of two replicas."""
    return event.bound in ("min", "expected") and None not in (event.value, event.limit) and _less(event)


def _less(event: Event) -> bool:
    assert event.value is not None
    assert event.limit is not None
    return event.value < event.limit


def _ending(events: Iterable[Event], shift: Shift) -> list[Event]:
    """The newest word on each deadline that lies within the shift; a deadline that was moved counts where it is now."""
    newest: dict[tuple[str, str, bool], Event] = {}
    for event in events:
        key = (event.service or "", event.subject or event.title or event.id, event.kind == "alert.silenced")
        if event.expires_at is not None:
            newest[key] = event
        elif event.kind in ("alert.resolved", "change.rotated"):
            newest.pop((*key[:2], False), None)
    found = [event for event in newest.values() if event.expires_at and _is_within(event.expires_at, shift)]
    return sorted(found, key=lambda event: (event.expires_at or 0, event.id))


def _deadline(facts: ShiftFacts, event: Event) -> Line:
    assert event.expires_at is not None
    what = "silence ends" if event.kind == "alert.silenced" else "deadline"
    return Line(f"{local(facts.team, event.expires_at):%H:%M} {what}: {_named(event)}", event.url)


def _maintenance(facts: ShiftFacts, events: Iterable[Event], now: Instant) -> list[Line]:
    running: dict[tuple[str, str], Event] = {}
    for event in events:
        key = (event.service or "", event.subject or event.title or "")
        if event.kind == "maintenance.started":
            running[key] = event
        elif event.kind == "maintenance.ended":
            running.pop(key, None)
    found = [event for event in running.values() if event.expires_at is None or event.expires_at > now]
    return [
        Line(
            f"{_named(event)}"
            + (f", until {local(facts.team, event.expires_at):%a %H:%M}" if event.expires_at else ", no end announced"),
            event.url,
        )
        for event in found
    ]


def _repeat(record: Record) -> str:
    times = len(record.draft.repeat_of)
    return f"{record.draft.title} ({times + 1} times now)"


def _blind(facts: ShiftFacts, now: Instant) -> list[str]:
    """Services that users see, whose feeds are missing or silent: for these no draft can say that users were spared."""
    last: dict[str, int] = {}
    for event in facts.my_events:
        if event.kind.startswith("impact.") and event.service is not None and event.time <= now:
            last[event.service] = event.time
    allowed: dict[str, int] = {}
    for feed in facts.catalogue.feeds:
        allowed[feed.service] = max(allowed.get(feed.service, 0), feed.freshness or FRESH)
    found = []
    for name, service in sorted(facts.catalogue.services.items()):
        if not service.user_facing or not facts.is_mine(name):
            continue
        if name not in last:
            said = "its feed is silent" if name in allowed else "no feed watches it"
            found.append(f"{name}: {said}")
        elif now - last[name] > allowed.get(name, FRESH):
            found.append(f"{name}: its feed has been silent for {say_duration(now - last[name])}")
    return found


def _saved_by_automation(record: Record) -> bool:
    draft = record.draft
    if draft.family == "automation":
        return True
    acts = [cited.event.actor for cited in draft.evidence if cited.role == "intervention"]
    return bool(acts) and all(actor is not None and actor.kind == "automation" for actor in acts)


def _is_within(moment: int, shift: Shift) -> bool:
    return shift.begins <= moment < shift.ends


def _record_line(facts: ShiftFacts, record: Record) -> Line:
    return Line(record.draft.title, page_of(facts.address, record.draft.id))


def _span(facts: ShiftFacts, shift: Shift) -> str:
    begins, ends = local(facts.team, shift.begins), local(facts.team, shift.ends)
    return f"{begins:%a} {begins:%H:%M} to {ends:%a} {ends:%H:%M}"
