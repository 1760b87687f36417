"""What alerts did over a time, from their events: which stand, which were muted, which cleared unseen. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

import msgspec

from monitor.core.model.events import MINUTE, Event, Instant

ALERTS = frozenset(
    {
        "alert.fired", "alert.acknowledged", "alert.unacknowledged", "alert.escalated", "alert.silenced",
        "alert.resolved", "alert.cancelled",
    }
)  # fmt: skip
OVER = frozenset({"alert.resolved", "alert.cancelled"})
LOOKED = frozenset({"alert.acknowledged", "responder.paged", "responder.joined", "note.added"})
"""After one of these on the same thing, or its service, somebody knew of an alert."""
PAGING = frozenset({"critical", "high"})
_SAME_MOMENT = MINUTE
_NUMBERS = re.compile(r"\d+")


class Alert(msgspec.Struct, frozen=True):
    """One alert from firing to its end: all firings in between are one. `over_at` is None while it stands."""

    fired: Event
    over_at: Instant | None
    silence: Event | None
    looked: bool

    @property
    def is_muted(self) -> bool:
        """Whether a silence lay over it when it fired."""
        silence = self.silence
        if silence is None or silence.time > self.fired.time + _SAME_MOMENT:
            return False
        return silence.expires_at is None or silence.expires_at > self.fired.time


def identity(event: Event) -> tuple[str, str]:
    """Which alert it is: its subject, else its name, within its service."""
    return event.service or "", event.subject or name_of(event)


def name_of(event: Event) -> str:
    """The name of the alert, the same each time it fires: its label, else its title without the numbers."""
    for label in ("alertname", "alert", "monitor", "rule"):
        if name := event.labels.get(label):
            return name.casefold()
    return " ".join(_NUMBERS.sub("#", event.title or event.kind).casefold().split())


def alerts_of(events: Iterable[Event]) -> list[Alert]:
    """All alerts, in the order of their first firing. The events are sorted by time."""
    ordered = list(events)
    begun: dict[tuple[str, str], Alert] = {}
    silences: dict[tuple[str, str], Event] = {}
    found: list[Alert] = []
    for event in ordered:
        key = identity(event)
        match event.kind:
            case "alert.silenced":
                silences[key] = event
                if (alert := begun.get(key)) is not None:
                    begun[key] = msgspec.structs.replace(alert, silence=event)
            case "alert.fired" if key not in begun:
                begun[key] = Alert(event, None, silences.get(key), looked=False)
            case kind if kind in OVER and key in begun:
                found.append(msgspec.structs.replace(begun.pop(key), over_at=event.time))
            case kind if kind in LOOKED:
                for other, alert in begun.items():
                    if other == key or (event.kind != "alert.acknowledged" and other[0] == key[0]):
                        begun[other] = msgspec.structs.replace(alert, looked=True)
            case _:
                pass
    return sorted([*found, *begun.values()], key=lambda alert: (alert.fired.time, alert.fired.id))


def standing(alerts: Sequence[Alert]) -> list[Alert]:
    return [alert for alert in alerts if alert.over_at is None]
