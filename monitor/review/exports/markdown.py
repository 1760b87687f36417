"""A document as Markdown. What tools and people wrote stays text: nothing of it becomes markup, a link or a script."""

from __future__ import annotations

import re
import unicodedata

from monitor.core.model.durations import say_duration
from monitor.core.model.events import SECOND
from monitor.review import wording as words
from monitor.review.exports.document import RecordDocument

_MARKUP = re.compile(r"([\\`*_{}\[\]()#+!|~<>-])")
_LINK = re.compile(r"\b([a-z][a-z0-9+.-]*):", re.IGNORECASE)


def to_markdown(document: RecordDocument) -> str:
    close = document.margin.text if document.margin else f"{_span(document.seconds_to_action)} to action"
    lines = [
        f"# {plain(document.title)}",
        "",
        f"*{plain(words.VERDICTS[document.verdict])}. {plain(close)}.*",  # type: ignore[index]  # one of the verdicts
        "",
        f"- **State**: {plain(document.state.replace('_', ' '))}"
        + (f" ({plain(document.reason)})" if document.reason else ""),
        f"- **Services**: {', '.join(map(plain, document.services)) or 'unknown'}",
        f"- **Environment**: {plain(document.environment or 'unknown')}",
        f"- **First sign**: {plain(document.first_sign_at)}",
        f"- **To action**: {_span(document.seconds_to_action)}; **to safe**: {_span(document.seconds_to_safe)}",
    ]
    if document.risk is not None:
        outcome, barrier = words.OUTCOMES[document.risk.outcome][0], words.BARRIERS[document.risk.barrier][0]
        lines.append(f"- **Risk**: {document.risk.index} of 2,500 ({outcome.lower()}, prevented by {barrier.lower()})")
    for heading, text in (
        ("What made it a near miss", document.why_near_miss),
        ("What saved it", document.what_saved_it),
        ("What would help next time", document.what_next_time),
        ("Still open", document.open_condition or ""),
    ):
        if text:
            lines += ["", f"## {heading}", "", plain(text)]
    lines += ["", "## How it went", "", "| time (UTC) | what | | service |", "|---|---|---|---|"]
    for each in document.timeline:
        lines.append(
            f"| {plain(each.at)} | {plain(each.what)} | {plain(each.title or '')} | {plain(each.service or '')} |"
        )
    for heading, listed in (
        ("What speaks for a rescue", document.speaks_for),
        ("What speaks against", document.speaks_against),
        ("What could not be checked", document.not_checked),
    ):
        if listed:
            lines += ["", f"## {heading}", "", *(f"- {plain(each)}" for each in listed)]
    if document.trail:
        lines += ["", "## What people said and did", ""]
        lines += [
            f"- {plain(each.at)}: {plain(each.by)} {plain(each.did)}" + (f": {plain(each.note)}" if each.note else "")
            for each in document.trail
        ]
    if document.removed:
        told = ", ".join(f"{count} × {what}" for what, count in document.removed.items())
        lines += ["", f"Taken out of this version: {told}."]
    return "\n".join(lines) + "\n"


def plain(text: str) -> str:
    """One line of text in which nothing means anything to a reader of Markdown."""
    one_line = " ".join(visible(text).split())
    return _LINK.sub(
        r"\1&#58;", _MARKUP.sub(r"\\\1", one_line.replace("&", "&amp;")).replace("\\<", "&lt;").replace("\\>", "&gt;")
    ).replace("@", "&#64;")


def visible(text: str) -> str:
    """Without control characters and those that change the direction of what follows."""
    return "".join(
        each if unicodedata.category(each) not in ("Cc", "Cf", "Co", "Cs") or each == "\u200d" else " " for each in text
    )


def _span(seconds: float) -> str:
    return say_duration(int(seconds * SECOND))
