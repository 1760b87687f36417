"""Whether an event says that users are hurt: by the catalogue, the conventions of SLO and synthetic tools, and words.

A fast burn of an error budget and a failing check of a service that users see are impact, beside being alerts. A slow
burn and a ticket are signs only. A person who writes that the page gives 500 tells impact as well. Words are English.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping

from msgspec.structs import replace

from monitor.core.model.catalogue import Catalogue, ImpactAlert
from monitor.core.model.events import Event, Kind
from monitor.core.model.words import own_words
from monitor.core.resolving.claims import claims_harm, says_refused, says_unserved
from monitor.core.resolving.names import Pattern
from monitor.core.resolving.suffering import Suffering
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
_SLO_LABELS = frozenset(
    {"sloth_slo", "sloth_id", "sloth_service", "grafana_slo_uuid", "grafana_slo_severity", "slo", "slo_name", "slo_id"}
    | {"openslo_slo", "nobl9_slo", "exhaustion", "burnrate", "burn_rate"}
)
_BURN_LABELS = frozenset({"sloth_severity", "grafana_slo_severity", "burnrate", "burn_rate"})
"""Labels that only alerts on a burning budget have."""
_SPEED_LABELS = ("sloth_severity", "grafana_slo_severity", "burn_rate", "burnrate", "severity")
_WINDOW_LABELS = ("long", "long_window", "longwindow", "window")
_NAME_LABELS = ("alertname", "rulename", "monitor_name", "check_name")
_BURNS = re.compile(
    r"(?:error.?)?budget.{0,20}burn|burn.?rate|slo.{0,24}burn|budget.?exhaust"
    r"|exhaust(?:ion|ed) (?:in|within) \d+ ?(?:h|hours?|m|min\w*)\b",
    re.IGNORECASE,
)
_FAST = re.compile(r"\b(?:page|fast|critical|very.?high|high)\b", re.IGNORECASE)
_SLOW = re.compile(r"\b(?:ticket|slow|warn(?:ing)?|low|info)\b", re.IGNORECASE)
_SLOWLY = re.compile(r"slow.{0,4}burn|burn.{0,24}slow", re.IGNORECASE)
"""In a name it counts before any label: teams page on slow burns too."""
_HOURS = re.compile(r"(\d+)(m|h|d)")
_FAST_WINDOW = {"m": 60, "h": 6, "d": 0}
"""A window of more than six hours shows a slow burn."""

_CHECKERS = frozenset(
    {"pingdom", "uptimerobot", "statuscake", "checkly", "betteruptime", "betterstack", "site24x7", "updown"}
    | {"uptime-kuma", "uptimekuma", "uptime", "synthetics", "synthetic", "thousandeyes", "catchpoint", "freshping"}
)
"""Sources, by the first part of their name, whose alerts are failing checks from outside."""
_CHECK_LABELS = frozenset({"probe", "probe_success", "check_type", "synthetics_test_id", "monitor_url", "canaryname"})
_CHECK = re.compile(r"blackbox|synthetic|probe|uptime.?(?:check|monitor)|http.?check", re.IGNORECASE)
_FAILS = re.compile(r"fail|down|unreach|unavailab|not respond|error|offline|timeout|timed out", re.IGNORECASE)
_DOWN = re.compile(
    r"(?:endpoint|web.?site|\bsite|\burl|home.?page).{0,20}(?:down|unreach|not respond|unavailab|offline|fail)",
    re.IGNORECASE,
)
_OTHERWISE = re.compile(
    r"cert|\btls\b|\bssl\b|expir|slow|latenc|liveness|readiness|startup probe|exporter", re.IGNORECASE
)
"""Alerts of the same tools that do not say that a check failed."""
_TELLING = _SLO_LABELS | _CHECK_LABELS | {"rulename", "monitor_name", "check_name"}
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
        self._suffering = Suffering(catalogue.impact_notes)
        self._facing = [f" {_spelt(name)} " for name in sorted(catalogue.facing)]
        self.hinted: dict[tuple[str, str | None, str | None, str | None], bool] = {}
        """By source, title, alertname and job: False where these are of no alert of harm."""
        self.telling = _TELLING
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
        names = [name for label in _NAME_LABELS if (name := event.labels.get(label))]
        if event.title:
            names.append(event.title)
        for mark, pattern in self._marks:
            if _marked(mark, pattern, names, event.labels):
                return "alert: listed in impact_alerts" if mark.users else None
        if event.title and claims_harm(event.title):
            return "report: the title says that users are hurt"
        if not self._sees_users(event.service):
            return None
        return _burning(event, names) or _failing(event, names) or self._refusing(event, names)

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
        for text in (record.title, *map(record.labels.get, _TOLD)):
            if text and (claims_harm(text) or self._suffers(text, record)):
                return "report: the record says that users are hurt"
        return None

    def _written(self, note: Event) -> str | None:
        """What a person wrote of users who suffer, or as one whom a service does not serve."""
        if not self._catalogue.impact_notes.read:
            return None
        texts = [own_words(note)]
        if note.labels.get("evidence") == TICKET:
            texts.append(note.labels.get("text", ""))
        seen = note.service is not None and self._sees_users(note.service)
        if any(claims_harm(text) or self._suffers(text, note) or (seen and says_unserved(text)) for text in texts):
            return "report: a note says that users are hurt"
        return None

    def _suffers(self, text: str, event: Event) -> bool:
        seen = event.service is not None and self._sees_users(event.service)
        serves = event.service in self._catalogue.serving_users
        by_person = event.kind == "note.added" and (event.actor is None or event.actor.kind != "automation")
        faced = by_person and event.service is not None and self._catalogue.is_user_facing(event.service)
        return self._suffering.told(text, event.source, seen=seen, serves=serves, faced=faced) is not None

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
            found = self.hinted[key] = _hinted(*key)
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


def _hinted(source: str, *names: str | None) -> bool:
    """Whether the source or a name is one that alerts of harm have."""
    told = " ".join(name for name in names if name)
    if source.partition("/")[0] in _CHECKERS or claims_harm(told) or says_refused(told):
        return True
    return any(pattern.search(told) for pattern in (_BURNS, _CHECK, _DOWN))


def _marked(mark: ImpactAlert, pattern: Pattern | None, names: list[str], labels: Mapping[str, str]) -> bool:
    if pattern is not None and not any(pattern.matches(name) for name in names):
        return False
    return all(Pattern(value).matches(labels.get(label, "")) for label, value in mark.labels.items())


def _burning(event: Event, names: list[str]) -> str | None:
    labels = event.labels
    if not any(_BURNS.search(name) for name in names) and _BURN_LABELS.isdisjoint(labels):
        return None
    if any(_SLOWLY.search(name) for name in names):
        return None
    speeds = [(label, said) for label in _SPEED_LABELS if (said := labels.get(label))]
    for label, said in speeds:
        if _SLOW.search(said):
            return None
        if _FAST.search(said):
            return f"slo: fast burn of an error budget (label {label}: {said})"
    if event.severity in ("warning", "info"):
        return None
    for label in _WINDOW_LABELS:
        if window := _HOURS.fullmatch(labels.get(label, "")):
            if int(window[1]) > _FAST_WINDOW[window[2]]:
                return None
            return f"slo: fast burn of an error budget (label {label}: {window[0]})"
    # Nobody says how fast: harm to users must not be missed.
    return "slo: burn of an error budget" + (f" (severity {event.severity})" if event.severity else "")


def _failing(event: Event, names: list[str]) -> str | None:
    labels = event.labels
    told = " ".join(names)
    if _OTHERWISE.search(told) or event.severity == "info":
        return None
    checker = event.source.partition("/")[0]
    if checker in _CHECKERS:
        return f"synthetic: failing check of {checker}"
    measured = not _CHECK_LABELS.isdisjoint(labels) or _CHECK.search(f"{labels.get('job', '')} {told}") is not None
    if (measured and _FAILS.search(told)) or _DOWN.search(told):
        return "synthetic: failing check from outside"
    return None


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
