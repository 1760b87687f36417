"""Prometheus takes the service for one more Alertmanager: what it posts, and what it hears."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from monitor.core.model.events import MINUTE, Instant, to_text
from monitor.ops.clock import SystemClock
from tests.support.service import Service

CONFIG = """
secrets:
  prometheus/eu: [the-secret-of-eu]
  prometheus/us: ["certificate:CN=prometheus-us"]
open_sources: [prometheus]
"""
LABELS = {"alertname": "ErrorRate", "service": "payments", "env": "production", "severity": "critical"}


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    directory = tmp_path_factory.mktemp("prometheus")
    (directory / "nearmiss.yaml").write_text(CONFIG)
    database = f"sqlite:///{directory / 'nearmiss.db'}"
    running = Service(directory, "--database", database, "--config", str(directory / "nearmiss.yaml"))
    try:
        yield running.start()
    finally:
        running.close()


def notification(began: int, ends: int) -> bytes:
    """As Prometheus writes it: the end of an alert that stands is some minutes ahead."""
    return json.dumps(
        [{"labels": LABELS, "annotations": {}, "startsAt": to_text(began), "endsAt": to_text(ends), "generatorURL": ""}]
    ).encode()


def test_an_alert_is_taken_again_and_again_until_it_ends(service: Service) -> None:
    now = SystemClock().now()
    began = Instant(now - 10 * MINUTE)
    for ends in (now + 4 * MINUTE, now + 5 * MINUTE, now - MINUTE, now - MINUTE):
        answer = service.post("/api/v2/alerts", notification(began, ends), content_type="application/json")
        assert (answer.status_code, answer.content) == (200, b"")
    assert service.metric("nearmiss_events_accepted_total") == 2  # it fired, it recovered
    assert service.metric("nearmiss_events_duplicates_total") == 2


def test_what_is_no_notification_gets_an_alertmanager_s_answer(service: Service) -> None:
    answer = service.post("/api/v2/alerts", b'{"no": "array"}')
    assert answer.status_code == 400
    assert "an array of alerts" in answer.json()
    assert service.post("/api/v2/alerts", b"[]").status_code == 200


def test_a_prefix_keeps_servers_apart_and_has_its_own_secret(service: Service) -> None:
    body = notification(1_773_144_000_000_000, SystemClock().now() + MINUTE)
    path = "/ingest/prometheus/eu/api/v2/alerts"
    assert service.post(path, body).status_code == 401
    assert service.post(path, body, authorization="Bearer the-secret-of-eu").status_code == 200
    assert service.post(f"{path}?token=the-secret-of-eu", body).status_code == 200
    assert service.post("/ingest/nothing/api/v2/alerts", body).status_code == 404


def test_who_is_no_trusted_proxy_cannot_tell_of_a_certificate(service: Service) -> None:
    body = notification(1_773_144_000_000_000, SystemClock().now() + MINUTE)
    told = {"ssl_client_verify": "SUCCESS", "ssl_client_subject_dn": "CN=prometheus-us"}
    assert service.post("/ingest/prometheus/us/api/v2/alerts", body, **told).status_code == 401
    trusted = ("--config", str(service.directory / "proxied.yaml"))
    (service.directory / "proxied.yaml").write_text(f"{CONFIG}trusted_proxies: [127.0.0.0/8]\n")
    behind = Service(service.directory, "--database", f"sqlite:///{service.directory / 'behind.db'}", *trusted)
    try:
        behind.start()
        assert behind.post("/ingest/prometheus/us/api/v2/alerts", body, **told).status_code == 200
        assert behind.post("/ingest/prometheus/us/api/v2/alerts", body).status_code == 401
    finally:
        behind.close()
