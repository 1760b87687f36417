"""Gaps between people: escalations, experts, postponed work, holds."""

from __future__ import annotations

from monitor.lab.year.plots.plot import Plot, told, trouble
from monitor.lab.year.scene import StoryScene
from monitor.lab.year.truth import PlotResult
from monitor.lab.year.world import Ids


def expert_called_in(scene: StoryScene) -> PlotResult:
    """The on-call engineer adds an expert, who acts."""
    alarm, fired = scene.alert(scene.random.choice(("RequestErrorsUp", "FollowerBehind", "JobsPilingUp")))
    scene.later(0.5, 2)
    paging, paged = scene.page(alarm)
    scene.later(1, 6)
    scene.take(paging)
    scene.later(10, 40)
    expert = scene.random.choice(scene.organisation.people)
    scene.call_in(paging, expert)
    scene.later(5, 30)
    act = (
        scene.console(
            "change.configured", f"raise a limit of {scene.part.name}", expert, subject=f"{scene.part.name}/x"
        )
        if scene.chance(0.5)
        else scene.restart(expert)
    )
    scene.later(2, 10)
    scene.end(alarm, paging)
    return told(scene, fired + paged, act)


def nobody_answered(scene: StoryScene) -> PlotResult:
    """The first one called sleeps; the second one acts."""
    alarm, fired = scene.alert(scene.random.choice(("RequestErrorsUp", "PrimaryUnreachable", "SlowAnswers")))
    scene.later(0.5, 2)
    paging, paged = scene.page(alarm)
    scene.later(10, 30)
    scene.escalate(paging)
    scene.later(2, 10)
    second = scene.random.choice(scene.organisation.people)
    scene.take(paging, second)
    scene.later(3, 20)
    act = scene.restart(second)
    scene.later(2, 10)
    scene.end(alarm, paging)
    return told(scene, fired + paged, act)


def put_off_and_met(scene: StoryScene) -> PlotResult:
    """The same alert acknowledged on three days without action; on the fourth it is fixed."""
    danger: Ids = ()
    fault = scene.random.choice(("PoolAlmostUsedUp", "MemoryHigh", "JobsPilingUp"))
    for _ in range(3):
        alarm, fired = scene.alert(fault)
        scene.later(1, 4)
        paging, paged = scene.page(alarm)
        scene.later(2, 15)
        scene.take(paging)
        danger += fired + paged
        scene.later(40, 200)
        scene.end(alarm, paging)
        scene.hours(scene.random.uniform(14, 30))
    alarm, paging_or_not, last = trouble(scene, fault)
    scene.later(10, 60)
    act = scene.console(
        "change.configured", f"give {scene.part.name} more", scene.somebody(), subject=f"{scene.part.name}/size"
    )
    scene.later(3, 12)
    scene.end(alarm, paging_or_not)
    return told(scene, danger + last, act)


def release_stopped(scene: StoryScene) -> PlotResult:
    """Staging breaks; the production rollout is held until the fix."""
    who = scene.somebody()
    broken = (
        scene.fail_to_deploy(who, "staging") if scene.chance(0.5) else scene.alert("CrashLooping", None, "staging")[1]
    )
    scene.later(5, 50)
    why = f"release of {scene.part.name} stopped: staging is broken"
    held = scene.stop_pipeline(scene.somebody(), why)
    scene.hours(scene.random.uniform(1, 8))
    sha = scene.world.new_version()
    scene.merge("Repair the start-up", who, sha)
    scene.later(8, 30)
    scene.deploy(who, version=sha, environment="staging")
    scene.later(10, 40)
    scene.deploy(who, version=sha)
    return told(scene, broken, held)


def record_and_repair(scene: StoryScene) -> PlotResult:
    """An incident record opened by hand, fixed and closed; no alert fired."""
    who, name = scene.somebody(), scene.part.name
    title = scene.random.choice(
        (f"{name} does odd things", f"wrong numbers from {name}", f"{name} is close to its limit")
    )
    key, opened = scene.record(who, title, "none" if scene.chance(0.4) else None)
    scene.later(15, 120)
    act = scene.restart(scene.somebody()) if scene.chance(0.4) else scene.deploy(scene.somebody())
    scene.later(10, 60)
    scene.close(key, who, title)
    return told(scene, opened, act)


PLOTS = (
    Plot("expert called in", "mind_the_gap", expert_called_in),
    Plot("nobody answered", "mind_the_gap", nobody_answered, 0.8),
    Plot("put off and met", "mind_the_gap", put_off_and_met, 0.6, days=7),
    Plot("release stopped", "mind_the_gap", release_stopped, 1.2, can_hurt=False),
    Plot("record and repair", "thats_weird", record_and_repair),
)
