"""The risk of a near miss by two questions: the worst credible outcome, and what still stood between.

People choose both; the facts only propose the second. The index is that of the scheme ARMS-ERC, from 1 to 2500.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Literal

import msgspec

from monitor.core.model.events import Event, EventId
from monitor.core.model.near_miss import Draft


class Outcome(StrEnum):
    """What could credibly have happened, had nothing stood between; the worst first."""

    LASTING_HARM = "lasting_harm"
    OUTAGE = "outage"
    DEGRADED = "degraded"
    INTERNAL = "internal"


class Barrier(StrEnum):
    """What still stood between when it was stopped; the most dependable first."""

    AUTOMATION = "automation"
    ON_CALL = "on_call"
    BY_ACCIDENT = "by_accident"
    LUCK = "luck"


_INDEX: dict[Outcome, tuple[int, int, int, int]] = {
    Outcome.LASTING_HARM: (50, 102, 500, 2500),
    Outcome.OUTAGE: (10, 21, 100, 500),
    Outcome.DEGRADED: (2, 4, 20, 100),
    Outcome.INTERNAL: (1, 1, 1, 1),
}
_BARRIERS = tuple(Barrier)
NOTICED_BY_MACHINES = frozenset({"alert.fired", "responder.paged", "alert.escalated"})


class Risk(msgspec.Struct, frozen=True):
    """One person's answer to both questions."""

    outcome: Outcome
    barrier: Barrier

    @property
    def index(self) -> int:
        """1 (nothing to learn from) to 2500 (lasting harm, and luck alone prevented it)."""
        return _INDEX[self.outcome][_BARRIERS.index(self.barrier)]

    @property
    def place(self) -> int:
        """By what the queue is sorted first: a draft that nobody assessed has 0, what cost only work comes after it."""
        return -1 if self.outcome is Outcome.INTERNAL else self.index


class Proposal(msgspec.Struct, frozen=True):
    """What the facts say stood between, and the fact that says so."""

    barrier: Barrier
    because: str


def propose_barrier(draft: Draft) -> Proposal | None:
    """From what was left and who caught it; None where no fact says it."""
    margin = draft.margin
    if margin is not None and margin.measure in ("deadline", "headroom") and margin.value <= 0:
        return Proposal(Barrier.LUCK, "nothing was left of the margin")
    acts = [cited.event for cited in draft.evidence if cited.role == "intervention"]
    if not acts:
        return Proposal(Barrier.LUCK, "nobody and nothing acted")
    people = [act.actor for act in acts if act.actor is not None and act.actor.kind == "human"]
    if not people:
        if any(act.actor is not None and act.actor.kind == "automation" for act in acts):
            return Proposal(Barrier.AUTOMATION, "automation acted, no person did")
        return None
    if any(actor.on_call for actor in people):
        return Proposal(Barrier.ON_CALL, "someone on call acted")
    if any(actor.on_call is False for actor in people):
        return Proposal(Barrier.BY_ACCIDENT, "someone acted who was not on call")
    if not any(cited.event.kind in NOTICED_BY_MACHINES for cited in draft.evidence):
        return Proposal(Barrier.BY_ACCIDENT, "a person acted without any alert")
    return Proposal(Barrier.ON_CALL, "a person acted after an alert")


class Share(StrEnum):
    """Who may see a record outside of the team."""

    TEAM = "team"
    ORGANISATION = "organisation"
    PUBLIC = "public"


class OpenUntil(msgspec.Struct, frozen=True):
    """A condition that the machine watches. `thing`: what it is about, as events name it; `words`: for people.

    `since`, `until` in microseconds: when it began, and when it ends by itself or is due. `value`: what a flag is.
    """

    what: Literal["silence", "flag", "redundancy", "deadline"]
    thing: str
    service: str | None
    since: int
    words: str
    until: int | None = None
    value: str | None = None

    @property
    def key(self) -> str:
        """Which of a record's conditions it is."""
        return f"{self.what}:{self.thing}"


class Handling(msgspec.Struct, frozen=True):
    """What people settled besides the decision.

    `returns_at`: when it comes back into the queue: a draft that was snoozed, an accepted risk that expires, an
    accepted record whose `open_condition` still holds. `team`: to whom it was handed over. `added`: events that people
    found to belong to it; `left_out`: those of the machine's that do not.
    """

    risk: Risk | None = None
    returns_at: int | None = None
    open_condition: str | None = None
    team: str | None = None
    share: Share = Share.TEAM
    added: tuple[Event, ...] = ()
    left_out: tuple[EventId, ...] = ()
    open_until: OpenUntil | None = None
    """What the machine looks for to close the open condition; None: it comes back and asks."""
