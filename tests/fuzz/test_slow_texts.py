"""No text in a body makes a decoder take long: the time for it must not grow with the square of its length.

Measured in the processor's time of a body that is read in the event loop: it is some milliseconds, and seconds where a
pattern looks at each part of a text once more for each of its characters.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from time import process_time
from typing import Any

import pytest

from monitor.core.model.events import Instant
from monitor.decode.jsontext import INLINE
from monitor.decode.registry import decode, tools

PATIENCE_SECONDS = 1.0
TEXTS = (" ", "1", "1.", "a", "a-", "_", "(", '"', "{", "[", "> 1", "a=", "/", ":", "-1", "\n", "@a", "0 ")


def with_text(value: Any, text: str) -> Iterator[Any]:
    """The value once for each text in it, with that one replaced."""
    if isinstance(value, dict):
        for name, item in value.items():
            yield from ({**value, name: changed} for changed in with_text(item, text))
    elif isinstance(value, list):
        for place, item in enumerate(value):
            yield from ([*value[:place], changed, *value[place + 1 :]] for changed in with_text(item, text))
    elif isinstance(value, str):
        yield text
        yield f"{value} {text}"


@pytest.mark.timeout(0)
@pytest.mark.parametrize("name", [tool.name for tool in tools()])
def test_no_long_text_takes_long(name: str) -> None:
    tool = next(tool for tool in tools() if tool.name == name)
    try:
        sample = json.loads(tool.sample.body)
    except ValueError:
        sample = tool.sample.body
    for repeated in TEXTS:
        text = repeated * (INLINE // 2 // len(repeated)) + "!"
        for changed in with_text(sample, text):
            body = json.dumps(changed).encode() if isinstance(changed, dict | list) else changed.encode()
            began = process_time()
            decode(name, body, tool.sample.headers, Instant(1_773_144_000_000_000))
            assert process_time() - began < PATIENCE_SECONDS, (repeated, body[:200])
