"""Failover, automatic rollback and autoscaling that held."""

from __future__ import annotations

from monitor.lab.year.plots.plot import Plot, told, trouble
from monitor.lab.year.scene import StoryScene
from monitor.lab.year.truth import PlotResult


def failed_over_by_hand(scene: StoryScene) -> PlotResult:
    alarm, paging, danger = trouble(scene, scene.random.choice(("PrimaryUnreachable", "FollowerBehind")))
    scene.later(4, 25)
    act = scene.console("change.failed_over", f"fail {scene.part.name} over", scene.somebody(), subject=scene.part.name)
    scene.later(1, 8)
    scene.end(alarm, paging)
    return told(scene, danger, act)


def failed_over_itself(scene: StoryScene) -> PlotResult:
    alarm, fired = scene.alert("PrimaryUnreachable")
    scene.later(0.3, 2)
    act = scene.console(
        "change.failed_over", f"promoted a follower of {scene.part.name}", None, subject=scene.part.name
    )
    scene.later(0.5, 4)
    scene.end(alarm)
    return told(scene, fired, act)


def put_back_itself(scene: StoryScene) -> PlotResult:
    """The roll-out looks at its own numbers and goes back."""
    shipped = scene.deploy(scene.somebody())
    scene.later(2, 8)
    alarm, fired = scene.alert("RequestErrorsUp")
    scene.later(0.5, 3)
    act = scene.console("change.rolled_back", f"{scene.part.name} rolled back", None, subject=scene.part.name)
    scene.later(1, 5)
    scene.end(alarm)
    return told(scene, fired + shipped, act)


def grew_itself(scene: StoryScene) -> PlotResult:
    """Far more work than ever; the cluster gives the service many times what it has."""
    part = scene.part
    alarm, fired = scene.alert("SlowAnswers")
    scene.later(1, 4)
    message = f"New size: {5 * part.replicas}; reason: cpu resource utilization (percentage of request) above target"
    act = scene.cluster(
        part,
        "HorizontalPodAutoscaler",
        part.names["kubernetes"],
        "SuccessfulRescale",
        message,
        component="horizontal-pod-autoscaler",
    )
    scene.later(3, 12)
    scene.end(alarm)
    return told(scene, fired, act)


PLOTS = (
    Plot("failed over by hand", "margin", failed_over_by_hand, 1.2, needs="disk"),
    Plot("failed over itself", "automation", failed_over_itself, 1.2, "digest", "disk"),
    Plot("put back itself", "automation", put_back_itself, 0.8, "digest"),
    Plot("grew itself", "automation", grew_itself, 0.5, "digest"),
)
