"""What happens many times a day in any organisation and means nothing: alerts that clear, releases, scaling, chatter.

Each tells one story; how often it happens is decided elsewhere.
"""

from __future__ import annotations

from monitor.core.model.events import DAY, HOUR, MINUTE, Event, Kind, Severity
from monitor.lab.year.scene import (
    BATCH,
    BOT,
    CHAT,
    CLUSTER,
    CODE,
    CRON,
    DEPLOYS,
    KUBELET,
    PAGES,
    SCALER,
    SHELL,
    TERRAFORM,
    TICKETS,
    Scene,
)

_SEVERITIES: tuple[Severity, ...] = ("info", "warning", "high", "critical")
_SHARES = (33, 60, 5.6, 1.4)
_NAMES = (
    "HighMemory",
    "PodRestarted",
    "LatencyElevated",
    "QueueGrowing",
    "CpuThrottling",
    "ErrorsElevated",
    "ReplicaLagging",
    "ConnectionsHigh",
    "SlowQueries",
    "TargetFlapping",
)
_MEASURED = frozenset({"HighMemory", "CpuThrottling", "ConnectionsHigh"})
_TALK = (
    "looks fine again",
    "can somebody review my change?",
    "the dashboard is slow today",
    "who owns this service now?",
    "is the release train running this week?",
    "reminder: retrospective at three",
    "I am looking at the graphs, nothing special",
    "strange blip, gone already",
)


def alert_that_clears(scene: Scene) -> None:
    """Fires and clears by itself; pages are often taken by somebody who then only watches."""
    severity = scene.random.choices(_SEVERITIES, _SHARES)[0]
    _one_alert(scene, severity, "staging" if scene.random.random() < 0.22 else "production")


def _one_alert(scene: Scene, severity: Severity, environment: str) -> None:
    name = scene.random.choice(_NAMES)
    measured: dict[str, object] = {}
    if name in _MEASURED:
        measured = {"value": float(scene.random.randrange(80, 100)), "limit": 100.0, "unit": "percent", "bound": "max"}
    subject = f"{name}/{scene.service}-{scene.random.randrange(6)}"
    alert = scene.fires(0, name, severity, subject=subject, environment=environment, **measured)
    ends = int(scene.random.lognormvariate(2.3, 0.9) * MINUTE) + MINUTE
    if environment == "production":
        _taken(scene, severity, alert_ends=ends, alert=alert)
    scene.clears(min(ends, DAY), alert)


def _taken(scene: Scene, severity: Severity, *, alert_ends: int, alert: Event) -> None:
    if severity in ("high", "critical"):
        person = scene.person()
        scene.tell(20_000_000, "responder.paged", PAGES, subject=alert.subject, actor=person)
        after = scene.minutes(1, 9)
        if scene.random.random() < 0.45 and after < alert_ends:
            scene.acks(after, alert, person)
            if scene.random.random() < 0.1 and after + 5 * MINUTE < alert_ends:
                colleague = scene.person(on_call=False)
                scene.tell(after + 4 * MINUTE, "responder.joined", PAGES, subject=alert.subject, actor=colleague)
    elif severity == "warning" and scene.random.random() < 0.03:
        scene.acks(min(scene.minutes(3, 30), alert_ends), alert, scene.person())


def flapping(scene: Scene) -> None:
    """Fires and clears again and again within the hour; nobody does anything."""
    name = scene.random.choice(_NAMES)
    severity: Severity = scene.random.choices(_SEVERITIES, (20, 70, 9, 1))[0]
    at = 0
    for _ in range(scene.random.randrange(3, 8)):
        alert = scene.fires(at, name, severity)
        at += scene.minutes(1, 6)
        scene.clears(at, alert)
        at += scene.minutes(2, 9)


def spreading(scene: Scene) -> None:
    """One slow dependency, three alerts, all gone in a quarter of an hour."""
    severity: Severity = scene.random.choices(_SEVERITIES, (10, 82, 7, 1))[0]
    for service in (scene.service, scene.neighbour(), scene.neighbour()):
        after = scene.minutes(0, 4)
        alert = scene.fires(after, "LatencyElevated", severity, service=service)
        scene.clears(after + scene.minutes(5, 18), alert)


def release(scene: Scene) -> None:
    """Merged, tried in staging, deployed to production: by the pipeline, or by somebody who presses the button."""
    by_hand = scene.random.random() < 0.2
    author = scene.person(on_call=None)
    actor = author if by_hand else BOT
    commit = f"{scene.random.getrandbits(40):010x}"
    if scene.random.random() < 0.8:
        scene.tell(0, "change.merged", CODE, environment=None, subject=commit, actor=author, labels={"commit": commit})
    subject = f"{scene.service}/deployment"
    scene.tell(
        scene.minutes(4, 8),
        "change.deployed",
        DEPLOYS,
        environment="staging",
        subject=subject,
        actor=BOT,
        labels={"version": f"{scene.world.version(scene.service)}-rc", "commit": commit},
    )
    at = scene.minutes(15, 45)
    scene.tell(at, "change.started", DEPLOYS, subject=subject, actor=actor, labels={"commit": commit})
    if scene.random.random() < 0.05:
        scene.tell(at + 3 * MINUTE, "change.failed", DEPLOYS, subject=subject, actor=actor, labels={"commit": commit})
        at += scene.minutes(10, 30)
    at += scene.minutes(2, 7)
    scene.deploys(at, actor, labels={"commit": commit})
    if scene.random.random() < 0.06:
        alert = scene.fires(at + scene.minutes(1, 4), "PodRestarted", "warning")
        scene.clears(at + scene.minutes(6, 14), alert)


def roll_forward(scene: Scene) -> None:
    """A release, and a newer one soon after: somebody forgot a translation."""
    author = scene.person(on_call=None)
    scene.deploys(0, BOT)
    scene.tell(scene.minutes(10, 20), "change.merged", CODE, environment=None, actor=author)
    scene.deploys(scene.minutes(22, 90), BOT)


def merge_only(scene: Scene) -> None:
    """Documentation, tests, a refactoring that waits for the next release; now and then a revert of one."""
    commit = f"{scene.random.getrandbits(40):010x}"
    labels = {"commit": commit}
    if scene.random.random() < 0.03:
        labels["reverts"] = f"{scene.random.getrandbits(40):010x}"
    scene.tell(
        0, "change.merged", CODE, environment=None, subject=commit, actor=scene.person(on_call=None), labels=labels
    )


def autoscaling(scene: Scene) -> None:
    """Up and down with the traffic."""
    count = scene.random.randrange(3, 20)
    for at, replicas in ((0, count + scene.random.randrange(1, 4)), (scene.hours(0.5, 3), count)):
        scene.tell(
            at,
            "change.scaled",
            CLUSTER,
            subject=f"{scene.service}/hpa",
            actor=SCALER,
            value=float(replicas),
            limit=40.0,
            unit="replicas",
            bound="max",
            labels={"previous": str(count)},
        )


def churn(scene: Scene) -> None:
    """A container is restarted by its node: it happens all day."""
    scene.tell(
        0, "change.restarted", CLUSTER, subject=f"{scene.service}/pod-{scene.random.randrange(9)}", actor=KUBELET
    )


def small_change(scene: Scene) -> None:
    """Somebody, or the pipeline for them, changes a setting: planned, dull, and mostly reviewed and merged before."""
    by_hand = scene.random.random() < 0.5
    subject = f"{scene.service}/{scene.random.choice(('settings', 'limits', 'dashboard', 'quota', 'routes'))}"
    actor = scene.person(on_call=None) if by_hand else BOT
    commit = f"{scene.random.getrandbits(40):010x}"
    labels = {"revision": commit[:7], "commit": commit}
    if scene.random.random() < 0.85:
        scene.tell(0, "change.merged", CODE, environment=None, subject=commit, actor=actor, labels=labels)
    scene.tell(scene.minutes(8, 50), "change.configured", TERRAFORM, subject=subject, actor=actor, labels=labels)


def by_hand(scene: Scene) -> None:
    """A person runs a script, makes room ahead of time or restarts something after a change of settings."""
    kind: Kind = scene.random.choice(("change.ran", "change.ran", "change.scaled", "change.restarted"))
    source = SHELL if kind == "change.ran" else CLUSTER
    what = scene.random.choice(("report", "migration", "export")) if kind == "change.ran" else "deployment"
    subject = f"{scene.service}/{what}"
    scene.tell(0, kind, source, subject=subject, actor=scene.person(on_call=scene.random.choice((None, True, False))))


def nightly_job(scene: Scene) -> None:
    """A backup or an import; one in eighty fails and is run again by the scheduler."""
    subject = f"backup/{scene.service}"
    if scene.random.random() < 1 / 80:
        scene.tell(0, "change.failed", BATCH, subject=subject, actor=CRON, title="backup failed, will retry")
    scene.tell(scene.minutes(20, 50), "change.ran", BATCH, subject=subject, actor=CRON, title="backup done")


def chatter(scene: Scene) -> None:
    """Words in the channel of a service that tell of nothing."""
    scene.note(0, scene.random.choice(_TALK), source=CHAT)


def ticket(scene: Scene) -> None:
    """A wish or a small defect; the next release has it."""
    text = scene.random.choice(("typo on the page", "export misses a column", "please add a filter", "sorting is odd"))
    scene.note(0, text, source=TICKETS, severity="info")
    if scene.random.random() < 0.4:
        scene.deploys(scene.hours(3, 30), BOT)


def quick_answer(scene: Scene) -> None:
    """The page goes up a level because the ack came a minute late; it had cleared by then or does so soon."""
    alert = scene.fires(0, scene.random.choice(_NAMES), "high")
    person = scene.person()
    scene.about_alert(15 * MINUTE, "alert.escalated", alert)
    scene.acks(16 * MINUTE, alert, person)
    scene.clears(scene.minutes(18, 40), alert)


def staging_trouble(scene: Scene) -> None:
    """It breaks in staging, and it is about staging alone; sometimes somebody takes it back there."""
    alert = scene.fires(0, "CrashLooping", "high", environment="staging", labels={"cluster": "staging-2"})
    if scene.random.random() < 0.5:
        scene.tell(
            scene.minutes(10, 60),
            "change.rolled_back",
            DEPLOYS,
            environment="staging",
            subject=f"{scene.service}/deployment",
            actor=scene.person(on_call=None),
        )
    scene.clears(scene.hours(1, 3), alert)


def watched_incident(scene: Scene) -> None:
    """An incident is declared to be safe, turns out to be nothing, and is closed; nobody changed anything."""
    subject = f"INC-{scene.random.randrange(10_000, 99_999)}"
    person = scene.person()
    scene.tell(
        0,
        "incident.opened",
        "incidents/main",
        subject=subject,
        severity="warning",
        actor=person,
        labels={"impact": "unknown"},
    )
    scene.tell(scene.minutes(3, 9), "responder.joined", PAGES, actor=scene.person())
    scene.tell(HOUR, "incident.closed", "incidents/main", subject=subject, actor=person, labels={"impact": "none"})
