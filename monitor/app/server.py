"""The web server and the bounds of its connections: how many, and how long each may take to ask or to read its answer.

Knows uvicorn; decides when a connection is closed, not what is answered on it.
"""

from __future__ import annotations

import asyncio
import logging
import resource
from collections.abc import Iterator, MutableMapping
from contextlib import contextmanager
from itertools import chain
from typing import TYPE_CHECKING, Any

import h11
import msgspec
import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

from monitor.app.metrics import Metrics
from monitor.ops.clock import SystemClock
from monitor.ops.labelled import Closed
from monitor.ops.logs import get_logger
from monitor.ops.sampling import Sampler

if TYPE_CHECKING:
    from fastapi import FastAPI

_log = get_logger("http")

REQUEST_GRACE = 10
"""Seconds that requests under way get at the stop before they are cut off."""
RESERVED_FILES = 128
"""Open files that the rest of the program may need: databases, brokers, rules."""
_BUSY_BODY = b'{"reason":"busy","detail":"too many connections; send it again in 5 s"}'
_BUSY = (
    b"HTTP/1.1 503 Service Unavailable\r\nconnection: close\r\nretry-after: 5\r\ncontent-type: application/json\r\n"
    b"content-length: %d\r\n\r\n%b" % (len(_BUSY_BODY), _BUSY_BODY)
)


_FREE_PIECES = 1000
_PIECE = 64
"""Bytes. The pieces of a body beyond the first are at least so large on average: each costs as much as a large one,
in the event loop, and a megabyte of single bytes would block everybody for seconds."""
_HEAD_BYTES = 64 * 1024
_BACKLOG = 128
"""Connections that the kernel holds until they are accepted. Where one cannot be, the loop tries each of them again."""
_NO_ROOM = "socket.accept() out of system resource"
"""What asyncio says then."""


_FRESH_SHARE = 8
"""Connections that have not asked yet are many when they are more than one in so many."""


class ConnectionLimits(msgspec.Struct, frozen=True):
    """Of connections: how many, seconds until the head of a request is there, and without reading the answer."""

    most: int
    head_seconds: float = 10.0
    stall_seconds: float = 30.0


class Connections:
    """All that are open. One that nobody works for makes room for a new one.

    First the oldest that has never asked, where there are many; then the one that has not for the longest time; then
    the one whose body has been on its way for the longest time: bodies that never end would else keep everybody out.
    """

    def __init__(self, limits: ConnectionLimits, metrics: Metrics) -> None:
        self.limits = limits
        self.sampler = Sampler(SystemClock())
        self._metrics = metrics
        self._open: set[Bounded] = set()
        self._fresh: dict[Bounded, None] = {}
        self._idle: dict[Bounded, None] = {}
        self._sending: dict[Bounded, None] = {}

    def admit(self, one: Bounded) -> bool:
        if len(self._open) >= self.limits.most:
            # Few that have not asked yet are about to; many are held.
            is_flood = len(self._fresh) > self.limits.most // _FRESH_SHARE
            first = self._fresh if is_flood else {}
            oldest = next(chain(first, self._idle, self._sending, self._fresh), None)
            if oldest is None:
                self.count(Closed.FULL)
                return False
            self.forget(oldest)
            oldest.close(Closed.EVICTED)
        self._open.add(one)
        return True

    def waits(self, one: Bounded, *, asked_before: bool) -> None:
        (self._idle if asked_before else self._fresh)[one] = None

    def sends(self, one: Bounded) -> None:
        """A body is on its way; its beginning counts, not its newest piece."""
        self._fresh.pop(one, None)
        self._idle.pop(one, None)
        self._sending.setdefault(one)

    def asks(self, one: Bounded) -> None:
        """A whole request waits for its answer."""
        for waiting in (self._fresh, self._idle, self._sending):
            waiting.pop(one, None)

    def forget(self, one: Bounded) -> None:
        self._open.discard(one)
        self.asks(one)

    def count(self, why: Closed) -> None:
        self._metrics.connections_closed.inc(why)


class Pieces(h11.Connection):
    """Reads HTTP, and refuses a body that comes in very many very small chunks, or whose end can be read in two ways.

    A proxy that goes by the other reading takes what follows for the request of somebody else.
    """

    def __init__(self) -> None:
        super().__init__(h11.SERVER, _HEAD_BYTES)
        self._pieces = self._size = 0

    def next_event(self) -> Any:
        """As h11 has it. Raises h11.RemoteProtocolError."""
        event = super().next_event()
        if isinstance(event, h11.Request):
            self._pieces = self._size = 0
            names = {name for name, _ in event.headers}
            if b"transfer-encoding" in names and (b"content-length" in names or event.http_version == b"1.0"):
                raise h11.RemoteProtocolError("the end of the body can be read in two ways")
        elif isinstance(event, h11.Data):
            self._pieces += 1
            self._size += len(event.data)
            if self._pieces > _FREE_PIECES + self._size // _PIECE:
                raise h11.RemoteProtocolError("the body comes in too many small chunks")
        return event


class Sampled(logging.LoggerAdapter[logging.Logger]):
    """The web server's logger, whose warnings an outsider can cause at will."""

    def __init__(self, logger: logging.Logger, sampler: Sampler) -> None:
        super().__init__(logger)
        self._sampler = sampler
        self.level = logger.level

    def warning(self, msg: object, *args: Any, **kwargs: Any) -> None:
        if (others := self._sampler.take(str(msg))) is not None:
            super().warning(msg, *args, **{**kwargs, "extra": {"others": others}})

    def process(self, msg: Any, kwargs: MutableMapping[str, Any]) -> tuple[Any, MutableMapping[str, Any]]:
        return msg, kwargs


class Bounded(H11Protocol):
    """One connection within its bounds."""

    def __init__(self, *args: Any, bounds: Connections, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.conn = Pieces()
        # Stands in for a logger: uvicorn calls its methods and asks for nothing else.
        self.logger = Sampled(logging.getLogger("uvicorn.error"), bounds.sampler)  # type: ignore[assignment]
        self._bounds = bounds
        self._head: asyncio.TimerHandle | None = None
        self._stall: asyncio.TimerHandle | None = None
        self._is_admitted = False

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn has it
        self._is_admitted = self._bounds.admit(self)
        if not self._is_admitted:
            transport.write(_BUSY)
            transport.close()
            return
        super().connection_made(transport)
        self._look()

    def data_received(self, data: bytes) -> None:
        if self._is_admitted:
            super().data_received(data)
            self._look()

    def on_response_complete(self) -> None:
        super().on_response_complete()
        self._look()

    def send_400_response(self, msg: str) -> None:
        """What was sent cannot be read. Where an answer has begun, or was given, there is no other."""
        self._bounds.count(Closed.MALFORMED)
        if self.cycle is not None:
            self.cycle.disconnected = True
            self.cycle.message_event.set()
        if self.conn.our_state in (h11.IDLE, h11.SEND_RESPONSE):
            super().send_400_response(msg)
        else:
            self.transport.close()

    def _unsupported_upgrade_warning(self) -> None:
        """Whoever asks for another protocol is answered in this one, and nothing is amiss."""

    def pause_writing(self) -> None:
        super().pause_writing()
        self._stall = self.loop.call_later(self._bounds.limits.stall_seconds, self.close, Closed.STALLED)

    def resume_writing(self) -> None:
        super().resume_writing()
        _cancel(self._stall)
        self._stall = None

    def connection_lost(self, exc: Exception | None) -> None:
        if self._is_admitted:
            _cancel(self._head)
            _cancel(self._stall)
            self._bounds.forget(self)
            super().connection_lost(exc)

    def close(self, why: Closed) -> None:
        """At once, without an answer: whoever is there does not ask, or does not read."""
        self._bounds.count(why)
        self.transport.abort()

    def _look(self) -> None:
        """The time runs while no request is under way, over all bytes of the next one's head."""
        if self.cycle is not None and not self.cycle.response_complete:  # type: ignore[redundant-expr]  # None at first
            _cancel(self._head)
            self._head = None
            (self._bounds.sends if self.cycle.more_body else self._bounds.asks)(self)
        elif self._head is None and not self.transport.is_closing():
            self._head = self.loop.call_later(self._bounds.limits.head_seconds, self.close, Closed.HEAD_LATE)
            self._bounds.asks(self)
            self._bounds.waits(self, asked_before=bool(self.scope))


def _cancel(timer: asyncio.TimerHandle | None) -> None:
    if timer is not None:
        timer.cancel()


def room_for(most: int) -> int:
    """How many connections there are files for; the limit of this process is raised where that is allowed."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = most + RESERVED_FILES
    if soft != resource.RLIM_INFINITY and soft < wanted:
        soft = wanted if hard == resource.RLIM_INFINITY else min(hard, wanted)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    if soft == resource.RLIM_INFINITY or soft >= wanted:
        return most
    room = max(soft - RESERVED_FILES, soft // 2, 1)
    _log.warning("connections_lowered", wanted=most, connections=room, open_files=soft)
    return room


class Server(uvicorn.Server):
    """uvicorn without its own signal handling: the stop is ours, since the engine must end after the last request."""

    def __init__(self, app: FastAPI, limits: ConnectionLimits, metrics: Metrics) -> None:
        bounds = Connections(limits, metrics)

        def protocol(*args: Any, **kwargs: Any) -> Bounded:
            return Bounded(*args, bounds=bounds, **kwargs)

        self._bounds = bounds
        super().__init__(
            uvicorn.Config(
                app,
                backlog=_BACKLOG,
                http=protocol,  # type: ignore[arg-type]  # a factory is all that is asked for
                ws="none",
                log_config=None,
                access_log=False,
                timeout_graceful_shutdown=REQUEST_GRACE,
                server_header=False,
                proxy_headers=False,
            )
        )
        self.answers = asyncio.Event()
        self.ended = asyncio.Event()

    async def serve(self, sockets: list[Any] | None = None) -> None:
        try:
            await super().serve(sockets)
        finally:
            self.ended.set()

    def _failed(self, loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        """A connection that there is no open file for is counted; a traceback for each would cost more than answers."""
        if context.get("message") != _NO_ROOM:
            loop.default_exception_handler(context)
            return
        self._bounds.count(Closed.FULL)
        if (others := self._bounds.sampler.take(_NO_ROOM)) is not None:
            _log.warning("connection_not_accepted", why=str(context.get("exception")), others=others)

    async def startup(self, sockets: list[Any] | None = None) -> None:
        asyncio.get_running_loop().set_exception_handler(self._failed)
        await super().startup(sockets)
        self.answers.set()

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield
