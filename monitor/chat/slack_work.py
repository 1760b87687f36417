"""What Slack's requests do: buttons and forms decide, replies become comments, the command and the shortcut answer.

People act under one role; who may is a list of Slack's ids. Calls the same use cases as page and API.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from monitor.chat.slack_answers import SlackAnswers, update_view
from monitor.chat.slack_blocks import ACCEPT, CLAIM, DISMISS
from monitor.chat.slack_command import SlackCommand, report_token
from monitor.chat.slack_door import Answer
from monitor.chat.slack_replies import Replies
from monitor.chat.slack_requests import Request
from monitor.chat.slack_views import (
    DECIDE,
    WEIRD,
    About,
    WeirdAbout,
    accept_view,
    decision_of,
    dismiss_view,
    errors_for,
    notice_view,
    value,
    weird_view,
)
from monitor.chat.teams import Teams
from monitor.chat.texts import paragraph
from monitor.core.model.catalogue import Catalogue
from monitor.core.model.events import Instant
from monitor.core.model.near_miss import DECIDED, UNDECIDED, IllegalMove, Move
from monitor.core.model.reasons import ChatRequest
from monitor.ops.logs import get_logger
from monitor.ports import NotFound, Record, VersionConflict
from monitor.review import wording as words
from monitor.review.permissions import Access, Grants, may
from monitor.review.reports import Report, Reports
from monitor.review.service import Decision, Invalid, Review

SHORTCUTS = ("nearmiss_weird", "nearmiss_weird_message")

_log = get_logger("chat")


class Rights(msgspec.Struct, frozen=True):
    """Who may do what from Slack. No `deciders`: all who are in the channel. `workspace`: its id, where it is given.

    `people`: what each may do, by their id in Slack, as with an account; with any, nobody else decides or reports.
    """

    role: str
    deciders: frozenset[str] = frozenset()
    workspace: str | None = None
    people: Mapping[str, Grants] = {}

    def decides(self, user: str, record: Record | None, catalogue: Catalogue) -> bool:
        """Whether they may decide on the record; None: on anything."""
        if self.people:
            grants = self.people.get(user, Grants())
            if record is None:
                return grants.highest is not None and grants.highest.height >= Access.REVIEWER.height
            return may(grants, Access.REVIEWER, record, catalogue)
        return not self.deciders or user in self.deciders


class SlackWorker:
    """Worker of the door."""

    def __init__(
        self,
        answers: SlackAnswers,
        review: Review,
        reports: Reports,
        replies: Replies,
        command: SlackCommand,
        teams: Teams,
        catalogue: Callable[[], Catalogue],
        rights: Rights,
    ) -> None:
        self._answers, self._review, self._reports = answers, review, reports
        self._replies, self._command, self._teams = replies, command, teams
        self._catalogue, self._rights = catalogue, rights

    async def work(self, request: Request, at: Instant) -> Answer:
        workspace = request.text("team", "id") or request.text("team_id")
        if self._rights.workspace is not None and workspace != self._rights.workspace:
            return await self._answers.refuse(
                request, ChatRequest.ELSEWHERE, "This workspace is not the configured one."
            )
        match request.what:
            case "block_actions":
                return await self._action(request)
            case "view_submission":
                return await self._form(request, at)
            case "shortcut" | "message_action" if request.text("callback_id") in SHORTCUTS:
                story = paragraph(request.text("message", "text"), 2000)
                await self._answers.open(request, weird_view(report_token(request), at, story))
            case "event_callback":
                await self._replies.take(request)
            case "/nearmiss":
                await self._command.answer(request, at)
            case _:
                _log.info("chat_request_ignored", what=request.what)
        return None

    async def too_late(self, request: Request, answer: Answer) -> None:
        view = notice_view("Done", "It was carried out.")
        if answer is not None:
            said = answer.get("view") or notice_view("Not done", _errors_of(answer))
            view = notice_view("Later", "The database is away; it is carried out later.") if "later" in answer else said
        await self._answers.replace(request, view)

    async def _action(self, request: Request) -> Answer:
        actions = request.fields.get("actions")
        action = actions[0] if isinstance(actions, list) and actions and isinstance(actions[0], dict) else {}
        name = action.get("action_id")
        if name not in (ACCEPT, DISMISS, CLAIM):
            return None
        if refused := self._elsewhere(request) or self._may_not_decide(request, None):
            return await self._answers.refuse(request, *refused)
        try:
            record_id, version = msgspec.json.decode(str(action.get("value")), type=tuple[str, int])
            record = await self._review.show(record_id)
        except (msgspec.MsgspecError, NotFound):
            return await self._answers.refuse(request, ChatRequest.UNREADABLE, "There is no such draft any more.")
        if refused := self._may_not_decide(request, record):
            return await self._answers.refuse(request, *refused)
        if record.state not in UNDECIDED:
            await self._answers.whisper(
                request, f"It is {words.STATES[record.state].lower()} already: {record.draft.title}"
            )
        elif name == CLAIM:
            await self._claim(request, record, version)
        else:
            await self._answers.open(request, accept_view(record) if name == ACCEPT else dismiss_view(record))
        return None

    async def _claim(self, request: Request, record: Record, version: int) -> None:
        try:
            decision = Decision(Move.START_REVIEW, expected_version=version)
            await self._review.decide(record.draft.id, decision, self._rights.role)
        except (IllegalMove, VersionConflict):
            await self._answers.whisper(
                request, f"Someone was quicker; it is {words.STATES[record.state].lower()} now."
            )

    async def _form(self, request: Request, at: Instant) -> Answer:
        name = request.text("view", "callback_id")
        view = request.fields.get("view")
        state = view.get("state") if isinstance(view, dict) else None
        values = state.get("values") if isinstance(state, dict) else None
        filled = values if isinstance(values, dict) else {}
        private = request.text("view", "private_metadata")
        if name == WEIRD and (refused := self._may_not_report(request)):
            return await self._answers.refuse(request, *refused)
        if name not in (WEIRD, DECIDE):
            return None
        try:
            if name == WEIRD:
                return await self._weird(filled, msgspec.json.decode(private, type=WeirdAbout), at)
            about = msgspec.json.decode(private, type=About)
        except msgspec.DecodeError:
            return await self._answers.refuse(request, ChatRequest.UNREADABLE, "This form is none of ours.")
        return await self._decided(request, about, filled)

    async def _decided(self, request: Request, about: About, filled: dict[str, Any]) -> Answer:
        fields = ("reason", "note") if about.move is Move.DISMISS else ("why_near_miss", "users_hit", "what_saved_it")
        try:
            if refused := self._may_not_decide(request, await self._review.show(about.record)):
                return await self._answers.refuse(request, *refused)
            await self._review.decide(about.record, decision_of(about, filled), self._rights.role)
        except Invalid as error:
            return {"response_action": "errors", "errors": errors_for(error.problems, fields)}
        except NotFound:
            return update_view("Gone", "There is no such draft any more. Nothing was changed.")
        except (VersionConflict, IllegalMove):
            return await self._was_moved(about, filled)
        return None

    async def _was_moved(self, about: About, filled: dict[str, Any]) -> Answer:
        """Another person's move, or our own from before a crash: the record stays as it is."""
        record = await self._review.show(about.record)
        if record.state in DECIDED and record.version == about.version + 1 and _is_that(record, about, filled):
            return None
        state = words.STATES[record.state].lower()
        by = f" by {record.decided_by}" if record.decided_by else ""
        typed = [value(filled, name) for name in ("why_near_miss", "what_saved_it", "what_next_time", "note")]
        lost = " What you wrote: " + " / ".join(each for each in typed if each) if any(typed) else ""
        return update_view("Changed meanwhile", f"It is {state} now{by}; nothing was overwritten.{lost}")

    async def _weird(self, filled: dict[str, Any], about: WeirdAbout, at: Instant) -> Answer:
        report = Report(
            about.token,
            value(filled, "kind") or "",
            value(filled, "service") or "",
            value(filled, "story") or "",
            Instant(min(about.seen_at, at)),
            value(filled, "hurt") or "",
        )
        try:
            await self._reports.tell(report, self._rights.role)
        except Invalid as error:
            fields = ("story", "kind", "service", "hurt")
            return {"response_action": "errors", "errors": errors_for(error.problems, fields)}
        return update_view("Thank you", "Your report is stored. A draft opens once it is clear that no harm followed.")

    def _elsewhere(self, request: Request) -> tuple[ChatRequest, str] | None:
        channel = request.text("channel", "id") or request.text("channel_id")
        if not self._teams.in_channel(channel):
            return ChatRequest.ELSEWHERE, "Drafts are decided in the channel of their team."
        return None

    def _may_not_decide(self, request: Request, record: Record | None) -> tuple[ChatRequest, str] | None:
        user = request.text("user", "id") or request.text("user_id")
        if self._rights.decides(user, record, self._catalogue()):
            return None
        return ChatRequest.NOT_ALLOWED, "You may look, but not decide: ask who runs nearmiss to add you."

    def _may_not_report(self, request: Request) -> tuple[ChatRequest, str] | None:
        """Anyone in Slack may report; where people are listed, only those who may report on the page."""
        if self._rights.people and not self._rights.decides(request.text("user", "id"), None, self._catalogue()):
            return ChatRequest.NOT_ALLOWED, "You may look, but not report: ask who runs nearmiss to add you."
        return None


def _errors_of(answer: dict[str, Any]) -> str:
    errors = answer.get("errors")
    return " ".join(errors.values()) if isinstance(errors, dict) else "Nothing was changed."


def _is_that(record: Record, about: About, filled: dict[str, Any]) -> bool:
    """Whether the record stands as this form wanted it."""
    if about.move is Move.DISMISS:
        return record.reason == value(filled, "reason")
    return record.answers.why_near_miss == (value(filled, "why_near_miss") or "")
