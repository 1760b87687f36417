"""The incidents of a made-up year: users were hit, at once or as it turned out later. No draft may stand on one.

Each tells one story with what tools and people would have sent; the feeds stay silent where they would have seen it.
"""

from __future__ import annotations

from monitor.core.model.events import DAY, HOUR, MINUTE, Event, Instant
from monitor.lab.year.scene import CLOUD, CLUSTER, INCIDENTS, SHELL, STATUS, TERRAFORM, TICKETS, Scene, Story


def face_of(scene: Scene) -> str:
    """What users see of the service."""
    catalogue = scene.world.organisation.catalogue
    above = sorted(name for name in catalogue.upward(scene.service) if catalogue.is_user_facing(name))
    return scene.random.choice(above)


def _announce(scene: Scene, face: str | None, start: int, end: int, evidence: str, source: str) -> list[Event]:
    labels = {"evidence": evidence}
    subject = f"impact/{scene.random.randrange(100_000)}"
    about = {"subject": subject, "service": face, "labels": labels, "environment": "production" if face else None}
    return [
        scene.tell(start, "impact.started", source, **about),
        scene.tell(end, "impact.ended", source, **about),
    ]


def _ticket(scene: Scene, after: int, face: str, *, began: int, title: str) -> None:
    """A user tells it later than it hurt."""
    scene.tell(
        after,
        "impact.started",
        TICKETS,
        service=face,
        subject=f"ticket/{scene.random.randrange(100_000)}",
        began_at=Instant(scene.at + began),
        labels={"evidence": "ticket"},
        title=title,
    )


def bad_release(scene: Scene) -> None:
    """A release breaks pages; rolled back in a quarter of an hour, and users had noticed."""
    face = face_of(scene)
    deployed = scene.deploys(0)
    alert = scene.fires(4 * MINUTE, "ErrorsElevated", "critical")
    person = scene.person()
    scene.acks(6 * MINUTE, alert, person)
    end = scene.minutes(18, 28)
    scene.hit(face, 3 * MINUTE, end)
    _announce(scene, face, 5 * MINUTE, end, "synthetic", "blackbox/main")
    scene.takes_back(15 * MINUTE, deployed, person)
    scene.clears(end + 2 * MINUTE, alert)
    scene.harmed()


def overload(scene: Scene) -> None:
    """Too many visitors; a status post, more machines, an hour until it is over."""
    face = face_of(scene)
    measured = {"value": 99.0, "limit": 100.0, "unit": "percent", "bound": "max"}
    alert = scene.fires(0, "PoolNearlyUsedUp", "critical", subject=f"pool/{scene.service}", **measured)
    person = scene.person()
    scene.acks(3 * MINUTE, alert, person)
    end = scene.minutes(50, 80)
    scene.hit(face, 8 * MINUTE, end)
    _announce(scene, face, 14 * MINUTE, end, "status_post", STATUS)
    scene.tell(30 * MINUTE, "change.scaled", CLOUD, subject=f"pool/{scene.service}", actor=person)
    scene.clears(end + 5 * MINUTE, alert)
    scene.harmed()


def told_by_customers(scene: Scene) -> None:
    """All green, all repaired, and hours later the tickets tell that it had hurt."""
    face = face_of(scene)
    alert = scene.fires(0, "CrashLooping", "high")
    person = scene.person()
    scene.acks(2 * MINUTE, alert, person)
    scene.tell(25 * MINUTE, "change.restarted", CLUSTER, subject=f"{scene.service}/deployment", actor=person)
    scene.clears(31 * MINUTE, alert)
    _ticket(scene, scene.hours(4, 60), face, began=5 * MINUTE, title="orders were lost")
    scene.harmed(known_late=True)


def declared_afterwards(scene: Scene) -> None:
    """The incident is opened without impact; two days later its last word is that users were hit."""
    person = scene.person()
    subject = f"INC-{scene.random.randrange(1000, 9999)}"
    deployed = scene.deploys(0)
    alert = scene.fires(6 * MINUTE, "LatencyRising", "high")
    scene.acks(8 * MINUTE, alert, person)
    scene.tell(10 * MINUTE, "incident.opened", INCIDENTS, subject=subject, actor=person, labels={"impact": "unknown"})
    scene.takes_back(19 * MINUTE, deployed, person)
    scene.clears(24 * MINUTE, alert)
    scene.tell(2 * HOUR, "incident.closed", INCIDENTS, subject=subject, labels={"impact": "none"})
    scene.tell(
        2 * DAY,
        "incident.updated",
        INCIDENTS,
        subject=subject,
        labels={"impact": "users"},
        began_at=Instant(scene.at + 4 * MINUTE),
        title="review: some payments failed",
    )
    scene.harmed(known_late=True)


def fix_hurt(scene: Scene) -> None:
    """The failing node was harmless; moving off it logged everybody out."""
    face = face_of(scene)
    alert = scene.fires(0, "DiskErrors", "high")
    person = scene.person()
    scene.acks(4 * MINUTE, alert, person)
    scene.tell(30 * MINUTE, "change.failed_over", CLOUD, subject=f"{scene.service}/primary", actor=person)
    scene.hit(face, 30 * MINUTE, 44 * MINUTE)
    _announce(scene, face, 33 * MINUTE, 44 * MINUTE, "slo", "slo/main")
    scene.clears(40 * MINUTE, alert)
    scene.harmed()


def old_key_in_use(scene: Scene) -> None:
    """A rotation goes well, until the old key ends eighty minutes later and uploads fail."""
    face = face_of(scene)
    subject = f"certificate/{scene.service}"
    ends = Instant(scene.at + 100 * MINUTE)
    person = scene.person()
    alert = scene.fires(0, "CertificateEnds", "high", subject=subject, expires_at=ends)
    scene.tell(
        20 * MINUTE,
        "change.rotated",
        TERRAFORM,
        subject=subject,
        actor=person,
        previous_expires_at=ends,
        expires_at=Instant(scene.at + 90 * DAY),
    )
    scene.clears(25 * MINUTE, alert)
    scene.hit(face, 100 * MINUTE, 150 * MINUTE)
    _announce(scene, face, 104 * MINUTE, 150 * MINUTE, "synthetic", "blackbox/main")
    scene.harmed()


def wrong_target_hurt(scene: Scene) -> None:
    """Deleted in the wrong place and created again, but requests had failed meanwhile."""
    face = face_of(scene)
    person = scene.person(on_call=None)
    subject = f"{scene.service}/records"
    labels = {"workspace": "staging", "target": "production"}
    scene.tell(0, "change.deleted", SHELL, subject=subject, actor=person, labels=labels)
    scene.hit(face, 2 * MINUTE, 22 * MINUTE)
    _announce(scene, face, 6 * MINUTE, 22 * MINUTE, "synthetic", "blackbox/main")
    scene.tell(20 * MINUTE, "change.restored", TERRAFORM, subject=subject, actor=person)
    scene.harmed()


def everything_down(scene: Scene) -> None:
    """The entrance is gone for half an hour; the status page speaks to everybody and names no service."""
    alert = scene.fires(0, "TargetDown", "critical")
    person = scene.person()
    scene.acks(MINUTE, alert, person)
    for face in scene.world.organisation.faces:
        scene.hit(face, MINUTE, 32 * MINUTE)
    _announce(scene, None, 9 * MINUTE, 32 * MINUTE, "status_post", STATUS)
    scene.tell(27 * MINUTE, "change.configured", TERRAFORM, subject=f"{scene.service}/routes", actor=person)
    scene.clears(33 * MINUTE, alert)
    scene.harmed()


def flag_hurt(scene: Scene) -> None:
    """Switched on and off in ten minutes, and the basket was empty for those who looked."""
    face = face_of(scene)
    flag = f"new-basket-{scene.random.randrange(100)}"
    person = scene.person(on_call=None)
    scene.tell(0, "change.flag_set", "flags/main", subject=flag, actor=person, labels={"flag": flag, "value": "on"})
    scene.tell(
        9 * MINUTE, "change.flag_set", "flags/main", subject=flag, actor=person, labels={"flag": flag, "value": "off"}
    )
    _ticket(scene, scene.hours(5, 30), face, began=2 * MINUTE, title="my basket was empty")
    scene.harmed(known_late=True)


HARMS: tuple[Story, ...] = (
    bad_release,
    overload,
    told_by_customers,
    fix_hurt,
    bad_release,
    declared_afterwards,
    old_key_in_use,
    overload,
    wrong_target_hurt,
    flag_hurt,
    bad_release,
    everything_down,
)
"""In the order in which a year takes them, again from the front when they are used up."""
EVERYWHERE: frozenset[Story] = frozenset({everything_down})


def unrelated_harm(scene: Scene) -> None:
    """A supplier fails, and users of something else entirely notice for twenty minutes."""
    scene.hit(scene.service, 0, 20 * MINUTE)
    _announce(scene, scene.service, 0, 20 * MINUTE, "synthetic", "blackbox/main")
