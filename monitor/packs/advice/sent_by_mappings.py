"""What tools send that are read by mappings: what their examples give, and the labels that the mappings fill."""

from __future__ import annotations

from collections.abc import Sequence

from monitor.core.model.events import SECOND, Event, Instant
from monitor.decode.mapped import Mapped
from monitor.decode.registry import read_as
from monitor.decode.tool import Tool
from monitor.packs.advice.vocabulary import Sends, said_by
from monitor.packs.mappings.loader import LoadedMappings

RECEIVED_AT = Instant(1_773_144_000 * SECOND)


def sends_of_mappings(loaded: LoadedMappings) -> dict[str, Sends]:
    """By the mapping's name; an example whose body cannot be read gives nothing."""
    found: dict[str, Sends] = {}
    for tool in loaded.tools:
        events: list[Event] = []
        for example in loaded.examples.get(tool.name, ()):
            events += read_as(tool, tool.name, example.body, example.headers, RECEIVED_AT).events
        found[tool.name] = sends_of(tool, events)
    return found


def sends_of(tool: Tool, events: Sequence[Event], *, passes_labels_on: bool = False) -> Sends:
    """What a tool sends by its declaration and by events that its bodies gave."""
    shown = said_by(events)
    mapped = getattr(tool.read, "__self__", None)
    if isinstance(mapped, Mapped):
        # A mapping says in itself which labels it fills: no body has to show each of them with each kind.
        for said in shown.values():
            for label in {name for entry in mapped.entries for name in entry.labels}:
                said.setdefault(f"labels.{label}", [])
        shown = {kind: dict(sorted(said.items())) for kind, said in shown.items()}
    return Sends(tuple(sorted(tool.kinds)), shown, passes_labels_on)
