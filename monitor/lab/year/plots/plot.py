"""The type of a plot, and passages that plots share.

A passage advances the scene's cursor.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

import msgspec

from monitor.core.model.near_miss import Family
from monitor.lab.year.alert_rules import Alarm
from monitor.lab.year.alerts import Paging
from monitor.lab.year.organisation import Part
from monitor.lab.year.scene import StoryScene
from monitor.lab.year.truth import PlotResult
from monitor.lab.year.world import Ids

Needs = Literal["any", "disk", "pool", "hours", "several"]


class Plot(msgspec.Struct, frozen=True):
    """One kind of story. `needs` says on which services it can happen, `days` how long it may take."""

    name: str
    family: Family
    tell: Callable[[StoryScene], PlotResult]
    weight: float = 1.0
    mode: Literal["live", "digest"] = "live"
    needs: Needs = "any"
    can_hurt: bool = True
    days: int = 2

    def fits(self, part: Part) -> bool:
        match self.needs:
            case "disk" | "pool":
                return part.keeps == self.needs
            case "hours":
                return part.hours is not None
            case "several":
                return part.replicas > 2
            case _:
                return True


def maybe_page(scene: StoryScene, alarm: Alarm) -> tuple[Paging | None, Ids]:
    """Some alerts also page; most pages are acknowledged."""
    if not scene.chance(scene.habits.pages_often):
        return None, ()
    scene.later(0.3, 2)
    paging, ids = scene.page(alarm)
    if scene.chance(0.8):
        scene.later(1, 12)
        scene.take(paging)
    return paging, ids


def trouble(scene: StoryScene, fault: str, part: Part | None = None) -> tuple[Alarm, Paging | None, Ids]:
    """An alert, and perhaps a page for it."""
    alarm, fired = scene.alert(fault, part)
    paging, paged = maybe_page(scene, alarm)
    return alarm, paging, fired + paged


def told(scene: StoryScene, hazard: Ids, intervention: Ids) -> PlotResult:
    return PlotResult(hazard, intervention, scene.at)
