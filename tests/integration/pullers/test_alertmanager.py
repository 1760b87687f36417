"""A real Alertmanager: a silence that somebody made and the alert that it mutes reach the running service."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import httpx
import msgspec

from monitor.core.model.events import HOUR, MINUTE, Event, to_text
from monitor.decode.times import instant_hook
from monitor.ops.clock import SystemClock
from tests.support.service import Service
from tests.support.shop import alertmanager
from tests.support.waiting import until

MATCHER = {"name": "service", "value": "payments", "isRegex": False, "isEqual": True}


def journal(directory: Path) -> list[Event]:
    with sqlite3.connect(f"file:{directory / 'n-journal.db'}?mode=ro", uri=True) as database:
        rows = database.execute("SELECT body FROM journal ORDER BY position").fetchall()
    return [msgspec.json.decode(row[0], type=Event, dec_hook=instant_hook) for row in rows]


def mute(address: str) -> None:
    """A silence by a person, and an alert that it mutes."""
    now = SystemClock().now()
    ends = to_text(now + HOUR)
    silence = {
        "matchers": [MATCHER],
        "startsAt": to_text(now),
        "endsAt": ends,
        "createdBy": "dev-one",
        "comment": "noisy while we migrate",
    }
    assert httpx.post(f"{address}/api/v2/silences", json=silence, trust_env=False).is_success
    labels = {"alertname": "ErrorRate", "service": "payments", "severity": "critical"}
    alert = {"labels": labels, "startsAt": to_text(now - MINUTE), "endsAt": ends}
    assert httpx.post(f"{address}/api/v2/alerts", json=[alert], trust_env=False).is_success
    asked = {"active": "false"}
    until(
        lambda: bool(httpx.get(f"{address}/api/v2/alerts", params=asked, trust_env=False).json()), "the alert is muted"
    )


def test_who_silenced_what_and_until_when_reaches_the_service(tmp_path: Path) -> None:
    with alertmanager(tmp_path) as address:
        mute(address)
        config = tmp_path / "nearmiss.yaml"
        config.write_text(f"pulls: [{{tool: alertmanager, url: '{address}', every: 10s}}]\n")
        database = f"sqlite:///{tmp_path / 'n.db'}"
        service = Service(tmp_path, "--database", database, "--config", str(config))
        try:
            service.start()
            until(lambda: service.metric("nearmiss_events_accepted_total") >= 3, "the silence was pulled")
            events = journal(tmp_path)
        finally:
            service.close()
    assert sorted(event.kind for event in events) == ["alert.fired", "alert.silenced", "alert.silenced"]
    for event in events:
        if event.kind == "alert.silenced":
            assert event.actor is not None
            assert (event.actor.id, event.labels["comment"]) == ("dev-one", "noisy while we migrate")
            assert event.service == "payments"
            assert event.expires_at is not None
