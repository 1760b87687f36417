"""Google Cloud beside Monitoring: the audit log (who called which method), Cloud Build, Cloud Deploy, images."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from monitor.core.model.events import Actor, Event, Kind
from monitor.core.model.reasons import Ignored
from monitor.decode.guard_words import guard_in
from monitor.decode.jsontext import load
from monitor.decode.outcome import NoEvent, Unreadable
from monitor.decode.people import Named, who
from monitor.decode.reading import Delivery, digest, first, make, mapping, text
from monitor.decode.tool_times import tool_time

_READS = re.compile(r"(?:get|list|aggregatedList|search|watch|query|test|check|lookup|read)", re.IGNORECASE)
_METHODS: tuple[tuple[re.Pattern[str], Kind], ...] = (
    (re.compile(r"failover|promoteReplica|switchover", re.IGNORECASE), "change.failed_over"),
    (re.compile(r"restore|undelete", re.IGNORECASE), "change.restored"),
    (re.compile(r"rollback", re.IGNORECASE), "change.rolled_back"),
    (re.compile(r"reset|restart|stop|start|suspend|resume", re.IGNORECASE), "change.restarted"),
    (re.compile(r"resize|setSize|scale", re.IGNORECASE), "change.scaled"),
    (re.compile(r"rotate|addVersion", re.IGNORECASE), "change.rotated"),
    (re.compile(r"delete|destroy|remove", re.IGNORECASE), "change.deleted"),
    (re.compile(r"(?:replace|create)(?:Service|Revision)|deploy|setImage", re.IGNORECASE), "change.deployed"),
    (re.compile(r"run|execute|invoke", re.IGNORECASE), "change.ran"),
    (
        re.compile(r"insert|create|update|patch|replace|set|add|enable|disable|attach|detach|import", re.IGNORECASE),
        "change.configured",
    ),
)
_BUILDS: dict[str, Kind] = {
    "FAILURE": "change.failed",
    "INTERNAL_ERROR": "change.failed",
    "TIMEOUT": "change.failed",
    "CANCELLED": "change.held",
    "EXPIRED": "change.held",
    "WORKING": "change.started",
}
_ROLLOUTS: dict[str, Kind] = {
    "Start": "change.started",
    "Succeed": "change.deployed",
    "Failure": "change.failed",
    "Rollback": "change.rolled_back",
    "Cancel": "change.held",
    "Reject": "change.blocked",
}


def fits(found: Mapping[str, Any]) -> bool:
    """Whether this is an entry of the audit log, a build, a rollout, a push of an image, or a notice of a cluster."""
    return any(name in found for name in ("protoPayload", "Action", "type_url")) or any(
        set(names) <= found.keys() for names in (("action", "digest"), ("status", "projectId"))
    )


def read(found: Mapping[str, Any], delivery: Delivery) -> Event:
    """The event of one message. Raises Unreadable or NoEvent."""
    if "protoPayload" in found:
        return _audit(found, mapping(found["protoPayload"]), delivery)
    if "Action" in found:
        return _rollout(found, delivery)
    if "type_url" in found:
        return _cluster(found, delivery)
    if "digest" in found:
        return _image(found, delivery)
    return _build(found, delivery)


def _audit(entry: Mapping[str, Any], payload: Mapping[str, Any], delivery: Delivery) -> Event:
    method = text(payload.get("methodName")) or ""
    verb = method.rpartition(".")[2]
    if _READS.match(verb):
        raise NoEvent(Ignored.NOT_RELEVANT, f"{method:.80} changes nothing")
    operation = mapping(entry.get("operation"))
    if operation and operation.get("first") is not True and operation.get("last") is True:
        raise NoEvent(Ignored.NOT_RELEVANT, "the end of an operation whose beginning names who asked for it")
    kind = next((kind for words, kind in _METHODS if words.search(verb)), None)
    if kind is None:
        raise NoEvent(Ignored.UNKNOWN_TYPE, f"the method {method!r:.80} is of no verb that we know")
    status = mapping(payload.get("status"))
    code, why, guard = text(status.get("code")), text(status.get("message")), None
    if code not in (None, "0"):
        guard = guard_in(why) or ("permission" if code in ("7", "16") else None)
        kind = "change.blocked" if guard else "change.failed"
    name = text(payload.get("resourceName"))
    resource = mapping(entry.get("resource"))
    places = mapping(resource.get("labels"))
    actor, said = _caller(mapping(payload.get("authenticationInfo")))
    return make(
        delivery,
        id=text(entry.get("insertId")) or digest(entry),
        kind=kind,
        time=tool_time(first(entry, ("timestamp", "receiveTimestamp")), "timestamp"),
        service=first(places, ("service_name", "function_name", "cluster_name"))
        or (text(places.get("database_id")) or "").rpartition(":")[2]
        or _last(name),
        subject=name,
        title=f"{method} {_last(name) or ''}".strip(),
        actor=actor,
        labels={
            **said,
            **{f"resource.{key}": value for key, value in places.items()},
            "call": method,
            "gcp_service": text(payload.get("serviceName")),
            "resource_type": text(resource.get("type")),
            "project": text(places.get("project_id")),
            "guard": guard,
            "error_message": why,
            "user_agent": text(mapping(payload.get("requestMetadata")).get("callerSuppliedUserAgent")),
        },
    )


def _caller(info: Mapping[str, Any]) -> Named:
    email = text(info.get("principalEmail"))
    is_account = email is not None and email.endswith("gserviceaccount.com")
    return who(email, email=email, kind="automation" if is_account else "human")


def _build(build: Mapping[str, Any], delivery: Delivery) -> Event:
    status = text(build.get("status")) or ""
    kind = _BUILDS.get(status)
    if kind is None:
        raise NoEvent(Ignored.NOT_RELEVANT, f"a build is {status:.40}: what it deploys says so itself")
    chosen = mapping(build.get("substitutions"))
    times = ("startTime",) if status == "WORKING" else ("finishTime", "createTime")
    repository = first(chosen, ("REPO_NAME", "_SERVICE_NAME")) or text(build.get("buildTriggerId"))
    return make(
        delivery,
        id=f"{text(build.get('id'))}/{status}",
        kind=kind,
        time=tool_time(first(build, times), "finishTime"),
        service=first(chosen, ("_SERVICE_NAME", "REPO_NAME")),
        subject=f"build/{repository}",
        title=f"build of {repository}: {status.lower()}",
        labels={
            "version": text(chosen.get("TAG_NAME")) or text(chosen.get("COMMIT_SHA")),
            "commit": text(chosen.get("COMMIT_SHA")),
            "ref": text(chosen.get("BRANCH_NAME")),
            "project": text(build.get("projectId")),
        },
        url=text(build.get("logUrl")),
    )


def _rollout(said: Mapping[str, Any], delivery: Delivery) -> Event:
    """Cloud Deploy tells everything in the attributes of its message."""
    action, about = text(said.get("Action")) or "", text(said.get("ResourceType"))
    kind = _ROLLOUTS.get(action) if about in ("Rollout", None) else None
    if kind is None:
        raise NoEvent(Ignored.NOT_RELEVANT, f"{about} {action:.40}: a step whose rollout says what came of it")
    pipeline, target = text(said.get("DeliveryPipelineId")), text(said.get("TargetId"))
    return make(
        delivery,
        id="/".join(filter(None, (text(said.get("Resource")), action))),
        kind=kind,
        time=tool_time(first(said, ("ActionTime", "publishTime")), "ActionTime"),
        service=pipeline,
        environment=target,
        subject="/".join(filter(None, ("rollout", pipeline, target))),
        title=f"rollout of {pipeline} to {target}: {action.lower()}",
        labels={"version": text(said.get("ReleaseId")), "project": text(said.get("ProjectNumber"))},
    )


def _image(said: Mapping[str, Any], delivery: Delivery) -> Event:
    action = text(said.get("action")) or ""
    if action.upper() != "INSERT":
        raise NoEvent(Ignored.NOT_RELEVANT, f"an image: {action:.40}")
    image = text(said.get("tag")) or text(said.get("digest")) or ""
    name = image.partition("@")[0].rpartition("/")[2].partition(":")[0]
    return make(
        delivery,
        id=digest(said.get("digest"), said.get("tag")),
        kind="change.merged",
        time=None,
        service=name or None,
        subject=f"image/{name}",
        title=f"image {image} was pushed",
        labels={"image": image, "version": image.rpartition(":")[2] if ":" in image else None},
    )


def _cluster(said: Mapping[str, Any], delivery: Delivery) -> Event:
    """Kubernetes Engine announces that it begins to upgrade a cluster; that it could, and bulletins, change nothing."""
    about = (text(said.get("type_url")) or "").rpartition(".")[2]
    if about != "UpgradeEvent":
        raise NoEvent(Ignored.NOT_RELEVANT, f"{about:.60}: a notice to people, and no step of an upgrade")
    upgrade = _inner(said.get("payload"))
    name = text(said.get("cluster_name"))
    version = text(upgrade.get("targetVersion"))
    return make(
        delivery,
        id="/".join(filter(None, (name, text(upgrade.get("operation")) or digest(said)))),
        kind="change.started",
        time=tool_time(upgrade.get("operationStartTime"), "operationStartTime"),
        service=name,
        subject=f"cluster/{name}",
        title=f"upgrade of cluster {name} to {version}",
        actor=Actor(kind="automation"),
        labels={
            "cluster": name,
            "region": text(said.get("cluster_location")),
            "project": text(said.get("project_id")),
            "resource_type": text(upgrade.get("resourceType")),
            "version": version,
            "previous_version": text(upgrade.get("currentVersion")),
        },
    )


def _inner(payload: Any) -> Mapping[str, Any]:
    """The object that an attribute carries as JSON, or an empty one."""
    try:
        return mapping(load(payload.encode()) if isinstance(payload, str) else payload)
    except Unreadable:
        return {}


def _last(name: str | None) -> str | None:
    return (name or "").rpartition("/")[2] or None
