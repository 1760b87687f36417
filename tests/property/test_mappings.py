"""Bodies that resemble those of mapped tools never end in a defect of ours, and what they give survives the wire."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.core.model.reasons import Rejected
from monitor.decode.canonical import decode_line, encode
from monitor.decode.registry import read_as
from monitor.decode.tool import Tool
from monitor.packs.mappings.examples import RECEIVED_AT
from monitor.packs.mappings.loader import load_mappings
from monitor.packs.mappings.shipped_tools import SHIPPED

LOADED = load_mappings(SHIPPED)
BODIES = {
    tool.name: [json.loads(each.body) for each in LOADED.examples[tool.name] if each.body.startswith((b"{", b"["))]
    for tool in LOADED.tools
}
TOOLS = {tool.name: tool for tool in LOADED.tools}
NOTHINGS: list[Any] = [None, "", "null", "$X", [], {}, [[]], [{}], [None], {"a": {"b": []}}]
ODD = [*NOTHINGS, 0, -1, 1e300, True, "x" * 5000, "2026-13-45", "9" * 20, "\ufffd"]


def paths(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, each in inner:
        yield (*path, key)
        yield from paths(each, (*path, key))


def with_change(body: Any, path: tuple[Any, ...], value: Any, *, gone: bool) -> Any:
    changed = copy.deepcopy(body)
    at = changed
    for key in path[:-1]:
        at = at[key]
    if gone and isinstance(at, dict):
        at.pop(path[-1], None)
    else:
        at[path[-1]] = value
    return changed


def check(tool: Tool, body: Any) -> None:
    outcome = read_as(tool, tool.name, json.dumps(body).encode(), {}, RECEIVED_AT)
    assert [refusal.detail for refusal in outcome.refusals if refusal.reason is Rejected.DECODER_FAILED] == []
    assert outcome.events or outcome.refusals or outcome.skipped
    for event in outcome.events:
        assert decode_line(encode(event)) == event


@pytest.mark.parametrize("name", sorted(BODIES))
@settings(max_examples=60)
@given(data=st.data())
def test_a_body_with_a_changed_or_missing_field_is_no_defect(name: str, data: st.DataObject) -> None:
    body = data.draw(st.sampled_from(BODIES[name]))
    for _ in range(data.draw(st.integers(1, 3))):
        path = data.draw(st.sampled_from([*paths(body), *([("x",)] if isinstance(body, dict) else [])]))
        body = with_change(body, path, data.draw(st.sampled_from(ODD)), gone=data.draw(st.booleans()))
    check(TOOLS[name], body)
