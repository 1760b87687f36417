"""Text from outside stays text in chats, Markdown and mail, whatever it holds."""

from __future__ import annotations

import pytest

from monitor.chat.bulletin import MOST_LINES, Bulletin, Line, Section, as_blocks, as_markdown, as_text
from monitor.chat.texts import one_line, paragraph, web_address
from tests.support.slack import check_blocks

HOSTILE = [
    "<script>alert(1)</script>",
    "[click](javascript:alert(1))",
    "![x](https://evil.example/x.png)",
    "@channel @here <!everyone> <@U1>",
    "https://evil.example/path",
    "# heading\n- item\n> quote",
    "\u202egpj.exe\u2066\u200b",
    "💥👩\u200d💻 flag",
    "x" * 10_000,
    "\x00\x07\x1b[31m",
    "",
]


@pytest.mark.parametrize("hostile", HOSTILE)
def test_no_form_of_a_bulletin_gives_text_a_meaning(hostile: str) -> None:
    bulletin = Bulletin(hostile, (Section("Title", (Line(hostile, hostile), Line(hostile, "https://ours.example/1"))),))
    text, blocks = as_blocks(bulletin)
    check_blocks(blocks, {"header", "rich_text"})
    pieces = [
        piece
        for block in blocks if block["type"] == "rich_text"
        for element in block["elements"]
        for part in (element["elements"] if element["type"] == "rich_text_list" else [element])
        for piece in part["elements"]
    ]  # fmt: skip
    assert {piece["url"] for piece in pieces if "url" in piece} <= {"https://ours.example/1", hostile}
    assert "<" not in text
    markdown = as_markdown(bulletin)
    for meaning in ("](javascript:", "\n# heading", "\n- item", "<script", "![x](", "<!everyone>"):
        assert meaning not in markdown
    mail = as_text(bulletin)
    for meaning in ("@channel", "<!everyone>", "](", "<script"):
        assert meaning not in mail
    for form in (markdown, mail, text):
        assert not {"\u202e", "\u2066", "\u200b", "\x00", "\x07", "\x1b"} & set(form)
        assert len(form) < 2_000


def test_an_emoji_of_several_parts_stays_one() -> None:
    assert one_line("👩\u200d💻") == "👩\u200d💻"


@pytest.mark.parametrize(
    ("text", "shown"), [("abc", "abc"), ("abcd", "ab…"), ("a\n b\t c", "a…"), (None, ""), ("a" * 9, "aa…")]
)
def test_a_text_is_cut_to_what_fits(text: str | None, shown: str) -> None:
    assert one_line(text, 3) == shown


def test_lines_of_a_comment_stay_lines() -> None:
    assert paragraph("first\n\u202esecond  x\n") == "first\nsecond x"


@pytest.mark.parametrize(
    "address",
    [
        "javascript:alert(1)",
        "data:text/html,x",
        "//evil",
        "http://",
        "https://a b",
        "http://[",
        "https://ä.example",
        "https://example.com/" + "x" * 3000,
        None,
    ],
)
def test_what_is_no_web_address_is_no_link(address: str | None) -> None:
    assert web_address(address) is None


def test_a_long_section_says_how_much_more_there_is() -> None:
    lines = tuple(Line(f"line {number}") for number in range(MOST_LINES + 3))
    bulletin = Bulletin("Title", (Section("Lines", lines),))
    assert "and 3 more" in as_text(bulletin)
    assert "and 3 more" in str(as_blocks(bulletin))
    assert f"line {MOST_LINES + 2}" in as_markdown(bulletin)
