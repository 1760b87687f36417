"""Ordinary work beside an open alert, page, record or note that clears by itself."""

from __future__ import annotations

from monitor.core.model.events import HOUR, MINUTE, SECOND, Instant
from monitor.lab.year.alert_rules import NOISY, STANDING
from monitor.lab.year.plots.plot import maybe_page
from monitor.lab.year.scene import StoryScene
from monitor.lab.year.traps.trap import Trap
from monitor.lab.year.world import Ids


def _clears_by_itself(scene: StoryScene, fault: str, least: float, most: float) -> tuple[Ids, Instant, Instant]:
    """An alert that clears by itself; the cursor returns to its start."""
    alarm, fired = scene.alert(fault)
    paging, paged = maybe_page(scene, alarm)
    began = alarm.began
    ends = Instant(max(scene.at + MINUTE, began + int(scene.random.uniform(least, most) * HOUR) // SECOND * SECOND))
    scene.at = ends
    recovered = scene.end(alarm, paging)
    scene.at = began
    return fired + paged + recovered, began, ends


def _within(scene: StoryScene, began: Instant, ends: Instant) -> None:
    scene.at = Instant(began + int(scene.random.random() * (ends - began)) // SECOND * SECOND)


def release_beside_standing(scene: StoryScene) -> Ids:
    """Replica, volume, pool and record alerts stand for hours; a release of the day falls into them."""
    ids, began, ends = _clears_by_itself(scene, scene.random.choice(STANDING), 2, 14)
    _within(scene, began, ends)
    return ids + scene.deploy(scene.somebody())


def release_beside_noise(scene: StoryScene) -> Ids:
    ids, began, ends = _clears_by_itself(scene, scene.random.choice(NOISY), 0.1, 1.5)
    _within(scene, began, ends)
    return ids + scene.deploy(scene.somebody())


def neighbour_works(scene: StoryScene) -> Ids:
    ids, began, ends = _clears_by_itself(scene, scene.random.choice((*NOISY, *STANDING)), 0.3, 6)
    _within(scene, began, ends)
    other, who = scene.neighbour(), scene.somebody()
    match scene.random.randrange(3):
        case 0:
            return ids + scene.deploy(who, other)
        case 1:
            return ids + scene.console("change.configured", f"tidy the settings of {other.name}", who, other)
        case _:
            return ids + scene.flag(who, f"{other.name}.copy-test", "true", other)


def setting_beside_standing(scene: StoryScene) -> Ids:
    ids, began, ends = _clears_by_itself(scene, scene.random.choice(STANDING), 2, 12)
    _within(scene, began, ends)
    title = scene.random.choice(("log level", "feature list", "dashboard link", "owner tag"))
    return ids + scene.console("change.configured", f"{title} of {scene.part.name}", scene.somebody())


def record_beside_release(scene: StoryScene) -> Ids:
    """A question that was filed as a record, and a release of the same day."""
    who = scene.somebody()
    title = scene.random.choice(("question about the bill", "please check the numbers of May", "access for a newcomer"))
    key, opened = scene.record(who, title, "none")
    scene.hours(scene.random.uniform(0.5, 6))
    ids = opened + scene.deploy(scene.somebody())
    scene.hours(scene.random.uniform(1, 20))
    return ids + scene.close(key, who, title)


def taken_and_gone(scene: StoryScene) -> Ids:
    """A page is acknowledged and clears before any action."""
    alarm, fired = scene.alert(scene.random.choice(NOISY))
    scene.later(0.5, 2)
    paging, paged = scene.page(alarm)
    scene.later(2, 10)
    ids = fired + paged + scene.take(paging)
    scene.later(3, 25)
    return ids + scene.end(alarm, paging)


def flapper(scene: StoryScene) -> Ids:
    """An alert flaps all day, with unrelated deploys in between."""
    ids: Ids = ()
    fault = scene.random.choice(NOISY)
    for _ in range(scene.random.randint(4, 9)):
        alarm, fired = scene.alert(fault)
        scene.later(3, 25)
        ids += fired + scene.end(alarm)
        if scene.chance(0.3):
            ids += scene.deploy(scene.somebody())
        scene.later(15, 90)
    return ids


def told_beforehand(scene: StoryScene) -> Ids:
    """A line in the chat before a release: courtesy, no worry."""
    who, name = scene.somebody(), scene.part.name
    ids = scene.note(
        who, scene.random.choice((f"releasing {name} now", f"{name} goes out in a minute, all fine so far"))
    )
    scene.later(2, 15)
    return ids + scene.deploy(who)


def small_talk(scene: StoryScene) -> Ids:
    """Review comments, and an unrelated deploy hours later."""
    ids: Ids = ()
    for text in ("looks good to me", "could we name this differently?", "thanks, merged"):
        ids += scene.note(scene.somebody(), text)
        scene.later(4, 60)
    scene.hours(scene.random.uniform(1, 5))
    return ids + scene.deploy(scene.somebody())


def nightly_restart(scene: StoryScene) -> Ids:
    """Memory runs up every night until the timetable restarts the service."""
    ids: Ids = ()
    for _ in range(scene.random.randint(2, 4)):
        alarm, fired = scene.alert("MemoryHigh")
        scene.later(10, 60)
        ids += fired + scene.console("change.restarted", f"nightly restart of {scene.part.name}", None)
        scene.later(2, 6)
        ids += scene.end(alarm)
        scene.at = Instant(scene.at + 23 * HOUR)
    return ids


def alert_retuned(scene: StoryScene) -> Ids:
    """The alert itself is wrong and is edited."""
    ids, _, ends = _clears_by_itself(scene, scene.random.choice(NOISY), 0.2, 2)
    scene.at = Instant(ends - MINUTE)
    who = scene.somebody()
    if scene.chance(0.4):
        return ids + scene.edit_paging(who)
    title = f"higher threshold for an alert of {scene.part.name}"
    return ids + scene.console("change.configured", title, who, subject="alert", labels={"object_kind": "alert_rule"})


def red_build(scene: StoryScene) -> Ids:
    """A build fails and passes at the second try; nothing was near production."""
    who = scene.somebody()
    ids = scene.fail_to_deploy(who, scene.random.choice(("dev", "staging")))
    scene.later(8, 40)
    ids += scene.deploy(who, environment="staging")
    scene.later(20, 90)
    return ids + scene.deploy(who)


def staging_only(scene: StoryScene) -> Ids:
    alarm, fired = scene.alert(scene.random.choice(("RequestErrorsUp", "CrashLooping")), None, "staging")
    scene.later(10, 60)
    ids = fired + scene.deploy(scene.somebody(), environment="staging")
    scene.later(3, 15)
    return ids + scene.end(alarm)


def scaled_itself(scene: StoryScene) -> Ids:
    """The peak of the day: an alert of the light sort, and the cluster does what it does every day."""
    part = scene.part
    alarm, ids = scene.alert("CpuHigh")
    for size in (part.replicas + 1, part.replicas + 2):
        scene.later(1, 6)
        message = f"New size: {size}; reason: cpu resource utilization (percentage of request) above target"
        name = part.names["kubernetes"]
        ids += scene.cluster(
            part, "HorizontalPodAutoscaler", name, "SuccessfulRescale", message, component="horizontal-pod-autoscaler"
        )
    scene.later(4, 25)
    return ids + scene.end(alarm)


TRAPS = (
    Trap("release beside a standing alert", release_beside_standing, 3.0),
    Trap("release beside noise", release_beside_noise, 2.0),
    Trap("a neighbour works", neighbour_works, 2.5),
    Trap("setting beside a standing alert", setting_beside_standing, 1.5),
    Trap("record beside a release", record_beside_release, 1.0),
    Trap("taken and gone", taken_and_gone, 1.5),
    Trap("flapper", flapper, 1.0),
    Trap("told beforehand", told_beforehand, 1.2),
    Trap("small talk", small_talk, 1.0),
    Trap("nightly restart", nightly_restart, 1.0, at_night=True, days=5),
    Trap("alert retuned", alert_retuned, 1.0),
    Trap("red build", red_build, 1.5),
    Trap("staging only", staging_only, 1.0),
    Trap("scaled itself", scaled_itself, 1.2),
)
