"""Waits until the first event has arrived at a running monitor, for as long as a person likes."""

from __future__ import annotations

import asyncio
from pathlib import Path

import click
import msgspec

from monitor.asking import Caller, QueryFailed, Web
from monitor.ops.clock import SystemClock
from monitor.ops.stop import stopped_within

_EVERY_SECONDS = 2.0


class _Source(msgspec.Struct):
    source: str
    last_at: str | None = None
    kinds: dict[str, int] = {}


class _Sources(msgspec.Struct):
    sources: list[_Source] = []


async def wait_for_first(address: str, seconds: float, run: str, settings_path: Path) -> bool:
    """Whether an event came; says which source it was. `run`: the command that starts what is waited for."""
    clock = SystemClock()
    deadline = clock.monotonic() + seconds
    why = "nothing has arrived"
    click.echo(f"waiting up to {seconds:g} s for the first event; start it with: {run}", err=True)
    async with Web() as web:
        while True:
            try:
                status, body = await web.get(f"{address}/api/v1/sources", {}, Caller())
                found = msgspec.json.decode(body, type=_Sources).sources if status == 200 else []
                why = "nothing has arrived" if status == 200 else f"{address} answered {status}"
            except (QueryFailed, msgspec.DecodeError) as error:
                found, why = [], f"{address}: {error}"
            for source in found:
                if source.kinds:
                    kinds = ", ".join(source.kinds)
                    click.echo(f"first events: {source.source}: {kinds}")
                    return True
            if clock.monotonic() >= deadline:
                click.echo(f"{why}; look later with: nearmiss sources --config {settings_path}", err=True)
                return False
            await stopped_within(asyncio.Event(), min(_EVERY_SECONDS, max(deadline - clock.monotonic(), 0)))
