"""The page of tools as a reader has it: its sections, and by what the words on it a delivery proves itself.

Knows nothing of the program's own declarations: what is not on the page, or in a vendor's description of how it signs,
is not here.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

PAGE = Path(__file__).resolve().parents[2] / "docs/reference/tools.md"
SECRET = "the-secret"
"""As the page writes it."""

_SECTION = re.compile(
    r"^## (?P<title>[^\n]+)\n\n(?P<text>- \*\*Address:\*\*.*?)(?=^## |\Z|^<!-- end)", re.MULTILINE | re.DOTALL
)
_BODY = re.compile(
    r"^A body for (?P<kinds>[^\n]*?)(?:, with the headers? (?P<headers>[^\n]*))?:\n\n```\w*\n(?P<body>.*?)^```$",
    re.MULTILINE | re.DOTALL,
)
_BLOCK = re.compile(r"^```(?P<sort>\w+)\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL)
_QUOTED = re.compile(r"`([^`]+)`")
_VARIABLE = re.compile(r"NEARMISS_SECRETS__(\w+)")
_PREFIXES = {
    "X-Hub-Signature-256": "sha256=",
    "X-PagerDuty-Signature": "v1=",
    "Circleci-Signature": "v1=",
    "X-Signature": "sha256=",
}
"""How vendors write their signatures: before the hex digits stands this."""
_BASE64 = frozenset(
    {"Heroku-Webhook-Hmac-Sha256", "X-Mms-Signature", "X-Zendesk-Webhook-Signature", "X-Vercel-Signature-64"}
)


class Section(NamedTuple):
    """One tool's section. `headers` carry what the body does not."""

    title: str
    text: str
    addresses: tuple[str, ...]
    authentication: str
    kinds: tuple[str, ...]
    body: bytes
    headers: Mapping[str, str]

    @property
    def name(self) -> str:
        return self.addresses[0].removeprefix("/ingest/")

    def blocks(self, sort: str) -> list[str]:
        """Code of a sort, without the body."""
        before = self.text.partition("\nA body for ")[0]
        return [found["text"] for found in _BLOCK.finditer(before) if found["sort"] == sort]

    def variables(self) -> list[str]:
        """The settings of secrets that the text names."""
        return [found[0] for found in _VARIABLE.finditer(self.text)]


def sections() -> Iterator[Section]:
    for found in _SECTION.finditer(PAGE.read_text(encoding="utf-8")):
        text = found["text"]
        body = _BODY.search(text)
        assert body is not None, f"{found['title']}: no body"
        told = re.search(r"^- \*\*Authentication:\*\* (.*)$", text, re.MULTILINE)
        assert told is not None
        said = (each.partition(": ") for each in _QUOTED.findall(body["headers"] or ""))
        first = text.partition("\n")[0]
        yield Section(
            found["title"],
            text,
            tuple(_QUOTED.findall(first)),
            told[1],
            tuple(_QUOTED.findall(body["kinds"])),
            body["body"].strip().encode(),
            {name: value for name, _, value in said},
        )


def proof(words: str, body: bytes, now: int) -> dict[str, str]:
    """The headers of a delivery by these words about its authentication; `now` in seconds since 1970."""
    header = next(iter(_QUOTED.findall(words)), "")
    key = SECRET.encode()
    if words.startswith("Standard Webhooks"):
        standard = hmac.digest(standard_key(), b"msg_1.%d.%b" % (now, body), "sha256")
        return {
            "webhook-id": "msg_1",
            "webhook-timestamp": str(now),
            "webhook-signature": "v1," + base64.b64encode(standard).decode(),
        }
    if "the secret token of the webhook" in words or words.endswith(": the secret itself"):
        return {header: SECRET}
    if " over " not in words:
        return {"Authorization": f"Bearer {SECRET}"}
    algorithm = next((each for each in ("sha1", "sha512") if each in words.lower().replace("-", "")), "sha256")
    if header == "X-Slack-Signature":
        signed = hmac.new(key, b"v0:%d:%b" % (now, body), hashlib.sha256)
        return {"X-Slack-Request-Timestamp": str(now), header: f"v0={signed.hexdigest()}"}
    if header == "X-Rootly-Signature":
        signed = hmac.new(key, b"%d%b" % (now, body), hashlib.sha256)
        return {header: f"t={now},v1={signed.hexdigest()}"}
    if header == "X-Zendesk-Webhook-Signature":
        signed = hmac.new(key, b"%d%b" % (now, body), hashlib.sha256)
        return {f"{header}-Timestamp": str(now), header: base64.b64encode(signed.digest()).decode()}
    if header == "Authorization":
        signed = hmac.new(key, body, hashlib.sha256)
        return {header: "HMAC " + base64.b64encode(signed.digest()).decode()}
    signed = hmac.new(key, body, algorithm)
    if header in _BASE64:
        return {header: base64.b64encode(signed.digest()).decode()}
    prefix = f"{algorithm}=" if header == "X-Hub-Signature" else _PREFIXES.get(header, "")
    return {header: prefix + signed.hexdigest()}


def standard_key() -> bytes:
    """Standard Webhooks write a key in base64, behind `whsec_`."""
    return b"a key of twenty-four byt"


def secret_of(section: Section) -> str:
    """What one enters as the secret of a tool."""
    if section.authentication.startswith("Standard Webhooks"):
        return "whsec_" + base64.b64encode(standard_key()).decode()
    return SECRET
