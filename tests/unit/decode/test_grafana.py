"""Grafana: unified alerts with the reasons for which they end, and legacy notifications without time or series."""

from __future__ import annotations

from typing import Any

import pytest

from monitor.core.model.reasons import Ignored, Mark, Rejected
from tests.unit.decode.deliveries import event, events, left_out, outcome, refused

FIRING = {
    "status": "firing",
    "labels": {"alertname": "Queue grows", "service": "payments"},
    "annotations": {"summary": "12,000 wait"},
    "startsAt": "2026-03-10T12:00:00Z",
    "endsAt": "0001-01-01T00:00:00Z",
    "fingerprint": "c6ea",
    "values": {"A": 12000, "B": None},
    "dashboardURL": "https://g.example/d/1",
}


def test_values_and_links_are_kept() -> None:
    found = event("grafana", {"alerts": [FIRING], "status": "firing", "orgId": 1})
    assert (found.kind, found.service) == ("alert.fired", "payments")
    assert (found.labels["value.A"], found.labels["dashboardURL"]) == ("12000", "https://g.example/d/1")
    assert found.labels["org_id"] == "1"


@pytest.mark.parametrize(
    ("reason", "kind"), [(None, "alert.resolved"), ("MissingSeries", "alert.cancelled"), ("Paused", "alert.cancelled")]
)
def test_an_end_that_is_no_recovery(reason: str | None, kind: str) -> None:
    ended = FIRING | {"status": "resolved", "endsAt": "2026-03-10T12:30:00Z"}
    ended |= {"annotations": {"grafana_state_reason": reason}}
    assert event("grafana", {"alerts": [ended], "status": "resolved"}).kind == kind


@pytest.mark.parametrize(("deploy", "environment"), [("prod", "prod"), ("payments", None), ("staging-2", None)])
def test_a_label_deploy_names_an_environment_or_a_deployment(deploy: str, environment: str | None) -> None:
    alert = FIRING | {"labels": {"alertname": "A", "deploy": deploy}}
    assert event("grafana", {"alerts": [alert]}).environment == environment


def test_the_contact_point_is_tried_out() -> None:
    test = FIRING | {"labels": {"alertname": "TestAlert", "instance": "Grafana"}}
    assert left_out("grafana", {"alerts": [test], "status": "firing"}) == Ignored.TEST_DELIVERY


def test_a_bad_alert_costs_only_itself() -> None:
    found = outcome("grafana", {"alerts": [FIRING, None, {"status": "odd"}]})
    assert (len(found.events), found.refused) == (1, {Rejected.NOT_AN_EVENT: 2})
    assert len(events("grafana", {"alerts": [FIRING, FIRING | {"fingerprint": "d"}]})) == 2


def legacy(**more: Any) -> dict[str, Any]:
    return {"ruleId": 7, "ruleName": "CPU", "state": "alerting", "evalMatches": [], "title": "[Alerting] CPU"} | more


def test_a_legacy_notification_has_the_time_of_its_receipt() -> None:
    tags = {"service": "payments", "env": "production"}
    found = event("grafana", legacy(evalMatches=[{"value": 97.5, "metric": "user", "tags": tags}]))
    assert (found.kind, found.service, found.environment) == ("alert.fired", "payments", "production")
    assert (found.value, found.marks) == (97.5, (Mark.TIME_FROM_RECEIPT,))


@pytest.mark.parametrize(
    ("state", "reason"),
    [("paused", Ignored.NOT_RELEVANT), ("pending", Ignored.NOT_RELEVANT), ("dreaming", Ignored.UNKNOWN_TYPE)],
)
def test_legacy_states_that_say_nothing(state: str, reason: Ignored) -> None:
    assert left_out("grafana", legacy(state=state)) == reason


def test_what_grafana_does_not_send() -> None:
    assert left_out("grafana", legacy(ruleId=0, ruleName="Test notification")) == Ignored.TEST_DELIVERY
    assert event("grafana", legacy(state="no_data")).labels["signal"] == "metrics"
    assert refused("grafana", {"state": "ok"}) == Rejected.NOT_AN_EVENT
