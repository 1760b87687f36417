"""An episode: the candidates that belong to one real event, when they were safe, and how long their window is.

One episode gives at most one draft.
"""

from __future__ import annotations

from collections.abc import Container, Iterable

import msgspec

from monitor.core.model.events import Event
from monitor.core.model.near_miss import Draft
from monitor.core.model.retention_policy import RETENTION
from monitor.core.state.alerts import Track, alert_key


class Episode(msgspec.Struct):
    """What is known of one real event. Times in microseconds."""

    id: str
    services: list[str]
    instances: list[str] = []
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

    def adopt_alerts(self, alerts: Iterable[Event], followed: Container[str], first_action: int) -> None:
        """Follow the alerts that fired on a cited service before it was cited, as if it had been since the first sign.

        `alerts`: the alert events since then; `followed`: those that a candidate follows. An alert that had ended
        before anybody acted says nothing of what the action did.
        """
        found: dict[str, Track] = {}
        for event in alerts:
            key = alert_key(event)
            if key not in followed and key not in self.others:
                found.setdefault(key, Track()).observe(event)
        stood = [
            (track.first_fired_at, key)
            for key, track in found.items()
            if track.first_fired_at is not None and track.is_live(first_action)
        ]
        for _, key in sorted(stood)[: RETENTION.most_tracks - len(self.others)]:
            self.others[key] = found[key]

    def observe_alert(self, key: str, event: Event) -> bool:
        """An alert on a cited service that no rule asked for: while the window is open, any says that all is not well.

        Afterwards only the episode's own alerts do, when they fire again. Whether it was such an alert.
        """
        if self.outcome and event.time > self.window_to:
            return False
        track = self.others.get(key)
        if track is None:
            if event.kind != "alert.fired":
                return False
            if len(self.others) >= RETENTION.most_tracks:
                return False
            track = self.others[key] = Track()
        track.observe(event)
        return True


def reference_of(event: Event) -> str:
    return f"{event.source}\x1f{event.id}"
