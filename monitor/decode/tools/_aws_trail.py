"""AWS CloudTrail: who called which API. Calls that read, and what services write about themselves, are left out."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from monitor.core.model.events import Actor, ActorKind, Event, Kind
from monitor.core.model.reasons import Ignored, Rejected
from monitor.decode.guard_words import guard_in
from monitor.decode.outcome import NoEvent, Unreadable
from monitor.decode.people import Named, who
from monitor.decode.reading import Delivery, digest, make, mapping, sequence, text
from monitor.decode.tool_times import tool_time

_READS = re.compile(
    r"(?:Get|List|Describe|Lookup|Head|BatchGet|Search|Select|Query|Scan|View|Check|Validate|Test)[A-Z]"
)
_BY_NAME: dict[str, Kind] = {
    "UpdateFunctionCode": "change.deployed",
    "UpdateAlias": "change.deployed",
    "RegisterTaskDefinition": "change.merged",
    "CreateDeployment": "change.started",
    "UpdateStack": "change.started",
    "ExecuteChangeSet": "change.started",
    "StartPipelineExecution": "change.started",
    "StopDeployment": "change.held",
    "StopPipelineExecution": "change.held",
    "CancelUpdateStack": "change.held",
    "RollbackStack": "change.rolled_back",
    "RollbackStage": "change.rolled_back",
    "SetDesiredCapacity": "change.scaled",
    "UpdateAutoScalingGroup": "change.scaled",
    "RunInstances": "change.scaled",
    "UpdateNodegroupConfig": "change.scaled",
    "RunTask": "change.ran",
    "SendCommand": "change.ran",
    "StartSession": "change.ran",
    "ExecuteCommand": "change.ran",
    "StartAutomationExecution": "change.ran",
    "StopTask": "change.restarted",
    "DisableAlarmActions": "alert.silenced",
    "RotateSecret": "change.rotated",
    "RotationSucceeded": "change.rotated",
    "RotationFailed": "change.failed",
    "RotationAbandoned": "change.held",
    "UpdateAccessKey": "change.rotated",
    "CreateAccessKey": "change.rotated",
}
_BY_VERB: tuple[tuple[re.Pattern[str], Kind], ...] = (
    (re.compile(r"Reboot|Restart|(?:Stop|Start)(?:Instances|DB|Cluster)"), "change.restarted"),
    (re.compile(r"Failover|Switchover|PromoteReadReplica"), "change.failed_over"),
    (re.compile(r"Restore|CancelKeyDeletion"), "change.restored"),
    (re.compile(r"Rotate"), "change.rotated"),
    (re.compile(r"Delete|Terminate|Deregister|Purge|Destroy|ScheduleKeyDeletion"), "change.deleted"),
    (re.compile(r"Invoke"), "change.ran"),
    (
        re.compile(
            r"Put|Update|Modify|Set|Create|Add|Remove|Attach|Detach|Authorize|Revoke|Enable|Disable|Change|Associate"
            r"|Disassociate|Register|Replace|Reset|Tag|Untag|Import|Apply|Publish|Upload|Copy|Move|Start|Stop|Cancel"
        ),
        "change.configured",
    ),
)
_SIZES = (
    *("allocatedStorage", "maxAllocatedStorage", "dBInstanceClass", "iops", "cacheNodeType", "numCacheNodes"),
    *("nodeType", "numberOfNodes", "newReplicaCount", "replicaCount", "instanceType", "size", "targetShardCount"),
    *("memorySize", "reservedConcurrentExecutions", "desiredSize", "minCapacity", "maxCapacity"),
)
"""What a request asks for that makes a thing larger or smaller."""
_VERSIONS = ("engineVersion",)
_MOST_TOLD = 3
_DENIED = re.compile(r"AccessDenied|Unauthorized|Forbidden|OperationNotPermitted|DeletionProtection", re.IGNORECASE)
_PROTECTED = re.compile(r"OperationNotPermitted|DeletionProtection", re.IGNORECASE)
_NOISE = frozenset({"sts.amazonaws.com", "signin.amazonaws.com", "logs.amazonaws.com"})
_NOISY = frozenset(
    {"PutLogEvents", "CreateLogStream", "PutMetricData", "SendHeartbeat", "UpdateInstanceInformation"}
    | {"PutObject", "CreateNetworkInterface", "DeleteNetworkInterface", "CreateTags", "CreateGrant"}
    | {"RegisterTargets", "DeregisterTargets", "PutComplianceItems", "PutInventory", "SubmitTaskStateChange"}
)
"""What services write about themselves all day, or where the controller that asked for it speaks elsewhere."""
_QUIET_STEPS = frozenset({"RotationStarted", "TestRotationStarted", "TestRotationSucceeded", "SecretVersionDeletion"})
"""Steps of a rotation that its end reports, and the clearing of what it replaced."""
_MACHINE = re.compile(
    r"botocore-session-\d+|aws-(?:sdk|go-sdk|cli)\b.*|GitHubActions|i-[0-9a-f]{8,17}|(?:AWSCodeBuild|CodePipeline)\b.*|terraform.*"
    r"|(?:gitlab|circleci|jenkins|buildkite|spacelift|atlantis|argocd)(?:[-_].*)?",
    re.IGNORECASE,
)
"""Names that machines give to the sessions of a role: libraries of AWS, instances, pipelines."""
_PLACES = (
    *("service", "serviceName", "functionName", "dBInstanceIdentifier", "dBClusterIdentifier", "autoScalingGroupName"),
    *("applicationName", "pipelineName", "name", "stackName", "loadBalancerName", "tableName", "bucketName"),
    *("queueName", "replicationGroupId", "cacheClusterId", "secretId", "domainName", "clusterName", "cluster"),
)
"""Where a request names what it is about, the narrowest first."""


def fits(found: Mapping[str, Any]) -> bool:
    return "eventName" in found and "eventSource" in found


def read(record: Mapping[str, Any], delivery: Delivery) -> Event:
    """The event of one record. Raises Unreadable or NoEvent."""
    name, source = text(record.get("eventName")) or "", text(record.get("eventSource")) or ""
    if source.startswith("aws:"):
        raise NoEvent(Ignored.UNKNOWN_TYPE, f"a record of {source:.80} for functions and queues: no call")
    asked = mapping(record.get("requestParameters"))
    if record.get("readOnly") is True or _READS.match(name) or source in _NOISE or name in _NOISY:
        raise NoEvent(Ignored.NOT_RELEVANT, f"{name:.80} changes nothing that runs")
    if name in _QUIET_STEPS:
        raise NoEvent(Ignored.NOT_RELEVANT, f"{name:.80}: a step that the end of a rotation reports")
    identity = text(record.get("eventID"))
    if identity is None and text(record.get("eventType")) == "AwsServiceEvent":
        identity = digest(record)
    if identity is None:
        raise Unreadable(Rejected.MISSING_FIELD, "eventID is missing; every record of CloudTrail has one")
    kind = _kind(name, asked)
    if kind is None:
        raise NoEvent(Ignored.UNKNOWN_TYPE, f"the call {name!r:.80} is of no verb that we know")
    error, why = text(record.get("errorCode")), text(record.get("errorMessage"))
    guard = None
    if error is not None:
        guard = guard_in(error, why) or (_guard(error) if _DENIED.search(error) else None)
        kind = "change.blocked" if guard else "change.failed"
    actor, said = _actor(mapping(record.get("userIdentity")), record)
    target = next((found for place in _PLACES if (found := _name(asked.get(place)))), None)
    secret = _name(mapping(record.get("additionalEventData")).get("SecretId"))
    return make(
        delivery,
        id=identity,
        kind=kind,
        time=tool_time(record.get("eventTime"), "eventTime"),
        service=target,
        subject="/".join(filter(None, (source.removesuffix(".amazonaws.com"), target or secret or _first_id(asked)))),
        title=f"{name} {target or secret or ''}".strip() + _asked_for(asked),
        actor=actor,
        labels={
            **said,
            "call": name,
            "aws_service": source,
            "region": text(record.get("awsRegion")),
            "account": text(record.get("recipientAccountId")),
            "cluster": _name(asked.get("cluster")),
            "error": error,
            "guard": guard,
            "error_message": why,
            "user_agent": text(record.get("userAgent")),
            "replicas": text(asked.get("desiredCount")) or text(asked.get("desiredCapacity")),
            "version": _name(asked.get("taskDefinition")) or text(asked.get("functionVersion")),
        },
    )


def _asked_for(asked: Mapping[str, Any]) -> str:
    """`: allocatedStorage 600`: the sizes and versions that a request names."""
    said = [f"{key} {value}" for key in (*_SIZES, *_VERSIONS) if (value := text(asked.get(key))) is not None]
    return f": {', '.join(said[:_MOST_TOLD])}" if said else ""


def _guard(error: str) -> str:
    """What refused a call: a protection of the thing itself, or a right that is missing."""
    return "deletion_protection" if _PROTECTED.search(error) else "permission"


def _kind(name: str, asked: Mapping[str, Any]) -> Kind | None:
    if name == "UpdateService":
        if asked.get("taskDefinition"):
            return "change.started"
        return "change.restarted" if asked.get("forceNewDeployment") is True else "change.scaled"
    name = re.sub(r"\d{4,8}(?:v\d)?$", "", name)  # Lambda's calls carry the date of their API
    if name in _BY_NAME:
        return _BY_NAME[name]
    resizes = any(asked.get(key) is not None for key in _SIZES) and not any(asked.get(key) for key in _VERSIONS)
    if resizes and name.startswith(("Modify", "Update", "Increase", "Decrease")):
        return "change.scaled"
    return next((kind for verb, kind in _BY_VERB if verb.match(name)), None)


def _actor(identity: Mapping[str, Any], record: Mapping[str, Any]) -> Named:
    """A role is worn by a person where the session is named for one, or the role is one of the identity centre."""
    type_name = text(identity.get("type")) or ""
    invoked = text(identity.get("invokedBy")) or text(record.get("userAgent")) or ""
    role = text(mapping(mapping(identity.get("sessionContext")).get("sessionIssuer")).get("userName"))
    if (
        type_name == "AWSService"
        or text(record.get("eventType")) == "AwsServiceEvent"
        or (invoked.endswith(".amazonaws.com") and "console" not in invoked)
    ):
        return Actor(id=text(identity.get("invokedBy")) or role, kind="automation"), {"role": role}
    session = (text(identity.get("principalId")) or "").partition(":")[2] or None
    if type_name == "AssumedRole":
        is_person = "@" in (session or "") or (role or "").startswith("AWSReservedSSO")
        if not is_person and session is not None and _MACHINE.fullmatch(session):
            return Actor(id=session, kind="automation"), {"role": role}
        actor, labels = who(
            session or role, email=session if "@" in (session or "") else None, kind="human" if is_person else "unknown"
        )
        return actor, {**labels, "role": role}
    if type_name == "Root":
        return Actor(id="root", kind="human"), {}
    kind: ActorKind = "human" if type_name == "IAMUser" else "unknown"
    return who(identity.get("userName") or identity.get("principalId"), kind=kind)


def _name(value: Any) -> str | None:
    """A name, or the last part of an ARN."""
    found = text(value)
    return None if found is None else found.rpartition("/")[2] if found.startswith("arn:") else found


def _first_id(asked: Mapping[str, Any]) -> str | None:
    """What a request names by an id, else by a name; EC2 wraps its own into `instancesSet.items`."""
    for ends in (("id", "arn"), ("identifier", "name")):
        for name, value in asked.items():
            if name.lower().endswith(ends) and (found := text(value)) is not None:
                return found
    for value in asked.values():
        for item in sequence(mapping(value).get("items")):
            if (found := _first_id(mapping(item))) is not None:
                return found
    return None
