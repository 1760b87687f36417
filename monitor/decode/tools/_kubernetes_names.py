"""The workload behind the name of a Kubernetes object."""

from __future__ import annotations

import re

_HASH = "[bcdfghjklmnpqrstvwxz2456789]"
_SUFFIXES = {
    "Pod": (
        re.compile(rf"-{_HASH}{{6,10}}-{_HASH}{{5}}$"),
        re.compile(rf"-\d{{8,12}}-{_HASH}{{5}}$"),
        re.compile(rf"-{_HASH}{{5}}$"),
        re.compile(r"-\d{1,4}$"),
    ),
    "ReplicaSet": (re.compile(rf"-{_HASH}{{6,10}}$"),),
    "Job": (re.compile(r"-\d{8,12}$"),),
}


def service_of(kind: str, name: str) -> str | None:
    """The workload behind an object, without the hashes that its controllers append; None for what is no workload."""
    if kind in ("Node", "Namespace", "PersistentVolume"):
        return None
    for suffix in _SUFFIXES.get(kind, ()):
        if (match := suffix.search(name)) and match.start() > 0:
            return name[: match.start()]
    return name
