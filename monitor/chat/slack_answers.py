"""What Slack shows to the one person who asked: a form, a whisper, a report, or why something is refused."""

from __future__ import annotations

from typing import Any

from monitor.chat.bulletin import Bulletin, as_blocks
from monitor.chat.metrics import ChatMetrics
from monitor.chat.slack_api import SlackApi, SlackFailed
from monitor.chat.slack_door import Answer
from monitor.chat.slack_requests import Request
from monitor.chat.slack_views import notice_view
from monitor.chat.texts import one_line
from monitor.core.model.reasons import ChatRequest
from monitor.ops.logs import get_logger

_log = get_logger("chat")


class SlackAnswers:
    """Where Slack fails, what was done is done: the log says that nobody was shown it."""

    def __init__(self, api: SlackApi, metrics: ChatMetrics) -> None:
        self._api, self._metrics = api, metrics

    async def refuse(self, request: Request, reason: ChatRequest, said: str) -> Answer:
        self._metrics.chat_requests.inc(reason)
        _log.warning("chat_request_refused", reason=str(reason), what=request.what)
        if request.what == "view_submission":
            return update_view("Not done", said)
        await self.whisper(request, said)
        return None

    async def open(self, request: Request, view: dict[str, Any]) -> None:
        try:
            await self._api.call("views.open", trigger_id=request.text("trigger_id"), view=view)
        except SlackFailed as failed:
            _log.warning("chat_form_not_opened", why=str(failed))
            await self.whisper(request, "Slack did not open the form in time. Press again, or use the page.")

    async def replace(self, request: Request, view: dict[str, Any]) -> None:
        """The form that waits becomes another view. Raises SlackFailed."""
        await self._api.call("views.update", view_id=request.text("view", "id"), view=view)

    async def answer(self, request: Request, bulletin: Bulletin) -> None:
        text, blocks = as_blocks(bulletin)
        await self._respond(request, {"response_type": "ephemeral", "text": text, "blocks": blocks})

    async def whisper(self, request: Request, text: str) -> None:
        """To the one person alone."""
        block = {"type": "section", "text": {"type": "plain_text", "text": one_line(text, 2000), "emoji": False}}
        body = {"response_type": "ephemeral", "replace_original": False, "text": "nearmiss", "blocks": [block]}
        await self._respond(request, body)

    async def _respond(self, request: Request, body: dict[str, Any]) -> None:
        if not (url := request.text("response_url")):
            return
        try:
            await self._api.respond(url, body)
        except SlackFailed as failed:
            _log.warning("chat_answer_failed", why=str(failed))


def update_view(title: str, text: str) -> dict[str, Any]:
    """Replaces the form that was sent."""
    return {"response_action": "update", "view": notice_view(title, text)}
