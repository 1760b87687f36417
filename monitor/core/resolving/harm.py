"""Whether an event says that users are hurt: by the catalogue, the conventions of SLO and synthetic tools, and words.

A fast burn of an error budget and a failing check of a service that users see are impact, beside being alerts. A slow
burn and a ticket are signs only. A person who writes that the page gives 500 tells impact as well.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping

from msgspec.structs import replace

from monitor.core.model.catalogue import Catalogue, ImpactAlert
from monitor.core.model.events import Event, Kind
from monitor.core.model.words import own_words
from monitor.core.resolving.claims import Claims, Where, claims_harm
from monitor.core.resolving.harmful_alerts import TELLING, burning, failing, hints, names_of, says_refused
from monitor.core.resolving.names import Pattern
from monitor.core.resolving.told_acts import NOTE

HARMS: dict[str, Kind] = {
    "alert.fired": "impact.started",
    "alert.resolved": "impact.ended",
    "alert.cancelled": "impact.ended",
    "incident.opened": "impact.started",
    "incident.updated": "impact.started",
    "incident.closed": "impact.ended",
    "note.added": "impact.started",
    "change.rotated": "impact.started",
}
"""What an alert, a record or a note of harm is besides."""

_TOLD = ("summary", "description", "customer_impact_summary", "message")
"""Where tools for incidents put what is known of them, beside the title."""
TICKET = "ticket"
"""The evidence of what customers write to a help desk: subject and words are theirs."""
_GRAVE = frozenset({"critical", "high"})
_CHATS = frozenset(
    {"slack", "teams", "mattermost", "zulip", "irc", "discord", "googlechat", "matrix", "rocketchat", "webex", "gitter"}
)
_MOST_NAMES = 50_000
_WORD = re.compile(r"[a-z0-9]+")


class Harm:
    """Tells alerts of harm, by one catalogue."""

    def __init__(self, catalogue: Catalogue) -> None:
        self._catalogue = catalogue
        self._marks = [(mark, Pattern(mark.alert) if mark.alert else None) for mark in catalogue.impact_alerts]
        self._claims = Claims(catalogue.impact_notes)
        self._facing = [f" {_spelt(name)} " for name in sorted(catalogue.facing)]
        self.hinted: dict[tuple[str, str | None, str | None, str | None], bool] = {}
        """By source, title, alertname and job: False where these are of no alert of harm."""
        self.telling = TELLING
        """Labels of which one has to be there where the name hints at nothing."""

    def of(self, event: Event) -> str | None:
        """The evidence (`slo`, `synthetic`, `alert`) and why, as `slo: why`; None where it says nothing of users.

        The event is a resolved one.
        """
        if event.service is None:
            # What somebody writes on an incident concerns the incident's service, which is known later.
            may_be = event.kind == "note.added" and (event.subject is not None or is_chat(event))
            return self._written(event) if may_be else None
        if _is_past(event) and self._catalogue.is_user_facing(event.service):
            return "deadline: it had passed when something was said or done"
        if event.kind == "change.rotated":
            return None
        if event.kind == "note.added":
            return self._written(event)
        if event.kind.startswith("incident."):
            return self._recorded(event)
        names = names_of(event)
        for mark, pattern in self._marks:
            if _marked(mark, pattern, names, event.labels):
                return "alert: listed in impact_alerts" if mark.users else None
        if event.title and claims_harm(event.title):
            return "report: the title says that users are hurt"
        if not self._sees_users(event.service):
            return None
        return burning(event, names) or failing(event, names) or self._refusing(event, names)

    def _refusing(self, event: Event, names: list[str]) -> str | None:
        """A grave alert that what users ask a service for fails. Where nobody knows the service, it may be any part."""
        # How urgent a page is says whom it wakes, not how users fare.
        graded = "urgency" not in event.labels or "priority" in event.labels
        if not (graded and event.severity in _GRAVE and says_refused(" ".join(names))):
            return None
        faced = self._catalogue.is_user_facing(event.service or "") or self._names_one(event)
        return "alert: what users ask for fails" if faced else None

    def _names_one(self, alert: Event) -> bool:
        """Whether an alert of a host or part that nobody listed names a service that users see."""
        if self._catalogue.knows(alert.service or ""):
            return False
        title = f" {_spelt(alert.title or '')} "
        return any(name in title for name in self._facing)

    def _recorded(self, record: Event) -> str | None:
        """What a record says of users, in its title or its summary."""
        texts = (record.title, *map(record.labels.get, _TOLD))
        return "report: the record says that users are hurt" if self._is_claimed(texts, record) else None

    def _written(self, note: Event) -> str | None:
        """What a person wrote of users who suffer, or as one whom a service does not serve."""
        if not self._catalogue.impact_notes.read:
            return None
        texts = [own_words(note)]
        if note.labels.get("evidence") == TICKET:
            texts.append(note.labels.get("text", ""))
        return "report: a note says that users are hurt" if self._is_claimed(texts, note) else None

    def _is_claimed(self, texts: Iterable[str | None], event: Event) -> bool:
        where = self._where(event)
        return any(text and self._claims.why(text, event.source, where) for text in texts)

    def _where(self, event: Event) -> frozenset[Where]:
        """What the catalogue knows of a note's or a record's service, and who wrote it."""
        service, is_note = event.service, event.kind == "note.added"
        if service is None:
            return frozenset()
        by_person = is_note and (event.actor is None or event.actor.kind != "automation")
        seen = self._sees_users(service)
        holds = {
            Where.SEEN: seen,
            Where.NOTED: seen and is_note,
            Where.SERVES: service in self._catalogue.serving_users,
            Where.FACED: by_person and self._catalogue.is_user_facing(service),
        }
        return frozenset(where for where, holds_here in holds.items() if holds_here)

    def may_be(self, event: Event) -> bool:
        """False where `of` is sure to be None: most alerts, at the cost of a look."""
        labels = event.labels
        if event.kind in ("note.added", "change.rotated") or event.kind.startswith("incident."):
            return True
        if event.expires_at is not None:
            return True
        if self._marks or not self.telling.isdisjoint(labels):
            return True
        key = (event.source, event.title, labels.get("alertname"), labels.get("job"))
        found = self.hinted.get(key)
        if found is None:
            if len(self.hinted) >= _MOST_NAMES:
                self.hinted.clear()
            found = self.hinted[key] = hints(*key)
        return found

    def _sees_users(self, service: str) -> bool:
        """Users see it, or nobody knows what it is."""
        return self._catalogue.is_user_facing(service) or not self._catalogue.knows(service)


def is_chat(event: Event) -> bool:
    """Whether it was written where nobody keeps incidents: it may be about anything, and is of no incident."""
    return event.source.partition("/")[0] in _CHATS


def _spelt(name: str) -> str:
    return " ".join(_WORD.findall(name.lower()))


def _is_past(event: Event) -> bool:
    """Whether an event names a deadline in its past, such as the expiry of a certificate just replaced."""
    ends = event.previous_expires_at if event.kind == "change.rotated" else event.expires_at
    return ends is not None and ends < event.time


def _marked(mark: ImpactAlert, pattern: Pattern | None, names: list[str], labels: Mapping[str, str]) -> bool:
    if pattern is not None and not any(pattern.matches(name) for name in names):
        return False
    return all(Pattern(value).matches(labels.get(label, "")) for label, value in mark.labels.items())


def impact_of(alert: Event, harm: str) -> Event:
    """The impact that an alert tells besides, with an identity made of the alert's. `harm`: as `Harm.of` gave it."""
    evidence, _, why = harm.partition(": ")
    identity = f"impact/{alert.id}"
    if len(identity) > 255:
        identity = f"impact/{hashlib.sha256(alert.id.encode()).hexdigest()}"
    return replace(
        alert,
        id=identity,
        kind=HARMS[alert.kind],
        severity=None,
        actor=None,
        labels={"evidence": evidence, NOTE if alert.kind == "note.added" else "alert": alert.id[:255]},
        value=None,
        limit=None,
        unit=None,
        bound=None,
        resolved_from={**{k: v for k, v in alert.resolved_from.items() if k == "service"}, "kind": why},
    )
