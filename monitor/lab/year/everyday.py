"""Everyday traffic: deploys, autoscaling, noise, cron jobs, chat. Each errand is independent.

Most events of a year are of these; none depends on a story or on another errand.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from random import Random

from monitor.core.model.events import HOUR, MINUTE, Event, Instant
from monitor.lab.year import rhythm
from monitor.lab.year.alert_rules import NOISY, STANDING
from monitor.lab.year.bodies import stamp
from monitor.lab.year.organisation import Part
from monitor.lab.year.plots.plot import maybe_page
from monitor.lab.year.scene import StoryScene
from monitor.lab.year.shape import YearShape
from monitor.lab.year.world import World

_TALK = ("nice work", "can you review this?", "the numbers of last week are in the sheet", "ship it", "moved to Friday")
_HAND = ("log level", "list of owners", "default page size", "feature text", "quota of a customer")
_WEEKEND = 0.06

Errand = Callable[[StoryScene], object]


class Everyday:
    """The ordinary traffic of an organisation, day by day."""

    def __init__(self, world: World, shape: YearShape) -> None:
        self._world, self._shape = world, shape
        self._parts = list(world.organisation.parts.values())
        random = Random(f"everyday {shape.seed}")  # noqa: S311 - repeatable, not secret
        self._flappers = random.sample(self._parts, 3)
        self._nightly = random.sample(self._parts, max(4, len(self._parts) // 10))
        self._restarted = random.sample(self._parts, max(2, len(self._parts) // 40))

    def of_day(self, day: int) -> Iterator[Event]:
        random = Random(f"day {self._shape.seed} {day}")  # noqa: S311 - repeatable, not secret
        for errand, part, at in self._errands(random, day):
            scene = StoryScene(self._world, "", part, at, random)
            errand(scene)
            yield from scene.events

    def _errands(self, random: Random, day: int) -> Iterator[tuple[Errand, Part, Instant]]:
        work = 1.0 if rhythm.is_workday(day) else _WEEKEND
        busy, count = self._shape.busy, len(self._parts)
        for part in self._parts:
            for _ in range(_times(random, part.pace * work * busy)):
                yield _release, part, rhythm.at_work(random, day)
            if part.scales_itself:
                for _ in range(_times(random, 5 * busy)):
                    yield _scales, part, rhythm.at_any_time(random, day)
        anywhere: tuple[tuple[Errand, float], ...] = (
            (_noise, 0.11),
            (_stands, 0.02),
            (_grumbles, 0.4),
        )
        at_desks: tuple[tuple[Errand, float], ...] = (
            (_talk, 0.09),
            (_switch, 0.03),
            (_setting, 0.05),
            (_restart, 0.015),
            (_try_out, 0.3),
            (_broken_build, 0.02),
            (_question, 0.004),
            (_paging_edit, 0.004),
        )
        for errand, rate in anywhere:
            for _ in range(_times(random, rate * count * busy)):
                yield errand, random.choice(self._parts), rhythm.at_any_time(random, day)
        for errand, rate in at_desks:
            for _ in range(_times(random, rate * count * busy * work)):
                yield errand, random.choice(self._parts), rhythm.at_work(random, day)
        for part in self._flappers:
            for _ in range(_times(random, 4.0)):
                yield _flap, part, rhythm.at_any_time(random, day)
        yield from self._by_timetable(random, day)

    def _by_timetable(self, random: Random, day: int) -> Iterator[tuple[Errand, Part, Instant]]:
        for place, part in enumerate(self._nightly):
            yield _night_job, part, Instant(rhythm.midnight(day) + HOUR + place * 7 * MINUTE)
        for place, part in enumerate(self._restarted):
            yield _night_restart, part, Instant(rhythm.midnight(day) + 3 * HOUR + place * 11 * MINUTE)
        for _ in range(_times(random, 0.008 * len(self._parts))):
            yield _certificate, random.choice(self._parts), rhythm.at_night(random, day)


def _times(random: Random, mean: float) -> int:
    """How often something happens that happens `mean` times on average."""
    limit, product, count = math.exp(-mean), random.random(), 0
    while product > limit:
        product *= random.random()
        count += 1
    return count


def _release(scene: StoryScene) -> None:
    who = scene.somebody()
    sha = scene.world.new_version()
    if scene.chance(0.5):
        scene.merge(scene.random.choice(("Small repairs", "Next step of the form", "New field", "Tidy up")), who, sha)
        scene.later(5, 40)
    if scene.chance(0.6):
        scene.deploy(who, version=sha, environment="staging")
        scene.later(10, 90)
    scene.deploy(who, version=sha)


def _try_out(scene: StoryScene) -> None:
    scene.deploy(scene.somebody(), environment=scene.random.choice(("dev", "dev", "staging")))


def _scales(scene: StoryScene) -> None:
    part = scene.part
    size = max(1, part.replicas + scene.random.choice((-2, -1, 1, 1, 2, 3)))
    message = f"New size: {size}; reason: cpu resource utilization (percentage of request) above target"
    name = part.names["kubernetes"]
    scene.cluster(
        part, "HorizontalPodAutoscaler", name, "SuccessfulRescale", message, component="horizontal-pod-autoscaler"
    )
    if scene.chance(0.5):
        scene.cluster(
            part,
            "Deployment",
            name,
            "ScalingReplicaSet",
            f"Scaled up replica set {name}-7c9dbf8b6 to {size} from {part.replicas}",
            component="deployment-controller",
        )


def _noise(scene: StoryScene) -> None:
    alarm, _ = scene.alert(scene.random.choice(NOISY))
    paging, _ = maybe_page(scene, alarm) if scene.chance(0.5) else (None, ())
    scene.later(2, 90)
    scene.end(alarm, paging)


def _flap(scene: StoryScene) -> None:
    for _ in range(scene.random.choice((1, 2, 2, 3))):
        alarm, _ = scene.alert(NOISY[sum(scene.part.name.encode()) % len(NOISY)])
        scene.later(2, 12)
        scene.end(alarm)
        scene.later(3, 25)


def _stands(scene: StoryScene) -> None:
    alarm, _ = scene.alert(scene.random.choice(STANDING))
    scene.hours(scene.random.uniform(1.5, 40))
    scene.end(alarm)


def _grumbles(scene: StoryScene) -> None:
    part = scene.part
    reason, message = scene.random.choice(
        (
            ("Unhealthy", "Readiness probe failed: HTTP probe failed with statuscode: 503"),
            ("BackOff", "Back-off restarting failed container"),
            ("Killing", "Stopping container main"),
            ("FailedScheduling", "0/12 nodes are available: 12 Insufficient memory."),
        )
    )
    scene.cluster(part, "Pod", scene.pod_of(part), reason, message, count=scene.random.choice((1, 1, 2, 5)))


def _talk(scene: StoryScene) -> None:
    scene.note(scene.somebody(), scene.random.choice(_TALK))


def _switch(scene: StoryScene) -> None:
    word = scene.random.choice(("text", "banner", "trial", "step"))
    name = f"{scene.part.name}.{word}-{scene.random.randrange(40)}"
    scene.flag(scene.somebody(), name, scene.random.choice(("true", "true", "false")))


def _setting(scene: StoryScene) -> None:
    what = scene.random.choice(_HAND)
    subject = f"{scene.part.name}/{what.replace(' ', '_')}"
    scene.console("change.configured", f"{what} of {scene.part.name}", scene.somebody(), subject=subject)


def _restart(scene: StoryScene) -> None:
    scene.restart(scene.somebody())


def _broken_build(scene: StoryScene) -> None:
    who = scene.somebody()
    scene.fail_to_deploy(who, scene.random.choice(("dev", "staging")))
    scene.later(10, 120)
    scene.deploy(who, environment="staging")


def _question(scene: StoryScene) -> None:
    who, title = scene.somebody(), scene.random.choice(("how do I get access?", "invoice of a partner", "old data"))
    key, _ = scene.record(who, title, scene.random.choice(("none", None)))
    scene.hours(scene.random.uniform(2, 60))
    scene.close(key, who, title)


def _paging_edit(scene: StoryScene) -> None:
    scene.edit_paging(scene.somebody())


def _night_job(scene: StoryScene) -> None:
    scene.console("change.ran", f"nightly job of {scene.part.name}", None, labels={"trigger": "schedule"})


def _night_restart(scene: StoryScene) -> None:
    scene.console("change.restarted", f"nightly restart of {scene.part.name}", None, labels={"trigger": "schedule"})


def _certificate(scene: StoryScene) -> None:
    ends = Instant(scene.at + scene.random.randint(20, 31) * 24 * HOUR)
    scene.console(
        "change.rotated",
        f"renewed certificate of {scene.part.name}",
        None,
        subject=f"certificate/{scene.part.name}",
        expires_at=stamp(ends + 60 * 24 * HOUR),
        previous_expires_at=stamp(ends),
    )
