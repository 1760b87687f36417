"""What the tests of mappings share: a mapping as text → its tool, its problems, and what a body gives."""

from __future__ import annotations

import json
from typing import Any

from monitor.core.model.events import SECOND, Event, Instant
from monitor.decode.outcome import DecodeOutcome
from monitor.decode.registry import read_as
from monitor.decode.tool import Tool
from monitor.located.nodes import parse_located
from monitor.located.problems import Problem, Problems
from monitor.packs.mappings.loader import read_mapping

RECEIVED_AT = Instant(1_772_359_200 * SECOND)
"""2026-03-01T10:00:00Z."""


def problems_of(text: str) -> list[Problem]:
    problems = Problems()
    node = parse_located(text.encode(), "tool.yaml", problems)
    if node is not None:
        read_mapping(node, problems)
    return [problem for problem in problems if problem.is_error]


def tool_from(text: str) -> Tool:
    problems = Problems()
    node = parse_located(text.encode(), "tool.yaml", problems)
    assert node is not None
    read = read_mapping(node, problems)
    assert read is not None, [str(problem) for problem in problems]
    return read[0]


def mapping(events: str, rest: str = "") -> str:
    """A mapping with these events; `rest` is more of it."""
    return f"mapping: tool\n{rest}\nevents:\n{events}\n"


def read(text: str, body: Any, headers: dict[str, str] | None = None) -> DecodeOutcome:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return read_as(tool_from(text), "tool/acme", raw, headers, RECEIVED_AT)


def event(text: str, body: Any, headers: dict[str, str] | None = None) -> Event:
    found = read(text, body, headers)
    assert (found.skipped, found.refusals) == ((), ())
    (one,) = found.events
    return one


def field(value: str, body: Any, name: str = "service") -> Any:
    """What one field is, with this value in a mapping."""
    return getattr(event(mapping(f"  - {{kind: alert.fired, {name}: {value}}}"), body), name)
