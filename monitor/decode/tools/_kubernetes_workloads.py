"""Workloads of Kubernetes as the API has them: what was changed last, and by which program.

An object names in `managedFields` who set which of its fields and when. Its generation grows with each change of what
is wanted, not with what became of it: uid and generation are the identity.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from monitor.core.model.events import SECOND, Actor, Event, Kind
from monitor.decode.reading import Delivery, Moment, make, mapping, moment, number, sequence, text
from monitor.decode.tools._kubernetes_names import service_of

_KINDS = frozenset({"Deployment", "StatefulSet", "DaemonSet"})
_RESTARTED = "kubectl.kubernetes.io/restartedAt"
_RESTART_TAKES = 5 * SECOND
_NEW = 5 * SECOND
"""A watch delivers a change within a second or two; the same generation later is the same event, and known."""


def kind_of(watched: Mapping[str, Any]) -> str | None:
    """The kind of workload of a watch event, which names it beside the object where it is from a list."""
    found = text(mapping(watched.get("object")).get("kind")) or text(watched.get("kind"))
    return found if found in _KINDS else None


def read(watched: Mapping[str, Any], what: str, delivery: Delivery) -> Event:
    """The event of a workload's last change. Raises Unreadable."""
    found = mapping(watched["object"])
    meta, spec = mapping(found.get("metadata")), mapping(found.get("spec"))
    name, namespace, uid = (text(meta.get(key)) for key in ("name", "namespace", "uid"))
    is_gone = text(watched.get("type")) == "DELETED"
    change = _last_change(meta)
    manager = text(change.get("manager"))
    at = moment(change.get("time"), "managedFields.time") or moment(meta.get("creationTimestamp"), "creationTimestamp")
    if is_gone:
        # Who deleted it, the object does not tell, nor always when.
        at, manager = moment(meta.get("deletionTimestamp"), "deletionTimestamp"), None
    if text(watched.get("type")) == "MODIFIED" and (scaling := _untimed_scaling(meta, at, delivery)) is not None:
        change, manager, at = scaling, text(scaling.get("manager")), None
    kind: Kind = "change.deleted" if is_gone else _kind(spec, change, manager, at)
    replicas = number(spec.get("replicas")) if kind == "change.scaled" else None
    template = mapping(spec.get("template"))
    image = _image(template)
    annotations = mapping(meta.get("annotations"))
    return make(
        delivery,
        id=f"{uid or f'{what}/{namespace}/{name}'}:{'deleted' if is_gone else text(meta.get('generation')) or '1'}",
        kind=kind,
        time=at,
        service=service_of(what, name) if name else None,
        environment=text(mapping(meta.get("labels")).get("environment")),
        subject="/".join(part for part in (what.lower(), namespace, name) if part),
        title=" ".join(filter(None, (kind.partition(".")[2].replace("_", " "), what.lower(), name))),
        actor=_actor(manager),
        labels={
            "namespace": namespace,
            "object_kind": what,
            "object": name,
            "manager": manager,
            "generation": text(meta.get("generation")),
            "revision": text(annotations.get("deployment.kubernetes.io/revision")),
            "change_cause": text(annotations.get("kubernetes.io/change-cause")),
            "image": image,
            "version": image.rpartition(":")[2] if image and ":" in image.rpartition("/")[2] else None,
            "replicas": text(spec.get("replicas")),
        },
        value=replicas,
        unit="replicas" if replicas is not None else None,
    )


def _last_change(meta: Mapping[str, Any]) -> Mapping[str, Any]:
    """The newest entry about what is wanted; empty where the object has none."""
    entries = [mapping(each) for each in sequence(meta.get("managedFields"))]
    wanted = [each for each in entries if "f:spec" in mapping(each.get("fieldsV1"))]
    return max(wanted, key=lambda each: text(each.get("time")) or "", default={})


def _untimed_scaling(meta: Mapping[str, Any], at: Moment | None, delivery: Delivery) -> Mapping[str, Any] | None:
    """The entry of a scaling, which the API writes without a time, where no other change is new enough to be meant."""
    if at is None or delivery.received_at is None or delivery.received_at - at[0] <= _NEW:
        return None
    entries = (mapping(each) for each in sequence(meta.get("managedFields")))
    return next((each for each in entries if text(each.get("subresource")) == "scale" and not each.get("time")), None)


def _kind(spec: Mapping[str, Any], change: Mapping[str, Any], manager: str | None, at: Moment | None) -> Kind:
    fields = mapping(mapping(change.get("fieldsV1")).get("f:spec"))
    if text(change.get("subresource")) == "scale" or set(fields) == {"f:replicas"}:
        return "change.scaled"
    if spec.get("paused") is True and set(fields) == {"f:paused"}:
        return "change.held"
    if manager == "kubectl-rollout":
        template = mapping(mapping(mapping(spec.get("template")).get("metadata")).get("annotations"))
        restarted = moment(template.get(_RESTARTED), _RESTARTED)
        if restarted and at and abs(restarted[0] - at[0]) <= _RESTART_TAKES:
            return "change.restarted"
        return "change.rolled_back"
    return "change.deployed"


def _actor(manager: str | None) -> Actor | None:
    """kubectl may be a person's or a pipeline's: only an editor says that a person was there."""
    if manager is None or (manager.startswith("kubectl") and manager != "kubectl-edit"):
        return None
    return Actor(id=manager, kind="human" if manager == "kubectl-edit" else "automation")


def _image(template: Mapping[str, Any]) -> str | None:
    containers = sequence(mapping(template.get("spec")).get("containers"))
    return next((found for one in containers if (found := text(mapping(one).get("image")))), None)
