"""Asks the monitor's API for a person at a prompt: one request, bounded, with one line where it fails."""

from __future__ import annotations

import ssl
from typing import Any

import httpx
import msgspec

SECONDS = 10.0


class NotDone(Exception):
    """The monitor is away, or refused; the message is for the person."""


def ask(address: str, token: str | None, method: str, path: str, **options: Any) -> dict[str, Any]:
    """The answer's JSON object. `options` as httpx takes them. Raises NotDone."""
    headers = {"authorization": f"Bearer {token}"} if token else {}
    url = f"{address.rstrip('/')}/api/v1{path}"
    try:
        trusted = ssl.create_default_context()
        with httpx.Client(verify=trusted, timeout=SECONDS, trust_env=False, headers=headers) as client:
            answer = client.request(method, url, **options)
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise NotDone(f"{address}: {str(error) or type(error).__name__}") from None
    try:
        found = msgspec.json.decode(answer.content)
    except msgspec.DecodeError:
        found = None
    if not isinstance(found, dict):
        raise NotDone(
            f"{address} answers {answer.status_code}, and is no nearmiss; expected the address of the service"
        )
    if not answer.is_success:
        raise NotDone(_said(found, answer.status_code))
    return found


def _said(problem: dict[str, Any], status: int) -> str:
    errors = problem.get("errors")
    parts = (
        [f"{each.get('field')}: {each.get('message')}" for each in errors if isinstance(each, dict)] if errors else []
    )
    return "; ".join(parts) or f"{problem.get('title', 'refused')} ({status}): {problem.get('detail', '')}"
