"""What is pulled from where, and how far it was read. Asks nothing."""

from __future__ import annotations

from typing import Literal

import msgspec

from monitor.asking import Caller
from monitor.core.model.events import MINUTE, Instant

KNOWN = 5000
"""Identities of the newest answers that are remembered, so that the same again is not written again."""


class Target(msgspec.Struct, frozen=True):
    """One tool that is asked. `every` is in microseconds; `source` is the name of its events.

    `what` is what is watched of a Kubernetes API; `ca_file` the authority that its certificate is by.
    """

    tool: Literal["alertmanager", "grafana", "kubernetes"]
    url: str
    source: str
    every: int = MINUTE
    caller: Caller = Caller()
    what: str = ""
    ca_file: str | None = None

    @property
    def key(self) -> str:
        """Under which its cursor is kept."""
        return "/".join(("pull", self.tool, self.source, self.url, *filter(None, (self.what,))))


class PullCursor(msgspec.Struct, frozen=True):
    """Everything up to `at` (microseconds since 1970) was read; `known`: ids of the events of the last answers.

    `place`: where to go on, in the tool's own words; empty where the tool has none.
    """

    at: int
    known: tuple[str, ...] = ()
    place: str = ""


class Piece(msgspec.Struct, frozen=True):
    """One body to be decoded as `source`, up to where it reaches, and whether there is more to ask for at once.

    Its events before `since` are known or too old, and left out.
    """

    source: str
    body: bytes
    until: Instant
    has_more: bool = False
    place: str = ""
    since: Instant = Instant(0)
