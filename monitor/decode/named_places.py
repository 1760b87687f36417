"""Where something runs, as names say it: a namespace `staging`, a cluster `prod-eu`, an application `shop-production`.

Only words that hardly mean anything else are believed inside a name. A stated environment goes first.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from monitor.core.model.words import names_environment

_NAMESPACES = (
    *("namespace", "exported_namespace", "kube_namespace", "k8s.namespace.name", "kubernetes_namespace"),
    *("workspace", "resource_group", "resource.project_id"),
)
_CLUSTERS = ("cluster", "cluster_name", "kube_cluster_name", "k8s.cluster.name", "kubernetes_cluster")
_SURE = r"(?:pre|non)[-_]?prod(?:uction)?|prod(?:uction)?|prd|staging|stg|uat|qa|dev(?:elopment)?"
_SEPARATED = r"[-_.\s/]"
_LAST = re.compile(rf"(?:.*{_SEPARATED})(?P<word>{_SURE})\d{{0,3}}", re.IGNORECASE | re.DOTALL)
_FIRST = re.compile(
    rf"(?P<word>(?:pre|non)[-_]?prod|prod(?:uction)?|prd|staging|stg)\d{{0,3}}{_SEPARATED}.*", re.IGNORECASE | re.DOTALL
)
_WORD = re.compile(_SURE, re.IGNORECASE)
_LONGEST_NAME = 200


def named_place(service: str | None, labels: Mapping[str, Any]) -> str | None:
    """The environment that the names of an event's surroundings say; None where they say none."""
    for label in _NAMESPACES:
        if (name := labels.get(label)) and (found := _of_name(str(name))):
            return found
    for label in _CLUSTERS:
        if (name := labels.get(label)) and (found := _of_name(str(name)) or _of_cluster(str(name))):
            return found
    if service is not None and (found := _of_service(service)):
        return found
    return _of_tags(tags) if isinstance(tags := labels.get("tags"), str) else None


@lru_cache(maxsize=8192)
def _of_name(name: str) -> str | None:
    """A name that is an environment's word, or ends with one: `checkout-prod`, `Checkout staging`."""
    if len(name) > _LONGEST_NAME:
        return None
    if (found := _LAST.fullmatch(name)) is not None:
        return found["word"].lower()
    return name.lower() if " " not in name and names_environment(name) else None


@lru_cache(maxsize=8192)
def _of_service(name: str) -> str | None:
    """The end of a service's name; one that is such a word itself is called so by chance."""
    found = _LAST.fullmatch(name) if len(name) <= _LONGEST_NAME else None
    return found["word"].lower() if found else None


@lru_cache(maxsize=4096)
def _of_cluster(name: str) -> str | None:
    """Clusters are named for their environment first: `prod-eu`, `staging-2`."""
    found = _FIRST.fullmatch(name) if len(name) <= _LONGEST_NAME else None
    return found["word"].lower() if found else None


@lru_cache(maxsize=4096)
def _of_tags(tags: str) -> str | None:
    """The one environment among tags that are single words: `production,media`."""
    found = {tag.lower() for one in tags[:2000].split(",") if _WORD.fullmatch(tag := one.strip())}
    return found.pop() if len(found) == 1 else None
