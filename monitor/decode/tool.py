"""What one tool declares about itself: how its bodies are read and verified, a sample, its kinds, limits and set-up.

The registry, the tables of the pages and the conformance tests are made from these declarations. Knows no tool.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from monitor.core.model.events import Event, Kind
from monitor.decode.bodyforms import one_json
from monitor.decode.handshakes import echo_challenge
from monitor.decode.outcome import DecodeOutcome
from monitor.decode.reading import Delivery
from monitor.decode.signatures import TOKEN, Scheme

Headers = Mapping[str, str]


class Sample(msgspec.Struct, frozen=True):
    """A body as the tool sends it, with the headers that carry meaning, and the kinds of the events that it gives."""

    body: str
    kinds: tuple[Kind, ...]
    headers: Headers = {}


class Tool(msgspec.Struct, frozen=True, kw_only=True):
    """One tool. `name` is the first part of its sources' names; `aliases` are other first parts that mean the same.

    `parse` turns bytes into a value, `split` that value into pieces, `read` a piece into events. `read` raises NoEvent
    for what gives none by intention; `parse`, `split` and `read` raise Unreadable. `whole` replaces all three.
    `group` names the array of a body that may be large: its items then come as `load_item` takes them.
    `handshake` gives the JSON that the tool wants to hear back before it sends anything, or None.
    """

    name: str
    title: str
    tells: str
    kinds: tuple[Kind, ...]
    sample: Sample
    setup: str
    limits: tuple[str, ...] = ()
    aliases: tuple[str, ...] = ()
    scheme: Scheme = TOKEN
    split: Callable[[Any, Delivery], list[Any]] = lambda body, _: [body]
    read: Callable[[Any, Delivery], list[Event]] = lambda _, __: []
    parse: Callable[[bytes, Headers], Any] = one_json
    whole: Callable[[bytes, Delivery], DecodeOutcome] | None = None
    handshake: Callable[[bytes, Headers], dict[str, str] | None] = echo_challenge
    group: str = ""
    is_mapping: bool = False
