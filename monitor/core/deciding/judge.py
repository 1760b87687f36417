"""When an episode is looked at, and what the verdict makes of it: a draft is opened, amended or withdrawn."""

from __future__ import annotations

from monitor.core.deciding.candidate_check import CandidateCheck, NoDraft
from monitor.core.deciding.correlator import Correlator
from monitor.core.deciding.draft_fields import subject_keys
from monitor.core.deciding.impact import incidents
from monitor.core.deciding.safe_window import (
    Safe,
    danger_since,
    find_safe,
    harmless_for,
    latest_safe,
    window_end,
)
from monitor.core.deciding.same_event import same_event
from monitor.core.deciding.verdict import Assessor
from monitor.core.deciding.withdrawals import Withdrawals
from monitor.core.matching.matcher import Matcher
from monitor.core.model.catalogue import Catalogue
from monitor.core.model.decisions import Amend, Decision, Ignore, Open
from monitor.core.model.events import EventId, Instant
from monitor.core.model.reasons import NotOpened, Withdrawn
from monitor.core.model.retention_policy import RETENTION
from monitor.core.model.rule import Rule
from monitor.core.model.verdict_policy import POLICY
from monitor.core.state.alerts import ALERT_STATES
from monitor.core.state.candidates import Candidate
from monitor.core.state.engine_state import EngineState
from monitor.core.state.episodes import Episode
from monitor.core.weighing.net import Net
from monitor.core.weighing.shapes import rule_named

MOST_TIMES = 40
"""Times of actions that an episode keeps, for what follows from it."""


class Judge:
    """Wakes and closes the episodes of a state; decisions are appended to `out`."""

    def __init__(
        self,
        state: EngineState,
        matcher: Matcher,
        catalogue: Catalogue,
        correlator: Correlator,
        out: list[Decision],
        net: Net | None = None,
    ) -> None:
        self._state = state
        self._matcher = matcher
        self._catalogue = catalogue
        self._grouper = correlator.grouper
        self._out = out
        self._net = net
        self.withdrawals = Withdrawals(state, catalogue, correlator.grouper, out)
        check = CandidateCheck(state, matcher, catalogue, correlator.steps)
        self._assessor = Assessor(state, matcher, catalogue, check, self.withdrawals, net)

    def wake(self, episode: Episode, now: int, looked_until: int | None) -> None:
        """Judge if the window has ended by `now`, else come back when it will have.

        `looked_until`: where the stream ended, or None.
        """
        episode.wake_at = None
        self._state.touch_episode(episode)
        if episode.closed:
            return
        candidates, rules = self._parts(episode)
        if not candidates:
            self._close(episode)
            return
        times = sorted({int(e.time) for i in candidates for e in i.interventions.events})
        episode.action_times = times if len(times) <= MOST_TIMES else [*times[: MOST_TIMES - 1], times[-1]]
        if not episode.outcome:
            self._follow_alerts(episode, candidates, now)
        safe = self._safe(episode, candidates, rules, now)
        episode.safe_at = safe.at
        harm_from = episode.first_sign_at + harmless_for(candidates, rules)
        episode.window_from = harm_from - POLICY.before_first_sign
        if (began := danger_since(candidates, rules)) is not None:
            episode.window_from = min(episode.window_from, began)
        episode.window_to = window_end(episode, safe.at, rules, candidates)
        if episode.window_to > now:
            episode.wake_at = episode.window_to
            self._state.set_timer(episode.window_to, "wake", episode.id)
            return
        if not episode.withdrawn:
            self._judge(episode, candidates, safe, now, looked_until)
        self._plan_close(episode, min(safe.at + POLICY.reopen_within, latest_safe(times)), now)

    def _follow_alerts(self, episode: Episode, candidates: list[Candidate], now: int) -> None:
        """All is not well while something grave still fires on what is cited, also if it began before the action."""
        followed = {key for candidate in candidates for key in candidate.tracks}
        # As with the context: what is older may be forgotten already or not yet, which must not show.
        since = max(episode.first_sign_at, now - RETENTION.event)
        alerts = self._state.memory.between(episode.services, sorted(ALERT_STATES), since, now)
        counted = (event for event in alerts if self._catalogue.counts(event.environment) is not False)
        episode.adopt_alerts(counted, followed)

    def _plan_close(self, episode: Episode, at: int, now: int) -> None:
        at = max(at, now)
        if episode.closes_at is None or episode.closes_at < at:
            episode.closes_at = at
            self._state.set_timer(at, "close", episode.id)

    def close(self, episode: Episode, now: int) -> None:
        """First the episode takes no more evidence; an open draft is watched for tied impact for a week."""
        if episode.closes_at is None or episode.closes_at > now:
            return
        if episode.wake_at is not None:
            if not episode.closed:
                episode.closes_at = None
                self._state.touch_episode(episode)
            return
        if episode.closed or episode.draft is None or episode.withdrawn:
            self._close(episode)
            self._state.keep_draft(episode)
            self._state.remove_episode(episode)
            return
        self._close(episode)
        episode.closes_at = max((episode.safe_at or now) + POLICY.tied_within, now)
        self._state.set_timer(episode.closes_at, "close", episode.id)

    def _close(self, episode: Episode) -> None:
        if self._net is not None:
            self._net.release(episode.candidates)
        for candidate_id in episode.candidates:
            if (candidate := self._state.candidates.get(candidate_id)) is not None:
                self._state.remove_candidate(candidate)
        episode.candidates.clear()
        self._state.close_episode(episode)

    def _judge(
        self, episode: Episode, candidates: list[Candidate], safe: Safe, now: int, looked_until: int | None
    ) -> None:
        try:
            draft = self._assessor.draft(episode, candidates, safe, now, looked_until)
        except NoDraft as refused:
            self._refuse(episode, candidates, refused, now)
            return
        if episode.draft is None:
            elder = same_event(self._state, self._catalogue, episode, now, weighed=self._net is not None)
            if elder is not None:
                self._grouper.merge(episode, elder)
                return
        episode.outcome = "draft"
        if episode.draft is None:
            self._out.append(Open(draft))
            for key in (draft.recurrence_key, *subject_keys(draft)):
                self._state.remember_recurrence(key, draft.opened_at, draft.id)
        elif draft != episode.draft:
            self._out.append(Amend(draft))
        episode.draft = draft

    def _refuse(self, episode: Episode, candidates: list[Candidate], refused: NoDraft, now: int) -> None:
        if refused.reason in (NotOpened.IMPACT_SEEN, NotOpened.IMPACT_IN_CHAIN):
            self.withdrawals.withdraw_chain(episode, refused.evidence, now)
        if episode.draft is not None:
            reason = {
                NotOpened.IMPACT_SEEN: Withdrawn.IMPACT_IN_WINDOW,
                NotOpened.IMPACT_IN_CHAIN: Withdrawn.IMPACT_IN_CHAIN,
                NotOpened.PLANNED_WORK: Withdrawn.PLANNED_WORK,
                NotOpened.COVERED_BY_MAINTENANCE: Withdrawn.PLANNED_WORK,
            }.get(refused.reason, Withdrawn.NO_LONGER_MATCHES)
            self.withdrawals.withdraw(episode, reason, refused.evidence, now)
        elif episode.outcome != str(refused.reason):
            for each, some in refused.by_reason(candidates):
                ids = tuple(candidate.hazards.earliest.event_id for candidate in some)
                ids += tuple(EventId(event.source, event.id) for event in each.evidence)
                names = tuple(sorted({candidate.rule for candidate in some}))
                self._out.append(Ignore(each.reason, Instant(now), names, some[0].service, ids, each.detail))
        episode.outcome = str(refused.reason)

    def _parts(self, episode: Episode) -> tuple[list[Candidate], list[Rule]]:
        candidates = [self._state.candidates[known] for known in episode.candidates if known in self._state.candidates]
        return candidates, [rule_named(candidate.rule, self._matcher.rules) for candidate in candidates]

    def _safe(self, episode: Episode, candidates: list[Candidate], rules: list[Rule], now: int) -> Safe:
        views = incidents(self._state.memory, self._catalogue, episode.services, now)
        closings = [view for view in views if view.span.event.time >= episode.window_from or view.closed_at is not None]
        return find_safe(episode, candidates, max(rule.settle for rule in rules), closings)
