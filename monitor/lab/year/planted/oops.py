"""Planted near misses of the family "oops, I did it again": a slip that did not reach users, because it was undone.

Each is told from its pattern in words; what a rule would look for is not known here.
"""

from __future__ import annotations

from monitor.core.model.events import DAY, HOUR, MINUTE, Instant
from monitor.lab.year.scene import (
    BOT,
    CLOUD,
    CODE,
    DEPLOYS,
    FLAGS,
    GUARD,
    PAGES,
    ROLLOUTS,
    SHELL,
    TERRAFORM,
    Scene,
)

FAMILY = "oops"


def rolled_back_early(scene: Scene) -> None:
    """A deployment makes latency rise; it is rolled back within half an hour, before the budget burned."""
    deployed = scene.deploys(0)
    alert = scene.fires(scene.minutes(4, 15), "LatencyRising", "warning")
    person = scene.person()
    scene.acks(scene.minutes(16, 18), alert, person)
    acted = scene.minutes(20, 33)
    # Often it is the author of the release who takes it back, not who took the warning.
    author = person if scene.random.random() < 0.6 else scene.person(on_call=None)
    back = scene.takes_back(acted, deployed, author)
    scene.clears(acted + scene.minutes(3, 10), alert)
    scene.planted("P09", FAMILY, [alert, deployed], [back])


def redeployed_early(scene: Scene) -> None:
    """As before, but the alert is on the caller, and the tool only knows deployments."""
    deployed = scene.deploys(0)
    above = sorted(scene.world.organisation.catalogue.neighbours(scene.service) - {scene.service})
    caller = scene.random.choice(above) if above else scene.service
    alert = scene.fires(scene.minutes(5, 12), "ErrorRatioRising", "high", service=caller)
    acted = scene.minutes(15, 28)
    person = scene.person()
    scene.acks(scene.minutes(13, 14), alert, person)
    back = scene.takes_back(acted, deployed, person, said=False)
    scene.clears(acted + scene.minutes(4, 9), alert)
    scene.planted("P09", FAMILY, [alert, deployed], [back])


def canary_aborted(scene: Scene) -> None:
    """The canary was the last gate: its analysis fails at five percent, and the roll-out takes itself back."""
    version = scene.world.version(scene.service, newer=True)
    labels = {"version": version, "stage": "canary", "traffic_share": "5"}
    subject = f"{scene.service}/rollout"
    about = {"subject": subject, "actor": ROLLOUTS}
    scene.tell(0, "change.started", DEPLOYS, labels=labels, title="canary began", **about)
    failed = scene.tell(
        scene.minutes(6, 12),
        "change.failed",
        DEPLOYS,
        labels={**labels, "analysis": "failed"},
        title="analysis of the canary failed",
        **about,
    )
    back = scene.tell(
        scene.minutes(13, 15),
        "change.rolled_back",
        DEPLOYS,
        labels={"version": f"{version}-1"},
        title="canary ended",
        **about,
    )
    scene.planted("P10", FAMILY, [failed], [back])


def flag_flipped(scene: Scene) -> None:
    """A flag is switched on for everybody by hand and off again within a quarter of an hour."""
    flag = f"new-{scene.random.choice(('basket', 'ranking', 'editor', 'login'))}-{scene.random.randrange(100)}"
    person = scene.person(on_call=None)
    about = {"subject": flag, "actor": person}
    set_on = scene.tell(0, "change.flag_set", FLAGS, labels={"flag": flag, "value": "on"}, **about)
    set_off = scene.tell(scene.minutes(3, 13), "change.flag_set", FLAGS, labels={"flag": flag, "value": "off"}, **about)
    scene.planted("P11", FAMILY, [set_on], [set_off])


def config_reverted(scene: Scene) -> None:
    """A configuration is applied, looks wrong, and its inverse is applied within the hour."""
    person = scene.person(on_call=None)
    subject = f"{scene.service}/network-policy"
    first, second = (f"{scene.random.getrandbits(28):07x}" for _ in range(2))
    before = f"{scene.random.getrandbits(28):07x}"
    applied = scene.tell(
        0,
        "change.configured",
        TERRAFORM,
        subject=subject,
        actor=person,
        labels={"revision": first, "previous_revision": before, "digest": "b2"},
        title="network policy tightened",
    )
    scene.note(scene.minutes(6, 12), "that closes more than I meant", actor=person)
    reverted = scene.tell(
        scene.minutes(15, 50),
        "change.configured",
        TERRAFORM,
        subject=subject,
        actor=person,
        labels={"revision": second, "previous_revision": first, "reverts": first, "digest": "a1"},
        title="revert of the tightened network policy",
    )
    scene.planted("P12", FAMILY, [applied], [reverted])


def wrong_target(scene: Scene) -> None:
    """Meant for a test cluster, run against production; it is put back before anything needed it."""
    person = scene.person(on_call=None)
    subject = f"{scene.service}/node-group"
    labels = {"kube_context": "production", "workspace": "test", "operation": "delete"}
    deleted = scene.tell(0, "change.deleted", SHELL, subject=subject, actor=person, labels=labels)
    alert = scene.fires(scene.minutes(4, 9), "NodesMissing", "warning", subject=subject)
    restored = scene.tell(
        scene.minutes(15, 120), "change.restored", TERRAFORM, subject=subject, actor=person, title="created again"
    )
    scene.clears(scene.minutes(125, 150), alert)
    scene.planted("P13", FAMILY, [deleted], [restored])


def wrong_workspace(scene: Scene) -> None:
    """A plan for another workspace is applied by hand, and applied back from the right one."""
    person = scene.person(on_call=None)
    subject = f"{scene.service}/records"
    labels = {"workspace": "staging", "target": "production"}
    applied = scene.tell(0, "change.configured", TERRAFORM, subject=subject, actor=person, labels=labels)
    fixed = scene.tell(
        scene.minutes(12, 45),
        "change.restored",
        TERRAFORM,
        subject=subject,
        actor=person,
        labels={"workspace": "production", "target": "production"},
    )
    scene.planted("P13", FAMILY, [applied], [fixed])


def guard_refused(scene: Scene) -> None:
    """A person tries to delete what is protected, twice; the guard says no, and they notice where they are."""
    person = scene.person(on_call=None)
    subject = f"{scene.service}/database"
    labels = {"operation": "delete", "guard": "deletion-protection", "criticality": "high"}
    about = {"subject": subject, "actor": person, "severity": "critical", "labels": labels}
    first = scene.tell(0, "change.blocked", CLOUD, title="refused: protected from deletion", **about)
    again = scene.tell(scene.minutes(1, 3), "change.blocked", CLOUD, title="refused: protected from deletion", **about)
    scene.note(scene.minutes(4, 8), "that was the wrong tab, sorry. Nothing happened", actor=person)
    scene.planted("P14", FAMILY, [first, again], [first, again])


def deletion_rescued(scene: Scene) -> None:
    """A live bucket is deleted in a clean-up and brought back while caches still serve it."""
    person = scene.person(on_call=None)
    subject = f"bucket/{scene.service}-assets"
    deleted = scene.tell(0, "change.deleted", CLOUD, subject=subject, actor=person, title="unused bucket removed")
    restored = scene.tell(
        scene.minutes(25, 170), "change.restored", CLOUD, subject=subject, actor=person, title="bucket undeleted"
    )
    scene.tell(
        5 * HOUR,
        "impact.clear",
        "checks/data",
        covers_from=scene.at,
        labels={"evidence": "data_audit"},
        title="all objects are there",
    )
    scene.planted("P15", FAMILY, [deleted], [restored])


def pipeline_cancelled(scene: Scene) -> None:
    """An apply starts by itself on the protected environment; somebody cancels it before it changes anything."""
    subject = f"pipeline/{scene.service}-infrastructure"
    labels = {"approved": "false", "protected": "true", "trigger": "requeued"}
    begun = scene.tell(0, "change.started", CODE, subject=subject, actor=BOT, labels=labels, title="apply began")
    held = scene.tell(
        scene.minutes(1, 6),
        "change.held",
        CODE,
        subject=subject,
        actor=scene.person(on_call=None),
        labels=labels,
        title="apply cancelled",
    )
    scene.planted("P16", FAMILY, [begun], [held])


def secret_leaked(scene: Scene) -> None:
    """A token is pushed to a public repository; it is revoked within hours, and the log shows that nobody used it."""
    subject = f"secret/{scene.service}-token"
    found = scene.fires(
        0, "SecretLeaked", "high", source=f"{CODE}/secret-scanning", subject=subject, labels={"secret_type": "token"}
    )
    person = scene.person()
    scene.acks(scene.minutes(3, 20), found, person)
    acted = scene.minutes(25, 200)
    rotated = scene.tell(
        acted,
        "change.rotated",
        "vault/main",
        subject=subject,
        actor=person,
        title="token revoked and replaced",
        expires_at=Instant(scene.at + 90 * DAY),
    )
    scene.clears(acted + 5 * MINUTE, found)
    scene.tell(
        acted + 26 * HOUR,
        "impact.clear",
        "audit/log",
        covers_from=Instant(scene.at - 2 * DAY),
        labels={"evidence": "audit_log"},
        title="no use by unknown principals",
    )
    scene.planted("P17", FAMILY, [found], [rotated])


def job_killed(scene: Scene) -> None:
    """A bulk deletion selects far too much; it is stopped part-way, and the rows come back from the snapshot."""
    person = scene.person(on_call=None)
    subject = f"job/{scene.service}-purge"
    begun = scene.tell(
        0,
        "change.started",
        "batch/main",
        subject=subject,
        actor=person,
        value=0.0,
        limit=410_000.0,
        unit="rows",
        labels={"operation": "delete"},
        title="purge of old accounts",
    )
    held = scene.tell(
        scene.minutes(2, 9),
        "change.held",
        "batch/main",
        subject=subject,
        actor=person,
        value=1_912.0,
        limit=410_000.0,
        unit="rows",
        title="purge stopped",
    )
    restored = scene.tell(
        scene.hours(1, 4),
        "change.restored",
        SHELL,
        subject=subject,
        actor=person,
        value=1_912.0,
        unit="rows",
        title="rows restored",
    )
    scene.tell(scene.minutes(20, 40), "responder.joined", PAGES, actor=scene.person(on_call=False))
    scene.tell(
        6 * HOUR,
        "impact.clear",
        "checks/data",
        covers_from=scene.at,
        labels={"evidence": "data_audit"},
        title="row counts agree",
    )
    scene.planted("P18", FAMILY, [begun], [held, restored])


def guard_refused_on_shell(scene: Scene) -> None:
    """A dry run shows deletions that nobody wanted; the person breaks it off."""
    person = scene.person(on_call=None)
    subject = f"{scene.service}/state"
    refused = scene.tell(
        0,
        "change.blocked",
        GUARD,
        subject=subject,
        actor=person,
        severity="critical",
        labels={"operation": "destroy", "guard": "plan-policy", "deletes": "17", "criticality": "high"},
        title="plan would delete 17 resources",
    )
    held = scene.tell(
        scene.minutes(1, 5), "change.held", TERRAFORM, subject=subject, actor=person, title="plan dropped"
    )
    scene.planted("P14", FAMILY, [refused], [refused, held])
