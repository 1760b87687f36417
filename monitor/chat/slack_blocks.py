"""What Slack shows of a record: the draft with its buttons, the line that a decided one shrinks to, the day's message.

Pure. What people or tools wrote stands in `rich_text` or `plain_text`, where nothing is markup.
"""

from __future__ import annotations

import hashlib
from typing import Any

import msgspec

from monitor.chat.bulletin import bold, link, plain, rich_line
from monitor.chat.texts import one_line, slack_text
from monitor.core.model.near_miss import UNDECIDED, State
from monitor.ports import Record
from monitor.review import wording as words
from monitor.review.likelihood import likely
from monitor.review.rendering import how_close, standing_verdict
from monitor.review.sentences import happened

Block = dict[str, Any]
ACCEPT, DISMISS, CLAIM, OPEN = "nearmiss_accept", "nearmiss_dismiss", "nearmiss_claim", "nearmiss_open"


class Content(msgspec.Struct, frozen=True):
    """A message: its fallback text and its blocks."""

    text: str
    blocks: list[Block]

    @property
    def digest(self) -> str:
        return hashlib.sha256(msgspec.json.encode([self.text, self.blocks])).hexdigest()


def page_of(address: str, record_id: str) -> str | None:
    return f"{address.rstrip('/')}/near-misses/{record_id}" if address else None


def record_content(record: Record, address: str) -> Content:
    """The draft with its buttons while nobody has decided, else one line."""
    if record.state in UNDECIDED:
        return _undecided(record, address)
    draft = record.draft
    said = _outcome(record)
    line = rich_line([bold(said), plain(" "), link(draft.title, page_of(address, draft.id))])
    if record.contradicted is not None and record.state is not State.WITHDRAWN:
        warning = f"Evidence of impact came later: {words.reason(record.contradicted)}. Look again."
        lines = [line, rich_line([plain(warning)])]
    else:
        lines = [line]
    return Content(slack_text(one_line(f"{said} {draft.title}")), [{"type": "rich_text", "elements": lines}])


def _outcome(record: Record) -> str:
    why = words.reason(record.reason)
    said = words.STATES[record.state]
    by = f", by {record.decided_by}" if record.decided_by and record.state is not State.WITHDRAWN else ""
    return one_line(f"{said}{by}{': ' + why if why else ''} –", 200)


def _undecided(record: Record, address: str) -> Content:
    draft = record.draft
    facts = [
        draft.service or "service unknown",
        draft.environment or "environment unknown",
        how_close(draft),
        words.VERDICTS[standing_verdict(record)],
    ]
    if draft.probability is not None:
        facts.append(likely(draft).heading)
    lines = [
        rich_line([_strong_link(draft.title, page_of(address, draft.id))]),
        rich_line([plain(" · ".join(facts))]),
    ]
    caught = next((cited.event for cited in draft.evidence if cited.role == "intervention"), None)
    if caught is not None:
        said = f": {caught.title}" if caught.title else ""
        lines.append(rich_line([plain(f"What caught it: {happened(caught)}{said}")]))
    if record.state is not State.DRAFT:
        lines.append(rich_line([plain(words.STATES[record.state])]))
    value = msgspec.json.encode([draft.id, record.version]).decode()
    buttons = [
        _button("Near miss…", ACCEPT, value, style="primary"),
        _button("Not one…", DISMISS, value),
    ]
    if record.state is not State.IN_REVIEW:
        buttons.append(_button("I look at it", CLAIM, value))
    if (page := page_of(address, draft.id)) is not None:
        buttons.append(_button("Open", OPEN, value, url=page))
    blocks: list[Block] = [{"type": "rich_text", "elements": lines}, {"type": "actions", "elements": buttons}]
    return Content(slack_text(one_line(f"To judge: {draft.title}")), blocks)


def _strong_link(text: str, url: str | None) -> dict[str, Any]:
    return {**link(text, url), "style": {"bold": True}}


def _button(text: str, action: str, value: str, **more: str) -> Block:
    return {
        "type": "button",
        "text": {"type": "plain_text", "text": text, "emoji": False},
        "action_id": action,
        "value": value,
        **more,
    }


def day_content(team: str, day: str, states: list[State]) -> Content:
    """The team's message of one day, under which its drafts are replies."""
    waiting = sum(state in UNDECIDED for state in states)
    decided = len(states) - waiting
    counts = f"{waiting} to judge, {decided} done" if states else "no draft yet"
    text = one_line(f"Near misses of {team}, {day}: {counts}", 240)
    line = rich_line([bold(f"Near misses of {team}, {day}"), plain(f" – {counts}; each is a reply below.")])
    return Content(slack_text(text), [{"type": "rich_text", "elements": [line]}])
