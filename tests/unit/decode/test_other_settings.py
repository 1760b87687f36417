"""Bodies of the same tools under other settings: own templates, older schemas, other forms of time, other envelopes."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest

from monitor.core.model.events import Actor, to_text
from monitor.core.model.reasons import Ignored, Rejected
from monitor.core.model.words import names_environment
from monitor.decode.reading import respelt, tags_of
from tests.unit.decode.deliveries import at, event, events, left_out, refused

AT = "2026-03-10T12:00:00Z"
TARGET = "/subscriptions/1/resourceGroups/shop/providers/Microsoft.Web/sites/payments"


def test_a_name_of_a_template_is_read_in_any_spelling() -> None:
    found = respelt({"ALERT_TITLE": 1, "alertId": 2, "Alert Type": 3, "$HOSTNAME": 4, "alert_id": 5, "": 6})
    assert [found[name] for name in ("alert_title", "alertTitle", "alert_type", "hostname")] == [1, 1, 3, 4]
    assert (found["alert_id"], found["alertId"]) == (5, 2)


def test_tags_are_split_at_their_first_mark() -> None:
    assert tags_of("service:payments, url=http://a:1,monitor,:x,y:", ["service:other", "db:shop:1"]) == {
        "service": "payments",
        "url": "http://a:1",
        "db": "shop:1",
    }
    assert tags_of(None, 5, [None, {}]) == {}


@pytest.mark.parametrize(
    ("word", "is_one"),
    [("prod", True), ("pre-production", True), ("payments-prod", False), ("blue", False), ("", False)],
)
def test_a_word_that_names_an_environment_alone(word: str, is_one: bool) -> None:
    assert names_environment(word) is is_one


@pytest.mark.parametrize("spelling", [str.upper, lambda name: "".join(map(str.capitalize, name.split("_")))])
def test_datadog_s_variables_under_names_of_one_s_own(spelling: Any) -> None:
    body = {
        "alert_transition": "Triggered",
        "alert_id": "7",
        "alert_title": "Errors",
        "tags": ["service:payments", "env:production"],
        "date": "2026-03-10 12:00:00 UTC",
        "link": "https://dog.example/7",
    }
    found = event("datadog", {spelling(name): value for name, value in body.items()})
    assert (found.kind, found.service, found.environment, at(found)) == ("alert.fired", "payments", "production", AT)
    assert (found.subject, found.title, found.url) == ("monitor/7", "Errors", "https://dog.example/7")


def test_datadog_s_shortest_template_names_its_group_in_the_title_only() -> None:
    def body(state: str, about: str) -> dict[str, Any]:
        title = f"[P1] [{state} on {{service:payments,env:production}}] {about}"
        return {"id": state, "event_type": "query_alert_monitor", "title": title, "date": "1773144000000"}

    fired, over, other = (
        event("datadog", body(*said))
        for said in (("Triggered", "Errors"), ("Recovered", "Errors"), ("Triggered", "Latency"))
    )
    assert (fired.service, fired.environment, fired.kind, over.kind) == (
        *("payments", "production"),
        *("alert.fired", "alert.resolved"),
    )
    assert fired.subject == over.subject != other.subject


def test_a_mapped_tool_s_template_and_its_tags_in_one_text() -> None:
    body = {"EVENT_ID": "1", "TRIGGER_ID": "2", "EVENT_VALUE": "1", "EVENT_NAME": "Disk", "EVENT_SEVERITY": "High"}
    found = event("zabbix", {**body, "EVENT_TAGS": "service:payments, env:production"})
    assert (found.kind, found.subject, found.severity) == ("alert.fired", "2", "high")
    assert (found.service, found.environment) == ("payments", "production")
    assert refused("zabbix", {"SOMETHING_ELSE": 1}) is Rejected.NOT_AN_EVENT


def test_new_relic_s_entities_as_a_text() -> None:
    assert event("newrelic", {"id": "i", "state": "ACTIVATED", "impactedEntities": "payments"}).service == "payments"


def test_opsgenie_s_tag_that_names_the_service() -> None:
    alert: dict[str, Any] = {"alertId": "a", "message": "x", "tags": ["shop", "service:payments", "env:production"]}
    found = event("opsgenie", {"action": "Create", "alert": alert})
    assert (found.service, found.environment) == ("payments", "production")
    alert["details"] = {"service": "ledger"}
    assert event("opsgenie", {"action": "Create", "alert": alert}).service == "ledger"


def sns(message: dict[str, Any]) -> dict[str, Any]:
    return {"Type": "Notification", "MessageId": "m", "Message": json.dumps(message)}


def test_codedeploy_by_sns_writes_its_times_as_java_does() -> None:
    message = {
        "applicationName": "payments",
        "deploymentId": "d-1",
        "deploymentGroupName": "prod",
        "createTime": "Tue Mar 10 11:58:00 UTC 2026",
        "completeTime": "Tue Mar 10 12:00:00 UTC 2026",
        "status": "SUCCEEDED",
    }
    found = event("aws", sns(message))
    assert (found.kind, found.service, found.environment, at(found)) == ("change.deployed", "payments", "prod", AT)
    blue = event("aws", sns({**message, "deploymentGroupName": "blue"}))
    assert blue.environment is None
    local = {**message, "completeTime": "Tue Mar 10 12:00:00 CET 2026"}
    assert refused("aws", sns(local)) is Rejected.BAD_TIME


def test_aws_health_writes_its_times_as_http_does() -> None:
    detail = {
        "service": "EC2",
        "eventTypeCategory": "issue",
        "eventTypeCode": "AWS_EC2_ISSUE",
        "startTime": "Tue, 10 Mar 2026 12:00:00 GMT",
    }
    found = event("aws", {"detail-type": "AWS Health Event", "source": "aws.health", "id": "1", "detail": detail})
    assert (found.kind, at(found)) == ("alert.fired", AT)


def trail(name: str, identity: dict[str, Any], **more: Any) -> dict[str, Any]:
    record = {
        "eventName": name,
        "eventSource": "secretsmanager.amazonaws.com",
        "eventTime": AT,
        "userIdentity": identity,
    }
    return {**record, **more}


def test_a_service_of_aws_rotates_a_secret_by_itself() -> None:
    where = {"SecretId": "arn:aws:secretsmanager:eu-west-1:1:secret:payments/db"}
    rotated = trail("RotationSucceeded", {"accountId": "1"}, eventType="AwsServiceEvent", additionalEventData=where)
    found = event("aws", rotated)
    assert (found.kind, found.subject, found.title) == ("change.rotated", "secretsmanager/db", "RotationSucceeded db")
    assert found.actor is not None
    assert found.actor.kind == "automation"
    assert left_out("aws", {**rotated, "eventName": "RotationStarted"}) is Ignored.NOT_RELEVANT


@pytest.mark.parametrize(
    ("session", "kind"),
    [
        ("GitHubActions", "automation"),
        ("botocore-session-17", "automation"),
        ("i-0a1b2c3d4e", "automation"),
        ("dev-one", "unknown"),
        ("dev@shop.example", "human"),
    ],
)
def test_a_session_that_a_machine_named_is_a_machine_s(session: str, kind: str) -> None:
    identity = {"type": "AssumedRole", "principalId": f"AROA:{session}"}
    found = event("aws", trail("RotateSecret", identity, eventID="e1"))
    assert found.actor == Actor(session, kind)  # type: ignore[arg-type]


OLDER = {
    "timestamp": AT,
    "id": "rule/1",
    "name": "Errors",
    "severity": "1",
    "condition": {
        "allOf": [{"metricName": "Http5xx", "operator": "GreaterThan", "threshold": "10", "metricValue": 31}]
    },
    "resourceName": "payments",
    "resourceId": TARGET,
    "portalLink": "https://portal.example/1",
}


def test_azure_s_metric_alert_of_the_older_schema() -> None:
    body = {"schemaId": "AzureMonitorMetricAlert", "data": {"version": "2.0", "status": "Activated", "context": OLDER}}
    fired = event("azure", body)
    over = event("azure", {**body, "data": {**body["data"], "status": "Deactivated"}})  # type: ignore[dict-item]
    assert (fired.kind, fired.service, fired.severity, at(fired)) == ("alert.fired", "payments", "high", AT)
    assert (fired.value, fired.limit, fired.bound, fired.url) == (31, 10, "max", "https://portal.example/1")
    assert (over.kind, over.subject) == ("alert.resolved", fired.subject)


def test_azure_s_classic_alert_has_no_schema() -> None:
    condition = {"metricName": "CPU", "operator": "LessThan", "threshold": "2", "metricValue": "1"}
    found = event("azure", {"status": "Resolved", "context": {**OLDER, "condition": condition}})
    assert (found.kind, found.value, found.bound) == ("alert.resolved", 1, "min")
    assert left_out("azure", {"status": "Odd", "context": OLDER}) is Ignored.UNKNOWN_TYPE


def test_azure_s_autoscale() -> None:
    context = {**OLDER, "oldCapacity": "2", "newCapacity": "3"}
    found = event("azure", {"status": "Activated", "operation": "Scale Out", "context": context})
    assert (found.kind, found.actor, found.labels["replicas"]) == ("change.scaled", Actor(kind="automation"), "3")


def test_azure_s_alert_on_logs() -> None:
    data = {"AlertRuleName": "Timeouts", "SearchIntervalEndtimeUtc": "2026-03-10T12:00:00", "Severity": "2"}
    more = {"ResultCount": 7, "AlertThresholdValue": 5, "AlertThresholdOperator": "Greater Than"}
    found = event("azure", {"schemaId": "Microsoft.Insights/LogAlert", "data": {**data, **more}})
    assert (found.kind, found.title, found.severity, at(found)) == ("alert.fired", "Timeouts", "warning", AT)
    assert (found.value, found.limit, found.bound) == (7, 5, "max")


ACTIVITY = {
    "operationName": "Microsoft.Web/sites/restart/action",
    "status": "Succeeded",
    "caller": "dev@shop.example",
    "eventTimestamp": AT,
    "eventDataId": "e1",
    "resourceId": TARGET,
}


def test_azure_s_activity_log_tells_what_somebody_did() -> None:
    older = event("azure", {"schemaId": "x", "data": {"status": "Activated", "context": {"activityLog": ACTIVITY}}})
    essentials = {"alertId": "a/1", "monitorCondition": "Fired", "monitoringService": "Activity Log - Administrative"}
    common = event("azure", {"data": {"essentials": essentials, "alertContext": ACTIVITY}})
    for found in (older, common):
        assert (found.kind, found.service, at(found)) == ("change.restarted", "payments", AT)
        assert found.actor == Actor("dev@shop.example", "human")
    failed = {**ACTIVITY, "status": "Failed"}
    assert event("azure", {"data": {"essentials": essentials, "alertContext": failed}}).kind == "change.failed"
    reads = {**ACTIVITY, "operationName": "Microsoft.Web/sites/read/action"}
    assert left_out("azure", {"data": {"essentials": essentials, "alertContext": reads}}) is Ignored.NOT_RELEVANT


@pytest.mark.parametrize(
    ("properties", "kind"),
    [
        ({"incidentType": "Incident", "stage": "Active"}, "alert.fired"),
        ({"incidentType": "Incident", "stage": "Resolved"}, "alert.resolved"),
        ({"incidentType": "Maintenance", "stage": "InProgress"}, "maintenance.started"),
        ({"incidentType": "Maintenance", "stage": "Complete"}, "maintenance.ended"),
    ],
)
def test_the_health_of_azure_itself(properties: dict[str, str], kind: str) -> None:
    essentials = {
        "alertId": "a/1",
        "monitorCondition": "Fired",
        "monitoringService": "ServiceHealth",
        "alertTargetIDs": ["/subscriptions/1"],
    }
    context = {"eventTimestamp": AT, "level": "Error", "properties": {**properties, "trackingId": "T1"}}
    found = event("azure", {"data": {"essentials": essentials, "alertContext": context}})
    assert (found.kind, found.subject, found.service) == (kind, "T1", None)
    planned = {"incidentType": "Maintenance", "stage": "Planned"}
    body = {"data": {"essentials": essentials, "alertContext": {**context, "properties": planned}}}
    assert left_out("azure", body) is Ignored.NOT_RELEVANT


def pushed(data: Any = None, **attributes: Any) -> dict[str, Any]:
    raw = data if isinstance(data, bytes) else json.dumps(data).encode()
    message = {"data": base64.b64encode(raw).decode(), "attributes": attributes, "publishTime": AT}
    return {"message": message, "subscription": "projects/shop/subscriptions/nearmiss"}


def test_google_cloud_s_test_of_a_channel() -> None:
    incident = {"incident_id": "1", "state": "OPEN", "summary": "Test Incident", "started_at": 0}
    assert left_out("gcp", {"incident": incident, "version": "test"}) is Ignored.TEST_DELIVERY


def test_google_cloud_upgrades_a_cluster_and_tells_it_in_words() -> None:
    kind = "type.googleapis.com/google.container.v1beta1."
    upgrade = json.dumps({"operation": "o1", "operationStartTime": AT, "targetVersion": "1.30"})
    body = pushed(b"Master of eu-1 is upgrading", type_url=f"{kind}UpgradeEvent", cluster_name="eu-1", payload=upgrade)
    found = event("gcp", body)
    assert (found.kind, found.service, at(found), found.labels["version"]) == ("change.started", "eu-1", AT, "1.30")
    notice = pushed(b"An upgrade is available", type_url=f"{kind}UpgradeAvailableEvent", cluster_name="eu-1")
    assert left_out("gcp", notice) is Ignored.NOT_RELEVANT
    assert left_out("gcp", pushed(b"words of somebody")) is Ignored.UNKNOWN_TYPE


def test_google_cloud_deploy_tells_no_time_but_that_of_its_message() -> None:
    body = pushed(None, Action="Succeed", ResourceType="Rollout", DeliveryPipelineId="payments", TargetId="prod")
    found = event("gcp", body)
    assert (found.kind, found.marks, at(found)) == ("change.deployed", (), AT)


def test_sentry_s_older_plugin() -> None:
    inner = {"event_id": "e1", "title": "Timeout", "timestamp": 1773144000.0, "tags": [["environment", "production"]]}
    body = {"id": "7", "project": "payments", "level": "error", "url": "https://sentry.example/7", "event": inner}
    found = event("sentry", {**body, "triggering_rules": ["first seen"]})
    assert (found.kind, found.service, found.environment) == ("alert.fired", "payments", "production")
    assert (found.severity, found.subject, found.title, at(found)) == ("high", "issue/7", "Timeout", AT)
    assert refused("sentry", {**body, "id": None, "event": {"title": "x"}}) is Rejected.NOT_AN_EVENT


def test_terraform_s_health_of_a_workspace_has_a_time_and_an_id() -> None:
    result = {"id": "asmtres-1", "created_at": AT, "url": "https://tf.example/1"}
    about = {"workspace_id": "ws-1", "workspace_name": "payments-prod", "organization_name": "acme"}
    body = {"trigger": "assessment:drifted", "message": "Drift", "details": {"new_assessment_result": result, **about}}
    found = event("terraform-cloud", body)
    assert (found.kind, found.service, at(found), found.url) == ("alert.fired", "payments-prod", AT, result["url"])
    assert found.subject == "workspace/acme/payments-prod"


def test_an_array_of_alerts_sent_to_the_alertmanager_s_address() -> None:
    alert = {"labels": {"alertname": "Errors", "service": "payments"}, "startsAt": "2026-03-10T11:00:00Z"}
    later, before = {**alert, "endsAt": "2026-03-10T12:05:00Z"}, {**alert, "endsAt": "2026-03-10T11:30:00Z"}
    assert [one.kind for one in events("alertmanager", [alert, later, before])] == [
        "alert.fired",
        "alert.fired",
        "alert.resolved",
    ]
    assert refused("alertmanager", [{**alert, "endsAt": "soon"}]) is Rejected.NOT_AN_EVENT


def test_argo_s_application_that_is_unwell_is_no_new_deployment() -> None:
    state = {"phase": "Succeeded", "finishedAt": AT}
    app = {
        "metadata": {"name": "payments"},
        "status": {"health": {"status": "Degraded"}, "operationState": state},
    }
    assert event("argo", {"app": app}).kind == "alert.fired"
    assert event("argo", {"app": app, "trigger": "sync"}).kind == "change.deployed"
    app["status"]["operationState"] = {**state, "phase": "Failed"}  # type: ignore[index]
    assert event("argo", {"app": app}).kind == "change.failed"


def test_gitlab_s_incident_has_a_severity() -> None:
    issue = {"id": 1, "iid": 2, "type": "Incident", "action": "open", "updated_at": AT, "severity": "critical"}
    assert event("gitlab", {"object_kind": "issue", "object_attributes": issue}).severity == "critical"


def test_what_somebody_closes_has_not_recovered_in_dash0() -> None:
    issue = {"id": "i", "issueIdentifier": "7", "start": AT, "status": "closed", "end": AT}
    assert event("dash0", {"type": "alert.closed", "data": {"issue": issue}}).kind == "alert.cancelled"
    body = {"type": "alert.superseded", "data": {"issue": {**issue, "status": "critical"}}}
    assert left_out("dash0", body) is Ignored.NOT_RELEVANT


def test_octopus_s_sentence_goes_on_behind_the_environment() -> None:
    said = "Deploy Shop release 1.2.0 to Production queued"
    body = {"Payload": {"Event": {"Category": "DeploymentQueued", "Message": said, "Occurred": AT}}}
    found = event("octopus", body)
    assert (found.environment, to_text(found.time)) == ("Production", AT)


@pytest.mark.parametrize("kind", [[], {}, ["human"], 5])
def test_an_actor_s_kind_that_is_no_word_costs_only_itself(kind: Any) -> None:
    body = {"id": "1", "source": "shop", "time": AT, "kind": "note.added", "actor": {"id": "dev-one", "kind": kind}}
    assert event("events", body).actor == Actor("dev-one", "unknown")


def test_azure_s_advice_is_nobody_s_action() -> None:
    said = {
        **ACTIVITY,
        "eventSource": "Recommendation",
        "operationName": "Microsoft.Advisor/recommendations/available/action",
    }
    body = {"data": {"status": "Activated", "context": {"activityLog": said}}}
    assert left_out("azure", body) is Ignored.NOT_RELEVANT
