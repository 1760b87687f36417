"""What a sample is signed with passes the check of its tool, for every tool that shares a secret."""

from __future__ import annotations

import pytest

from monitor.core.model.events import SECOND, Instant
from monitor.decode.proofs import proof
from monitor.decode.registry import tools
from monitor.decode.signatures import verify
from monitor.decode.tool import Tool

NOW = Instant(1_773_144_000 * SECOND)


@pytest.mark.parametrize("tool", tools(), ids=lambda tool: tool.name)
def test_a_tool_s_sample_can_be_signed(tool: Tool) -> None:
    body = tool.sample.body.encode()
    headers = proof(tool.scheme, "the-secret", body, NOW)
    assert headers is not None
    assert verify(tool.scheme, ["the-secret"], headers, body, NOW) is None
    assert verify(tool.scheme, ["another"], headers, body, NOW) is not None


def test_a_client_certificate_cannot_be_made() -> None:
    assert all(proof(tool.scheme, "certificate:CN=x", b"", NOW) is None for tool in tools())
