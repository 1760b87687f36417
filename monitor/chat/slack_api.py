"""Calls Slack's Web API: bounded in time and size; each failure says whether to wait, to tell somebody, or to drop."""

from __future__ import annotations

from enum import StrEnum
from http import HTTPStatus
from typing import Any, Self
from urllib.parse import urlencode, urlsplit

import msgspec

from monitor.asking import QueryFailed, Web

SLACK_API = "https://slack.com/api/"
ANSWER_SECONDS = 10.0
ANSWER_BYTES = 2 * 1024**2


class SlackTrouble(StrEnum):
    """Why a call did not do what was asked."""

    AWAY = "away"  # no answer in time, or one that says "later"
    RATE_LIMITED = "rate_limited"
    REVOKED = "revoked"  # the token or the app's place in a channel is gone: somebody has to act
    REFUSED = "refused"  # this one message will never be taken
    GONE = "gone"  # the message or thread was deleted


_REVOKED = frozenset(
    {
        "invalid_auth",
        "token_revoked",
        "token_expired",
        "account_inactive",
        "not_authed",
        "missing_scope",
        "no_permission",
        "not_in_channel",
        "channel_not_found",
        "is_archived",
        "org_login_required",
        "access_denied",
        "ekm_access_denied",
        "team_access_not_granted",
    }
)
_REFUSED = frozenset(
    {
        "invalid_blocks",
        "invalid_blocks_format",
        "msg_too_long",
        "no_text",
        "invalid_arguments",
        "invalid_metadata_format",
        "metadata_too_large",
        "too_many_attachments",
        "msg_blocks_too_long",
        "invalid_trigger_id",
        "trigger_expired",
        "expired_trigger_id",
        "view_too_large",
    }
)
_GONE = frozenset({"message_not_found", "thread_not_found", "cant_update_message", "edit_window_closed"})


class SlackFailed(Exception):
    """Slack did not do it. `wait`: seconds that it asked to be left alone for."""

    def __init__(self, trouble: SlackTrouble, detail: str, wait: float | None = None) -> None:
        super().__init__(f"{trouble}: {detail}")
        self.trouble = trouble
        self.detail = detail
        self.wait = wait


class SlackApi:
    """The Web API with a bot token. Use it with `async with`."""

    def __init__(self, token: str, api: str = SLACK_API, seconds: float = ANSWER_SECONDS) -> None:
        self._api = api.rstrip("/") + "/"
        self._headers = {"Authorization": f"Bearer {token}"}
        self._seconds = seconds
        self._web: Web | None = None

    async def __aenter__(self) -> Self:
        """May be entered again after it was left: a part that failed is begun again."""
        self._web = Web(self._seconds, ANSWER_BYTES)
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._web is not None:
            await self._web.__aexit__()

    async def call(self, method: str, **arguments: Any) -> dict[str, Any]:
        """Slack's answer. Raises SlackFailed."""
        body = msgspec.json.encode({name: value for name, value in arguments.items() if value is not None})
        return await self._asked(method, body, "application/json; charset=utf-8")

    async def read(self, method: str, **arguments: Any) -> dict[str, Any]:
        """Slack's answer of a method that reads: those take forms only. Raises SlackFailed."""
        words = {name: _form_value(value) for name, value in arguments.items() if value is not None}
        return await self._asked(method, urlencode(words).encode(), "application/x-www-form-urlencoded")

    async def _asked(self, method: str, body: bytes, content_type: str) -> dict[str, Any]:
        headers = {**self._headers, "Content-Type": content_type}
        status, answer, wait = await self._post(self._api + method, body, headers)
        if status == HTTPStatus.TOO_MANY_REQUESTS:
            raise SlackFailed(SlackTrouble.RATE_LIMITED, f"{method} answered 429", wait)
        if status != HTTPStatus.OK:
            raise SlackFailed(SlackTrouble.AWAY, f"{method} answered {status}", wait)
        try:
            found = msgspec.json.decode(answer)
        except (msgspec.DecodeError, RecursionError):
            raise SlackFailed(SlackTrouble.AWAY, f"{method} answered no JSON") from None
        if not isinstance(found, dict):
            raise SlackFailed(SlackTrouble.AWAY, f"{method} answered no object")
        if found.get("ok") is not True:
            raise _failure(method, str(found.get("error", ""))[:100])
        return found

    async def respond(self, url: str, body: dict[str, Any]) -> None:
        """Answer where Slack said one may, within half an hour of a command or a button. Raises SlackFailed."""
        if not self.may_answer_at(url):
            raise SlackFailed(SlackTrouble.REFUSED, "the address to answer at is not Slack's")
        status, _, wait = await self._post(url, msgspec.json.encode(body), {"Content-Type": "application/json"})
        if status != HTTPStatus.OK:
            trouble = SlackTrouble.RATE_LIMITED if status == 429 else SlackTrouble.AWAY
            raise SlackFailed(trouble, f"the answer was answered {status}", wait)

    def may_answer_at(self, url: str) -> bool:
        """Slack's own hosts only, whatever a request says."""
        try:
            given, ours = urlsplit(url), urlsplit(self._api)
        except ValueError:
            return False
        host = given.hostname or ""
        if given.scheme == "https" and (host == "slack.com" or host.endswith(".slack.com")):
            return given.port in (None, 443)
        return (given.scheme, given.netloc) == (ours.scheme, ours.netloc)

    async def _post(self, url: str, body: bytes, headers: dict[str, str]) -> tuple[int, bytes, float | None]:
        assert self._web is not None
        try:
            status, told, answer = await self._web.send(url, body, headers)
        except QueryFailed as error:
            raise SlackFailed(SlackTrouble.AWAY, str(error)[:200]) from None
        return status, answer, _seconds(told.get("retry-after"))


def _failure(method: str, error: str) -> SlackFailed:
    if error in ("ratelimited", "rate_limited", "message_limit_exceeded"):
        return SlackFailed(SlackTrouble.RATE_LIMITED, f"{method}: {error}")
    for trouble, errors in (
        (SlackTrouble.REVOKED, _REVOKED),
        (SlackTrouble.REFUSED, _REFUSED),
        (SlackTrouble.GONE, _GONE),
    ):
        if error in errors:
            return SlackFailed(trouble, f"{method}: {error}")
    return SlackFailed(SlackTrouble.AWAY, f"{method}: {error or 'unknown error'}")


def _form_value(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _seconds(text: str | None) -> float | None:
    try:
        return min(max(float(text or ""), 0.0), 3600.0)
    except ValueError:
        return None
