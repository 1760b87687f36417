"""Events of our own format, under the names `events` and `canonical`: one, an array, or JSON Lines."""

from __future__ import annotations

from typing import get_args

from monitor.core.model.events import Kind
from monitor.decode.bodies import decode
from monitor.decode.tool import Sample, Tool

_SAMPLE = """{"id": "hello", "source": "deploy", "time": "2026-03-10T12:00:00Z", "kind": "change.deployed",
 "service": "payments", "environment": "production", "labels": {"version": "1.4.2"}}"""

_SETUP = """
[The event format](events.md) has every field; [a deployment script needs one
line](../how-to/webhooks.md#anything-else).
"""

TOOL = Tool(
    name="events",
    title="anything else",
    tells="one event, an array, or JSON Lines",
    kinds=get_args(Kind),
    sample=Sample(_SAMPLE, ("change.deployed",)),
    setup=_SETUP,
    aliases=("canonical",),
    whole=decode,
)
