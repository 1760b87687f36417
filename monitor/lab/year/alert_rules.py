"""The organisation's alert rules, by fault.

Each has a severity, an exporter and a text.
"""

from __future__ import annotations

from random import Random
from typing import Literal

import msgspec

from monitor.core.model.events import Instant
from monitor.lab.year.organisation import Part, ToolHabits

Grade = Literal["grave", "middle", "light"]
Seer = Literal["own", "cluster", "node"]
"""`own`: the service's own metrics; `cluster`: what the cluster says of a workload; `node`: of a volume."""

_WORDS: dict[str, dict[Grade, str]] = {
    "plain": {"grave": "critical", "middle": "warning", "light": "info"},
    "page-ticket": {"grave": "page", "middle": "ticket", "light": "notice"},
    "numbered": {"grave": "P1", "middle": "P3", "light": "P5"},
}


class AlertRule(msgspec.Struct, frozen=True):
    """One alert rule. It fires at `limit`; measured values are between `low` and `high`."""

    name: str
    grade: Grade
    says: str
    limit: float
    low: float
    high: float
    sign: str = ">"
    seer: Seer = "own"
    unit: str = ""


FAULTS: dict[str, AlertRule] = {
    fault.name: fault
    for fault in (
        AlertRule("RequestErrorsUp", "grave", "{value}% of requests to {name} fail", 2, 2.4, 9),
        AlertRule("SlowAnswers", "middle", "p99 of {name} is {value} s", 1, 1.2, 6),
        AlertRule("JobsPilingUp", "middle", "{value} jobs wait in {name}", 5000, 6000, 40_000),
        AlertRule("ConsumerLagging", "middle", "{name} is {value} messages behind", 10_000, 12_000, 90_000),
        AlertRule("PoolAlmostUsedUp", "middle", "{value} of 100 connections of {name} are taken", 90, 91, 99),
        AlertRule("MemoryHigh", "middle", "{name} uses {value}% of its memory", 90, 91, 98),
        AlertRule("CpuHigh", "light", "{name} uses {value}% of its CPU", 80, 82, 97),
        AlertRule("VolumeFillingUp", "middle", "volume of {name} is {value}% full", 85, 87, 98, seer="node"),
        AlertRule(
            "WorkloadShortOfReplicas", "middle", "{name} has {value} replicas less than asked", 0, 1, 3, seer="cluster"
        ),
        AlertRule("CrashLooping", "middle", "a pod of {name} restarted {value} times", 3, 4, 20, seer="cluster"),
        AlertRule("FollowerBehind", "grave", "replica of {name} is {value} s behind", 60, 80, 900),
        AlertRule("PrimaryUnreachable", "grave", "primary of {name} does not answer", 1, 0, 0, sign="<"),
        AlertRule("CertificateEndsSoon", "middle", "certificate of {name} ends in {value} days", 7, 1, 5, sign="<"),
        AlertRule("DumpFailed", "middle", "nightly dump of {name} failed", 0, 1, 1),
        AlertRule("TotalsDiffer", "middle", "totals of {name} differ by {value}", 10, 14, 400),
        AlertRule("InstanceGone", "grave", "{name} does not answer", 1, 0, 0, sign="<"),
        AlertRule("RecordsMissing", "middle", "{value} records of {name} are missing downstream", 0, 3, 300),
    )
}
NOISY = ("SlowAnswers", "CpuHigh", "MemoryHigh", "JobsPilingUp", "ConsumerLagging", "CrashLooping")
STANDING = ("VolumeFillingUp", "PoolAlmostUsedUp", "WorkloadShortOfReplicas", "FollowerBehind", "RecordsMissing")


class Alarm(msgspec.Struct):
    """One alert as it fired: what is needed to send its end."""

    part: Part
    fault: AlertRule
    labels: dict[str, str]
    annotations: dict[str, str]
    expression: str
    key: str
    began: Instant
    title: str
    ended: bool = False


def word(habits: ToolHabits, grade: Grade) -> str:
    """The organisation's own word for how grave something is."""
    return _WORDS[habits.grading][grade]


def labels_of(part: Part, fault: AlertRule, habits: ToolHabits, environment: str, instance: int) -> dict[str, str]:
    """The labels as the exporter that sees it sets them."""
    name = part.names["alertmanager"]
    labels = {"alertname": fault.name, "severity": word(habits, fault.grade), "namespace": part.namespace}
    if habits.environment_label is not None:
        labels[habits.environment_label] = environment
    workload = part.names["kubernetes"]
    if fault.seer == "own":
        return labels | {habits.service_label: name, "job": name, "instance": f"10.8.{instance}.7:8080"}
    if fault.seer == "cluster":
        seen_by = {"job": "kube-state-metrics", "service": "kube-state-metrics", "instance": "10.8.0.3:8080"}
        return labels | seen_by | {"deployment": workload}
    volume = {"mountpoint": "/var/lib/data", "persistentvolumeclaim": f"data-{workload}-{instance}"}
    return labels | {"job": "kubelet", "service": "kubelet", "pod": f"{workload}-{instance}"} | volume


def measured(fault: AlertRule, random: Random) -> float:
    value = random.uniform(fault.low, fault.high)
    return round(value, 1) if value < 10 else float(round(value))
