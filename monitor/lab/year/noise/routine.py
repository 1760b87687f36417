"""Planned work and known nuisances: what looks like trouble to who does not know that it was meant.

Each tells one story; how often it happens is decided elsewhere.
"""

from __future__ import annotations

from monitor.core.model.events import DAY, HOUR, MINUTE, Instant
from monitor.lab.year.scene import (
    BOT,
    CERTBOT,
    CERTIFICATES,
    CLOUD,
    CLUSTER,
    CODE,
    CRON,
    DEPLOYS,
    FLAGS,
    GUARD,
    ORCHESTRATOR,
    ROLLOUTS,
    SHELL,
    TERRAFORM,
    Scene,
)


def planned_failover(scene: Scene) -> None:
    """Announced; the database moves, warnings come and go, the window ends."""
    person = scene.person(on_call=None)
    scope = {"scope": scene.service}
    subject = f"maintenance/{scene.random.randrange(10_000)}"
    scene.tell(0, "maintenance.started", "calendar/main", subject=subject, labels=scope, title="planned failover")
    moved = scene.minutes(10, 25)
    alert = scene.fires(moved + MINUTE, "ReplicaLagging", "high")
    scene.tell(moved, "change.failed_over", CLOUD, subject=f"{scene.service}/primary", actor=person)
    scene.clears(moved + scene.minutes(4, 12), alert)
    scene.tell(HOUR, "maintenance.ended", "calendar/main", subject=subject, labels=scope)


def switched_over(scene: Scene) -> None:
    """The monthly switch of the primary, done by the orchestrator, without an alert."""
    labels = {"reason": "scheduled"}
    subject = f"{scene.service}/primary"
    scene.tell(0, "change.failed_over", "orchestrator/main", subject=subject, actor=ORCHESTRATOR, labels=labels)


def rotated_by_machine(scene: Scene) -> None:
    """A certificate of ninety days is replaced with thirty left, as every time."""
    scene.tell(
        0,
        "change.rotated",
        CERTIFICATES,
        subject=f"certificate/{scene.service}",
        actor=CERTBOT,
        previous_expires_at=Instant(scene.at + 30 * DAY),
        expires_at=Instant(scene.at + 90 * DAY),
        labels={"lifetime_days": "90"},
    )


def short_lived(scene: Scene) -> None:
    """Credentials of a day are replaced with eight hours left."""
    scene.tell(
        0,
        "change.rotated",
        "vault/main",
        subject=f"lease/{scene.service}",
        actor=CERTBOT,
        previous_expires_at=Instant(scene.at + 8 * HOUR),
        expires_at=Instant(scene.at + 24 * HOUR),
        labels={"lifetime_hours": "24", "issued_at": "16 hours before"},
    )


def rotated_in_time(scene: Scene) -> None:
    """A reminder with more than a month to go, and a person who does it that week."""
    ends = Instant(scene.at + scene.random.randrange(33, 60) * DAY)
    subject = f"certificate/{scene.service}-partner"
    alert = scene.fires(0, "CertificateEnds", "warning", subject=subject, expires_at=ends)
    acted = scene.hours(20, 100)
    scene.tell(
        acted,
        "change.rotated",
        CERTIFICATES,
        subject=subject,
        actor=scene.person(),
        previous_expires_at=ends,
        expires_at=Instant(scene.at + 365 * DAY),
        labels={"lifetime_days": "365"},
    )
    scene.clears(acted + 10 * MINUTE, alert)


def flag_ramp(scene: Scene) -> None:
    """Ten, twenty-five, fifty, a hundred percent over the day."""
    flag = f"feature-{scene.random.randrange(900)}"
    person = scene.person(on_call=None)
    at = 0
    for share in ("10", "25", "50", "100"):
        scene.tell(at, "change.flag_set", FLAGS, subject=flag, actor=person, labels={"flag": flag, "value": share})
        at += scene.minutes(12, 150)


def experiment_ends(scene: Scene) -> None:
    """An experiment runs for days and is switched off; some end by ramping down within minutes."""
    flag = f"experiment-{scene.random.randrange(900)}"
    person = scene.person(on_call=None)
    about = {"subject": flag, "actor": person}
    scene.tell(0, "change.flag_set", FLAGS, labels={"flag": flag, "value": "50"}, **about)
    ends = scene.random.randrange(2, 9) * DAY
    for step, share in enumerate(("25", "10", "0")):
        scene.tell(ends + step * 6 * MINUTE, "change.flag_set", FLAGS, labels={"flag": flag, "value": share}, **about)


def demonstration(scene: Scene) -> None:
    """Shown to a customer for some hours and switched off again."""
    flag = f"preview-{scene.random.randrange(200)}"
    about = {"subject": flag, "actor": scene.person(on_call=None)}
    scene.tell(0, "change.flag_set", FLAGS, labels={"flag": flag, "value": "on"}, **about)
    scene.tell(scene.hours(1, 4), "change.flag_set", FLAGS, labels={"flag": flag, "value": "off"}, **about)


def drill(scene: Scene) -> None:
    """An exercise with everything that belongs to it, marked as such."""
    labels = {"drill": "true"}
    alert = scene.fires(0, "PrimaryUnreachable", "critical", labels=labels)
    person = scene.person()
    scene.acks(3 * MINUTE, alert, person)
    subject = f"{scene.service}/primary"
    scene.tell(9 * MINUTE, "change.failed_over", CLOUD, subject=subject, actor=person, labels=labels)
    scene.clears(14 * MINUTE, alert)


def known_noise(scene: Scene) -> None:
    """Everybody knows this alert; it is silenced every other day, until somebody mends the alert, not the service."""
    alert = scene.fires(0, "KnownNoisy", "warning")
    for day in range(0, 10, 2):
        if day:
            scene.fires(day * DAY, "KnownNoisy", "warning")
        scene.about_alert(day * DAY + scene.minutes(5, 50), "alert.silenced", alert, actor=scene.person())
        scene.clears(day * DAY + scene.hours(1, 3), alert)
    person = scene.person(on_call=None)
    scene.tell(
        10 * DAY + HOUR,
        "change.configured",
        TERRAFORM,
        subject="alert-rule/KnownNoisy",
        actor=person,
        labels={"alert_rule": "edited"},
        title="threshold of KnownNoisy raised",
    )
    scene.about_alert(10 * DAY + 2 * HOUR, "alert.cancelled", alert)


def silenced_for_work(scene: Scene) -> None:
    """Silenced for a release that would make it fire, and released."""
    alert = scene.fires(0, "PodRestarted", "warning")
    scene.about_alert(scene.minutes(1, 4), "alert.silenced", alert, actor=scene.person(on_call=None))
    scene.deploys(scene.minutes(8, 30))
    scene.clears(scene.minutes(35, 50), alert)


def taken_back_days_later(scene: Scene) -> None:
    """The feature is not wanted after all: the version before returns, days later."""
    deployed = scene.deploys(0)
    scene.takes_back(scene.random.randrange(1, 4) * DAY + scene.hours(0, 5), deployed, scene.person(on_call=None))


def scheduled_redeploy(scene: Scene) -> None:
    """The weekly rebuild deploys the tag that is marked stable: an older one."""
    deployed = scene.deploys(0)
    labels = {"version": deployed.labels["previous_version"], "trigger": "schedule"}
    subject = f"{scene.service}/deployment"
    scene.tell(scene.hours(2, 60), "change.deployed", DEPLOYS, subject=subject, actor=CRON, labels=labels)


def early_canary_gate(scene: Scene) -> None:
    """The first of several gates, before production, refuses a build; the next one passes."""
    subject = f"{scene.service}/rollout"
    about = {"subject": subject, "actor": ROLLOUTS, "environment": "staging"}
    scene.tell(0, "change.failed", DEPLOYS, labels={"stage": "smoke"}, **about)
    scene.tell(2 * MINUTE, "change.rolled_back", DEPLOYS, labels={"stage": "smoke"}, **about)


def routine_denial(scene: Scene) -> None:
    """Least privilege at work: a program, or a person who only looked, is refused what it does not need."""
    if scene.random.random() < 0.7:
        scene.tell(
            0,
            "change.blocked",
            GUARD,
            subject=f"{scene.service}/manifest",
            actor=BOT,
            severity="info",
            environment=scene.random.choice(("staging", "ci")),
            labels={"check": "style"},
        )
    else:
        scene.tell(
            0,
            "change.blocked",
            CLOUD,
            subject=f"{scene.service}/settings",
            actor=scene.person(on_call=None),
            severity="info",
            labels={"operation": "get", "guard": "least-privilege"},
        )


def superseded(scene: Scene) -> None:
    """A newer commit cancels the pipeline of the older one."""
    subject = f"pipeline/{scene.service}"
    scene.tell(0, "change.started", CODE, subject=subject, actor=BOT, labels={"approved": "true"})
    scene.tell(scene.minutes(1, 4), "change.held", CODE, subject=subject, actor=BOT, labels={"reason": "superseded"})
    scene.tell(scene.minutes(4, 5), "change.started", CODE, subject=subject, actor=BOT, labels={"approved": "true"})


def staging_pipeline_cancelled(scene: Scene) -> None:
    """A person cancels their own build for staging: wrong branch."""
    about = {"subject": f"pipeline/{scene.service}", "actor": scene.person(on_call=None), "environment": "staging"}
    scene.tell(0, "change.started", CODE, **about)
    scene.tell(scene.minutes(1, 9), "change.held", CODE, **about)


def frozen(scene: Scene) -> None:
    """The end of the year: releases are held by the calendar."""
    subject = f"{scene.service}/deployment"
    scene.tell(0, "change.held", DEPLOYS, subject=subject, actor=CRON, labels={"reason": "freeze"}, title="freeze")


def ample_room(scene: Scene) -> None:
    """A disk at four fifths, a person who tidies up: days were left."""
    measured = {"limit": 100.0, "unit": "percent", "bound": "max"}
    subject = f"disk/{scene.service}"
    alert = scene.fires(
        0, "DiskFilling", "warning", value=float(scene.random.randrange(78, 85)), subject=subject, **measured
    )
    acted = scene.hours(1, 9)
    scene.tell(acted, "change.ran", SHELL, subject=subject, actor=scene.person(on_call=None), title="logs compressed")
    scene.clears(acted + 5 * MINUTE, alert, value=60.0, limit=100.0)


def cleaned_by_cron(scene: Scene) -> None:
    """A disk at ninety percent every week, emptied by its job as designed."""
    subject = f"disk/{scene.service}-tmp"
    alert = scene.fires(
        0, "DiskFilling", "warning", value=90.0, limit=100.0, unit="percent", bound="max", subject=subject
    )
    scene.tell(30 * MINUTE, "change.ran", "batch/main", subject=subject, actor=CRON, title="temporary files removed")
    scene.clears(35 * MINUTE, alert, value=40.0, limit=100.0)


def scaled_ahead(scene: Scene) -> None:
    """Marketing told of a campaign; somebody adds room the day before."""
    scene.note(0, "campaign tomorrow at nine, please scale up", source="tickets/desk", severity="info")
    person = scene.person(on_call=None)
    scene.tell(scene.hours(1, 5), "change.scaled", CLOUD, subject=f"pool/{scene.service}", actor=person)


def rolling_upgrade(scene: Scene) -> None:
    """Members are restarted one after the other: each time one is missing, as planned."""
    person = scene.person(on_call=None)
    for member in range(3):
        at = member * 12 * MINUTE
        subject = f"{scene.service}/member-{member}"
        scene.tell(at, "change.restarted", CLUSTER, subject=subject, actor=person, labels={"rolling": "true"})
        alert = scene.fires(
            at + MINUTE,
            "MembersMissing",
            "warning",
            value=2.0,
            limit=3.0,
            unit="members",
            bound="min",
            subject=f"quorum/{scene.service}",
        )
        scene.clears(at + scene.minutes(4, 9), alert)
