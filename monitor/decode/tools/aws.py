"""AWS: CloudWatch alarms and service events, through EventBridge or SNS, and CloudTrail's record of who did what.

SNS carries JSON as a text within JSON; its own id and time are those of the message, not of what happened.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from monitor.core.model.events import Bound, Event, Kind
from monitor.core.model.reasons import Ignored, Rejected
from monitor.decode.bodyforms import json_lines
from monitor.decode.jsontext import load
from monitor.decode.outcome import NoEvent, Unreadable
from monitor.decode.reading import Delivery, first, make, mapping, not_the_shape, number, sequence, text
from monitor.decode.sns import SNS, is_of_sns
from monitor.decode.tool import Sample, Tool
from monitor.decode.tool_times import tool_time
from monitor.decode.tools import _aws_events, _aws_trail

_STATES: dict[str, Kind] = {
    "ALARM": "alert.fired",
    "OK": "alert.resolved",
    "INSUFFICIENT_DATA": "alert.cancelled",
}
_NAMES = ("ServiceName", "FunctionName", "DBInstanceIdentifier", "DBClusterIdentifier")
"""Dimensions that name a service; instances, buckets and load balancers do not."""
_CONFIRMATIONS = ("SubscriptionConfirmation", "UnsubscribeConfirmation")
_MOST_WRAPPED = 4
_LONGEST_LINK = 1000
_LONGEST_WORDS = 20_000
_WORDS = re.compile(r"^(\w{1,40})='([^'\n]*)'", re.MULTILINE)


def split(body: Any, delivery: Delivery) -> list[Any]:
    """One event, an array, or the Records of a queue, a function or a file of CloudTrail. Raises Unreadable."""
    if isinstance(body, list):
        return body
    if isinstance(body, dict) and isinstance(body.get("Records"), list):
        return sequence(body["Records"])
    return [body]


def read(piece: Any, delivery: Delivery) -> list[Event]:
    """The event of one piece. Raises Unreadable or NoEvent."""
    found, identity = _unwrapped(piece)
    if "AlarmName" in found and "NewStateValue" in found:
        return [_alarm_of_sns(found, identity, delivery)]
    if _aws_trail.fits(found):
        return [_aws_trail.read(found, delivery)]
    if isinstance(found.get("detail"), dict) and "detail-type" in found:
        detail = found["detail"]
        if str(found["detail-type"]).startswith("CloudWatch Alarm"):
            return [_alarm_of_eventbridge(found, delivery)]
        if _aws_trail.fits(detail):
            return [_aws_trail.read(detail, delivery)]
        return [_aws_events.read(found, delivery)]
    return [_aws_events.read(_as_eventbridge(found, identity), delivery)]


def _unwrapped(piece: Any) -> tuple[Mapping[str, Any], str | None]:
    """What an envelope of SNS or SQS carries, and the envelope's id. Raises Unreadable or NoEvent."""
    found, identity = mapping(piece), None
    for _ in range(_MOST_WRAPPED):
        if isinstance(found.get("Sns"), dict):
            found = found["Sns"]
        type_name = text(found.get("Type"))
        if type_name in _CONFIRMATIONS:
            link = text(found.get("SubscribeURL")) or ""
            said = f"open {link}" if len(link) < _LONGEST_LINK and is_of_sns(link) else "it names no address of SNS"
            raise NoEvent(Ignored.HANDSHAKE, f"{type_name}: to confirm {text(found.get('TopicArn'))!s:.200} {said}")
        if type_name == "Notification" and "Message" in found:
            identity, inner = text(found.get("MessageId")), found["Message"]
        elif isinstance(found.get("body"), str) and "eventSourceARN" in found:
            identity, inner = text(found.get("messageId")), found["body"]
        else:
            return found, identity
        if isinstance(inner, dict):
            found = inner
            continue
        if (stack := _stack_of_words(str(inner)[:_LONGEST_WORDS], identity)) is not None:
            return stack, identity
        if not (text(inner) or "").startswith("{"):
            raise NoEvent(Ignored.UNKNOWN_TYPE, f"a message in words, which no field tells apart: {inner!s:.80}")
        found = mapping(load(str(inner).encode()))
    return found, identity


def _stack_of_words(words: str, identity: str | None) -> Mapping[str, Any] | None:
    """CloudFormation's own notification, lines such as `StackName='payments'`, as EventBridge has it; else None.

    The parts of a stack are reported in the same form; the stack itself says what became of the whole.
    """
    said = dict(_WORDS.findall(words)) if "StackName='" in words else {}
    if "ResourceStatus" not in said:
        return None
    if said.get("ResourceType", "AWS::CloudFormation::Stack") != "AWS::CloudFormation::Stack":
        raise NoEvent(Ignored.NOT_RELEVANT, f"a part of a stack: {said['ResourceStatus']:.60}")
    return {
        "detail-type": "CloudFormation Stack Status Change",
        "detail": {"stack-id": said.get("StackId"), "status-details": {"status": said["ResourceStatus"]}},
        "id": text(said.get("EventId")) or identity,
        "source": "aws.cloudformation",
        "time": text(said.get("Timestamp")),
        "account": text(said.get("Namespace")),
    }


def _as_eventbridge(found: Mapping[str, Any], identity: str | None) -> Mapping[str, Any]:
    """Older notifications of services straight to SNS, in the form in which EventBridge has them. Raises NoEvent."""
    if "Event" in found and str(found["Event"]).startswith("autoscaling:"):
        name = str(found["Event"]).partition(":")[2]
        if name == "TEST_NOTIFICATION":
            raise NoEvent(Ignored.TEST_DELIVERY, "Auto Scaling tries the topic out")
        words = {"LAUNCH": "Launch Successful", "TERMINATE": "Terminate Successful"}
        words |= {"LAUNCH_ERROR": "Launch Unsuccessful", "TERMINATE_ERROR": "Terminate Unsuccessful"}
        said = words.get(name.removeprefix("EC2_INSTANCE_"), name)
        return {
            "detail-type": f"EC2 Instance {said}",
            "detail": found,
            "id": identity,
            "source": "aws.autoscaling",
            "time": found.get("Time"),
            "account": found.get("AccountId"),
        }
    if "deploymentId" in found and "applicationName" in found:
        return {
            "detail-type": "CodeDeploy Deployment State-change Notification",
            "detail": found,
            "id": identity,
            "source": "aws.codedeploy",
            "region": found.get("region"),
            "account": found.get("accountId"),
        }
    if "Event Source" in found and "Event Message" in found:
        code = (text(found.get("Event ID")) or "").rpartition("#")[2]
        at = (text(found.get("Event Time")) or "").replace(" ", "T", 1)
        detail = {
            "EventID": code,
            "SourceIdentifier": found.get("Source ID"),
            "Message": found.get("Event Message"),
            "Date": f"{at}Z" if re.fullmatch(r"[-\d]+T[\d:.]+", at) else found.get("Event Time"),
            "SourceType": found.get("Event Source"),
            "EventCategories": found.get("Event Categories"),
        }
        return {"detail-type": "RDS Event", "detail": detail, "id": identity, "source": "aws.rds"}
    if not found or not ({"Message", "detail-type", "source", "Type"} & set(found)):
        raise not_the_shape("an event of EventBridge, a message of SNS, or a record of CloudTrail", found or None)
    raise NoEvent(Ignored.UNKNOWN_TYPE, "a message of AWS of a form that we do not use: " + ", ".join(list(found)[:6]))


def _alarm_of_sns(found: Mapping[str, Any], identity: str | None, delivery: Delivery) -> Event:
    trigger = mapping(found.get("Trigger"))
    dimensions = {
        str(name): value
        for item in map(mapping, sequence(trigger.get("Dimensions")))
        if (name := item.get("name", item.get("Name"))) and (value := text(item.get("value", item.get("Value"))))
    }
    return _alarm(
        delivery,
        name=text(found.get("AlarmName")),
        arn=text(found.get("AlarmArn"))
        or "/".join(filter(None, (text(found.get("AWSAccountId")), text(found.get("Region"))))),
        state=text(found.get("NewStateValue")),
        at=found.get("StateChangeTime"),
        fallback=identity,
        reason=text(found.get("NewStateReason")),
        data=None,
        description=text(found.get("AlarmDescription")),
        dimensions=dimensions,
        limit=number(trigger.get("Threshold")),
        comparison=text(trigger.get("ComparisonOperator")),
        more={
            "metric": text(trigger.get("MetricName")),
            "namespace": text(trigger.get("Namespace")),
            "region": text(found.get("Region")),
            "account": text(found.get("AWSAccountId")),
            "previous_state": text(found.get("OldStateValue")),
        },
    )


def _alarm_of_eventbridge(found: Mapping[str, Any], delivery: Delivery) -> Event:
    detail = mapping(found.get("detail"))
    state = mapping(detail.get("state"))
    configuration = mapping(detail.get("configuration"))
    stats = [mapping(mapping(item).get("metricStat")) for item in sequence(configuration.get("metrics"))]
    metric = next((found for stat in stats if (found := mapping(stat.get("metric")))), {})
    return _alarm(
        delivery,
        name=text(detail.get("alarmName")),
        arn=next((str(one) for one in sequence(found.get("resources"))), None),
        state=text(state.get("value")),
        at=state.get("timestamp") or found.get("time"),
        fallback=text(found.get("id")),
        reason=text(state.get("reason")),
        data=state.get("reasonData"),
        description=text(configuration.get("description")),
        dimensions={name: value for name, raw in mapping(metric.get("dimensions")).items() if (value := text(raw))},
        limit=None,
        comparison=None,
        more={
            "metric": text(metric.get("name")),
            "namespace": text(metric.get("namespace")),
            "region": text(found.get("region")),
            "account": text(found.get("account")),
            "previous_state": text(mapping(detail.get("previousState")).get("value")),
            "suppressed_by": text(state.get("actionsSuppressedBy")),
        },
    )


def _alarm(
    delivery: Delivery,
    *,
    name: str | None,
    arn: str | None,
    state: str | None,
    at: Any,
    fallback: str | None,
    reason: str | None,
    data: Any,
    description: str | None,
    dimensions: Mapping[str, str],
    limit: float | None,
    comparison: str | None,
    more: Mapping[str, Any],
) -> Event:
    """The same alarm through both ways: its identity is the alarm, the state and the time of the change."""
    kind = _STATES.get(state or "")
    if kind is None:
        raise NoEvent(Ignored.UNKNOWN_TYPE, f"alarm state {state!r:.40} is none of {', '.join(_STATES)}")
    if name is None:
        raise Unreadable(Rejected.MISSING_FIELD, "the alarm has no name; every alarm has one")
    changed = tool_time(at, "StateChangeTime")
    value, told_limit = _numbers(data)
    if value is None and (seen := _SEEN.search(reason or "")) is not None:
        value = number(seen[1])
    words = (comparison or reason or "").lower()
    bound: Bound | None = "max" if "greater" in words else "min" if "less" in words else None
    limit = told_limit if limit is None else limit
    said = text(at) if changed else fallback
    return make(
        delivery,
        id="/".join(filter(None, ("alarm", arn, None if (arn or "").endswith(f":{name}") else name, state, said))),
        kind=kind,
        time=changed,
        service=first(dimensions, _NAMES),
        subject=f"alarm/{name}",
        title=name if description is None or name in description else f"{name}: {description}",
        labels={
            **{f"dimension.{key}": value for key, value in dimensions.items()},
            "alarm": name,
            "reason": reason,
            "instance": dimensions.get("InstanceId"),
            "cluster": dimensions.get("ClusterName"),
            "signal": "metrics" if state == "INSUFFICIENT_DATA" else None,
            **more,
        },
        value=value,
        limit=limit,
        bound=bound if limit is not None and " or " not in words.partition("threshold")[2] else None,
    )


_SEEN = re.compile(r"datapoints? \[(-?[\d.]{1,40}(?:E-?\d{1,3})?) ")
"""What was seen last, in the words of an alarm: `1 out of the last 1 datapoints [3.0 (15/01/26 13:26:00)] was …`."""


def _numbers(data: Any) -> tuple[float | None, float | None]:
    """What was seen last and the threshold, from the JSON text beside a state."""
    if isinstance(data, str):
        try:
            data = load(data.encode())
        except Unreadable:
            return None, None
    found = mapping(data)
    recent = [value for one in sequence(found.get("recentDatapoints")) if (value := number(one)) is not None]
    return recent[-1] if recent else None, number(found.get("threshold"))


_SAMPLE = """{"version": "0", "id": "ddca6449", "detail-type": "ECS Deployment State Change", "source": "aws.ecs",
 "account": "111122223333", "time": "2026-03-10T12:00:00Z", "region": "eu-west-1",
 "resources": ["arn:aws:ecs:eu-west-1:111122223333:service/production/payments"], "detail": {"eventType": "INFO",
 "eventName": "SERVICE_DEPLOYMENT_COMPLETED", "deploymentId": "ecs-svc/123", "updatedAt": "2026-03-10T12:00:00Z",
 "reason": "ECS deployment ecs-svc/123 completed."}}"""

_SETUP = """
**EventBridge** carries everything: *API destinations* with the address `https://nearmiss.example/ingest/aws`, a
connection of the type *API key* with the name `X-Nearmiss-Token`, and a rule with this pattern:

```json
{"source": ["aws.cloudwatch", "aws.ecs", "aws.codedeploy", "aws.codepipeline", "aws.autoscaling", "aws.rds",
 "aws.health", "aws.acm", "aws.cloudformation"]}
```

For who did it add a second rule, on a trail that records management events:
`{"detail-type": ["AWS API Call via CloudTrail"], "detail": {"readOnly": [false]}}`.

**SNS** works for alarms: subscribe `https://nearmiss:the-secret@nearmiss.example/ingest/aws` (HTTPS). nearmiss calls no
address that a message names: open the `SubscribeURL` that its log shows (`handshake`) yourself. To check SNS' signature
instead of a token, download the signing certificate of your region and give it as a secret:

```yaml
secrets:
  aws: ["-----BEGIN CERTIFICATE-----…", "topic:arn:aws:sns:eu-west-1:111122223333:alarms"]
```
"""

TOOL = Tool(
    name="aws",
    title="AWS",
    tells="CloudWatch alarms, deployments, scaling, databases, and who called which API",
    kinds=(
        "alert.fired",
        "alert.resolved",
        "alert.cancelled",
        "alert.silenced",
        "note.added",
        "change.deployed",
        "change.rolled_back",
        "change.configured",
        "change.scaled",
        "change.restarted",
        "change.failed_over",
        "change.deleted",
        "change.restored",
        "change.rotated",
        "change.ran",
        "change.merged",
        "change.started",
        "change.failed",
        "change.held",
        "change.blocked",
    ),
    sample=Sample(_SAMPLE, ("change.deployed",)),
    setup=_SETUP,
    limits=(
        "An alarm names no service unless a dimension does (`ServiceName`, `FunctionName`, a database).",
        "INSUFFICIENT_DATA ends an alarm without a recovery.",
        "A completed ECS deployment may be the rollback: the event before it says so.",
    ),
    aliases=("eventbridge", "sns", "cloudwatch", "cloudtrail"),
    scheme=SNS,
    split=split,
    read=read,
    parse=json_lines,
)
