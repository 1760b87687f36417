"""A person reports something odd in plain words, and it is fixed."""

from __future__ import annotations

from monitor.lab.year.plots.plot import Plot, told, trouble
from monitor.lab.year.scene import StoryScene
from monitor.lab.year.truth import PlotResult

_SAYINGS = (
    "why is {name} answering twice?",
    "hm, {name} has not written a log line since 9",
    "{name}: half of the pods have an older config, is that right?",
    "this graph of {name} has a step that I cannot explain",
    "does anybody know why {name} talks to the old database?",
)


def said_and_repaired(scene: StoryScene) -> PlotResult:
    who, name = scene.somebody(), scene.part.name
    noted = scene.note(who, scene.random.choice(_SAYINGS).format(name=name))
    scene.later(10, 180)
    repairer = who if scene.chance(0.5) else scene.somebody()
    match scene.random.randrange(4):
        case 0:
            act = scene.restart(repairer)
        case 1:
            act = scene.console(
                "change.configured", f"correct the settings of {name}", repairer, subject=f"{name}/conf"
            )
        case 2:
            act = scene.put_back(repairer)
        case _:
            act = scene.deploy(repairer)
    scene.later(5, 20)
    if scene.chance(0.5):
        scene.note(repairer, f"{name} is fine again, that was it")
    return told(scene, noted, act)


def totals_held(scene: StoryScene) -> PlotResult:
    """Two systems disagree before the statements go out: the run is stopped, corrected and made again."""
    name = scene.part.name
    alarm, paging, danger = trouble(scene, "TotalsDiffer")
    scene.later(10, 80)
    who = scene.somebody()
    held = scene.console("change.held", f"stop the run of {name}", who, subject=f"run/{name}")
    scene.hours(scene.random.uniform(0.5, 5))
    again = scene.console("change.ran", f"run {name} with corrected input", who, subject=f"run/{name}")
    scene.later(10, 40)
    scene.end(alarm, paging)
    return told(scene, danger, held + again)


def records_found(scene: StoryScene) -> PlotResult:
    alarm, paging, danger = trouble(scene, "RecordsMissing")
    scene.later(20, 200)
    act = scene.by_hand(f"sent the missing records of {scene.part.name} again", scene.somebody())
    scene.later(5, 30)
    scene.end(alarm, paging)
    return told(scene, danger, act)


PLOTS = (
    Plot("said and repaired", "thats_weird", said_and_repaired, 2.5),
    Plot("totals held", "thats_weird", totals_held, 0.8, can_hurt=False),
    Plot("records found", "thats_weird", records_found, 0.8),
)
