"""What `kubectl get deployments,statefulsets,daemonsets -A -o json` says of a shop's services."""

from __future__ import annotations

import msgspec

from monitor.core.resolving.labels import is_exporter
from monitor.shop.found import FoundServices

_SYSTEM = (
    "kube-",
    "cert-manager",
    "ingress-",
    "istio-",
    "linkerd",
    "monitoring",
    "observability",
    "local-path-",
    "argocd",
    "flux-",
)
"""Namespaces of the platform, which users do not see."""


class _Metadata(msgspec.Struct, frozen=True):
    name: str = ""
    namespace: str = ""
    labels: dict[str, str] = {}
    annotations: dict[str, str] = {}


class _Workload(msgspec.Struct, frozen=True):
    metadata: _Metadata = _Metadata()


class _List(msgspec.Struct, frozen=True):
    items: list[_Workload] = []


def take_workloads(body: bytes, found: FoundServices) -> int:
    """Add each workload outside of the platform's namespaces; how many. Raises ValueError."""
    count = 0
    for each in msgspec.json.decode(body, type=_List).items:
        meta = each.metadata
        name = meta.labels.get("app.kubernetes.io/name") or meta.name
        if not name or meta.namespace.startswith(_SYSTEM) or is_exporter(name):
            continue
        service = found.service(name, f"a workload in {meta.namespace}")
        owners = (meta.labels.get(key) or meta.annotations.get(key) for key in ("team", "owner"))
        service.owner = service.owner or next(filter(None, owners), None)
        service.namespace = service.namespace or meta.namespace
        count += 1
    return count
