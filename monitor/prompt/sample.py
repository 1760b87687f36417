"""Sends one body to the monitor's real address, marked as a check, so that nothing of it is kept."""

from __future__ import annotations

import ssl
from collections.abc import Mapping
from typing import Any

import httpx
import msgspec

CHECK = "x-nearmiss-check"
"""The header that asks what would come out."""
SECONDS = 10.0


class NoAnswer(Exception):
    """The monitor cannot be reached, or what answers is none."""


def check_sample(
    address: str, source: str, body: bytes, headers: Mapping[str, str], seconds: float = SECONDS
) -> tuple[int, dict[str, Any]]:
    """The status and the JSON that came back. Raises NoAnswer."""
    url = f"{address.rstrip('/')}/ingest/{source}"
    try:
        with httpx.Client(verify=ssl.create_default_context(), timeout=seconds, trust_env=False) as client:
            answer = client.post(url, content=body, headers={**headers, CHECK: "1"})
    except (httpx.HTTPError, httpx.InvalidURL, OSError) as error:
        raise NoAnswer(f"{url}: {str(error) or type(error).__name__}; is nearmiss running there?") from None
    try:
        found = msgspec.json.decode(answer.content)
    except msgspec.DecodeError:
        raise NoAnswer(f"{url}: answered {answer.status_code} without JSON; is it a nearmiss?") from None
    return answer.status_code, found if isinstance(found, dict) else {}
