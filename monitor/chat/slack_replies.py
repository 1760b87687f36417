"""Replies in the thread of a day become comments on a draft: on the one that they name, else on the last above them."""

from __future__ import annotations

import re
from typing import Any

from monitor.chat.planner import record_subject
from monitor.chat.slack_requests import Request
from monitor.chat.texts import paragraph
from monitor.core.model.events import SECOND, Instant
from monitor.ops.logs import get_logger
from monitor.ports import NearMisses, NotFound
from monitor.ports.chat import Outbox, Post

_RECORD = record_subject("")
# None goes beyond the next `<`, which Slack writes as `&lt;` where it is text: a run of them is looked at once.
_MENTION = re.compile(r"<[@!][^<>]{0,100}>")
_LINK = re.compile(r"<([^<|>]{0,2000})(?:\|([^<>]{0,2000}))?>")
_log = get_logger("chat")


class Replies:
    def __init__(self, outbox: Outbox, near_misses: NearMisses, role: str) -> None:
        self._outbox, self._near_misses, self._role = outbox, near_misses, role

    async def take(self, request: Request) -> None:
        """Raises Unavailable. The same reply twice is one comment."""
        event = request.fields.get("event")
        if not isinstance(event, dict) or event.get("type") != "message" or event.get("bot_id") or event.get("subtype"):
            return
        place, thread, ref = (str(event.get(name) or "") for name in ("channel", "thread_ts", "ts"))
        if not thread or thread == ref or (moment := _moment(ref)) is None:
            return
        text = said(str(event.get("text") or ""))
        above = await self._outbox.thread(place, thread)
        post = about(above, text, ref)
        if post is None or not text:
            return
        record_id = post.subject.removeprefix(_RECORD)
        if any(line.action == "comment" and line.at == moment for line in await self._near_misses.audit(record_id)):
            return
        try:
            await self._near_misses.comment(record_id, self._role, text, moment)
        except NotFound:
            _log.warning("chat_comment_without_record", record=record_id)


def about(posts: list[Post], text: str, ref: str) -> Post | None:
    """The draft that a reply is about; None where the thread is none of ours."""
    drafts = [post for post in posts if post.subject.startswith(_RECORD) and post.ref is not None]
    named = [post for post in drafts if post.subject.removeprefix(_RECORD) in text]
    if named:
        return named[0]
    above = [post for post in drafts if float(str(post.ref)) < float(ref)]
    return max(above, key=lambda post: float(str(post.ref)), default=None)


def said(text: str) -> str:
    """What somebody wrote, without Slack's markup; a mention names nobody."""
    text = _MENTION.sub("@someone", text)
    text = _LINK.sub(_link, text)
    for written, meant in (("&lt;", "<"), ("&gt;", ">"), ("&amp;", "&")):
        text = text.replace(written, meant)
    return paragraph(text)


def _link(found: re.Match[Any]) -> str:
    url, label = found.group(1), found.group(2)
    return f"{label} ({url})" if label and label != url else str(url)


def _moment(ref: str) -> Instant | None:
    """When a message was written, by its name in Slack: seconds with six digits behind the point."""
    whole, _, part = ref.partition(".")
    if not (ref.isascii() and whole.isdecimal() and part.isdecimal() and len(whole) <= 12 and len(part) <= 6):
        return None
    return Instant(int(whole) * SECOND + int(part.ljust(6, "0")))
