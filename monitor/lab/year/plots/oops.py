"""Slips that were reverted in time: deploys, settings, flags, wrong targets, deletions."""

from __future__ import annotations

from monitor.lab.year.bodies import shipping
from monitor.lab.year.plots.plot import Plot, maybe_page, told, trouble
from monitor.lab.year.scene import StoryScene
from monitor.lab.year.truth import PlotResult

_HURTS = ("RequestErrorsUp", "SlowAnswers", "MemoryHigh", "CrashLooping")


def put_back_early(scene: StoryScene) -> PlotResult:
    """A release makes the service worse; the version before it goes out again."""
    who = scene.somebody()
    shipped = scene.deploy(who)
    scene.later(3, 20)
    alarm, paging, danger = trouble(scene, scene.random.choice(_HURTS))
    scene.later(3, 25)
    act = scene.put_back(who if scene.chance(0.6) else scene.somebody())
    scene.later(2, 9)
    scene.end(alarm, paging)
    return told(scene, danger + shipped, act)


def reverted_in_source(scene: StoryScene) -> PlotResult:
    """The way back leads through the repository: revert, build, deploy."""
    who, title = scene.somebody(), scene.random.choice(("Batch the writes", "New retry policy", "Faster parser"))
    first, second = scene.world.new_version(), scene.world.new_version()
    scene.merge(title, who, first)
    scene.later(4, 15)
    shipped = scene.deploy(who, version=first)
    scene.later(10, 50)
    alarm, paging, danger = trouble(scene, scene.random.choice(_HURTS))
    scene.later(5, 30)
    back = scene.merge(title, who, second, undoes=first)
    scene.later(6, 15)
    out = scene.deploy(who, version=second)
    scene.later(2, 8)
    scene.end(alarm, paging)
    return told(scene, danger + shipped, back + out)


def taken_out_unasked(scene: StoryScene) -> PlotResult:
    """The deployer watches the graphs and rolls back before any alert."""
    who = scene.somebody()
    shipped = scene.deploy(who)
    scene.later(3, 12)
    noted = scene.note(who, f"numbers of {scene.part.name} look off since the release, taking it back")
    scene.later(1, 8)
    act = scene.put_back(who)
    scene.later(5, 10)
    return told(scene, noted + shipped, act)


def switched_off(scene: StoryScene) -> PlotResult:
    """A switch is turned on, something goes wrong, the switch is turned off."""
    who, flag = scene.somebody(), f"{scene.part.name}.{scene.random.choice(('new-flow', 'fast-path', 'v2-form'))}"
    on = scene.flag(who, flag, "true")
    scene.later(2, 14)
    alarm, paging, danger = trouble(scene, scene.random.choice(_HURTS))
    scene.later(2, 12)
    off = scene.flag(who if scene.chance(0.6) else scene.somebody(), flag, "false")
    scene.later(2, 6)
    scene.end(alarm, paging)
    return told(scene, danger + on, off)


def setting_put_back(scene: StoryScene) -> PlotResult:
    """A setting is edited, and edited back when it shows."""
    who = scene.somebody()
    what = scene.random.choice(("timeout", "retry budget", "cache size", "rate limit", "worker count"))
    subject = f"{scene.part.name}/{what.replace(' ', '_')}"
    old, new = scene.random.sample(range(5, 900, 5), 2)
    changed = scene.console(
        "change.configured", f"{what} {old} to {new}", who, subject=subject, labels={"value": str(new)}
    )
    scene.later(4, 30)
    alarm, paging, danger = trouble(scene, scene.random.choice(_HURTS))
    scene.later(4, 25)
    back = scene.console(
        "change.configured", f"{what} {new} to {old}", who, subject=subject, labels={"value": str(old)}
    )
    scene.later(2, 8)
    scene.end(alarm, paging)
    return told(scene, danger + changed, back)


def wrong_place(scene: StoryScene) -> PlotResult:
    """What was meant for somewhere else is done here, noticed, and put right."""
    who = scene.somebody()
    part = scene.part
    slip = scene.console("change.deleted", f"delete {part.namespace}/{part.name} config map", who, subject=part.name)
    scene.later(1, 4)
    seen = slip
    for _ in range(scene.random.randint(1, 3)):
        seen += scene.cluster(part, "Pod", scene.pod_of(part), "FailedMount", "MountVolume.SetUp failed: not found")
        scene.later(0.5, 2)
    alarm, fired = scene.alert("CrashLooping")
    paging, paged = maybe_page(scene, alarm)
    scene.later(2, 15)
    right = scene.console("change.restored", f"put back config map of {part.name}", who, subject=part.name)
    scene.later(2, 8)
    scene.end(alarm, paging)
    return told(scene, seen + fired + paged, right)


def undone_here_done_there(scene: StoryScene) -> PlotResult:
    """The same command at the wrong service first, undone within minutes, then at the right one. No machine notices."""
    who, other = scene.somebody(), scene.neighbour()
    if other is scene.part:
        other = scene.random.choice(list(scene.organisation.parts.values()))
    value = str(scene.random.choice((12, 20, 32, 48)))
    verb = scene.random.choice(("change.scaled", "change.configured"))
    title = "set workers to " + value
    slip = scene.console(verb, title, who, subject="workers", labels={"value": value})
    scene.later(1, 8)
    undone = scene.console(verb, "set workers to 6", who, subject="workers", labels={"value": "6"})
    scene.later(1, 9)
    scene.console(verb, title, who, other, subject="workers", labels={"value": value})
    scene.later(5, 10)
    return told(scene, slip, undone)


def deleted_and_restored(scene: StoryScene) -> PlotResult:
    """Something that is in use is deleted, and comes back before its users miss it."""
    who = scene.somebody()
    thing = scene.random.choice(("bucket", "topic", "table", "DNS record", "index"))
    subject = f"{thing.lower().replace(' ', '-')}/{scene.part.name}"
    gone = scene.console("change.deleted", f"delete {thing} of {scene.part.name}", who, subject=subject)
    scene.later(2, 25)
    noted = scene.note(scene.somebody(), f"where did the {thing} of {scene.part.name} go?") if scene.chance(0.6) else ()
    scene.later(2, 20)
    back = scene.console("change.restored", f"restore {thing} of {scene.part.name}", who, subject=subject)
    scene.later(3, 12)
    return told(scene, gone + noted, back)


def leaked_and_revoked(scene: StoryScene) -> PlotResult:
    """A leaked key is rotated before any use."""
    who, part, began = scene.somebody(), scene.part, scene.at
    number = scene.world.number()
    repo = part.names["github"]
    leaked = scene.send(
        shipping.leaked_secret(scene.company, repo, number, "created", began, scene.at, "github-advanced-security[bot]")
    )
    scene.later(8, 150)
    renewed = scene.console("change.rotated", f"rotate the key of {part.name}", who, subject=f"key/{part.name}")
    scene.later(2, 20)
    revoked = scene.send(shipping.leaked_secret(scene.company, repo, number, "resolved", began, scene.at, who.login))
    return told(scene, leaked, renewed + revoked)


PLOTS = (
    Plot("release put back early", "oops", put_back_early, 2.5),
    Plot("reverted in the source", "oops", reverted_in_source, 1.5),
    Plot("taken out unasked", "oops", taken_out_unasked, 0.8),
    Plot("switched off again", "oops", switched_off, 1.5),
    Plot("setting put back", "oops", setting_put_back, 1.5),
    Plot("wrong place put right", "oops", wrong_place),
    Plot("undone here, done there", "oops", undone_here_done_there, 1.0, can_hurt=False),
    Plot("deleted and restored", "oops", deleted_and_restored),
    Plot("leaked and revoked", "oops", leaked_and_revoked, 0.6, can_hurt=False),
)
