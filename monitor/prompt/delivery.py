"""Sends what waits to the monitor's `/ingest/events`, oldest first, and removes only what it has answered for."""

from __future__ import annotations

import ssl
from pathlib import Path

import httpx
import msgspec

from monitor.ops.clock import SystemClock
from monitor.prompt.spool import Spool

AT_ONCE = 100
_TAKEN = 202
_TOO_LARGE = 413


class Delivered(msgspec.Struct, frozen=True):
    """How many were taken, how many wait on, and why; `rejected` says what the monitor could not read."""

    sent: int
    waiting: int
    why: str = ""
    rejected: tuple[str, ...] = ()


class _Rejected(msgspec.Struct):
    detail: str = ""


class _Receipt(msgspec.Struct):
    rejected: list[_Rejected] = []


def deliver(spool: Spool, address: str, token: str | None, seconds: float) -> Delivered:
    """Send everything that waits. Raises nothing: what was not taken stays in the spool, and `why` tells the reason.

    `seconds`: an answer is waited for so long at most, and no further one is asked for afterwards.
    """
    clock = SystemClock()
    deadline = clock.monotonic() + seconds
    sent = 0
    rejected: list[str] = []
    headers = {"content-type": "application/x-ndjson"} | ({"authorization": f"Bearer {token}"} if token else {})
    at_once = AT_ONCE
    try:
        with httpx.Client(
            verify=ssl.create_default_context(), timeout=seconds, trust_env=False, headers=headers
        ) as client:
            while waiting := spool.waiting()[:at_once]:
                if clock.monotonic() >= deadline:
                    return Delivered(sent, len(spool.waiting()), f"{address} is slow", tuple(rejected))
                answer = _post(client, address, spool, waiting)
                if answer is None:
                    spool.remove(waiting)
                    continue
                if answer.status_code == _TOO_LARGE:
                    if len(waiting) > 1:
                        at_once = len(waiting) // 2
                    else:
                        spool.put_aside(waiting[0])
                        rejected.append(f"{waiting[0].name}: {_said(answer)}")
                    continue
                if answer.status_code != _TAKEN:
                    return Delivered(sent, len(spool.waiting()), _said(answer), tuple(rejected))
                receipt = msgspec.json.decode(answer.content, type=_Receipt)
                rejected += [each.detail for each in receipt.rejected]
                spool.remove(waiting)
                sent += len(waiting)
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        return Delivered(
            sent, len(spool.waiting()), f"{address}: {str(error) or type(error).__name__}", tuple(rejected)
        )
    except msgspec.DecodeError:
        why = (
            f"{address} answers, and is no nearmiss; expected the address of the service, such as http://nearmiss:8080"
        )
        return Delivered(sent, len(spool.waiting()), why, tuple(rejected))
    except OSError as error:
        return Delivered(sent, len(spool.waiting()), str(error), tuple(rejected))
    return Delivered(sent, 0, "", tuple(rejected))


def _post(client: httpx.Client, address: str, spool: Spool, waiting: list[Path]) -> httpx.Response | None:
    """The answer; None where there was nothing left to send."""
    lines = [line for path in waiting if (line := spool.read(path))]
    if not lines:
        return None
    return client.post(f"{address.rstrip('/')}/ingest/events", content=b"\n".join(lines))


def _said(answer: httpx.Response) -> str:
    hint = {401: "; set NEARMISS_TOKEN to a secret of the source `events`", 404: "; check the address"}
    try:
        detail = msgspec.json.decode(answer.content, type=_Rejected).detail[:300]
    except msgspec.DecodeError:
        detail = ""
    return f"answered {answer.status_code}{f': {detail}' if detail else ''}{hint.get(answer.status_code, '')}"
