"""Decides who hears of a change to a record, and queues the letters. Pure; the sender knows how a letter looks."""

from __future__ import annotations

from collections.abc import Collection

import msgspec

from monitor.chat.bulletin import Bulletin, Line, Section
from monitor.chat.sending import BulletinLetter
from monitor.chat.slack_blocks import page_of
from monitor.chat.teams import EVERYBODY, Team, Teams, not_in_quiet
from monitor.core.model.catalogue import Catalogue
from monitor.core.model.events import Instant
from monitor.ports import Record
from monitor.ports.chat import Letter, RecordChange
from monitor.review.mentions import mentions
from monitor.review.permissions import may_hear

SLACK = "slack"
"""The destination that is all channels of Slack."""

EDITED = frozenset(
    {
        "open", "amend", "start_review", "accept", "dismiss", "reopen", "withdraw", "contradict", "uncontradict",
        "merge", "split", "hand_over",
    }
)  # fmt: skip
"""After these a message that is kept up to date may read otherwise."""
TOLD = frozenset({"open", "accept", "dismiss", "reopen", "withdraw", "contradict", "hand_over"})
"""Of these, one message each goes to chats whose messages cannot be edited, and by mail."""


class RecordLetter(msgspec.Struct, frozen=True):
    """The body of a letter about a record."""

    record: str
    team: str
    action: str = "open"
    reason: str | None = None


def record_subject(record_id: str) -> str:
    return f"record:{record_id}"


def letters_of(
    change: RecordChange, record: Record, teams: Teams, catalogue: Catalogue, folded: Collection[str]
) -> list[Letter]:
    """None for what nobody is asked about: other modes than `live`, and drafts beyond the budget of their team."""
    handed = record.handling.team
    team = teams.of(catalogue, record.draft.service) if handed is None else teams.named(handed)
    asks = change.action in ("open", "reopen")
    if team is None or record.draft.mode != "live" or (asks and record.draft.id in folded):
        return []
    body = msgspec.json.encode(RecordLetter(record.draft.id, team.name, change.action, change.reason))
    key = f"change:{change.id}:{change.record_id}"
    subject = record_subject(record.draft.id)
    letters = []
    if team.channel is not None and change.action in EDITED:
        # To edit a message wakes nobody.
        due_at = not_in_quiet(team, change.at) if asks else change.at
        letters.append(Letter(SLACK, key, subject, body, change.at, due_at))
    if change.action in TOLD:
        due_at = not_in_quiet(team, change.at)
        letters += [Letter(name, key, subject, body, change.at, due_at) for name in team.to]
    return letters


def mention_letters(
    change: RecordChange, record: Record, text: str, teams: Teams, catalogue: Catalogue, address: str
) -> list[Letter]:
    """For each team that a comment calls and that may see the record: a message in its chat, never a page.

    Not within its quiet hours.
    """
    owners = {service.owner for service in catalogue.services.values() if service.owner}
    known = owners | (set(teams.by_name) - {EVERYBODY})
    letters: list[Letter] = []
    for name in mentions(text, known, lambda team: may_hear(team, record, catalogue)).teams:
        if (team := teams.named(name)) is None:
            continue
        said = Section("The comment", tuple(Line(line) for line in text.splitlines() if line.strip()))
        about = f"A comment asks {name}: {record.draft.title}"
        body = msgspec.json.encode(BulletinLetter(name, Bulletin(about, (said,), page_of(address, record.draft.id))))
        letters += bulletin_letters(team, f"mention:{change.record_id}:{int(change.at)}:{name}", body, change.at)
    return letters


def bulletin_letters(team: Team, key: str, body: bytes, now: Instant, *, quiet: bool = True) -> list[Letter]:
    """One to each place of a team. `quiet`: not within its quiet hours."""
    due_at = not_in_quiet(team, now) if quiet else now
    names = [*([SLACK] if team.channel is not None else []), *team.to]
    return [Letter(name, key, f"bulletin:{key}", body, now, due_at) for name in names]
