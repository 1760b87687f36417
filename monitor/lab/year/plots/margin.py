"""Resources that ran low and were extended or cleared in time."""

from __future__ import annotations

from monitor.core.model.events import DAY, HOUR, Instant
from monitor.lab.year.bodies import stamp
from monitor.lab.year.plots.plot import Plot, told, trouble
from monitor.lab.year.scene import StoryScene
from monitor.lab.year.truth import PlotResult
from monitor.lab.year.world import Ids


def volume_cleared(scene: StoryScene) -> PlotResult:
    alarm, paging, danger = trouble(scene, "VolumeFillingUp")
    scene.later(15, 240)
    who, name = scene.somebody(), scene.part.name
    match scene.random.randrange(3):
        case 0:
            act = scene.by_hand(f"removed old segments of {name}", who)
        case 1:
            act = scene.console("change.ran", f"purge old files of {name}", who)
        case _:
            act = scene.console("change.configured", f"grow the volume of {name}", who, subject=f"volume/{name}")
    scene.later(3, 15)
    scene.end(alarm, paging)
    return told(scene, danger, act)


def certificate_renewed(scene: StoryScene) -> PlotResult:
    """It had days left, or hours."""
    alarm, paging, danger = trouble(scene, "CertificateEndsSoon")
    left = scene.random.uniform(0.2, 3)
    ends = Instant(scene.at + int(left * DAY))
    scene.hours(min(left * 20, scene.random.uniform(1, 30)))
    who = scene.somebody()
    act = scene.console(
        "change.rotated",
        f"new certificate for {scene.part.name}",
        who,
        subject=f"certificate/{scene.part.name}",
        expires_at=stamp(ends + 365 * DAY),
        previous_expires_at=stamp(ends),
    )
    scene.later(5, 30)
    scene.end(alarm, paging)
    scene.at = Instant(max(scene.at, ends))
    return told(scene, danger, act)


def pool_widened(scene: StoryScene) -> PlotResult:
    alarm, paging, danger = trouble(scene, "PoolAlmostUsedUp")
    scene.later(6, 60)
    who, name = scene.somebody(), scene.part.name
    if scene.chance(0.5):
        act = scene.console(
            "change.configured", f"more connections for {name}", who, subject=f"{name}/pool", labels={"value": "200"}
        )
    else:
        act = scene.restart(who)
    scene.later(2, 8)
    scene.end(alarm, paging)
    return told(scene, danger, act)


def replicas_brought_back(scene: StoryScene) -> PlotResult:
    """A node fails; it is replaced before the last replicas go."""
    part = scene.part
    node = f"node-{scene.random.randrange(40)}"
    lost = scene.cluster(part, "Pod", scene.pod_of(part), "FailedScheduling", "0/12 nodes are available")
    scene.later(1, 5)
    alarm, paging, danger = trouble(scene, "WorkloadShortOfReplicas")
    scene.later(8, 60)
    who = scene.somebody()
    act = scene.console("change.restarted", f"replace {node} under {part.name}", who, subject=node)
    scene.later(3, 15)
    scene.end(alarm, paging)
    return told(scene, lost + danger, act)


def scaled_by_hand(scene: StoryScene) -> PlotResult:
    alarm, paging, danger = trouble(scene, scene.random.choice(("SlowAnswers", "MemoryHigh", "CpuHigh")))
    scene.later(5, 40)
    part, who = scene.part, scene.somebody()
    act = scene.scale(who, 2 * part.replicas)
    scene.later(2, 10)
    scene.end(alarm, paging)
    return told(scene, danger, act)


def queue_drained(scene: StoryScene) -> PlotResult:
    alarm, paging, danger = trouble(scene, scene.random.choice(("JobsPilingUp", "ConsumerLagging")))
    scene.later(10, 90)
    part, who = scene.part, scene.somebody()
    match scene.random.randrange(3):
        case 0:
            act = scene.restart(who)
        case 1:
            act = scene.console("change.ran", f"remove the stuck job of {part.name}", who)
        case _:
            act = scene.scale(who, 3 * part.replicas)
    scene.later(5, 40)
    scene.end(alarm, paging)
    return told(scene, danger, act)


def follower_replaced(scene: StoryScene) -> PlotResult:
    """The standby is far behind and is rebuilt."""
    alarm, paging, danger = trouble(scene, "FollowerBehind")
    scene.later(10, 120)
    who = scene.somebody()
    act = scene.by_hand(f"rebuilt the follower of {scene.part.name}", who)
    scene.later(10, 60)
    scene.end(alarm, paging)
    return told(scene, danger, act)


def dump_made_good(scene: StoryScene) -> PlotResult:
    """The night's copy failed; by noon there is one."""
    alarm, paging, danger = trouble(scene, "DumpFailed")
    scene.hours(scene.random.uniform(1, 9))
    who = scene.somebody()
    act = scene.console("change.ran", f"dump {scene.part.name} once more", who, subject=f"dump/{scene.part.name}")
    scene.later(10, 60)
    scene.end(alarm, paging)
    return told(scene, danger, act)


def up_before_opening(scene: StoryScene) -> PlotResult:
    """Down at night, up again before opening hours."""
    scene.at = Instant(scene.at // DAY * DAY + int(scene.random.uniform(0.5, 3) * HOUR))
    scene.began = scene.at
    alarm, paging, danger = trouble(scene, "InstanceGone")
    scene.later(20, 70)
    act = scene.restart(scene.somebody())
    scene.later(2, 10)
    scene.end(alarm, paging)
    return told(scene, danger, act)


def decay_stopped(scene: StoryScene) -> PlotResult:
    """Pods crash one after another until a restart or rollback."""
    part = scene.part
    sour: Ids = ()
    for count in range(1, part.replicas):
        name = scene.pod_of(part)
        sour += scene.cluster(part, "Pod", name, "BackOff", "Back-off restarting failed container", count=3 * count)
        scene.later(6, 35)
    alarm, paging, danger = trouble(scene, "WorkloadShortOfReplicas")
    scene.later(4, 25)
    who = scene.somebody()
    act = scene.put_back(who) if scene.chance(0.4) else scene.restart(who)
    scene.later(3, 12)
    scene.end(alarm, paging)
    return told(scene, sour + danger, act)


def notice_met_late(scene: StoryScene) -> PlotResult:
    """A supplier ends something on a day; it is replaced the day before."""
    ends = Instant(scene.at + int(scene.random.uniform(8, 16) * DAY))
    part = scene.part
    thing = scene.random.choice(("API version", "plan", "machine type", "region"))
    noticed = scene.console(
        "note.added",
        f"supplier will end the {thing} that {part.name} uses",
        None,
        subject=f"notice/{part.name}",
        expires_at=stamp(ends),
        actor=None,
    )
    scene.at = Instant(ends - int(scene.random.uniform(3, 20) * HOUR))
    act = scene.console("change.configured", f"move {part.name} off the {thing}", scene.somebody(), subject=part.name)
    scene.at = ends
    return told(scene, noticed, act)


PLOTS = (
    Plot("volume cleared", "margin", volume_cleared, 1.5, needs="disk"),
    Plot("certificate renewed", "margin", certificate_renewed, 1.5, days=5),
    Plot("pool widened", "margin", pool_widened, 1.0, needs="pool"),
    Plot("replicas brought back", "margin", replicas_brought_back, needs="several"),
    Plot("scaled by hand", "margin", scaled_by_hand, 1.2),
    Plot("queue drained", "margin", queue_drained, 1.2),
    Plot("follower replaced", "margin", follower_replaced, 0.8, needs="disk"),
    Plot("dump made good", "margin", dump_made_good, 0.7),
    Plot("up before opening", "mind_the_gap", up_before_opening, 0.6, needs="hours", can_hurt=False),
    Plot("decay stopped", "margin", decay_stopped, 1.0, needs="several"),
    Plot("notice met late", "mind_the_gap", notice_met_late, 0.6, can_hurt=False, days=18),
)
