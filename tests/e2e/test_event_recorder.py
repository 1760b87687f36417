"""The event recorder of a real, newer Alertmanager, configured as its section of the page of tools says."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import httpx
import yaml

from monitor.core.model.events import HOUR, MINUTE, to_text
from monitor.ops.clock import SystemClock
from tests.support import tool_pages
from tests.support.service import Service
from tests.support.shop import alertmanager, newer_alertmanager
from tests.support.tool_pages import SECRET
from tests.support.waiting import until

(SECTION,) = (section for section in tool_pages.sections() if section.title == "Alertmanager event recorder")
AT_ONCE = {"receiver": "nobody", "group_by": ["..."], "group_wait": "0s", "group_interval": "1s"}


def settings(address: str) -> dict[str, Any]:
    """What the page says, with our address, and a route that notifies nobody."""
    (block,) = SECTION.blocks("yaml")
    written: dict[str, Any] = yaml.safe_load(block.replace("http://nearmiss:8080", address))
    return {**written, "route": AT_ONCE, "receivers": [{"name": "nobody"}]}


def fire(address: str, name: str) -> None:
    now = SystemClock().now()
    labels = {"alertname": name, "service": "payments", "severity": "critical"}
    alert = {"labels": labels, "startsAt": to_text(now - MINUTE), "endsAt": to_text(now + HOUR)}
    assert httpx.post(f"{address}/api/v2/alerts", json=[alert], trust_env=False).is_success


def test_what_nobody_was_paged_for_and_who_silenced_what_is_recorded(tmp_path: Path) -> None:
    program = newer_alertmanager()
    (flag,) = (word for word in SECTION.text.split("`") if word.startswith("--enable-feature="))
    secret = {"NEARMISS_SECRETS__ALERTMANAGER_EVENTS": SECRET}
    service = Service(tmp_path, "--database", f"sqlite:///{tmp_path / 'n.db'}", environment=secret)
    try:
        service.start()
        with alertmanager(tmp_path, settings(service.address), str(program), flag) as address:
            now = SystemClock().now()
            silence = {
                "matchers": [{"name": "alertname", "value": "DiskFills", "isRegex": False, "isEqual": True}],
                "startsAt": to_text(now),
                "endsAt": to_text(now + HOUR),
                "createdBy": "dev-one",
                "comment": "noisy while we migrate",
            }
            assert httpx.post(f"{address}/api/v2/silences", json=silence, trust_env=False).is_success
            fire(address, "DiskFills")
            fire(address, "ErrorRate")

            def recorded() -> Counter[str] | None:
                sources = service.get("/api/v1/sources").json()["sources"]
                kinds = Counter(
                    next((each["kinds"] for each in sources if each["source"] == "alertmanager-events"), {})
                )
                return kinds if kinds["alert.fired"] >= 2 and kinds["alert.silenced"] else None

            until(recorded, "both alerts and the silence are recorded")
        (row,) = (
            each for each in service.get("/api/v1/sources").json()["sources"] if each["source"] == "alertmanager-events"
        )
        assert [reason for reason in row["reasons"] if not reason["understood"]] == []
    finally:
        service.close()
