"""The receiver for webhooks: `POST /ingest/events`, `POST /ingest/{source}`, and `POST /api/v2/alerts` for Prometheus.

Decides how a sender is answered; what a body means is the decoders' business. Answers 2xx only for what is durable. A
message that was kept and that we cannot use gets 2xx too: many vendors switch a subscription off after a 4xx.
"""

from __future__ import annotations

import asyncio
import math
import re
from collections.abc import Callable, Mapping
from functools import partial
from ipaddress import IPv4Network, IPv6Network, ip_address
from typing import Any

import msgspec
from fastapi import APIRouter, Request, Response
from starlette.requests import ClientDisconnect

from monitor.core.model.catalogue import Catalogue
from monitor.core.model.reasons import Ignored, Rejected
from monitor.core.resolving.names import Names
from monitor.decode import certificates
from monitor.decode.canonical import encode
from monitor.decode.jsontext import MAX_GROUP_BYTES
from monitor.decode.outcome import MOST_TOLD, DecodeOutcome
from monitor.decode.registry import (
    SOURCES,
    canonical_source,
    handshake,
    largest_body,
    meant_tools,
    shown_token,
    verify,
)
from monitor.intake.backlog import BACKLOG_RETRY_AFTER, TooMuchUnread
from monitor.intake.bodies import ENCODING, Body, Packed, Unusable, read_body, readable
from monitor.intake.flight import BodyShare, Busy, Flight
from monitor.intake.receiver import RETRY_AFTER, Receipt, Receiver
from monitor.intake.senders import IntakeAccess
from monitor.ops.logs import get_logger
from monitor.ops.refusals import address_of
from monitor.ops.sampling import Sampler
from monitor.ops.throttle import Throttle, network_of
from monitor.ports import Clock, Unavailable

_log = get_logger("intake")

EVENTS = "events"
CHECK = "x-nearmiss-check"
"""The header that asks what would come out of a body: it is answered, and nothing of it is kept."""
NOTIFICATIONS = "/api/v2/alerts"
"""Where Prometheus posts its alerts, below the prefix that it is given."""
_MEBIBYTE = 1 << 20
_FROM_ADDRESS = "x-nearmiss-token"
"""The header that a secret in the address (`?token=`) stands for: some tools can be given nothing but an address."""
_BODY_SECONDS = 30.0
TOKENS_AT_ONCE, SECONDS_A_TOKEN = 20, 3.0
"""How often an address may show a wrong token: so often at once, then now and then."""
_NAME_SHOWN = 200


class IntakeSettings(msgspec.Struct, frozen=True):
    """Bounds and access. Limits are in bytes, before and after decompression; `group_limit` is for tools that group.

    Only `trusted_proxies` may tell of a client's certificate. Who sends more than is read waits `slowed_seconds` for
    the answer.
    """

    body_limit: int = _MEBIBYTE
    group_limit: int = MAX_GROUP_BYTES
    access: IntakeAccess = IntakeAccess()
    trusted_proxies: tuple[IPv4Network | IPv6Network, ...] = ()
    slowed_seconds: float = 1.0

    def is_trusted_proxy(self, host: str) -> bool:
        """Whether what this address tells of a client's certificate may be believed."""
        try:
            address = ip_address(host)
        except ValueError:
            return False
        return any(address in network for network in self.trusted_proxies)

    def limit_of(self, source: str) -> int:
        """Bytes that a body of this source may have."""
        largest = largest_body(source)
        return min(largest, self.group_limit if largest == MAX_GROUP_BYTES else self.body_limit)


def build_router(
    receiver: Receiver,
    clock: Clock,
    settings: IntakeSettings,
    flight: Flight,
    catalogue: Callable[[], Catalogue] = Catalogue,
) -> APIRouter:
    """The routes under /ingest. They need no login: a source proves itself by its secret, where one is configured.

    By `catalogue` a check says which services nobody knows; what is taken in does not depend on it.
    """
    router = APIRouter(prefix="/ingest", tags=["ingest"])
    door = _Door(receiver, clock, settings, flight, catalogue)

    @router.post("/events", status_code=202, responses=_RESPONSES, summary="Take events of the canonical format")
    async def take_events(request: Request) -> Response:
        """A JSON object, an array, JSON Lines, or CloudEvents (structured, batch, binary), by content type."""
        return await door.answer(request, EVENTS)

    notified = "Take what Prometheus notifies an Alertmanager of"

    @router.post("/{source:path}" + NOTIFICATIONS, **_AS_ALERTMANAGER, summary=notified)
    async def take_notifications(request: Request, source: str) -> Response:
        """As `POST /api/v2/alerts`, behind a `path_prefix` that keeps servers apart: `/ingest/prometheus/eu`."""
        return _as_alertmanager(await door.answer(request, source))

    @router.post("/{source:path}", status_code=202, responses=_RESPONSES, summary="Take a delivery of one vendor")
    async def take_delivery(request: Request, source: str) -> Response:
        """The body as the vendor sends it. `source` is the vendor, or the vendor and a name: `pagerduty/acme`."""
        return await door.answer(request, source)

    gone: dict[int | str, dict[str, object]] = {404: {"description": "No source has a line break in its name."}}

    @router.options("/{source:path}", response_class=Response, responses=gone, summary="Agree to receive CloudEvents")
    async def agree(request: Request, source: str) -> Response:
        """The CloudEvents webhook handshake: the sender asks, and may send as fast as it likes."""
        headers = {"allow": "OPTIONS, POST"}
        if (origin := request.headers.get("webhook-request-origin")) is not None and canonical_source(source):
            headers |= {"webhook-allowed-origin": origin, "webhook-allowed-rate": "*"}
            receiver.ignore(Ignored.HANDSHAKE)
        return Response(status_code=200, headers=headers)

    whole = APIRouter(tags=["ingest"])
    whole.include_router(router)

    @whole.post(NOTIFICATIONS, **_AS_ALERTMANAGER, summary=notified)
    async def take_own_notifications(request: Request) -> Response:
        """Answers as an Alertmanager: 200 and nothing, or a JSON text that says what is wrong."""
        return _as_alertmanager(await door.answer(request, "prometheus"))

    return whole


class _Door:
    """Reads one request, and turns what became of it into an answer."""

    def __init__(
        self,
        receiver: Receiver,
        clock: Clock,
        settings: IntakeSettings,
        flight: Flight,
        catalogue: Callable[[], Catalogue],
    ) -> None:
        self._receiver = receiver
        self._clock = clock
        self._settings = settings
        self._flight = flight
        self._catalogue = catalogue
        self._sampler = Sampler(clock)
        self._tokens = Throttle(clock, TOKENS_AT_ONCE, SECONDS_A_TOKEN)

    async def answer(self, request: Request, name: str) -> Response:
        # One value per name: a second header of a name is what a proxy on the way added.
        headers = {name.lower(): value for name, value in reversed(request.headers.items())}
        if not self._settings.is_trusted_proxy(request.client.host if request.client else ""):
            headers = {name: value for name, value in headers.items() if name not in certificates.HEADERS}
        if (token := request.query_params.get("token")) is not None:
            headers.setdefault(_FROM_ADDRESS, token)
        source = canonical_source(name)
        try:
            with self._flight.share() as share:
                body = await self._read(request, source or name, share)
                if isinstance(body, Response):
                    return body
                if source is None:
                    return await self._unknown(name, body, headers)
                refusal = await self._refusal(source, body, headers, network_of(address_of(request.scope)))
                return refusal or await self._take(source, body, headers, share)
        except Busy as busy:
            return _later("busy", f"{busy}; send it again in {RETRY_AFTER} s")
        except TooMuchUnread as error:
            return await self._slowed(source or name, str(error))
        except Unavailable:
            return _later("unavailable", f"nothing can be stored now; send it again in {RETRY_AFTER} s")
        except MemoryError:
            return _later("busy", f"there is no memory for it now; send it again in {RETRY_AFTER} s")

    async def _slowed(self, source: str, why: str) -> Response:
        if (others := self._sampler.take(f"backlog {_vendor(source)}")) is not None:
            _log.warning("backlog_refused", source=source, why=why, others=others)
        # Who waits for an answer before it sends more, and heeds no header, leaves the engine some time all the same.
        await asyncio.sleep(self._settings.slowed_seconds)
        return _later("backlog", f"{why}; send it again in {BACKLOG_RETRY_AFTER} s", BACKLOG_RETRY_AFTER)

    async def _read(self, request: Request, source: str, share: BodyShare) -> Body | Response:
        try:
            async with asyncio.timeout(_BODY_SECONDS):
                return await read_body(request.stream(), self._settings.limit_of(source), share)
        except TimeoutError:
            return _problem(408, "too_slow", f"the body did not arrive within {_BODY_SECONDS:g} s; send it again")
        except ClientDisconnect:
            return _problem(400, "disconnected", "the sender went away before the body was complete")

    async def _refusal(self, source: str, body: Body, headers: dict[str, str], address: str) -> Response | None:
        """The answer to who did not prove to be the source; None for who did, or where nothing has to be proved."""
        access = self._settings.access
        if (refusal := access.refusal(source)) is not None:
            return await self._unproved(source, refusal, body, headers)
        # A body beyond the limit cannot be verified; it is answered as too large, since a 4xx could end a subscription.
        if body.whole and (secrets := access.secrets_of(source)):
            # A token can be guessed; to forge a signature takes its key.
            token = shown_token(source, headers)
            if token is not None and not self._tokens.is_known(token) and (wait := self._tokens.wait(address)):
                seconds = max(1, math.ceil(wait))
                hint = f"too many wrong tokens from this address; try again in {seconds} s"
                return _problem(429, "too_many_tries", hint, {"retry-after": str(seconds)})
            now = self._clock.now()
            wrong = await self._flight.work(body.size, verify, source, secrets, headers, body.data, now)
            if wrong is not None:
                if token is not None:
                    self._tokens.failed(address)
                return await self._unproved(source, wrong, body, headers)
            if token is not None:
                self._tokens.passed(token)
        return None

    async def _take(self, source: str, body: Body, headers: dict[str, str], share: BodyShare) -> Response:
        # What is unpacked here must not be unpacked again, now or when a reject of it is requeued.
        encoding = headers.pop(ENCODING, "")
        try:
            data = await self._readable(source, body, encoding)
            if data is not body.data:
                share.take(len(data))
            if (wanted := handshake(source, data, headers)) is not None:
                self._receiver.ignore(Ignored.HANDSHAKE)
                return _json(200, wanted)
            allows = partial(self._settings.access.may_carry, source)
            if CHECK in headers:
                outcome = await self._receiver.look(source, data, headers, allows)
                # Of thousands of services it takes a while to find the one that is meant.
                return await asyncio.to_thread(_looked_at, outcome, self._catalogue())
            packed = Packed(body.data, encoding)
            return _receipt(await self._receiver.receive(source, data, headers, packed, allows))
        except Unusable as unusable:
            return await self._unusable(source, unusable, body, headers)

    async def _readable(self, source: str, body: Body, encoding: str) -> bytes:
        limit = self._settings.limit_of(source)
        # A short body may unpack into a long one.
        return await self._flight.work(limit if encoding else 0, readable, body, encoding, limit)

    async def _unproved(self, source: str, why: str, body: Body, headers: dict[str, str]) -> Response:
        shown_as = "" if CHECK in headers else self._shown_as(source)
        await self._receiver.refuse(
            source, Rejected.BAD_SIGNATURE, why, body, headers, stranger=True, shown_as=shown_as
        )
        if (others := self._sampler.take(_vendor(source))) is not None:
            _log.warning("signature_refused", source=source, why=why, others=others)
        return _problem(401, str(Rejected.BAD_SIGNATURE), why)

    def _shown_as(self, source: str) -> str:
        """Who did not prove to be a source can make up accounts of it: only those that are configured are shown."""
        return source if source in self._settings.access.expected else _vendor(source)

    async def _unusable(self, source: str, unusable: Unusable, body: Body, headers: dict[str, str]) -> Response:
        # Nothing of what is too large is taken in, and only its beginning is kept: to answer 2xx would lose it.
        is_large = unusable.reason is Rejected.TOO_LARGE
        await self._receiver.refuse(
            source,
            unusable.reason,
            unusable.detail,
            body,
            headers,
            stranger=is_large,
            shown_as=self._shown_as(source) if is_large else source,
        )
        rejected = {"index": 0, "reason": str(unusable.reason), "detail": unusable.detail}
        answer = {"accepted": 0, "duplicates": 0, "rejected": [rejected], "rejected_count": 1}
        return _json(413 if is_large else 202, answer)

    async def _unknown(self, source: str, body: Body, headers: dict[str, str]) -> Response:
        shown = re.sub(r"[^A-Za-z0-9._~:@+/-]", "?", source)[:_NAME_SHOWN]
        detail = f"no tool is called {_vendor(shown)!r}; {meant_tools(shown)}"
        await self._receiver.refuse(shown, Rejected.UNKNOWN_SOURCE, detail, body, headers, stranger=True)
        return _json(404, {"reason": str(Rejected.UNKNOWN_SOURCE), "detail": detail, "sources": sorted(SOURCES)})


def _as_alertmanager(answer: Response) -> Response:
    """What an Alertmanager would answer: Prometheus takes everything but 2xx for a failure, and tries another time."""
    said = msgspec.json.decode(bytes(answer.body))
    if answer.status_code == 202:
        wrong = said.get("rejected")
        if not wrong or said["accepted"] or said["duplicates"]:
            return Response(status_code=200)
        return _json(400, wrong[0]["detail"])
    return _json(500 if answer.status_code == 503 else answer.status_code, said.get("detail", ""))


def _vendor(source: str) -> str:
    return source.partition("/")[0]


def _looked_at(outcome: DecodeOutcome, catalogue: Catalogue) -> Response:
    """What would come out, so many as the reader can take in, and the services among it that nobody knows."""
    shown = outcome.events[:MOST_TOLD]
    names = Names(catalogue)
    said = dict.fromkeys(
        event.service
        for event in shown
        if event.service and names.is_doubtful(event.service) and names.of(event) is None
    )
    answer = {
        "events": [msgspec.Raw(encode(event)) for event in shown],
        "events_count": len(outcome.events),
        "rejected": [{"reason": str(each.reason), "detail": each.detail} for each in outcome.refusals],
        "ignored": [{"reason": str(each.reason), "detail": each.detail} for each in outcome.skipped],
        "unknown": [{"service": name, "nearest": names.nearest(name)} for name in said],
    }
    return _json(200, answer)


def _receipt(receipt: Receipt) -> Response:
    answer: dict[str, object] = {
        "accepted": receipt.accepted,
        "duplicates": receipt.duplicates,
        "rejected": [
            {"index": each.index, "reason": str(each.reason), "detail": each.detail} for each in receipt.rejected
        ],
    }
    if receipt.rejected:
        answer["rejected_count"] = receipt.rejected_count
    if receipt.ignored:
        answer["ignored"] = [{"index": each.index, "reason": str(each.reason)} for each in receipt.ignored]
        answer["ignored_count"] = receipt.ignored_count
    return _json(202, answer)


def _problem(status: int, reason: str, detail: str, headers: Mapping[str, str] | None = None) -> Response:
    return _json(status, {"reason": reason, "detail": detail}, headers)


def _later(reason: str, hint: str, seconds: int = RETRY_AFTER) -> Response:
    return _problem(503, reason, hint, {"retry-after": str(seconds)})


def _json(status: int, answer: object, headers: Mapping[str, str] | None = None) -> Response:
    return Response(msgspec.json.encode(answer), status, headers, "application/json")


_RESPONSES: dict[int | str, dict[str, object]] = {
    400: {"description": "The sender went away before the body was complete"},
    403: {"description": "A browser sent it from a page of another site"},
    421: {"description": "Without accounts: not addressed to this machine"},
    202: {"description": "Everything is durable: what was accepted, what was known, what was rejected and why"},
    401: {"description": "The signature is missing or wrong"},
    429: {"description": "Too many wrong tokens from this address"},
    404: {"description": "There is no such source; the answer lists those that there are"},
    408: {"description": "The body did not arrive in time"},
    413: {"description": "Too large: nothing was taken in"},
    503: {"description": "Nothing can be taken in now: send it again after Retry-After seconds"},
}
_AS_ALERTMANAGER: dict[str, Any] = {
    "response_class": Response,
    "responses": {
        **{status: said for status, said in _RESPONSES.items() if status not in (202, 503)},
        200: {"description": "Durable; also where some of the alerts are known or could not be read"},
        400: {"description": "No alert of it can be read, or it was not complete"},
        500: {"description": "Nothing can be taken in now: Prometheus sends it again by itself"},
    },
}
"""An Alertmanager has no 503."""
