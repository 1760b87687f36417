"""The traps that the catalogue of patterns names: each looks like one pattern and lacks what made it dangerous.

Each tells one story from the trap in words; how often it happens is decided elsewhere.
"""

from __future__ import annotations

from monitor.core.model.events import DAY, HOUR, MINUTE, Instant
from monitor.lab.year.scene import (
    BATCH,
    BOT,
    CLOUD,
    CLUSTER,
    CODE,
    CRON,
    DEPLOYS,
    FLAGS,
    KUBELET,
    ORCHESTRATOR,
    PAGES,
    SCALER,
    SHELL,
    TERRAFORM,
    Scene,
)

_PERCENT = {"limit": 100.0, "unit": "percent", "bound": "max"}


def taken_and_went_on(scene: Scene) -> None:
    """The person on call takes the page, sees it clear, and goes on with their own release."""
    alert = scene.fires(0, "LatencyElevated", "high")
    person = scene.person()
    scene.acks(scene.minutes(1, 4), alert, person)
    ends = scene.minutes(6, 20)
    scene.clears(ends, alert)
    scene.tell(ends + MINUTE, "change.merged", CODE, environment=None, actor=person)
    scene.deploys(ends + scene.minutes(10, 60), person)


def released_meanwhile(scene: Scene) -> None:
    """The same, but their release was under way before the page came and ends while it still stands."""
    person = scene.person()
    commit = {"commit": f"{scene.random.getrandbits(40):010x}"}
    scene.tell(0, "change.merged", CODE, environment=None, actor=person, labels=commit)
    subject = f"{scene.service}/deployment"
    scene.tell(scene.minutes(8, 12), "change.started", DEPLOYS, subject=subject, actor=person, labels=commit)
    alert = scene.fires(13 * MINUTE, "QueueGrowing", "high")
    scene.acks(15 * MINUTE, alert, person)
    scene.deploys(scene.minutes(17, 22), person, labels=commit)
    scene.clears(scene.minutes(26, 45), alert)


def scheduled_experiment(scene: Scene) -> None:
    """A program switches a flag on for ten minutes to measure, and off again, every week."""
    flag = f"probe-{scene.random.randrange(50)}"
    about = {"subject": flag, "actor": CRON}
    scene.tell(0, "change.flag_set", FLAGS, labels={"flag": flag, "value": "on"}, **about)
    scene.tell(10 * MINUTE, "change.flag_set", FLAGS, labels={"flag": flag, "value": "off"}, **about)


def decommissioned(scene: Scene) -> None:
    """Old and unused; announced in the channel, deleted, and never missed."""
    scene.note(0, "removing the old export today, as discussed")
    scene.tell(
        scene.hours(1, 3),
        "change.deleted",
        CLOUD,
        subject=f"{scene.service}/old-export",
        actor=scene.person(on_call=None),
    )


def moved_in_a_window(scene: Scene) -> None:
    """Announced: the volume is deleted and restored elsewhere within the hour."""
    person = scene.person(on_call=None)
    scope = {"scope": scene.service}
    work = f"maintenance/{scene.random.randrange(10_000)}"
    scene.tell(0, "maintenance.started", "calendar/main", subject=work, labels=scope, title="volume moves")
    subject = f"{scene.service}/volume"
    scene.tell(10 * MINUTE, "change.deleted", CLOUD, subject=subject, actor=person)
    scene.tell(40 * MINUTE, "change.restored", CLOUD, subject=subject, actor=person)
    scene.tell(HOUR, "maintenance.ended", "calendar/main", subject=work, labels=scope)


def report_stopped(scene: Scene) -> None:
    """Somebody stops their own report, since a column is missing, and starts it again."""
    about = {"subject": f"job/{scene.service}-report", "actor": scene.person(on_call=None)}
    scene.tell(0, "change.started", BATCH, labels={"verb": "read"}, **about)
    scene.tell(scene.minutes(2, 9), "change.held", BATCH, **about)
    scene.tell(scene.minutes(15, 30), "change.ran", BATCH, labels={"verb": "read"}, **about)


def no_secret(scene: Scene) -> None:
    """The scanner finds a key that is an example in the documentation; the finding is closed."""
    found = scene.fires(
        0, "SecretLeaked", "high", source=f"{CODE}/secret-scanning", subject=f"secret/{scene.service}-example"
    )
    scene.tell(
        scene.minutes(20, 200),
        "alert.cancelled",
        f"{CODE}/secret-scanning",
        subject=found.subject,
        severity="high",
        actor=scene.person(),
        title="used in tests",
    )


def notice_done_early(scene: Scene) -> None:
    """A notice of two months, dealt with in the second week; some others never need anything."""
    ends = Instant(scene.at + 60 * DAY)
    subject = f"notice/{scene.service}-quota"
    scene.note(0, "A quota will change", source=CLOUD, subject=subject, expires_at=ends, actor=None, severity="info")
    if scene.random.random() < 0.5:
        scene.tell(
            scene.random.randrange(5, 14) * DAY,
            "change.configured",
            TERRAFORM,
            subject=subject,
            actor=scene.person(on_call=None),
            previous_expires_at=ends,
        )


def backlog_of_every_night(scene: Scene) -> None:
    """The queue is long every night and empty before its cut-off, without anybody."""
    subject = f"backlog/{scene.service}"
    alert = scene.fires(
        0,
        "BacklogLong",
        "warning",
        source=BATCH,
        subject=subject,
        value=31_000.0,
        limit=30_000.0,
        unit="items",
        bound="max",
        expires_at=Instant(scene.at + 7 * HOUR),
    )
    scene.clears(scene.hours(1, 3), alert, value=0.0, limit=30_000.0)


def daily_peak(scene: Scene) -> None:
    """Every noon: the processors are busy, the autoscaler adds two, and that was that."""
    alert = scene.fires(0, "CpuSaturated", "warning", value=90.0, subject=f"{scene.service}/hpa", **_PERCENT)
    scene.tell(
        2 * MINUTE,
        "change.scaled",
        CLUSTER,
        subject=f"{scene.service}/hpa",
        actor=SCALER,
        value=10.0,
        limit=40.0,
        unit="replicas",
        bound="max",
        labels={"previous": "8"},
    )
    scene.clears(scene.minutes(5, 9), alert, value=66.0, limit=100.0)


def one_replica_came_back(scene: Scene) -> None:
    """One of three was away for two minutes and was started again, as happens every day."""
    alert = scene.fires(
        0,
        "ReplicaUnavailable",
        "info",
        value=2.0,
        limit=3.0,
        unit="replicas",
        bound="min",
        subject=f"{scene.service}/deployment",
    )
    scene.tell(MINUTE, "change.restarted", CLUSTER, subject=f"{scene.service}/deployment", actor=KUBELET)
    scene.clears(2 * MINUTE, alert, value=3.0, limit=3.0)


def breaker_flicker(scene: Scene) -> None:
    """A breaker opens for seconds on a slow call to something that nobody waits for."""
    about = {"subject": f"breaker/{scene.service}-to-{scene.below()}", "actor": ORCHESTRATOR}
    scene.tell(0, "change.configured", "mesh/main", labels={"breaker": "open"}, **about)
    scene.tell(MINUTE, "change.configured", "mesh/main", labels={"breaker": "closed"}, **about)


def flaky_benchmark(scene: Scene) -> None:
    """The nightly comparison is off by a little on a busy machine, and fine the next night."""
    commit = f"{scene.random.getrandbits(40):010x}"
    scene.tell(0, "change.merged", CODE, environment=None, subject=commit, labels={"commit": commit})
    alert = scene.fires(
        HOUR,
        "BenchmarkRegressed",
        "info",
        source="benchmarks/main",
        environment=None,
        subject=commit,
        value=1.06,
        limit=1.05,
        unit="ratio",
        bound="max",
    )
    scene.tell(5 * HOUR, "change.merged", CODE, environment=None, actor=scene.person(on_call=None))
    scene.clears(24 * HOUR, alert)


def within_tolerance(scene: Scene) -> None:
    """Two totals differ by a rounding; the next run agrees."""
    alert = scene.fires(
        0,
        "TotalsDisagree",
        "info",
        source=BATCH,
        subject=f"invoices/{scene.random.randrange(10_000)}",
        value=98_731.0,
        limit=98_730.0,
        unit="EUR",
        bound="expected",
    )
    scene.clears(2 * HOUR, alert, value=98_730.0, limit=98_730.0)


def scaled_in(scene: Scene) -> None:
    """A node sends no logs any more, because it is gone: the autoscaler took it."""
    node = f"node-{scene.random.randrange(80)}"
    alert = scene.fires(
        0,
        "LogsMissingFromNode",
        "warning",
        subject=node,
        value=0.0,
        limit=1.0,
        unit="lines per second",
        bound="min",
        labels={"node": node},
    )
    scene.tell(MINUTE, "change.scaled", CLUSTER, subject=f"nodes/{scene.service}", actor=SCALER)
    scene.clears(scene.minutes(10, 20), alert)


def quiet_colleague(scene: Scene) -> None:
    """A colleague joins the page out of interest, and later runs a script of their own elsewhere."""
    alert = scene.fires(0, "ErrorsElevated", "high")
    scene.acks(2 * MINUTE, alert, scene.person())
    colleague = scene.person(on_call=False)
    scene.tell(6 * MINUTE, "responder.joined", PAGES, subject=alert.subject, actor=colleague)
    scene.clears(scene.minutes(9, 20), alert)
    near = scene.neighbour()
    scene.tell(scene.hours(1, 3), "change.ran", SHELL, service=near, subject=f"{near}/report", actor=colleague)


def cleaned_staging(scene: Scene) -> None:
    """Somebody is refused to delete what is protected in staging, where nobody would mind."""
    scene.tell(
        0,
        "change.blocked",
        CLOUD,
        subject=f"{scene.service}/database",
        actor=scene.person(on_call=None),
        environment="staging",
        severity="warning",
        labels={"verb": "delete", "guard": "deletion-protection"},
    )


def newer_build_cancels(scene: Scene) -> None:
    """A person stops their own roll-out, since a newer one is ready, and rolls that out."""
    person = scene.person(on_call=None)
    subject = f"{scene.service}/deployment"
    scene.tell(0, "change.started", DEPLOYS, subject=subject, actor=person, labels={"approved": "true"})
    scene.tell(
        scene.minutes(1, 3), "change.held", DEPLOYS, subject=subject, actor=person, labels={"reason": "superseded"}
    )
    scene.deploys(scene.minutes(6, 20), person)


def probe_at_night(scene: Scene) -> None:
    """The nightly restart of a desk's service makes its probe fail for a minute."""
    scene.tell(0, "change.restarted", CLUSTER, subject=f"{scene.service}/deployment", actor=BOT)
    alert = scene.fires(MINUTE, "TargetDown", "high", value=0.0, limit=1.0, unit="instances", bound="min")
    scene.clears(scene.minutes(2, 5), alert)
