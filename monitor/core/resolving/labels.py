"""Which labels of an event name a workload, a host or a repository, and in which order they are believed.

Knows how Kubernetes, Prometheus and the common agents spell their labels; must not know any organisation.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import lru_cache
from urllib.parse import urlsplit

_ORDER: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("service", ("exported_service", "exported_job")),
    ("deployment", ("deployment", "exported_deployment", "k8s.deployment.name", "kube_deployment", "rollout")),
    ("statefulset", ("statefulset", "exported_statefulset", "k8s.statefulset.name", "kube_stateful_set")),
    ("daemonset", ("daemonset", "exported_daemonset", "k8s.daemonset.name", "kube_daemon_set")),
    ("autoscaler", ("horizontalpodautoscaler", "hpa", "scaledobject")),
    ("cronjob", ("cronjob", "k8s.cronjob.name", "kube_cronjob")),
    ("job", ("job_name", "k8s.job.name", "kube_job")),
    ("workload", ("workload", "owner_name", "kubernetes_workload", "destination_workload")),
    ("container", ("container", "container_name", "exported_container", "k8s.container.name", "kube_container_name")),
    ("pod", ("pod", "pod_name", "exported_pod", "k8s.pod.name", "kubernetes_pod_name")),
    ("service.name", ("service.name", "otel_service_name", "servicename", "service")),
    ("app", ("app.kubernetes.io/name", "label_app", "app", "application", "app_name", "component")),
    ("namespace", ("namespace", "exported_namespace", "k8s.namespace.name", "kube_namespace")),
)  # fmt: skip
_NAMED = frozenset({"deployment", "statefulset", "daemonset", "cronjob", "container", "pod", "service.name", "app"})
"""Labels that name a service well enough where no catalogue knows the name. A namespace holds several as often."""
_SIDECARS = frozenset(
    {"pod", "istio-proxy", "linkerd-proxy", "envoy", "envoy-sidecar", "sidecar", "fluent-bit", "vault-agent"}
    | {"app", "main", "server", "web"}
)
"""Containers whose name says nothing of the service."""
_HOSTS = ("host", "hostname", "instance", "node", "target", "url", "host.name", "monitor_url", "dbinstanceidentifier")
_REPOSITORIES = ("repository", "repo", "repository_full_name", "project", "repo_url")

_EXPORTER = re.compile(
    r"(?:.*[-_.])?(?:kube-state-metrics|kubelet|cadvisor|kubernetes-(?:pods|nodes|apiservers|service-endpoints)"
    r"|exporter|pushgateway|otel-collector|alloy|grafana-agent|metrics-server|node-problem-detector)"
    r"(?:[-_.](?:metrics|service|svc|\d+))?",
    re.IGNORECASE,
)
# Kubernetes draws its suffixes from an alphabet without vowels, so that no word looks like one.
_OF_DEPLOYMENT = re.compile(r"(.+)-[a-z0-9]{6,10}-[bcdfghjklmnpqrstvwxz2456789]{5}")
_OF_JOB = re.compile(r"(.+?)-\d{8,10}(?:-[bcdfghjklmnpqrstvwxz2456789]{5})?")
_OF_SET = re.compile(r"(.+)-(?:\d{1,4}|[bcdfghjklmnpqrstvwxz2456789]{5})")

_PREFIX = re.compile(r"(?:detail|details|tag|tags|label|labels|resource|attributes)\.")


@lru_cache(maxsize=4096)
def _spelling(key: str) -> str:
    """A label's name without what agents put before it, and with dots: `k8s_pod_name`, `detail.pod`."""
    spelt = key.casefold()
    if found := _PREFIX.match(spelt):
        spelt = spelt[found.end() :]
    return spelt.replace("_", ".").replace("-", ".")


_SPELT: dict[str, tuple[int, str]] = {
    _spelling(key): (rank, what) for rank, (what, keys) in enumerate(_ORDER) for key in keys
}


@lru_cache(maxsize=4096)
def is_exporter(name: str) -> bool:
    """Whether a name is that of the program that measured, such as kube-state-metrics, and of nothing measured."""
    return _EXPORTER.fullmatch(name) is not None


def workloads(labels: Mapping[str, str]) -> list[tuple[str, str]]:
    """What the labels name, best first: (label, name). Pods without the suffixes that Kubernetes gives them."""
    found: list[tuple[int, str, str]] = []
    for key, value in labels.items():
        spelt = _SPELT.get(_spelling(key))
        if spelt is None or not value:
            continue
        rank, what = spelt
        names: tuple[str, ...] = (value,)
        if what == "pod":
            names = _without_suffix(value)
        elif what == "job":
            names = (value, *_matched(_OF_JOB, value))
        found += [(rank, key, name) for name in names if not is_exporter(name)]
    found.sort(key=lambda one: one[0])
    return [(key, name) for _, key, name in found]


def named(labels: Mapping[str, str]) -> tuple[str, str] | None:
    """The first of `workloads` that names a service where nothing else is known of it."""
    for key, name in workloads(labels):
        _, what = _SPELT[_spelling(key)]
        if what in _NAMED and name.casefold() not in _SIDECARS:
            return key, name
    return None


def _without_suffix(pod: str) -> tuple[str, ...]:
    for pattern in (_OF_DEPLOYMENT, _OF_JOB, _OF_SET):
        if found := pattern.fullmatch(pod):
            return (found[1],)
    return (pod,)


def _matched(pattern: re.Pattern[str], value: str) -> tuple[str, ...]:
    found = pattern.fullmatch(value)
    return (found[1],) if found else ()


def hosts(labels: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """(label, host): the host of an address, without its port."""
    for key in _HOSTS:
        if value := labels.get(key):
            yield key, _host_of(value)


def _host_of(value: str) -> str:
    try:
        found = urlsplit(value if "//" in value else f"//{value}").hostname
    except ValueError:
        return value
    return found or value


def repositories(labels: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """(label, repository)."""
    for key in _REPOSITORIES:
        if value := labels.get(key):
            yield key, value.removesuffix(".git")
