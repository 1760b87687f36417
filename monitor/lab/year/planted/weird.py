"""Planted near misses of the family "that's weird": somebody, or some check, noticed something off.

Each is told from its pattern in words; what a rule would look for is not known here.
"""

from __future__ import annotations

from monitor.core.model.events import DAY, HOUR, MINUTE, Instant
from monitor.lab.year.scene import BATCH, BOT, CHAT, CLUSTER, CODE, DEPLOYS, INCIDENTS, PAGES, TERRAFORM, TICKETS, Scene

FAMILY = "thats_weird"


def odd_report(scene: Scene) -> None:
    """Someone from another team writes that it looks odd; two people look, and repair it within two hours."""
    seen = scene.note(0, "totals on the internal dashboard look odd since lunch", source=TICKETS, severity="high")
    first, second = scene.person(on_call=True), scene.person(on_call=False)
    scene.tell(scene.minutes(4, 12), "responder.joined", PAGES, actor=first)
    scene.tell(scene.minutes(14, 25), "responder.joined", PAGES, actor=second)
    acted = scene.minutes(35, 110)
    fixed = scene.tell(
        acted,
        "change.configured",
        TERRAFORM,
        subject=f"{scene.service}/settings",
        actor=second,
        title="connection settings corrected",
    )
    scene.note(acted + scene.minutes(5, 20), "back to normal, thanks")
    scene.planted("P01", FAMILY, [seen], [fixed])


def small_incident(scene: Scene) -> None:
    """A person opens an incident of low severity at night, before any page, and restarts what leaks."""
    person = scene.person(on_call=True)
    subject = f"INC-{scene.random.randrange(1000, 9999)}"
    opened = scene.tell(
        0,
        "incident.opened",
        INCIDENTS,
        subject=subject,
        severity="warning",
        actor=person,
        title="odd connection counts",
        labels={"impact": "none", "declared_by": "person"},
    )
    other = scene.person(on_call=True)
    scene.tell(scene.minutes(5, 15), "responder.joined", PAGES, actor=other)
    acted = scene.minutes(25, 90)
    fixed = scene.tell(acted, "change.restarted", CLUSTER, subject=f"{scene.service}/deployment", actor=other)
    scene.tell(
        acted + scene.minutes(20, 60),
        "incident.closed",
        INCIDENTS,
        subject=subject,
        actor=person,
        labels={"impact": "none"},
    )
    scene.planted("P01", FAMILY, [opened], [fixed])


def staging_shares(scene: Scene) -> None:
    """The certificate fails in staging; production carries the same one, and it is changed there in time."""
    fingerprint = f"{scene.random.getrandbits(64):016x}"
    subject = f"client-certificate/{scene.service}"
    labels = {"fingerprint": fingerprint}
    failed = scene.fires(0, "HandshakeFailing", "high", environment="staging", subject=subject, labels=labels)
    person = scene.person()
    scene.acks(scene.minutes(3, 20), failed, person)
    acted = scene.hours(2, 9)
    changed = scene.tell(
        acted,
        "change.rotated",
        TERRAFORM,
        subject=subject,
        actor=person,
        labels=labels,
        title="client certificate replaced before production would use it",
        expires_at=Instant(scene.at + acted + 365 * DAY),
    )
    scene.clears(acted + HOUR, failed)
    scene.planted("P02", FAMILY, [failed], [changed])


def staging_held(scene: Scene) -> None:
    """The new version crashes in staging, and somebody holds it before production gets it."""
    version = scene.world.version(scene.service, newer=True)
    subject = f"{scene.service}/deployment"
    labels = {"version": version}
    scene.tell(0, "change.deployed", DEPLOYS, environment="staging", subject=subject, actor=BOT, labels=labels)
    failed = scene.fires(8 * MINUTE, "CrashLooping", "high", environment="staging", subject=subject, labels=labels)
    held = scene.tell(
        scene.minutes(15, 40),
        "change.held",
        DEPLOYS,
        subject=subject,
        actor=scene.person(),
        labels=labels,
        title="production roll-out stopped: it crashes in staging",
    )
    scene.clears(scene.hours(3, 6), failed)
    scene.planted("P02", FAMILY, [failed], [held])


def telemetry_gap(scene: Scene) -> None:
    """One node sends no logs while its peers do; somebody notices and brings its agent back."""
    node = f"node-{scene.random.randrange(80)}"
    gap = scene.fires(
        0,
        "LogsMissingFromNode",
        "warning",
        subject=node,
        value=0.0,
        limit=1.0,
        unit="lines per second",
        bound="min",
        labels={"node": node, "peers": "normal"},
    )
    acted = scene.minutes(30, 150)
    fixed = scene.tell(
        acted,
        "change.restarted",
        CLUSTER,
        subject=node,
        actor=scene.person(),
        labels={"node": node},
        title=f"log agent on {node} restarted",
    )
    scene.clears(acted + scene.minutes(2, 8), gap, value=31.0, limit=1.0)
    scene.planted("P03", FAMILY, [gap], [fixed])


def mismatch_held(scene: Scene) -> None:
    """Two systems disagree on the invoices; the batch is held, corrected and sent before its cut-off."""
    cut_off = Instant(scene.at + 9 * HOUR)
    subject = f"invoices/{scene.random.randrange(10_000)}"
    found = scene.fires(
        0,
        "TotalsDisagree",
        "high",
        source=BATCH,
        subject=subject,
        value=104_212.0,
        limit=98_730.0,
        unit="EUR",
        bound="expected",
        expires_at=cut_off,
    )
    person = scene.person(on_call=None)
    scene.acks(scene.minutes(5, 30), found, person)
    held = scene.tell(
        scene.minutes(40, 70), "change.held", BATCH, subject=subject, actor=person, title="batch held before sending"
    )
    corrected = scene.tell(
        scene.hours(3, 5), "change.ran", BATCH, subject=subject, actor=person, title="batch computed anew"
    )
    scene.clears(6 * HOUR, found, value=98_730.0, limit=98_730.0)
    scene.tell(8 * HOUR, "change.ran", BATCH, subject=subject, actor=BOT, title="invoices sent")
    scene.planted("P04", FAMILY, [found], [held, corrected])


def watcher_aborts(scene: Scene) -> None:
    """A person deploys, sees something odd that no alert sees, and takes it back within minutes."""
    person = scene.person()
    deployed = scene.deploys(0, person)
    back = scene.takes_back(scene.minutes(4, 13), deployed, person)
    scene.planted("P06", FAMILY, [deployed], [back])


def watcher_aborts_bot(scene: Scene) -> None:
    """The pipeline deploys; its author watches the graphs and deploys the version before, without an alert."""
    scene.tell(0, "change.merged", CODE, environment=None, actor=scene.person(on_call=None))
    deployed = scene.deploys(20 * MINUTE)
    back = scene.takes_back(scene.minutes(25, 34), deployed, scene.person(on_call=None), said=False)
    scene.planted("P06", FAMILY, [deployed], [back])


def benchmark_catches(scene: Scene) -> None:
    """The nightly comparison finds a merged change too slow; it is reverted before the release is cut."""
    commit = f"{scene.random.getrandbits(40):010x}"
    release = Instant(scene.at + 14 * HOUR)
    labels = {"commit": commit}
    merged = scene.tell(0, "change.merged", CODE, environment=None, subject=commit, labels=labels)
    slower = scene.fires(
        scene.hours(1, 3),
        "BenchmarkRegressed",
        "warning",
        source="benchmarks/main",
        environment=None,
        subject=commit,
        labels=labels,
        value=1.38,
        limit=1.05,
        unit="ratio",
        bound="max",
        expires_at=release,
    )
    revert = f"{scene.random.getrandbits(40):010x}"
    reverted = scene.tell(
        scene.hours(5, 10),
        "change.merged",
        CODE,
        environment=None,
        subject=commit,
        actor=scene.person(on_call=None),
        labels={"commit": revert, "reverts": commit},
        title="revert: slower serialisation",
    )
    scene.clears(11 * HOUR, slower)
    scene.tell(14 * HOUR, "change.started", DEPLOYS, actor=BOT, title="release cut", labels={"commit": revert})
    scene.planted("P07", FAMILY, [merged, slower], [reverted])


def curious_latency(scene: Scene) -> None:
    """Half a second too much at login; somebody digs, finds a tampered library, and it is pinned everywhere."""
    subject = "dependency/libcompress"
    seen = scene.note(
        0,
        "logins take 500 ms longer with the new image, and I cannot explain it",
        subject=subject,
        value=0.8,
        limit=0.3,
        unit="s",
        labels={"dependency": "libcompress", "version": "5.6.1"},
    )
    scene.note(scene.hours(2, 5), "it is in the library; looking at its build", subject=subject)
    pinned = scene.tell(
        scene.hours(7, 20),
        "change.configured",
        CODE,
        subject=subject,
        actor=scene.person(on_call=None),
        title="libcompress pinned to 5.4",
        labels={"dependency": "libcompress", "version": "5.4", "reverts": "5.6.1"},
    )
    scene.tell(
        24 * HOUR,
        "impact.clear",
        "inventory/main",
        covers_from=Instant(scene.at - 30 * DAY),
        labels={"evidence": "inventory"},
        title="5.6.1 was never deployed",
    )
    scene.planted("P08", FAMILY, [seen], [pinned])


def noticed_in_chat(scene: Scene) -> None:
    """Two people write that something is off on a Saturday; one of them restarts what hangs."""
    seen = scene.note(0, "is anybody else seeing stale numbers?", source=CHAT, severity="warning")
    scene.note(scene.minutes(6, 15), "yes, looking into it")
    person = scene.person(on_call=False)
    scene.tell(scene.minutes(8, 20), "responder.joined", PAGES, actor=person)
    fixed = scene.tell(
        scene.minutes(30, 80), "change.restarted", CLUSTER, subject=f"{scene.service}/consumer", actor=person
    )
    scene.note(scene.minutes(85, 100), "numbers move again")
    scene.planted("P01", FAMILY, [seen], [fixed])
