"""What the parts of one engine share: the state, the rules and catalogue in force, and where decisions go."""

from __future__ import annotations

from typing import NamedTuple, Protocol

from monitor.core.deciding.correlator import Correlator
from monitor.core.deciding.late_events import LateEvents
from monitor.core.matching.facts import DerivedFacts
from monitor.core.matching.matcher import Matcher
from monitor.core.model.catalogue import Catalogue
from monitor.core.model.decisions import Decision
from monitor.core.model.events import Event
from monitor.core.state.engine_state import EngineState
from monitor.core.state.ttls import RuleTtls


class Match(Protocol):
    """The steps that an event matches, and the facts derived for it; `derived`: those that were derived before."""

    def __call__(self, event: Event, derived: DerivedFacts | None = None, /) -> tuple[int, DerivedFacts | None]: ...


class EngineParts(NamedTuple):
    """Put together once for each pack; what is decided is appended to `out`."""

    state: EngineState
    matcher: Matcher
    catalogue: Catalogue
    retention: RuleTtls
    correlator: Correlator
    late_events: LateEvents
    match: Match
    out: list[Decision]
