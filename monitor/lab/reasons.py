"""Remembers why an engine opened nothing, for the events that somebody may yet ask about; bounded in memory.

Whoever asks comes later than the reason in the one case and earlier in the other, so both are kept for a while.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from monitor.core.model.decisions import Ignore
from monitor.core.model.events import EventId
from monitor.core.model.reasons import NotOpened
from monitor.core.state.hazard_outcomes import PRECEDENCE

MOST_RECENT = 100_000
"""Events whose reasons are kept before anybody asks; the oldest go first."""
_MOST_EACH = 20


class Reasons:
    """The reasons of one engine, by event."""

    def __init__(self) -> None:
        self._recent: dict[EventId, list[Ignore]] = {}
        self._wanted: dict[EventId, list[Ignore]] = {}
        self.is_complete = True
        """False once reasons had to be forgotten."""

    def note(self, ignored: Ignore) -> None:
        for event in ignored.evidence:
            kept = self._wanted.get(event)
            if kept is None:
                kept = self._recent.setdefault(event, [])
            if len(kept) < _MOST_EACH:
                kept.append(ignored)
        while len(self._recent) > MOST_RECENT:
            del self._recent[next(iter(self._recent))]
            self.is_complete = False

    def want(self, events: Iterable[EventId]) -> None:
        """From now on the reasons for these events are kept to the end."""
        for event in events:
            if event not in self._wanted:
                self._wanted[event] = self._recent.pop(event, [])

    def about(self, events: Iterable[EventId], rules: Sequence[str]) -> str:
        """The most telling reason for these events, of one of these rules where there is one; empty where none is."""
        found = [ignored for event in events for ignored in self._wanted.get(event, ())]
        own = [ignored for ignored in found if set(ignored.rules) & set(rules)]
        best = max(own or found, key=_telling, default=None)
        if best is None:
            return ""
        said = f"{best.reason}: {best.detail}" if best.detail else str(best.reason)
        by = sorted(set(best.rules) & set(rules)) or sorted(best.rules)
        return f"{', '.join(by)}: {said}" if by else said


def _telling(ignored: Ignore) -> int:
    """The closer it came to a draft, the more its reason says; what an episode was refused for says most."""
    try:
        return PRECEDENCE.index(ignored.reason)
    except ValueError:
        return -1 if ignored.reason is NotOpened.TOO_OLD else len(PRECEDENCE)
