"""PURE: what is pulled from where, and how far it was read."""

from __future__ import annotations

from typing import Literal

import msgspec

from monitor.core.model.events import MINUTE, Instant

KNOWN = 5000
"""Identities of the newest answers that are remembered, so that the same again is not written again."""


class Target(msgspec.Struct, frozen=True):
    """One tool that is asked. `every` is in microseconds; `source` is the name of its events."""

    tool: Literal["alertmanager", "grafana"]
    url: str
    source: str
    every: int = MINUTE
    headers: dict[str, str] = {}

    @property
    def key(self) -> str:
        """Under which its cursor is kept."""
        return f"pull/{self.tool}/{self.source}/{self.url}"


class Cursor(msgspec.Struct, frozen=True):
    """Everything up to `at` (microseconds since 1970) was read; `known`: ids of the events of the last answers."""

    at: int
    known: tuple[str, ...] = ()


class Piece(msgspec.Struct, frozen=True):
    """One body to be decoded as `source`, up to where it reaches, and whether there is more to ask for at once."""

    source: str
    body: bytes
    until: Instant
    has_more: bool = False
