"""Alertmanager: members before the group, identity over repeats and replicas, and its ways to say "open"."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

import pytest

from monitor.core.model.events import to_text
from monitor.core.model.reasons import Ignored, Rejected
from monitor.decode.tools.alertmanager import fingerprint
from tests.unit.decode.deliveries import at, event, events, left_out, outcome, refused

LABELS = {"alertname": "QueueGrows", "service": "mailer", "env": "production", "severity": "page"}


def alert(**changes: Any) -> dict[str, Any]:
    return {
        "status": "firing",
        "labels": LABELS,
        "annotations": {"summary": "the queue grows", "runbook_url": "https://runbooks.example/queue"},
        "startsAt": "2026-03-10T12:00:00.123456789Z",
        "endsAt": "0001-01-01T00:00:00Z",
        "generatorURL": "https://prom.example/graph?g0.expr=" + quote("max(queue_length) > 500") + "&g0.tab=1",
        "fingerprint": "0123456789abcdef",
    } | changes


def group(*alerts: dict[str, Any], status: str = "firing", **more: Any) -> dict[str, Any]:
    return {
        "version": "4",
        "status": status,
        "receiver": "nearmiss",
        "groupKey": "{}:{}",
        "alerts": list(alerts),
    } | more


def test_a_firing_alert() -> None:
    found = event("alertmanager/eu", group(alert()))
    assert (found.kind, found.service, found.environment) == ("alert.fired", "mailer", "production")
    assert (found.subject, found.severity, found.title) == ("0123456789abcdef", "critical", "the queue grows")
    assert (found.limit, found.bound, found.value) == (500.0, "max", None)
    assert at(found) == "2026-03-10T12:00:00.123456Z"
    assert found.labels["runbook_url"] == "https://runbooks.example/queue"
    assert found.labels["receiver"] == "nearmiss"
    assert found.actor is None


def test_members_have_their_own_status_and_firing_ties_to_resolve() -> None:
    ended = alert(status="resolved", endsAt="2026-03-10T14:03:00+02:00")
    fired, resolved = events("alertmanager", group(alert(), ended))
    assert (fired.kind, resolved.kind) == ("alert.fired", "alert.resolved")
    assert fired.subject == resolved.subject
    assert fired.id != resolved.id
    assert at(resolved) == "2026-03-10T12:03:00Z"
    assert resolved.labels["fired_at"] == at(fired)


def test_a_repeat_is_the_same_event_whoever_sends_it() -> None:
    first = event("alertmanager", group(alert()))
    later = alert(startsAt="2026-03-10T13:00:00.123456789+01:00", annotations={"summary": "the queue grows: 900"})
    assert event("alertmanager", group(later, receiver="other")).id == first.id
    assert event("alertmanager", group(alert(startsAt="2026-03-10T12:30:00Z"))).id != first.id


def test_a_missing_fingerprint_is_computed_as_prometheus_does() -> None:
    labels = {"alertname": "HighValue", "instance": "api:8000", "job": "api", "severity": "high"}
    assert fingerprint(labels) == "948c667b1fc76492"
    found = event("alertmanager", group(alert(labels=labels, fingerprint=None)))
    assert (found.subject, found.severity, found.service) == ("948c667b1fc76492", "high", None)


@pytest.mark.parametrize("end", ["0001-01-01T00:00:00Z", "1970-01-01T00:00:00Z", None, ""])
def test_an_end_that_is_none(end: str | None) -> None:
    assert event("alertmanager", group(alert(endsAt=end))).kind == "alert.fired"


def test_a_group_of_an_older_version_with_little_in_it() -> None:
    body = {
        "version": "3",
        "groupKey": 5615590933959184469,
        "status": "resolved",
        "alerts": [alert(status=None, endsAt="2026-03-10T12:01:00Z")],
    }
    found = event("alertmanager", body)
    assert (found.kind, found.labels["group_key"]) == ("alert.resolved", "5615590933959184469")


@pytest.mark.parametrize("name", ["TestAlert", "test_alert", "GMP_WebhookTest", "test"])
def test_test_deliveries(name: str) -> None:
    assert left_out("alertmanager", group(alert(labels={"alertname": name}))) == Ignored.TEST_DELIVERY


@pytest.mark.parametrize("name", ["LoadTestFailed", "ContestQueue", "E2ETestAlerting"])
def test_names_that_only_hold_the_word(name: str) -> None:
    assert event("alertmanager", group(alert(labels={"alertname": name}))).kind == "alert.fired"


@pytest.mark.parametrize(
    ("expression", "limit", "bound"),
    [
        ("free_bytes < 1e9", 1e9, "min"),
        ("(rate(x[5m]) >= 0.05)", 0.05, "max"),
        ("up == 0", None, None),
        ("a > 1 and b > 2", None, None),
        ("absent(up)", None, None),
    ],
)
def test_the_limit_of_the_expression(expression: str, limit: float | None, bound: str | None) -> None:
    found = event("alertmanager", group(alert(generatorURL="https://p.example/graph?g0.expr=" + quote(expression))))
    assert (found.limit, found.bound) == (limit, bound)


def test_an_alert_may_say_its_margin_itself() -> None:
    found = event("alertmanager", group(alert(annotations={"value": "97.5", "threshold": "95"})))
    assert (found.value, found.limit, found.title) == (97.5, 95.0, "QueueGrows")


@pytest.mark.parametrize(("said", "expires"), [("2026-03-10T20:00:00Z", "2026-03-10T20:00:00Z"), ("tonight", None)])
def test_an_alert_may_say_its_deadline(said: str, expires: str | None) -> None:
    found = event("alertmanager", group(alert(annotations={"deadline": said})))
    assert (to_text(found.expires_at), found.labels["deadline"]) == (expires, said)


def test_severity_words_of_ones_own_are_kept_as_labels_only() -> None:
    found = event("alertmanager", group(alert(labels=LABELS | {"severity": "odd"}, annotations={"severity": "x"})))
    assert (found.severity, found.labels["severity"], found.labels["annotation_severity"]) == (None, "odd", "x")


def test_truncated_groups_say_so() -> None:
    assert event("alertmanager", group(alert(), truncatedAlerts=3)).labels["truncated_alerts"] == "3"
    assert "truncated_alerts" not in event("alertmanager", group(alert(), truncatedAlerts=0)).labels


def test_a_bad_member_does_not_refuse_its_neighbours() -> None:
    found = outcome("alertmanager", group(alert(startsAt="2026-03-10T12:00:00"), alert(), {"status": "odd"}))
    assert [one.kind for one in found.events] == ["alert.fired"]
    assert [(one.index, one.reason) for one in found.refusals] == [
        (0, Rejected.TIME_WITHOUT_OFFSET),
        (2, Rejected.NOT_AN_EVENT),
    ]


def test_no_alerts() -> None:
    assert left_out("alertmanager", group()) == Ignored.EMPTY
    assert refused("alertmanager", {"alerts": "none"}) == Rejected.NOT_AN_EVENT
    assert refused("alertmanager", group({}, status="odd")) == Rejected.NOT_AN_EVENT
    assert refused("alertmanager", {"alerts": [7]}) == Rejected.NOT_AN_EVENT
    assert event("alertmanager", group(alert(generatorURL="https://[broken"))).limit is None


@pytest.mark.parametrize(
    ("changes", "signal"),
    [
        ({"generatorURL": "https://p.example/graph?g0.expr=" + quote('absent(up{job="mailer"})')}, "metrics"),
        ({"generatorURL": "https://p.example/graph?g0.expr=" + quote("absent_over_time(up[10m]) == 1")}, "metrics"),
        ({"labels": LABELS | {"alertname": "DatasourceNoData"}}, "metrics"),
        ({"labels": LABELS | {"signal": "logs"}}, "logs"),
        ({"generatorURL": "https://p.example/graph?g0.expr=" + quote("up == 0")}, None),
        ({"generatorURL": "https://[broken"}, None),
    ],
)
def test_telemetry_that_is_missing_is_told_apart(changes: dict[str, Any], signal: str | None) -> None:
    assert event("alertmanager", group(alert(**changes))).labels.get("signal") == signal


def test_a_limit_beyond_all_numbers_is_none() -> None:
    """Written down it would be null, and the event another one when it is read again."""
    url = "http://prometheus.example/graph?g0.expr=errors+%3E+1e999"
    sent = {
        "version": "4",
        "alerts": [
            {"status": "firing", "labels": {"alertname": "A"}, "startsAt": "2026-03-10T12:00:00Z", "generatorURL": url}
        ],
    }
    found = event("alertmanager", sent)
    assert (found.limit, found.bound) == (None, None)
