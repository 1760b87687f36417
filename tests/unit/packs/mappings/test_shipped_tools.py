"""Bodies of mapped tools beside their examples: other types, states, versions and gaps, each with its kinds."""

from __future__ import annotations

import json
from typing import Any

import pytest

from monitor.decode.registry import decode
from tests.unit.packs.mappings.mapped import RECEIVED_AT

BODIES: list[tuple[str, dict[str, Any], list[str]]] = [
    (
        "pingdom",
        {
            "second_probe": {"ip": "1.2.3.4"},
            "check_type": "TRANSACTION",
            "check_id": 2,
            "current_state": "FAILING",
            "check_params": {"region": "ASIA", "name": "Checkout"},
            "previous_state": "SUCCESS",
            "check_name": "Pay",
            "version": 1,
            "state_changed_timestamp": 1497411225,
            "importance_level": "HIGH",
            "tags": ["x"],
            "state_changed_utc_time": "2017-06-14T03:33:45",
            "long_description": "no button",
        },
        ["alert.fired"],
    ),
    (
        "newrelic",
        {
            "owner": "",
            "severity": "INFO",
            "policy_url": "https://x",
            "current_state": "acknowledged",
            "policy_name": "golden",
            "incident_url": "https://x",
            "incident_acknowledge_url": "https://x",
            "targets": [
                {
                    "id": "12345",
                    "name": "checkout",
                    "link": "https://x",
                    "labels": {},
                    "product": "TESTING",
                    "type": "test",
                }
            ],
            "condition_id": 12345,
            "condition_name": "Apdex",
            "event_type": "INCIDENT",
            "timestamp": 1545289248085,
            "incident_id": 1234,
            "duration": 31,
            "details": "test",
        },
        ["alert.acknowledged"],
    ),
    (
        "newrelic",
        {
            "id": "1",
            "title": "t",
            "state": "CLOSED",
            "trigger": "USER_ACTION",
            "priority": "HIGH",
            "updatedAt": 1713766657383,
        },
        ["alert.cancelled"],
    ),
    (
        "zabbix",
        {
            "hostname": "h",
            "severity": "Disaster",
            "status": "PROBLEM",
            "item": "i",
            "trigger": "t",
            "link": "https://z/tr_events.php?triggerid=1&eventid=2",
        },
        ["alert.fired"],
    ),
    (
        "rootly",
        {
            "event": {"id": "1", "type": "incident.mitigated", "issued_at": "2022-11-27T19:15:29.546-08:00"},
            "data": {
                "id": "x",
                "title": "t",
                "severity": {"data": {"attributes": {"slug": "sev0"}}},
                "mitigated_at": "2022-11-27T19:15:29.546-08:00",
            },
        },
        ["incident.updated"],
    ),
    (
        "rootly",
        {
            "event": {"id": "1", "type": "incident.resolved", "issued_at": "2022-11-27T19:15:29.546-08:00"},
            "data": {"id": "x", "title": "t", "severity": None, "services": None},
        },
        ["incident.closed"],
    ),
    (
        "octopus",
        {
            "Timestamp": "2021-05-05T15:42:05.6+10:00",
            "EventType": "SubscriptionPayload",
            "Payload": {
                "ServerUri": "x",
                "Event": {
                    "Id": "Events-1",
                    "Category": "DeploymentFailed",
                    "Username": "system",
                    "IsService": False,
                    "Occurred": "2021-05-05T15:42:02.4+10:00",
                    "Message": "Deploy to Dev failed for Web release 0.0.5 to Dev",
                    "RelatedDocumentIds": ["Deployments-1", "Projects-2", "Environments-3"],
                },
            },
        },
        ["change.failed"],
    ),
    (
        "icinga2",
        {
            "type": "StateChange",
            "host": "h",
            "service": "s",
            "state": 2,
            "state_type": 0,
            "timestamp": 1791203170.1,
            "check_result": {"active": True, "output": "CRITICAL - disk"},
        },
        ["alert.fired"],
    ),
    (
        "icinga2",
        {
            "type": "DowntimeAdded",
            "timestamp": 1791203170.1,
            "downtime": {
                "__name": "h!s!x",
                "host_name": "h",
                "service_name": "s",
                "author": "icygui",
                "comment": "work",
                "start_time": 1791203160,
                "end_time": 1791206760,
                "fixed": True,
            },
        },
        ["maintenance.started"],
    ),
    (
        "icinga2",
        {
            "type": "CommentAdded",
            "timestamp": 1791203170.1,
            "comment": {
                "__name": "h!s!y",
                "host_name": "h",
                "service_name": "s",
                "author": "icygui",
                "text": "hm",
                "entry_type": 1,
            },
        },
        ["note.added"],
    ),
    (
        "icinga2",
        {
            "type": "Notification",
            "host": "h",
            "service": "s",
            "notification_type": "PROBLEM",
            "users": ["ann"],
            "timestamp": 1791203170.1,
            "check_result": {"output": "x"},
            "text": "",
            "author": "",
        },
        ["alert.fired", "responder.paged"],
    ),
    (
        "icinga2",
        {"type": "CheckResult", "host": "h", "service": "s", "timestamp": 1791203170.1, "check_result": {"state": 0}},
        [],
    ),
    (
        "zendesk",
        {
            "type": "zen:event-type:ticket.status_changed",
            "id": "1",
            "time": "2024-04-17T17:18:10Z",
            "subject": "zen:ticket:1",
            "detail": {"id": "1", "status": "SOLVED"},
            "event": {"current": "SOLVED", "previous": "OPEN"},
        },
        ["impact.ended"],
    ),
    (
        "zendesk",
        {
            "type": "zen:event-type:ticket.priority_changed",
            "id": "1",
            "time": "2024-04-17T17:18:10Z",
            "subject": "zen:ticket:1",
            "detail": {"id": "1"},
            "event": {"current": "HIGH"},
        },
        [],
    ),
    (
        "thousandeyes",
        {
            "eventId": "1",
            "eventType": "ALERT_NOTIFICATION_CLEAR",
            "alert": {
                "severity": "Major",
                "dateStartZoned": "2025-03-24 17:28:40 UTC",
                "dateEndZoned": "2025-03-24 17:38:40 UTC",
                "testName": "Shop",
                "ruleName": "r",
                "alertId": 5,
                "type": "HTTP Server",
                "agents": [],
            },
        },
        ["alert.resolved"],
    ),
    (
        "victorops",
        {"message_type": "ACKNOWLEDGEMENT", "timestamp": "1383239337", "entity_id": "x"},
        ["alert.acknowledged"],
    ),
    (
        "vmware",
        {
            "status": "CANCELED",
            "cancelDate": 1369757346267,
            "startDate": 1369757340000,
            "alertId": "1",
            "criticality": "ALERT_CRITICALITY_LEVEL_IMMEDIATE",
            "resourceName": "x",
        },
        ["alert.resolved"],
    ),
    (
        "firehydrant",
        {
            "event": "incident.updated",
            "operation": "UPDATED",
            "resource_type": "incident",
            "incident": {
                "id": "1",
                "name": "x",
                "severity": "SEV3",
                "current_milestone": "mitigated",
                "updated_at": "2026-03-02 14:45:10 +0000",
            },
        },
        ["incident.updated"],
    ),
    (
        "grafana-oncall",
        {
            "event": {"type": "escalation", "time": "2023-04-19T21:59:21.714058+00:00"},
            "user": None,
            "alert_group": {"id": "I1", "title": "x", "state": "firing"},
            "alert_group_id": "I1",
            "alert_payload": {"labels": {"alertname": "TestAlert"}},
        },
        ["alert.escalated"],
    ),
    (
        "grafana-oncall",
        {
            "event": {"type": "alert group created", "time": "2023-04-19T21:59:21Z"},
            "alert_group": {"id": "I1", "title": "x", "state": "firing"},
            "alert_payload": {"labels": {"severity": "critical"}},
        },
        ["alert.fired"],
    ),
    (
        "grafana-oncall",
        {
            "event": {"type": "silence", "time": "2023-04-19T21:59:21Z", "until": "2023-04-19T22:59:21Z"},
            "user": {"username": "a"},
            "alert_group": {"id": "I1", "state": "silenced"},
        },
        ["alert.silenced"],
    ),
    (
        "graylog",
        {
            "event_definition_id": "1",
            "event_definition_type": "aggregation-v1",
            "event_definition_title": "T",
            "event_definition_description": "",
            "job_definition_id": "j",
            "job_trigger_id": "k",
            "event": {
                "id": "01",
                "event_definition_type": "aggregation-v1",
                "timestamp": "2020-05-20T11:35:11.117Z",
                "message": "T: x",
                "source": "g",
                "priority": 2,
                "alert": True,
                "fields": {},
                "key_tuple": [],
                "key": "",
            },
            "backlog": [],
        },
        ["alert.fired"],
    ),
    (
        "coralogix",
        {
            "uuid": "u",
            "alert_id": "a",
            "name": "N",
            "alert_action": "resolve",
            "fields": [{"key": "timestampMs", "value": "1723670936254"}],
        },
        ["alert.resolved"],
    ),
    (
        "dash0",
        {
            "type": "alert.ongoing",
            "data": {
                "issue": {
                    "id": "x",
                    "issueIdentifier": "1",
                    "start": "2025-02-03T07:17:17.474101621Z",
                    "status": "degraded",
                    "labels": [],
                }
            },
        },
        ["alert.fired"],
    ),
    (
        "cloudflare",
        {"alert_type": "load_balancing_health_alert", "new_health": "Healthy", "pool_id": "p", "origin_name": "o"},
        ["alert.resolved"],
    ),
    (
        "jenkins",
        {
            "name": "deploy-x",
            "url": "u",
            "build": {"full_url": "f", "number": 1, "phase": "STARTED", "url": "u", "scm": {}},
        },
        ["change.started"],
    ),
    (
        "jenkins",
        {"name": "x", "url": "u", "build": {"full_url": "f", "number": 1, "phase": "COMPLETED", "status": "FAILURE"}},
        ["change.failed"],
    ),
    (
        "checkly",
        {
            "alert_type": "ALERT_FAILURE",
            "check_name": "c",
            "check_id": "1",
            "check_result_id": "2",
            "started_at": "2025-01-26T11:19:40.544Z",
        },
        ["alert.fired"],
    ),
    (
        "netbox",
        {
            "event": "deleted",
            "timestamp": "2025-02-02 11:10:24.231786+00:00",
            "model": "device",
            "username": "a",
            "request_id": "r",
            "data": {"id": 1, "name": "x"},
        },
        ["change.deleted"],
    ),
    (
        "uptimerobot",
        {
            "monitor_url": "u",
            "monitor_friendly_name": "W",
            "alert_type": "2",
            "alert_type_friendly_name": "Up",
            "alert_details": "ok",
            "alert_friendly_duration": "5 minutes",
        },
        ["alert.resolved"],
    ),
    (
        "render",
        {
            "type": "server_failed",
            "timestamp": "2026-02-05T16:00:00.000000Z",
            "data": {"id": "e", "serviceId": "s", "serviceName": "n"},
        },
        ["alert.fired"],
    ),
    (
        "teams",
        {
            "type": "message",
            "id": "1",
            "timestamp": "2026-01-16T12:00:00.000Z",
            "from": {"id": "29:1", "name": "J"},
            "conversation": {"id": "c"},
            "text": "<at>x</at>&nbsp;odd\n",
        },
        ["note.added"],
    ),
    ("intercom", {"type": "notification_event", "topic": "ping", "data": {"item": {"type": "ping"}}}, []),
    (
        "honeycomb",
        {"version": "v0.1.0", "id": "1", "name": "n", "status": "OK", "result_url": None, "result_groups": None},
        ["alert.resolved"],
    ),
]


@pytest.mark.parametrize(("tool", "body", "kinds"), BODIES)
def test_a_body_gives_its_kinds(tool: str, body: dict[str, Any], kinds: list[str]) -> None:
    found = decode(tool, json.dumps(body).encode(), {}, RECEIVED_AT)
    assert found.refused == {}
    assert [event.kind for event in found.events] == kinds
    assert bool(found.skipped) is not bool(kinds)
