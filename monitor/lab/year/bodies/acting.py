"""Payloads of tools through which people act and write: Argo CD, the Kubernetes audit log, feature flags, Slack."""

from __future__ import annotations

from typing import Any

from monitor.core.model.events import SECOND, Instant
from monitor.lab.year.bodies import SentBody, stamp, written
from monitor.lab.year.spelling import SpeltPerson


def argo(
    name: str,
    namespace: str,
    repo: str,
    environment: str,
    phase: str,
    revision: str,
    history: list[str],
    began: Instant,
    at: Instant,
    by: SpeltPerson | None,
) -> SentBody:
    """An Application of Argo CD with its last sync, as a notification template posts it whole."""
    initiated = {"automated": True} if by is None else {"username": by.email}
    return written(
        "argo",
        {
            "trigger": "sync",
            "application": {
                "metadata": {"name": name, "uid": f"uid-{name}-{environment}", "labels": {"env": environment}},
                "spec": {
                    "project": namespace,
                    "source": {"repoURL": f"https://git.example/{repo}", "path": "deploy", "targetRevision": "main"},
                    "destination": {"namespace": namespace, "name": "main"},
                },
                "status": {
                    "health": {"status": "Healthy"},
                    "history": [{"revision": one} for one in history],
                    "operationState": {
                        "phase": phase,
                        "startedAt": stamp(began),
                        "finishedAt": None if phase == "Running" else stamp(at),
                        "operation": {"initiatedBy": initiated, "sync": {"revision": revision}},
                        "syncResult": {"revision": revision},
                    },
                },
            },
        },
    )


def audit(
    identity: str, namespace: str, name: str, at: Instant, user: str, *, sub: str = "", **asked: dict[str, Any]
) -> SentBody:
    """Audit log entry: a user patched a deployment. `asked` is the request body."""
    place = f"/apis/apps/v1/namespaces/{namespace}/deployments/{name}" + (f"/{sub}" if sub else "")
    about = {"resource": "deployments", "namespace": namespace, "name": name, "apiGroup": "apps", "apiVersion": "v1"}
    return written(
        "kubernetes/main",
        {
            "kind": "Event",
            "apiVersion": "audit.k8s.io/v1",
            "level": "Request",
            "auditID": identity,
            "stage": "ResponseComplete",
            "requestURI": f"{place}?fieldManager=kubectl-rollout",
            "verb": "patch",
            "user": {"username": user, "groups": ["engineers", "system:authenticated"]},
            "sourceIPs": ["10.0.0.7"],
            "userAgent": "kubectl/v1.31.0 (linux/amd64)",
            "objectRef": about | ({"subresource": sub} if sub else {}),
            "responseStatus": {"code": 200},
            "requestObject": asked,
            "requestReceivedTimestamp": stamp(at),
            "stageTimestamp": stamp(at),
        },
    )


def launchdarkly(
    identity: str, project: str, environment: str, key: str, on: bool, at: Instant, who: SpeltPerson | None
) -> SentBody:
    """An entry of LaunchDarkly's audit log: a flag was turned on or off, by a member or with a token."""
    verb = "updateOn" if on else "updateOff"
    said = f"turned {'on' if on else 'off'} the flag {key}"
    entry: dict[str, Any] = {
        "_id": identity,
        "date": at // SECOND * 1000,
        "kind": "flag",
        "name": key,
        "key": key,
        "verbKind": verb,
        "title": {"plainText": said},
        "project": {"key": project, "environment": {"key": environment, "name": environment.title()}},
        "target": {"resources": [f"proj/{project}:env/{environment}:flag/{key}"]},
    }
    if who is None:
        return written("launchdarkly", entry | {"token": {"_id": "tok1", "name": "ramp"}})
    return written("launchdarkly", entry | {"member": {"_id": who.paging, "email": who.email, "displayName": who.name}})


def unleash(
    number: int, project: str, environment: str, key: str, on: bool, at: Instant, who: SpeltPerson | None
) -> SentBody:
    """An event of Unleash, which names people by their login."""
    return written(
        "unleash",
        {
            "id": number,
            "type": f"feature-environment-{'enabled' if on else 'disabled'}",
            "project": project,
            "environment": environment,
            "featureName": key,
            "createdAt": stamp(at),
            "createdBy": "system" if who is None else who.login,
            "tags": [],
        },
    )


def slack(identity: str, channel: str, text: str, at: Instant, who: SpeltPerson) -> SentBody:
    """A message that mentions the app."""
    second, rest = divmod(at, SECOND)
    moment = f"{second}.{rest:06}"
    return written(
        "slack",
        {
            "type": "event_callback",
            "team_id": "T1",
            "event_id": identity,
            "event_time": second,
            "event": {
                "type": "app_mention",
                "user": who.chat,
                "text": f"<@U0NEAR> {text}",
                "ts": moment,
                "event_ts": moment,
                "channel": channel,
            },
        },
    )
