"""Mutated bodies of each tool: a decoder gives events or named refusals, and nothing else, whatever it is sent.

`FUZZ_BODIES` says how many a tool; `make fuzz` tries a million, and continuous integration ten thousand. `FUZZ_SEED`
gives others.
"""

from __future__ import annotations

import os
from random import Random

import pytest

from monitor.core.model.events import Instant
from monitor.core.model.reasons import Rejected
from monitor.decode.canonical import decode_line, encode
from monitor.decode.registry import decode, handshake, shown_token, tools, verify
from tests.fuzz.mutate import mutated_body, mutated_headers

BODIES = int(os.environ.get("FUZZ_BODIES", "300"))
SEED = os.environ.get("FUZZ_SEED", "1")
NOW = Instant(1_773_144_000_000_000)
CARRIED_ON = 0.2
"""How often a mutated body is mutated further, instead of the sample."""


@pytest.mark.timeout(0)
@pytest.mark.parametrize("name", [tool.name for tool in tools()])
def test_no_mutated_body_breaks_a_decoder(name: str) -> None:
    tool = next(tool for tool in tools() if tool.name == name)
    random = Random(f"{SEED} {name}")
    sample = tool.sample.body.encode()
    body = sample
    for number in range(BODIES):
        body = mutated_body(body if random.random() < CARRIED_ON and len(body) < 50_000 else sample, random)
        headers = mutated_headers(tool.sample.headers, random)
        found = decode(name, body, headers, NOW)
        assert Rejected.DECODER_FAILED not in found.refused, (number, headers, body, found.detail)
        for event in found.events:
            line = encode(event)
            assert decode_line(line) == event, (number, headers, body)
        assert found.refusals or not found.unread, (number, headers, body)
        if number % 10 == 0:
            handshake(name, body, headers)
            verify(name, ("secret",), headers, body, NOW)
            shown_token(name, headers)
