"""A record as a case that another organisation's monitor can run: roles for names, other times, the same story.

The answer is in the format that `nearmiss evaluate` reads; as JSON, which is YAML too.
"""

from __future__ import annotations

import json
from typing import Any

from monitor.core.model.catalogue import Catalogue
from monitor.core.model.events import DAY, SECOND, Event, Instant, to_text
from monitor.core.model.near_miss import UNDECIDED, Dismissal, FeedReport, State
from monitor.decode.canonical import encode
from monitor.ports import Record
from monitor.review import wording as words
from monitor.review.exports.document import people_of, services_of
from monitor.review.exports.redaction import Redactor

WEEK = 7 * DAY
FIRST_WEEK = Instant(978_307_200 * SECOND)
"""Monday, 1 January 2001, 00:00 UTC: every story begins in this week, at its own day and hour."""
_MONDAY = 4 * DAY
_TIMES = ("time", "expires_at", "previous_expires_at", "began_at", "covers_from", "stated_time")
_LEFT_OUT = ("url", "received_at", "marks", "resolved_from")


class Undecided(Exception):
    """Nobody has decided the record yet: a case without a label is worth nothing to others."""


def build_case(record: Record, catalogue: Catalogue, redactor: Redactor | None = None) -> dict[str, Any]:
    """Plain data of a case file. Raises Undecided for a record that is neither accepted nor dismissed."""
    label = _label(record)
    draft = record.draft
    around = _around(record, catalogue)
    redactor = redactor or Redactor(people_of(record, catalogue), around)
    moved = _shift(draft.first_sign_at)
    ids = {cited.event.event_id: f"e{place}" for place, cited in enumerate(draft.evidence, start=1)}
    events = [_event(cited.event, ids[cited.event.event_id], moved, redactor, catalogue) for cited in draft.evidence]
    events += [
        _feed(report, f"f{place}", moved, redactor)
        for place, report in enumerate(draft.coverage, start=1)
        if report.clear
    ]
    is_near_miss = label == "near_miss"
    return {
        "id": f"exchange-{draft.id[:12]}",
        "title": redactor.text(draft.title),
        "label": label,
        "confidence": "high",
        "why": redactor.text(record.answers.why_near_miss) or words.reason(record.reason),
        "catalogue": _catalogue(around, catalogue, redactor),
        "events": sorted(events, key=lambda each: str(each["time"])),
        "expect": {
            "drafts": int(is_near_miss),
            "hazard": [ids[each.event.event_id] for each in draft.evidence if each.role == "hazard" and is_near_miss],
            "intervention": [
                ids[each.event.event_id] for each in draft.evidence if each.role == "intervention" and is_near_miss
            ],
            "mode": "digest" if draft.mode == "digest" else "live",
        },
    }


def to_text_file(case: dict[str, Any]) -> str:
    return json.dumps(case, ensure_ascii=True, indent=1) + "\n"


def _label(record: Record) -> str:
    if record.state is State.ACCEPTED:
        return "near_miss"
    if record.state is State.DISMISSED:
        return "impact" if record.reason == Dismissal.HAD_USER_IMPACT else "not_near_miss"
    state = "not decided yet" if record.state in UNDECIDED else f"{record.state}"
    raise Undecided(f"the record is {state}; expected an accepted or a dismissed one")


def _around(record: Record, catalogue: Catalogue) -> list[str]:
    """The services that the story needs: those it names, what stands above them, and what feeds watch."""
    named = {*services_of(record), *record.draft.unfed_services, *(feed.service for feed in record.draft.coverage)}
    above = {name for each in named for name in catalogue.upward(each)} if not catalogue.is_empty else set()
    return sorted(named | above)


def _shift(first_sign_at: Instant) -> int:
    """By how much times move: to one week for all, so that weekday and hour stay what they were."""
    week = (first_sign_at - _MONDAY) // WEEK * WEEK + _MONDAY
    return FIRST_WEEK - week


def _event(event: Event, event_id: str, moved: int, redactor: Redactor, catalogue: Catalogue) -> dict[str, Any]:
    told: dict[str, Any] = json.loads(encode(event))
    for name in _LEFT_OUT:
        told.pop(name, None)
    for name in _TIMES:
        if (at := getattr(event, name)) is not None:
            told[name] = to_text(at + moved)
    told["id"] = event_id
    told["source"] = _source(event.source, redactor)
    if event.service is not None:
        told["service"] = redactor.service(event.service)
    counts = catalogue.counts(event.environment)
    if event.environment is not None and counts is not None:
        told["environment"] = "production" if counts else "staging"
    for name in ("subject", "title"):
        if (text := getattr(event, name)) is not None:
            told[name] = redactor.text(text)[:255] if name == "subject" else redactor.text(text)
    if event.actor is not None:
        told["actor"] = json.loads(encode(event))["actor"]
        if event.actor.id is not None:
            is_person = event.actor.kind != "automation"
            told["actor"]["id"] = (
                redactor.name("person", event.actor.id) if is_person else redactor.text(event.actor.id)
            )
    if event.labels:
        told["labels"] = {
            name: redactor.text(value) for name, value in event.labels.items() if not words.names_person(name)
        }
    return told


def _source(source: str, redactor: Redactor) -> str:
    """The kind of tool stays; whose it is does not."""
    tool, slash, whose = source.partition("/")
    return f"{tool}/{redactor.name('host', whose)}" if slash else redactor.text(tool)


def _feed(report: FeedReport, event_id: str, moved: int, redactor: Redactor) -> dict[str, Any]:
    """What a feed said over the window, as one event that repeats."""
    first, last = report.first_at or 0, report.last_at or 0
    told: dict[str, Any] = {
        "id": event_id,
        "source": _source(report.source, redactor),
        "time": to_text(first + moved),
        "kind": "impact.clear",
        "service": redactor.service(report.service),
    }
    if report.evidence:
        told["labels"] = {"evidence": report.evidence}
    if report.reports > 1 and last > first:
        every = max((last - first) // (report.reports - 1), SECOND)
        told |= {"every": f"{every // SECOND}s", "until": to_text(last + moved)}
    return told


def _catalogue(around: list[str], catalogue: Catalogue, redactor: Redactor) -> dict[str, Any]:
    """The part of the catalogue that the story needs, in the short form of cases; empty for an empty one."""
    known = [catalogue.services[name] for name in around if catalogue.knows(name)]
    if not known:
        return {}
    inside = {service.name for service in known}
    told: dict[str, Any] = {
        "user_facing": [redactor.service(service.name) for service in known if service.user_facing],
        "depends_on": {
            str(redactor.service(service.name)): [
                redactor.service(name) for name in service.depends_on if name in inside
            ]
            for service in known
        },
    }
    if catalogue.production:
        told["production"] = ["production"]
    return told
