"""Text of events made harmless for a chat, Markdown and mail: what somebody wrote stays text, and stays short.

Decides nothing else; every text from outside passes here before it is shown elsewhere.
"""

from __future__ import annotations

import unicodedata

from monitor.review import links

_HIDDEN = {"Cc", "Cf", "Cs", "Co", "Zl", "Zp"}
"""Controls, among them those that turn the direction of text, and what no font draws."""
_KEPT = {"\u200d", "\ufe0f"}
"""Joiners within an emoji; they turn nothing."""
_MARKDOWN = frozenset("\\`*_{}[]()#+-.!|~@:")
_ENTITIES = {"<": "&lt;", ">": "&gt;", "&": "&amp;"}
_ZERO_WIDTH = "\u2060"


def one_line(text: str | None, most: int = 300) -> str:
    """On one line, without controls, at most so many characters; longer text ends with `…`."""
    if not text:
        return ""
    cut = text[: most * 4]
    plain = "".join(each if each in _KEPT or unicodedata.category(each) not in _HIDDEN else " " for each in cut)
    plain = " ".join(plain.split())
    return plain if len(plain) <= most and len(text) <= most * 4 else plain[: most - 1].rstrip() + "…"


def paragraph(text: str, most: int = 10_000) -> str:
    """Lines stay; everything else as in `one_line`."""
    lines = (one_line(line, most) for line in text[: most * 4].splitlines())
    return "\n".join(lines).strip()[:most]


def slack_text(text: str) -> str:
    """For a field that Slack reads as its markup: no mention, no link, no command."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def markdown(text: str) -> str:
    """For Markdown: nothing of it is markup, a link or a mention."""
    return "".join(_ENTITIES.get(each) or (f"\\{each}" if each in _MARKDOWN else each) for each in text)


def plain_chat(text: str) -> str:
    """For a chat that may make mentions, links or markup of text: an invisible joiner breaks what would become one."""
    for mark in ("@", "<", "]"):
        text = text.replace(mark, mark + _ZERO_WIDTH)
    return text.replace("://", f":{_ZERO_WIDTH}//")


def web_address(url: str | None) -> str | None:
    """An address that may be opened from a chat: one of ASCII, which every chat reads alike."""
    return links.web_address(url) if url is not None and url.isascii() else None
