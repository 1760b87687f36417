"""Events of AWS services as EventBridge carries them: deployments, scaling, databases, health, certificates."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from monitor.core.model.events import DAY, Actor, Event, Instant, Kind, Severity
from monitor.core.model.reasons import Ignored
from monitor.core.model.words import names_environment
from monitor.decode.outcome import NoEvent
from monitor.decode.people import Named, who
from monitor.decode.reading import Delivery, Moment, digest, first, make, mapping, number, sequence, text
from monitor.decode.tool_times import tool_time

Found = tuple[Mapping[str, Any], Mapping[str, Any]]
"""The envelope and its detail."""

_ECS: dict[str, Kind] = {
    "SERVICE_DEPLOYMENT_COMPLETED": "change.deployed",
    "SERVICE_DEPLOYMENT_IN_PROGRESS": "change.started",
    "SERVICE_DEPLOYMENT_FAILED": "change.failed",
    "SERVICE_DESIRED_COUNT_UPDATED": "change.scaled",
}
_CODEDEPLOY: dict[str, Kind] = {
    "START": "change.started",
    "CREATED": "change.started",
    "SUCCESS": "change.deployed",
    "SUCCEEDED": "change.deployed",
    "FAILURE": "change.failed",
    "FAILED": "change.failed",
    "STOP": "change.held",
    "STOPPED": "change.held",
}
_PIPELINE: dict[str, Kind] = {
    "STARTED": "change.started",
    "RESUMED": "change.started",
    "SUCCEEDED": "change.deployed",
    "FAILED": "change.failed",
    "CANCELED": "change.held",
    "STOPPED": "change.held",
    "ABANDONED": "change.held",
}
_SCALING: dict[str, Kind] = {
    "EC2 Instance Launch Successful": "change.scaled",
    "EC2 Instance Terminate Successful": "change.scaled",
    "EC2 Instance Launch Unsuccessful": "change.failed",
    "EC2 Instance Terminate Unsuccessful": "change.failed",
    "EC2 Auto Scaling Instance Refresh Started": "change.started",
    "EC2 Auto Scaling Instance Refresh Succeeded": "change.restarted",
    "EC2 Auto Scaling Instance Refresh Failed": "change.failed",
    "EC2 Auto Scaling Instance Refresh Cancelled": "change.held",
}
_RDS_EVENT: dict[str, Kind] = {
    "RDS-EVENT-0006": "change.restarted",
    "RDS-EVENT-0004": "alert.fired",
    "RDS-EVENT-0003": "change.deleted",
}
_RDS_CATEGORY: tuple[tuple[str, Kind], ...] = (
    ("failover", "change.failed_over"),
    ("failure", "alert.fired"),
    ("low storage", "alert.fired"),
    ("availability", "alert.fired"),
    ("read replica", "alert.fired"),
    ("restoration", "change.restored"),
    ("recovery", "alert.resolved"),
    ("deletion", "change.configured"),
    ("creation", "change.configured"),
    ("configuration change", "change.configured"),
    ("maintenance", "change.configured"),
    ("security patching", "change.configured"),
)
_FAILOVER_BEGINS = re.compile(r"failover (?:has )?started|started .*failover", re.IGNORECASE)
_STACK: tuple[tuple[re.Pattern[str], Kind], ...] = (
    (re.compile(r".*ROLLBACK_COMPLETE"), "change.rolled_back"),
    (re.compile(r".*(?:FAILED|ROLLBACK_IN_PROGRESS)"), "change.failed"),
    (re.compile(r"DELETE_COMPLETE"), "change.deleted"),
    (re.compile(r"(?:CREATE|UPDATE|IMPORT)_COMPLETE"), "change.deployed"),
    (re.compile(r"(?:CREATE|UPDATE|DELETE|IMPORT)_IN_PROGRESS"), "change.started"),
)


def read(event: Mapping[str, Any], delivery: Delivery) -> Event:
    """The event of one envelope that is no alarm and no call of CloudTrail. Raises Unreadable or NoEvent."""
    kind_of = text(event.get("detail-type")) or ""
    reader = next((reader for part, reader in _READERS if kind_of.startswith(part)), None)
    if reader is None:
        raise NoEvent(Ignored.UNKNOWN_TYPE, f"detail-type {kind_of!r:.80} is none that we use")
    return reader((event, mapping(event.get("detail"))), delivery)


def _make(
    found: Found,
    delivery: Delivery,
    kind: Kind,
    *,
    service: str | None,
    subject: str | None,
    at: Any = None,
    id: str | None = None,
    title: str | None = None,
    who_acted: Named = (None, {}),
    labels: Mapping[str, Any] | None = None,
    severity: Severity | None = None,
    environment: str | None = None,
    expires_at: Instant | None = None,
) -> Event:
    event, detail = found
    actor, said = who_acted
    return make(
        delivery,
        id=id or text(event.get("id")) or digest(event),
        kind=kind,
        time=tool_time(at, "detail") or _at(event),
        service=service,
        environment=environment,
        subject=subject,
        severity=severity,
        title=title or text(event.get("detail-type")),
        actor=actor,
        labels={
            "aws_service": text(event.get("source")),
            "detail_type": text(event.get("detail-type")),
            "region": text(event.get("region")),
            "account": text(event.get("account")),
            "reason": first(detail, ("reason", "Cause", "stoppedReason")),
            **said,
            **(labels or {}),
        },
        expires_at=expires_at,
    )


def _at(event: Mapping[str, Any]) -> Moment | None:
    return tool_time(event.get("time"), "time")


def _ecs_deployment(found: Found, delivery: Delivery) -> Event:
    event, detail = found
    name = text(detail.get("eventName")) or ""
    kind = _ECS.get(name)
    if kind is None:
        raise NoEvent(Ignored.NOT_RELEVANT, f"{name:.80} changes nothing")
    if kind == "change.started" and "rolling back" in (text(detail.get("reason")) or "").lower():
        kind = "change.rolled_back"
    cluster, service = _ecs_service(event)
    deployment = text(detail.get("deploymentId"))
    return _make(
        found,
        delivery,
        kind,
        service=service,
        subject="/".join(filter(None, ("ecs", cluster, service))),
        at=detail.get("updatedAt"),
        id=f"{deployment}/{name}" + ("/rollback" if kind == "change.rolled_back" else "") if deployment else None,
        who_acted=(Actor(kind="automation"), {}),
        labels={"cluster": cluster, "deployment": deployment},
    )


def _ecs_service(event: Mapping[str, Any]) -> tuple[str | None, str | None]:
    """`arn:…:service/cluster/name`, or the older form without the cluster."""
    arn = next((one for one in sequence(event.get("resources")) if ":service/" in str(one)), None)
    parts = str(arn).partition(":service/")[2].split("/") if arn else []
    return (parts[0], parts[1]) if len(parts) > 1 else (None, parts[0] if parts else None)


def _ecs_action(found: Found, delivery: Delivery) -> Event:
    event, detail = found
    if text(detail.get("eventType")) not in ("WARN", "ERROR"):
        return _ecs_deployment(found, delivery)
    cluster, service = _ecs_service(event)
    return _make(
        found,
        delivery,
        "alert.fired",
        service=service,
        subject="/".join(filter(None, ("ecs", cluster, service, text(detail.get("eventName"))))),
        title=f"{text(detail.get('eventName'))}: {service}",
        labels={"cluster": cluster},
        severity="high" if text(detail.get("eventType")) == "ERROR" else "warning",
    )


def _ecs_task(found: Found, delivery: Delivery) -> Event:
    _, detail = found
    code = text(detail.get("stopCode")) or ""
    if text(detail.get("lastStatus")) != "STOPPED" or code in ("", "ServiceSchedulerInitiated"):
        raise NoEvent(Ignored.NOT_RELEVANT, "a task goes the ordinary way")
    group = text(detail.get("group")) or ""
    service = group.removeprefix("service:") if group.startswith("service:") else group.removeprefix("family:") or None
    by_person = code == "UserInitiated"
    return _make(
        found,
        delivery,
        "change.restarted" if by_person else "alert.fired",
        service=service,
        subject=f"ecs-task/{service}",
        title=f"task of {service} stopped: {code}",
        severity=None if by_person else "warning",
        labels={"stop_code": code, "version": _last(detail.get("taskDefinitionArn"))},
    )


def _codedeploy(found: Found, delivery: Delivery) -> Event:
    _, detail = found
    state = (first(detail, ("state", "status")) or "").upper()
    kind = _CODEDEPLOY.get(state)
    if kind is None:
        raise NoEvent(Ignored.NOT_RELEVANT, f"state {state!r:.40} changes nothing")
    application = first(detail, ("application", "applicationName"))
    group = first(detail, ("deploymentGroup", "deploymentGroupName"))
    deployment = text(detail.get("deploymentId"))
    undone = text(detail.get("rollbackInformation")) or ""
    if kind == "change.deployed" and "RollbackTriggeringDeploymentId" in undone:
        kind = "change.rolled_back"
    return _make(
        found,
        delivery,
        kind,
        service=application,
        environment=group if group is not None and names_environment(group) else None,
        subject="/".join(filter(None, ("codedeploy", application, group))),
        at=first(detail, ("completeTime", "createTime")),
        id=f"{deployment}/{state}" if deployment else None,
        title=f"deployment of {application} to {group}: {state.lower()}",
        labels={"deployment": deployment, "deployment_group": group, "rollback": undone or None},
    )


def _pipeline(found: Found, delivery: Delivery) -> Event:
    event, detail = found
    state = (text(detail.get("state")) or "").upper()
    type_name = text(event.get("detail-type")) or ""
    action, category = text(detail.get("action")), text(mapping(detail.get("type")).get("category"))
    kind = _PIPELINE.get(state)
    if kind is None or ("Stage Execution" in type_name and kind == "change.deployed"):
        raise NoEvent(Ignored.NOT_RELEVANT, f"{type_name}: {state!r:.40} is reported by the execution")
    if category == "Approval":
        kind = "change.blocked" if state == "FAILED" else "note.added"
    elif action is not None and category != "Deploy":
        raise NoEvent(Ignored.NOT_RELEVANT, f"an action of the category {category}: nothing was deployed")
    trigger = mapping(detail.get("execution-trigger"))
    if "rollback" in (text(trigger.get("trigger-type")) or "").lower() and kind == "change.deployed":
        kind = "change.rolled_back"
    by = text(trigger.get("trigger-detail")) or ""
    pipeline, execution = text(detail.get("pipeline")), text(detail.get("execution-id"))
    return _make(
        found,
        delivery,
        kind,
        service=pipeline,
        environment=text(detail.get("stage")) if action else None,
        subject=f"pipeline/{pipeline}",
        id="/".join(filter(None, (execution, text(detail.get("stage")) if action else None, action, state))),
        title=f"pipeline {pipeline}{f', {action}' if action else ''}: {state.lower()}",
        who_acted=who(by.rpartition("/")[2], kind="unknown") if ":iam::" in by or ":sts::" in by else (None, {}),
        labels={"execution": execution, "action": action, "stage": text(detail.get("stage"))},
    )


def _scaling(found: Found, delivery: Delivery) -> Event:
    event, detail = found
    kind = _SCALING.get(text(event.get("detail-type")) or "")
    if kind is None:
        raise NoEvent(Ignored.NOT_RELEVANT, "a step of a scaling that another event reports")
    group = text(detail.get("AutoScalingGroupName"))
    activity = first(detail, ("ActivityId", "InstanceRefreshId"))
    by_person = "user request" in (text(detail.get("Cause")) or "")
    return _make(
        found,
        delivery,
        kind,
        service=group,
        subject=f"autoscaling/{group}",
        at=first(detail, ("EndTime", "StartTime")),
        id=f"{activity}/{text(event.get('detail-type'))}" if activity else None,
        title=text(detail.get("Description")),
        who_acted=(Actor(kind="human" if by_person else "automation"), {}),
        labels={"instance": text(detail.get("EC2InstanceId"))},
    )


def _rds(found: Found, delivery: Delivery) -> Event:
    event, detail = found
    code = text(detail.get("EventID")) or ""
    categories = [str(one).lower() for one in sequence(detail.get("EventCategories"))]
    kind = _RDS_EVENT.get(code) or next((kind for category, kind in _RDS_CATEGORY if category in categories), None)
    if kind is None:
        raise NoEvent(Ignored.NOT_RELEVANT, f"{code} ({', '.join(categories)}) is no hazard and no action")
    if kind == "change.failed_over" and _FAILOVER_BEGINS.search(text(detail.get("Message")) or ""):
        kind = "change.started"
    name = (text(detail.get("SourceIdentifier")) or "").removeprefix("rds:") or None
    return _make(
        found,
        delivery,
        kind,
        service=name,
        subject=f"rds/{name}",
        at=detail.get("Date"),
        id="/".join(filter(None, (text(event.get("id")), code, name))),
        title=text(detail.get("Message")),
        severity="warning" if kind == "alert.fired" else None,
        labels={"event_id": code, "source_type": text(detail.get("SourceType"))},
    )


def _health(found: Found, delivery: Delivery) -> Event:
    _, detail = found
    if text(detail.get("eventTypeCategory")) != "issue":
        raise NoEvent(Ignored.NOT_RELEVANT, "a notice or planned work of AWS, and no issue")
    closed = text(detail.get("statusCode")) == "closed"
    arn = text(detail.get("eventArn"))
    description = mapping(next(iter(sequence(detail.get("eventDescription"))), None))
    return _make(
        found,
        delivery,
        "alert.resolved" if closed else "alert.fired",
        service=text(detail.get("service")),
        subject=arn,
        at=first(detail, ("endTime", "lastUpdatedTime") if closed else ("startTime",)),
        title=text(detail.get("eventTypeCode")),
        severity=None if closed else "warning",
        labels={"text": text(description.get("latestDescription"))},
    )


def _certificate(found: Found, delivery: Delivery) -> Event:
    event, detail = found
    days, at = number(detail.get("DaysToExpiry")), _at(event)
    name = text(detail.get("CommonName"))
    return _make(
        found,
        delivery,
        "alert.fired",
        service=None,
        subject=f"certificate/{name}",
        title=f"the certificate of {name} expires in {text(detail.get('DaysToExpiry'))} days",
        severity="warning",
        labels={"certificate": name},
        expires_at=Instant(at[0] + int(days) * DAY) if days is not None and at is not None and days < 3650 else None,
    )


def _stack(found: Found, delivery: Delivery) -> Event:
    event, detail = found
    status = text(mapping(detail.get("status-details")).get("status")) or ""
    kind = next((kind for pattern, kind in _STACK if pattern.fullmatch(status)), None)
    if kind is None:
        raise NoEvent(Ignored.NOT_RELEVANT, f"status {status!r:.60} changes nothing by itself")
    parts = (text(detail.get("stack-id")) or "").split("/")
    name = parts[1] if len(parts) > 1 else None
    return _make(
        found,
        delivery,
        kind,
        service=name,
        subject=f"stack/{name}",
        title=f"stack {name}: {status}",
        id=f"{text(event.get('id'))}/{status}",
        labels={"status": status},
    )


def _instance(found: Found, delivery: Delivery) -> Event:
    _, detail = found
    state, name = text(detail.get("state")), text(detail.get("instance-id"))
    if state not in ("stopped", "terminated"):
        raise NoEvent(Ignored.NOT_RELEVANT, f"an instance is {state or 'in some state'}: nothing ended")
    return _make(
        found,
        delivery,
        "change.deleted" if state == "terminated" else "change.ran",
        service=None,
        subject=f"instance/{name}",
        title=f"instance {name} was {state}",
        labels={"instance": name},
    )


def _spot(found: Found, delivery: Delivery) -> Event:
    name = text(found[1].get("instance-id"))
    return _make(
        found,
        delivery,
        "alert.fired",
        service=None,
        subject=f"instance/{name}",
        severity="warning",
        title=f"spot instance {name} will be interrupted",
        labels={"instance": name},
    )


def _parameter(found: Found, delivery: Delivery) -> Event:
    _, detail = found
    name, operation = text(detail.get("name")), text(detail.get("operation"))
    return _make(
        found,
        delivery,
        "change.deleted" if operation == "Delete" else "change.configured",
        service=None,
        subject=f"parameter/{name}",
        title=f"parameter {name}: {operation}",
        labels={"parameter": name},
    )


def _last(arn: Any) -> str | None:
    return (text(arn) or "").rpartition("/")[2] or None


def _image(found: Found, delivery: Delivery) -> Event:
    _, detail = found
    name, tag = text(detail.get("repository-name")), text(detail.get("image-tag"))
    if text(detail.get("action-type")) != "PUSH" or text(detail.get("result")) != "SUCCESS":
        raise NoEvent(Ignored.NOT_RELEVANT, "no image was pushed")
    return _make(
        found,
        delivery,
        "change.merged",
        service=name,
        subject=f"image/{name}",
        title=f"image {name}:{tag} was pushed",
        labels={"version": tag, "digest": text(detail.get("image-digest"))},
    )


_READERS: tuple[tuple[str, Callable[[Found, Delivery], Event]], ...] = (
    ("ECS Deployment State Change", _ecs_deployment),
    ("ECS Service Action", _ecs_action),
    ("ECS Task State Change", _ecs_task),
    ("CodeDeploy Deployment State", _codedeploy),
    ("CodePipeline ", _pipeline),
    ("EC2 Instance State-change", _instance),
    ("EC2 Spot Instance Interruption", _spot),
    ("EC2 Instance ", _scaling),
    ("EC2 Instance-", _scaling),
    ("EC2 Auto Scaling", _scaling),
    ("RDS ", _rds),
    ("AWS Health Event", _health),
    ("ACM Certificate", _certificate),
    ("CloudFormation Stack Status", _stack),
    ("Parameter Store Change", _parameter),
    ("ECR Image Action", _image),
)
