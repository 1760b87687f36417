"""What a piece of state takes in memory, in bytes: by what it says alone, so that a restart counts the same.

Estimates from above, a little: Python's own figures depend on its version and on what is shared by chance.
"""

from __future__ import annotations

from collections.abc import Iterable

from monitor.core.model.events import Event

TEXT = 56
WIDE_TEXT = 80
EVENT = 420
"""An event without its texts, its place in its series and its share of the indexes."""
ENTRY = 110
"""One entry of a dictionary, without its texts."""
SERIES = 700
"""What comes with the first event of a kind on a service."""
AROUND_EVENT = 800
"""What one more event may add beside itself, before the next count: a sign, a series, a feature's count."""


def text_bytes(text: str | None) -> int:
    if text is None:
        return 0
    return TEXT + len(text) if text.isascii() else WIDE_TEXT + 4 * len(text)


def texts_bytes(texts: Iterable[str]) -> int:
    return sum(map(text_bytes, texts))


def labels_bytes(labels: dict[str, str]) -> int:
    if not labels:
        return 0
    said = "".join(labels.values())
    wide = 1 if said.isascii() else 4
    return 64 + (ENTRY + TEXT) * len(labels) + len(said) * wide


def event_bytes(event: Event) -> int:
    """An event with its texts, without its labels' names, which are shared."""
    total = EVENT + len(event.id) + text_bytes(event.title) + text_bytes(event.subject) + text_bytes(event.url)
    if event.labels:
        total += labels_bytes(event.labels)
    if event.marks:
        total += texts_bytes(event.marks)
    if event.resolved_from:
        total += labels_bytes(event.resolved_from)
    return total


def next_event_bytes(event: Event, before: Event | None) -> int:
    """An event behind another of its series, with which it shares the labels where these are equal."""
    total = event_bytes(event)
    if before is not None and event.labels and (before.labels is event.labels or before.labels == event.labels):
        total -= labels_bytes(event.labels)
    return total
