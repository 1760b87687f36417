"""Tells other chats and mail, one message a change, through Apprise. Nothing here can be edited later.

A failure is tried again. A crash between the sending and its note sends that one message again, and no other.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Protocol

import apprise
import msgspec

from monitor.chat.apprise_allowed import check_address
from monitor.chat.bulletin import Bulletin, as_text
from monitor.chat.planner import RecordLetter
from monitor.chat.record_text import record_bulletin
from monitor.chat.sending import BULLETIN, BulletinLetter, PutOff, SendResult
from monitor.chat.texts import one_line, plain_chat
from monitor.core.model.reasons import Sent
from monitor.ports import NearMisses, NotFound
from monitor.ports.chat import Letter

SEND_SECONDS = 60.0


class Notify(Protocol):
    """Sends a title and a text, and blocks until it is known whether they arrived."""

    def __call__(self, title: str, body: str) -> bool: ...


class AppriseAddress:
    """One address that Apprise sends to."""

    def __init__(self, address: str) -> None:
        """Raises NotAllowed, and ValueError for an address that Apprise cannot read."""
        check_address(address)
        self._apprise = apprise.Apprise(asset=_asset())
        if not self._apprise.add(address):
            raise ValueError("Apprise cannot read this address; its documentation has the form for each service")

    def __call__(self, title: str, body: str) -> bool:
        # As text: where a service shows HTML, Apprise escapes it.
        sent = self._apprise.notify(
            title=title,
            body=body,
            body_format=apprise.NotifyFormat.TEXT,
            notify_type=apprise.NotifyType.INFO,
            interpret_escapes=False,
        )
        return bool(sent)


class AppriseSender:
    """Each letter is a message of its own."""

    coalesces = False

    def __init__(
        self, notify: Notify, scheme: str, near_misses: NearMisses, address: str, seconds: float = SEND_SECONDS
    ) -> None:
        self._notify, self._scheme, self._near_misses = notify, scheme, near_misses
        self._address, self._seconds = address, seconds

    async def send(self, letters: Sequence[Letter]) -> SendResult:
        bulletin = await self._bulletin(letters[-1])
        if bulletin is None:
            return SendResult(Sent.UNCHANGED)
        title, body = plain_chat(one_line(bulletin.title, 200)), as_text(bulletin)
        try:
            async with asyncio.timeout(self._seconds):
                sent = await asyncio.to_thread(self._notify, title, body)
        except TimeoutError:
            raise PutOff(f"{self._scheme} did not answer within {self._seconds:g} s.") from None
        except Exception as error:
            # A plug-in of another project: whatever it raises must not end the lane, and may quote the address.
            raise PutOff(f"{self._scheme} failed ({type(error).__name__}).") from error
        if not sent:
            raise PutOff(f"{self._scheme} did not take it: it is away, or the address is wrong.")
        return SendResult(Sent.POSTED)

    async def _bulletin(self, letter: Letter) -> Bulletin | None:
        if letter.subject.startswith(BULLETIN):
            return msgspec.json.decode(letter.body, type=BulletinLetter).bulletin
        about = msgspec.json.decode(letter.body, type=RecordLetter)
        try:
            record = await self._near_misses.get(about.record)
        except NotFound:
            return None
        return record_bulletin(record, about.action, about.reason, self._address)


def _asset() -> apprise.AppriseAsset:
    """No plug-ins from elsewhere, and nothing kept on disk."""
    return apprise.AppriseAsset(
        app_id="nearmiss",
        app_desc="nearmiss",
        app_url="",
        image_url_mask="",
        image_url_logo="",
        plugin_paths=[],
        allow_templates=False,
        storage_mode=apprise.PersistentStoreMode.MEMORY,
        secure_logging=True,
        async_mode=False,
    )
