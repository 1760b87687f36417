"""Tells Slack: one message a record, kept up to date, as a reply below its team's message of the day.

Before something is posted, that it will be is written down. Where the answer got lost, the channel is asked whether the
message arrived, by the key in its metadata, and the one that stands there is edited.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from monitor.chat.bulletin import as_blocks
from monitor.chat.planner import SLACK, RecordLetter, record_subject
from monitor.chat.sending import BULLETIN, BulletinLetter, LetterRefused, PutOff, SendResult
from monitor.chat.slack_api import SlackApi, SlackFailed, SlackTrouble
from monitor.chat.slack_blocks import Content, day_content, record_content
from monitor.chat.teams import Team, Teams, local
from monitor.core.model.events import MINUTE, SECOND, Instant
from monitor.core.model.near_miss import UNDECIDED, State
from monitor.core.model.reasons import Sent
from monitor.ops.logs import get_logger
from monitor.ports import Clock, NearMisses, NotFound, Record
from monitor.ports.chat import Letter, Outbox, Post

EVENT_TYPE = "nearmiss_message"
"""The type of the metadata by which our own messages are found again."""
_LOOKED_THROUGH = 200
_BEFORE = 10 * MINUTE
"""How much earlier than we wrote it down a message may be dated by Slack's clock."""

_log = get_logger("chat")


class SlackSender:
    """The one sender of all channels."""

    coalesces = True

    def __init__(
        self, api: SlackApi, outbox: Outbox, near_misses: NearMisses, teams: Teams, clock: Clock, address: str
    ) -> None:
        self._api, self._outbox, self._near_misses = api, outbox, near_misses
        self._teams, self._clock, self._address = teams, clock, address

    async def send(self, letters: Sequence[Letter]) -> SendResult:
        try:
            if letters[0].subject.startswith(BULLETIN):
                return await self._bulletin(letters[-1])
            return await self._record(letters)
        except SlackFailed as failed:
            if failed.trouble in (SlackTrouble.REFUSED, SlackTrouble.GONE):
                raise LetterRefused(failed.detail) from failed
            raise PutOff(_in_words(failed), failed.wait) from failed

    async def _bulletin(self, letter: Letter) -> SendResult:
        told = msgspec.json.decode(letter.body, type=BulletinLetter)
        team = self._team(told.team)
        known = await self._outbox.post(SLACK, letter.subject)
        if known is not None and known.ref is not None:
            return SendResult(Sent.UNCHANGED, known)
        return await self._stand(letter.subject, letter.key, Content(*as_blocks(told.bulletin)), team, known, None)

    async def _record(self, letters: Sequence[Letter]) -> SendResult:
        about = msgspec.json.decode(letters[-1].body, type=RecordLetter)
        team = self._team(about.team)
        try:
            record = await self._near_misses.get(about.record)
        except NotFound:
            return SendResult(Sent.UNCHANGED)
        known = await self._outbox.post(SLACK, record_subject(about.record))
        if known is None and record.state not in UNDECIDED:
            # It was decided before anybody here heard of it.
            return SendResult(Sent.UNCHANGED)
        asks = any(msgspec.json.decode(each.body, type=RecordLetter).action in ("open", "reopen") for each in letters)
        if known is None and not asks:
            return SendResult(Sent.UNCHANGED)
        content = record_content(record, self._address)
        day = known.thread if known is not None else (await self._day(team, letters[-1].at)).ref
        outcome = await self._stand(letters[0].subject, letters[-1].key, content, team, known, day)
        if outcome.post is not None:
            await self._refresh_day(team, outcome.post, record)
        return outcome

    def _team(self, name: str) -> Team:
        team = self._teams.named(name)
        if team is None or team.channel is None:
            raise LetterRefused(f"the team {name} has no channel any more")
        return team

    async def _day(self, team: Team, at: Instant) -> Post:
        """The team's message of the day, posted if it is not there yet."""
        now = self._clock.now()
        subject = _day_subject(team, now)
        known = await self._outbox.post(SLACK, subject)
        if known is not None and known.ref is not None:
            return known
        content = day_content(team.name, _day_words(team, now), [])
        outcome = await self._stand(subject, f"{subject}@{at}", content, team, known, None)
        assert outcome.post is not None
        await self._outbox.note(outcome.post)
        return outcome.post

    async def _refresh_day(self, team: Team, post: Post, record: Record) -> None:
        """Count again what is below the day's message. A failure leaves the letter, which is then tried again."""
        day = await self._outbox.post(SLACK, _day_subject(team, post.at))
        if day is None or day.ref is None or day.ref != post.thread:
            return
        states = await self._states(day, post, record)
        content = day_content(team.name, _day_words(team, day.at), states)
        if content.digest == day.shown:
            return
        try:
            await self._edit(day, content)
        except SlackFailed as failed:
            if failed.trouble is not SlackTrouble.GONE:
                # The reply stands; it must be known before the whole letter is tried again.
                await self._outbox.note(post)
                raise
            return
        await self._outbox.note(msgspec.structs.replace(day, shown=content.digest))

    async def _states(self, day: Post, post: Post, record: Record) -> list[State]:
        states = {post.subject: record.state}
        for other in await self._outbox.thread(day.place, str(day.ref)):
            if other.subject not in states:
                try:
                    found = await self._near_misses.get(other.subject.removeprefix("record:"))
                except NotFound:
                    continue
                states[other.subject] = found.state
        return list(states.values())

    async def _stand(
        self, subject: str, key: str, content: Content, team: Team, known: Post | None, thread: str | None
    ) -> SendResult:
        """Make the message of a subject say this: edit the one that stands, or find it, or post it."""
        if known is not None and known.ref is None:
            found = await self._find(known)
            if found is not None:
                known = msgspec.structs.replace(known, ref=found)
                await self._outbox.note(known)
            else:
                thread, known = known.thread, None
        if known is not None:
            if known.shown == content.digest:
                return SendResult(Sent.UNCHANGED, known)
            await self._edit(known, content)
            return SendResult(Sent.EDITED, msgspec.structs.replace(known, shown=content.digest))
        about = Post(SLACK, subject, str(team.channel), key, self._clock.now(), None, thread)
        await self._outbox.note(about)
        answer = await self._api.call(
            "chat.postMessage",
            channel=about.place,
            thread_ts=thread,
            unfurl_links=False,
            unfurl_media=False,
            metadata={"event_type": EVENT_TYPE, "event_payload": {"key": key}},
            **_shown(content),
        )
        ref = answer.get("ts")
        if not isinstance(ref, str):
            raise SlackFailed(SlackTrouble.AWAY, "chat.postMessage answered without ts")
        return SendResult(Sent.POSTED, msgspec.structs.replace(about, ref=ref, shown=content.digest))

    async def _edit(self, post: Post, content: Content) -> None:
        await self._api.call("chat.update", channel=post.place, ts=post.ref, **_shown(content))

    async def _find(self, post: Post) -> str | None:
        """Where a message stands of which we do not know whether it arrived; None where it did not."""
        oldest = f"{(post.at - _BEFORE) // SECOND}.000000"
        method = "conversations.history" if post.thread is None else "conversations.replies"
        answer = await self._api.read(
            method,
            channel=post.place,
            ts=post.thread,
            oldest=oldest,
            limit=_LOOKED_THROUGH,
            include_all_metadata=True,
        )
        for message in answer.get("messages") or ():
            if _key_of(message) == post.key and isinstance(message.get("ts"), str):
                _log.info("chat_message_found_again", subject=post.subject)
                return str(message["ts"])
        return None


def _shown(content: Content) -> dict[str, Any]:
    return {"text": content.text, "blocks": content.blocks}


def _key_of(message: Any) -> str | None:
    metadata = message.get("metadata") if isinstance(message, dict) else None
    if not isinstance(metadata, dict) or metadata.get("event_type") != EVENT_TYPE:
        return None
    payload = metadata.get("event_payload")
    return str(payload.get("key")) if isinstance(payload, dict) else None


def _day_subject(team: Team, moment: int) -> str:
    return f"day:{team.name}:{local(team, moment):%Y-%m-%d}"


def _day_words(team: Team, moment: int) -> str:
    here = local(team, moment)
    return f"{here:%A} {here.day} {here:%B}"


def _in_words(failed: SlackFailed) -> str:
    if failed.trouble is SlackTrouble.RATE_LIMITED:
        return f"Slack asks to send less ({failed.detail})."
    if failed.trouble is SlackTrouble.REVOKED:
        return f"Slack does not let us in ({failed.detail}): check token and scopes, and invite the app to the channel."
    return f"Slack is away ({failed.detail})."
