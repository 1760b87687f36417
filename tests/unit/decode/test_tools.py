"""Every tool's declaration holds: its sample gives what it says, and its texts are fit for a page."""

from __future__ import annotations

import pytest

from monitor.core.model.events import HOUR, KINDS, Instant
from monitor.decode import signatures
from monitor.decode.registry import SOURCES, decode, register, tool_of, tools
from monitor.decode.tool import Tool
from tests.unit.decode.deliveries import RECEIVED_AT

ALL = [pytest.param(tool, id=tool.name) for tool in tools()]


@pytest.mark.parametrize("tool", ALL)
def test_the_sample_gives_what_it_says(tool: Tool) -> None:
    for name in (tool.name, *tool.aliases):
        found = decode(f"{name}/acme", tool.sample.body.encode(), tool.sample.headers, RECEIVED_AT)
        assert found.refusals == ()
        assert tuple(event.kind for event in found.events) == tool.sample.kinds


@pytest.mark.parametrize("tool", ALL)
def test_the_kinds_are_known_and_hold_those_of_the_sample(tool: Tool) -> None:
    assert set(tool.sample.kinds) <= set(tool.kinds) <= KINDS
    assert len(set(tool.kinds)) == len(tool.kinds)


@pytest.mark.parametrize("tool", ALL)
def test_the_texts_are_there(tool: Tool) -> None:
    assert tool.title
    assert tool.tells
    # It is sent to us, or we ask for it; the last is our own format.
    assert f"/ingest/{tool.name}" in tool.setup or "pulls:" in tool.setup or tool.name == "events"
    assert tool.scheme.about
    assert all(limit.endswith(".") for limit in tool.limits)


def test_names_are_unique() -> None:
    names = [name for tool in tools() for name in (tool.name, *tool.aliases)]
    assert len(names) == len(set(names))
    assert {*names, *(name.replace("-", "_") for name in names)} == SOURCES


def test_a_tool_can_be_added() -> None:
    github = tool_of("github")
    assert github is not None
    register(github)
    assert tool_of("github/acme") is github


def test_every_scheme_is_some_tool_s() -> None:
    schemes = {name: found for name, found in vars(signatures).items() if isinstance(found, signatures.Scheme)}
    used = [tool.scheme for tool in tools()]
    assert {name for name, scheme in schemes.items() if scheme not in used} == set()


@pytest.mark.parametrize("tool", ALL)
def test_a_delivery_again_is_the_same_events(tool: Tool) -> None:
    """Whoever records a delivery and sends it again adds nothing, signed time or not."""
    first, again = (
        decode(tool.name, tool.sample.body.encode(), tool.sample.headers, Instant(at))
        for at in (RECEIVED_AT, RECEIVED_AT + HOUR)
    )
    assert [event.event_id for event in first.events] == [event.event_id for event in again.events]
