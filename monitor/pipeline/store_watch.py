"""Leaves the group that shares the work for as long as the store cannot be reached from here.

Decides when to step aside and when to come back; must not know what the work is or how it is shared. A process
that is cut off from the store would otherwise keep its share, and nobody would work on it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Protocol

import msgspec

from monitor.ops.logs import get_logger
from monitor.ops.stop import stopped_within
from monitor.ports import Unavailable

_log = get_logger("reach")


class GroupMember(Protocol):
    """A member of the group that shares the work."""

    def step_aside(self) -> None:
        """Let the others have our share."""
        ...

    def come_back(self) -> None:
        """Take part again."""
        ...


class StoreWatchSettings(msgspec.Struct, frozen=True):
    """Seconds. After `silence` without any answer the store is asked, every `every`, and has `patience` to answer.

    `silence` is longer than a lease: by then others may take over, if only they are given the share.
    """

    silence: float = 8.0
    patience: float = 2.0
    every: float = 1.0


_USUAL = StoreWatchSettings()


async def watch_store(
    silence: Callable[[], float],
    ping: Callable[[], Awaitable[None]],
    member: GroupMember,
    stop: asyncio.Event,
    settings: StoreWatchSettings = _USUAL,
) -> None:
    """Watch until the stop. `silence`: seconds since the store last answered anything; `ping` raises Unavailable."""
    is_aside = False
    while not await stopped_within(stop, settings.every):
        if not is_aside and silence() < settings.silence:
            continue
        if is_aside != await _answers(ping, settings.patience):
            continue
        is_aside = not is_aside
        if is_aside:
            # A database that is away for all has everybody step aside, and all come back when it does.
            _log.warning("store_out_of_reach", seconds=round(silence(), 1))
            member.step_aside()
        else:
            _log.info("store_in_reach_again")
            member.come_back()


async def _answers(ping: Callable[[], Awaitable[None]], patience: float) -> bool:
    try:
        async with asyncio.timeout(patience):
            await ping()
    except (Unavailable, TimeoutError):
        return False
    return True
