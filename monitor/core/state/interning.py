"""Remembered events share the texts and facts that they have in common, so that more of them fit into the memory.

A service's events repeat the same service, subject and labels; each was read as texts of its own.
"""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from monitor.core.matching.facts import DerivedFacts
from monitor.core.model.events import Event

MOST_SHARED = 1 << 16
"""So many texts, and as many sets of facts, are known at a time; what is seen once only would pile up otherwise."""


class Interner:
    """Builds events of texts that are here already; the result equals what was given."""

    def __init__(self) -> None:
        self._texts: dict[str, str] = {}
        self._facts: dict[tuple[tuple[str, object], ...], DerivedFacts] = {}

    def facts(self, derived: DerivedFacts) -> DerivedFacts:
        """The same facts as they are here already; nobody may change them."""
        if len(self._facts) > MOST_SHARED:
            self._facts.clear()
        return self._facts.setdefault(tuple(derived.items()), derived)

    def intern(self, event: Event, like: Event | None) -> Event:
        """An equal event, labels in their order, that shares its texts with `like`, or with others where that is None.

        `like`: one of the same service and kind that is remembered, if there is one. A comparison with it costs less
        than a look-up of texts that were just read: they would have to be hashed first.
        """
        if like is None:
            return self._intern_names(event)
        shared: dict[str, Any] = {}
        if event.source is not (known := like.source) and event.source == known:
            shared["source"] = known
        if event.service is not (named := like.service) and event.service == named:
            shared["service"] = named
        if event.environment is not (named := like.environment) and event.environment == named:
            shared["environment"] = named
        if event.subject is not (named := like.subject) and event.subject == named:
            shared["subject"] = named
        if event.title is not (named := like.title) and event.title == named:
            shared["title"] = named
        if (labels := event.labels) and (others := like.labels) is not labels:
            if labels == others and [*labels] == [*others]:
                shared["labels"] = others
            else:
                shared["labels"] = {
                    name: same if (same := others.get(name)) == value else value for name, value in labels.items()
                }
        return replace(event, **shared) if shared else event

    def _intern_names(self, event: Event) -> Event:
        """Of the first of its kind: what it has in common with other services."""
        texts = self._texts
        if len(texts) > MOST_SHARED:
            texts.clear()
        names = {"source": event.source, "service": event.service, "environment": event.environment}
        return replace(
            event, **{field: texts.setdefault(text, text) for field, text in names.items() if text is not None}
        )
