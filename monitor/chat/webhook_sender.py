"""Tells a webhook of a team that an incident was foretold: JSON with an id, signed where there is a secret.

A failure is tried again with the same id and the same body, so that a receiver which was not heard drops the repeat.
"""

from __future__ import annotations

import base64
from collections.abc import Sequence
from http import HTTPStatus
from typing import Self
from urllib.parse import urlsplit

import msgspec

from monitor.asking import QueryFailed, Web
from monitor.chat.apprise_allowed import PAGERS, NotAllowed
from monitor.chat.bulletin import as_text
from monitor.chat.sending import LetterRefused, PutOff, SendResult
from monitor.chat.slack_blocks import page_of
from monitor.chat.texts import one_line, plain_chat, web_address
from monitor.chat.told import Earlier, told_bulletin
from monitor.core.model.events import SECOND, Event, to_datetime
from monitor.core.model.reasons import Sent
from monitor.decode.signatures import sign, standard_keys
from monitor.ports import Clock
from monitor.ports.chat import Letter

ANSWER_SECONDS = 10.0
ANSWER_BYTES = 64 * 1024
LONGEST_WAIT_SECONDS = 3600.0
KIND = "incident.foretold"

_NEVER = frozenset(
    {
        HTTPStatus.BAD_REQUEST,
        HTTPStatus.GONE,
        HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
        HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
        HTTPStatus.UNPROCESSABLE_ENTITY,
    }
)
"""Answers to this body; all others are about the address or the moment, and somebody may put that right."""


class EarlierSaid(msgspec.Struct, frozen=True):
    """An earlier near miss as it is sent. `safe_at` of the near miss, ISO 8601 in UTC; `by` as in `told.By`."""

    id: str
    title: str
    opened_at: str
    state: str
    by: tuple[str, ...]
    why: str
    url: str | None


class Incident(msgspec.Struct, frozen=True):
    """The body. Times are ISO 8601 in UTC; `text` has no markup and can be shown as it is."""

    id: str
    kind: str
    at: str
    service: str | None
    title: str
    text: str
    url: str | None
    near_misses: tuple[EarlierSaid, ...]


def check_webhook(address: str) -> str:
    """The address, if near misses may be sent there. Raises NotAllowed, which never repeats it: it may hold a token."""
    if web_address(address) is None:
        raise NotAllowed("expected the http or https address of a webhook")
    host = (urlsplit(address).hostname or "").rstrip(".").lower()
    for pager in PAGERS:
        if host == pager or host.endswith(f".{pager}") or pager in address.lower():
            raise NotAllowed(f"the address leads to {pager}, which pages people; expected a receiver that pages nobody")
    return address


def incident_body(key: str, impact: Event, found: Sequence[Earlier], address: str) -> bytes:
    """What is posted; the same for the same incident, whoever writes it."""
    bulletin = told_bulletin(impact, found, address)
    said = tuple(
        EarlierSaid(
            each.record,
            each.title,
            to_datetime(each.at).isoformat(),
            each.state,
            tuple(each.by),
            each.why,
            page_of(address, each.record),
        )
        for each in found
    )
    title = one_line(impact.title or impact.subject or "Users are hit")
    text = f"{plain_chat(one_line(bulletin.title))}\n\n{as_text(bulletin)}"
    service = one_line(impact.service, 200) or None
    at = to_datetime(impact.time).isoformat()
    return msgspec.json.encode(Incident(key, KIND, at, service, title, text, bulletin.url, said))


class WebhookSender:
    """Each letter is a request of its own; its body is sent as it was written. Use it with `async with`."""

    coalesces = False

    def __init__(self, address: str, secret: bytes | None, clock: Clock, seconds: float = ANSWER_SECONDS) -> None:
        """Raises NotAllowed."""
        self._address, self._secret, self._clock, self._seconds = check_webhook(address), secret, clock, seconds
        self._web: Web | None = None

    async def __aenter__(self) -> Self:
        """May be entered again after it was left."""
        self._web = Web(self._seconds, ANSWER_BYTES)
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._web is not None:
            await self._web.__aexit__()

    async def send(self, letters: Sequence[Letter]) -> SendResult:
        assert self._web is not None
        letter = letters[-1]
        identity, body = letter.key, letter.body
        try:
            # Web follows no redirect: what was checked is where it goes.
            status, told, _ = await self._web.send(self._address, body, self._headers(identity, body))
        except QueryFailed as error:
            raise PutOff(f"The webhook is away ({error.reason}).") from None
        if HTTPStatus.OK <= status < HTTPStatus.MULTIPLE_CHOICES:
            return SendResult(Sent.POSTED)
        if status in _NEVER:
            raise LetterRefused(f"the webhook answered {status}")
        raise PutOff(f"The webhook answered {status}.", _seconds(told.get("retry-after")))

    def _headers(self, identity: str, body: bytes) -> dict[str, str]:
        """As Standard Webhooks has them; the time is that of the attempt, so a late one is not taken for a replay."""
        shown = _header(identity)
        moment = str(self._clock.now() // SECOND)
        headers = {"content-type": "application/json", "webhook-id": shown, "webhook-timestamp": moment}
        if self._secret is not None:
            signed = b"%b.%b.%b" % (shown.encode(), moment.encode(), body)
            mark = base64.b64encode(sign(standard_keys(self._secret)[0], signed)).decode()
            headers["webhook-signature"] = f"v1,{mark}"
        return headers


def _header(text: str) -> str:
    """A value for a header: ids of events come from outside, and may hold line ends or what is no ASCII."""
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def _seconds(text: str | None) -> float | None:
    try:
        return min(max(float(text or ""), 0.0), LONGEST_WAIT_SECONDS)
    except ValueError:
        return None
