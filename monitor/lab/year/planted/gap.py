"""Planted near misses of the family "mind the gap": what few people know, or what nobody looked at.

Each is told from its pattern in words; what a rule would look for is not known here.
"""

from __future__ import annotations

from monitor.core.model.events import DAY, HOUR, MINUTE, Instant
from monitor.lab.year.scene import CLOUD, CLUSTER, DEPLOYS, INCIDENTS, PAGES, SHELL, TERRAFORM, Scene

FAMILY = "mind_the_gap"


def called_in_expert(scene: Scene) -> None:
    """The person on call cannot tell; somebody who is not on rotation comes and repairs it."""
    alert = scene.fires(0, "ReplicationBroken", "critical")
    scene.tell(30_000_000, "responder.paged", PAGES, subject=alert.subject, actor=scene.person())
    scene.acks(scene.minutes(2, 5), alert, scene.person())
    expert = scene.person(on_call=False)
    joined = scene.tell(scene.minutes(15, 30), "responder.joined", PAGES, subject=alert.subject, actor=expert)
    acted = scene.minutes(35, 70)
    fixed = scene.tell(acted, "change.ran", SHELL, subject=f"{scene.service}/replication", actor=expert)
    scene.clears(acted + scene.minutes(3, 15), alert)
    scene.planted("P19", FAMILY, [alert], [joined, fixed])


def escalation_failed(scene: Scene) -> None:
    """The first page is not answered; the next level is paged, and they fix it."""
    alert = scene.fires(0, "WritesSlow", "high")
    scene.tell(MINUTE, "responder.paged", PAGES, subject=alert.subject, actor=scene.person())
    escalated = scene.about_alert(16 * MINUTE, "alert.escalated", alert)
    second = scene.person()
    scene.tell(17 * MINUTE, "responder.paged", PAGES, subject=alert.subject, actor=second)
    scene.acks(scene.minutes(19, 24), alert, second)
    acted = scene.minutes(32, 55)
    fixed = scene.tell(acted, "change.configured", TERRAFORM, subject=f"{scene.service}/pool", actor=second)
    scene.clears(acted + scene.minutes(3, 12), alert)
    scene.planted("P20", FAMILY, [alert, escalated], [fixed])


def snoozed_then_fixed(scene: Scene) -> None:
    """Put to sleep four times in ten days while it grows, then repaired."""
    measured = {"limit": 100.0, "unit": "percent", "bound": "max"}
    alert = scene.fires(0, "HeapGrowing", "warning", value=78.0, **measured)
    sleeps = []
    for day in (0, 2, 5, 8):
        if day:
            scene.fires(day * DAY, "HeapGrowing", "warning", value=78.0 + 2 * day, **measured)
        sleeps.append(
            scene.about_alert(day * DAY + scene.minutes(10, 40), "alert.silenced", alert, actor=scene.person())
        )
    acted = 10 * DAY + scene.hours(0, 3)
    person = scene.person(on_call=None)
    fixed = scene.deploys(acted, person, title="leak in the parser repaired")
    scene.clears(acted + scene.minutes(5, 25), alert)
    scene.planted("P21", FAMILY, [alert, *sleeps], [fixed])


def found_by_hand(scene: Scene) -> None:
    """A person finds expired lookups that no monitor watches, repairs them, and writes the alert afterwards."""
    person = scene.person(on_call=None)
    number = f"INC-{scene.random.randrange(1000, 9999)}"
    subject = f"{scene.service}/lookups"
    opened = scene.tell(
        0,
        "incident.opened",
        INCIDENTS,
        subject=number,
        severity="warning",
        actor=person,
        labels={"impact": "none", "source": "human", "resource": subject},
        title="lookups have not been refreshed",
    )
    fixed = scene.tell(scene.minutes(30, 90), "change.ran", SHELL, subject=subject, actor=person, title="refreshed")
    scene.tell(scene.minutes(100, 140), "incident.closed", INCIDENTS, subject=number, labels={"impact": "none"})
    scene.tell(
        scene.hours(4, 20),
        "change.configured",
        TERRAFORM,
        subject=f"alert-rule/{subject}",
        actor=person,
        labels={"alert_rule": "created", "resource": subject},
        title="alert for stale lookups added",
    )
    scene.planted("P22", FAMILY, [opened], [fixed])


def no_runbook(scene: Scene) -> None:
    """The page has no runbook; commands by hand end it."""
    alert = scene.fires(0, "LockWaits", "critical", labels={"runbook_url": ""})
    person = scene.person()
    scene.acks(scene.minutes(2, 6), alert, person)
    scene.note(scene.minutes(9, 14), "there is no runbook for this; trying by hand", actor=person)
    acted = scene.minutes(20, 45)
    fixed = scene.tell(acted, "change.ran", SHELL, subject=f"{scene.service}/locks", actor=person)
    scene.clears(acted + scene.minutes(2, 9), alert)
    scene.planted("P23", FAMILY, [alert], [fixed])


def notice_found_late(scene: Scene) -> None:
    """The vendor wrote a month ago that a quota ends; it is acted on the day before."""
    ends = Instant(scene.at + 30 * DAY)
    subject = f"notice/{scene.service}-runtime"
    notice = scene.note(
        0,
        "The runtime version will be retired",
        source=CLOUD,
        subject=subject,
        expires_at=ends,
        actor=None,
        severity="warning",
    )
    moved = scene.tell(
        29 * DAY - scene.hours(0, 12),
        "change.configured",
        TERRAFORM,
        subject=subject,
        actor=scene.person(on_call=None),
        title="moved to the supported runtime",
        previous_expires_at=ends,
    )
    scene.planted("P24", FAMILY, [notice], [moved])


def before_opening(scene: Scene) -> None:
    """Down at night, while nobody is there to need it; repaired hours before the doors open."""
    alert = scene.fires(0, "TargetDown", "critical", value=0.0, limit=1.0, unit="instances", bound="min")
    person = scene.person()
    scene.acks(scene.minutes(4, 15), alert, person)
    acted = scene.minutes(30, 80)
    fixed = scene.tell(acted, "change.restarted", CLUSTER, subject=f"{scene.service}/deployment", actor=person)
    scene.clears(acted + scene.minutes(2, 8), alert)
    scene.planted("P25", FAMILY, [alert], [fixed])


def same_again(scene: Scene) -> None:
    """The same disk, three weeks later: emptied by hand both times."""
    person = scene.person()
    for start in (0, 21 * DAY):
        alert = scene.fires(
            start,
            "DiskFilling",
            "high",
            value=96.0,
            limit=100.0,
            unit="percent",
            bound="max",
            subject=f"disk/{scene.service}-0",
        )
        scene.acks(start + 4 * MINUTE, alert, person)
        acted = start + scene.minutes(15, 50)
        fixed = scene.tell(acted, "change.ran", SHELL, subject=f"disk/{scene.service}-0", actor=person, title="emptied")
        scene.clears(acted + 4 * MINUTE, alert, value=61.0, limit=100.0)
        scene.planted("P33" if start == 0 else "P26", "margin" if start == 0 else FAMILY, [alert], [fixed])


def fix_caused_next(scene: Scene) -> None:
    """The failover ends the first alert and brings the next one, on what leans on it; that is ended too."""
    person = scene.person()
    first = scene.fires(0, "PrimarySlow", "high")
    scene.acks(scene.minutes(2, 4), first, person)
    failed_over = scene.tell(15 * MINUTE, "change.failed_over", CLOUD, subject=f"{scene.service}/primary", actor=person)
    scene.clears(19 * MINUTE, first)
    caller = scene.neighbour()
    second = scene.fires(scene.minutes(28, 45), "ConnectionsRefused", "critical", service=caller)
    scene.acks(47 * MINUTE, second, person)
    restarted = scene.tell(
        scene.minutes(50, 65), "change.restarted", CLUSTER, service=caller, subject=f"{caller}/deployment", actor=person
    )
    scene.clears(70 * MINUTE, second)
    scene.planted("P27", FAMILY, [first, second], [failed_over, restarted])


def forced_change(scene: Scene) -> None:
    """A fault that nobody sees from outside forces an emergency restart of every host."""
    person = scene.person()
    number = f"INC-{scene.random.randrange(1000, 9999)}"
    opened = scene.tell(
        0,
        "incident.opened",
        INCIDENTS,
        subject=number,
        severity="high",
        actor=person,
        labels={"impact": "none"},
        title="hosts hold an expired lease and must not restart by themselves",
    )
    restarts = [
        scene.tell(
            2 * HOUR + at * 10 * MINUTE,
            "change.restarted",
            SHELL,
            subject=f"{scene.service}/host-{at}",
            actor=person,
            labels={"change_type": "emergency", "incident": number},
        )
        for at in range(4)
    ]
    scene.tell(4 * HOUR, "incident.closed", INCIDENTS, subject=number, labels={"impact": "none"})
    scene.planted("P28", FAMILY, [opened], restarts)


def upgrade_held(scene: Scene) -> None:
    """An upgrade is stopped because something is wrong with it; it goes on once that is repaired."""
    person = scene.person(on_call=None)
    subject = f"{scene.service}/upgrade"
    held = scene.tell(
        0,
        "change.held",
        DEPLOYS,
        subject=subject,
        actor=person,
        labels={"reason": "fault", "fault": "migration hangs"},
        title="upgrade held: the migration hangs on the copy",
    )
    fixed = scene.tell(
        scene.hours(3, 8), "change.configured", TERRAFORM, subject=subject, actor=person, title="migration corrected"
    )
    scene.deploys(scene.hours(9, 20), person, subject=subject)
    scene.planted("P29", FAMILY, [held], [fixed])
