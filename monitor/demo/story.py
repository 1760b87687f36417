"""Turns the bundled story into events that end about now; reads the files of this package and no clock."""

from __future__ import annotations

from pathlib import Path

import yaml

from monitor.core.model.events import Event, Instant, to_text
from monitor.decode.streams import arrival_order, expand

_HERE = Path(__file__).resolve().parent
CATALOGUE = _HERE / "catalogue.yaml"
_STORY = _HERE / "story.yaml"


def story(now: Instant) -> list[Event]:
    """The events in the order in which they would have arrived; the last lies some minutes before `now`."""
    written = yaml.safe_load(_STORY.read_text(encoding="utf-8"))
    expanded = expand(written, base=to_text(now))
    if expanded.unusable:
        first = expanded.unusable[0]
        raise ValueError(f"{_STORY}: event {first.index + 1}: {first.detail}")
    return arrival_order(expanded.events)
