"""What a trap is: a name, and a story that gives the events by which a draft about it would be known."""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from monitor.lab.year.scene import StoryScene
from monitor.lab.year.world import Ids


class Trap(msgspec.Struct, frozen=True):
    """`hurts`: users are hit in it, so that a draft would be wrong in the worse way. `days`: how long it lasts."""

    name: str
    tell: Callable[[StoryScene], Ids]
    weight: float = 1.0
    at_night: bool = False
    hurts: bool = False
    days: int = 2
