"""What is told at one time, as values, and its forms: Markdown, plain text, blocks of Slack.

Knows nothing of how it came about or where it goes.
"""

from __future__ import annotations

from typing import Any

import msgspec

from monitor.chat.texts import markdown, one_line, plain_chat, slack_text, web_address

MOST_LINES = 12
"""Lines of a section in a chat; the page has all of them."""
_LONGEST_LINE = 240
_MOST_BLOCKS = 45


class Line(msgspec.Struct, frozen=True):
    """One thing: a sentence, and the page about it."""

    text: str
    url: str | None = None


class Section(msgspec.Struct, frozen=True):
    """Things of one kind. `none`: the sentence where there are none."""

    title: str
    lines: tuple[Line, ...]
    none: str = "None."


class Bulletin(msgspec.Struct, frozen=True):
    """A title, sections, and the page with all of it."""

    title: str
    sections: tuple[Section, ...] = ()
    url: str | None = None


def as_markdown(bulletin: Bulletin) -> str:
    """All lines, however many."""
    parts = [f"# {markdown(one_line(bulletin.title))}"]
    for section in bulletin.sections:
        parts.append(f"## {markdown(one_line(section.title))}")
        lines = [_markdown_line(line) for line in section.lines]
        parts.append("\n".join(lines) if lines else markdown(section.none))
    return "\n\n".join(parts) + "\n"


def _markdown_line(line: Line) -> str:
    text = markdown(one_line(line.text))
    url = web_address(line.url)
    return f"- [{text}](<{url}>)" if url and not set(url) & {"<", ">"} else f"- {text}"


def as_text(bulletin: Bulletin) -> str:
    """For mail and chats without blocks."""
    parts = []
    for section in bulletin.sections:
        shown = [_text_line(line) for line in section.lines[:MOST_LINES]]
        if (more := len(section.lines) - len(shown)) > 0:
            shown.append(f"- and {more} more")
        parts.append("\n".join([section.title, *(shown or [section.none])]))
    if url := web_address(bulletin.url):
        parts.append(url)
    return "\n\n".join(parts)


def _text_line(line: Line) -> str:
    text = plain_chat(one_line(line.text, _LONGEST_LINE))
    url = web_address(line.url)
    return f"- {text} {url}" if url else f"- {text}"


def as_blocks(bulletin: Bulletin) -> tuple[str, list[dict[str, Any]]]:
    """The fallback text and the blocks. What people wrote is in `rich_text`, which has no markup."""
    title = one_line(bulletin.title, 150) or "nearmiss"
    blocks: list[dict[str, Any]] = [{"type": "header", "text": {"type": "plain_text", "text": title, "emoji": False}}]
    for section in bulletin.sections[:_MOST_BLOCKS]:
        elements: list[dict[str, Any]] = [rich_line([bold(section.title)])]
        shown = section.lines[:MOST_LINES]
        if not shown:
            elements.append(rich_line([plain(section.none)]))
        else:
            items = [rich_line([link(line.text, line.url)]) for line in shown]
            if (more := len(section.lines) - len(shown)) > 0:
                items.append(rich_line([plain(f"and {more} more")]))
            elements.append({"type": "rich_text_list", "style": "bullet", "elements": items})
        blocks.append({"type": "rich_text", "elements": elements})
    if url := web_address(bulletin.url):
        blocks.append({"type": "rich_text", "elements": [rich_line([link("Open the page", url)])]})
    return slack_text(title), blocks


def rich_line(parts: list[dict[str, Any]]) -> dict[str, Any]:
    return {"type": "rich_text_section", "elements": parts}


def plain(text: str) -> dict[str, Any]:
    return {"type": "text", "text": one_line(text, _LONGEST_LINE) or " "}


def bold(text: str) -> dict[str, Any]:
    return {**plain(text), "style": {"bold": True}}


def link(text: str, url: str | None) -> dict[str, Any]:
    """A link where the address is one that may be opened, else its text."""
    address = web_address(url)
    return plain(text) if address is None else {"type": "link", "url": address, "text": plain(text)["text"]}
