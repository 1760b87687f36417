"""Parts that Azure's alerts and events share: names and places in the path of a resource, operations, grades."""

from __future__ import annotations

import re

from monitor.core.model.events import Bound, Kind, Severity
from monitor.core.model.reasons import Ignored
from monitor.decode.outcome import NoEvent
from monitor.decode.reading import severity

_OPERATIONS: tuple[tuple[str, Kind], ...] = (
    ("restart/action", "change.restarted"),
    ("redeploy/action", "change.restarted"),
    ("start/action", "change.restarted"),
    ("poweroff/action", "change.restarted"),
    ("stop/action", "change.restarted"),
    ("deallocate/action", "change.scaled"),
    ("scale/action", "change.scaled"),
    ("failover/action", "change.failed_over"),
    ("slotsswap/action", "change.deployed"),
    ("applyslotconfig/action", "change.deployed"),
    ("regeneratekey/action", "change.rotated"),
    ("restore/action", "change.restored"),
    ("/action", "change.ran"),
    ("deployments/write", "change.deployed"),
    ("/write", "change.configured"),
    ("/delete", "change.deleted"),
)
_READS = re.compile(r"(?:list\w*|read|validate|check\w*|get\w*)/action$", re.IGNORECASE)
BOUNDS: dict[str, Bound] = {
    "GreaterThan": "max",
    "GreaterThanOrEqual": "max",
    "LessThan": "min",
    "LessThanOrEqual": "min",
}
_GRADES = {"sev0": "critical", "sev1": "error", "sev2": "warning", "sev3": "info", "sev4": "info"}
"""Azure counts from critical, error and warning to informational and verbose."""


def kind_of(operation: str) -> Kind | None:
    """What an operation such as `Microsoft.Web/sites/restart/action` does; None for one of no such ending.

    Raises NoEvent for one that only reads.
    """
    operation = operation.lower()
    if _READS.search(operation):
        raise NoEvent(Ignored.NOT_RELEVANT, f"{operation:.80} changes nothing")
    return next((kind for end, kind in _OPERATIONS if operation.endswith(end)), None)


def grade(word: str | None) -> Severity | None:
    return severity(_GRADES.get((word or "").lower(), word))


_RUN_BY_THEMSELVES = frozenset({"sites", "containerapps", "virtualmachines", "managedclusters", "containergroups"})
"""Types of resources that are services of their own; others, such as a plan or a cache, are parts of one."""


def place_of(target: str | None) -> dict[str, str | None]:
    parts = (target or "").split("/")
    lowered = [part.lower() for part in parts]

    def after(word: str) -> str | None:
        at = lowered.index(word) + 1 if word in lowered else len(parts)
        return parts[at] if at < len(parts) else None

    kind = parts[lowered.index("providers") + 2] if "providers" in lowered[:-2] else None
    return {
        "resource_group": after("resourcegroups"),
        "subscription": after("subscriptions"),
        "resource_type": after("providers"),
        "object_kind": None if kind is None or kind.lower() in _RUN_BY_THEMSELVES else kind,
    }


def name_of(target: str | None) -> str | None:
    """The last name of a resource's path: types and names take turns behind the provider."""
    if target is None or target.strip("/").lower().count("/") < 2:
        return None  # a subscription: an account is no service
    tail = re.split(r"/providers/", target, flags=re.IGNORECASE)[-1].split("/")
    names = tail[2::2] if len(tail) > 2 else []
    return names[-1] if names else None
