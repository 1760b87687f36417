"""Writes a judged episode down as a draft: its facts from the evidence, the context and what is remembered.

Decides nothing; the judgement comes in as a value.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from monitor.core.deciding.draft_fields import (
    confidence_of,
    draft_id,
    explain_candidate,
    gather,
    instant,
    margin_of,
    rank_of,
    recurrence_key,
)
from monitor.core.deciding.headline import render_title
from monitor.core.deciding.impact import Coverage
from monitor.core.deciding.safe_window import Safe
from monitor.core.matching.matcher import Matcher
from monitor.core.model.events import Event, Instant
from monitor.core.model.near_miss import Draft, Mode, Verdict
from monitor.core.model.reasons import Missing
from monitor.core.model.retention_policy import RETENTION
from monitor.core.model.rule import Rule
from monitor.core.model.verdict_policy import POLICY
from monitor.core.state.alerts import alert_key
from monitor.core.state.candidates import Candidate
from monitor.core.state.engine_state import EngineState
from monitor.core.state.episodes import Episode
from monitor.core.state.ttl_by_kind import CONTEXT_KINDS
from monitor.core.weighing.acts import FORWARD
from monitor.core.weighing.sequel import Weighed
from monitor.core.weighing.shapes import SHAPES, UNDONE, rule_named

MOST_QUESTIONS = 5
"""A reviewer picks a few; the rule that names the episode asks first."""
NOTICED_KINDS = frozenset({"alert.acknowledged", "note.added", "responder.joined", "incident.opened"})


class Judged(msgspec.Struct, frozen=True):
    """The judgement: verdict, what could not be checked, the coverage, notes by candidate, the events of further steps,
    and what it followed.
    """

    verdict: Verdict
    missing: list[str]
    seen: Coverage
    notes: dict[str, list[str]]
    steps: list[Event]
    chain: tuple[str, ...]
    weighed: Weighed | None = None
    mode: Mode | None = None


class Writer:
    def __init__(self, state: EngineState, matcher: Matcher) -> None:
        self.state = state
        self.matcher = matcher

    def write(self, episode: Episode, candidates: list[Candidate], safe: Safe, judged: Judged, now: int) -> Draft:
        """The record's facts; `candidates` in the order of precedence, the one that names the episode first."""
        first = candidates[0]
        primary = self._rule(first)
        hazards = sorted((e for i in candidates for e in i.hazards.events), key=_in_time)
        actions = sorted((e for i in candidates for e in i.interventions.events), key=_in_time)
        context = self._context(episode, frozenset(services_of([*hazards, *actions])), safe.at, now)
        gathered = gather(
            candidates, [*context, *judged.steps], self._recoveries(episode, candidates, actions[0].time, safe.at, now)
        )
        capped = [str(Missing.EVIDENCE_CAPPED)] if gathered.omitted else []
        missing = list(dict.fromkeys([*judged.missing, *capped]))
        own_hazard, own_action = first.hazards.earliest, first.interventions.earliest
        margin = margin_of(primary, first.hazards.events, first.hazards.count, own_action, first.first_sign_at)
        first_sign_at = _first_sign_at(candidates, hazards)
        generic = primary.generic
        earlier = episode.draft
        key = recurrence_key(primary, first.service)
        opened_at = earlier.opened_at if earlier else Instant(now)
        repeats = [known for known in self.state.repeats(key, opened_at) if earlier is None or known != earlier.id]
        confidence = confidence_of(missing, generic)
        rules = [self._rule(candidate) for candidate in candidates]
        probability = None if judged.weighed is None else round(judged.weighed.probability, 3)
        exposure = primary.kind == "exposure"
        return Draft(
            id=earlier.id if earlier else draft_id(f"{first.service}|{first.key}", hazards[0]),
            rules=tuple(dict.fromkeys(rule.name for rule in rules)),
            rule_versions={rule.name: rule.version for rule in rules},
            family=primary.family,
            kind=primary.kind,
            mode=judged.mode or primary.mode,
            service=first.service,
            services=tuple(dict.fromkeys([first.service, *services_of([*hazards, *actions])])),
            environment=own_action.environment or own_hazard.environment,
            title=render_title(primary.title, own_hazard.service or first.service, own_hazard, own_action, margin),
            verdict=judged.verdict,
            confidence=confidence,
            missing_evidence=tuple(missing),
            first_sign_at=Instant(first_sign_at),
            noticed_at=instant(self._noticed(context, first_sign_at, actions[0].time)),
            intervened_at=Instant(actions[0].time),
            safe_at=Instant(safe.at),
            opened_at=opened_at,
            window_from=Instant(episode.window_from),
            window_to=Instant(episode.window_to),
            hold=episode.window_to - safe.at,
            margin=margin,
            evidence=gathered.cited,
            omitted=gathered.omitted,
            coverage=judged.seen.reports,
            unfed_services=judged.seen.unfed,
            explanation=tuple(
                line for i in candidates for line in explain_candidate(self._rule(i), i, judged.notes.get(i.id, ()))
            ),
            questions=tuple(dict.fromkeys(question for rule in rules for question in rule.ask))[:MOST_QUESTIONS],
            recurrence_key=key,
            repeat_of=tuple(repeats),
            chain=judged.chain,
            rank=rank_of(hazards, len(repeats), confidence, generic, probability, exposure=exposure),
            probability=probability,
            reasons=() if judged.weighed is None else judged.weighed.reasons,
            told_from=own_hazard.time,
            told_to=own_action.time,
        )

    def _context(self, episode: Episode, services: frozenset[str], safe_at: int, now: int) -> list[Event]:
        # What is older may be forgotten already or not yet, which must not show.
        start = max(episode.first_sign_at - POLICY.before_first_sign, now - RETENTION.context)
        return sorted(self.state.memory.between(sorted(services), CONTEXT_KINDS, start, safe_at), key=_in_time)

    def _recoveries(
        self, episode: Episode, candidates: list[Candidate], action_at: int, safe_at: int, now: int
    ) -> list[Event]:
        """The recoveries that say when it was safe: of the hazards' alerts, and of others on what is cited."""
        services = frozenset([*episode.services, *(candidate.service for candidate in candidates)])
        keys = {*episode.others, *(key for candidate in candidates for key in candidate.tracks)}
        # As with the context: what may be forgotten already is not cited. That it recovered is known all the same.
        since = max(action_at, now - RETENTION.event)
        found = self.state.memory.between(sorted(services), ("alert.resolved",), since, safe_at)
        return [event for event in found if alert_key(event) in keys]

    def _noticed(self, context: list[Event], first_sign_at: int, action_at: int) -> int | None:
        """When a person first showed that they had seen it."""
        times = [e.time for e in context if e.kind in NOTICED_KINDS and first_sign_at <= e.time <= action_at]
        return min(times, default=None)

    def _rule(self, candidate: Candidate) -> Rule:
        return rule_named(candidate.rule, self.matcher.rules)


def _first_sign_at(candidates: Sequence[Candidate], hazards: Sequence[Event]) -> int:
    """The earliest sign. A release or merge that was undone caused it, and is a sign only where nothing else spoke.

    What was deleted or run is the harm itself; and a rule may ask for the change, such as one with a flag.
    """
    undone = [event for i in candidates if i.rule == UNDONE.name for event in i.hazards.events]
    caused = {event.event_id for event in undone if event.kind in FORWARD or event.kind == "change.merged"}
    caused -= {event.event_id for i in candidates if i.rule not in SHAPES for event in i.hazards.events}
    return next((event.time for event in hazards if event.event_id not in caused), hazards[0].time)


def services_of(events: Sequence[Event]) -> list[str]:
    return [event.service for event in events if event.service is not None]


def _in_time(event: Event) -> tuple[int, str, str]:
    return (event.time, event.source, event.id)
