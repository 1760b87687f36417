"""A short review to learn from a record: whom to invite, three questions, an entry for the calendar, a survey after it.

Values only. People appear by what they did or own, never by name; nothing here asks whose fault it was.
"""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from monitor.core.model.catalogue import Catalogue
from monitor.core.model.events import DAY, HOUR, SECOND, Instant, to_datetime
from monitor.core.model.near_miss import Draft
from monitor.review import wording as words

QUESTIONS = (
    "What did you see first, and what made it look off?",
    "What had to go right so that users noticed nothing?",
    "What should someone know who meets this next?",
)
SURVEY = (
    ("learned", "I learned something about how our systems work."),
    ("heard", "I could say what I saw without fear of blame."),
    ("worth", "It was worth the time."),
)
MINUTES = 30
_FOLDED = 73
"""Bytes of a line of a calendar file after which it is folded; 75 with the line's end."""


class Invited(msgspec.Struct, frozen=True):
    """Somebody to ask, by role, and why."""

    who: str
    why: str


def invited(draft: Draft, catalogue: Catalogue) -> list[Invited]:
    """Those who took part, then the owners of what was hit, of what stands on it, and of what it needs."""
    found: dict[str, str] = {}
    for cited in draft.evidence:
        actor = cited.event.actor
        if actor is not None and actor.kind == "human":
            what = "acted" if cited.role == "intervention" else "took part"
            found.setdefault(words.actor(actor).capitalize(), what)
    own = {name for name in (draft.service, *draft.services) if name}
    above = {name for each in own for name in catalogue.upward(each)} - own
    below = {name for each in own for name in catalogue.downward(each)} - own
    for names, why in ((own, "owns what nearly broke"), (above, "stands on it"), (below, "it stands on theirs")):
        for owner in _owners(names, catalogue):
            found.setdefault(owner if owner.lower().startswith("team") else f"Team {owner}", why)
    return [Invited(who, why) for who, why in found.items()]


def questions(draft: Draft) -> list[str]:
    """The three of every review, then those of what happened; at most six."""
    return [*QUESTIONS, *draft.questions][:6]


def next_morning(now: Instant) -> Instant:
    """Ten o'clock (UTC) of the next working day."""
    day = Instant(now // DAY * DAY + DAY)
    while to_datetime(day).isoweekday() > 5:
        day = Instant(day + DAY)
    return Instant(day + 10 * HOUR)


def calendar_entry(draft: Draft, at: Instant, now: Instant, address: str) -> str:
    """An iCalendar file (RFC 5545) with one entry."""
    told = "\n".join(["Nobody was hurt; this is to learn, not to find a fault.", "", *questions(draft), "", address])
    lines = [
        "BEGIN:VCALENDAR",
        "VERSION:2.0",
        "PRODID:-//nearmiss//learning review//EN",
        "BEGIN:VEVENT",
        f"UID:{_text(draft.id)}@nearmiss",
        f"DTSTAMP:{_time(now)}",
        f"DTSTART:{_time(at)}",
        f"DURATION:PT{MINUTES}M",
        f"SUMMARY:{_text('Learn from a near miss: ' + draft.title)}",
        f"DESCRIPTION:{_text(told)}",
        "END:VEVENT",
        "END:VCALENDAR",
    ]
    return "".join(f"{folded}\r\n" for line in lines for folded in _fold(line))


def survey_note(given: dict[str, str], text: str) -> str:
    """What somebody answered after the review, as a line for the trail; empty where nothing was answered."""
    told = [f"{said} {'Yes.' if given[name] == 'yes' else 'No.'}" for name, said in SURVEY if given.get(name)]
    return " ".join([*told, text.strip()]).strip()


def _owners(names: Iterable[str], catalogue: Catalogue) -> list[str]:
    known = (catalogue.services.get(name) for name in names)
    return sorted({service.owner for service in known if service is not None and service.owner})


def _time(at: Instant) -> str:
    return f"{to_datetime(at // SECOND * SECOND):%Y%m%dT%H%M%SZ}"


def _text(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace(";", "\\;").replace(",", "\\,").replace("\r", "").replace("\n", "\\n")
    return "".join(each for each in escaped if each.isprintable())


def _fold(line: str) -> list[str]:
    """Lines of at most 75 bytes, none of which ends within a character."""
    parts, part = [], ""
    for each in line:
        if len((part + each).encode()) > _FOLDED:
            parts.append(part)
            part = " "
        part += each
    return [*parts, part]
