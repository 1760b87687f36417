"""What fools a rule that only looks at time and place: a true alert, a true change, and no connection but chance.

Each tells one story; how often it happens is decided elsewhere.
"""

from __future__ import annotations

from monitor.core.model.events import HOUR, MINUTE, Kind
from monitor.lab.year.scene import BOT, CODE, FLAGS, PAGES, SHELL, TERRAFORM, Scene


def cleared_while_releasing(scene: Scene) -> None:
    """A high alert clears by itself while somebody else releases a new version of something connected."""
    alert = scene.fires(0, scene.random.choice(("LatencyElevated", "ErrorsElevated", "QueueGrowing")), "high")
    on_call = scene.person()
    scene.tell(20_000_000, "responder.paged", PAGES, subject=alert.subject, actor=on_call)
    if scene.random.random() < 0.4:
        scene.acks(scene.minutes(1, 4), alert, on_call)
    author = scene.person(on_call=None)
    service = scene.neighbour() if scene.random.random() < 0.8 else scene.service
    commit = {"commit": f"{scene.random.getrandbits(40):010x}"}
    scene.tell(0, "change.merged", CODE, service=service, environment=None, actor=author, labels=commit)
    actor = author if scene.random.random() < 0.3 else BOT
    at = scene.minutes(5, 14)
    scene.tell(at, "change.started", "argocd/main", service=service, actor=actor, labels=commit)
    scene.deploys(at + scene.minutes(1, 3), actor, service=service, labels=commit)
    scene.clears(at + scene.minutes(4, 25), alert)


def cleared_while_configuring(scene: Scene) -> None:
    """The same with a planned setting, a flag or a script on a neighbour."""
    alert = scene.fires(0, scene.random.choice(("ReplicaLagging", "SlowQueries", "CpuThrottling")), "high")
    on_call = scene.person()
    if scene.random.random() < 0.4:
        scene.acks(scene.minutes(1, 5), alert, on_call)
    author = scene.person(on_call=None)
    near = scene.neighbour()
    at = scene.minutes(6, 18)
    kind: Kind = scene.random.choice(("change.configured", "change.flag_set", "change.ran"))
    source = FLAGS if kind == "change.flag_set" else TERRAFORM if kind == "change.configured" else SHELL
    labels = {"flag": f"feature-{scene.random.randrange(900)}", "value": "25"} if kind == "change.flag_set" else {}
    scene.tell(at, kind, source, service=near, subject=f"{near}/planned", actor=author, labels=labels)
    scene.clears(at + scene.minutes(2, 20), alert)


def cleared_before_release(scene: Scene) -> None:
    """A critical alert clears after minutes; the release of the day follows on the same service."""
    alert = scene.fires(0, "TargetFlapping", "critical")
    scene.acks(MINUTE, alert, scene.person())
    scene.clears(scene.minutes(3, 8), alert)
    scene.deploys(scene.minutes(20, 180), scene.person(on_call=None))


def warned_while_releasing(scene: Scene) -> None:
    """A release makes a cache cold: a warning for ten minutes, as after each release; the next release comes later."""
    scene.deploys(0)
    alert = scene.fires(scene.minutes(2, 4), "CacheCold", "warning")
    scene.clears(scene.minutes(8, 16), alert)
    scene.deploys(scene.hours(1.5, 5))


def asked_and_released(scene: Scene) -> None:
    """Somebody asks in the channel whether something is odd; nothing is, and the usual release goes out."""
    scene.note(0, "is it only me, or is the search slower?")
    scene.note(scene.minutes(4, 20), "only you, it is your network")
    scene.deploys(scene.hours(1, 6), scene.person(on_call=None))


def long_warning(scene: Scene) -> None:
    """A high alert that stands for hours because its threshold is wrong; work goes on around it."""
    alert = scene.fires(0, "ThresholdTooTight", "high")
    scene.acks(scene.minutes(2, 9), alert, scene.person())
    scene.deploys(scene.hours(1, 2), service=scene.neighbour())
    scene.about_alert(scene.hours(3, 5), "alert.cancelled", alert)


def paged_about_a_probe(scene: Scene) -> None:
    """The probe itself was broken: the page is real, the trouble is not; the probe is restarted where it runs."""
    alert = scene.fires(0, "ProbeFailing", "high", labels={"probe": "blackbox"})
    person = scene.person()
    scene.acks(scene.minutes(1, 6), alert, person)
    scene.note(scene.minutes(8, 15), "false alarm, the probe's node had no network", actor=person)
    scene.clears(scene.minutes(16, HOUR // MINUTE - 5), alert)
