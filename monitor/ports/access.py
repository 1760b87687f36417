"""The doors to what is kept about access: sessions, API tokens, and the chained log of sign-ins and moves."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Protocol

import msgspec

from monitor.core.model.events import Instant


class Session(msgspec.Struct, frozen=True):
    """Somebody who signed in. `key`: the hash of what the browser holds; times in microseconds.

    `name`, `role` and `grants` (JSON) are of that moment; `proof` (JSON): on what it rests, to be looked at with each
    request. None in sessions of older versions.
    """

    id: str
    key: bytes
    name: str
    role: str
    grants: str
    created_at: Instant
    expires_at: Instant
    proof: str | None = None


class ApiToken(msgspec.Struct, frozen=True):
    """A token of a program. `key`: the hash of the token, which is shown once and kept nowhere.

    `proof` (JSON): on what its maker's access rested, to be looked at with each request. None in older ones.
    """

    id: str
    key: bytes
    name: str
    grants: str
    created_by: str
    created_at: Instant
    expires_at: Instant
    last_used_at: Instant | None = None
    proof: str | None = None


class Chained(msgspec.Struct, frozen=True):
    """One line of the log. `hash` is over `previous` and everything else."""

    id: int
    at: Instant
    by: str
    action: str
    subject: str
    detail: str
    previous: str
    hash: str


class AccessStore(Protocol):
    """Each may raise `monitor.ports.Unavailable`."""

    async def open_session(self, session: Session, by: str) -> None:
        """Keep it, log it as of `by`, and forget those that have expired."""
        ...

    async def session(self, key: bytes, now: Instant) -> Session | None:
        """None where it is unknown, was ended, or has expired."""
        ...

    async def sessions(self, now: Instant) -> list[Session]: ...

    async def end_session(self, session_id: str, by: str, at: Instant) -> bool:
        """Whether there was one. It is over at once, for every process."""
        ...

    async def add_token(self, token: ApiToken) -> None: ...

    async def token(self, key: bytes, now: Instant) -> ApiToken | None:
        """None where it is unknown, was revoked, or has expired. Its last use is noted to the hour."""
        ...

    async def tokens(self) -> list[ApiToken]: ...

    async def rest_tokens(self, created_by: str, proof: str) -> None:
        """Let all that somebody made rest on this `proof` from now on."""
        ...

    async def revoke_token(self, token_id: str, by: str, at: Instant) -> bool: ...

    async def log(self, by: str, action: str, subject: str, detail: str, at: Instant) -> None:
        """Append one line to the chained log."""
        ...

    def chain(self) -> AsyncIterator[Chained]:
        """Every line, oldest first."""
        ...

    async def head(self) -> tuple[int, str]:
        """How many lines were ever written, and the hash of the last."""
        ...
