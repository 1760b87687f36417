"""The client certificate of a sender, as a proxy that ended TLS tells it in headers, against those that are admitted.

The headers prove something only where a trusted proxy sent them: the caller first drops headers from any other address.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from urllib.parse import unquote

HEADERS: frozenset[str] = frozenset(
    {"x-forwarded-client-cert", "x-forwarded-tls-client-cert-info"}
    | {"ssl-client-subject-dn", "ssl-client-verify", "x-ssl-client-s-dn", "x-ssl-client-verify"}
)
"""Of Envoy, Traefik, and nginx with its two habits."""

PREFIX = b"certificate:"
"""What a secret begins with that is no secret, but the subject or alternative name of an admitted certificate."""

_NGINX = (("ssl-client-subject-dn", "ssl-client-verify"), ("x-ssl-client-s-dn", "x-ssl-client-verify"))
_PAIR = re.compile(r'(\w+)=("(?:[^"\\]|\\.)*"|[^;,"]*)')
_SPACES = re.compile(r"\s*,\s*")
_LONGEST = 4096
"""A longer header is no certificate's subject, and takes the patterns above more time than a request may."""


def admits(secrets: Sequence[bytes], headers: Mapping[str, str]) -> bool:
    """Whether the headers tell a verified certificate whose subject, URI or DNS name is among the secrets."""
    admitted = {_plain(secret.removeprefix(PREFIX).decode()) for secret in secrets if secret.startswith(PREFIX)} - {""}
    return bool(admitted) and any(_plain(name) in admitted for name in _names(headers))


def _plain(name: str) -> str:
    return _SPACES.sub(",", name.strip())


def _names(headers: Mapping[str, str]) -> Iterator[str]:
    headers = {name: value for name, value in headers.items() if name in HEADERS and len(value) <= _LONGEST}
    for subject, verified in _NGINX:
        if headers.get(verified) == "SUCCESS" and subject in headers:
            yield headers[subject]
    # The proxy next to us writes last; what stands before it came from further away.
    envoy = _elements(headers.get("x-forwarded-client-cert", ""))[-1:]
    traefik = unquote(headers.get("x-forwarded-tls-client-cert-info", "")).split(",Subject=")[:1]
    for element in (*envoy, *traefik):
        for name, value in _PAIR.findall(element):
            if name in ("Subject", "URI", "DNS") and value:
                yield value.strip('"')


def _elements(written: str) -> list[str]:
    """The parts between commas that stand outside of quotes."""
    return [one for one in re.findall(r'(?:[^,"]|"(?:[^"\\]|\\.)*")+', written) if one.strip()]
