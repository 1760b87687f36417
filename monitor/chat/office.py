"""Puts the chat together: settings and ports become senders, the door for Slack, reports, and one thing to run.

Decides what runs where something is configured; opens no connection before it runs.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from contextlib import AsyncExitStack
from functools import partial

import msgspec
from fastapi import Depends, FastAPI

from monitor.chat.bulletin import Bulletin
from monitor.chat.metrics import OfficeMetrics
from monitor.chat.pages import build_chat_pages
from monitor.chat.planner import SLACK
from monitor.chat.postman import ROUND_SECONDS, Postman
from monitor.chat.reporter import Reporter
from monitor.chat.sending import Sender
from monitor.chat.slack_answers import SlackAnswers
from monitor.chat.slack_api import SlackApi
from monitor.chat.slack_command import SlackCommand
from monitor.chat.slack_door import SlackDoor
from monitor.chat.slack_replies import Replies
from monitor.chat.slack_sender import SlackSender
from monitor.chat.slack_work import Rights, SlackWorker
from monitor.chat.teams import Team, Teams
from monitor.chat.webhook_sender import WebhookSender
from monitor.core.model.catalogue import Catalogue
from monitor.ops.tasks import WatchedTasks, restarted
from monitor.ports import Clock, FeedCursors, JournalWriter, NearMisses
from monitor.ports.chat import ChatInbox, EventHistory, Outbox
from monitor.review.budget import ReviewBudget
from monitor.review.rendering import Pages
from monitor.review.reports import Reports
from monitor.review.service import Review

GRACE_SECONDS = 15.0
"""So long a message that is under way has to arrive when the service stops."""


class SlackAccess(msgspec.Struct, frozen=True):
    """How to speak to Slack, and who may decide there."""

    token: str
    signing_secret: str
    api: str
    rights: Rights


class Desk(msgspec.Struct, frozen=True):
    """The ports that the chat works with."""

    outbox: Outbox
    inbox: ChatInbox
    past: EventHistory
    near_misses: NearMisses
    journal: JournalWriter
    cursors: FeedCursors
    review: Review
    budget: ReviewBudget
    catalogue: Callable[[], Catalogue]
    clock: Clock
    metrics: OfficeMetrics


class Office:
    """All that tells people and hears them. `add_to` the web application, then `run`."""

    def __init__(
        self,
        desk: Desk,
        teams: Teams,
        slack: SlackAccess | None,
        address: str,
        owner: str,
        told_secret: bytes | None = None,
    ) -> None:
        """`told_secret` signs what webhooks get."""
        self._desk, self._teams, self._address, self._owner = desk, teams, address, owner
        self._told_secret = told_secret
        self._api = None if slack is None else SlackApi(slack.token, slack.api)
        self.reporter = Reporter(
            desk.past,
            desk.near_misses,
            desk.outbox,
            desk.cursors,
            teams,
            desk.catalogue,
            desk.clock,
            desk.metrics,
            address,
        )
        self._door = None if slack is None or self._api is None else self._make_door(slack, self._api)

    def add_to(self, app: FastAPI, pages: Pages) -> None:
        pages_of_chat = build_chat_pages(self.reporter, self._desk.outbox, pages)
        app.include_router(pages_of_chat, dependencies=[Depends(app.state.gate)])
        if self._door is not None:
            app.include_router(self._door.router())

    def _make_door(self, slack: SlackAccess, api: SlackApi) -> SlackDoor:
        desk = self._desk
        answers = SlackAnswers(api, desk.metrics)
        worker = SlackWorker(
            answers,
            desk.review,
            Reports(desk.journal, desk.clock, desk.metrics),
            Replies(desk.outbox, desk.near_misses, slack.rights.role),
            SlackCommand(answers, desk.review, self._teams, desk.catalogue, self._shift, self._address),
            self._teams,
            desk.catalogue,
            slack.rights,
        )
        return SlackDoor(slack.signing_secret, desk.inbox, worker, desk.clock, desk.metrics)

    async def _shift(self, team: Team) -> Bulletin:
        """Both reports in one message."""
        ahead, behind = await self.reporter.around_now(team)
        return Bulletin(ahead.title, (*ahead.sections, *behind.sections), ahead.url)

    def _senders(self, hooks: Mapping[str, Sender]) -> dict[str, Sender]:
        # Imported here: Apprise has a plug-in for each service, and is needed where an address is configured only.
        from monitor.chat.apprise_sender import AppriseAddress, AppriseSender

        desk = self._desk
        found: dict[str, Sender] = {}
        if self._api is not None:
            found[SLACK] = SlackSender(self._api, desk.outbox, desk.near_misses, self._teams, desk.clock, self._address)
        for team in self._teams.by_name.values():
            for name, address in team.to.items():
                scheme = address.partition("://")[0].lower()
                found[name] = AppriseSender(AppriseAddress(address), scheme, desk.near_misses, self._address)
        return {**found, **hooks}

    def _webhooks(self) -> dict[str, WebhookSender]:
        return {
            name: WebhookSender(address, self._told_secret, self._desk.clock)
            for team in self._teams.by_name.values()
            for name, address in team.webhooks.items()
        }

    async def run(self, stop: asyncio.Event) -> None:
        """Tell and hear until `stop`. Where nobody is to be told there is nothing to do."""
        if not self._teams.by_name:
            return
        desk, hooks = self._desk, self._webhooks()
        postman = Postman(
            desk.outbox,
            desk.inbox,
            self._senders(hooks),
            desk.near_misses,
            desk.budget,
            self._teams,
            desk.catalogue,
            desk.clock,
            desk.metrics,
            self._owner,
            self._address,
        )
        async with AsyncExitStack() as stack:
            if self._api is not None:
                await stack.enter_async_context(self._api)
            for hook in hooks.values():
                await stack.enter_async_context(hook)
            if self._door is not None:
                await stack.enter_async_context(self._door)
            tasks = await stack.enter_async_context(WatchedTasks())
            tasks.start("postman", postman.run(stop), may_end=True)
            tasks.start("chat reports", self.reporter.run(stop), may_end=True)
            if self._door is not None:
                failed = partial(desk.metrics.part_failures.inc, "chat")
                left_over = restarted(partial(self._door.run, stop), stop, "slack requests", failed)
                tasks.start("slack requests", left_over, may_end=True)
            await tasks.watch(stop)
            await tasks.end(grace=min(GRACE_SECONDS, ROUND_SECONDS))
