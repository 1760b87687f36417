"""Which of Apprise's services may be used: chats and mail, by a list of what is allowed. None that pages a person.

Whatever Apprise learns to speak later is refused until it is written down here.
"""

from __future__ import annotations

from urllib.parse import unquote

CHATS: frozenset[str] = frozenset(
    {
        "discord",
        "feishu",
        "gchat",
        "guilded",
        "lark",
        "matrix",
        "matrixs",
        "mmost",
        "mmosts",
        "nctalk",
        "nctalks",
        "rocket",
        "rockets",
        "ryver",
        "slack",
        "tgram",
        "twist",
        "webex",
        "wxteams",
        "workflow",
        "workflows",
        "zulip",
    }
)
MAIL: frozenset[str] = frozenset(
    {
        "mailto",
        "mailtos",
        "mailgun",
        "o365",
        "postmark",
        "resend",
        "sendgrid",
        "ses",
        "smtp2go",
        "sparkpost",
    }
)
ALLOWED: frozenset[str] = CHATS | MAIL

PAGERS: tuple[str, ...] = (
    "alertops.com",
    "betterstack.com",
    "betteruptime.com",
    "firehydrant.com",
    "firehydrant.io",
    "goalert.me",
    "ilert.com",
    "ilert.eu",
    "incident.io",
    "onpage.com",
    "opsgenie.com",
    "opsgenie.net",
    "pagerduty.com",
    "pagerduty.eu",
    "pagertree.com",
    "rootly.com",
    "signl4.com",
    "spike.sh",
    "squadcast.com",
    "splunkoncall.com",
    "victorops.com",
    "xmatters.com",
    "zenduty.com",
)
"""Where mail and webhooks turn into pages: no address may name one of these hosts, whatever its scheme."""


class NotAllowed(ValueError):
    """The address is not one of a chat or of mail; the message never repeats it, since it holds secrets."""


def check_address(address: str) -> str:
    """The scheme of an address that may be used. Raises NotAllowed."""
    scheme, separator, rest = address.strip().partition("://")
    scheme = scheme.lower()
    if not separator or not rest:
        raise NotAllowed(
            "expected an address of Apprise, such as mailto://USER:PASSWORD@example.com?to=team@example.com"
        )
    if scheme not in ALLOWED:
        known = ", ".join(sorted(ALLOWED))
        shown = scheme if scheme.isascii() and len(scheme) <= 20 else scheme[:20]
        raise NotAllowed(f"{shown}:// is no chat and no mail; near misses never page anybody; expected one of {known}")
    said = unquote(unquote(rest)).lower()
    for host in PAGERS:
        if host in said:
            raise NotAllowed(f"the address leads to {host}, which pages people; expected a chat or the mail of a team")
    return scheme
