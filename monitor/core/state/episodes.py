"""An episode: the candidates that belong to one real event, when they were safe, and how long their window is.

One episode gives at most one draft.
"""

from __future__ import annotations

from collections.abc import Container, Iterable

import msgspec

from monitor.core.model.events import Event
from monitor.core.model.near_miss import Draft
from monitor.core.model.retention_policy import RETENTION
from monitor.core.model.verdict_policy import POLICY
from monitor.core.state.alerts import Track, alert_key

GRAVE = frozenset({"critical", "high"})
"""Severities that nobody raises beside a story without belonging to it."""


class Episode(msgspec.Struct):
    """What is known of one real event. Times in microseconds."""

    id: str
    services: list[str]
    candidates: list[str] = msgspec.field(default_factory=list, name="instances")
    cited: list[str] = []
    subjects: list[str] = []
    others: dict[str, Track] = {}
    safe_at: int | None = None
    window_from: int = 0
    window_to: int = 0
    first_sign_at: int = 0
    action_times: list[int] = []
    draft: Draft | None = None
    withdrawn: bool = False
    outcome: str = ""
    wake_at: int | None = None
    closes_at: int | None = None
    closed: bool = False

    def seniority(self) -> tuple[int, int, str]:
        """The order in which episodes that turn out to be one event give the others their name."""
        return (self.draft.opened_at if self.draft else 2**62, self.first_sign_at, self.id)

    def cite(self, event: Event) -> None:
        """Remember an identity and a subject, boundedly, for finding what shares them."""
        reference = reference_of(event)
        if reference not in self.cited and len(self.cited) < RETENTION.most_references:
            self.cited.append(reference)
        if (
            event.subject is not None
            and event.subject not in self.subjects
            and len(self.subjects) < RETENTION.most_references
        ):
            self.subjects.append(event.subject)
        if event.service is not None and event.service not in self.services:
            self.services.append(event.service)

    def adopt_alerts(self, alerts: Iterable[Event], followed: Container[str]) -> None:
        """Follow grave alerts on a service as if it had been cited since the first sign.

        `alerts`: the alert events since then; `followed`: those that a candidate follows. An alert that had ended
        before anybody acted says nothing of what the action did.
        """
        events = list(alerts)
        fired = {alert_key(event) for event in events if self._tells(event)}
        found = {key: Track() for key in fired if key not in followed and key not in self.others}
        if not found:
            return
        for event in events:
            track = found.get(alert_key(event))
            if track is not None and (event.kind != "alert.fired" or self._tells(event)):
                track.observe(event)
        stood = [
            (track.first_fired_at, key)
            for key, track in found.items()
            if track.first_fired_at is not None and track.is_live(self.action_times[0])
        ]
        for _, key in sorted(stood)[: RETENTION.most_tracks - len(self.others)]:
            self.others[key] = found[key]

    def observe_alert(self, key: str, event: Event) -> bool:
        """An alert on a cited service that no candidate cites; whether it says that all is not well.

        Only grave ones that fire from the first sign until soon after the last action do; other alerts are other
        people's.
        """
        track = self.others.get(key)
        if event.kind == "alert.fired":
            if not self._tells(event) or (track is None and len(self.others) >= RETENTION.most_tracks):
                return False
            track = track or self.others.setdefault(key, Track())
        elif track is None:
            return False
        track.observe(event)
        return True

    def _tells(self, event: Event) -> bool:
        """Whether an alert that fires here belongs to the story although nothing cites it."""
        last = self.action_times[-1] if self.action_times else event.time
        return (
            event.kind == "alert.fired"
            and event.severity in GRAVE
            and self.first_sign_at <= event.time <= last + POLICY.grave_within
        )


class PastDraft(msgspec.Struct, array_like=True):
    """A draft whose episode is over: impact in its scope and window still contradicts it. Times in microseconds."""

    services: list[str]
    window_from: int
    window_to: int


def reference_of(event: Event) -> str:
    return f"{event.source}\x1f{event.id}"
