"""Incident desks, chat, monitoring services and clouds: states, people, times in many forms, open lists of types."""

from __future__ import annotations

import base64
import json
from typing import Any
from urllib.parse import urlencode

import pytest

from monitor.core.model.events import Actor, to_text
from monitor.core.model.reasons import Ignored, Mark, Rejected
from monitor.decode.registry import handshake
from tests.unit.decode.deliveries import at, event, left_out, refused

AT = "2026-03-10T12:00:00Z"
FORM = {"content-type": "application/x-www-form-urlencoded"}


def incident(name: str, inner: dict[str, Any]) -> dict[str, Any]:
    return {"event_type": name, name: inner}


INCIDENT = {
    "id": "01FD",
    "name": "Payments fail",
    "created_at": AT,
    "updated_at": "2026-03-10T12:30:00Z",
    "severity": {"name": "Major"},
    "incident_status": {"category": "active", "name": "Fixing"},
    "creator": {"user": {"id": "U1", "name": "Dev One", "email": "dev@shop.example"}},
    "custom_field_entries": [
        {"custom_field": {"name": "Affected service"}, "values": [{"value_catalog_entry": {"name": "payments"}}]}
    ],
}


def test_incident_io() -> None:
    opened = event("incident-io", incident("public_incident.incident_created_v2", INCIDENT))
    assert (opened.kind, opened.service, at(opened)) == ("incident.opened", "payments", AT)
    assert (opened.actor, opened.labels["actor_email"]) == (Actor("U1", "human"), "dev@shop.example")
    status = {"incident": INCIDENT, "new_status": {"category": "closed"}, "previous_status": {"name": "Fixing"}}
    closed = event("incident-io", incident("public_incident.incident_status_updated_v2", status))
    assert (closed.kind, closed.labels["previous_status"]) == ("incident.closed", "Fixing")
    assert event("incident_io", incident("public_incident.incident_updated_v2", INCIDENT)).kind == "incident.updated"
    assert (
        left_out("incident-io", incident("private_incident.incident_created_v2", {"id": "x"})) == Ignored.NOT_RELEVANT
    )
    assert left_out("incident-io", incident("public_incident.dream_v1", {})) == Ignored.UNKNOWN_TYPE


def test_a_delivery_s_id_tells_two_states_of_an_incident_apart() -> None:
    body = incident("public_incident.incident_updated_v2", INCIDENT)
    one, other = (event("incident-io", body, {"webhook-id": name}) for name in ("msg_1", "msg_2"))
    assert one.id != other.id
    assert event("incident-io", body, {"webhook-id": "msg_1"}).id == one.id


def test_an_alert_of_incident_io() -> None:
    attribute = {"attribute": {"name": "Service"}, "value": {"label": "payments"}}
    alert = {"id": "A1", "title": "x", "status": "resolved", "updated_at": AT, "attributes": [attribute]}
    found = event("incident-io", incident("public_alert.alert_updated_v1", alert))
    assert (found.kind, found.service, at(found)) == ("alert.resolved", "payments", AT)


def issue(
    type_name: str, event_name: str = "jira:issue_created", to: str | None = None, priority: str = "High"
) -> dict[str, Any]:
    fields = {
        "summary": "s",
        "issuetype": {"name": type_name},
        "priority": {"name": priority},
        "components": [{"name": "payments"}],
    }
    body = {"timestamp": 1_773_144_000_000, "webhookEvent": event_name, "issue": {"key": "OPS-1", "fields": fields}}
    body["user"] = {"accountId": "5f8a", "displayName": "Dev One"}
    if to is not None:
        body["changelog"] = {"id": "7", "items": [{"field": "status", "fromString": "Open", "toString": to}]}
    return body


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (issue("[System] Incident"), "incident.opened"),
        (issue("Incident", "jira:issue_updated", "In Progress"), "incident.updated"),
        (issue("Incident", "jira:issue_updated", "Resolved"), "incident.closed"),
        (issue("[System] Change", "jira:issue_updated", "Implementing"), "change.started"),
        (issue("[System] Change", "jira:issue_updated", "Completed"), "change.ran"),
        (issue("[System] Change", "jira:issue_updated", "Declined"), "change.blocked"),
        (issue("IT Help", priority="Highest"), "impact.started"),
        (issue("IT Help", "jira:issue_updated", "Done", "Highest"), "impact.ended"),
        # A desk has hundreds of these a day, and most are questions.
        (issue("IT Help"), "note.added"),
        (issue("Task"), "note.added"),
        (issue("Task", "comment_created") | {"comment": {"id": "9", "body": "odd", "created": AT}}, "note.added"),
    ],
)
def test_jira(body: dict[str, Any], kind: str) -> None:
    found = event("jira", body)
    assert (found.kind, found.service, found.actor) == (kind, "payments", Actor("5f8a", "human"))
    asked = body["issue"]["fields"]["issuetype"]["name"] == "IT Help"
    assert found.labels.get("evidence") == ("customer_ticket" if asked else None)


def test_jira_that_says_nothing_and_its_alerts() -> None:
    assert left_out("jira", issue("Task", "jira:issue_updated")) == Ignored.NOT_RELEVANT
    assert left_out("jira", issue("Task", "jira:issue_deleted")) == Ignored.NOT_RELEVANT
    assert left_out("jira", issue("Task", "jira:dream")) == Ignored.UNKNOWN_TYPE
    alert = {"action": "Close", "alert": {"alertId": "a", "updatedAt": 1_773_144_000_000_000_000}}
    assert (event("jsm", alert).kind, event("jsm", alert).source) == ("alert.resolved", "jsm")


@pytest.mark.parametrize(
    ("action", "kind"),
    [
        ("Create", "alert.fired"),
        ("Acknowledge", "alert.acknowledged"),
        ("UnAcknowledge", "alert.unacknowledged"),
        ("Snooze", "alert.silenced"),
        ("EscalateNext", "alert.escalated"),
        ("AddResponder", "responder.paged"),
        ("Delete", "alert.cancelled"),
        ("Roll it back", "note.added"),
    ],
)
def test_opsgenie(action: str, kind: str) -> None:
    alert = {
        "alertId": "a",
        "message": "m",
        "username": "dev@shop.example",
        "priority": "P1",
        "createdAt": 1_773_144_000_000,
    }
    alert |= {"updatedAt": 1_773_144_000_000_000_110, "details": {"service": "payments", "env": "production"}}
    found = event("opsgenie", {"action": action, "alert": alert, "source": {"type": "web"}})
    assert (found.kind, found.service, found.environment) == (kind, "payments", "production")
    assert (found.severity, found.actor, at(found)) == ("critical", Actor("dev@shop.example", "human"), AT)
    assert left_out("opsgenie", {"action": "AddTags", "alert": alert}) == Ignored.NOT_RELEVANT


def test_sentry_by_its_header_and_by_its_shape() -> None:
    event_alert: dict[str, Any] = {
        "event_id": "e",
        "issue_id": "9",
        "datetime": AT,
        "level": "fatal",
        "environment": "production",
    }
    event_alert |= {"title": "t", "tags": [["service", "payments"]], "release": "1.4.2"}
    body = {"action": "triggered", "data": {"event": event_alert, "triggered_rule": "many"}}
    found = event("sentry", body, {"sentry-hook-resource": "event_alert"})
    assert (found.kind, found.service, found.severity, found.subject) == (
        "alert.fired",
        "payments",
        "critical",
        "issue/9",
    )
    assert event("sentry", body) == found
    metric = {"id": "1", "date_started": AT, "date_closed": "2026-03-10T12:30:00Z", "projects": ["payments"]}
    closed = event("sentry", {"action": "resolved", "data": {"metric_alert": metric}})
    assert (closed.kind, at(closed), to_text(closed.began_at)) == ("alert.resolved", "2026-03-10T12:30:00Z", AT)
    comment = {"comment_id": "5", "comment": "odd", "issue_id": "9", "timestamp": AT, "project_slug": "payments"}
    assert event("sentry", {"action": "created", "data": comment}).kind == "note.added"
    assert left_out("sentry", {"action": "created", "installation": {}, "data": {}}) == Ignored.NOT_RELEVANT


@pytest.mark.parametrize(
    ("transition", "kind"),
    [
        ("Triggered", "alert.fired"),
        ("Re-Triggered", "alert.fired"),
        ("Warn", "alert.fired"),
        ("No data", "alert.fired"),
        ("Recovered", "alert.resolved"),
    ],
)
def test_datadog(transition: str, kind: str) -> None:
    body = {
        "id": "7",
        "alert_transition": transition,
        "date": "1773144000000",
        "tags": "env:production,service:payments",
    }
    found = event("datadog", body | {"alert_type": "error", "monitor_id": "5"})
    assert (found.kind, found.service, found.environment, at(found)) == (kind, "payments", "production", AT)
    assert found.labels.get("signal") == ("metrics" if transition == "No data" else None)


def test_datadog_s_own_template_where_some_variables_stay_empty() -> None:
    body = {"id": "$ID", "title": "[Recovered] Errors", "alert_type": "success", "date": "$DATE", "event_type": "x"}
    found = event("datadog", body)
    assert (found.kind, found.marks) == ("alert.resolved", (Mark.TIME_FROM_RECEIPT,))
    assert left_out("datadog", {"alert_type": "info", "title": "deploy"}) == Ignored.NOT_RELEVANT
    assert left_out("datadog", {"alert_transition": "Dreaming"}) == Ignored.UNKNOWN_TYPE


def test_slack_s_command_says_what_it_is_about() -> None:
    fields = {"command": "/odd", "text": "queue stands still service=payments env=production", "user_id": "U1"}
    fields |= {"trigger_id": "1.2", "channel_id": "C1", "user_name": "dev", "token": "secret"}
    found = event("slack", urlencode(fields).encode(), FORM | {"x-slack-request-timestamp": "1773144000"})
    assert (found.kind, found.service, found.environment, at(found)) == ("note.added", "payments", "production", AT)
    assert (found.actor, found.labels["actor_name"]) == (Actor("U1", "human"), "dev")
    assert "secret" not in json.dumps(found.labels)


def test_slack_s_shortcut_keeps_the_words_of_the_message() -> None:
    payload = {"type": "message_action", "callback_id": "odd", "action_ts": "1773144000.5", "user": {"id": "U1"}}
    payload |= {"message": {"text": "that is odd", "ts": "1773143990.1"}, "channel": {"id": "C1"}}
    found = event("slack", urlencode({"payload": json.dumps(payload)}).encode(), FORM)
    assert (found.title, found.subject) == ("that is odd", "slack/C1/1773143990.1")


@pytest.mark.parametrize(
    ("inner", "reason"),
    [
        ({"type": "message", "bot_id": "B1", "text": "x"}, Ignored.NOT_RELEVANT),
        ({"type": "message", "subtype": "message_changed"}, Ignored.NOT_RELEVANT),
        ({"type": "reaction_added"}, Ignored.UNKNOWN_TYPE),
    ],
)
def test_slack_that_nobody_wrote(inner: dict[str, Any], reason: Ignored) -> None:
    assert left_out("slack", {"type": "event_callback", "event_id": "E", "event": inner}) == reason


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (
            {"object_kind": "deployment", "status": "canceled", "deployment_id": 1, "status_changed_at": AT},
            "change.held",
        ),
        (
            {"object_kind": "push", "ref": "refs/heads/main", "after": "b", "project": {"default_branch": "main"}},
            "change.merged",
        ),
        (
            {
                "object_kind": "issue",
                "object_attributes": {"id": 1, "type": "Incident", "action": "open", "updated_at": AT},
            },
            "incident.opened",
        ),
        (
            {"object_kind": "merge_request", "object_attributes": {"id": 1, "action": "merge", "updated_at": AT}},
            "change.merged",
        ),
    ],
)
def test_gitlab(body: dict[str, Any], kind: str) -> None:
    assert event("gitlab", body).kind == kind


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ({"object_kind": "pipeline"}, Ignored.NOT_RELEVANT),
        ({"object_kind": "dream"}, Ignored.UNKNOWN_TYPE),
        (
            {"object_kind": "push", "ref": "refs/heads/x", "after": "b", "project": {"default_branch": "main"}},
            Ignored.NOT_RELEVANT,
        ),
        ({"object_kind": "push", "ref": "refs/heads/main", "after": "0" * 40}, Ignored.NOT_RELEVANT),
        ({"object_kind": "issue", "object_attributes": {"id": 1, "type": "Issue"}}, Ignored.NOT_RELEVANT),
        ({"object_kind": "note", "object_attributes": {"id": 1, "system": True}}, Ignored.NOT_RELEVANT),
    ],
)
def test_gitlab_that_says_nothing(body: dict[str, Any], reason: Ignored) -> None:
    assert left_out("gitlab", body) == reason


def test_gitlab_s_revert_names_what_it_undoes() -> None:
    merge = {"id": 1, "action": "merge", "updated_at": AT, "description": "This reverts merge request !41"}
    assert (
        event("gitlab", {"object_kind": "merge_request", "object_attributes": merge}).labels["reverts_pull_request"]
        == "41"
    )


def gcp(**incident: Any) -> dict[str, Any]:
    return {
        "version": "1.2",
        "incident": {"incident_id": "0.n", "state": "open", "started_at": 1_773_144_000} | incident,
    }


def test_google_cloud() -> None:
    found = event("gcp", gcp(policy_user_labels={"service": "payments", "env": "production"}, severity="Critical"))
    assert (found.service, found.environment, found.severity, at(found)) == ("payments", "production", "critical", AT)
    pushed = {"message": {"data": base64.b64encode(json.dumps(gcp()).encode()).decode(), "messageId": "1"}}
    assert event("gcp", pushed).id == "0.n/open"
    closed = gcp(state="closed", ended_at=1_773_145_000, observed_value="1")
    assert (event("gcp", closed).kind, to_text(event("gcp", closed).began_at)) == ("alert.resolved", AT)
    assert left_out("gcp", gcp(state="dreaming")) == Ignored.UNKNOWN_TYPE
    assert refused("gcp", {"message": {"data": "%"}}) == Rejected.NOT_AN_EVENT


def audit(method: str, **more: Any) -> dict[str, Any]:
    payload = {"methodName": method, "resourceName": "projects/p/zones/z/instances/payments"}
    payload |= {"authenticationInfo": {"principalEmail": "dev@shop.example"}} | more
    return {"insertId": "i1", "timestamp": AT, "protoPayload": payload, "resource": {"type": "gce_instance"}}


@pytest.mark.parametrize(
    ("method", "kind"),
    [
        ("v1.compute.instances.delete", "change.deleted"),
        ("v1.compute.instances.reset", "change.restarted"),
        ("cloudsql.instances.failover", "change.failed_over"),
        ("google.cloud.run.v1.Services.ReplaceService", "change.deployed"),
        ("google.iam.admin.v1.CreateRole", "change.configured"),
    ],
)
def test_google_cloud_s_audit_log(method: str, kind: str) -> None:
    found = event("gcp", audit(method))
    assert (found.kind, found.service, found.actor) == (kind, "payments", Actor("dev@shop.example", "human"))
    assert event("gcp", audit(method, status={"code": 7})).kind == "change.blocked"
    assert left_out("gcp", audit("v1.compute.instances.list")) == Ignored.NOT_RELEVANT


def test_google_cloud_s_deployments_and_images() -> None:
    said = {"Action": "Succeed", "ResourceType": "Rollout", "DeliveryPipelineId": "payments", "TargetId": "production"}
    rollout = {"message": {"attributes": said | {"ActionTime": AT, "Resource": "r"}, "data": ""}}
    found = event("gcp", rollout)
    assert (found.kind, found.service, found.environment) == ("change.deployed", "payments", "production")
    image = {"action": "INSERT", "digest": "eu.gcr.io/p/payments@sha256:1", "tag": "eu.gcr.io/p/payments:1.4"}
    assert (event("gcp", image).kind, event("gcp", image).labels["version"]) == ("change.merged", "1.4")
    build = {
        "id": "b",
        "projectId": "p",
        "status": "FAILURE",
        "finishTime": AT,
        "substitutions": {"REPO_NAME": "payments"},
    }
    assert (event("gcp", build).kind, event("gcp", build).service) == ("change.failed", "payments")
    assert left_out("gcp", build | {"status": "SUCCESS"}) == Ignored.NOT_RELEVANT


def test_azure_s_services() -> None:
    flag = {"eventType": "Microsoft.AppConfiguration.KeyValueModified", "id": "1", "eventTime": AT}
    found = event("azure", [flag | {"data": {"key": ".appconfig.featureflag/new-checkout", "label": "production"}}])
    assert (found.kind, found.labels["flag"], found.environment) == ("change.flag_set", "new-checkout", "production")
    swap = {"eventType": "Microsoft.Web.SlotSwapCompleted", "id": "2", "eventTime": AT, "data": {"name": "payments"}}
    assert (event("azure", [swap]).kind, event("azure", [swap]).service) == ("change.deployed", "payments")


def test_azure_asks_before_it_sends() -> None:
    name = "Microsoft.EventGrid.SubscriptionValidationEvent"
    asked = json.dumps([{"eventType": name, "data": {"validationCode": "512d"}}]).encode()
    assert handshake("azure", asked, {}) == {"validationResponse": "512d"}
    assert handshake("azure", json.dumps([{"eventType": "x", "data": {"a": name}}]).encode(), {}) is None
    assert left_out("azure", asked) == Ignored.HANDSHAKE


@pytest.mark.parametrize(
    ("type_name", "operation", "kind"),
    [
        ("ResourceActionSuccess", "Microsoft.Compute/virtualMachines/deallocate/action", "change.scaled"),
        ("ResourceWriteSuccess", "Microsoft.Web/sites/write", "change.configured"),
        ("ResourceDeleteSuccess", "Microsoft.Web/sites/delete", "change.deleted"),
        ("ResourceWriteFailure", "Microsoft.Web/sites/write", "change.failed"),
        ("ResourceActionSuccess", "Microsoft.Web/sites/slots/slotsswap/action", "change.deployed"),
    ],
)
def test_azure_s_resources(type_name: str, operation: str, kind: str) -> None:
    claims = {"http://schemas.xmlsoap.org/ws/2005/05/identity/claims/upn": "dev@shop.example"}
    uri = "/subscriptions/1/resourceGroups/rg/providers/Microsoft.Web/sites/payments"
    data = {"operationName": operation, "resourceUri": uri, "claims": claims}
    body = {"id": "1", "eventType": f"Microsoft.Resources.{type_name}", "eventTime": AT, "data": data}
    found = event("azure", [body])
    assert (found.kind, found.service, found.actor) == (kind, "payments", Actor("dev@shop.example", "human"))
    assert found.labels["resource_group"] == "rg"


def test_azure_s_vault_tells_a_deadline() -> None:
    data = {"ObjectName": "tls", "VaultName": "v", "EXP": 1_773_230_400}
    near = {"id": "1", "eventType": "Microsoft.KeyVault.CertificateNearExpiry", "eventTime": AT, "data": data}
    found = event("azure", [near])
    assert (found.kind, to_text(found.expires_at)) == ("alert.fired", "2026-03-11T12:00:00Z")
    assert event("azure", [near | {"eventType": "Microsoft.KeyVault.SecretNewVersionCreated"}]).kind == "change.rotated"
    assert left_out("azure", {"eventType": "Microsoft.Storage.BlobCreated"}) == Ignored.UNKNOWN_TYPE


PIPELINE = {
    "object_kind": "pipeline",
    "object_attributes": {"id": 31, "ref": "main", "sha": "bcbb5ec396a2c0f8", "status": "success", "source": "push"},
    "project": {"name": "payments", "path_with_namespace": "acme/payments"},
    "user": {"name": "Dev One", "username": "dev-one"},
    "commit": {"title": "Retry the provider twice"},
}


def job(called: str, status: str, **place: str) -> dict[str, Any]:
    found = {"id": 380, "stage": "deploy", "name": called, "status": status, "finished_at": "2026-03-10 12:00:00 UTC"}
    return {**found, "environment": place or None}


@pytest.mark.parametrize(
    ("state", "jobs", "kind"),
    [
        ("success", [job("ship", "success", name="live", deployment_tier="production")], "change.deployed"),
        ("success", [job("ship", "success", name="prod")], "change.deployed"),
        ("success", [job("deploy-production", "success")], "change.deployed"),
        ("success", [job("rollback-production", "success")], "change.rolled_back"),
        ("failed", [job("ship", "failed", name="production")], "change.failed"),
        ("canceled", [job("ship", "canceled", name="production")], "change.held"),
    ],
)
def test_a_pipeline_that_deploys_to_production(state: str, jobs: list[Any], kind: str) -> None:
    attributes = PIPELINE["object_attributes"] | {"status": state}  # type: ignore[operator]
    found = event("gitlab", PIPELINE | {"object_attributes": attributes, "builds": jobs})
    assert (found.kind, found.service, found.title, at(found)) == (kind, "payments", "Retry the provider twice", AT)
    assert (found.labels["version"], found.actor) == ("bcbb5ec3", Actor("dev-one", "human"))
    assert found.subject == f"deployment/acme/payments/{found.environment}"


@pytest.mark.parametrize(
    ("state", "jobs"),
    [
        ("failed", [job("test", "failed"), job("ship", "skipped", name="production")]),
        ("success", [job("ship", "success", name="staging", deployment_tier="staging")]),
        ("success", [job("deploy", "success")]),
        ("success", [job("stop", "success", name="production", action="stop")]),
        ("running", [job("ship", "success", name="production")]),
        ("success", []),
    ],
)
def test_a_pipeline_that_changed_no_production(state: str, jobs: list[Any]) -> None:
    attributes = PIPELINE["object_attributes"] | {"status": state}  # type: ignore[operator]
    body = PIPELINE | {"object_attributes": attributes, "builds": jobs}
    assert left_out("gitlab", body) == Ignored.NOT_RELEVANT
