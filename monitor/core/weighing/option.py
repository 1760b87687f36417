"""A candidate: one act, and for each of the best signs in reach what was known of the pair when the act came."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from monitor.core.model.events import Event
from monitor.core.weighing.acts import DONE
from monitor.core.weighing.shared import is_one_story
from monitor.core.weighing.signs import GRAVE, SignKind

MOST_CITED = 12
COMMON = 1.5
"""How common a sign may be (seven in the last months) to be cited beside another: it does not say when this began."""
_KIND_OF_SIGN: dict[str, SignKind] = {
    "alert.fired": "alert",
    "incident.opened": "record",
    "note.added": "note",
    "change.failed": "failed",
    **dict.fromkeys(DONE, "change"),
}


class Option(msgspec.Struct):
    """A sign that the act may have answered. `began` with `kind`, `key` and `service` find it again.

    `relation`: 0 the same service, 1 next door, 2 two hops or a sibling. `cited`: the events that tell the danger, of
    this sign and of others that stood beside it on the same services.
    """

    kind: SignKind
    key: str
    service: str
    began: int
    relation: int
    values: dict[str, float]
    details: dict[str, str]
    cited: list[Event]
    pairings: list[str] = []


def speaks_for(hazards: Sequence[Event], option: Option) -> bool:
    """Whether a rule with these hazards is about the sign of an option.

    What is no sign of its own, as a page is none, speaks for whatever stood beside it.
    """
    told = [event for event in hazards if event.kind in _KIND_OF_SIGN]
    if not told:
        return True
    alike = [event for event in told if _KIND_OF_SIGN[event.kind] == option.kind]
    if option.kind in ("change", "note"):
        return any(f"{event.source}\x1f{event.id}" == option.key for event in alike)
    return any(event.service == option.service and event.time >= option.began for event in alike)


class Caught(msgspec.Struct):
    """A candidate of the net: an act with its options, the best first as it looked when the act came."""

    id: str
    act: Event
    undone: Event | None
    options: list[Option]

    def cited(self) -> list[Event]:
        """What a draft cites as the danger: the best option's events, and alerts and records of the same service."""
        best, *others = self.options
        same = [
            option
            for option in others
            if option.relation == 0
            and option.kind in ("alert", "record")
            and option.values.get("common_sign", 0.0) < COMMON
            and (option.values.get("severity", 1.0) >= GRAVE or self._is_one_story(option, best))
        ]
        found = [event for option in (best, *same) for event in option.cited] or [self.act]
        distinct = {(event.source, event.id): event for event in found}
        return list(distinct.values())[:MOST_CITED]

    def _is_one_story(self, option: Option, best: Option) -> bool:
        return not option.cited or not best.cited or is_one_story(option.cited[0], best.cited[0], self.act)
