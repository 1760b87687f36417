"""Which candidates of an episode stand once its window has ended, with their further steps."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from monitor.core.deciding.clauses import clause_unmet, say_met
from monitor.core.deciding.further_steps import FurtherSteps
from monitor.core.deciding.impact import maintenance_covers
from monitor.core.matching.matcher import Matcher
from monitor.core.model.catalogue import Catalogue
from monitor.core.model.events import Event
from monitor.core.model.reasons import NotOpened
from monitor.core.model.verdict_policy import POLICY
from monitor.core.state.candidates import Candidate
from monitor.core.state.engine_state import EngineState


class NoDraft(Exception):
    """An episode, or a candidate of it, gives no draft: the reason and the words.

    `by_candidate`: the candidates of the episode that had failed before, by id, each with its own reason.
    """

    def __init__(
        self,
        reason: NotOpened,
        detail: str,
        evidence: Sequence[Event] = (),
        by_candidate: Mapping[str, NoDraft] | None = None,
    ) -> None:
        super().__init__(detail)
        self.reason = reason
        self.detail = detail
        self.evidence = tuple(evidence)
        self.by_candidate = by_candidate or {}

    def by_reason(self, candidates: Sequence[Candidate]) -> Iterator[tuple[NoDraft, list[Candidate]]]:
        """Each reason once, in the order of the candidates, with those that it holds for."""
        found: dict[tuple[str, str], tuple[NoDraft, list[Candidate]]] = {}
        for candidate in candidates:
            refused = self.by_candidate.get(candidate.id, self)
            found.setdefault((refused.reason, refused.detail), (refused, []))[1].append(candidate)
        return iter(found.values())


class Standing(NamedTuple):
    """The candidates that stand, and their further steps: in words by candidate, and the events; those that failed."""

    valid: list[Candidate]
    notes: dict[str, list[str]]
    steps: list[Event]
    refused: dict[str, NoDraft]


class CandidateCheck:
    """Checks the candidates of a state."""

    def __init__(self, state: EngineState, matcher: Matcher, catalogue: Catalogue, steps: FurtherSteps) -> None:
        self._state = state
        self._matcher = matcher
        self._catalogue = catalogue
        self._steps = steps

    def standing(self, candidates: Sequence[Candidate], safe_at: int, now: int) -> Standing:
        """Which candidates stand. Raises NoDraft where none does, with the reason of the first."""
        found = Standing([], {}, [], {})
        for candidate in candidates:
            try:
                notes, seen = self._check(candidate, safe_at, now)
            except NoDraft as refused:
                found.refused[candidate.id] = refused
                continue
            found.valid.append(candidate)
            found.notes[candidate.id] = notes
            found.steps.extend(seen)
        if not found.valid:
            first = found.refused[candidates[0].id]
            raise NoDraft(first.reason, first.detail, first.evidence, found.refused)
        return found

    def _check(self, candidate: Candidate, safe_at: int, now: int) -> tuple[list[str], list[Event]]:
        """Whether one candidate stands, with notes on its further steps, and their events. Raises NoDraft."""
        memory = self._state.memory
        if all(maintenance_covers(memory, self._catalogue, event, now) for event in candidate.hazards.events):
            raise NoDraft(NotOpened.COVERED_BY_MAINTENANCE, "announced maintenance covers every hazard")
        if candidate.sibling_only and not self._recovered_close(candidate):
            raise NoDraft(
                NotOpened.UNRELATED_INTERVENTION,
                "the action was on a sibling service, and no recovery followed closely",
            )
        notes = []
        seen: list[Event] = []
        action = candidate.interventions.earliest
        compiled = self._matcher.rules.get(candidate.rule)
        for step in compiled.clauses if compiled is not None else ():
            clause = step.clause
            assert clause is not None  # `clauses` are the further steps
            found = list(self._steps.events(step, candidate, action, safe_at))
            count = max(len(found), candidate.counted.get(clause.name, 0))
            if (unmet := clause_unmet(clause, count)) is not None:
                raise NoDraft(*unmet)
            notes.append(say_met(clause, count))
            seen += found
        return notes, seen

    def _recovered_close(self, candidate: Candidate) -> bool:
        action_at = candidate.interventions.latest.time
        recoveries = [track.recovered_at for track in candidate.tracks.values() if track.recovered_at is not None]
        return any(0 <= recovered - action_at <= POLICY.sibling_close for recovered in recoveries)
