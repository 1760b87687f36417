"""Planted near misses of the family "automation saved us": they belong in the digest.

Each is told from its pattern in words; what a rule would look for is not known here.
"""

from __future__ import annotations

from monitor.core.model.events import MINUTE, SECOND
from monitor.lab.year.scene import BOT, CLUSTER, GUARD, KUBELET, ORCHESTRATOR, SCALER, Scene

FAMILY = "automation"


def failed_over(scene: Scene) -> None:
    """The primary is gone; the orchestrator makes the replica primary within a minute."""
    lost = scene.fires(0, "PrimaryUnreachable", "critical", subject=f"{scene.service}/primary")
    moved = scene.tell(
        scene.random.randrange(20, 70) * SECOND,
        "change.failed_over",
        "orchestrator/main",
        subject=f"{scene.service}/primary",
        actor=ORCHESTRATOR,
        title="replica promoted",
    )
    scene.clears(scene.minutes(3, 8), lost)
    scene.planted("P40", FAMILY, [lost], [moved])


def breaker_held(scene: Scene) -> None:
    """A dependency fails; the breaker opens, the fallback answers, and it closes again."""
    below = scene.below()
    subject = f"breaker/{scene.service}-to-{below}"
    sign = scene.fires(0, "DependencyFailing", "high", subject=subject, labels={"dependency": below})
    breaker = {"subject": subject, "actor": ORCHESTRATOR}
    opened = scene.tell(
        20 * SECOND,
        "change.configured",
        "mesh/main",
        title="breaker open, fallback answers",
        labels={"breaker": "open", "fallback": "on"},
        **breaker,
    )
    scene.tell(
        scene.minutes(9, 25),
        "change.configured",
        "mesh/main",
        title="breaker closed",
        labels={"breaker": "closed", "fallback": "off"},
        **breaker,
    )
    scene.clears(26 * MINUTE, sign)
    scene.planted("P41", FAMILY, [sign], [opened])


def jumped(scene: Scene) -> None:
    """A rush of visitors; the autoscaler goes from its usual eight to its ceiling, and it is enough."""
    sign = scene.fires(
        0, "CpuSaturated", "high", value=98.0, limit=100.0, unit="percent", bound="max", subject=f"{scene.service}/hpa"
    )
    scaled = scene.tell(
        2 * MINUTE,
        "change.scaled",
        CLUSTER,
        subject=f"{scene.service}/hpa",
        actor=SCALER,
        value=40.0,
        limit=40.0,
        unit="replicas",
        bound="max",
        labels={"previous": "8", "at_ceiling": "true"},
        title="8 to 40 replicas",
    )
    scene.clears(scene.minutes(6, 12), sign, value=64.0, limit=100.0)
    scene.planted("P42", FAMILY, [sign], [scaled])


def healed_itself(scene: Scene) -> None:
    """The last ready replica; the kubelet brings the others back, five restarts later."""
    measured = {"value": 1.0, "limit": 3.0, "unit": "replicas", "bound": "min"}
    sign = scene.fires(0, "ReplicasUnavailable", "critical", subject=f"{scene.service}/deployment", **measured)
    restarts = [
        scene.tell(
            (1 + 2 * turn) * MINUTE, "change.restarted", CLUSTER, subject=f"{scene.service}/deployment", actor=KUBELET
        )
        for turn in range(5)
    ]
    scene.clears(14 * MINUTE, sign, value=3.0, limit=3.0)
    scene.planted("P43", FAMILY, [sign], restarts)


def bad_input_rejected(scene: Scene) -> None:
    """A configuration that would have broken routing is on its way to production, and admission refuses it."""
    subject = f"{scene.service}/routes"
    labels = {"check": "schema", "stage": "admission", "bound_for": "production"}
    refused = scene.tell(
        0,
        "change.blocked",
        GUARD,
        subject=subject,
        actor=BOT,
        severity="high",
        labels=labels,
        title="routes refused: no backend",
    )
    scene.tell(scene.minutes(20, 90), "change.configured", "argocd/main", subject=subject, actor=BOT, title="routes")
    scene.planted("P44", FAMILY, [refused], [refused])
