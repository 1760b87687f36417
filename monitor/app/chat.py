"""Makes the chat of its settings and of what the service has already. Decides nothing and runs nothing."""

from __future__ import annotations

from collections.abc import Callable

from fastapi import FastAPI

from monitor.app.metrics import Metrics
from monitor.chat.office import Desk, Office, SlackAccess
from monitor.chat.settings import ChatSettings
from monitor.chat.slack_work import Rights
from monitor.core.model.catalogue import Catalogue
from monitor.ports import Clock, JournalWriter
from monitor.review.budget import ReviewBudget
from monitor.store.database import Store


def build_office(
    settings: ChatSettings,
    app: FastAPI,
    store: Store,
    journal: JournalWriter,
    budget: ReviewBudget,
    catalogue: Callable[[], Catalogue],
    clock: Clock,
    metrics: Metrics,
    owner: str,
) -> Office:
    """The office, with its pages on the review's application `app`; it has still to be run."""
    review = app.state.review
    desk = Desk(
        store.outbox,
        store.chat_inbox,
        store.history,
        store.near_misses,
        journal,
        store.feed_cursors,
        review,
        budget,
        catalogue,
        clock,
        metrics,
    )
    secret = settings.told_secret
    signs = None if secret is None else secret.get_secret_value().encode()
    office = Office(desk, settings.as_teams(), _slack(settings), settings.address, owner, signs)
    office.add_to(app, app.state.pages)
    return office


def _slack(settings: ChatSettings) -> SlackAccess | None:
    if settings.slack_token is None or settings.slack_signing_secret is None:
        return None
    people = {name: person.grants() for name, person in settings.slack_people.items()}
    rights = Rights(settings.slack_role, frozenset(settings.slack_deciders), settings.slack_workspace, people)
    token, secret = settings.slack_token.get_secret_value(), settings.slack_signing_secret.get_secret_value()
    return SlackAccess(token, secret, settings.slack_api, rights)
