"""What somebody wrote in Slack is its text: without markup, without names, and in no more looks than it is long."""

from __future__ import annotations

import pytest

from monitor.chat.slack_replies import said


@pytest.mark.parametrize(
    ("written", "text"),
    [
        ("see <https://wiki.example/a|the page>, <@U1>", "see the page (https://wiki.example/a), @someone"),
        ("<https://wiki.example/a>", "https://wiki.example/a"),
        ("a &lt; b &amp;&amp; c", "a < b && c"),
        ("<!here> <#C1|general>", "@someone general (#C1)"),
        # No mark goes beyond the next `<`: a run of them would be looked at again from each of them.
        ("<<<<https://a|b>", "<<<b (https://a)"),
        ("<@<@<@U1>", "<@<@@someone"),
        ("<a|<b|<c|d>", "<a|<b|d (c)"),
    ],
)
def test_markup_becomes_text(written: str, text: str) -> None:
    assert said(written) == text
