"""Planted near misses of the family "margin": how little was left.

Each is told from its pattern in words; what a rule would look for is not known here.
"""

from __future__ import annotations

from monitor.core.model.events import DAY, HOUR, MINUTE, Event, Instant
from monitor.lab.year.scene import BATCH, CERTIFICATES, CLOUD, CLUSTER, KUBELET, SHELL, TERRAFORM, Scene

FAMILY = "margin"
_PERCENT = {"limit": 100.0, "unit": "percent", "bound": "max"}


def page_and_fix(scene: Scene) -> None:
    """A page, somebody takes it, changes something, and it ends: no incident was ever declared."""
    alert = scene.fires(0, scene.random.choice(("CrashLooping", "QueueStuck", "ThreadsExhausted")), "high")
    person = scene.person()
    scene.acks(scene.minutes(1, 8), alert, person)
    person = scene.who_acts(alert, person, 10 * MINUTE)
    acted = scene.minutes(12, 40)
    fixed = scene.tell(acted, "change.restarted", CLUSTER, subject=f"{scene.service}/deployment", actor=person)
    scene.clears(acted + scene.minutes(2, 20), alert)
    scene.planted("P30", FAMILY, [alert], [fixed])


def page_and_fix_below(scene: Scene) -> None:
    """The page is here, the repair on what it leans on."""
    alert = scene.fires(0, "TimeoutsToDependency", "critical")
    person = scene.person()
    scene.acks(scene.minutes(1, 8), alert, person)
    person = scene.who_acts(alert, person, 11 * MINUTE)
    below = scene.below()
    acted = scene.minutes(14, 50)
    fixed = scene.tell(acted, "change.configured", TERRAFORM, service=below, subject=f"{below}/limits", actor=person)
    scene.clears(acted + scene.minutes(2, 14), alert)
    scene.planted("P30", FAMILY, [alert], [fixed])


def budget_held(scene: Scene) -> None:
    """A fifth of the budget goes in one evening; turning a feature off stops it, and the objective holds."""
    alert = scene.fires(
        0,
        "BudgetBurningSlowly",
        "warning",
        source="slo/main",
        subject=f"slo/{scene.service}",
        value=22.0,
        labels={"burn": "slow"},
        **_PERCENT,
    )
    person = scene.person()
    scene.acks(scene.minutes(5, 15), alert, person)
    acted = scene.minutes(30, 70)
    fixed = scene.tell(
        acted, "change.configured", TERRAFORM, subject=f"{scene.service}/retries", actor=person, title="retries limited"
    )
    scene.clears(acted + scene.minutes(15, 40), alert, value=24.0, limit=100.0)
    scene.planted("P31", FAMILY, [alert], [fixed])


def capacity_raised(scene: Scene) -> None:
    """Ninety-seven percent of the pool in use, the autoscaler at its end; somebody raises the quota."""
    alert = scene.fires(0, "PoolNearlyUsedUp", "high", value=97.0, subject=f"pool/{scene.service}", **_PERCENT)
    person = scene.person()
    scene.acks(scene.minutes(2, 9), alert, person)
    person = scene.who_acts(alert, person, 12 * MINUTE)
    acted = scene.minutes(14, 45)
    fixed = scene.tell(
        acted, "change.scaled", CLOUD, subject=f"pool/{scene.service}", actor=person, title="quota raised"
    )
    scene.clears(acted + scene.minutes(4, 12), alert, value=58.0, limit=100.0)
    scene.planted("P32", FAMILY, [alert], [fixed])


def disk_emptied(scene: Scene) -> None:
    """A disk with hours to go; somebody removes what is not needed."""
    subject = f"disk/{scene.service}-{scene.random.randrange(4)}"
    alert = scene.fires(
        0, "DiskFilling", "high", value=float(scene.random.randrange(95, 99)), subject=subject, **_PERCENT
    )
    person = scene.person()
    if scene.random.random() < 0.75:
        scene.acks(scene.minutes(2, 15), alert, person)
    acted = scene.minutes(20, 160)
    fixed = scene.tell(acted, "change.ran", SHELL, subject=subject, actor=person, title="old segments removed")
    scene.clears(acted + scene.minutes(3, 9), alert, value=63.0, limit=100.0)
    scene.planted("P33", FAMILY, [alert], [fixed])


def inodes_left(scene: Scene) -> None:
    """Two percent of the inodes are left; a person deletes old sessions."""
    subject = f"inodes/{scene.service}"
    measured = {"limit": 100.0, "unit": "percent", "bound": "min"}
    alert = scene.fires(0, "InodesLow", "warning", value=2.0, subject=subject, **measured)
    acted = scene.minutes(25, 200)
    fixed = scene.tell(acted, "change.deleted", SHELL, subject=f"{subject}/sessions", actor=scene.person())
    scene.clears(acted + scene.minutes(2, 6), alert, value=64.0, limit=100.0)
    scene.planted("P33", FAMILY, [alert], [fixed])


def renewed_late(scene: Scene) -> None:
    """The certificate has hours left when a person replaces it by hand."""
    _renew(scene, left=scene.hours(8, 21), warned=True)


def renewed_after_its_end(scene: Scene) -> None:
    """It had ended two days before, and nobody had connected since."""
    _renew(scene, left=-2 * DAY, warned=False)


def _renew(scene: Scene, *, left: int, warned: bool) -> None:
    subject = f"certificate/{scene.service}"
    acted = scene.hours(2, 5)
    ends = Instant(scene.at + acted + left)
    hazard: list[Event] = []
    if warned:
        hazard.append(scene.fires(0, "CertificateEnds", "high", subject=subject, expires_at=ends))
    else:
        hazard.append(scene.note(0, "this certificate has ended?!", subject=subject, expires_at=ends))
    rotated = scene.tell(
        acted,
        "change.rotated",
        CERTIFICATES,
        subject=subject,
        actor=scene.person(),
        previous_expires_at=ends,
        expires_at=Instant(scene.at + 90 * DAY),
        labels={"lifetime_days": "90"},
    )
    if warned:
        scene.clears(acted + 10 * MINUTE, hazard[0])
    scene.planted("P34", FAMILY, hazard, [rotated])


def redundancy_lost(scene: Scene) -> None:
    """Two of three members are left, which is the least that can decide; a third is added."""
    subject = f"quorum/{scene.service}"
    members = {"limit": 3.0, "unit": "members", "bound": "min"}
    alert = scene.fires(0, "MembersMissing", "high", value=2.0, subject=subject, labels={"quorum": "2"}, **members)
    person = scene.person()
    scene.acks(scene.minutes(2, 10), alert, person)
    acted = scene.minutes(20, 110)
    fixed = scene.tell(
        acted, "change.restored", CLOUD, subject=f"{subject}/member-3", actor=person, title="member added"
    )
    scene.clears(acted + scene.minutes(4, 15), alert, value=3.0, limit=3.0)
    scene.planted("P35", FAMILY, [alert], [fixed])


def going_sour(scene: Scene) -> None:
    """One after the other crash-loops; restarts do not help; the change that does comes before the last one goes."""
    person = scene.person()
    signs = []
    for place, at in enumerate((0, 50, 110, 165)):
        left = {"value": 6.0 - 1 - place, "limit": 6.0, "unit": "pods", "bound": "min"}
        signs.append(
            scene.fires(at * MINUTE, "PodCrashLooping", "high", subject=f"{scene.service}/pod-{place}", **left)
        )
        if place == 0:
            scene.acks(3 * MINUTE, signs[0], person)
        if place < 3:
            scene.tell(
                (at + 15) * MINUTE, "change.restarted", CLUSTER, subject=f"{scene.service}/pod-{place}", actor=person
            )
    acted = scene.minutes(185, 215)
    fixed = scene.tell(
        acted,
        "change.configured",
        CLUSTER,
        subject=f"{scene.service}/limits",
        actor=person,
        title="memory limit raised",
    )
    for sign in signs:
        scene.clears(acted + scene.minutes(3, 12), sign)
    scene.planted("P36", FAMILY, signs, [fixed])


def backlog_drained(scene: Scene) -> None:
    """The nightly run would miss its cut-off; workers are added, and the last item is done an hour before."""
    subject = f"backlog/{scene.service}"
    cut_off = Instant(scene.at + 7 * HOUR)
    alert = scene.fires(
        0,
        "BacklogWillMissCutOff",
        "high",
        source=BATCH,
        subject=subject,
        value=48_000.0,
        limit=30_000.0,
        unit="items",
        bound="max",
        expires_at=cut_off,
    )
    person = scene.person()
    scene.acks(scene.minutes(3, 12), alert, person)
    fixed = scene.tell(
        scene.minutes(25, 60),
        "change.scaled",
        CLUSTER,
        subject=f"{scene.service}/workers",
        actor=person,
        title="eight workers added",
    )
    scene.clears(6 * HOUR, alert, value=0.0, limit=30_000.0)
    scene.planted("P37", FAMILY, [alert], [fixed])


def restore_test_failed(scene: Scene) -> None:
    """The restore test fails two nights running; the backup is repaired, and the next test passes."""
    subject = f"restore-test/{scene.service}"
    failed = [
        scene.tell(night * DAY, "change.failed", "backups/main", subject=subject, title="restore test failed")
        for night in (0, 1)
    ]
    alert = scene.fires(DAY + 10 * MINUTE, "RestoreTestFailing", "warning", subject=subject)
    fixed = scene.tell(
        DAY + scene.hours(8, 11),
        "change.configured",
        TERRAFORM,
        subject=subject,
        actor=scene.person(),
        title="snapshot permission restored",
    )
    scene.tell(2 * DAY, "change.ran", "backups/main", subject=subject, title="restore test passed")
    scene.clears(2 * DAY + 10 * MINUTE, alert)
    scene.planted("P38", FAMILY, [*failed, alert], [fixed])


def ceiling_widened(scene: Scene) -> None:
    """The identifiers of a table have used most of their type; it is widened."""
    subject = f"sequence/{scene.service}.events_id"
    alert = scene.fires(
        0,
        "SequenceNearlyUsedUp",
        "warning",
        subject=subject,
        value=1_868_000_000.0,
        limit=2_147_483_647.0,
        unit="ids",
        bound="max",
    )
    acted = scene.hours(20, 44)
    fixed = scene.tell(acted, "change.configured", SHELL, subject=subject, actor=scene.person(), title="column widened")
    scene.clears(acted + 30 * MINUTE, alert, value=1_871_000_000.0, limit=9.2e18)
    scene.planted("P39", FAMILY, [alert], [fixed])


def last_nodes(scene: Scene) -> None:
    """Nodes were lost faster than they came; a person replaces the group before the last spare goes."""
    subject = f"nodes/{scene.service}"
    measured = {"value": 1.0, "limit": 4.0, "unit": "nodes", "bound": "min"}
    alert = scene.fires(0, "SpareNodesLow", "high", subject=subject, **measured)
    scene.tell(12 * MINUTE, "change.restarted", CLUSTER, subject=f"{subject}/2", actor=KUBELET)
    person = scene.person()
    scene.acks(scene.minutes(3, 9), alert, person)
    acted = scene.minutes(25, 75)
    fixed = scene.tell(acted, "change.scaled", CLOUD, subject=subject, actor=person, title="node group replaced")
    scene.clears(acted + scene.minutes(4, 10), alert, value=4.0, limit=4.0)
    scene.planted("P35", FAMILY, [alert], [fixed])
