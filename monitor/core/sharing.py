"""Lets what is remembered share the texts and facts that it has in common, so that much fits into the memory.

A service's events name the same service, subject and labels again and again; each was read as texts of its own.
"""

from __future__ import annotations

import msgspec

from monitor.core.events import Event
from monitor.core.facts import Told

MOST_SHARED = 1 << 16
"""So many texts, and as many sets of labels, are known at a time; what is seen once only would pile up otherwise."""

_set = msgspec.structs.force_setattr


class Sharing:
    """Replaces an event's texts by equal ones that are here already, which nobody can tell from outside."""

    def __init__(self) -> None:
        self._texts: dict[str, str] = {}
        self._labels: dict[tuple[str, ...], dict[str, str]] = {}
        self._told: dict[tuple[tuple[str, object], ...], Told] = {}

    def told(self, told: Told) -> Told:
        """The same facts as they are here already; nobody may change them."""
        if len(self._told) > MOST_SHARED:
            self._told.clear()
        return self._told.setdefault(tuple(told.items()), told)

    def share(self, event: Event) -> None:
        """Change the event in place: its fields stay equal to what they were."""
        texts = self._texts
        if len(texts) > MOST_SHARED:
            texts.clear()
        known = texts.setdefault
        if event.source is not (same := known(event.source, event.source)):
            _set(event, "source", same)
        if (service := event.service) is not None and service is not (same := known(service, service)):
            _set(event, "service", same)
        if (place := event.environment) is not None and place is not (same := known(place, place)):
            _set(event, "environment", same)
        if (subject := event.subject) is not None and subject is not (same := known(subject, subject)):
            _set(event, "subject", same)
        if (title := event.title) is not None and title is not (same := known(title, title)):
            _set(event, "title", same)
        if labels := event.labels:
            self._share_labels(event, labels)

    def _share_labels(self, event: Event, labels: dict[str, str]) -> None:
        known = self._labels
        if len(known) > MOST_SHARED:
            known.clear()
        key = (*labels, *labels.values())
        same = known.get(key)
        if same is None:
            same = known[key] = {name: self._texts.setdefault(value, value) for name, value in labels.items()}
        _set(event, "labels", same)
