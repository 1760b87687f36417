"""AWS: envelopes within envelopes, alarms by both ways, services' events, and who called which API."""

from __future__ import annotations

import json
from typing import Any

import pytest

from monitor.core.model.events import Actor, to_text
from monitor.core.model.reasons import Ignored, Rejected
from tests.unit.decode.deliveries import at, event, events, left_out, refused

AT = "2026-03-10T12:00:00Z"
ARN = "arn:aws:cloudwatch:eu-west-1:111122223333:alarm:errors"
ALARM = {
    "AlarmName": "errors",
    "AlarmArn": ARN,
    "AWSAccountId": "111122223333",
    "NewStateValue": "ALARM",
    "OldStateValue": "OK",
    "StateChangeTime": "2026-03-10T12:00:00.045+0000",
    "Trigger": {
        "MetricName": "Errors",
        "Threshold": 5.0,
        "ComparisonOperator": "GreaterThanThreshold",
        "Dimensions": [{"name": "FunctionName", "value": "charge"}],
    },
}


def sns(message: Any, **more: Any) -> dict[str, Any]:
    said = message if isinstance(message, str) else json.dumps(message)
    return {"Type": "Notification", "MessageId": "m1", "TopicArn": "arn:aws:sns:x", "Message": said} | more


def bridge(detail_type: str, detail: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"id": "e1", "detail-type": detail_type, "source": "aws.x", "time": AT, "detail": detail} | more


def test_an_alarm_is_the_same_by_sns_and_by_eventbridge() -> None:
    by_sns = event("aws", sns(ALARM))
    state = {"value": "ALARM", "timestamp": "2026-03-10T12:00:00.045+0000", "reason": "greater than the threshold"}
    by_bridge = event(
        "aws", bridge("CloudWatch Alarm State Change", {"alarmName": "errors", "state": state}, resources=[ARN])
    )
    assert by_sns.id == by_bridge.id
    assert (by_sns.service, by_sns.limit, by_sns.bound) == ("charge", 5.0, "max")
    assert event("aws", ALARM).id == by_sns.id  # raw message delivery


@pytest.mark.parametrize(
    ("state", "kind"),
    [("OK", "alert.resolved"), ("INSUFFICIENT_DATA", "alert.cancelled"), ("ALARM", "alert.fired")],
)
def test_states_of_an_alarm(state: str, kind: str) -> None:
    assert event("aws", sns(ALARM | {"NewStateValue": state})).kind == kind
    assert left_out("aws", sns(ALARM | {"NewStateValue": "DREAMING"})) == Ignored.UNKNOWN_TYPE


def test_envelopes_of_functions_and_queues() -> None:
    assert event("aws", {"Records": [{"EventSource": "aws:sns", "Sns": sns(ALARM)}]}).kind == "alert.fired"
    queued = {"messageId": "q", "eventSourceARN": "arn:aws:sqs:x", "body": json.dumps(sns(ALARM))}
    assert event("aws", {"Records": [queued]}).kind == "alert.fired"


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ({"Type": "SubscriptionConfirmation", "SubscribeURL": "https://x"}, Ignored.HANDSHAKE),
        ({"Type": "UnsubscribeConfirmation"}, Ignored.HANDSHAKE),
        (sns("Your budget is nearly spent."), Ignored.UNKNOWN_TYPE),
        (sns({"Event": "autoscaling:TEST_NOTIFICATION"}), Ignored.TEST_DELIVERY),
        (sns({"detail-type": "x"}), Ignored.UNKNOWN_TYPE),
        (bridge("GuardDuty Finding", {}), Ignored.UNKNOWN_TYPE),
        # What a bucket tells functions is formed like a record of CloudTrail.
        (
            {"Records": [{"eventSource": "aws:s3", "eventName": "ObjectCreated:Put", "requestParameters": {}}]},
            Ignored.UNKNOWN_TYPE,
        ),
        (bridge("ECS Task State Change", {"lastStatus": "RUNNING"}), Ignored.NOT_RELEVANT),
    ],
)
def test_what_gives_no_event(body: dict[str, Any], reason: Ignored) -> None:
    assert left_out("aws", body) == reason


@pytest.mark.parametrize(
    ("detail_type", "detail", "kind", "service"),
    [
        (
            "CodeDeploy Deployment State-change Notification",
            {"application": "shop", "state": "SUCCESS"},
            "change.deployed",
            "shop",
        ),
        (
            "CodeDeploy Deployment State-change Notification",
            {"application": "shop", "state": "STOP"},
            "change.held",
            "shop",
        ),
        ("CodePipeline Pipeline Execution State Change", {"pipeline": "p", "state": "FAILED"}, "change.failed", "p"),
        (
            "CodePipeline Pipeline Execution State Change",
            {"pipeline": "p", "state": "SUCCEEDED"},
            "change.deployed",
            "p",
        ),
        ("EC2 Instance Launch Unsuccessful", {"AutoScalingGroupName": "g"}, "change.failed", "g"),
        ("EC2 Auto Scaling Instance Refresh Cancelled", {"AutoScalingGroupName": "g"}, "change.held", "g"),
        (
            "RDS DB Instance Event",
            {"SourceIdentifier": "db", "EventCategories": ["failover"]},
            "change.failed_over",
            "db",
        ),
        ("RDS DB Instance Event", {"SourceIdentifier": "db", "EventCategories": ["low storage"]}, "alert.fired", "db"),
        ("RDS DB Instance Event", {"SourceIdentifier": "db", "EventID": "RDS-EVENT-0006"}, "change.restarted", "db"),
        (
            "AWS Health Event",
            {"service": "EC2", "eventTypeCategory": "issue", "statusCode": "open"},
            "alert.fired",
            "EC2",
        ),
        (
            "AWS Health Event",
            {"service": "EC2", "eventTypeCategory": "issue", "statusCode": "closed"},
            "alert.resolved",
            "EC2",
        ),
        (
            "CloudFormation Stack Status Change",
            {"stack-id": "arn:aws:x:stack/shop/1", "status-details": {"status": "UPDATE_ROLLBACK_COMPLETE"}},
            "change.rolled_back",
            "shop",
        ),
        (
            "ECS Task State Change",
            {"lastStatus": "STOPPED", "stopCode": "EssentialContainerExited", "group": "service:pay"},
            "alert.fired",
            "pay",
        ),
    ],
)
def test_events_of_services(detail_type: str, detail: dict[str, Any], kind: str, service: str) -> None:
    found = event("aws", bridge(detail_type, detail))
    assert (found.kind, found.service, at(found)) == (kind, service, AT)


def test_a_certificate_tells_its_deadline() -> None:
    found = event(
        "aws", bridge("ACM Certificate Approaching Expiration", {"DaysToExpiry": 3, "CommonName": "x.example"})
    )
    assert (found.kind, found.subject) == ("alert.fired", "certificate/x.example")
    assert to_text(found.expires_at) == "2026-03-13T12:00:00Z"


def test_older_notifications_straight_to_sns() -> None:
    scaling = {
        "Event": "autoscaling:EC2_INSTANCE_TERMINATE",
        "AutoScalingGroupName": "g",
        "ActivityId": "a",
        "Time": AT,
    }
    assert (event("aws", sns(scaling)).kind, event("aws", sns(scaling)).service) == ("change.scaled", "g")
    undone = json.dumps({"RollbackTriggeringDeploymentId": "d-1"})
    deployment = {
        "deploymentId": "d-2",
        "applicationName": "shop",
        "status": "SUCCEEDED",
        "rollbackInformation": undone,
    }
    assert event("aws", sns(deployment)).kind == "change.rolled_back"
    database: dict[str, Any] = {
        "Event Source": "db-instance",
        "Event Message": "Storage full",
        "Event ID": "http://x#RDS-EVENT-0089",
    }
    database |= {"Source ID": "db", "Event Time": "2026-03-10 12:00:00.000", "Event Categories": ["failure"]}
    assert (event("aws", sns(database)).kind, at(event("aws", sns(database)))) == ("alert.fired", AT)
    restarted = {**database, "Event ID": "http://x#RDS-EVENT-0006", "Event Categories": []}
    assert event("aws", sns(restarted)).kind == "change.restarted"


def call(name: str, **more: Any) -> dict[str, Any]:
    identity = {"type": "IAMUser", "userName": "dev-one"}
    return {
        "eventID": "c1",
        "eventName": name,
        "eventSource": "ecs.amazonaws.com",
        "eventTime": AT,
        "userIdentity": identity,
    } | more


@pytest.mark.parametrize(
    ("name", "asked", "kind"),
    [
        ("UpdateService", {"service": "payments", "desiredCount": 4}, "change.scaled"),
        ("UpdateService", {"service": "payments", "forceNewDeployment": True}, "change.restarted"),
        ("UpdateService", {"service": "payments", "taskDefinition": "pay:7"}, "change.started"),
        ("UpdateFunctionCode20150331v2", {"functionName": "payments"}, "change.deployed"),
        ("DeleteDBInstance", {"dBInstanceIdentifier": "payments"}, "change.deleted"),
        ("FailoverDBCluster", {"dBClusterIdentifier": "payments"}, "change.failed_over"),
        ("AuthorizeSecurityGroupIngress", {"name": "payments"}, "change.configured"),
        ("RebootDBInstance", {"dBInstanceIdentifier": "payments"}, "change.restarted"),
        ("DisableAlarmActions", {"name": "payments"}, "alert.silenced"),
        ("ExecuteCommand", {"service": "payments"}, "change.ran"),
    ],
)
def test_calls_that_change(name: str, asked: dict[str, Any], kind: str) -> None:
    found = event("aws", call(name, requestParameters=asked))
    assert (found.kind, found.service, found.actor) == (kind, "payments", Actor("dev-one", "human"))
    by_bridge = event("aws", bridge("AWS API Call via CloudTrail", call(name, requestParameters=asked)))
    assert by_bridge == found


def test_calls_that_change_nothing_or_are_refused() -> None:
    assert left_out("aws", call("DescribeServices")) == Ignored.NOT_RELEVANT
    assert left_out("aws", call("UpdateService", readOnly=True)) == Ignored.NOT_RELEVANT
    assert left_out("aws", call("Frobnicate")) == Ignored.UNKNOWN_TYPE
    denied = event("aws", call("DeleteCluster", errorCode="AccessDenied"))
    assert (denied.kind, denied.labels["guard"]) == ("change.blocked", "permission")
    protected = event("aws", call("TerminateInstances", errorCode="Client.OperationNotPermitted"))
    assert (protected.kind, protected.labels["guard"]) == ("change.blocked", "deletion_protection")
    assert event("aws", call("DeleteCluster", errorCode="ClusterNotFoundException")).kind == "change.failed"


@pytest.mark.parametrize(
    ("identity", "actor"),
    [
        ({"type": "AssumedRole", "principalId": "AROA:dev@shop.example"}, Actor("dev@shop.example", "human")),
        (
            {
                "type": "AssumedRole",
                "principalId": "AROA:i-0abc",
                "sessionContext": {"sessionIssuer": {"userName": "ci"}},
            },
            Actor("i-0abc", "unknown"),
        ),
        (
            {"type": "AWSService", "invokedBy": "autoscaling.amazonaws.com"},
            Actor("autoscaling.amazonaws.com", "automation"),
        ),
        ({"type": "Root"}, Actor("root", "human")),
        ({"type": "IAMUser", "userName": "deploy-bot"}, Actor("deploy-bot", "automation")),
    ],
)
def test_who_called(identity: dict[str, Any], actor: Actor) -> None:
    assert event("aws", call("DeleteCluster", userIdentity=identity)).actor == actor


def test_a_file_of_cloudtrail_and_lines() -> None:
    records = [call("DeleteCluster"), call("DeleteCluster", eventID="c2")]
    assert len(events("aws", {"Records": records})) == 2
    assert len(events("cloudtrail", "\n".join(map(json.dumps, records)).encode())) == 2
    assert refused("aws", {"a": 1}) == Rejected.NOT_AN_EVENT
    assert refused("aws", call("DeleteCluster", eventID=None)) == Rejected.MISSING_FIELD
