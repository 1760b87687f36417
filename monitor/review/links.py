"""Which addresses that came from outside may be opened, and which characters hide what a text says. Pure."""

from __future__ import annotations

from urllib.parse import urlsplit

LONGEST = 2000

TURNING: frozenset[str] = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
"""These show text in another order than it has, beyond their own words."""
UNSEEN: frozenset[str] = frozenset("\u200b\u2060\u2061\u2062\u2063\u2064\ufeff\u00ad\u180e")
"""These are drawn as nothing, and make one name look like another."""
_GONE = dict.fromkeys(map(ord, TURNING | UNSEEN))


def shown(text: str) -> str:
    """The text without what hides or turns it; joiners of emoji and marks of scripts stay."""
    return text if text.isascii() else text.translate(_GONE)


def web_address(url: str | None) -> str | None:
    """An address that may be opened: http or https, with a host that is what it looks like, of an ordinary length.

    A user before the host (`https://known.example@other.example`) is refused, and so is a host in other letters than
    those of ASCII.
    """
    if not url or len(url) > LONGEST or url != "".join(url.split()) or url != shown(url):
        return None
    if any(ord(each) < 32 or each in "\\\x7f" for each in url):
        return None
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        return None
    if parts.scheme not in ("http", "https") or not host or not host.isascii() or "@" in parts.netloc:
        return None
    return url
