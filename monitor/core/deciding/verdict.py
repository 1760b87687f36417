"""The verdict: whether an episode gives a draft, and what the draft says; else the named reason why not.

Judges the union of an episode's candidates, never one rule alone.
"""

from __future__ import annotations

from monitor.core.deciding.candidate_check import CandidateCheck, NoDraft, Standing
from monitor.core.deciding.draft_fields import doubts_of
from monitor.core.deciding.draft_writer import Judged, Writer, services_of
from monitor.core.deciding.impact import Window, counts_until, coverage, incidents
from monitor.core.deciding.rescue import Rescue, say_improbable, weigh
from monitor.core.deciding.safe_window import Safe, danger_since, is_report
from monitor.core.deciding.withdrawals import Withdrawals
from monitor.core.matching.matcher import Matcher
from monitor.core.model.catalogue import Catalogue
from monitor.core.model.near_miss import Draft, Verdict
from monitor.core.model.reasons import Missing, NotOpened, Withdrawn
from monitor.core.model.rule import Rule
from monitor.core.model.verdict_policy import POLICY
from monitor.core.state.candidates import Candidate
from monitor.core.state.engine_state import EngineState
from monitor.core.state.episodes import Episode
from monitor.core.weighing.net import Net
from monitor.core.weighing.shapes import rule_named

_UNPLACED = {Missing.SERVICE_UNKNOWN, Missing.DEPENDENCIES_UNKNOWN, Missing.NO_PATH_TO_USERS}
"""Nobody knows whose feeds would have seen the harm, so that no feed shows that there was none."""
MODE_ORDER = {"live": 0, "digest": 1, "shadow": 2}


class Assessor:
    """Assesses the episodes of a state whose window has ended; changes none of them."""

    def __init__(
        self,
        state: EngineState,
        matcher: Matcher,
        catalogue: Catalogue,
        check: CandidateCheck,
        withdrawals: Withdrawals,
        net: Net | None,
    ) -> None:
        self._state = state
        self._matcher = matcher
        self._catalogue = catalogue
        self._check = check
        self._withdrawals = withdrawals
        self._net = net
        self._writer = Writer(state, matcher)

    def draft(
        self, episode: Episode, candidates: list[Candidate], safe: Safe, now: int, looked_until: int | None
    ) -> Draft:
        """The draft of an episode. Raises NoDraft."""
        standing = self._check.standing(candidates, safe.at, now)
        try:
            return self._draft_of(standing, episode, safe, now, looked_until)
        except NoDraft as refused:
            raise NoDraft(refused.reason, refused.detail, refused.evidence, standing.refused) from None

    def _draft_of(self, standing: Standing, episode: Episode, safe: Safe, now: int, looked_until: int | None) -> Draft:
        shown = [candidate for candidate in standing.valid if self._rule_of(candidate).mode != "shadow"]
        if not shown:
            raise NoDraft(NotOpened.SHADOW, "only rules in shadow mode match: counted, not shown")
        rescue = self._weigh(shown)
        candidates = sorted(rescue.candidates, key=self._precedence)
        services = frozenset(s for i in candidates for s in (i.service, *services_of(i.interventions.events)))
        scope = frozenset().union(*map(self._catalogue.upward, services))
        missing = self._placed(services, scope, candidates)
        self._no_impact(episode, services, safe, now)
        predecessors = self._withdrawals.predecessors(episode)
        self._chain_unhurt(predecessors)
        evidence = self._sees(candidates)
        exposed = danger_since(candidates)
        start = episode.window_from if exposed is None else min(exposed, episode.window_from)
        window = Window(start, episode.window_to, looked_until)
        seen = coverage(self._state.feeds, self._catalogue, scope, services, evidence, window)
        if (is_blind := (cuts := self._state.cuts).blind_until > start) or cuts.lost_before(services) > start:
            missing.append(str(Missing.EVICTED))
        is_clear = seen.clear and not is_blind and not _UNPLACED.intersection(missing)
        verdict: Verdict = "none" if is_clear else "unknown"
        missing += [*seen.missing, *safe.missing, *self._doubts(candidates, services, now)]
        chain = tuple(other.draft.id for other in predecessors if other.draft is not None)
        judged = Judged(verdict, missing, seen, standing.notes, standing.steps, chain, rescue.weighed, rescue.mode)
        return self._writer.write(episode, candidates, safe, judged, now)

    def _weigh(self, candidates: list[Candidate]) -> Rescue:
        """How likely a rescue is; without weights every candidate stands. Raises NoDraft where it is not likely."""
        if self._net is None:
            return Rescue(None, None, candidates)
        rescue = weigh(self._net, candidates, self._rule_of, self._catalogue)
        if rescue.weighed is not None and not rescue.candidates:
            raise NoDraft(NotOpened.IMPROBABLE, say_improbable(rescue.weighed))
        return rescue

    def _placed(self, services: frozenset[str], scope: frozenset[str], candidates: list[Candidate]) -> list[str]:
        """What the catalogue leaves open about who would have been hurt.

        An exposure needs no path to users, and a person who reports it knows whom it concerns.
        """
        if self._catalogue.is_empty:
            return []
        if any(not self._catalogue.knows(service) for service in services):
            return [str(Missing.SERVICE_UNKNOWN)]
        if any(self._catalogue.is_user_facing(service) for service in scope):
            return []
        if not self._catalogue.tells_dependencies:
            return [str(Missing.DEPENDENCIES_UNKNOWN)]
        reported = any(is_report(event) for candidate in candidates for event in candidate.hazards.events)
        if reported or self._rule_of(candidates[0]).kind == "exposure":
            return []
        return [str(Missing.NO_PATH_TO_USERS)]

    def _no_impact(self, episode: Episode, services: frozenset[str], safe: Safe, now: int) -> None:
        """Raises NoDraft where users were hit in the window, or in the scope within a day after safe."""
        found = [
            span
            for span in self._withdrawals.impact(episode, services, safe.at, POLICY.reported_within, now)
            if span.start <= max(episode.window_to, counts_until(span, safe.at))
        ]
        hurt = [span for span in found if not span.planned]
        if hurt:
            detail = "users were hit"
            if all(span.elsewhere or span.unplaced for span in hurt):
                unknown = {name for name in services if not self._catalogue.knows(name)}
                lost = unknown or {span.event.service or "a report without a service" for span in hurt}
                detail += ", and the catalogue says of " + ", ".join(sorted(lost)) + " neither where it belongs"
                detail += " nor what it resembles (nearmiss services suggest)"
            raise NoDraft(NotOpened.IMPACT_SEEN, detail, [span.event for span in hurt])
        if found:
            raise NoDraft(NotOpened.PLANNED_WORK, "the impact was announced", [s.event for s in found])

    def _chain_unhurt(self, predecessors: list[Episode]) -> None:
        for other in predecessors:
            if other.outcome in (NotOpened.IMPACT_SEEN, Withdrawn.IMPACT_IN_WINDOW, Withdrawn.IMPACT_AFTERWARDS):
                raise NoDraft(NotOpened.IMPACT_IN_CHAIN, "users were hit earlier in the chain")

    def _doubts(self, candidates: list[Candidate], services: frozenset[str], now: int) -> list[str]:
        found = []
        events = [e for i in candidates for e in (*i.hazards.events, *i.interventions.events)]
        if all(candidate.sibling_only for candidate in candidates):
            found.append(str(Missing.SIBLING_ONLY))
        found += doubts_of(events)
        views = incidents(self._state.memory, self._catalogue, services, now)
        first = min(event.time for event in events)
        if any(view.impact in (None, "unknown") and view.span.end >= first for view in views):
            found.append(str(Missing.IMPACT_UNSTATED))
        return found

    def _sees(self, candidates: list[Candidate]) -> frozenset[str]:
        """Which evidence can see the harm of the rule that names the episode."""
        return self._rule_of(candidates[0]).impact.evidence

    def _precedence(self, candidate: Candidate) -> tuple[bool, int, int, str, str]:
        rule = self._rule_of(candidate)
        return (rule.generic, MODE_ORDER[rule.mode], candidate.first_sign_at, rule.name, candidate.id)

    def _rule_of(self, candidate: Candidate) -> Rule:
        return rule_named(candidate.rule, self._matcher.rules)
