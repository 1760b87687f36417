"""Flux' notification controller: what its reconcilers applied, rolled back, or could not apply."""

from __future__ import annotations

import re
from typing import Any

from monitor.core.model.events import Actor, Event, Kind
from monitor.core.model.reasons import Ignored
from monitor.decode.outcome import NoEvent
from monitor.decode.reading import Delivery, digest, first, make, mapping, not_the_shape, one_line, severity, text
from monitor.decode.signatures import FLUX
from monitor.decode.tool import Sample, Tool
from monitor.decode.tool_times import tool_time

_KINDS: dict[str, Kind] = {
    "ReconciliationSucceeded": "change.deployed",
    "InstallSucceeded": "change.deployed",
    "UpgradeSucceeded": "change.deployed",
    "RollbackSucceeded": "change.rolled_back",
    "UninstallSucceeded": "change.deleted",
    "Progressing": "change.started",
    "NewArtifact": "change.merged",
    "GitOperationSucceeded": "change.merged",
    "Succeeded": "change.merged",
    "DriftDetected": "alert.fired",
    "DriftCorrected": "change.configured",
    "HealthCheckFailed": "change.failed",
    "TestFailed": "change.failed",
    "Suspended": "change.held",
}
_APPLIERS = frozenset({"Kustomization", "HelmRelease", "Terraform", "ResourceSet", "FluxInstance"})
_QUIET = frozenset({"DependencyNotReady", "ProgressingWithRetry", "ArtifactUpToDate", "GarbageCollectionSucceeded"})
_QUIET_TOO = frozenset({"TestSucceeded", "HealthCheckSucceeded", "Info", "CacheOperationFailed", "NoAction"})
_WORKLOAD = re.compile(r"\b(Deployment|StatefulSet|DaemonSet)/[\w.-]{1,100}/([\w.-]{1,200}) (?:configured|created)")
_LONGEST = 8192
_REVISION = re.compile(r"(?:^|[@/:])(?P<commit>[0-9a-f]{7,64})$")


def split(body: Any, delivery: Delivery) -> list[Any]:
    """One body is one event. Raises Unreadable."""
    if not isinstance(mapping(body).get("involvedObject"), dict):
        raise not_the_shape("an event of Flux with involvedObject, severity and reason", body)
    return [body]


def read(piece: Any, delivery: Delivery) -> list[Event]:
    """The event of one body. Raises Unreadable or NoEvent."""
    event = mapping(piece)
    about, metadata = mapping(event.get("involvedObject")), mapping(event.get("metadata"))
    reason, word = text(event.get("reason")) or "", text(event.get("severity")) or "info"
    what, name, namespace = text(about.get("kind")) or "object", text(about.get("name")), text(about.get("namespace"))
    kind = _kind(reason, word, what)
    said = {key.rpartition("/")[2]: value for key, value in metadata.items()}
    revision = text(said.get("revision"))
    commit = _REVISION.search(revision or "")
    message = text(event.get("message"))
    is_bad = kind in ("change.failed", "alert.fired")
    return [
        make(
            delivery,
            id=digest(about, reason, revision, event.get("timestamp"), message),
            kind=kind,
            time=tool_time(event.get("timestamp"), "timestamp"),
            service=first(said, ("app", "service")) or name,
            environment=first(said, ("env", "environment")),
            subject="/".join(part for part in (what.lower(), namespace, name) if part),
            severity=severity(word) if is_bad else None,
            title=one_line(f"{reason}: {message}" if message else f"{reason}: {name}"),
            actor=Actor(kind="automation"),
            labels={
                **said,
                "severity": word if is_bad else None,
                "reason": reason,
                "controller": text(event.get("reportingController")),
                "namespace": namespace,
                "object_kind": what,
                "object": name,
                "version": commit["commit"] if commit else revision,
                "commit": commit["commit"] if commit else None,
                "commit_status": text(said.get("commit_status")),
                "cluster": first(said, ("cluster", "summary")),
                **_applied(message),
            },
        )
    ]


def _applied(message: str | None) -> dict[str, str]:
    """The one workload among what a reconciliation changed: a Kustomization may be called `apps`, and hold all."""
    found = {(kind.lower(), name) for kind, name in _WORKLOAD.findall((message or "")[:_LONGEST])}
    return dict(found) if len(found) == 1 else {}


def _kind(reason: str, word: str, what: str) -> Kind:
    if reason in _QUIET | _QUIET_TOO:
        raise NoEvent(Ignored.NOT_RELEVANT, f"{reason} is the ordinary course of things")
    kind = _KINDS.get(reason)
    if kind in ("change.deployed", "change.started") and what not in _APPLIERS:
        raise NoEvent(Ignored.NOT_RELEVANT, f"{reason} of a {what:.40}: nothing was applied")
    if kind is not None:
        return kind
    if word == "error" or reason.endswith(("Failed", "Error")):
        return "change.failed"
    raise NoEvent(Ignored.UNKNOWN_TYPE, f"reason {reason!r:.60} is none that we know")


_SAMPLE = """{"involvedObject": {"apiVersion": "kustomize.toolkit.fluxcd.io/v1", "kind": "Kustomization",
 "name": "payments", "namespace": "apps", "uid": "7d0cdc51"}, "metadata": {"env": "production",
 "kustomize.toolkit.fluxcd.io/revision": "main@sha1:731f7eaddfb6af01cb2173e18f0f75b0ba780ef1"}, "severity": "info",
 "reason": "ReconciliationSucceeded", "message": "Reconciliation finished in 2s, next run in 5m0s",
 "reportingController": "kustomize-controller", "timestamp": "2026-03-10T12:00:00Z"}"""

_SETUP = """
A provider and an alert; `eventMetadata` names what Flux does not know. The secret has the key `token`.

```yaml
apiVersion: notification.toolkit.fluxcd.io/v1beta3
kind: Provider
metadata: {name: nearmiss, namespace: flux-system}
spec: {type: generic-hmac, address: "http://nearmiss:8080/ingest/flux", secretRef: {name: nearmiss-token}}
---
apiVersion: notification.toolkit.fluxcd.io/v1beta3
kind: Alert
metadata: {name: nearmiss, namespace: flux-system}
spec:
  providerRef: {name: nearmiss}
  eventMetadata: {env: production, cluster: eu-1}
  eventSources: [{kind: Kustomization, name: "*"}, {kind: HelmRelease, name: "*"}, {kind: GitRepository, name: "*"}]
```
"""

TOOL = Tool(
    name="flux",
    title="Flux",
    tells="what was applied from Git, rolled back, or failed",
    kinds=tuple(sorted(set(_KINDS.values()))),
    sample=Sample(_SAMPLE, ("change.deployed",)),
    setup=_SETUP,
    limits=(
        "The service is the name of the Kustomization or HelmRelease.",
        "The person is the one who merged the commit: connect the repository too.",
    ),
    scheme=FLUX,
    split=split,
    read=read,
)
