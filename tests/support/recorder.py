"""The event recorder of a newer Alertmanager as its section of the page of tools says, and what it has to record."""

from __future__ import annotations

from collections import Counter
from typing import Any

import httpx
import yaml

from monitor.core.model.events import HOUR, MINUTE, to_text
from monitor.decode.registry import decode
from monitor.ops.clock import SystemClock
from tests.support import tool_pages

(SECTION,) = (section for section in tool_pages.sections() if section.title == "Alertmanager event recorder")
AT_ONCE = {"receiver": "nobody", "group_by": ["..."], "group_wait": "0s", "group_interval": "1s"}
NOBODY = {"route": AT_ONCE, "receivers": [{"name": "nobody"}]}
(FLAG,) = (word for word in SECTION.text.split("`") if word.startswith("--enable-feature="))
RECORDED = {"alert.fired": 2, "alert.silenced": 2}
"""Two alerts; the silence of one, and the alert that it mutes."""


def settings(address: str) -> dict[str, Any]:
    """What the page says, with our address, and a route that notifies nobody."""
    (block,) = SECTION.blocks("yaml")
    written: dict[str, Any] = yaml.safe_load(block.replace("http://nearmiss:8080", address))
    return written | NOBODY


def elsewhere(**outputs: dict[str, Any]) -> dict[str, Any]:
    """The recorder with these outputs alone, each of its sort."""
    recorder = {sort: [{"name": "nearmiss", **output}] for sort, output in outputs.items()}
    return {"event_recorder": recorder} | NOBODY


def silence(address: str, name: str) -> None:
    now = SystemClock().now()
    made = {
        "matchers": [{"name": "alertname", "value": name, "isRegex": False, "isEqual": True}],
        "startsAt": to_text(now),
        "endsAt": to_text(now + HOUR),
        "createdBy": "dev-one",
        "comment": "noisy while we migrate",
    }
    assert httpx.post(f"{address}/api/v2/silences", json=made, trust_env=False).is_success


def fire(address: str, name: str) -> None:
    now = SystemClock().now()
    labels = {"alertname": name, "service": "payments", "severity": "critical"}
    alert = {"labels": labels, "startsAt": to_text(now - MINUTE), "endsAt": to_text(now + HOUR)}
    assert httpx.post(f"{address}/api/v2/alerts", json=[alert], trust_env=False).is_success


def kinds_of(body: bytes) -> Counter[str]:
    """What is read, each event once. Nothing may be refused."""
    found = decode("alertmanager-events", body)
    assert found.refusals == ()
    return Counter({event.event_id: str(event.kind) for event in found.events}.values())
