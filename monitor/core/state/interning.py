"""Lets what is remembered share the texts and facts that it has in common, so that much fits into the memory.

A service's events name the same service, subject and labels again and again; each was read as texts of its own.
"""

from __future__ import annotations

import msgspec

from monitor.core.matching.facts import DerivedFacts
from monitor.core.model.events import Event

MOST_SHARED = 1 << 16
"""So many texts, and as many sets of facts, are known at a time; what is seen once only would pile up otherwise."""

_set = msgspec.structs.force_setattr


class Interner:
    """Replaces an event's texts by equal ones that are here already, which nobody can tell from outside."""

    def __init__(self) -> None:
        self._texts: dict[str, str] = {}
        self._facts: dict[tuple[tuple[str, object], ...], DerivedFacts] = {}

    def facts(self, derived: DerivedFacts) -> DerivedFacts:
        """The same facts as they are here already; nobody may change them."""
        if len(self._facts) > MOST_SHARED:
            self._facts.clear()
        return self._facts.setdefault(tuple(derived.items()), derived)

    def share(self, event: Event, like: Event | None) -> None:
        """Change the event in place: its fields stay equal to what they were, labels in their order.

        `like`: one of the same service and kind that is remembered, if there is one. To compare with it costs less
        than to look texts up that were just read: they would have to be hashed first.
        """
        if like is None:
            self._share_names(event)
            return
        if event.source is not (same := like.source) and event.source == same:
            _set(event, "source", same)
        if event.service is not (named := like.service) and event.service == named:
            _set(event, "service", named)
        if event.environment is not (named := like.environment) and event.environment == named:
            _set(event, "environment", named)
        if event.subject is not (named := like.subject) and event.subject == named:
            _set(event, "subject", named)
        if event.title is not (named := like.title) and event.title == named:
            _set(event, "title", named)
        if (labels := event.labels) and (known := like.labels) is not labels:
            if labels == known and [*labels] == [*known]:
                _set(event, "labels", known)
            else:
                # The event was just read, so that nobody else has its labels yet.
                for name, value in labels.items():
                    if (same_value := known.get(name)) is not None and same_value == value:
                        labels[name] = same_value

    def _share_names(self, event: Event) -> None:
        """Of the first of its kind: what it has in common with other services."""
        texts = self._texts
        if len(texts) > MOST_SHARED:
            texts.clear()
        _set(event, "source", texts.setdefault(event.source, event.source))
        for field in ("service", "environment"):
            if (text := getattr(event, field)) is not None:
                _set(event, field, texts.setdefault(text, text))
