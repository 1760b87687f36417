"""What every sender of letters shares: the reaction to a failure, by kind, and the shape of a sender."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import msgspec

from monitor.chat.bulletin import Bulletin
from monitor.core.model.reasons import Sent
from monitor.ports.chat import Letter, Post

BULLETIN = "bulletin:"
"""Begins the subject of a letter that is sent once; its body is a `BulletinLetter`."""


class BulletinLetter(msgspec.Struct, frozen=True):
    """The body of a letter that is sent once."""

    team: str
    bulletin: Bulletin


class PutOff(Exception):
    """The destination cannot take anything now. `wait`: seconds that it asked for."""

    def __init__(self, reason: str, wait: float | None = None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.wait = wait


class LetterRefused(Exception):
    """The destination will never take this letter."""


class SendResult(msgspec.Struct, frozen=True):
    sent: Sent
    post: Post | None = None


class Sender(Protocol):
    """Tells one destination. `coalesces`: later letters of a subject are told by the same message."""

    coalesces: bool

    async def send(self, letters: Sequence[Letter]) -> SendResult:
        """Letters of one subject, oldest first. Raises PutOff, Refused, and `monitor.ports.Unavailable`."""
        ...
