"""Planned work, drills, experiments, calendar freezes, and repairs after a known outage."""

from __future__ import annotations

from monitor.core.model.events import DAY, HOUR, Instant
from monitor.lab.year import harm
from monitor.lab.year.bodies import stamp
from monitor.lab.year.scene import StoryScene
from monitor.lab.year.traps.trap import Trap
from monitor.lab.year.truth import PlotResult
from monitor.lab.year.world import Ids


def drill(scene: StoryScene) -> Ids:
    """A fail-over is practised: announced, with the alerts that it must bring."""
    part, who = scene.part, scene.somebody()
    scene.maintenance(f"Exercise: fail-over of {part.name}", [part])
    scene.later(3, 10)
    alarm, ids = scene.alert("PrimaryUnreachable")
    scene.later(1, 5)
    labels = {"drill": "true"} if scene.chance(0.5) else None
    ids += scene.console("change.failed_over", f"exercise: fail {part.name} over", who, labels=labels)
    scene.later(2, 8)
    ids += scene.end(alarm)
    scene.later(10, 30)
    scene.maintenance(f"Exercise: fail-over of {part.name}", [part], over=True)
    return ids


def announced_work(scene: StoryScene) -> Ids:
    part, who = scene.part, scene.somebody()
    scene.maintenance(f"Upgrade of {part.name}", [part])
    scene.later(4, 15)
    ids = scene.console("change.configured", f"upgrade the engine of {part.name}", who)
    scene.later(1, 6)
    alarm, fired = scene.alert(scene.random.choice(("WorkloadShortOfReplicas", "InstanceGone", "RequestErrorsUp")))
    scene.later(3, 15)
    ids += fired + scene.restart(who)
    scene.later(3, 15)
    ids += scene.end(alarm)
    scene.later(5, 20)
    scene.maintenance(f"Upgrade of {part.name}", [part], over=True)
    return ids


def rolling_upgrade(scene: StoryScene) -> Ids:
    """Pod by pod, as always: one less than asked while it lasts."""
    part, who = scene.part, scene.somebody()
    ids = scene.deploy(who)
    alarm, fired = scene.alert("WorkloadShortOfReplicas")
    for _ in range(part.replicas):
        ids += scene.cluster(part, "Pod", scene.pod_of(part), "Killing", "Stopping container main")
        scene.later(1, 4)
    return ids + fired + scene.end(alarm)


def experiment(scene: StoryScene) -> Ids:
    """Half of the users get something new for an hour, as agreed."""
    who, name = scene.somebody(), f"{scene.part.name}.trial-{scene.world.number()}"
    ids = scene.flag(who, name, "true")
    scene.later(20, 120)
    if scene.chance(0.4):
        alarm, fired = scene.alert("CpuHigh", scene.neighbour())
        scene.later(4, 20)
        ids += fired + scene.end(alarm)
    scene.later(2, 30)
    return ids + scene.flag(who, name, "false")


def ramp(scene: StoryScene) -> Ids:
    """A flag is on for a few hours a day, until it stays on."""
    name = f"{scene.part.name}.ramp-{scene.world.number()}"
    ids: Ids = ()
    for share in ("true", "false", "true", "false", "true"):
        ids += scene.flag(None if scene.chance(0.4) else scene.somebody(), name, share)
        scene.hours(scene.random.uniform(0.3, 9))
    return ids


def quiet_weeks(scene: StoryScene) -> Ids:
    """Releases rest over the holidays; an alert of the season stands beside it."""
    title = scene.random.choice(("no releases over Easter", "year end: releases rest", "summer week without releases"))
    alarm, ids = scene.alert(scene.random.choice(("SlowAnswers", "JobsPilingUp", "VolumeFillingUp")))
    scene.later(20, 300)
    ids += scene.console("change.held", title, scene.somebody(), subject="calendar", labels={"reason": "calendar"})
    scene.hours(scene.random.uniform(2, 20))
    ids += scene.end(alarm)
    scene.at = Instant(scene.at + 2 * DAY)
    return ids + scene.deploy(scene.somebody())


def more_for_a_campaign(scene: StoryScene) -> Ids:
    """Capacity is added before an event that marketing announced."""
    part, who = scene.part, scene.somebody()
    ids = scene.note(who, f"campaign starts at noon, giving {part.name} more room")
    scene.later(5, 60)
    ids += scene.scale(who, 2 * part.replicas)
    scene.hours(scene.random.uniform(1, 4))
    alarm, fired = scene.alert("CpuHigh")
    scene.later(10, 40)
    ids += fired + scene.end(alarm)
    scene.hours(scene.random.uniform(4, 20))
    return ids + scene.scale(who, part.replicas)


def certificate_by_timetable(scene: StoryScene) -> Ids:
    """It has weeks left, and a program renews it, as every month."""
    part = scene.part
    ends = Instant(scene.at + 25 * DAY)
    return scene.console(
        "change.rotated",
        f"renewed certificate of {part.name}",
        None,
        subject=f"certificate/{part.name}",
        expires_at=stamp(ends + 65 * DAY),
        previous_expires_at=stamp(ends),
    )


def taken_down_for_good(scene: StoryScene) -> Ids:
    """An old queue goes, as planned for months; its alerts go off once more."""
    part, who = scene.part, scene.somebody()
    labels = {"planned": "true"} if scene.chance(0.6) else None
    ids = scene.console(
        "change.deleted", f"remove the old queue of {part.name}", who, subject="old-queue", labels=labels
    )
    scene.later(2, 10)
    alarm, fired = scene.alert("RecordsMissing")
    scene.later(10, 90)
    return ids + fired + scene.end(alarm)


def after_an_outage(scene: StoryScene) -> Ids:
    """Users were hit, as everybody knows; the days after bring repairs. Only the outage itself is cited as impact."""
    alarm, ids = scene.alert("RequestErrorsUp")
    scene.later(8, 40)
    ids += scene.restart(scene.somebody())
    scene.later(4, 12)
    ids += scene.end(alarm)
    _, told = harm.hit_users(scene, PlotResult((), (), scene.at), alarm.began)
    scene.hours(scene.random.uniform(1, 18))
    for _ in range(scene.random.randint(1, 3)):
        scene.console("change.configured", f"follow-up for {scene.part.name}", scene.somebody())
        scene.hours(scene.random.uniform(1, 9))
    return ids + told


def release_train(scene: StoryScene) -> Ids:
    """A release train deploys everything of a team, despite open alerts."""
    alarm, ids = scene.alert(scene.random.choice(("SlowAnswers", "MemoryHigh", "PoolAlmostUsedUp")))
    scene.later(20, 90)
    ids += scene.deploy(scene.somebody())
    for name in sorted(scene.organisation.catalogue.neighbours(scene.part.name))[:3]:
        scene.later(1, 5)
        ids += scene.deploy(scene.somebody(), scene.organisation.parts[name])
    scene.at = Instant(scene.at + scene.random.randint(1, 9) * HOUR)
    return ids + scene.end(alarm)


TRAPS = (
    Trap("drill", drill, 1.5),
    Trap("announced work", announced_work, 1.5),
    Trap("rolling upgrade", rolling_upgrade, 1.5),
    Trap("experiment", experiment, 1.5),
    Trap("ramp", ramp, 1.0, days=3),
    Trap("quiet weeks", quiet_weeks, 0.8, days=4),
    Trap("more for a campaign", more_for_a_campaign, 1.0, days=3),
    Trap("certificate by timetable", certificate_by_timetable, 0.8),
    Trap("taken down for good", taken_down_for_good, 0.8),
    Trap("after an outage", after_an_outage, 1.2, hurts=True, days=4),
    Trap("release train", release_train, 1.2),
)
