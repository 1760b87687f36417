"""The decoders of the common tools against the bare parsing of their bodies: processor time of one core, in one run.

The bodies are the tools' own samples. Rounds of both sides take turns, and the best of each counts.
"""

from __future__ import annotations

import time

import msgspec

from monitor.core.model.events import SECOND, Instant
from monitor.decode.registry import decode, tool_of

COMMON = ("alertmanager", "prometheus", "pagerduty", "github", "grafana", "kubernetes", "datadog", "slack")
_RECEIVED_AT = Instant(1_773_144_000 * SECOND)


class DecoderFigures(msgspec.Struct, frozen=True):
    """Bodies a second: of all common tools in turn, of the slowest, and when they are only parsed."""

    bodies: float
    slowest: float
    slowest_tool: str
    parsed: float

    @property
    def ratio(self) -> float:
        return self.bodies / self.parsed


def measure(count: int, rounds: int = 5) -> DecoderFigures:
    """`count` bodies of each tool in each round."""
    samples = {}
    for name in COMMON:
        tool = tool_of(name)
        assert tool is not None
        samples[name] = (tool.sample.body.encode(), tool.sample.headers)
    costs = {name: float("inf") for name in COMMON}
    parsing = dict(costs)
    for _ in range(rounds):
        for name, (body, headers) in samples.items():
            begun = time.process_time()
            for _ in range(count):
                decode(name, body, headers, _RECEIVED_AT)
            costs[name] = min(costs[name], time.process_time() - begun)
            begun = time.process_time()
            for _ in range(count):
                msgspec.json.decode(body)
            parsing[name] = min(parsing[name], time.process_time() - begun)
    worst = max(costs, key=lambda name: costs[name])
    total = count * len(COMMON)
    return DecoderFigures(
        bodies=total / sum(costs.values()),
        slowest=count / costs[worst],
        slowest_tool=worst,
        parsed=total / sum(parsing.values()),
    )
