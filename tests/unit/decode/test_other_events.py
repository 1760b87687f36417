"""Events of the same tools that say less than their look: begun, talked about, announced, closed by hand."""

from __future__ import annotations

from typing import Any

import pytest

from monitor.core.model.events import Actor
from monitor.core.model.reasons import Ignored
from tests.unit.decode.deliveries import at, event, left_out

AT = "2026-03-10T12:00:00Z"
LOGS = "/subscriptions/1/resourceGroups/shop/providers/Microsoft.Web/sites/logs"


def test_a_failover_of_a_database_is_told_once() -> None:
    def body(code: str, said: str) -> dict[str, Any]:
        detail = {"EventCategories": ["failover"], "SourceIdentifier": "orders", "EventID": code, "Message": said}
        return {"detail-type": "RDS DB Instance Event", "id": code, "time": AT, "detail": {**detail, "Date": AT}}

    assert event("aws", body("RDS-EVENT-0013", "Multi-AZ instance failover started.")).kind == "change.started"
    assert event("aws", body("RDS-EVENT-0049", "Multi-AZ instance failover completed")).kind == "change.failed_over"


def test_cloudformation_s_own_notification_is_lines_of_words() -> None:
    def body(type_name: str) -> dict[str, Any]:
        lines = {
            "StackId": "arn:aws:cloudformation:eu-west-1:1:stack/payments/9",
            "Timestamp": AT,
            "EventId": "e1",
            "StackName": "payments",
            "ResourceType": type_name,
            "ResourceStatus": "UPDATE_ROLLBACK_COMPLETE",
        }
        words = "".join(f"{name}='{value}'\n" for name, value in lines.items())
        return {"Type": "Notification", "MessageId": "m", "Message": words}

    found = event("aws", body("AWS::CloudFormation::Stack"))
    assert (found.kind, found.service, at(found)) == ("change.rolled_back", "payments", AT)
    assert left_out("aws", body("AWS::SQS::Queue")) is Ignored.NOT_RELEVANT
    assert left_out("aws", {"Type": "Notification", "Message": "StackName='x'"}) is Ignored.UNKNOWN_TYPE


def test_google_cloud_s_database_is_named_without_its_project() -> None:
    payload = {"methodName": "cloudsql.instances.failover", "resourceName": "projects/shop/instances/orders"}
    entry = {"protoPayload": payload, "resource": {"labels": {"database_id": "shop:orders"}}, "timestamp": AT}
    assert event("gcp", entry).service == "orders"


def test_azure_s_rule_that_is_split_by_a_role_names_the_service() -> None:
    criterion = {"dimensions": [{"name": "cloud_RoleName", "value": "payments"}], "metricValue": 3, "threshold": "0"}
    essentials = {"alertId": "a/1", "monitorCondition": "Fired", "alertTargetIDs": [LOGS]}
    body = {"data": {"essentials": essentials, "alertContext": {"condition": {"allOf": [criterion]}}}}
    assert event("azure", body).service == "payments"


def test_a_comment_on_a_commit() -> None:
    comment = {
        "id": 1,
        "body": "odd",
        "commit_id": "9c1f",
        "created_at": AT,
        "user": {"login": "dev-one", "type": "User"},
    }
    body = {"action": "created", "comment": comment, "repository": {"name": "payments", "full_name": "acme/payments"}}
    found = event("github", body, {"X-GitHub-Event": "commit_comment"})
    assert (found.kind, found.title, found.subject) == ("note.added", "odd", "commit/acme/payments/9c1f")


def test_a_comment_in_a_jira_of_one_s_own() -> None:
    body = {
        "webhookEvent": "jira:issue_updated",
        "issue_event_type_name": "issue_commented",
        "timestamp": 1773144000000,
    }
    issue = {"key": "OPS-1", "fields": {"summary": "Slow"}}
    found = event(
        "jira", {**body, "issue": issue, "comment": {"id": "9", "body": "odd", "author": {"name": "dev-one"}}}
    )
    assert (found.kind, found.actor, found.labels["text"]) == ("note.added", Actor("dev-one", "human"), "odd")


@pytest.mark.parametrize(("action", "is_set"), [("updateOn", True), ("createApprovalRequest", False)])
def test_a_flag_that_is_talked_about_is_not_set(action: str, is_set: bool) -> None:
    body = {"_id": "1", "kind": "flag", "date": 1773144000000, "accesses": [{"action": action}]}
    if is_set:
        assert event("launchdarkly", body).kind == "change.flag_set"
    else:
        assert left_out("launchdarkly", body) is Ignored.NOT_RELEVANT


def test_flagsmith_s_version_of_a_flag() -> None:
    states = [{"enabled": True, "feature_segment": {"id": 1}}, {"enabled": False}]
    data = {
        "uuid": "u",
        "feature": {"name": "fast_pay"},
        "feature_states": states,
        "published_by": {"email": "dev@x.example"},
    }
    found = event("flagsmith", {"event_type": "NEW_VERSION_PUBLISHED", "data": data})
    assert (found.kind, found.subject, found.labels["state"]) == ("change.flag_set", "flag/fast_pay", "off")
    assert found.actor == Actor("dev@x.example", "human")


@pytest.mark.parametrize(
    ("status", "kind"), [("InProgress", "maintenance.started"), ("Completed", "maintenance.ended"), ("Scheduled", None)]
)
def test_work_of_cloudflare_that_is_announced_has_not_begun(status: str, kind: str | None) -> None:
    body = {"alert_type": "maintenance_event_notification", "ts": 1773144000, "data": {"maintenance_status": status}}
    if kind is None:
        assert left_out("cloudflare", body) is Ignored.NOT_RELEVANT
    else:
        assert event("cloudflare", body).kind == kind


@pytest.mark.parametrize(
    ("action", "kind"),
    [
        ("closed", "alert.cancelled"),
        ("suppressed until", "alert.silenced"),
        ("changed severity from Average to High", None),
    ],
)
def test_an_update_of_a_problem_in_zabbix_is_no_second_problem(action: str, kind: str | None) -> None:
    body = {
        "event_id": "1",
        "trigger_id": "2",
        "event_value": "1",
        "event_update_status": "1",
        "user_fullname": "Dev One",
    }
    if kind is None:
        assert left_out("zabbix", {**body, "event_update_action": action}) is Ignored.NOT_RELEVANT
    else:
        found = event("zabbix", {**body, "event_update_action": action})
        assert (found.kind, found.actor) == (kind, Actor("Dev One", "human"))


def test_nobody_is_no_person() -> None:
    about = {"id": "a1", "summary": "Errors", "ended_at": AT, "user": None}
    assert (
        event("rootly", {"event": {"id": "e", "type": "alert.resolved", "issued_at": AT}, "data": about}).actor is None
    )
    seen = event("newrelic", {"id": "i", "state": "ACKNOWLEDGED", "updatedAt": 1773144000000})
    assert seen.actor == Actor(kind="human")
