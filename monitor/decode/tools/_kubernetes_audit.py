"""The audit log of a Kubernetes API server: the only record of who ran kubectl.

Only what was done is read, once it was answered. What the control plane does to pods and replica sets is left out: the
events of the objects tell that.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qs, urlsplit

from monitor.core.model.events import Event, Kind
from monitor.core.model.reasons import Ignored, Rejected
from monitor.decode.outcome import NoEvent, Unreadable
from monitor.decode.people import Named, who
from monitor.decode.reading import Delivery, first, make, mapping, moment, number, sequence, text
from monitor.decode.tools._kubernetes_names import service_of

_WRITES = frozenset({"create", "update", "patch", "delete", "deletecollection"})
_QUIET = frozenset(
    {"leases", "events", "endpoints", "endpointslices", "tokenreviews", "subjectaccessreviews", "bindings"}
    | {"selfsubjectaccessreviews", "selfsubjectrulesreviews", "localsubjectaccessreviews", "selfsubjectreviews"}
    | {"componentstatuses", "controllerrevisions", "csinodes", "volumeattachments", "csistoragecapacities"}
    | {"certificatesigningrequests", "prioritylevelconfigurations", "flowschemas", "tokenrequests"}
)
_SUBRESOURCES: dict[str, Kind] = {
    "scale": "change.scaled",
    "eviction": "change.restarted",
    "rollback": "change.rolled_back",
    "exec": "change.ran",
    "attach": "change.ran",
    "portforward": "change.ran",
    "proxy": "change.ran",
    "ephemeralcontainers": "change.ran",
}
_WORKLOADS = frozenset({"deployments", "statefulsets", "daemonsets", "rollouts", "deploymentconfigs"})
_CONTROLLED = frozenset({"pods", "replicasets", "jobs", "persistentvolumeclaims", "persistentvolumes"})
_ITSELF = "system:apiserver"
"""At its first start, and with each new version, it makes some hundred roles and names."""
_CONTROL_PLANE = re.compile(r"system:(?:serviceaccount:kube-system:|node:|kube-|apiserver|controller)")
_SINGULAR = {"ingresses": "Ingress", "networkpolicies": "NetworkPolicy", "podsecuritypolicies": "PodSecurityPolicy"}
_RESTARTED = "kubectl.kubernetes.io/restartedAt"


def fits(found: Mapping[str, Any]) -> bool:
    return "auditID" in found and "verb" in found


def read(entry: Mapping[str, Any], delivery: Delivery) -> Event:
    """The event of one entry. Raises Unreadable or NoEvent."""
    verb, about = text(entry.get("verb")) or "", mapping(entry.get("objectRef"))
    resource, sub = text(about.get("resource")) or "", text(about.get("subresource"))
    user = mapping(entry.get("user"))
    username = text(user.get("username"))
    _skip_what_changed_nothing(entry, verb, resource, sub, username or "")
    asked, answered = mapping(entry.get("requestObject")), mapping(entry.get("responseObject"))
    identity = text(entry.get("auditID"))
    if identity is None:
        raise Unreadable(Rejected.MISSING_FIELD, "auditID is missing; every entry of an audit log has one")
    kind = _kind(entry, verb, resource, sub, asked)
    metadata = mapping(asked.get("metadata")) or mapping(answered.get("metadata"))
    name = text(about.get("name")) or first(metadata, ("name", "generateName")) or None
    namespace = text(about.get("namespace"))
    what = _SINGULAR.get(resource) or resource.removesuffix("s").capitalize()
    replicas = number(mapping(asked.get("spec")).get("replicas")) if kind == "change.scaled" else None
    actor, said = _actor(username, user)
    image = _image(asked)
    return make(
        delivery,
        id=identity,
        kind=kind,
        time=moment(first(entry, ("requestReceivedTimestamp", "stageTimestamp")), "requestReceivedTimestamp"),
        service=service_of(what, name.rstrip("-")) if name else None,
        environment=text(mapping(metadata.get("labels")).get("environment")),
        subject="/".join(part for part in (what.lower(), namespace, name) if part),
        title=_title(kind, what, name, replicas)
        or " ".join(filter(None, (verb, f"{resource}/{sub}" if sub else resource, name))),
        actor=actor,
        labels={
            **said,
            "verb": verb,
            "resource": resource,
            "subresource": sub,
            "namespace": namespace,
            "object_kind": what,
            "object": name,
            "user_agent": text(entry.get("userAgent")),
            "manager": _query(entry, "fieldManager"),
            "impersonated": text(mapping(entry.get("impersonatedUser")).get("username")),
            "response": text(mapping(entry.get("responseStatus")).get("code")),
            "reason": text(mapping(entry.get("responseStatus")).get("reason")),
            "guard": _guard(entry) if kind == "change.blocked" else None,
            "command": " ".join(_queries(entry, "command")) or None,
            "image": image,
            "version": image.rpartition(":")[2] if image and ":" in image.rpartition("/")[2] else None,
            "replicas": text(mapping(asked.get("spec")).get("replicas")),
        },
        value=replicas,
        unit="replicas" if replicas is not None else None,
    )


def _title(kind: Kind, what: str, name: str | None, replicas: float | None) -> str | None:
    """What was done where a word says it better than the verb of the API: everything is patched."""
    if kind == "change.scaled" and replicas is not None:
        return f"scale {what} {name} to {replicas:g}"
    return f"restart {what} {name}" if kind == "change.restarted" and what != "Pod" else None


def _skip_what_changed_nothing(entry: Mapping[str, Any], verb: str, resource: str, sub: str | None, user: str) -> None:
    if text(entry.get("stage")) not in (None, "ResponseComplete", "ResponseStarted", "Panic"):
        raise NoEvent(Ignored.NOT_RELEVANT, "a request that is not answered yet")
    runs = sub in ("exec", "attach", "portforward")
    if verb not in _WRITES and not runs:
        raise NoEvent(Ignored.NOT_RELEVANT, f"{verb:.40} changes nothing")
    if text(entry.get("stage")) == "ResponseStarted" and not runs:
        raise NoEvent(Ignored.NOT_RELEVANT, "the same request comes again when it is complete")
    if not resource or resource in _QUIET or (sub is not None and sub not in _SUBRESOURCES):
        raise NoEvent(Ignored.NOT_RELEVANT, f"{resource}/{sub or ''} is the API's own housekeeping")
    if user == _ITSELF:
        raise NoEvent(Ignored.NOT_RELEVANT, "the API server sets up what it needs itself")
    if "All" in _queries(entry, "dryRun"):
        raise NoEvent(Ignored.NOT_RELEVANT, "a dry run")
    if resource in _CONTROLLED and sub is None and _CONTROL_PLANE.match(user):
        raise NoEvent(Ignored.NOT_RELEVANT, f"a controller goes about its work on {resource}")


def _kind(entry: Mapping[str, Any], verb: str, resource: str, sub: str | None, asked: Mapping[str, Any]) -> Kind:
    status = mapping(entry.get("responseStatus"))
    code = number(status.get("code")) or 0
    if code >= 400:
        return _refused(int(code), text(status.get("message")) or "")
    if sub is not None:
        return _SUBRESOURCES[sub]
    if verb in ("delete", "deletecollection"):
        return "change.restarted" if resource == "pods" else "change.deleted"
    if resource == "secrets" and "cert-manager" in (text(mapping(entry.get("user")).get("username")) or ""):
        return "change.rotated"  # it writes the certificate that it was given
    if resource in _WORKLOADS:
        return _of_workload(entry, verb, asked)
    if resource in ("pods", "jobs") and verb == "create":
        return "change.ran"
    if resource == "cronjobs" and mapping(asked.get("spec")).get("suspend") is True:
        return "change.held"
    return "change.configured"


def _refused(code: int, message: str) -> Kind:
    if code in (404, 409):
        raise NoEvent(Ignored.NOT_RELEVANT, f"answered with {code}: someone was quicker, or nothing was there")
    if code in (401, 403) or "denied" in message or "admission" in message:
        return "change.blocked"
    return "change.failed"


def _guard(entry: Mapping[str, Any]) -> str:
    """What refused a request: a check of its content, or a right that is missing."""
    message = text(mapping(entry.get("responseStatus")).get("message")) or ""
    return "admission" if "admission" in message or "denied the request" in message else "permission"


def _of_workload(entry: Mapping[str, Any], verb: str, asked: Mapping[str, Any]) -> Kind:
    """kubectl's own words tell a restart and an undo from a deployment, where the log holds the request."""
    spec = mapping(asked.get("spec"))
    template = mapping(spec.get("template"))
    manager = _query(entry, "fieldManager")
    if verb == "create":
        return "change.deployed"
    if _RESTARTED in mapping(mapping(template.get("metadata")).get("annotations")) and set(template) == {"metadata"}:
        return "change.restarted"
    if "paused" in spec and not template:
        return "change.held" if spec["paused"] is True else "change.started"
    if manager == "kubectl-rollout":
        return "change.rolled_back" if template else "change.restarted"
    if set(spec) == {"replicas"}:
        return "change.scaled"
    return "change.deployed" if _image(asked) or not asked else "change.configured"


def _image(asked: Mapping[str, Any]) -> str | None:
    pod = mapping(mapping(mapping(asked.get("spec")).get("template")).get("spec"))
    return next((found for one in sequence(pod.get("containers")) if (found := text(mapping(one).get("image")))), None)


def _actor(username: str | None, user: Mapping[str, Any]) -> Named:
    """Accounts of services, nodes and components are automation; everybody else is taken for a person."""
    if username is None:
        return None, {}
    if username.startswith("system:"):
        return who(username, kind="automation")
    groups = ",".join(filter(None, map(text, sequence(user.get("groups")))))
    actor, said = who(username, email=username if "@" in username else None)
    return actor, {**said, "groups": groups or None}


def _queries(entry: Mapping[str, Any], name: str) -> list[str]:
    try:
        return parse_qs(urlsplit(text(entry.get("requestURI")) or "").query, max_num_fields=64).get(name, [])
    except ValueError:
        return []


def _query(entry: Mapping[str, Any], name: str) -> str | None:
    return next(iter(_queries(entry, name)), None)
