"""One change of a record as a message of its own, for chats that cannot edit and for mail. Pure."""

from __future__ import annotations

from monitor.chat.bulletin import Bulletin, Line, Section
from monitor.chat.slack_blocks import page_of
from monitor.ports import Record
from monitor.review import wording as words
from monitor.review.rendering import how_close, standing_verdict
from monitor.review.sentences import happened

_SAID = {
    "open": "To judge",
    "accept": "Accepted",
    "dismiss": "Dismissed",
    "reopen": "Reopened",
    "withdraw": "Withdrawn",
    "hand_over": "Handed over to you",
    "contradict": "Evidence of impact came later",
}


def record_bulletin(record: Record, action: str, reason: str | None, address: str) -> Bulletin:
    """`action` and `reason` are those of the change, whatever came after it."""
    draft = record.draft
    facts = [
        Line(draft.service or "service unknown"),
        Line(draft.environment or "environment unknown"),
        Line(f"How close: {how_close(draft)}"),
    ]
    if action in ("open", "reopen"):
        facts.append(Line(words.VERDICTS[standing_verdict(record)]))
        facts += [
            Line(f"What caught it: {happened(cited.event)}{': ' + cited.event.title if cited.event.title else ''}")
            for cited in draft.evidence
            if cited.role == "intervention"
        ][:1]
    if reason:
        facts.append(Line(f"Because: {words.reason(reason)}"))
    title = f"{_SAID.get(action, words.ACTIONS.get(action, action))}: {draft.title}"
    return Bulletin(title, (Section("What is known", tuple(facts)),), page_of(address, draft.id))
