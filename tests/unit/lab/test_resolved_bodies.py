"""Bodies of tools that spell things their own way, through decoders and engine: what comes of them."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from monitor.core.deciding.engine import Engine
from monitor.core.model.catalogue import Catalogue, Service
from monitor.core.model.events import Event, to_instant
from monitor.decode.registry import decode
from monitor.lab.ledger import DraftEntry, Ledger
from monitor.packs.language.regex import make_regex
from tests.support.shipped import read_shipped

RULES = read_shipped()
SHOP = Catalogue(
    {"checkout": Service("checkout", ("payments",), user_facing=True), "payments": Service("payments")},
    frozenset({"production"}),
)
NOON = datetime(2026, 3, 10, 12, tzinfo=UTC)


def at(minutes: int) -> str:
    return (NOON + timedelta(minutes=minutes)).strftime("%Y-%m-%dT%H:%M:%SZ")


def read(source: str, body: dict[str, Any], minutes: int, headers: dict[str, str] | None = None) -> list[Event]:
    outcome = decode(source, json.dumps(body).encode(), headers or {}, to_instant(NOON + timedelta(minutes=minutes)))
    assert outcome.refusals == ()
    return list(outcome.events)


def alertmanager(began: int, ended: int | None, /, **labels: str) -> list[Event]:
    """A firing, and its resolve where it ended."""
    found = []
    for status in ("firing", "resolved")[: 1 if ended is None else 2]:
        piece = {
            "status": status,
            "labels": labels,
            "annotations": {"summary": labels["alertname"]},
            "startsAt": at(began),
            "endsAt": at(ended) if status == "resolved" and ended is not None else "0001-01-01T00:00:00Z",
            "fingerprint": labels["alertname"].lower(),
        }
        body = {"version": "4", "status": status, "receiver": "nearmiss", "alerts": [piece], "groupKey": "{}"}
        found += read("alertmanager", body, began if status == "firing" else ended or began)
    return found


def deployed(minutes: int, number: int, sha: str, environment: str = "production") -> list[Event]:
    who = {"login": "dev-one", "type": "User"}
    body = {
        "action": "created",
        "deployment_status": {"id": number, "state": "success", "created_at": at(minutes), "creator": who},
        "deployment": {
            "id": 1000 + number, "sha": sha * 40, "ref": "main", "task": "deploy", "environment": environment,
            "created_at": at(minutes), "creator": who,
        },
        "repository": {"name": "payments", "full_name": "shop/payments"},
        "sender": who,
    }  # fmt: skip
    return read("github", body, minutes, {"X-GitHub-Event": "deployment_status"})


def clear() -> list[Event]:
    return [
        Event(
            id=f"p{minutes}",
            source="probe",
            time=to_instant(NOON + timedelta(minutes=minutes)),
            kind="impact.clear",
            service="checkout",
            environment="production",
        )
        for minutes in range(-60, 400, 5)
    ]


def drafts(*told: list[Event]) -> list[DraftEntry]:
    """What stands after a deployment that was rolled back, with these events around it."""
    story = [deployed(-1440, 1, "a"), deployed(-5, 2, "b"), deployed(10, 3, "a"), clear(), *told]
    events = sorted((event for part in story for event in part), key=lambda event: event.time)
    engine, ledger = Engine(RULES, SHOP, make_regex), Ledger()
    ledger.record([*engine.step(events), *engine.end()])
    return [entry for entry in ledger.entries() if str(entry.state) == "draft"]


KSM = {"job": "kube-state-metrics", "service": "monitoring-kube-state-metrics", "namespace": "shop"}
ERRORS = {"alertname": "PaymentsErrors", "service": "payments"}


@pytest.mark.parametrize(
    "labels",
    [
        {"alertname": "KubePodCrashLooping", **KSM, "pod": "payments-7d9f8b6c5-x2x7q", "severity": "critical"},
        {"alertname": "ContainerOOM", "service": "kubelet", "container": "payments", "severity": "critical"},
        {"alertname": "Slow", "deployment": "payments", "severity": "critical"},
        {"alertname": "Slow", "service.name": "payments", "severity": "critical"},
        {**ERRORS, "env": "Production", "severity": "critical"},
        {**ERRORS, "env": "prd", "severity": "SEV_1"},
        {**ERRORS, "severity": "yellow"},
        {**ERRORS, "severity": "purple"},
        {**ERRORS, "service": "Payments", "severity": "critical"},
    ],
    ids=lambda labels: "-".join(labels.values()),
)
def test_the_alert_is_found_however_it_is_spelt(labels: dict[str, str]) -> None:
    [entry] = drafts(alertmanager(0, 14, **labels))
    assert entry.draft.service == "payments"
    assert "unseen by any alert" not in entry.draft.title
    assert entry.draft.verdict == "none"


def test_a_fast_burn_of_what_users_see_is_harm() -> None:
    alert = alertmanager(0, 14, **ERRORS, severity="critical")
    labels = {"alertname": "CheckoutErrorBudgetBurn", "service": "checkout", "sloth_slo": "availability"}
    assert drafts(alert, alertmanager(2, 13, **labels, sloth_severity="page", severity="page")) == []
    assert len(drafts(alert, alertmanager(2, 13, **labels, sloth_severity="ticket", severity="ticket"))) == 1


def test_harm_told_by_an_alert_a_day_later_takes_the_draft_back() -> None:
    alert = alertmanager(0, 14, **ERRORS, severity="critical")
    late = alertmanager(600, 620, alertname="BlackboxProbeFailed", service="checkout", severity="critical")
    assert len(drafts(alert)) == 1
    assert drafts(alert, late) == []


def test_who_was_called_belongs_to_the_incidents_service() -> None:
    def pager(number: int, type_name: str, minutes: int, data: dict[str, Any]) -> list[Event]:
        event = {
            "id": f"E{number}", "event_type": type_name, "resource_type": "incident", "occurred_at": at(minutes),
            "agent": None, "client": None, "data": data,
        }  # fmt: skip
        return read("pagerduty", {"event": event}, minutes)

    incident = {
        "id": "Q1",
        "type": "incident",
        "title": "payments errors",
        "service": {"id": "S1", "summary": "payments"},
    }
    called = {"type": "incident_responder", "incident": {"id": "Q1"}, "user": {"id": "PX2"}, "state": "pending"}
    story = [*pager(1, "incident.triggered", 0, incident), *pager(2, "incident.responder.added", 8, called)]
    engine = Engine(RULES, SHOP, make_regex)
    engine.step(story)
    engine.end()
    seen = {event.id: event.service for event, *_ in engine.state.new_facts}
    assert seen["E2"] == "payments"
