"""Where Slack's requests come in: checked over the raw bytes, written down, acknowledged, and only then worked on.

An acknowledgement waits for the work for a part of a second at most, so that a form can show what is wrong with it.
"""

from __future__ import annotations

import asyncio
from itertools import count
from typing import Any, Protocol, Self, cast

import msgspec
from fastapi import APIRouter
from fastapi import Request as WebRequest
from starlette.requests import ClientDisconnect
from starlette.responses import JSONResponse, Response

from monitor.chat.metrics import ChatMetrics
from monitor.chat.slack_requests import Kind, NotReadable, Request, check_signature, read
from monitor.core.model.events import HOUR, MINUTE, Instant
from monitor.core.model.reasons import ChatRequest
from monitor.ops.logs import get_logger
from monitor.ops.stop import stopped_within
from monitor.ops.tasks import WatchedTasks
from monitor.ports import Clock, Unavailable
from monitor.ports.chat import ChatInbox, Received

PREFIX = "/chat/slack"
LARGEST_BODY = 256 * 1024
BODY_SECONDS = 30.0
STORE_SECONDS, ANSWER_SECONDS = 0.6, 0.25
"""To write a request down, and then to wait for what becomes of it: together below the second that is promised."""
LEASE = 2 * MINUTE
OLDEST_WORK = HOUR
"""What was left over for longer is not done any more: Slack no longer takes the answer."""
EVERY_SECONDS = 30.0

Answer = dict[str, Any] | None
_log = get_logger("chat")


class RequestWorker(Protocol):
    async def work(self, request: Request, at: Instant) -> Answer:
        """Carry a request out. What it returns answers the form, if the form still waits for it."""
        ...

    async def too_late(self, request: Request, answer: Answer) -> None:
        """The form shows that it waits; replace that with the outcome."""
        ...


class SlackDoor:
    """Use it with `async with`: requests under way are ended with it, and taken up again after the next start."""

    def __init__(
        self,
        secret: str,
        inbox: ChatInbox,
        worker: RequestWorker,
        clock: Clock,
        metrics: ChatMetrics,
        answer_seconds: float = ANSWER_SECONDS,
        store_seconds: float = STORE_SECONDS,
        body_seconds: float = BODY_SECONDS,
    ) -> None:
        self._secret, self._inbox, self._worker = secret, inbox, worker
        self._clock, self._metrics = clock, metrics
        self._answer_seconds, self._store_seconds = answer_seconds, store_seconds
        self._body_seconds = body_seconds
        self._tasks = WatchedTasks()
        self._numbers = count(1)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._tasks.end()

    def router(self) -> APIRouter:
        router = APIRouter(prefix=PREFIX, include_in_schema=False)

        @router.post("/{kind}")
        async def take(kind: str, request: WebRequest) -> Response:
            if kind not in ("actions", "commands", "events"):
                return Response(status_code=404)
            try:
                async with asyncio.timeout(self._body_seconds):
                    body = await _body(request)
            except TimeoutError:
                return Response("too slow\n", 408)
            except ClientDisconnect:
                return Response("disconnected\n", 400)
            if body is None:
                return Response("too large\n", 413)
            return await self.take(cast(Kind, kind), dict(request.headers), body)

        return router

    async def take(self, kind: Kind, headers: dict[str, str], body: bytes) -> Response:
        """`headers` have names in lower case."""
        now = self._clock.now()
        refused = check_signature(self._secret, headers, body, now)
        if refused is not None:
            return self._no(refused, 401, "the signature is missing, wrong, or older than five minutes")
        try:
            request = read(kind, body, headers["x-slack-signature"])
        except NotReadable as error:
            return self._no(ChatRequest.UNREADABLE, 400, str(error)[:200])
        if request.what == "url_verification":
            return JSONResponse({"challenge": request.text("challenge")[:1000]})
        received = Received(request.key, kind, _kept(request), now)
        stored = self._begin_to_store(received, now)
        try:
            async with asyncio.timeout(self._store_seconds):
                fresh = await asyncio.shield(stored)
        except TimeoutError:
            # The person presses again: if this one is stored after all, it must not be carried out as well.
            stored.add_done_callback(lambda done: self._drop(request, done))
            return _try_again()
        if fresh is None:
            return _try_again()
        if not fresh:
            if request.key.startswith("event:"):
                self._metrics.chat_requests.inc(ChatRequest.REPEATED)
                return Response(status_code=200)
            return self._no(ChatRequest.REPLAYED, 409, "this very request came before")
        self._metrics.chat_requests.inc(ChatRequest.TAKEN)
        answer = self._begin(request, now)
        if request.what != "view_submission":
            return Response(status_code=200)
        waiting = asyncio.shield(answer)
        try:
            async with asyncio.timeout(self._answer_seconds):
                return _form_answer(await waiting)
        except TimeoutError:
            answer.add_done_callback(lambda done: self._tell_late(request, done))
            return JSONResponse({"response_action": "update", "view": _WAIT})

    def _begin_to_store(self, received: Received, now: Instant) -> asyncio.Future[bool | None]:
        """Whether it is new; None where it cannot be stored. A write is never cut off, so it is not waited for here."""
        self._tasks.check()
        stored: asyncio.Future[bool | None] = asyncio.get_running_loop().create_future()

        async def store() -> None:
            fresh: bool | None = None
            try:
                fresh = await self._inbox.receive(received, Instant(now + LEASE))
            except Unavailable as error:
                _log.warning("chat_request_not_stored", why=str(error))
            finally:
                if not stored.done():
                    stored.set_result(fresh)

        self._tasks.start(f"slack {next(self._numbers)} stored", store(), may_end=True)
        return stored

    def _drop(self, request: Request, done: asyncio.Future[bool | None]) -> None:
        if not done.cancelled() and done.result():
            self._tasks.start(f"slack {next(self._numbers)} dropped", self._finish(request), may_end=True)

    def _begin(self, request: Request, at: Instant) -> asyncio.Future[Answer]:
        self._tasks.check()
        answer: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        self._tasks.start(f"slack {next(self._numbers)}", self._work(request, at, answer), may_end=True)
        return answer

    async def _work(self, request: Request, at: Instant, answer: asyncio.Future[Answer]) -> None:
        """Never raises: whatever a request is, it must not end the process."""
        found: Answer = None
        try:
            found = await self._worker.work(request, at)
        except Unavailable as error:
            # It stays open, and is taken up again when the lease is over.
            _log.warning("chat_request_waits", kind=request.kind, why=str(error))
            found = {"later": True}
        except Exception as error:  # noqa: BLE001 - a defect of ours; the request is closed, and the log has it
            _log.error("chat_request_failed", kind=request.kind, what=request.what, exc_info=error)
            self._metrics.part_failures.inc("chat")
            await self._finish(request)
        else:
            await self._finish(request)
        finally:
            if not answer.done():
                answer.set_result(found)

    async def _finish(self, request: Request) -> None:
        try:
            await self._inbox.finish(request.key, self._clock.now())
        except Unavailable as error:
            _log.warning("chat_request_not_closed", why=str(error))

    def _tell_late(self, request: Request, done: asyncio.Future[Answer]) -> None:
        if not done.cancelled():
            self._tasks.start(f"slack {next(self._numbers)} late", self._late(request, done.result()), may_end=True)

    async def _late(self, request: Request, answer: Answer) -> None:
        try:
            await self._worker.too_late(request, answer)
        except Exception as error:  # noqa: BLE001 - the work itself is done; only the person was not told
            _log.warning("chat_late_answer_failed", why=str(error))

    async def run(self, stop: asyncio.Event) -> None:
        """Take up what an earlier process, or the database, left undone."""
        while not stop.is_set():
            try:
                await self.take_up()
            except Unavailable as error:
                _log.debug("chat_waits", why=str(error))
            await stopped_within(stop, EVERY_SECONDS)

    async def take_up(self) -> int:
        """How many were taken up. Raises Unavailable."""
        now = self._clock.now()
        left = await self._inbox.left_over(now, Instant(now + LEASE), 20)
        for received in left:
            request = msgspec.json.decode(received.body, type=Request)
            if now - received.at > OLDEST_WORK:
                _log.warning("chat_request_given_up", kind=request.kind, what=request.what)
                await self._inbox.finish(received.key, now)
            else:
                await self._begin(request, received.at)
        return len(left)

    def _no(self, reason: ChatRequest, status: int, detail: str) -> Response:
        self._metrics.chat_requests.inc(reason)
        _log.warning("chat_request_refused", reason=str(reason))
        return Response(f"{reason}: {detail}\n", status)


_WAIT = {
    "type": "modal",
    "title": {"type": "plain_text", "text": "Stored"},
    "close": {"type": "plain_text", "text": "Close"},
    "blocks": [
        {
            "type": "section",
            "text": {"type": "plain_text", "text": "Stored; it is being carried out. This form says so."},
        }
    ],
}


async def _body(request: WebRequest) -> bytes | None:
    """What is sent; None where it is too large. Raises ClientDisconnect."""
    body = bytearray()
    async for piece in request.stream():
        body += piece
        if len(body) > LARGEST_BODY:
            return None
    return bytes(body)


def _try_again() -> Response:
    return Response("nothing can be stored now; try again\n", 503, {"retry-after": "5"})


def _kept(request: Request) -> bytes:
    return msgspec.json.encode(request)


def _form_answer(answer: Answer) -> Response:
    if answer is None:
        return Response(status_code=200)
    if answer.get("later"):
        return JSONResponse({"response_action": "update", "view": _WAIT})
    return JSONResponse(answer)
