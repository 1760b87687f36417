"""PagerDuty: the type decides, not the status; people and machines; the old shapes; and no secret gets through."""

from __future__ import annotations

from typing import Any

import pytest

from monitor.core.model.events import Actor
from monitor.core.model.reasons import Ignored, Mark, Rejected
from monitor.decode.canonical import encode
from tests.unit.decode.deliveries import at, event, events, left_out, refused

ANN = {"id": "PANN", "type": "user_reference", "summary": "Ann"}
INCIDENT = {
    "id": "PINC",
    "type": "incident",
    "number": 7,
    "status": "triggered",
    "title": "Queue grows",
    "service": {"id": "PSVC", "summary": "mailer", "type": "service_reference"},
    "assignees": [ANN, {"id": "PBOB", "summary": "Bob"}],
    "priority": None,
    "urgency": "high",
    "html_url": "https://acme.pagerduty.example/incidents/PINC",
}


def webhook(type_name: str, agent: Any = None, data: Any = INCIDENT, **more: Any) -> dict[str, Any]:
    return {
        "event": {
            "id": "01ABC",
            "event_type": type_name,
            "occurred_at": "2026-03-10T12:00:00.394Z",
            "agent": agent,
            "data": data,
        }
        | more
    }


def test_an_acknowledgement() -> None:
    found = event("pagerduty/acme", webhook("incident.acknowledged", ANN))
    assert (found.id, found.source, found.kind) == ("01ABC", "pagerduty/acme", "alert.acknowledged")
    assert (found.service, found.subject, found.severity) == ("mailer", "PINC", "high")
    assert found.actor == Actor("PANN", "human")
    assert at(found) == "2026-03-10T12:00:00.394000Z"
    assert found.labels["assignees"] == "Ann,Bob"
    assert found.labels["actor_name"] == "Ann"
    assert "priority" not in found.labels


@pytest.mark.parametrize(
    ("type_name", "kind"),
    [
        ("incident.unacknowledged", "alert.unacknowledged"),
        ("incident.reassigned", "alert.escalated"),
        ("incident.escalated", "alert.escalated"),
        ("incident.delegated", "alert.escalated"),
        ("incident.resolved", "alert.resolved"),
        ("incident.reopened", "alert.fired"),
        ("incident.priority_updated", "incident.updated"),
    ],
)
def test_the_type_decides_whatever_the_status_says(type_name: str, kind: str) -> None:
    found = event("pagerduty", webhook(type_name, ANN))
    assert (found.kind, found.subject) == (kind, "PINC")


def test_a_person_opens_an_incident_and_a_machine_fires_an_alert() -> None:
    assert event("pagerduty", webhook("incident.triggered", ANN)).kind == "incident.opened"
    machine = event("pagerduty", webhook("incident.triggered", {"id": "PINT", "type": "integration_reference"}))
    assert (machine.kind, machine.actor) == ("alert.fired", Actor("PINT", "automation"))
    assert event("pagerduty", webhook("incident.triggered")).actor == Actor(kind="automation")


def test_an_end_that_is_no_recovery() -> None:
    merged = INCIDENT | {"resolve_reason": {"type": "merge_resolve_reason", "incident": {"id": "POTHER"}}}
    assert event("pagerduty", webhook("incident.resolved", ANN, merged)).kind == "alert.cancelled"
    by_time = webhook("incident.resolved", {"id": "PSVC", "type": "service_reference"})
    assert event("pagerduty", by_time).kind == "alert.cancelled"
    by_tool = webhook("incident.resolved", {"id": "PINT", "type": "integration_reference"})
    assert event("pagerduty", by_tool).kind == "alert.resolved"


def test_priority_goes_before_urgency() -> None:
    data = INCIDENT | {"priority": {"summary": "P1"}, "urgency": "low"}
    assert event("pagerduty", webhook("incident.acknowledged", data=data)).severity == "critical"
    assert (
        event("pagerduty", webhook("incident.acknowledged", data=INCIDENT | {"urgency": "low"})).severity == "warning"
    )


@pytest.mark.parametrize("what", ["created", "updated", "deleted"])
def test_a_setting_of_the_paging_tool_changes_nothing_that_runs(what: str) -> None:
    data = {"id": "PSVC", "type": "service", "summary": "mailer"}
    assert left_out("pagerduty", webhook(f"service.{what}", data=data)) == Ignored.NOT_RELEVANT


def about(**data: Any) -> dict[str, Any]:
    return {"id": "PX", "incident": {"id": "PINC", "type": "incident_reference", "summary": "Queue grows"}} | data


@pytest.mark.parametrize(
    ("message", "kind", "labels"),
    [
        ("Customers may see errors.", "impact.started", {"evidence": "status_post"}),
        ("This impacts most of our users in Europe.", "impact.started", {"evidence": "status_post"}),
        ("Resolved: customers get their mails again.", "impact.ended", {"evidence": "status_post"}),
        ("The incident has been fully resolved. Users are fine.", "impact.ended", {"evidence": "status_post"}),
        ("Resolved: mails are sent again.", "note.added", {}),
        ("It is not resolved yet.", "note.added", {}),
        ("We look at the queue of the mailer; next update at 12:30.", "note.added", {}),
        ("The users table was locked, and the mailer fails.", "note.added", {}),
        ("We look into it; there is no customer impact.", "incident.updated", {"impact": "none"}),
        ("Customers are not affected.", "incident.updated", {"impact": "none"}),
    ],
)
def test_a_post_to_stakeholders(message: str, kind: str, labels: dict[str, str]) -> None:
    found = event("pagerduty", webhook("incident.status_update_published", ANN, about(message=message)))
    assert (found.kind, found.subject, found.title) == (kind, "PINC", f"Queue grows: {message}")
    assert labels.items() <= found.labels.items()


def test_responders_and_notes() -> None:
    bob = {"id": "PBOB", "summary": "Bob"}
    paged = event("pagerduty", webhook("incident.responder.added", ANN, about(user=bob)))
    assert (paged.kind, paged.actor) == ("responder.paged", Actor("PBOB", "human"))
    joined = webhook("incident.responder.replied", ANN, about(state="accepted"))
    assert event("pagerduty", joined).kind == "responder.joined"
    declined = webhook("incident.responder.replied", ANN, about(state="declined"))
    assert left_out("pagerduty", declined) == Ignored.NOT_RELEVANT
    note = event("pagerduty", webhook("incident.annotated", ANN, about(content="odd, the graph is flat")))
    assert (note.kind, note.subject, note.title) == ("note.added", "PINC", "Queue grows: odd, the graph is flat")


def test_an_action_that_was_run_has_its_name() -> None:
    ran = about(action={"id": "PACT", "summary": "Add workers", "type": "action_reference"}, state="completed")
    found = event("pagerduty", webhook("incident.action_invocation.terminated", ANN, ran))
    assert (found.kind, found.subject, found.title) == ("change.ran", "PINC", "Add workers: Queue grows")


@pytest.mark.parametrize(
    ("title", "is_drill"),
    [
        ("[Game day] workers are taken away", True),
        ("Chaos test of the queue", True),
        ("Notfallübung: Datenbank weg", True),
        ("Exercise: the ledger fails over", True),
        ("【訓練】データベース停止", True),
        ("Simulacro de caída", True),
        ("Drill bits are out of stock", False),
        ("Apache Drill: queries are slow", False),
        ("Queue grows", False),
    ],
)
def test_a_title_says_that_it_is_an_exercise(title: str, is_drill: bool) -> None:
    found = event("pagerduty", webhook("incident.triggered", ANN, {**INCIDENT, "title": title}))
    assert ("drill" in found.labels) is is_drill


@pytest.mark.parametrize(
    ("type_name", "reason"),
    [
        ("pagey.ping", Ignored.TEST_DELIVERY),
        ("incident.conference_bridge.updated", Ignored.NOT_RELEVANT),
        ("planet.aligned", Ignored.UNKNOWN_TYPE),
    ],
)
def test_what_gives_no_event(type_name: str, reason: Ignored) -> None:
    assert left_out("pagerduty", webhook(type_name)) == reason


def test_what_cannot_be_read() -> None:
    assert refused("pagerduty", {"event": {"id": "1"}}) == Rejected.MISSING_FIELD
    assert (
        refused("pagerduty", webhook("incident.resolved", occurred_at="2026-03-10T12:00:00"))
        == Rejected.TIME_WITHOUT_OFFSET
    )
    assert refused("pagerduty", {"messages": [{}]}) == Rejected.NOT_AN_EVENT
    assert refused("pagerduty", {"messages": [None]}) == Rejected.NOT_AN_EVENT


def test_version_2_with_its_log_entry() -> None:
    message = {
        "id": "m-1",
        "event": "incident.assign",
        "created_on": "2026-03-10T12:00:00Z",
        "log_entries": [{"agent": ANN, "channel": {"type": "website"}}],
        "incident": {
            "id": "PINC",
            "title": "Queue grows",
            "urgency": "high",
            "incident_key": None,
            "incident_number": 7,
            "service": {"id": "PSVC", "name": "mailer"},
            "assignments": [{"assignee": {"summary": "Bob"}}],
        },
    }
    found = event("pagerduty", {"messages": [message]})
    assert (found.id, found.kind, found.service, found.subject) == ("m-1", "alert.escalated", "mailer", "PINC")
    assert found.actor == Actor("PANN", "human")
    assert found.labels["assignees"] == "Bob"
    assert left_out("pagerduty", {"messages": [message | {"event": "incident.sneeze"}]}) == Ignored.UNKNOWN_TYPE


def test_version_1_writes_null_as_a_word_and_several_messages_a_body() -> None:
    def message(identity: str, type_name: str, **incident: Any) -> dict[str, Any]:
        service = {"id": "PSVC", "name": "mailer"}
        known = {"id": "PINC", "incident_key": "%s", "service": service, "trigger_summary_data": {"subject": "slow"}}
        return {
            "id": identity,
            "type": type_name,
            "created_on": "2026-03-10T12:00:00Z",
            "data": {"incident": known | incident},
        }

    acknowledged, resolved = events(
        "pagerduty",
        {
            "messages": [
                message("1", "incident.acknowledge", assigned_to_user="null", last_status_change_by="null"),
                message("2", "incident.resolve", resolved_by_user={"id": "PANN", "name": "Ann"}),
            ]
        },
    )
    assert (acknowledged.kind, acknowledged.actor, acknowledged.title) == ("alert.acknowledged", None, "slow")
    assert (resolved.kind, resolved.actor) == ("alert.resolved", Actor("PANN", "human"))
    assert acknowledged.subject == resolved.subject
    assert "incident_key" not in acknowledged.labels


TRIGGER = {
    "routing_key": "very-s3cret",
    "dedup_key": "queue/mailer",
    "event_action": "trigger",
    "client": "Probe",
    "payload": {
        "summary": "queue grows",
        "timestamp": "2026-03-10T12:00:00.315+0000",
        "severity": "error",
        "component": "postgres",
        "custom_details": {"service": "mailer", "environment": "production", "depth": 12},
    },
}


def test_the_events_api() -> None:
    found = event("pagerduty", TRIGGER)
    assert (found.kind, found.subject, found.severity) == ("alert.fired", "queue/mailer", "high")
    assert (found.service, found.environment) == ("mailer", "production")
    assert found.actor == Actor("Probe", "automation")
    assert found.labels["detail.depth"] == "12"
    assert b"s3cret" not in encode(found)
    resolved = event("pagerduty", {"routing_key": "r", "dedup_key": "queue/mailer", "event_action": "resolve"})
    assert (resolved.kind, resolved.subject) == ("alert.resolved", found.subject)
    assert resolved.marks == (Mark.TIME_FROM_RECEIPT,)


def test_the_identity_is_the_meaning_without_the_secret_and_without_order() -> None:
    assert (
        event("pagerduty", dict(reversed(TRIGGER.items())) | {"routing_key": "rotated"}).id
        == event("pagerduty", TRIGGER).id
    )
    assert event("pagerduty", TRIGGER | {"dedup_key": "other"}).id != event("pagerduty", TRIGGER).id


def test_a_change_event_and_an_unknown_action() -> None:
    change = {"routing_key": "r", "payload": {"summary": "ran a job", "timestamp": "2026-03-10T12:00:00Z"}}
    assert event("pagerduty", change).kind == "change.ran"
    assert left_out("pagerduty", TRIGGER | {"event_action": "sing"}) == Ignored.UNKNOWN_TYPE
