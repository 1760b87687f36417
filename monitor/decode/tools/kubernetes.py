"""Kubernetes: its events (`v1` and `events.k8s.io/v1`), bare, in a list or as a watch delivers them, and its audit log.

Workloads are read as a watch delivers them.

An event object is updated in place when it repeats: uid and count together are the identity, the object it is about
is the subject.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from monitor.core.model.events import Actor, Event, Kind
from monitor.core.model.reasons import Ignored, Rejected
from monitor.decode.bodyforms import json_lines
from monitor.decode.outcome import NoEvent, Unreadable
from monitor.decode.reading import Delivery, Moment, digest, first, make, mapping, moment, not_the_shape, sequence, text
from monitor.decode.tool import Sample, Tool
from monitor.decode.tools import _kubernetes_audit, _kubernetes_workloads
from monitor.decode.tools._kubernetes_names import service_of

_KINDS: dict[str, Kind] = {
    "ScalingReplicaSet": "change.scaled",
    "SuccessfulRescale": "change.scaled",
    "TriggeredScaleUp": "change.scaled",
    "ScaleDown": "change.scaled",
    "Killing": "change.restarted",
    "Rebooted": "change.restarted",
    "TaintManagerEviction": "change.restarted",
    "Pulled": "change.deployed",
    "DeploymentRollback": "change.rolled_back",
    "DeploymentRollbackRevisionNotFound": "change.failed",
    "NodeNotReady": "alert.fired",
    "NodeReady": "alert.resolved",
    "NodeNotSchedulable": "change.configured",
    "NodeSchedulable": "change.configured",
    "RemovingNode": "change.deleted",
    "RolloutUpdated": "change.started",
    "RolloutAborted": "change.held",
    "RolloutPaused": "change.held",
    "RolloutResumed": "change.started",
    "RolloutCompleted": "change.deployed",
    "RollbackSucceeded": "change.rolled_back",
    "InstallSucceeded": "change.deployed",
    "UpgradeSucceeded": "change.deployed",
}
_WATCH = frozenset({"ADDED", "MODIFIED", "DELETED", "BOOKMARK", "ERROR"})
_PRESENT = "already present on machine"
_ISSUED = "successfully issued"
"""How cert-manager's last event of a certificate puts it; the ones before it say only that it began."""
_IMAGE = re.compile(r'image "(?P<name>[^"@\s]+?)(?::(?P<tag>[^":/@]+))?(?:@(?P<digest>sha256:[0-9a-f]+))?"')
_SCALED = re.compile(
    r"Scaled (?P<way>up|down) replica set (?P<set>\S+)(?: from (?P<old>\d+))? to (?P<new>\d+)(?: from (?P<from>\d+))?"
)
_CONTAINER = re.compile(r"\{(?P<name>[^{}]+)\}$")


def split(body: Any, delivery: Delivery) -> list[Any]:
    """The events of a body. Raises Unreadable."""
    if isinstance(body, list):
        return body
    found = mapping(body)
    if isinstance(found.get("items"), list):
        return sequence(found["items"])
    if _kubernetes_audit.fits(found):
        return [found]
    if "object" in found or "involvedObject" in found or "regarding" in found or found.get("kind") == "Event":
        return [found]
    raise not_the_shape("a Kubernetes Event, a list of them, a watch event, or an audit log", body)


def read(piece: Any, delivery: Delivery) -> list[Event]:
    """The event of one Kubernetes event. Raises Unreadable or NoEvent."""
    found = mapping(piece)
    if _kubernetes_audit.fits(found):
        return [_kubernetes_audit.read(found, delivery)]
    watched = text(found.get("type"))
    if "object" in found and watched in _WATCH:
        if (what := _kubernetes_workloads.kind_of(found)) and watched in ("ADDED", "MODIFIED", "DELETED"):
            return [_kubernetes_workloads.read(found, what, delivery)]
        if watched not in ("ADDED", "MODIFIED"):
            raise NoEvent(Ignored.NOT_RELEVANT, f"watch event {watched}: nothing new happened")
        found = mapping(found["object"])
    about = mapping(found.get("involvedObject")) or mapping(found.get("regarding"))
    reason = text(found.get("reason"))
    if not about or reason is None:
        raise not_the_shape("an Event with involvedObject (or regarding) and reason", found or piece)
    return [_event(found, about, reason, delivery)]


def _event(found: Mapping[str, Any], about: Mapping[str, Any], reason: str, delivery: Delivery) -> Event:
    message = first(found, ("message", "note")) or ""
    is_warning = text(found.get("type")) == "Warning"
    kind = _kind(reason, is_warning, message)
    metadata, source = mapping(found.get("metadata")), mapping(found.get("source"))
    series = mapping(found.get("series"))
    count = text(series.get("count")) or first(found, ("count", "deprecatedCount")) or "1"
    what, name, namespace = text(about.get("kind")) or "object", text(about.get("name")), text(about.get("namespace"))
    uid = text(metadata.get("uid")) or digest(namespace, text(metadata.get("name")), what, name, reason)
    component = first(found, ("reportingComponent", "reportingController")) or text(source.get("component"))
    scaled = _SCALED.search(message)
    container = _CONTAINER.search(text(about.get("fieldPath")) or "")
    at = _time(found, series)
    if name is None:
        raise Unreadable(Rejected.MISSING_FIELD, "the object that the event is about has no name")
    return make(
        delivery,
        id=f"{uid}:{count}",
        kind=kind,
        time=at,
        service=service_of(what, name),
        subject="/".join(part for part in (what.lower(), namespace, name) if part),
        severity="warning" if is_warning else None,
        title=f"{reason}: {message}" if message else reason,
        actor=None if component is None else Actor(id=component, kind="automation"),
        labels={
            "reason": reason,
            "namespace": namespace,
            "object_kind": what,
            "object": name,
            "container": container["name"] if container else None,
            "node": text(source.get("host")) or first(found, ("reportingInstance",)),
            "count": count,
            "cluster": text(metadata.get("clusterName")),
            **_image(message),
            **_replicas(scaled),
        },
        value=float(scaled["new"]) if scaled else None,
        unit="replicas" if scaled else None,
    )


def _kind(reason: str, is_warning: bool, message: str) -> Kind:
    if reason == "Pulled" and _PRESENT in message:
        raise NoEvent(Ignored.NOT_RELEVANT, "the image was on the machine already: nothing was deployed")
    if reason == "Issuing" and _ISSUED in message:
        return "change.rotated"
    if reason in _KINDS:
        return _KINDS[reason]
    if is_warning:
        return "alert.fired"
    raise NoEvent(Ignored.NOT_RELEVANT, f"{reason:.80} is the ordinary course of things")


def _time(found: Mapping[str, Any], series: Mapping[str, Any]) -> Moment | None:
    """When it happened last; the beginning of the series only where the body has nothing later."""
    for place, name in (
        (series, "lastObservedTime"),
        (found, "lastTimestamp"),
        (found, "deprecatedLastTimestamp"),
        (found, "eventTime"),
        (found, "firstTimestamp"),
        (mapping(found.get("metadata")), "creationTimestamp"),
    ):
        at = moment(place.get(name), name)
        if at is not None:
            return at
    return None


def _image(message: str) -> dict[str, str | None]:
    match = _IMAGE.search(message)
    return {} if match is None else {"image": match["name"], "version": match["digest"] or match["tag"]}


def _replicas(scaled: re.Match[str] | None) -> dict[str, str | None]:
    if scaled is None:
        return {}
    return {
        "direction": scaled["way"],
        "replica_set": scaled["set"],
        "replicas": scaled["new"],
        "previous_replicas": scaled["from"] or scaled["old"],
    }


_SAMPLE = """{"apiVersion": "v1", "kind": "Event", "metadata": {"uid": "6b1c", "name": "payments.17a"},
 "involvedObject": {"kind": "Deployment", "namespace": "shop", "name": "payments"}, "reason": "ScalingReplicaSet",
 "message": "Scaled up replica set payments-6f7c9d8b5 to 4 from 2", "type": "Normal", "count": 1,
 "lastTimestamp": "2026-03-10T12:00:00Z", "source": {"component": "deployment-controller"}}"""

_SETUP = """
**nearmiss watches** events, deployments, stateful sets and daemon sets itself. Give its service account a role with the
verbs `list` and `watch` on them, and add to `nearmiss.yaml`:

```yaml
pulls:
  - tool: kubernetes
    url: https://kubernetes.default.svc
    authorization_file: /var/run/secrets/kubernetes.io/serviceaccount/token
    ca_file: /var/run/secrets/kubernetes.io/serviceaccount/ca.crt
```

A workload names the program that changed it last (`kubectl-edit`, `helm`), and the change: a rollout, an undo, a
restart, a scaling. `namespace` watches one alone; `name` keeps clusters apart.

**Or send events** as the API has them: one, a list, or what a watch delivers. The simplest sender is a job that runs
each minute; events that were sent before are known by their uid and count.

```sh
kubectl get events --all-namespaces -o json |
  curl -sS http://nearmiss:8080/ingest/kubernetes -H 'content-type: application/json' --data-binary @-
```

An exporter that posts events to a webhook works as well. Large clusters exceed `body_limit` (5 MB); send each
namespace by itself then.

**The audit log** is the only record of who ran `kubectl`. Start the API server with `--audit-policy-file` and
`--audit-webhook-config-file`. The second is a kubeconfig, whose token Kubernetes shows over https alone: put a proxy
in front of nearmiss, or list `kubernetes` in `open_sources` and give the address with http.

```yaml
apiVersion: v1
kind: Config
clusters:
  - {name: nearmiss, cluster: {server: "https://nearmiss.example/ingest/kubernetes"}}
users:
  - {name: audit, user: {token: the-secret}}
contexts:
  - {name: audit, context: {cluster: nearmiss, user: audit}}
current-context: audit
```

A policy that logs what people do and leaves the rest out:

```yaml
apiVersion: audit.k8s.io/v1
kind: Policy
omitStages: [RequestReceived]
rules:
  - {level: None, verbs: [get, list, watch]}
  - {level: None, resources: [{group: coordination.k8s.io}, {group: "", resources: [events, endpoints]}]}
  - {level: Metadata, resources: [{group: "", resources: [secrets, configmaps]}]}
  - {level: Request}
```

A log file is read as it is: `curl --data-binary @audit.log` to the same address.
"""

TOOL = Tool(
    name="kubernetes",
    title="Kubernetes",
    tells="rollouts, restarts, scaling, nodes; and who ran kubectl",
    kinds=tuple(sorted({*_KINDS.values(), "change.ran", "change.blocked"})),
    sample=Sample(_SAMPLE, ("change.scaled",)),
    setup=_SETUP,
    limits=(
        "The service is the workload behind the object (`payments-6f7c9d8b5-x2x7q` is `payments`).",
        "No environment is named, which counts as unknown.",
        "Without the audit log no person is named: a workload names the program that changed it.",
        "An apply that only scales counts as a deployment; a scaling of a time without a watch is not seen.",
        "In the audit log all accounts but `system:…` are taken for people.",
    ),
    split=split,
    read=read,
    parse=json_lines,
)
